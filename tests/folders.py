"""What lies in a folder, for comparing before and after."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


def files_below(folder: Path) -> dict[Path, bytes | None]:
    """Everything in a folder and below: the bytes of each file, None for what is none."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


class Written(NamedTuple):
    """What changes when a file is written, be it with the same bytes, and stays when it is only read."""

    inode: int
    modified_ns: int
    size: int


def written(path: Path) -> Written:
    """How the file was last written. The time of the last access is left out: reading may move it."""
    found = path.stat()
    return Written(found.st_ino, found.st_mtime_ns, found.st_size)
