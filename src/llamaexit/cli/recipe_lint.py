"""Carrying out `llamaexit recipe lint`: which files, which rules, in which form."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.cli.answer import Problem, Result
from llamaexit.errors import FAILED, REFUSED, LlamaexitError, UsageError
from llamaexit.recipes.sources import Unresolved

if TYPE_CHECKING:
    from llamaexit.recipes.lint.run import Linted
    from llamaexit.recipes.sources import RecipeText, Sources

FORMATS = ("text", "json", "github", "sarif")


@dataclass(frozen=True, slots=True)
class LintRequest:
    """One command line of `recipe lint`. strict: warnings fail, too."""

    files: Sequence[str]
    form: str = "text"
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    strict: bool = False
    locked: bool | None = None


def form_of(text: str, as_json: bool) -> str:
    """The form that is asked for; `--json` is short for one of them. Raises UsageError for one there is not."""
    if text not in FORMATS:
        raise UsageError(f"--format: there is no format {text!r}", hint=f"there are {', '.join(FORMATS)}")
    if as_json and text not in ("text", "json"):
        raise UsageError(f"--json and --format {text} exclude each other")
    return "json" if as_json else text


def ids_of(texts: list[str] | None) -> tuple[str, ...]:
    """Ids and patterns of lint rules, several of them also in one text with commas."""
    return tuple(part.strip() for text in texts or () for part in text.split(",") if part.strip())


def run_lint(request: LintRequest) -> Result:
    """Lint recipes, and answer in the form that is asked for."""
    from llamaexit.cli.access import Access
    from llamaexit.recipes.lint.run import lint_recipes
    from llamaexit.report.recipe_lint import lint_document, print_findings, summary

    access = Access(as_json=request.form != "text", locked=request.locked, at_work=True)
    sources = _Telling(access)
    linted = lint_recipes(
        request.files, today=dt.date.today(), select=request.select, ignore=request.ignore, sources=sources,
        locked=access.lock.has,
    )  # fmt: skip
    failed = linted.count("error") or (request.strict and linted.findings)
    problems = [Problem(error.code, error.message, error.hint) for error in sources.refusals]
    if failed:
        problems.append(Problem("lint", summary(linted), "each is explained in the reference of lint rules"))
    return Result(
        lint_document(linted),
        _text(linted, request.form) or partial(print_findings, linted),
        exit_code=REFUSED if sources.refusals else FAILED if failed else 0,
        problems=tuple(problems),
    )


class _Telling:
    """Finders for which a reference that may not be followed is one more thing wrong with the recipe it stands in.

    refusals: why, one for each reference.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._refused: dict[str, LlamaexitError] = {}

    @property
    def refusals(self) -> tuple[LlamaexitError, ...]:
        return tuple(self._refused.values())

    def resolve(self, reference: str, relative_to: RecipeText | None) -> RecipeText:
        """What the finders behind it find."""
        try:
            return self._sources.resolve(reference, relative_to)
        except LlamaexitError as error:
            self._refused.setdefault(error.message, error)
            here = relative_to.shown_as if relative_to is not None else reference
            # the finding has the place, too
            told = re.sub(rf"\A{re.escape(here)}(:\d+)?:? ", "", error.message)
            raise Unresolved(told) from error


def _text(linted: Linted, form: str) -> str | bytes | None:
    """What is printed for programs; None where people read it."""
    if form == "github":
        from llamaexit.report.recipe_lint import github

        return github(linted)
    if form == "sarif":
        from llamaexit.jsonable import dump
        from llamaexit.recipes.lint.registry import all_rules
        from llamaexit.report.recipe_lint import sarif

        return dump(sarif(linted, all_rules().values(), Path.cwd()), indent=2) + b"\n"
    return None
