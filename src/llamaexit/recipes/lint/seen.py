"""What lint rules look at: one recipe by itself, and everything it is to be held against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from llamaexit.recipes.names import is_pattern, means

if TYPE_CHECKING:
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Choice, Origin, Recipe, Rule, Target
    from llamaexit.recipes.positions import Key
    from llamaexit.recipes.problems import Kind, Problem


@dataclass(frozen=True)
class Seen:
    """One recipe. keys: those of its rules, in their order; below: those of all rules that lie below it.

    library: the recipe with what it extends. problems: what makes it unusable, of any file of the library.
    """

    recipe: Recipe
    library: Library
    keys: tuple[str, ...]
    below: tuple[str, ...]
    problems: tuple[Problem, ...]
    today: dt.date

    def choices(self) -> Iterator[tuple[Key, Rule, Choice, Target]]:
        """Every target of every rule that is known, with the place of its name."""
        for number, rule in enumerate(self.recipe.rules):
            for position, choice in enumerate(rule.targets):
                found = self.library.target(choice.model)
                if found is not None:
                    yield ("rules", number, "targets", position, "model"), rule, choice, found[0]

    def sources(self, rule: Rule) -> tuple[Origin, ...]:
        """The models that are known and that a rule is for: those it names, and those its patterns mean."""
        patterns = [text for text in rule.match if is_pattern(text)]
        found = [origin for text in rule.match if (origin := self.library.origin(text)) is not None]
        if patterns:
            found += [one for one in self._llamas if any(means(pattern, one.name) for pattern in patterns)]
        return tuple(dict.fromkeys(found))

    @cached_property
    def _llamas(self) -> Sequence[Origin]:
        return [origin for origin in self.library.origins if origin.lineage == "meta"]

    def of_kind(self, kind: Kind) -> Iterator[Problem]:
        """What makes the recipe unusable, of one kind."""
        return (problem for problem in self.problems if problem.kind == kind)


def named(rule: Rule) -> str:
    """A rule as messages call it."""
    return f"rule {rule.id!r}"
