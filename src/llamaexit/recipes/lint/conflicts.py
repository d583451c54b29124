"""Rules of one recipe that get in each other's way, or that nothing ever reaches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from llamaexit.recipes.lint.globs import can_both_match
from llamaexit.recipes.lint.registry import Mark, lint
from llamaexit.recipes.lint.seen import named
from llamaexit.recipes.names import is_pattern, name_key

if TYPE_CHECKING:
    from llamaexit.recipes.lint.seen import Seen
    from llamaexit.recipes.model import Rule

_MOST_COMPARED = 1000
"""Rules of one use that are compared with each other: half a million pairs."""


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a rule applies to."""

    names: frozenset[str]
    patterns: frozenset[str]
    generation: frozenset[str]
    low: float
    high: float

    @classmethod
    def of(cls, rule: Rule) -> _Reach:
        names = frozenset(name_key(text) for text in rule.match if not is_pattern(text))
        patterns = frozenset(text.strip().lower() for text in rule.match if is_pattern(text))
        high = rule.max_parameters or float("inf")
        return cls(names, patterns, frozenset(rule.generation), rule.min_parameters, high)

    @property
    def sized(self) -> bool:
        return self.low > 0 or self.high < float("inf")

    def meets(self, other: _Reach) -> str | None:
        """What both apply to, as closely as each other, in words; None where they never meet or one is closer."""
        kinds = not self.generation or not other.generation or not self.generation.isdisjoint(other.generation)
        if not kinds or not (self.low < other.high and other.low < self.high):
            return None
        if shared := sorted(self.names & other.names):
            return f"names {shared[0]}"
        for one in sorted(self.patterns):
            for two in sorted(other.patterns):
                if one == two or can_both_match(one, two):
                    return f"has the pattern {one}" if one == two else f"matches names ({two}) that {one} matches, too"
        # a rule for a size comes before those for any size
        if not (self.names | self.patterns | other.names | other.patterns) and self.sized == other.sized:
            return "is for the same kind of models"
        return None

    def covers(self, other: _Reach) -> bool:
        """Whether it applies to everything that another one applies to, at least as closely."""
        if bool(self.names | self.patterns) != bool(other.names | other.patterns):
            return False
        if self.sized != other.sized and not (self.names | self.patterns):
            return False
        return (
            other.names <= self.names
            and other.patterns <= self.patterns
            and (not self.generation or (bool(other.generation) and other.generation <= self.generation))
            and self.low <= other.low
            and other.high <= self.high
        )


def _pairs(seen: Seen) -> Iterator[tuple[int, Rule, _Reach, int, Rule, _Reach]]:
    """Two rules for one use, the earlier one first."""
    by_use: dict[str, list[tuple[int, Rule, _Reach]]] = {}
    for number, rule in enumerate(seen.recipe.rules):
        by_use.setdefault(rule.use, []).append((number, rule, _Reach.of(rule)))
    for rules in by_use.values():
        for first, second in combinations(rules[:_MOST_COMPARED], 2):
            yield (*first, *second)


def _targets(rule: Rule) -> list[str]:
    return [name_key(choice.model) for choice in rule.targets]


@lint("warning")
def duplicate_rule(seen: Seen) -> Iterator[Mark]:
    """Two rules for the same models and the same use give the same targets.

    The later one says nothing new. Delete it.
    """
    for _, first, one, number, second, two in _pairs(seen):
        if one == two and _targets(first) == _targets(second):
            yield Mark(("rules", number), f"says what {named(first)} says already")


@lint("warning")
def shadowed_rule(seen: Seen) -> Iterator[Mark]:
    """A rule whose targets have all been tried by the time it is its turn.

    An earlier rule applies to everything this one applies to, and has all of its targets. Delete it, or put it first.
    """
    for _, first, one, number, second, two in _pairs(seen):
        same = one == two and _targets(first) == _targets(second)
        if not same and one.covers(two) and second.automatic and set(_targets(second)) <= set(_targets(first)):
            yield Mark(("rules", number), f"never counts: {named(first)} has tried all of its targets by then")


@lint("error")
def order_decides(seen: Seen) -> Iterator[Mark]:
    """Two rules put different targets first for the same models, and only their order in the file decides.

    Whoever sorts the file changes what everybody gets. Put the targets into one rule, in the order they are to be
    tried, or make one of the two narrower: a rule that names a model comes before one whose pattern matches it.
    """
    for _, first, one, number, second, two in _pairs(seen):
        what = one.meets(two)
        if what is None or not (first.targets and second.targets) or _targets(first)[0] == _targets(second)[0]:
            continue
        if not (one.covers(two) and set(_targets(second)) <= set(_targets(first))):
            text = f"{what}, like {named(first)}: only their order in the file decides which target comes first"
            yield Mark(("rules", number), text)


@lint("warning")
def unreachable_rule(seen: Seen) -> Iterator[Mark]:
    """A rule for models that are known not to be Llama.

    A plan keeps such a model, so that the rule only counts for who says `--lineage MODEL=meta`. If the models are
    Llama, say so in `[[origins]]`.
    """
    for number, rule in enumerate(seen.recipe.rules):
        known = [seen.library.origin(text) for text in rule.match if not is_pattern(text)]
        if known and len(known) == len(rule.match) and all(one and one.lineage == "not-meta" for one in known):
            names = ", ".join(rule.match[:3]) + (" …" if len(rule.match) > 3 else "")
            yield Mark(("rules", number, "match"), f"is for what is not Llama ({names}), which a plan keeps")


@lint("error")
def replacement_cycle(seen: Seen) -> Iterator[Mark]:
    """Rules that lead from one model to another and back.

    Whoever follows them is back where they started. Take one of the targets out.
    """
    steps: dict[tuple[str, str], dict[str, int]] = {}
    for number, rule in enumerate(seen.recipe.rules):
        for text in rule.match:
            if not is_pattern(text):
                for target in _targets(rule):
                    steps.setdefault((rule.use, name_key(text)), {}).setdefault(target, number)
    told: set[frozenset[str]] = set()
    for (use, start), targets in steps.items():
        for target, number in targets.items():
            way = _way_back(target, start, use, steps)
            if way is not None and frozenset(way) not in told and not _moved_on(seen, way):
                told.add(frozenset(way))
                yield Mark(("rules", number, "targets"), f"lead round in a circle: {' → '.join([start, *way])}")


def _way_back(start: str, goal: str, use: str, steps: dict[tuple[str, str], dict[str, int]]) -> list[str] | None:
    """The shortest way from a target to the model it replaces, over rules for one use."""
    ways, met = [[start]], {start}
    for way in ways:
        if way[-1] == goal:
            return way
        for target in steps.get((use, way[-1]), {}):
            if target not in met:
                met.add(target)
                ways.append([*way, target])
    return None


def _moved_on(seen: Seen, way: list[str]) -> bool:
    """Whether a name leads to itself because other weights bear it now: to pull it again is the switch."""
    origin = seen.library.origin(way[0])
    return len(way) == 1 and origin is not None and origin.lineage == "not-meta"
