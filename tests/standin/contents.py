"""What a store holds: blobs, manifests, downloads that stopped, and models that are in memory."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from standin import gojson


class Blob(NamedTuple):
    """The beginning of a file and its size in all; the rest is zeros that nobody reads."""

    data: bytes
    size: int


@dataclass
class Entry:
    """One manifest: its bytes, and when it was written (nanoseconds since the epoch)."""

    data: bytes
    modified: int

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def readable(self) -> bool:
        """Whether it is JSON at all: what `Manifests(true)` of manifest/ keeps."""
        try:
            self.parsed()
        except ValueError:
            return False
        return True

    def parsed(self) -> dict[str, Any]:
        """Raises ValueError, with Go's words, when it is corrupt."""
        try:
            found = json.loads(self.data)
        except ValueError:
            raise ValueError(gojson.error(self.data.decode("utf-8", "replace"))) from None
        if not isinstance(found, dict):
            raise ValueError("json: cannot unmarshal into Go value of type manifest.Manifest")
        return found


@dataclass
class Resident:
    """A model in memory, as ps reports it.

    A test may add one by its first five fields; then digest and details are those the name has now. The others are
    what the runner was loaded with: manifest digest and config, weights and options, requests it answers at the moment,
    nanoseconds it is kept after the last, and when that ends.
    """

    name: str
    size: int
    size_vram: int
    context_length: int = 4096
    expires_at: str = "2026-11-23T16:31:07.640904687Z"
    digest: str | None = None
    config: dict[str, Any] | None = None
    weights: str | None = None
    loaded_with: tuple[Any, ...] = ()
    automatic: bool = False
    busy: int = 0
    keep: int = 0
    expires: int | None = None


@dataclass
class Partial:
    """A download that stopped: bytes in all, and bytes that are here."""

    total: int
    completed: int
