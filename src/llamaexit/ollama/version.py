"""Ollama's version strings, read leniently: forks and distributions add suffixes of their own."""

from __future__ import annotations

import re
from functools import lru_cache

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:-?rc\.?(\d+))?", re.IGNORECASE)

Release = tuple[int, int, int, int]
"""Major, minor, patch and release candidate; a final release sorts after its candidates."""
FINAL = 1 << 30
"""Stands in for the release candidate of a final release."""


@lru_cache(maxsize=256)
def parse_version(text: str | None) -> Release | None:
    """The release a version string names; None when it names none.

    `0.30.0-rc5` sorts before `0.30.0`. `0.0.0` is what a build without version flags reports, so it counts as
    unknown (reference: Ollama's version package). Suffixes of distributions (`0.12.3-1ubuntu1`) are ignored.
    """
    match = _VERSION.match(text.strip()) if text else None
    if match is None:
        return None
    major, minor, patch = int(match[1]), int(match[2]), int(match[3] or 0)
    if (major, minor, patch) == (0, 0, 0):
        return None
    return major, minor, patch, int(match[4]) if match[4] else FINAL


def at_least(present: str | None, needed: str | None) -> bool | None:
    """Whether the version that is present is enough; None when either is not known and something is needed."""
    if not needed:
        return True
    have, want = parse_version(present), parse_version(needed)
    return None if have is None or want is None else have >= want
