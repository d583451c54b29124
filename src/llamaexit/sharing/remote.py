"""Finds recipes wherever they are: on this machine, in git repositories, on web servers.

Before anything elsewhere is contacted a `Gate` is asked whether it may be; which commit a branch or tag means can be
decided beforehand by `Pins`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from llamaexit.recipes.sources import LocalSources, RecipeText
    from llamaexit.sharing.addresses import Address, GitAddress


@dataclass(frozen=True, slots=True)
class Fetched:
    """One recipe from elsewhere, as it was used in this run.

    address: of a recipe that another one names by a relative path, that in the repository at the revision the other
    one was asked for. commit: empty for what no git repository holds; so is committed, the time of the commit
    (RFC 3339, UTC). sha256: of the bytes of the file, in lower-case hex. cached: nobody had to be asked for the file.
    """

    address: Address
    commit: str
    committed: str
    sha256: str
    text: str
    cached: bool


class Gate(Protocol):
    """Decides what may be contacted."""

    def check(self, address: Address, named_in: RecipeText | None) -> None:
        """Raises where an address may not be contacted. named_in: None where it was typed on the command line."""
        ...


class Pins(Protocol):
    """Knows what references meant before."""

    def commit_of(self, address: GitAddress) -> str | None:
        """The commit that a reference has to mean; None where that is to be asked. May raise instead of None."""
        ...

    def check(self, fetched: Fetched) -> None:
        """Raises where a recipe is not what it has to be."""
        ...


class _OpenGate:
    def check(self, address: Address, named_in: RecipeText | None) -> None:
        """Everything may be contacted."""


class _NoPins:
    def commit_of(self, address: GitAddress) -> str | None:
        """Nothing is known."""
        return None

    def check(self, fetched: Fetched) -> None:
        """Everything will do."""


OPEN_GATE: Gate = _OpenGate()
NO_PINS: Pins = _NoPins()


class RemoteSources:
    """A `recipes.sources.Sources` that knows addresses; everything else it leaves to the files of this machine."""

    def __init__(self, local: LocalSources, cache: Path, *, gate: Gate, pins: Pins, offline: bool = False) -> None:
        """cache: the folder for what was fetched. offline: nobody is contacted, whatever the gate says."""
        self._local = local
        self._cache = cache
        self._gate = gate
        self._pins = pins
        self._offline = offline
        self._fetched: dict[str, Fetched] = {}

    @property
    def fetched(self) -> tuple[Fetched, ...]:
        """Recipes from elsewhere, in the order of their first use."""
        return tuple(self._fetched.values())

    @property
    def local_files(self) -> tuple[Path, ...]:
        """The files of this machine that were read, without the built-in recipes."""
        return self._local.local_files
