"""Finding the recipe or the rule that `llamaexit recipe show NAME` means."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llamaexit.cli.answer import Result
from llamaexit.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.recipes.library import BoundRule, Library, LoadedRecipe
    from llamaexit.recipes.policy import EffectivePolicy


def find(library: Library, name: str) -> Result:
    """The recipe of this name, or the one rule of this id. Raises UsageError with the nearest names when neither is."""
    from llamaexit.report.documents import recipe_document

    loaded = next((recipe for recipe in reversed(library.loaded) if recipe.name == name), None)
    rules = tuple(bound for bound in library.rules if bound.recipe == name)
    if loaded is None:
        bound = library.rule(name)
        if bound is None:
            raise UsageError(f"no recipe and no rule is called {name!r}", hint=_nearest(library, name))
        rules = (bound,)
        loaded = next(recipe for recipe in library.loaded if recipe.name == bound.recipe)
    policy = library.policy_of(loaded.name)
    return Result(recipe_document(loaded, rules, policy), partial(_show, loaded, rules, policy))


def _show(recipe: LoadedRecipe, rules: tuple[BoundRule, ...], policy: EffectivePolicy, console: Console) -> None:
    from llamaexit.report.recipes import print_recipe

    print_recipe(recipe, rules, policy, console)


def _nearest(library: Library, name: str) -> str:
    from difflib import get_close_matches

    known = [recipe.name for recipe in library.loaded] + [bound.key for bound in library.rules]
    near = get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(near)}?" if near else "see llamaexit recipe list"
