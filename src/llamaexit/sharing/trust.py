"""Whether a source may be contacted, and whether a recipe may name a registry. The settings decide, nothing else.

Ollama's own registry is always allowed: who runs Ollama pulls from it already.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from llamaexit.errors import REFUSED, LlamaexitError
from llamaexit.ollama.names import BadName
from llamaexit.recipes.sources import Unresolved
from llamaexit.sharing.patterns import Registry

if TYPE_CHECKING:
    from llamaexit.recipes.library import Layer
    from llamaexit.recipes.positions import Key
    from llamaexit.recipes.sources import RecipeText
    from llamaexit.sharing.addresses import Address
    from llamaexit.sharing.settings import Settings

ALLOW = "llamaexit recipe allow"


class Untrusted(LlamaexitError):
    """A source or a registry that nobody who may do so has allowed. Nothing was contacted."""

    code: ClassVar[str] = "untrusted"
    exit_code: ClassVar[int] = REFUSED


@dataclass(frozen=True, slots=True)
class Foreign:
    """A model that a recipe names and that would come from a registry nobody allowed. place: `FILE:LINE`.

    registry: None where the name is none that Ollama would understand.
    """

    model: str
    registry: Registry | None
    place: str


class Trust:
    """What the settings allow. It is a `sharing.remote.Gate`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def allows(self, source: str) -> bool:
        """Whether recipes may be fetched from a source, as addresses spell it."""
        return any(pattern.means(source) for pattern in self.settings.sources)

    def check(self, address: Address, named_in: RecipeText | None) -> None:
        """Raises Untrusted for an address that may not be contacted. named_in: the recipe it stands in."""
        if not self.allows(address.source):
            raise self.refusal(address.source, place_of(address, named_in) if named_in is not None else "")

    def refusal(self, source: str, place: str = "") -> Untrusted:
        """The error about a source that is not allowed. place: where it is named, empty for the command line."""
        return Untrusted(
            f"{place}{': ' if place else ''}{source} is not among the sources of recipes that {self._whose()} allow",
            hint=self._hint([source]),
        )

    def foreign(self, recipes: Iterable[Layer]) -> tuple[Foreign, ...]:
        """The models of recipes that would come from registries nobody allowed, the first of each registry."""
        named = ((model, partial(_place, layer, key)) for layer in recipes for key, model in _models_of(layer))
        return self.foreign_among(named)

    def foreign_among(self, named: Iterable[tuple[str, Callable[[], str]]]) -> tuple[Foreign, ...]:
        """The same of models that are named anywhere, each with what finds out where."""
        found: dict[Registry | None, Foreign] = {}
        for model, place in named:
            if "/" not in model:
                continue  # what names neither host nor owner is in Ollama's own library
            try:
                registry = Registry.of(model)
            except BadName:
                found.setdefault(None, Foreign(model, None, place()))
                continue
            if registry is None or registry in found or any(one.means(registry) for one in self.settings.registries):
                continue
            found[registry] = Foreign(model, registry, place())
        return tuple(found.values())

    def refusal_of(self, foreign: Sequence[Foreign]) -> Untrusted:
        """The error about registries that are not allowed; there is at least one."""
        first, *others = foreign
        more = f", and {len(others)} more such {'registry' if len(others) == 1 else 'registries'}" if others else ""
        if first.registry is None:
            return Untrusted(f"{first.place}: {first.model[:80]!r} is no name of a model, so nobody knows whose it is")
        registries = [str(one.registry) for one in foreign if one.registry is not None]
        return Untrusted(
            f"{first.place}: {first.model} comes from {first.registry}, which is not among the registries that "
            f"{self._whose()} allow{more}",
            hint=self._hint(registries),
        )

    def _whose(self) -> str:
        decided = self.settings.decided_by_site
        return f"the settings of this machine ({decided})" if decided is not None else "your settings"

    def _hint(self, allowed: Iterable[str]) -> str:
        if self.settings.decided_by_site is not None:
            return "they alone decide; ask whoever looks after this machine"
        return f"if you trust it: {ALLOW} {shlex.join(allowed)}"


def place_of(address: Address, named_in: RecipeText) -> str:
    """Where a recipe extends an address: `FILE:LINE`, or the file alone where it cannot be found."""
    from llamaexit.recipes.problems import Document
    from llamaexit.recipes.read import Unreadable, parse_recipe
    from llamaexit.sharing.addresses import parse_address

    document = Document(named_in.shown_as, named_in.text)
    try:
        extends = parse_recipe(document).get("extends")
    except Unreadable:
        extends = None
    for number, reference in enumerate(extends if isinstance(extends, list) else ()):
        try:
            if isinstance(reference, str) and parse_address(reference).source == address.source:
                return f"{named_in.shown_as}:{document.line(('extends', number))}"
        except Unresolved:
            continue
    return named_in.shown_as


def _models_of(layer: Layer) -> Iterator[tuple[Key, str]]:
    """The models that a recipe can make anybody pull, with the keys they stand at."""
    for number, rule in enumerate(layer.recipe.rules):
        for position, choice in enumerate(rule.targets):
            yield ("rules", number, "targets", position, "model"), choice.model
    for number, target in enumerate(layer.recipe.models):
        yield ("models", number, "name"), target.name
        for position, name in enumerate(target.also):
            yield ("models", number, "also", position), name


def _place(layer: Layer, key: Key) -> str:
    line = layer.line(key)
    return layer.file if line is None else f"{layer.file}:{line}"
