"""Models that share weights or descend from each other: copies, renamed models, and what was built FROM them.

Ollama notes the immediate parent of a derived model by name (`from` of the weights layer); equal digests are the
sounder test, because the parent may be gone or may have been pulled again with other weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from llamaexit.lineage.catalogue import shortened
from llamaexit.ollama.names import Name
from llamaexit.snapshot import InstalledModel

_LONGEST_CHAIN = 32


class Ancestor(NamedTuple):
    """One step up: the parent as noted, the steps that led to it, and the installed model if there is one.

    same_weights: whether parent and child hold the same weights; None when that cannot be told.
    """

    noted: str
    path: tuple[str, ...]
    model: InstalledModel | None
    same_weights: bool | None


def name_key(text: str) -> str:
    """Equal for names that Ollama takes for the same; texts that are no names stand for themselves."""
    name = parsed(text)
    return name.key if name is not None else text.strip().lower()


@lru_cache(maxsize=1024)
def parsed(text: str) -> Name | None:
    """The name a text means; None when it cannot be one, as a file path cannot."""
    try:
        return Name.parse(text)
    except ValueError:
        return None


class Relatives:
    """An index of installed models by name, and of names by the weights they share."""

    def __init__(self, models: Iterable[InstalledModel]) -> None:
        self._by_name: dict[str, InstalledModel] = {}
        self._weights_of: dict[str, str] = {}
        self._groups: dict[str, list[InstalledModel]] = {}
        self.models = tuple(models)
        for model in self.models:
            self._by_name.setdefault(name_key(model.name), model)
            if model.digest and model.weights_digest:
                self._weights_of.setdefault(model.digest, model.weights_digest)
        for model in self.models:
            if (weights := self.weights(model)) is not None:
                self._groups.setdefault(weights, []).append(model)

    def weights(self, model: InstalledModel) -> str | None:
        """What identifies the weights: their digest, else the manifest digest; None without either."""
        if model.weights_digest:
            return model.weights_digest
        return self._weights_of.get(model.digest, model.digest) if model.digest else None

    def sharing(self, model: InstalledModel) -> tuple[InstalledModel, ...]:
        """All installed models with the same weights, the model itself among them."""
        weights = self.weights(model)
        return tuple(self._groups.get(weights, (model,))) if weights is not None else (model,)

    def ancestors(self, model: InstalledModel) -> Iterator[Ancestor]:
        """Parents one after the other, nearest first; ends at a missing parent, other weights, or a cycle."""
        seen = {name_key(model.name)}
        path: tuple[str, ...] = ()
        current = model
        while current.parent and len(path) < _LONGEST_CHAIN:
            key = name_key(current.parent)
            if key in seen:
                return
            seen.add(key)
            path = (*path, current.parent)
            found = self._by_name.get(key)
            same = self._same_weights(current, found) if found is not None else None
            yield Ancestor(current.parent, path, found, same)
            if found is None or same is False:
                return
            current = found

    def _same_weights(self, child: InstalledModel, parent: InstalledModel) -> bool | None:
        if child.weights_digest and parent.weights_digest:
            return shortened(child.weights_digest) == shortened(parent.weights_digest)
        return True if child.digest and child.digest == parent.digest else None
