"""What recipes that nobody allowed yet would lead to, for a person who is asked whether to use them.

All of it was written by strangers, so it is shown in one line each and with nothing in it that works unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llamaexit.recipes.library import titled
from llamaexit.recipes.policy import effective_policy
from llamaexit.recipes.sources import Unresolved, is_elsewhere
from llamaexit.report import words
from llamaexit.report.evidence import one_line, visible
from llamaexit.report.layout import Page
from llamaexit.units import gb

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.recipes.library import Layer, Library
    from llamaexit.sharing.trust import Foreign

_MOST = 20
"""Models that are listed; the rest is counted."""


def print_offer(library: Library | None, sources: Sequence[str], foreign: Sequence[Foreign], console: Console) -> None:
    """What recipes from `sources` bring to a library, and which models come from registries that are not allowed."""
    page = Page(console)
    for source in sources:
        assert library is not None, "sources are only known from having loaded recipes"
        page.line(f"{_said(source)} is not among the sources of recipes that your settings allow.", "yellow")
        layers = [layer for layer in library.layers if _source_of(layer) == source]
        for layer in layers:
            recipe = layer.recipe
            summary = f": {_said(recipe.summary)}" if recipe.summary else ""
            page.row("Recipe", f"{_said(titled(recipe))}{summary}")
        page.row("Holds", _holds(layers))
        page.items("Would pull", _pulled(library, layers) or ["nothing by itself"])
        page.items("Policy", [*map(_said, effective_policy(layer.recipe for layer in layers).in_words())])
        page.blank()
    if foreign:
        page.line("These registries are not among those that your settings allow.", "yellow")
        page.items("Registry", [f"{one.registry}: {_said(one.model)}, named in {_said(one.place)}" for one in foreign])
        page.blank()


def print_refusal(message: str, console: Console) -> None:
    """Why a source would not be contacted, ahead of the question whether to do so."""
    Page(console).line(f"{message}.", "yellow")


def _source_of(layer: Layer) -> str | None:
    """The source a recipe was fetched from; None for a file."""
    from llamaexit.sharing.addresses import parse_address

    if not is_elsewhere(layer.file):
        return None
    try:
        return parse_address(layer.file).source
    except Unresolved:
        return None


def _holds(layers: Iterable[Layer]) -> str:
    recipes = [layer.recipe for layer in layers]
    counts = (
        (sum(len(recipe.rules) for recipe in recipes), "rule"),
        (sum(len(recipe.models) for recipe in recipes), "description of a target", "descriptions of targets"),
        (sum(len(recipe.origins) for recipe in recipes), "statement about a model you have", "statements about models"),
        (sum(len(recipe.disable) for recipe in recipes), "other rule switched off", "other rules switched off"),
        (sum(len(rule.smoke) for recipe in recipes for rule in recipe.rules), "question put to models"),
    )
    return words.listed(words.counted(number, *nouns) for number, *nouns in counts if number) or "no rules"


def _pulled(library: Library, layers: Sequence[Layer]) -> list[str]:
    """The targets of rules, each once, those with a registry of their own first, with their sizes."""
    named = {choice.model for layer in layers for rule in layer.recipe.rules for choice in rule.targets}
    models = sorted(named, key=lambda model: (-model.count("/"), model))
    more = [f"and {len(models) - _MOST} more"] if len(models) > _MOST else []
    return [*(_model(library, model) for model in models[:_MOST]), *more]


def _model(library: Library, model: str) -> str:
    found = library.target(model)
    if found is None:
        return _said(model)
    target, tag = found
    size, exact = (tag.size, tag.exact) if tag is not None else (target.size, target.exact)
    return f"{_said(model)}, {'' if exact else 'about '}{gb(size)}" if size else f"{_said(model)}, of a size not known"


def _said(text: str) -> str:
    return one_line(visible(text))
