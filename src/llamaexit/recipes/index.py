"""Which rules can concern a model: found by use and name instead of by trying them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

from llamaexit.recipes.names import is_pattern, matches, name_key


class RuleIndex(TypedDict):
    """Rule numbers of one use. `exact`: by full name; `open`: rules with patterns, or that match by kind or all."""

    exact: dict[str, list[int]]
    open: list[int]


def index_rules(rules: Iterable[tuple[str, Sequence[str]]]) -> dict[str, RuleIndex]:
    """Index (use, match) pairs by use; a rule's number is its position."""
    index: dict[str, RuleIndex] = {}
    for number, (use, match) in enumerate(rules):
        of_use = index.setdefault(use, {"exact": {}, "open": []})
        for pattern in match:
            if not is_pattern(pattern):
                of_use["exact"].setdefault(name_key(pattern), []).append(number)
        if not match or any(map(is_pattern, match)):
            of_use["open"].append(number)
    return index


def candidates(index: dict[str, RuleIndex], use: str, names: Sequence[str]) -> list[int]:
    """Numbers of the rules that may concern a model of these names, in file order, each once."""
    of_use = index.get(use)
    if of_use is None:
        return []
    found = set(of_use["open"])
    for name in names:
        found.update(of_use["exact"].get(name_key(name), ()))
    return sorted(found)


def specificity(match: Sequence[str], names: Sequence[str]) -> int | None:
    """How closely a rule's `match` names the model: 0 is its own name, None is not at all.

    A name counts before a pattern, and an earlier one of `names` before a later one. Rules without `match` come last.
    """
    if not match:
        return 2 * len(names)
    for position, name in enumerate(names):
        hits = [pattern for pattern in match if matches(pattern, name)]
        if hits:
            return 2 * position + all(map(is_pattern, hits))
    return None
