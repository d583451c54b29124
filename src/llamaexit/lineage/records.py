"""What lineage asks of the recipes. Only for types: at run time it is `llamaexit.recipes.library.Library`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from llamaexit.recipes.model import Origin, Tag, Target


class Records(Protocol):
    """The part of a library that lineage needs."""

    @property
    def origins(self) -> Iterable[Origin]: ...
    def origin(self, name: str) -> Origin | None: ...
    def origin_by_manifest(self, digest: str) -> Origin | None: ...
    def origin_by_blob(self, digest: str) -> Origin | None: ...
    def target(self, name: str) -> tuple[Target, Tag | None] | None: ...
    def target_names(self) -> Iterable[str]: ...
