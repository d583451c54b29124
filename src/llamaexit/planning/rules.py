"""Which rules apply to a source, strongest first. Pure look-up, built once per library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from llamaexit.ollama.names import Name

if TYPE_CHECKING:
    from llamaexit.recipes.library import BoundRule
    from llamaexit.recipes.model import Use

_GLOB = frozenset("*?[")


@lru_cache(maxsize=4096)
def spelled(name: str) -> str:
    """A model name as rules compare it: short form with its tag, lower case. Patterns stay patterns."""
    lowered = name.strip().lower()
    if _GLOB.intersection(lowered):
        return lowered
    try:
        return Name.parse(lowered).short
    except ValueError:
        return lowered


def matches_any(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is meant by one of the glob patterns; `llama3.1` also means `llama3.1:latest`."""
    own = spelled(name)
    bare = own.rsplit(":", 1)[0]
    return any(fnmatchcase(own, spelled(p)) or fnmatchcase(bare, p.strip().lower()) for p in patterns)


def matches_text(value: str, patterns: Iterable[str]) -> bool:
    """Whether a plain word (a vendor, a country) matches one of the glob patterns, whatever its case."""
    return any(fnmatchcase(value.casefold(), pattern.casefold()) for pattern in patterns)


class RuleBook:
    """The rules of a library, indexed by the names they match.

    A rule that names the source beats one whose pattern matches it, which beats one that only says what the source is
    (generation and size). Between recipes, precedence comes first: a team's rule beats a built-in one however it
    matches.
    """

    def __init__(self, rules: Iterable[BoundRule]) -> None:
        self._exact: dict[str, list[BoundRule]] = {}
        self._patterns: list[BoundRule] = []
        self._general: list[BoundRule] = []
        for bound in rules:
            names = [spelled(pattern) for pattern in bound.rule.match]
            for name in names:
                if not _GLOB.intersection(name):
                    self._exact.setdefault(name, []).append(bound)
            if any(_GLOB.intersection(name) for name in names):
                self._patterns.append(bound)
            if not names:
                self._general.append(bound)

    def matching(
        self, names: Sequence[str], use: Use, generation: str | None, billions: float | None
    ) -> list[BoundRule]:
        """Rules for one use of a source known by `names` (its own first, then that of its origin), strongest first.

        billions: parameters in 10^9, None when not known; a rule with a size range then does not apply.
        """
        found: dict[str, tuple[tuple[int, int], BoundRule]] = {}

        def take(bound: BoundRule, specificity: int) -> None:
            if bound.rule.use == use and bound.rule.id not in found:
                found[bound.rule.id] = ((-bound.precedence, specificity), bound)

        for position, name in enumerate(names):
            own = spelled(name)
            for bound in self._exact.get(own, ()):
                take(bound, position)
            for bound in self._patterns:
                if any(fnmatchcase(own, spelled(p)) for p in bound.rule.match):
                    take(bound, 10 + position)
        for bound in self._general:
            if _describes(bound, generation, billions):
                take(bound, 20)
        return [bound for _, bound in sorted(found.values(), key=lambda item: item[0])]

    def naming(self, name: str, *, above: int) -> list[BoundRule]:
        """Rules of recipes stronger than precedence `above` that name the source, whatever the use."""
        own = spelled(name)
        hits = list(self._exact.get(own, ()))
        hits += [b for b in self._patterns if any(fnmatchcase(own, spelled(p)) for p in b.rule.match)]
        return sorted((b for b in hits if b.precedence > above), key=lambda b: -b.precedence)


def _describes(bound: BoundRule, generation: str | None, billions: float | None) -> bool:
    rule = bound.rule
    if rule.generation and generation not in rule.generation:
        return False
    if rule.min_parameters or rule.max_parameters:
        if billions is None:
            return False
        return billions >= rule.min_parameters and (not rule.max_parameters or billions < rule.max_parameters)
    return True
