"""What came of the examples of recipes: how many do as expected, and where the others depart, with the rule behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from llamaexit.planning.plan import Asked
from llamaexit.report import words
from llamaexit.report.layout import INDENT, Page

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.planning.examples import Tried, TriedExample
    from llamaexit.recipes.library import Library


@dataclass(frozen=True, slots=True)
class TestedRecipe:
    """A recipe as it was named, its examples, and the library that tells where a rule stands."""

    reference: str
    examples: tuple[TriedExample, ...]
    library: Library

    @property
    def failed(self) -> int:
        """Examples that are not as expected."""
        return sum(not example.as_expected for example in self.examples)


def print_tested(recipes: tuple[TestedRecipe, ...], console: Console, *, verbose: bool) -> None:
    """Print what is not as expected; with `verbose` every example."""
    page = Page(console)
    for recipe in recipes:
        if not recipe.examples and len(recipes) > 1:
            page.line(Text(recipe.reference).append("  has no examples", style="yellow"))
        for example in recipe.examples:
            if verbose or not example.as_expected:
                _example(page, example, recipe.library, verbose=verbose)
    failed = sum(recipe.failed for recipe in recipes)
    if not failed:
        page.line(counted(recipes))


def counted(recipes: tuple[TestedRecipe, ...]) -> str:
    """How many examples there are, and how many do as expected, in one line."""
    total, failed = sum(len(recipe.examples) for recipe in recipes), sum(recipe.failed for recipe in recipes)
    where = recipes[0].reference if len(recipes) == 1 else words.counted(len(recipes), "recipe")
    if failed:
        return f"{failed} of {words.counted(total, 'example')} in {where} not as expected"
    return f"{words.counted(total, 'example')} in {where}, all as expected" if total else f"no examples in {where}"


def test_document(recipes: tuple[TestedRecipe, ...]) -> dict[str, Any]:
    """What `recipe test --json` answers."""
    return {
        "recipes": [
            {"recipe": recipe.reference, "examples": [_as_dict(one, recipe.library) for one in recipe.examples]}
            for recipe in recipes
        ],
        "examples": sum(len(recipe.examples) for recipe in recipes),
        "failed": sum(recipe.failed for recipe in recipes),
    }


def _example(page: Page, example: TriedExample, library: Library, *, verbose: bool) -> None:
    verdict = Text("ok  ", style="green") if example.as_expected else Text("not as expected  ", style="red")
    page.line(verdict + Text(example.title, style="bold"))
    for tried, line in zip(example.models, example.lines, strict=True):
        if not (verbose or tried.differences):
            continue
        page.line(
            Text(f"{example.file}:{line}", style="dim").append(f"  {tried.model.name}", style="bold"), indent=INDENT
        )
        for one in tried.differences:
            page.row(f"{one.key}", f"expected {one.expected}", indent=INDENT * 2)
            page.row("", f"got {one.got}", "yellow", indent=INDENT * 2)
        if not tried.differences:
            page.row("Decided", _decided(tried), indent=INDENT * 2)
        page.row("By rule", _rule(tried, library) or (), indent=INDENT * 2)


def _decided(tried: Tried) -> str:
    if isinstance(tried.decision, Asked):
        return f"closed: {tried.decision.why}"
    target = tried.decision.target
    told = f": {tried.decision.reason}" if target is None else f" with {target.model}"
    return f"{tried.decision.action}{told}"


def _rule(tried: Tried, library: Library) -> str:
    """The rule behind a decision, with its place."""
    if isinstance(tried.decision, Asked) or tried.decision.target is None:
        return ""
    bound = library.rule(tried.decision.target.rule)
    return f"{bound.key}, {bound.file}:{bound.line}" if bound is not None else ""


def _as_dict(example: TriedExample, library: Library) -> dict[str, Any]:
    return {
        "title": example.title,
        "file": example.file,
        "as_expected": example.as_expected,
        "models": [_model(tried, line, library) for tried, line in zip(example.models, example.lines, strict=True)],
    }


def _model(tried: Tried, line: int | None, library: Library) -> dict[str, Any]:
    decision = tried.decision
    target = None if isinstance(decision, Asked) else decision.target
    bound = library.rule(target.rule) if target is not None else None
    return {
        "name": tried.model.name,
        "line": line,
        "action": "closed" if isinstance(decision, Asked) else decision.action,
        "target": target.model if target is not None else None,
        "rule": {"key": bound.key, "file": bound.file, "line": bound.line} if bound is not None else None,
        "differences": [{"key": one.key, "expected": one.expected, "got": one.got} for one in tried.differences],
    }
