"""Lint recipes: every rule, every file, all findings at once with their places."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from llamaexit.errors import UsageError
from llamaexit.recipes.lint.registry import LintRule, Mark, Severity, all_rules
from llamaexit.recipes.lint.seen import Seen, nothing_locked
from llamaexit.recipes.load import load_stack
from llamaexit.recipes.problems import Problem, did_you_mean

if TYPE_CHECKING:
    from llamaexit.recipes.gather import Gathered
    from llamaexit.recipes.load import Stack
    from llamaexit.recipes.sources import Sources

_ALLOW = re.compile(r"#\s*lint:\s*allow\s+([a-z0-9, *-]+?)\s*$")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found, with its place."""

    rule: str
    severity: Severity
    problem: Problem


@dataclass(frozen=True, slots=True)
class Linted:
    """What came of linting some recipes: the files, as they were named, and the findings from the top."""

    files: tuple[str, ...]
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """How many findings are of one severity."""
        return sum(finding.severity == severity for finding in self.findings)


def lint_recipes(
    references: Sequence[str],
    *,
    today: dt.date,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    sources: Sources | None = None,
    locked: Callable[[str], bool] = nothing_locked,
) -> Linted:
    """Lint recipes, each by itself with what it extends.

    select, ignore: ids of rules, or patterns of them; all rules without `select`. sources: as for `load_stack`. locked:
    whether a lock pins a reference. Raises UsageError for an id or a pattern that means no rule.
    """
    rules = chosen(select, ignore)
    found: dict[Finding, None] = {}
    for reference in references:
        found.update(dict.fromkeys(_lint(load_stack(reference, sources=sources), rules, today, locked)))
    ordered = sorted(found, key=lambda finding: (finding.problem.order, finding.rule))
    return Linted(tuple(references), tuple(ordered))


def chosen(select: Sequence[str], ignore: Sequence[str]) -> tuple[LintRule, ...]:
    """The rules that count. Raises UsageError for an id or a pattern that means none."""
    rules = all_rules()
    for option, patterns in (("--select", select), ("--ignore", ignore)):
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in rules):
                near = did_you_mean(pattern, rules).removeprefix("; ")
                raise UsageError(f"{option}: no lint rule is called {pattern!r}", hint=near or "see the reference")

    def meant(name: str, patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    return tuple(
        rule for rule in rules.values() if (not select or meant(rule.id, select)) and not meant(rule.id, ignore)
    )


def _lint(stack: Stack, rules: Iterable[LintRule], today: dt.date, locked: Callable[[str], bool]) -> Iterator[Finding]:
    entry = stack.entry
    if entry is None:
        for rule in rules:
            yield from (Finding(rule.id, rule.severity, one) for one in stack.problems if one.kind == rule.id)
        return
    seen = Seen(entry.recipe, stack.library, *_keys(stack, entry), stack.problems, today, locked)
    allowed = Allowed(entry.document.text)
    for rule in rules:
        for mark in rule.check(seen):
            problem = _placed(mark, entry)
            if problem is not None and not (problem.file == entry.document.file and allowed.at(problem, rule.id)):
                yield Finding(rule.id, rule.severity, problem)


def _placed(mark: Mark | Problem, entry: Gathered) -> Problem | None:
    if isinstance(mark, Problem):
        return mark
    if not mark.key:  # about the file as a whole
        return Problem(entry.document.file, mark.text, line=1, column=1)
    return entry.problem(mark.key, mark.text)


def _keys(stack: Stack, entry: Gathered) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys of a recipe's rules, and those of all rules below it."""
    name, library = entry.recipe.name, stack.library
    if any(recipe.builtin and recipe.name == name for recipe in library.loaded):
        return tuple(f"{name}/{rule.id}" for rule in entry.recipe.rules), ()
    own = sum(not recipe.builtin for recipe in library.loaded)
    return library.keys_of(name), library.keys_below(own - 1)


class Allowed:
    """Comments that let single findings pass: `# lint: allow ID`, on the line of a finding or on the one above."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _lines(self) -> dict[int, tuple[str, ...]]:
        lines: dict[int, tuple[str, ...]] = {}
        for number, line in enumerate(self._text.split("\n"), start=1):
            found = _ALLOW.search(line) if "lint:" in line else None
            if found is not None:
                alone = line.lstrip().startswith("#")
                lines[number + alone] = (*lines.get(number + alone, ()), *re.split(r"[,\s]+", found[1].strip()))
        return lines

    def at(self, problem: Problem, rule: str) -> bool:
        """Whether a comment lets a finding pass."""
        return problem.line is not None and any(
            fnmatchcase(rule, pattern) for pattern in self._lines.get(problem.line, ())
        )
