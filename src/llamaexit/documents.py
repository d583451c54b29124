"""Documents in files: reading snapshots (what `inspect --json` printed, or bare), and telling ours from others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamaexit.errors import DocumentError
from llamaexit.snapshot import SCHEMA, Snapshot

if TYPE_CHECKING:
    from pydantic import ValidationError

LARGEST = 256 * 1024 * 1024
"""Bytes of the largest snapshot file that is read; 10,000 models take about 60 MB."""


class SnapshotReader:
    """Reads snapshots. The validator is built once, so keep one reader for many files."""

    def __init__(self) -> None:
        from pydantic import TypeAdapter

        self._adapter = TypeAdapter[Snapshot](Snapshot)

    def load(self, path: Path) -> Snapshot:
        """The snapshot in a file. Raises DocumentError when it cannot be read or is none."""
        try:
            if path.stat().st_size > LARGEST:
                raise DocumentError(f"{path}: larger than any snapshot ({LARGEST // 1024**2} MiB)")
            raw = path.read_bytes()
        except OSError as error:
            hint = "write one with llamaexit inspect --out FILE" if isinstance(error, FileNotFoundError) else None
            raise DocumentError(f"{path}: {(error.strerror or str(error)).lower()}", hint=hint) from error
        return self.parse(raw, str(path))

    def parse(self, raw: bytes, name: str) -> Snapshot:
        """The snapshot in a text of JSON; `name` is what error messages call it. Raises DocumentError."""
        from pydantic import ValidationError

        try:
            snapshot = self._adapter.validate_json(raw)
        except ValidationError as error:
            return self._look_closer(raw, name, error)
        _check_schema(snapshot.schema, name)
        return snapshot

    def _look_closer(self, raw: bytes, name: str, error: ValidationError) -> Snapshot:
        """The text is no bare snapshot: unwrap an envelope, or say what is wrong in the most useful words."""
        import pydantic_core

        try:
            document: Any = pydantic_core.from_json(raw)
        except ValueError as broken:
            raise DocumentError(f"{name}: not JSON: {broken}", hint="write one with llamaexit inspect --json") from None
        if isinstance(document, dict) and "llamaexit" in document and "data" in document:
            if not isinstance(document["data"], dict):
                raise DocumentError(f"{name}: the answer of a command that failed, with no snapshot in it")
            if "schema" not in document["data"]:
                raise DocumentError(f"{name}: the answer of llamaexit {document.get('command')}, which is no snapshot")
            return self.parse(pydantic_core.to_json(document["data"]), name)
        if not isinstance(document, dict) or not isinstance(document.get("schema"), str):
            raise DocumentError(f"{name}: JSON, but no snapshot", hint="write one with llamaexit inspect --json")
        _check_schema(document["schema"], name)
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DocumentError(f"{name}: {where}: {_small(first['msg'])}") from None


def kind_of(raw: bytes) -> str | None:
    """What a text of JSON is: the name of its schema without the version (`llamaexit.plan`), None when not ours.

    The answer of a command counts as what it holds.
    """
    import json

    try:
        document = json.loads(raw)
        if "llamaexit" in document and "data" in document:
            document = document["data"]
        kind, _, _ = document["schema"].partition("/")
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None
    return str(kind) if kind.startswith("llamaexit.") else None


def _check_schema(schema: str, name: str) -> None:
    if schema == SCHEMA:
        return
    kind, _, version = schema.partition("/")
    expected, _, known = SCHEMA.partition("/")
    if kind != expected:
        raise DocumentError(f"{name}: a {kind} document, not a snapshot")
    if version.isdigit() and int(version) > int(known):
        raise DocumentError(
            f"{name}: snapshot format {version}, this llamaexit reads up to {known}", hint="use a newer llamaexit"
        )
    raise DocumentError(f"{name}: snapshot format {version!r} is not known")


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
