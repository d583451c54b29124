"""The targets that come into question for a source, in the order the rules prefer them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.recipes.names import name_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llamaexit.planning.rules import RuleBook
    from llamaexit.recipes.library import BoundRule, Library
    from llamaexit.recipes.model import Choice, Loss, Tag, Target, Use


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target put forward by a rule. `rank` counts from 1 over all rules; `target` is None for an unknown name."""

    choice: Choice
    bound: BoundRule
    rank: int
    target: Target | None
    tag: Tag | None

    @property
    def model(self) -> str:
        """The name the rule gives the target."""
        return self.choice.model

    @property
    def accepted(self) -> frozenset[Loss]:
        """What it may lack that the source has."""
        return frozenset((*self.choice.accept_loss, *self.bound.rule.accept_loss))

    @property
    def named(self) -> bool:
        """Whether its rule is about this source by name, and not about any model of such a size."""
        return bool(self.bound.rule.match)


def gather(
    book: RuleBook,
    library: Library,
    names: Sequence[str],
    uses: Sequence[Use],
    generation: str | None,
    parameters: float | None,
) -> tuple[list[Candidate], list[BoundRule]]:
    """Candidates of all rules that match, each target once; and those rules.

    A stronger recipe comes first, then rules about this source by name, then the order of the uses.

    names: the source's own name, then that of its origin. parameters: billions, None when not known.
    """
    rules = [bound for use in uses for bound in book.matching(names, use, generation, parameters)]
    rules.sort(key=lambda bound: (-bound.precedence, not bound.rule.match))
    candidates: dict[str, Candidate] = {}
    for bound in rules:
        for choice in bound.rule.targets:
            key = name_key(choice.model)
            if key in candidates:
                continue
            found = library.target(choice.model)
            target, tag = found if found else (None, None)
            candidates[key] = Candidate(choice, bound, len(candidates) + 1, target, tag)
    return list(candidates.values()), rules
