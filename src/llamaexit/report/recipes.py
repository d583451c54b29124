"""Recipes for reading in a terminal: which are in force, and what one of them says."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.recipes.model import kebab
from llamaexit.report import words
from llamaexit.report.documents import strongest_first
from llamaexit.report.layout import INDENT, Page

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.recipes.library import BoundRule, Library, LoadedRecipe
    from llamaexit.recipes.model import SmokeCheck


def print_recipes(library: Library, console: Console) -> None:
    """List the recipes in force, those that win first, and the policy they come to."""
    page = Page(console)
    recipes = strongest_first(library)
    own = sum(not recipe.builtin for recipe in recipes)
    page.line(f"{words.counted(own, 'recipe')} of your own, {len(recipes) - own} built in", "bold")
    rows = [[recipe.name, recipe.version, str(recipe.checked or ""), _holds(recipe)] for recipe in recipes]
    page.table(("NAME", "VERSION", "CHECKED", "HOLDS"), rows, indent=INDENT)
    page.blank()
    page.row("Policy", library.policy.in_words() or "none: everything the rules propose is allowed", indent=0)
    for warning in library.warnings:
        page.row("Warning", warning, "yellow", indent=0)


def print_recipe(recipe: LoadedRecipe, rules: tuple[BoundRule, ...], console: Console) -> None:
    """One recipe with its rules, each with its targets in order."""
    page = Page(console)
    page.line(f"{recipe.name} {recipe.version}", "bold")
    page.row("Summary", recipe.summary or ())
    page.row("File", recipe.file)
    page.row("Checked", str(recipe.checked) if recipe.checked else "it does not say when")
    page.row("Holds", _holds(recipe))
    for bound in rules:
        page.blank()
        print_rule(page, bound)


def print_rule(page: Page, bound: BoundRule) -> None:
    """One rule: what it is for, what it proposes, and where it stands."""
    rule = bound.rule
    page.line(Text(bound.key, style="bold").append(f"  {bound.recipe}, {bound.file}:{bound.line}", style="dim"))
    page.row("Use", rule.use)
    page.row("For", ", ".join(rule.match) or _kind(rule.generation, rule.min_parameters, rule.max_parameters))
    page.items("Targets", [_choice(choice.model, choice.role, choice.why) for choice in rule.targets])
    if not rule.automatic:
        page.row("By hand", rule.decide, "yellow")
    page.row("Caveats", ", ".join(rule.caveats) or ())
    page.items("Notes", rule.notes)
    page.items("Smoke", [_asked(check) for check in rule.smoke])


def _holds(recipe: LoadedRecipe) -> str:
    counts = ((recipe.rules, "rule"), (recipe.models, "target"), (recipe.origins, "source model"))
    held = words.listed(words.counted(number, noun) for number, noun in counts if number)
    return held if held and recipe.builtin else held or recipe.summary or "policy"


def _kind(generation: tuple[str, ...], low: float, high: float) -> str:
    kinds = [", ".join(generation)] if generation else []
    if low and high:
        kinds.append(f"{low:g} to {high:g} billion parameters")
    elif low or high:
        kinds.append(f"from {low:g} billion parameters" if low else f"below {high:g} billion parameters")
    return ", ".join(kinds) or "every source"


def _asked(check: SmokeCheck) -> str:
    """A smoke test with what it expects, in the words of the recipe."""
    expected = [
        kebab(field.name) for field in fields(check.expect) if getattr(check.expect, field.name) != field.default
    ]
    weight = ", only told" if check.level == "warn" else ""
    return f"{check.title or check.id} (/{check.door}{weight}): {', '.join(expected)}"


def _choice(model: str, role: str, why: str) -> str:
    return ": ".join(filter(None, (f"{model} ({role})" if role else model, why)))
