"""Recipes for reading in a terminal: which are in force, and what one of them says."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.planning.explain import kind_in_words
from llamaexit.recipes.library import stated_version, titled
from llamaexit.recipes.model import kebab
from llamaexit.report import words
from llamaexit.report.documents import strongest_first
from llamaexit.report.layout import INDENT, Page

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.recipes.library import BoundRule, Library, LoadedRecipe
    from llamaexit.recipes.model import SmokeCheck
    from llamaexit.recipes.policy import EffectivePolicy


def print_recipes(library: Library, console: Console) -> None:
    """List the recipes in force, those that win first, and the policy they come to."""
    page = Page(console)
    recipes = strongest_first(library)
    own = sum(not recipe.builtin for recipe in recipes)
    page.line(f"{words.counted(own, 'recipe')} of your own, {len(recipes) - own} built in", "bold")
    rows = [
        [recipe.name, stated_version(recipe), str(recipe.checked or ""), _holds(recipe, library)] for recipe in recipes
    ]
    page.table(("NAME", "VERSION", "CHECKED", "HOLDS"), rows, indent=INDENT)
    page.blank()
    page.row("Policy", library.policy.in_words() or "none: everything the rules propose is allowed", indent=0)
    for warning in library.warnings:
        page.row("Warning", warning, "yellow", indent=0)


def print_recipe(recipe: LoadedRecipe, rules: tuple[BoundRule, ...], policy: EffectivePolicy, console: Console) -> None:
    """One recipe with its own policy and its rules, each with its targets in order."""
    page = Page(console)
    page.line(titled(recipe), "bold")
    page.row("Summary", recipe.summary or ())
    page.row("File", recipe.file)
    page.row("Checked", str(recipe.checked) if recipe.checked else "it does not say when")
    page.row("Holds", _counted(recipe) or ())
    page.row("Policy", [said for said, _ in policy.each_in_words().values()])
    for bound in rules:
        page.blank()
        print_rule(page, bound)


def print_rule(page: Page, bound: BoundRule) -> None:
    """One rule: what it is for, what it proposes, and where it stands."""
    rule = bound.rule
    own = bound.key.startswith(f"{bound.recipe}/")
    place = f"{bound.file}:{bound.line}" if own else f"{bound.recipe}, {bound.file}:{bound.line}"
    page.line(Text(bound.key, style="bold").append(f"  {place}", style="dim"))
    page.row("Use", rule.use)
    kind = kind_in_words(rule.generation, rule.min_parameters, rule.max_parameters)
    page.row("For", ", ".join(rule.match) or kind)
    page.items("Targets", [_choice(choice.model, choice.role, choice.why) for choice in rule.targets])
    if not rule.automatic:
        page.row("By hand", rule.decide, "yellow")
    page.row("Caveats", ", ".join(rule.caveats) or ())
    page.items("Notes", rule.notes)
    page.items("Smoke", [_asked(check) for check in rule.smoke])


def _holds(recipe: LoadedRecipe, library: Library) -> str:
    policy = "policy" if library.policy_of(recipe.name).in_words() else ""
    extended = f"what it extends: {words.listed(recipe.extends)}" if recipe.extends else ""
    return _counted(recipe) or recipe.summary or policy or extended


def _counted(recipe: LoadedRecipe) -> str:
    counts = ((recipe.rules, "rule"), (recipe.models, "target"), (recipe.origins, "source model"))
    return words.listed(words.counted(number, noun) for number, noun in counts if number)


def _asked(check: SmokeCheck) -> str:
    """A smoke test with what it expects, in the words of the recipe."""
    expected = [
        kebab(field.name) for field in fields(check.expect) if getattr(check.expect, field.name) != field.default
    ]
    weight = ", only told" if check.level == "warn" else ""
    return f"{check.title or check.id} (/{check.door}{weight}): {', '.join(expected)}"


def _choice(model: str, role: str, why: str) -> str:
    return ": ".join(filter(None, (f"{model} ({role})" if role else model, why)))
