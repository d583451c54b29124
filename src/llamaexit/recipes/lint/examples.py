"""Whether a recipe shows what it is meant to do, and what it is meant not to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llamaexit.recipes.examples import is_negative
from llamaexit.recipes.lint.registry import Mark, lint

if TYPE_CHECKING:
    from llamaexit.recipes.lint.seen import Seen
    from llamaexit.recipes.model import Recipe


@lint("warning")
def no_examples(seen: Seen) -> Iterator[Mark]:
    """A recipe that decides something and has no example of it.

    An `[[examples]]` table is a machine, its models, and what has to be decided about them; `llamaexit recipe test`
    tries it. Without one nobody notices when the recipe no longer does what it was written for.
    """
    if _decides(seen.recipe) and not seen.recipe.examples:
        yield Mark((), "has no example of what it decides")


@lint("warning")
def no_negative_example(seen: Seen) -> Iterator[Mark]:
    """Examples that only say what is replaced, and none that says what is not.

    Rules that match too much are found by what they must leave alone: an example that expects `keep` or `blocked`, or
    that names a target under `rejected`.
    """
    expected = [model.expect for example in seen.recipe.examples for model in example.models]
    if _decides(seen.recipe) and expected and not any(map(is_negative, expected)):
        yield Mark(("examples",), "only say what is replaced, and not what must not be")


def _decides(recipe: Recipe) -> bool:
    """Whether a recipe changes any decision: tables of texts do not."""
    return any((recipe.rules, recipe.policy, recipe.models, recipe.origins, recipe.closed, recipe.disable))
