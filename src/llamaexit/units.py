"""Bytes in, words out: the one place where integers become GiB or GB and back."""

from __future__ import annotations

import re

KIB = 1024
MIB = 1024**2
GIB = 1024**3
KB = 1000
MB = 1000**2
GB = 1000**3

_SUFFIXES = {
    "": 1, "B": 1,
    "K": KIB, "KIB": KIB, "KB": KB,
    "M": MIB, "MIB": MIB, "MB": MB,
    "G": GIB, "GIB": GIB, "GB": GB,
    "T": 1024**4, "TIB": 1024**4, "TB": 1000**4,
}  # fmt: skip
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")


def gib(size: int, digits: int = 1) -> str:
    """Memory for people: `5905580032` becomes `5.5 GiB`. Below 0.1 GiB the unit is MiB."""
    return f"{size / GIB:.{digits}f} GiB" if abs(size) >= GIB // 10 else f"{size / MIB:.0f} MiB"


def gb(size: int, digits: int = 1) -> str:
    """Downloads and disk for people, decimal as Ollama prints them: `4920753328` becomes `4.9 GB`."""
    if abs(size) >= GB // 10:
        return f"{size / GB:.{digits}f} GB"
    return f"{size / MB:.1f} MB" if abs(size) >= MB // 10 else f"{size / KB:.1f} KB"


def parse_size(text: str) -> int:
    """Bytes meant by `24GiB`, `24G` (binary), `20GB` (decimal) or `1024`. Raises ValueError when it is no size."""
    match = _SIZE.fullmatch(text)
    factor = _SUFFIXES.get(match[2].upper()) if match else None
    if match is None or factor is None:
        raise ValueError(f"{text!r} is not a size such as 24GiB, 20GB or 512MiB")
    return int(float(match[1]) * factor)
