"""Which rules apply to a source, strongest first. Pure look-up, built once per library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from llamaexit.recipes.names import name_key

if TYPE_CHECKING:
    from llamaexit.recipes.library import BoundRule
    from llamaexit.recipes.model import Use

_GLOB = frozenset("*?[")
_BY_PATTERN = 10
_BY_KIND = 20


def is_pattern(text: str) -> bool:
    """Whether a name in a recipe or an option is a glob pattern."""
    return not _GLOB.isdisjoint(text)


def means(pattern: str, name: str) -> bool:
    """Whether a pattern means a model name, whatever the case. A pattern without a tag means every tag."""
    lowered, own = pattern.strip().lower(), name_key(name)
    if is_pattern(lowered):
        return fnmatchcase(own, lowered) or fnmatchcase(own.rpartition(":")[0], lowered)
    return name_key(lowered) == own or lowered == own.rpartition(":")[0]


class RuleBook:
    """The rules of a library, indexed by the names they match.

    A rule that names the source beats one whose pattern matches it, which beats one that only says what the source is
    (generation and size). Between recipes, precedence comes first: a team's rule beats a built-in one however it
    matches.
    """

    def __init__(self, rules: Iterable[BoundRule]) -> None:
        self._exact: dict[str, list[BoundRule]] = {}
        self._patterns: list[tuple[tuple[str, ...], BoundRule]] = []
        self._by_kind: dict[Use, list[BoundRule]] = {}
        for bound in rules:
            patterns = tuple(text.strip().lower() for text in bound.rule.match if is_pattern(text))
            for text in bound.rule.match:
                if not is_pattern(text):
                    self._exact.setdefault(name_key(text), []).append(bound)
            if patterns:
                self._patterns.append((patterns, bound))
            if not bound.rule.match:
                self._by_kind.setdefault(bound.rule.use, []).append(bound)

    def matching(
        self, names: Sequence[str], use: Use, generation: str | None, parameters: float | None
    ) -> list[BoundRule]:
        """Rules for one use of a source known by `names` (its own first, then that of its origin), strongest first.

        parameters: billions, None when not known; a rule with a size range then does not apply.
        """
        closest: dict[str, tuple[int, BoundRule]] = {}
        for position, name in enumerate(names):
            for bound in self._exact.get(name_key(name), ()):
                closest.setdefault(bound.rule.id, (position, bound))
        for position, name in enumerate(names):
            for bound in self._matched(name):
                closest.setdefault(bound.rule.id, (_BY_PATTERN + position, bound))
        for bound in self._by_kind.get(use, ()):
            if _describes(bound.rule.generation, generation) and _in_range(bound, parameters):
                closest.setdefault(bound.rule.id, (_BY_KIND, bound))
        found = [item for item in closest.values() if item[1].rule.use == use]
        found.sort(key=lambda item: (-item[1].precedence, item[0]))
        return [bound for _, bound in found]

    def naming(self, name: str) -> list[BoundRule]:
        """Rules of recipes that are not built in and name this model, whatever the use; strongest first."""
        hits = [*self._exact.get(name_key(name), ()), *self._matched(name)]
        return sorted((bound for bound in hits if bound.precedence > 0), key=lambda bound: -bound.precedence)

    def _matched(self, name: str) -> list[BoundRule]:
        own = name_key(name)
        return [bound for patterns, bound in self._patterns if any(fnmatchcase(own, p) for p in patterns)]


def _describes(generations: tuple[str, ...], generation: str | None) -> bool:
    return not generations or generation in generations


def _in_range(bound: BoundRule, parameters: float | None) -> bool:
    low, high = bound.rule.min_parameters, bound.rule.max_parameters
    if not low and not high:
        return True
    return parameters is not None and parameters >= low and (not high or parameters < high)
