"""Facts that have grown old."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llamaexit.recipes.library import STALE_AFTER
from llamaexit.recipes.lint.registry import Mark, lint

if TYPE_CHECKING:
    from llamaexit.recipes.lint.seen import Seen


@lint("warning")
def stale_facts(seen: Seen) -> Iterator[Mark]:
    """Facts that were last looked at more than 180 days ago.

    Tags move and better models appear. Look at them again, and put the day into `checked`.
    """
    checked = seen.recipe.checked
    if checked is not None and seen.today - checked > STALE_AFTER:
        yield Mark(("checked",), f"was {(seen.today - checked).days} days ago")


@lint("warning")
def undated_facts(seen: Seen) -> Iterator[Mark]:
    """Facts about models without the day they were last looked at.

    Nobody can tell how old they are. Put the day into `checked`.
    """
    if seen.recipe.checked is None and (seen.recipe.models or seen.recipe.origins):
        what = "models" if seen.recipe.models else "origins"
        yield Mark((what,), "are facts, and `checked` does not say of which day")
