"""Asking the registry about the candidates of a plan (`--online`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llamaexit.errors import RegistryError

if TYPE_CHECKING:
    from llamaexit.planning.options import RemoteFacts

_AT_ONCE = 6


def ask_registry(names: Iterable[str], ollama_version: str | None, timeout: float) -> dict[str, RemoteFacts]:
    """What the registry says about each model it knows; a model it does not have is left to the catalogue.

    Raises RegistryError when the registry cannot be asked at all.
    """
    raise RegistryError("the registry cannot be asked yet")
