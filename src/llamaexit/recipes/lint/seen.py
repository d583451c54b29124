"""What lint rules look at: one recipe by itself, and everything it is to be held against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from llamaexit.recipes.names import is_pattern, means_key, name_key

if TYPE_CHECKING:
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Choice, Origin, Recipe, Rule, Target
    from llamaexit.recipes.positions import Key
    from llamaexit.recipes.problems import Kind, Problem


_LONGEST_WAY = 12
"""Stations of a circle that are named."""
_MOST_LLAMAS = 1000
"""Llama models that patterns are held against; a hundred and thirty are built in."""


def nothing_locked(reference: str) -> bool:
    """There is no lock."""
    return False


@dataclass(frozen=True)
class Seen:
    """One recipe. keys: those of its rules, in their order; below: those of all rules that lie below it.

    library: the recipe with what it extends. problems: what makes it unusable, of any file of the library. locked:
    whether a lock pins a reference.
    """

    recipe: Recipe
    library: Library
    keys: tuple[str, ...]
    below: tuple[str, ...]
    problems: tuple[Problem, ...]
    today: dt.date
    locked: Callable[[str], bool] = nothing_locked

    def choices(self) -> Iterator[tuple[Key, Rule, Choice, Target]]:
        """Every target of every rule that is known, with the place of its name."""
        for number, rule in enumerate(self.recipe.rules):
            for position, choice in enumerate(rule.targets):
                found = self.library.target(choice.model)
                if found is not None:
                    yield ("rules", number, "targets", position, "model"), rule, choice, found[0]

    def sources(self, rule: Rule) -> tuple[Origin, ...]:
        """The models that are known and that a rule is for: those it names, and those its patterns mean."""
        if id(rule) not in self._sources:
            patterns = [text.strip().lower() for text in rule.match if is_pattern(text)]
            found = [origin for text in rule.match if (origin := self.library.origin(text)) is not None]
            if patterns:
                found += [one for key, one in self._llamas if any(means_key(pattern, key) for pattern in patterns)]
            self._sources[id(rule)] = tuple({one.name: one for one in found}.values())
        return self._sources[id(rule)]

    @cached_property
    def _sources(self) -> dict[int, tuple[Origin, ...]]:
        return {}

    @cached_property
    def _llamas(self) -> Sequence[tuple[str, Origin]]:
        llamas = (origin for origin in self.library.origins if origin.lineage == "meta")
        return [(name_key(origin.name), origin) for origin in islice(llamas, _MOST_LLAMAS)]

    @cached_property
    def known_names(self) -> Mapping[str, Sequence[str]]:
        """The names and aliases of the models people have, by their tags."""
        found: dict[str, list[str]] = {}
        for one in self.library.origins:
            for name in (one.name, *one.also):
                found.setdefault(name_key(name).rpartition(":")[2], []).append(name)
        return found

    @cached_property
    def all_keys(self) -> frozenset[str]:
        """The keys of its rules and of those below."""
        return frozenset((*self.keys, *self.below))

    def of_kind(self, kind: Kind) -> Iterator[Problem]:
        """What makes the recipe unusable, of one kind."""
        return (problem for problem in self.problems if problem.kind == kind)


def in_a_circle(way: Sequence[str]) -> str:
    """What leads back to where it began, in words; shortened where it is long."""
    if len(way) > _LONGEST_WAY:
        way = [*way[: _LONGEST_WAY - 2], f"({len(way) - _LONGEST_WAY + 1} more)", way[-1]]
    return " → ".join(way)


def named(rule: Rule) -> str:
    """A rule as messages call it."""
    return f"rule {rule.id!r}"
