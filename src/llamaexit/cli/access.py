"""What the recipes of a run may be read from: settings, somebody to ask, and finders, put together in one place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.recipes.pack import load_pack
from llamaexit.recipes.sources import LocalSources, RecipeText, is_elsewhere

if TYPE_CHECKING:
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.sources import Sources
    from llamaexit.sharing.remote import Gate, Pins, RemoteSources


class Access:
    """Finds the recipes of one run (a `recipes.sources.Sources`), and asks about what the settings do not allow.

    What is needed to fetch recipes is only put together once one of them has to be fetched.
    """

    def __init__(self, *, as_json: bool, locked: bool | None = None, at_work: bool = False) -> None:
        """as_json: a program reads the answer, so nobody is asked. locked: as `--locked` says it. at_work: the files of
        this machine are looked at while they are written, so that CI alone does not hold them to the lock.

        Raises SettingsError, and LockError for a lock that cannot be read.
        """
        from llamaexit.cli.settings import settings_here
        from llamaexit.cli.trusting import Asking, somebody_there
        from llamaexit.sharing.locking import Watched, lock_pins
        from llamaexit.sharing.trust import Trust

        self.trust = Trust(settings_here())
        self._asking = Asking(self.trust) if somebody_there(as_json=as_json) else None
        self._local = LocalSources(load_pack().recipe_files)
        self.lock = lock_pins(Path(), locked, os.environ, at_work=at_work)
        self._sources = Watched(self.sources_with(self.lock), self.lock)

    def resolve(self, reference: str, relative_to: RecipeText | None) -> RecipeText:
        """The recipe that a reference means. Raises Unresolved, Unreadable, LockError, or Untrusted before anybody is
        asked."""
        return self._sources.resolve(reference, relative_to)

    def sources_with(self, pins: Pins) -> Sources:
        """Finders of recipes that heed other pins, and allow the same."""
        return _Finders(self._local, self._asking or self.trust, pins)

    def settle(self, library: Library, *, to_plan: bool) -> None:
        """Make sure that all of a library may be used. Raises Untrusted.

        to_plan: models of its rules may come to be pulled, so their registries count, too.
        """
        foreign = self.trust.foreign(library.layers) if to_plan else ()
        if self._asking is not None:
            self._asking.settle(library, foreign)
        elif foreign:
            raise self.trust.refusal_of(foreign)


def allow_targets(models: Iterable[str], named_in: str, *, as_json: bool) -> None:
    """Make sure that models may be pulled that a document names. as_json: as for `Access`. Raises Untrusted."""
    from llamaexit.cli.settings import settings_here
    from llamaexit.cli.trusting import Asking, somebody_there
    from llamaexit.sharing.settings import Settings
    from llamaexit.sharing.trust import Trust

    named = [(model, lambda: named_in) for model in models]
    if not Trust(Settings()).foreign_among(named):
        return  # all of them are Ollama's own, whatever the settings say
    trust = Trust(settings_here())
    foreign = trust.foreign_among(named)
    if foreign and not somebody_there(as_json=as_json):
        raise trust.refusal_of(foreign)
    Asking(trust).settle(None, foreign)


def hold_to_lock(targets: Iterable[tuple[str, str | None]], named_in: str) -> None:
    """In CI, make sure that a document has no other builds of targets than the lock of this folder.

    targets: names of models with the digests they are expected to have, None where any will do. Raises LockError.
    """
    from llamaexit.recipes.names import name_key, same_build
    from llamaexit.sharing.lock import LockError
    from llamaexit.sharing.locking import lock_pins, strictness

    if not strictness(None, os.environ):
        return  # a plan is shown and asked about, and it may be older than the lock
    pins = lock_pins(Path(), None, os.environ)
    for model, digest in targets:
        locked = pins.digests.get(name_key(model))
        if locked is None or (digest and same_build(digest, locked)):
            continue
        build = f"build {digest[:12]}" if digest else "any build"
        raise LockError(
            f"{named_in}: {model} may be {build}, {pins.file} has {locked[:12]}, and CI is set",
            hint="plan again in this folder, or lock what is wanted: llamaexit recipe update",
        )


class _Finders:
    """Files of this machine, and from the first address on also what is elsewhere."""

    def __init__(self, local: LocalSources, gate: Gate, pins: Pins) -> None:
        self._local = local
        self._gate = gate
        self._pins = pins
        self._remote: RemoteSources | None = None

    def resolve(self, reference: str, relative_to: RecipeText | None) -> RecipeText:
        """The recipe that a reference means."""
        if self._remote is None:
            if not is_elsewhere(reference):
                return self._local.resolve(reference, relative_to)
            self._remote = self._fetching()
        return self._remote.resolve(reference, relative_to)

    def _fetching(self) -> RemoteSources:
        from platformdirs import user_cache_path

        from llamaexit.sharing.remote import RemoteSources

        cache = Path(user_cache_path("llamaexit", appauthor=False)) / "recipes"
        return RemoteSources(self._local, cache, gate=self._gate, pins=self._pins)
