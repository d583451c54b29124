"""What lies in a folder, for comparing before and after."""

from __future__ import annotations

from pathlib import Path


def files_below(folder: Path) -> dict[Path, bytes | None]:
    """Everything in a folder and below: the bytes of each file, None for what is none."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
