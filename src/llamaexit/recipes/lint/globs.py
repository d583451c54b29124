"""Whether two patterns can mean one name."""

from __future__ import annotations

from collections.abc import Iterator

_Sign = frozenset[str] | None
"""The characters that may stand in one place; None: any."""
_STAR = "*"
_END = object()
_MOST = 10_000
"""Pairs of places to look at; names are short, and what is longer is not meant."""
_WIDEST = 1000
"""Characters of a range, after which it is any character."""


def can_both_match(first: str, second: str) -> bool:
    """Whether there is a text that both glob patterns match, whatever the case.

    Sets that begin with `!` count as any character: close enough for a question of style.
    """
    one, other = _signs(first.lower()), _signs(second.lower())
    if _STAR in one and _STAR in other:  # what lies between beginning and end, the stars of the other one take in
        return _begin_alike(one, other) and _begin_alike(one[::-1], other[::-1])
    if len(one) * len(other) > _MOST:
        return False
    waiting, met = [(0, 0)], {(0, 0)}
    while waiting:
        i, j = waiting.pop()
        if (i, j) == (len(one), len(other)):
            return True
        for step in _steps(one, other, i, j):
            if step not in met:
                met.add(step)
                waiting.append(step)
    return False


def _begin_alike(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether the same text can be meant up to the first star in one of them."""
    for mine, theirs in zip(one, other, strict=False):
        if _STAR in (mine, theirs):
            return True
        if not _meet(mine, theirs):
            return False
    return True


def _steps(one: tuple[object, ...], other: tuple[object, ...], i: int, j: int) -> Iterator[tuple[int, int]]:
    """Where one can stand after `i` and `j` signs: past a star, or past one character that both can match."""
    mine, theirs = one[i] if i < len(one) else _END, other[j] if j < len(other) else _END
    if mine == _STAR:
        yield i + 1, j
        if theirs is not _END:
            yield i, j + 1
    elif theirs == _STAR:
        yield i, j + 1
        if mine is not _END:
            yield i + 1, j
    elif mine is not _END and theirs is not _END and _meet(mine, theirs):
        yield i + 1, j + 1


def _meet(one: object, other: object) -> bool:
    if one is None or other is None:
        return True
    assert isinstance(one, frozenset) and isinstance(other, frozenset)
    return not one.isdisjoint(other)


def _signs(pattern: str) -> tuple[object, ...]:
    signs: list[object] = []
    at = 0
    while at < len(pattern):
        sign, at = pattern[at], at + 1
        end = pattern.find("]", at + 1) if sign == "[" else -1
        if sign == _STAR:
            if not signs or signs[-1] != _STAR:
                signs.append(_STAR)
        elif sign == "?":
            signs.append(None)
        elif end >= 0:
            signs.append(_set(pattern[at:end]))
            at = end + 1
        else:
            signs.append(frozenset(sign))
    return tuple(signs)


def _set(inside: str) -> _Sign:
    if inside.startswith("!"):
        return None
    found: set[str] = set()
    at = 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            if ord(inside[at + 2]) - ord(inside[at]) > _WIDEST:
                return None
            found.update(map(chr, range(ord(inside[at]), ord(inside[at + 2]) + 1)))
            at += 3
        else:
            found.add(inside[at])
            at += 1
    return frozenset(found)
