"""Glob patterns of recipes: one against a text, and many at once.

Recipes of many people may hold ten thousands of patterns. What the standard library does with one, translate it into a
regular expression and compile that, takes a hundred times as long as what is done here with those that only have stars.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_SIGNS = frozenset("*?[")


def is_pattern(text: str) -> bool:
    """Whether a text has a sign of glob patterns in it."""
    return not _SIGNS.isdisjoint(text)


def matches(pattern: str, text: str) -> bool:
    """Whether a glob pattern means a text, as `fnmatch.fnmatchcase` has it."""
    if "?" in pattern or "[" in pattern:
        from fnmatch import fnmatchcase

        return fnmatchcase(text, pattern)
    first, *middle = pattern.split("*")
    if not middle:
        return text == pattern
    last = middle.pop()
    if not text.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - len(last) >= at and text.endswith(last)


class Globs(Generic[T]):
    """Patterns, each with something that belongs to it. A text is held only against those that begin as it does."""

    def __init__(self) -> None:
        self._by_beginning: dict[str, list[tuple[str, T]]] = {}
        self._lengths: dict[int, None] = {}

    def add(self, pattern: str, value: T) -> None:
        """Add a pattern, whether or not it is there already."""
        start = beginning(pattern)
        self._lengths[len(start)] = None
        self._by_beginning.setdefault(start, []).append((pattern, value))

    def matching(self, text: str) -> Iterator[T]:
        """What belongs to the patterns that mean a text, in no order."""
        for length in self._lengths:
            if length <= len(text):
                for pattern, value in self._by_beginning.get(text[:length], ()):
                    if matches(pattern, text):
                        yield value

    def __contains__(self, text: str) -> bool:
        return any(True for _ in self.matching(text))


def beginning(pattern: str) -> str:
    """What every text that a pattern means begins with."""
    return next((pattern[:at] for at, sign in enumerate(pattern) if sign in _SIGNS), pattern)
