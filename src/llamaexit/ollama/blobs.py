"""The files in `blobs/` of a model store."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

_COMPLETE = re.compile(r"sha256[:-]([0-9a-fA-F]{64})")  # old stores have a colon
_PARTIAL = re.compile(r"sha256[:-]([0-9a-fA-F]{64})-partial")


@dataclass(frozen=True, slots=True)
class Blob:
    """One file. `on_disk`: bytes it takes, which is less than `size` while a pull is under way."""

    path: Path
    size: int
    on_disk: int


@dataclass(slots=True)
class Blobs:
    """Blobs by hex digest: complete ones, and those of pulls that were not finished. `used`: bytes of all files."""

    complete: dict[str, Blob] = field(default_factory=dict)
    partial: dict[str, Blob] = field(default_factory=dict)
    used: int = 0


def read_blobs(folder: Path) -> Blobs:
    """List a `blobs` directory; one that is not there is empty. Raises OSError when it cannot be listed."""
    found = Blobs()
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return found
    for entry in entries:
        try:
            info = entry.stat()
        except OSError:
            continue  # a dangling link is a missing blob
        if not stat.S_ISREG(info.st_mode):
            continue
        # a partial file has its full length from the start: only its blocks tell what has arrived
        blocks = getattr(info, "st_blocks", None)
        on_disk = info.st_size if blocks is None else min(blocks * 512, info.st_size)
        blob = Blob(Path(entry.path), info.st_size, on_disk)
        found.used += on_disk
        if match := _COMPLETE.fullmatch(entry.name):
            found.complete[match[1]] = blob
        elif match := _PARTIAL.fullmatch(entry.name):
            found.partial[match[1]] = blob
    return found
