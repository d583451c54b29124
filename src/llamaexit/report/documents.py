"""What the `recipe` commands answer with `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llamaexit.jsonable import jsonable

if TYPE_CHECKING:
    from llamaexit.recipes.library import BoundRule, Library, LoadedRecipe
    from llamaexit.recipes.policy import EffectivePolicy


def recipe_document(recipe: LoadedRecipe, rules: tuple[BoundRule, ...], policy: EffectivePolicy) -> dict[str, Any]:
    """What `recipe show --json` answers. The policy is that of the recipe by itself."""
    own = {key: jsonable(getattr(policy, key.replace("-", "_")).value) for key in policy.each_in_words()}
    return {**_as_dict(recipe), "policy": own, "rules": [jsonable(bound) for bound in rules]}


def list_document(library: Library) -> dict[str, Any]:
    """What `recipe list --json` answers, strongest first like the text."""
    return {
        "recipes": [_as_dict(recipe) for recipe in strongest_first(library)],
        "policy": jsonable(library.policy),
        "warnings": list(library.warnings),
    }


def _as_dict(recipe: LoadedRecipe) -> dict[str, Any]:
    return {name: jsonable(value) for name, value in recipe._asdict().items()}


def strongest_first(library: Library) -> list[LoadedRecipe]:
    """Recipes of one's own by falling precedence, then the built-in ones, which are all of the same."""
    own = [recipe for recipe in library.loaded if not recipe.builtin]
    return [*reversed(own), *(recipe for recipe in library.loaded if recipe.builtin)]
