"""The register of lint rules: what each is called, how grave it is, and what it says to whoever asks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from llamaexit.recipes.lint.seen import Seen
    from llamaexit.recipes.positions import Key
    from llamaexit.recipes.problems import Problem

Severity = Literal["error", "warning"]


class Mark(NamedTuple):
    """Something a rule found: the key it is about, and what is wrong there."""

    key: Key
    text: str


Check = Callable[["Seen"], "Iterator[Mark] | Iterator[Problem]"]


@dataclass(frozen=True, slots=True)
class LintRule:
    """One rule. summary: one sentence without its full stop; more: why it matters, and what to do."""

    id: str
    severity: Severity
    check: Check
    summary: str
    more: str


RULES: dict[str, LintRule] = {}
_MODULES = ("shape", "conflicts", "references", "targets", "facts", "examples")


def lint(severity: Severity) -> Callable[[Check], Check]:
    """Register a check. Its id is the name of the function with hyphens, its documentation the docstring."""

    def register(check: Check) -> Check:
        name = check.__name__.replace("_", "-")
        summary, _, more = inspect.cleandoc(check.__doc__ or "").partition("\n")
        RULES[name] = LintRule(name, severity, check, summary.rstrip("."), more.strip())
        return check

    return register


def all_rules() -> dict[str, LintRule]:
    """Every lint rule by its id, in the order they are documented in."""
    from importlib import import_module

    for module in _MODULES:
        import_module(f"llamaexit.recipes.lint.{module}")
    return RULES
