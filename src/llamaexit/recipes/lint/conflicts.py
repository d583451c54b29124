"""Rules of one recipe that get in each other's way, or that nothing ever reaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from llamaexit.recipes.globs import Globs, beginning
from llamaexit.recipes.lint.globs import can_both_match
from llamaexit.recipes.lint.registry import Mark, lint
from llamaexit.recipes.lint.seen import in_a_circle, named
from llamaexit.recipes.names import is_pattern, name_key

if TYPE_CHECKING:
    from llamaexit.recipes.lint.seen import Seen
    from llamaexit.recipes.model import Rule

_MOST_COMPARED = 100
"""Earlier rules about the same that a rule is compared with; whoever has more of them has been told enough."""
_MOST_WITHOUT_STAR = 5000
"""Pairs of patterns of which one has no star that are held against each other, which takes up to a millisecond each."""


_MOST_CIRCLES = 100
"""Steps on circles that are followed back to where they began; each may lead through all rules of a recipe."""
_MOST_LED_ON = 300
"""Targets from which patterns are looked for that lead on; each may be held against all patterns of a recipe."""


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

    def is_of_kind(self, other: _Reach) -> bool:
        """Whether there are kinds of models that both are for, one as closely as the other."""
        kinds = not self.generation or not other.generation or not self.generation.isdisjoint(other.generation)
        # a rule for a size comes before those for any size, unless it names models
        return (
            kinds
            and self.low < other.high
            and other.low < self.high
            and (bool(self.names | self.patterns) or self.sized == other.sized)
        )

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


@dataclass(frozen=True, slots=True)
class _Placed:
    """A rule with its number, what it applies to, and the names of its targets."""

    number: int
    rule: Rule
    reach: _Reach
    targets: tuple[str, ...]

    def same(self, other: _Placed) -> bool:
        return self.reach == other.reach and self.targets == other.targets

    def leaves_nothing(self, other: _Placed) -> bool:
        """Whether all that a later rule would try has been tried by this one."""
        return self.reach.covers(other.reach) and set(other.targets) <= set(self.targets)


class _Pair(NamedTuple):
    """Two rules for one use that may be about the same models, and what they have in common, in words."""

    first: _Placed
    second: _Placed
    what: str


def _placed(seen: Seen) -> list[_Placed]:
    return [
        _Placed(number, rule, _Reach.of(rule), tuple(name_key(choice.model) for choice in rule.targets))
        for number, rule in enumerate(seen.recipe.rules)
    ]


def _sharing(rules: list[_Placed]) -> Iterator[_Pair]:
    """Rules that have a name or a pattern in common, or that both have none."""
    met: dict[tuple[str, str], list[_Placed]] = {}
    for one in rules:
        whats = [(name, f"names {name}") for name in sorted(one.reach.names)]
        whats += [(pattern, f"has the pattern {pattern}") for pattern in sorted(one.reach.patterns)]
        for text, what in whats or [("", "is for the same kind of models")]:
            before = met.setdefault((one.rule.use, text), [])
            yield from (_Pair(other, one, what) for other in before)
            if len(before) < _MOST_COMPARED:
                before.append(one)


def _overlapping(rules: list[_Placed]) -> Iterator[_Pair]:
    """Rules that put different targets first, and whose patterns can mean one name."""
    patterns = [((one.rule.use, beginning(text)), one, text) for one in rules for text in one.reach.patterns]
    patterns.sort(key=lambda item: (item[0], item[1].number, item[2]))
    budget = iter(range(_MOST_WITHOUT_STAR))
    above: list[tuple[tuple[str, str], _Placed, str]] = []
    kept: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    for (use, start), one, text in patterns:
        # only what begins alike can mean one name, and in this order the shorter beginning comes first
        while above and not (above[-1][0][0] == use and start.startswith(above[-1][0][1])):
            above.pop()
        different = (item for item in above if item[1].targets[:1] != one.targets[:1])
        for _, other, its in islice(different, _MOST_COMPARED):
            if not ("*" in text and "*" in its) and next(budget, None) is None:
                continue
            if text != its and can_both_match(text, its):
                (first, mine), (second, theirs) = sorted([(other, its), (one, text)], key=lambda item: item[0].number)
                yield _Pair(first, second, f"matches names ({theirs}) that {mine} matches, too")
        kept[use, start, one.targets[:1]] += 1
        if kept[use, start, one.targets[:1]] <= _MOST_COMPARED:
            above.append(((use, start), one, text))


def _told(pairs: Iterable[_Pair], said: Callable[[_Pair], str | None]) -> Iterator[Mark]:
    """What is said of pairs of rules, once for each later one: of it and the first earlier one that gives reason to."""
    earlier: dict[int, dict[int, _Pair]] = {}
    for pair in pairs:
        earlier.setdefault(pair.second.number, {}).setdefault(pair.first.number, pair)
    for number, others in sorted(earlier.items()):
        text = next(filter(None, (said(pair) for _, pair in sorted(others.items()))), None)
        if text is not None:
            yield Mark(("rules", number), text)


@lint("warning")
def duplicate_rule(seen: Seen) -> Iterator[Mark]:
    """Two rules for the same models and the same use give the same targets.

    The later one says nothing new. Delete it.
    """

    def said(pair: _Pair) -> str | None:
        return f"says what {named(pair.first.rule)} says already" if pair.first.same(pair.second) else None

    yield from _told(_sharing(_placed(seen)), said)


@lint("warning")
def shadowed_rule(seen: Seen) -> Iterator[Mark]:
    """A rule whose targets have all been tried by the time it is its turn.

    An earlier rule applies to everything this one applies to, and has all of its targets. Delete it, or put it first.
    """

    def said(pair: _Pair) -> str | None:
        first, second, _ = pair
        if first.same(second) or not second.rule.automatic or not first.leaves_nothing(second):
            return None
        return f"never counts: {named(first.rule)} has tried all of its targets by then"

    yield from _told(_sharing(_placed(seen)), said)


@lint("error")
def order_decides(seen: Seen) -> Iterator[Mark]:
    """Two rules put different targets first for the same models, and only their order in the file decides.

    Whoever sorts the file changes what everybody gets. Put the targets into one rule, in the order they are to be
    tried, or make one of the two narrower: a rule that names a model comes before one whose pattern matches it.
    """

    def said(pair: _Pair) -> str | None:
        first, second, what = pair
        if not first.targets or not second.targets or first.targets[0] == second.targets[0]:
            return None
        if not first.reach.is_of_kind(second.reach) or first.leaves_nothing(second):
            return None
        return f"{what}, like {named(first.rule)}: only their order in the file decides which target comes first"

    rules = _placed(seen)
    yield from _told(chain(_sharing(rules), _overlapping(rules)), said)


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

    Whoever follows them is back where they started. Take one of the targets out. Patterns count where a plan would
    follow them: it keeps models that are known not to be Llama.
    """
    steps = _steps(seen)
    told: set[frozenset[str]] = set()
    circles = _circling(steps)
    searches = iter(range(_MOST_CIRCLES))
    for (use, start), targets in steps.items():
        for target, number in targets.items():
            if circles[use, start] != circles[use, target] or next(searches, None) is None:
                continue
            way = _way_back(target, start, use, steps)
            if way is not None and frozenset(way) not in told and not _moved_on(seen, way):
                told.add(frozenset(way))
                yield Mark(("rules", number, "targets"), f"lead round in a circle: {in_a_circle([start, *way])}")


def _steps(seen: Seen) -> dict[tuple[str, str], dict[str, int]]:
    """For each use and model, the targets that rules lead to, each with the number of the rule that does first.

    In the order of the rules. A pattern leads on from the targets of other rules. One that also needs a size or a
    generation is passed over, since those of a target are not known here.
    """
    steps: dict[tuple[str, str], dict[str, int]] = {}
    patterns: dict[str, Globs[int]] = {}
    led_to: dict[tuple[str, str], list[int]] = {}
    rules = _placed(seen)
    for one in rules:
        rule, reach = one.rule, one.reach
        for text in rule.match:  # in the order they are written in, which circles are told in
            if not is_pattern(text):
                for key in one.targets:
                    steps.setdefault((rule.use, name_key(text)), {}).setdefault(key, one.number)
        for pattern in () if reach.generation or reach.sized else reach.patterns:
            patterns.setdefault(rule.use, Globs()).add(pattern, one.number)
        for key in dict.fromkeys(one.targets):
            led_to.setdefault((rule.use, key), []).append(one.number)
    followed = ((at, leading) for at, leading in led_to.items() if at[0] in patterns and not _is_kept(seen, at[1]))
    for (use, key), leading in islice(followed, _MOST_LED_ON):
        meant = (number for form in (key, key.rpartition(":")[0]) for number in patterns[use].matching(form))
        for number in sorted(set(meant)):
            if leading != [number]:
                for target in rules[number].targets:
                    steps.setdefault((use, key), {}).setdefault(target, number)
    return dict(sorted(steps.items(), key=lambda step: min(step[1].values())))


def _is_kept(seen: Seen, key: str) -> bool:
    """Whether a plan keeps a target that only a pattern means, since it is known not to be Llama by its name."""
    origin = seen.library.origin(key)
    if origin is not None:
        return origin.lineage == "not-meta"
    found = seen.library.target(key)
    return found is not None and "/" not in key and found[0].origin == "not-meta"


def _circling(steps: dict[tuple[str, str], dict[str, int]]) -> dict[tuple[str, str], int]:
    """For each model of a use, a number that those on a circle with it have, too (Tarjan's algorithm, no recursion)."""
    group: dict[tuple[str, str], int] = {}
    low: dict[tuple[str, str], int] = {}
    waiting: list[tuple[str, str]] = []
    for root in steps:
        if root in low:
            continue
        low[root] = order = len(low)
        waiting.append(root)
        path = [(root, order, iter(steps[root]))]
        while path:
            node, order, targets = path[-1]
            for target in targets:
                following = (node[0], target)
                if following not in low:
                    low[following] = len(low)
                    waiting.append(following)
                    path.append((following, low[following], iter(steps.get(following, ()))))
                    break
                if following not in group:
                    low[node] = min(low[node], low[following])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == order:
                    while True:
                        group[waiting[-1]] = order
                        if waiting.pop() == node:
                            break
    return group


def _way_back(start: str, goal: str, use: str, steps: dict[tuple[str, str], dict[str, int]]) -> list[str] | None:
    """The shortest way from a target to the model it replaces, over rules for one use."""
    came_from: dict[str, str | None] = {start: None}
    waiting = [start]
    for model in waiting:
        if model == goal:
            way: list[str] = []
            at: str | None = model
            while at is not None:
                way.append(at)
                at = came_from[at]
            return way[::-1]
        for target in steps.get((use, model), {}):
            if target not in came_from:
                came_from[target] = model
                waiting.append(target)
    return None


def _moved_on(seen: Seen, way: list[str]) -> bool:
    """Whether a name leads to itself because other weights bear it now: to pull it again is the switch."""
    origin = seen.library.origin(way[0])
    return len(way) == 1 and origin is not None and origin.lineage == "not-meta"
