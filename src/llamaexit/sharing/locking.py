"""Holding recipes to a lock, and finding out what goes into one.

`LockPins` are the `Pins` of every command that uses recipes, `TakingPins` those of the commands that write the lock.
Files of this machine never pass a `Pins`; `Watched` shows them to it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from llamaexit.recipes.load import PROJECT_FILE
from llamaexit.recipes.names import name_key
from llamaexit.recipes.sources import RecipeText, Sources, is_elsewhere
from llamaexit.sharing import LOCK_FILE
from llamaexit.sharing.addresses import GitAddress
from llamaexit.sharing.lock import Lock, LockError, read_lock, spell_local, text_hash

if TYPE_CHECKING:
    from llamaexit.sharing.remote import Fetched

Strict = Literal["", "ci", "asked"]
"""Whether nothing but what is locked may be used, and who says so: nobody, the environment, or the user."""
_FALSE = frozenset({"", "0", "false", "no", "off"})


def strictness(option: bool | None, environ: Mapping[str, str]) -> Strict:
    """What `--locked` or `--no-locked` says; without either, whether the environment says that this is CI."""
    if option is not None:
        return "asked" if option else ""
    return "ci" if environ.get("CI", "").strip().lower() not in _FALSE else ""


def lock_pins(folder: Path, option: bool | None, environ: Mapping[str, str], *, at_work: bool = False) -> LockPins:
    """The pins of a lock in a folder, or of there being none. Raises LockError for a lock that cannot be read.

    at_work: as for `LockPins`.
    """
    file = folder / LOCK_FILE
    return LockPins(file, read_lock(file), strictness(option, environ), at_work=at_work)


class LockPins:
    """Holds recipes to a lock (a `Pins`).

    A fetched recipe is always held to what is locked; with strict also to being locked at all, and files of this
    machine to both. warnings: what was let pass, but should be known.
    """

    def __init__(self, file: Path, lock: Lock | None, strict: Strict = "", *, at_work: bool = False) -> None:
        """file: where the lock is or would be. lock: None where there is none. at_work: files of this machine are only
        held to it when the user asks for that: they are being written, and locked afterwards."""
        self.file = file
        self.lock = lock
        self.strict = strict
        self._files_held = strict == "asked" or (strict == "ci" and lock is not None and not at_work)
        self._commits = lock.commits() if lock is not None else {}
        self._warnings: dict[str, None] = {}
        self._typed: set[str] = set()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was let pass, one line each."""
        return tuple(self._warnings)

    @property
    def digests(self) -> dict[str, str]:
        """The builds that targets are locked to: hex digits by the form in which names are compared."""
        return {name_key(target.model): target.hex for target in self.lock.targets} if self.lock is not None else {}

    def has(self, reference: str) -> bool:
        """Whether a recipe from elsewhere is locked, however its address is spelled."""
        spelled = _spelled(reference)
        return spelled is not None and self.lock is not None and self.lock.recipe(spelled) is not None

    def commit_of(self, address: GitAddress) -> str | None:
        """The locked commit; None where there is none and that may be. Raises LockError."""
        commit = self._commits.get((address.source, address.rev))
        if commit is None and self.strict:
            raise self._not_locked(address.spelled, typed=False)
        return commit

    def check(self, fetched: Fetched) -> None:
        """Raises LockError where a fetched recipe is not what was locked."""
        reference = fetched.address.spelled
        entry = self.lock.recipe(reference) if self.lock is not None else None
        if entry is None:
            if self.strict:
                raise self._not_locked(reference, typed=False)
            if self.lock is not None:
                command = _command(reference, typed=reference in self._typed)
                self._warnings[f"{reference} is not in {self.file}; {command} puts it there"] = None
        elif fetched.commit != entry.commit:
            raise self._other(reference, "commit", fetched.commit, entry.commit)
        elif fetched.sha256 != entry.sha256:
            raise self._other(reference, "sha256", fetched.sha256, entry.sha256)

    def before(self, reference: str, relative_to: RecipeText | None) -> None:
        """Raises LockError, before anybody is contacted, for an address that is not locked and would have to be."""
        spelled = _spelled(reference)
        if spelled is None:
            return
        if relative_to is None:
            self._typed.add(spelled)
        if self.strict and not self.has(reference):
            raise self._not_locked(spelled, typed=relative_to is None)

    def after(self, found: RecipeText, relative_to: RecipeText | None) -> None:
        """Raises LockError for a file of this machine that is not as it was locked and would have to be."""
        if not self._files_held or not is_local(found):
            return
        reference = spell_local(Path(found.identity), self.file.parent)
        entry = self.lock.recipe(reference) if self.lock is not None else None
        if entry is None:
            raise self._not_locked(found.shown_as, typed=relative_to is None and found.shown_as != PROJECT_FILE)
        if text_hash(found.text) != entry.sha256:
            raise LockError(
                f"{found.shown_as} is not what was locked: sha256 {text_hash(found.text)[:12]}, {self.file} has "
                f"{entry.sha256[:12]}",
                hint="lock it as it is now: llamaexit recipe lock",
            )

    def _not_locked(self, shown_as: str, *, typed: bool) -> LockError:
        who = "--locked was said" if self.strict == "asked" else "CI is set"
        command = _command(shown_as, typed=typed)
        if self.lock is None:
            text = f"there is no {self.file}, and {who}: {shown_as} may not be used without"
        else:
            text = f"{shown_as} is not in {self.file}, and {who}"
        return LockError(text, hint=f"{command} writes it; --no-locked does without")

    def _other(self, reference: str, what: str, got: str, locked: str) -> LockError:
        return LockError(
            f"{reference} is not what was locked: {what} {got[:12]}, {self.file} has {locked[:12]}",
            hint="find out who changed it before you use it; llamaexit recipe update shows what is there now",
        )


def _command(reference: str, *, typed: bool) -> str:
    """What locks a recipe. typed: it stands in no recipe that is locked, so it has to be named."""
    return f"llamaexit recipe lock{f' {shlex.quote(reference)}' if typed else ''}"


def _spelled(reference: str) -> str | None:
    """The one spelling of an address; None for what is none, also where following it will say why."""
    if not is_elsewhere(reference):
        return None
    from llamaexit.recipes.sources import Unresolved
    from llamaexit.sharing.addresses import parse_address

    try:
        return parse_address(reference).spelled
    except Unresolved:
        return None


class Watcher(Protocol):
    """Is told of every reference, and of what it led to. May raise."""

    def before(self, reference: str, relative_to: RecipeText | None) -> None:
        """A reference is about to be followed."""
        ...

    def after(self, found: RecipeText, relative_to: RecipeText | None) -> None:
        """It led here."""
        ...


class Watched:
    """A `recipes.sources.Sources` that tells a watcher what it is asked for."""

    def __init__(self, sources: Sources, watcher: Watcher) -> None:
        self._sources = sources
        self._watcher = watcher

    def resolve(self, reference: str, relative_to: RecipeText | None) -> RecipeText:
        """What the sources behind it find."""
        self._watcher.before(reference, relative_to)
        found = self._sources.resolve(reference, relative_to)
        self._watcher.after(found, relative_to)
        return found


def is_local(found: RecipeText) -> bool:
    """Whether a recipe is a file of this machine, and not one of the built-in ones."""
    return found.builtin is None and not is_elsewhere(found.identity)
