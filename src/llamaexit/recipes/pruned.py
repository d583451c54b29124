"""Tables without their faulty parts, or with what was meant, so that what those hid can be looked at too."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from llamaexit.recipes.positions import Key


class Pruned:
    """A document's tables without the parts at some key paths, and the way back from the numbering that leaves.

    instead: what stands at other key paths in place of what is in the document.
    """

    def __init__(
        self, tables: dict[str, Any], without: Collection[Key] = (), instead: Mapping[Key, object] | None = None
    ) -> None:
        self._without = frozenset(without)
        self._instead = instead or {}
        self._numbers: dict[Key, tuple[int, ...]] = {}
        self.tables: dict[str, Any] = self._copy(tables, (), ()) if without or instead else tables

    def place(self, key: Key) -> Key:
        """The key path in the document, for one in the copy: elements behind a missing one have moved up."""
        there: Key = ()
        for position, part in enumerate(key):
            numbers = self._numbers.get(key[:position], ())
            there += (numbers[part] if isinstance(part, int) and part < len(numbers) else part,)
        return there

    def _copy(self, value: Any, here: Key, there: Key) -> Any:
        """Copy a value that stands at `here` in the copy and at `there` in the document."""
        if there in self._instead:
            return self._instead[there]
        if isinstance(value, dict):
            return {
                name: self._copy(item, (*here, name), (*there, name))
                for name, item in value.items()
                if (*there, name) not in self._without
            }
        if isinstance(value, list):
            numbers = tuple(number for number in range(len(value)) if (*there, number) not in self._without)
            if len(numbers) < len(value):
                self._numbers[here] = numbers
            return [self._copy(value[old], (*here, new), (*there, old)) for new, old in enumerate(numbers)]
        return value
