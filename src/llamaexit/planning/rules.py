"""Which rules apply to a source, strongest first. Pure look-up, built once per library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llamaexit.recipes.globs import Globs
from llamaexit.recipes.names import is_pattern, name_key
from llamaexit.recipes.names import means as means

if TYPE_CHECKING:
    from llamaexit.recipes.library import BoundRule, RuleHead
    from llamaexit.recipes.model import Use

_BY_PATTERN = 10
_BY_KIND = 20


class RuleBook:
    """The rules of a library, indexed by the names they match.

    A rule that names the source beats one whose pattern matches it, which beats one that only says what the source is
    (generation and size). Between recipes, precedence comes first: a team's rule beats a built-in one however it
    matches.
    """

    def __init__(self, heads: Iterable[RuleHead]) -> None:
        self._exact: dict[str, list[RuleHead]] = {}
        self._patterns: Globs[tuple[int, RuleHead]] = Globs()
        self._by_kind: dict[Use, list[RuleHead]] = {}
        for number, head in enumerate(heads):
            for text in head.match:
                if is_pattern(text):
                    self._patterns.add(text.strip().lower(), (number, head))
                else:
                    self._exact.setdefault(name_key(text), []).append(head)
            if not head.match:
                self._by_kind.setdefault(head.use, []).append(head)

    def matching(
        self, names: Sequence[str], use: Use, generation: str | None, parameters: float | None
    ) -> list[BoundRule]:
        """Rules for one use of a source known by `names` (its own first, then that of its origin), strongest first.

        parameters: billions, None when not known; a rule with a size range then does not apply.
        """
        closest: dict[str, tuple[int, RuleHead]] = {}
        for position, name in enumerate(names):
            for head in self._exact.get(name_key(name), ()):
                closest.setdefault(head.key, (position, head))
        for position, name in enumerate(names):
            for head in self._matched(name):
                closest.setdefault(head.key, (_BY_PATTERN + position, head))
        for head in _sized_first(self._by_kind.get(use, ()), generation, parameters):
            closest.setdefault(head.key, (_BY_KIND, head))
        found = [item for item in closest.values() if item[1].use == use and _applies(item[1], generation, parameters)]
        found.sort(key=lambda item: (-item[1].precedence, item[0]))
        return [head.open() for _, head in found]

    def naming(self, name: str, generation: str | None, parameters: float | None) -> list[BoundRule]:
        """Rules of recipes that are not built in and are for this model by name, whatever the use; strongest first."""
        named = (*self._exact.get(name_key(name), ()), *self._matched(name))
        hits = [head for head in named if head.precedence > 0 and _applies(head, generation, parameters)]
        return [head.open() for head in sorted(hits, key=lambda head: -head.precedence)]

    def _matched(self, name: str) -> list[RuleHead]:
        return [head for _, head in sorted(dict(self._patterns.matching(name_key(name))).items())]


def _sized_first(heads: Sequence[RuleHead], generation: str | None, parameters: float | None) -> list[RuleHead]:
    """The rules for a kind of model that apply. One for its size leaves out those of its recipe for any size."""
    apply = [head for head in heads if _applies(head, generation, parameters)]
    sized = {head.precedence for head in apply if _has_range(head)}
    return [head for head in apply if _has_range(head) or head.precedence not in sized]


def _applies(head: RuleHead, generation: str | None, parameters: float | None) -> bool:
    """Whether a source is of the kind a rule is for, whatever it is called."""
    return _describes(head, generation) and _in_range(head, parameters)


def _has_range(head: RuleHead) -> bool:
    return bool(head.min_parameters or head.max_parameters)


def _describes(head: RuleHead, generation: str | None) -> bool:
    return not head.generation or generation in head.generation


def _in_range(head: RuleHead, parameters: float | None) -> bool:
    if not _has_range(head):
        return True
    high = head.max_parameters
    return parameters is not None and parameters >= head.min_parameters and (not high or parameters < high)
