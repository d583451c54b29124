"""A model store in a directory, laid out as Ollama lays it out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from standin.contents import Blob, Entry, Partial
from standin.names import Name


@dataclass(frozen=True)
class Disk:
    """Where files go. Weights are written as holes."""

    root: Path

    def lay_out(self) -> None:
        (self.root / "blobs").mkdir(parents=True)

    def write_blob(self, digest: str, blob: Blob) -> None:
        with self._file(digest).open("wb") as file:
            file.write(blob.data)
            file.truncate(blob.size)

    def remove_blob(self, digest: str) -> None:
        self._file(digest).unlink(missing_ok=True)

    def write_partial(self, digest: str, partial: Partial) -> None:
        """As large as it is going to be, and beside it how much of it is there."""
        with self._file(f"{digest}-partial").open("wb") as file:
            file.truncate(partial.total)
        part = {"N": 0, "Offset": 0, "Size": partial.total, "Completed": partial.completed}
        self._file(f"{digest}-partial-0").write_text(json.dumps(part), "utf-8")

    def remove_partial(self, digest: str) -> None:
        for suffix in ("-partial", "-partial-0"):
            self._file(digest + suffix).unlink(missing_ok=True)

    def write_manifest(self, name: Name, entry: Entry) -> None:
        path = self._manifest(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.data)

    def remove_manifest(self, name: Name) -> None:
        """And the directories it leaves empty."""
        path = self._manifest(name)
        path.unlink(missing_ok=True)
        for parent in list(path.parents)[:3]:
            if not any(parent.iterdir()):
                parent.rmdir()

    def _file(self, digest: str) -> Path:
        return self.root / "blobs" / digest.replace(":", "-", 1)

    def _manifest(self, name: Name) -> Path:
        return self.root.joinpath("manifests", *name)
