"""Finding out what goes into a lock: the recipes that some references lead to now, and the builds of their targets.

Nothing is written here. What is locked already stays as it is, unless it is to be looked at afresh.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.recipes.names import name_key
from llamaexit.recipes.sources import BUILTIN, RecipeText, Sources, is_elsewhere, resolved
from llamaexit.sharing.addresses import GitAddress, parse_address
from llamaexit.sharing.lock import Lock, LockedRecipe, LockedTarget, LockError, spell_local, text_hash
from llamaexit.sharing.locking import LockPins, Watched, is_local

if TYPE_CHECKING:
    from llamaexit.recipes.library import Library
    from llamaexit.sharing.remote import Fetched, Pins

_SHORT = 12
_FULL = 64


@dataclass(frozen=True, slots=True)
class Roots:
    """What is to be locked, beside what it extends.

    project: the recipe of the folder, if it has one. named: references somebody typed. remembered: those that an
    earlier lock was made for; nobody typed them now, so an address among them counts as named in the lock.
    """

    project: Path | None = None
    named: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """All but the project's recipe, each once, the built-in ones left out."""
        own = None if self.project is None else resolved(self.project)
        asked = dict.fromkeys((*self.remembered, *self.named))
        return tuple(
            one for one in asked if not one.startswith(BUILTIN) and (is_elsewhere(one) or resolved(Path(one)) != own)
        )


@dataclass(frozen=True, slots=True)
class Cooldown:
    """How old the commit of a moving reference has to be before it is locked, and what time it is."""

    days: int
    now: dt.datetime

    def ready(self, committed: str) -> dt.date | None:
        """The day from which a commit is old enough; None where it is."""
        if self.days <= 0:
            return None
        try:
            old_enough = dt.datetime.fromisoformat(committed) + dt.timedelta(days=self.days)
            if old_enough <= self.now:
                return None
            rest = old_enough.timetz() != dt.time(tzinfo=old_enough.tzinfo)
            return old_enough.date() + dt.timedelta(days=1 if rest else 0)
        except OverflowError:  # who makes a commit writes its time, which may be the last there is
            return dt.date.max


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A commit that a reference means by now and that is too young to be locked. ready: the day it is old enough."""

    reference: str
    commit: str
    committed: str
    ready: dt.date


@dataclass(frozen=True, slots=True)
class Taken:
    """The recipes that were found, as a lock has them, and what they come to."""

    library: Library
    roots: tuple[str, ...]
    recipes: tuple[LockedRecipe, ...]
    held_back: tuple[HeldBack, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What registries said: the digest of each model they know, in hex, and why there is none of others."""

    digests: Mapping[str, str]
    notes: tuple[str, ...] = ()


def take(
    roots: Roots,
    old: Lock | None,
    file: Path,
    sources_with: Callable[[Pins], Sources],
    *,
    afresh: bool,
    cooldown: Cooldown,
) -> Taken:
    """Find the recipes that are to be locked. afresh: ask what moving references mean now, locked or not.

    file: where the lock is or will be. sources_with: makes finders of recipes that heed some pins. Raises RecipeError
    with every problem of the recipes, and LockError for a commit that is too young and has no older one to stay at.
    """
    from llamaexit.recipes.load import load_library

    held: dict[tuple[str, str], HeldBack] = {}
    while True:
        pins = _TakingPins(old, file, held, afresh=afresh, cooldown=cooldown)
        sources = Watched(Remembering(sources_with(pins), roots, file), pins)
        try:
            library = load_library(roots.references, project=roots.project, sources=sources)
        except _TooYoung as young:
            # before anything in it is followed: what it extends is as young as it is
            held[young.revision] = young.held
            continue
        return Taken(library, tuple(pins.roots), tuple(pins.recipes.values()), tuple(held.values()))


class _TooYoung(Exception):
    """A revision leads to a commit that is to be held back."""

    def __init__(self, revision: tuple[str, str], held: HeldBack) -> None:
        super().__init__(held.reference)
        self.revision = revision
        self.held = held


class _TakingPins:
    """The `Pins` and the watcher of a run that locks: notes everything that is found."""

    def __init__(
        self,
        old: Lock | None,
        file: Path,
        held: Mapping[tuple[str, str], HeldBack],
        *,
        afresh: bool,
        cooldown: Cooldown,
    ) -> None:
        self.recipes: dict[str, LockedRecipe] = {}
        self.roots: dict[str, None] = {}
        self._old = old or Lock()
        self._locked = self._old.commits()
        self._keep = LockPins(file, self._old)
        self._file = file
        self._held = held
        self._afresh = afresh
        self._cooldown = cooldown
        self._met: dict[tuple[str, str], str] = {}

    def commit_of(self, address: GitAddress) -> str | None:
        """The commit that counts: the one this run met already, or the locked one where it is to stay."""
        revision = (address.source, address.rev)
        if revision in self._met:
            return self._met[revision]
        return self._locked.get(revision) if not self._afresh or revision in self._held else None

    def check(self, fetched: Fetched) -> None:
        """Note a fetched recipe. Raises LockError where the same commit was locked with other bytes."""
        address = fetched.address
        reference = address.spelled
        if isinstance(address, GitAddress):
            revision = (address.source, address.rev)
            self._heed_age(fetched, address, revision)
            self._met[revision] = fetched.commit
        entry = self._old.recipe(reference)
        if entry is not None and entry.commit == fetched.commit:
            self._keep.check(fetched)
        self.recipes[reference] = LockedRecipe(reference, fetched.sha256, fetched.commit, fetched.committed)

    def _heed_age(self, fetched: Fetched, address: GitAddress, revision: tuple[str, str]) -> None:
        """A moving reference must not lead to a commit nobody had time to look at. One by its full id was chosen."""
        locked = self._locked.get(revision)
        if address.pinned or fetched.commit == locked:
            return
        ready = self._cooldown.ready(fetched.committed)
        if ready is None:
            return
        if locked is not None:
            raise _TooYoung(revision, HeldBack(address.spelled, fetched.commit, fetched.committed, ready))
        raise LockError(
            f"{address.spelled} is commit {fetched.commit[:_SHORT]} of {fetched.committed[:10]}, and has to be "
            f"{self._cooldown.days} days old before it is locked",
            hint=f"lock it from {ready} on, or name an older tag or commit, or look at it and say --cooldown-days 0",
        )

    def before(self, reference: str, relative_to: RecipeText | None) -> None:
        """Note an address that was named for the lock."""
        if relative_to is None and is_elsewhere(reference):
            self.roots[parse_address(reference).spelled] = None

    def after(self, found: RecipeText, relative_to: RecipeText | None) -> None:
        """Note a file of this machine."""
        if is_local(found):
            reference = spell_local(Path(found.identity), self._file.parent)
            self.recipes[reference] = LockedRecipe(reference, text_hash(found.text))
            if relative_to is None:
                self.roots[reference] = None


class Remembering:
    """Addresses that only an earlier lock remembers count as named in it, not as typed by somebody."""

    def __init__(self, sources: Sources, roots: Roots, file: Path) -> None:
        self._sources = sources
        self._remembered = {one for one in roots.remembered if is_elsewhere(one)}.difference(roots.named)
        self._file = file

    def resolve(self, reference: str, relative_to: RecipeText | None) -> RecipeText:
        """What the sources behind it find."""
        if relative_to is None and reference in self._remembered:
            place = self._file.resolve()
            relative_to = RecipeText("", str(self._file), str(place), str(place.parent), self._file.parent)
        return self._sources.resolve(reference, relative_to)


# -- targets


def target_names(library: Library) -> tuple[str, ...]:
    """The local models that rules of recipes of one's own propose, each once, in the order of the rules."""
    from llamaexit.ollama.names import BadName, Name

    found: dict[str, str] = {}
    for head in library.rule_heads:
        for choice in head.open().rule.targets if head.precedence else ():
            known = library.target(choice.model)
            if known is not None and not known[0].local:
                continue
            try:
                name = Name.parse(choice.model)
            except BadName:
                continue  # nothing that could be pulled; lint says so
            if not name.cloud:
                found.setdefault(name_key(choice.model), name.short)
    return tuple(found.values())


def lock_of(
    taken: Taken, old: Lock | None, ask: Callable[[Sequence[str]], Asked], *, afresh: bool
) -> tuple[Lock, tuple[str, ...]]:
    """The lock that says what was found, and what to know about its targets. ask: asks registries about models."""
    before = old or Lock()
    names = target_names(taken.library)
    stated = {name: _stated(taken.library, name) for name in names}
    kept = {}
    for name in names if not afresh else ():
        entry = before.target(name)
        if entry is not None and _stays(taken.library, entry, stated[name]):
            kept[name] = entry
    answers = ask([name for name in names if name not in kept])
    targets: list[LockedTarget] = []
    notes = list(answers.notes)
    for name in names:
        if name in kept:
            targets.append(kept[name])
            continue
        seen, note = _seen(taken.library, name, answers.digests.get(name), stated[name], before.target(name))
        targets += [seen] if seen is not None else []
        notes += [note] if note else []
    recipes = sorted(taken.recipes, key=lambda entry: entry.reference)
    targets.sort(key=lambda entry: name_key(entry.model))
    return Lock(tuple(sorted(taken.roots)), tuple(recipes), tuple(targets)), tuple(notes)


def _stays(library: Library, entry: LockedTarget, stated: str) -> bool:
    """Whether an entry stays: unless it only repeats a recipe that says something else now, or a pin rules it out."""
    if entry.seen == "recipe":
        return entry.hex == stated
    return library.policy.pin(entry.model) is None or entry.hex.startswith(stated)


def _seen(
    library: Library, name: str, asked: str | None, stated: str, before: LockedTarget | None
) -> tuple[LockedTarget | None, str]:
    """The entry of a target, and what to know about it."""
    pin = library.policy.pin(name)
    if pin is not None and stated and (asked is None or not asked.startswith(stated)):
        moved = f"{name} is {asked[:_SHORT]} in the registry now, {pin.recipe} pins {stated[:_SHORT]}" if asked else ""
        return LockedTarget(name, f"sha256:{stated}", "recipe"), moved
    if asked is not None:
        return LockedTarget(name, f"sha256:{asked}", "registry"), ""
    if before is not None and before.seen == "registry":
        return before, ""
    if not stated:
        return None, f"{name} is not locked: no registry could be asked, and no recipe states its digest"
    return LockedTarget(name, f"sha256:{stated}", "recipe"), ""


def _stated(library: Library, name: str) -> str:
    """The digest that recipes give a target, in hex; empty where they give none. A pin of the policy comes first."""
    pin = library.policy.pin(name)
    if pin is not None:
        return _hex(pin.value)
    known = library.target(name)
    if known is None:
        return ""
    target, tag = known
    return _hex(tag.digest if tag is not None else target.digest)


def _hex(digest: str) -> str:
    bare = digest.strip().lower().removeprefix("sha256:").removeprefix("sha256-")
    return bare if _SHORT <= len(bare) <= _FULL and set(bare) <= set("0123456789abcdef") else ""
