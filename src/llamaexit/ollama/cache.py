"""Files kept between runs in the user's cache directory. A cache that cannot be used is no error."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

_FORMAT = "llamaexit.cache/1"


def default_cache_dir() -> Path | None:
    """Where this user's programs keep what they can fetch again; None without a home directory."""
    from platformdirs import user_cache_path

    try:
        return user_cache_path("llamaexit", appauthor=False)
    except (RuntimeError, KeyError):
        return None


class Cache:
    """Entries of bytes, each with a few facts about it. `folder` is None for a cache that keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, kind: str, key: str) -> tuple[dict[str, Any], bytes] | None:
        """Facts and bytes of an entry; None when there is none that can be read."""
        path = self._path(kind, key)
        if path is None:
            return None
        try:
            head, newline, body = path.read_bytes().partition(b"\n")
            facts = json.loads(head)
        except (OSError, ValueError, RecursionError):
            return None
        right = isinstance(facts, dict) and (facts.get("format"), facts.get("key")) == (_FORMAT, key)
        return (facts, body) if right and newline else None

    def put(self, kind: str, key: str, facts: dict[str, Any], body: bytes) -> None:
        """Keep an entry, replacing an older one as a whole. Does nothing where nothing can be written."""
        path = self._path(kind, key)
        if path is None:
            return
        head = json.dumps({"format": _FORMAT, "key": key, **facts}).encode()
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # several runs may write at once; each entry appears whole or not at all
            number, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(number, "wb") as file:
                    file.write(head + b"\n" + body)
                Path(name).replace(path)
            except OSError:
                Path(name).unlink(missing_ok=True)

    def _path(self, kind: str, key: str) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / kind / hashlib.sha256(key.encode()).hexdigest()[:40]
