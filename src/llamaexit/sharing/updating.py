"""What another lock would change: recipe by recipe, rule by rule, and target by target.

Two libraries are compared, that of the recipes as they were locked and that of the recipes as they are. Of files of
this machine a lock keeps no copy, so they count on both sides as they are now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from llamaexit.recipes.model import Policy, kebab
from llamaexit.recipes.names import name_key
from llamaexit.recipes.sources import RecipeText, Sources, Unresolved, is_elsewhere
from llamaexit.sharing.addresses import parse_address
from llamaexit.sharing.lock import Lock, dump_lock
from llamaexit.sharing.locking import LockPins, Watched
from llamaexit.sharing.taking import Remembering, Roots
from llamaexit.sharing.trust import Untrusted

if TYPE_CHECKING:
    from llamaexit.recipes.library import Library
    from llamaexit.sharing.remote import Pins

Entry = TypeVar("Entry")
How = Literal["added", "removed", "changed"]
Kind = Literal["recipe", "rule", "order", "policy", "model", "origin", "licence", "caveat", "source"]
"""What a recipe can say: `model` is a fact about a target, `origin` one about a model people have."""

_NAMES = ("id", "model", "name", "tag", "title", "benchmark")
"""Fields that tell the entries of a list apart, in the order in which they are looked for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of an entry, before and after; None where it has none."""

    key: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the recipes that is there now, is gone, or says something else.

    place: `FILE:LINE` of a rule, the recipe of anything else where that is known.
    """

    kind: Kind
    name: str
    how: How
    differences: tuple[Difference, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class LockChange:
    """An entry of a lock that is there now, is gone, or has other digests. It is named by `name`."""

    name: str
    how: How
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What tells two locks apart. different: whether anything does. notes: what could not be compared."""

    different: bool
    roots: tuple[LockChange, ...] = ()
    recipes: tuple[LockChange, ...] = ()
    targets: tuple[LockChange, ...] = ()
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


def compare_locks(old: Lock, new: Lock) -> Comparison:
    """What tells two locks apart, without looking into the recipes."""
    roots = _lock_changes({root: (root, {}) for root in old.roots}, {root: (root, {}) for root in new.roots})
    recipes = _lock_changes(
        {entry.reference: (entry.reference, _facts(entry, leave_out="reference")) for entry in old.recipes},
        {entry.reference: (entry.reference, _facts(entry, leave_out="reference")) for entry in new.recipes},
    )
    targets = _lock_changes(
        {name_key(entry.model): (entry.model, _facts(entry, leave_out="model")) for entry in old.targets},
        {name_key(entry.model): (entry.model, _facts(entry, leave_out="model")) for entry in new.targets},
    )
    return Comparison(dump_lock(old) != dump_lock(new), tuple(roots), tuple(recipes), tuple(targets))


def compare_libraries(old: Library, new: Library) -> tuple[Change, ...]:
    """What recipes say otherwise than before, what decides most first."""
    return (
        *_changes("recipe", _own(old), _own(new)),
        *_changes("policy", _policy(old), _policy(new)),
        *_rule_changes(old, new),
        *_changes("model", _by_name(old.targets), _by_name(new.targets)),
        *_changes("origin", _by_name(old.origins), _by_name(new.origins)),
        *_changes("licence", old.licences, new.licences),
        *_changes("caveat", old.caveats, new.caveats),
        *_changes("source", old.sources, new.sources),
    )


def locked_library(
    old: Lock, file: Path, project: Path | None, sources_with: Callable[[Pins], Sources]
) -> tuple[Library, tuple[str, ...]]:
    """The recipes as they were locked, and which of them cannot be had any more."""
    found, met = _as_locked(old, file, project, sources_with, ())
    elsewhere = [entry.reference for entry in old.recipes if is_elsewhere(entry.reference)]
    lost = [one for one in elsewhere if one not in met]
    if lost:  # those that nothing on this machine leads to any more
        found, met = _as_locked(old, file, project, sources_with, lost)
    gone = tuple(one for one in elsewhere if one not in met)
    return found, tuple(f"{one} cannot be had any more as it was locked; what it said is not compared" for one in gone)


def not_compared(comparison: Comparison) -> tuple[str, ...]:
    """Which files of this machine were changed, of which nobody knows what they said before."""
    changed = [one.name for one in comparison.recipes if one.how == "changed" and not is_elsewhere(one.name)]
    return tuple(
        f"{name}: what changed in it is not shown, since of files of your own no copy is kept" for name in changed
    )


def _as_locked(
    old: Lock, file: Path, project: Path | None, sources_with: Callable[[Pins], Sources], more: Iterable[str]
) -> tuple[Library, set[str]]:
    from llamaexit.recipes.load import read_library

    roots = Roots(project, remembered=(*more, *old.roots))
    watcher = _OnlyLocked(old)
    sources = Watched(_Trusting(Remembering(sources_with(LockPins(file, old)), roots, file)), watcher)
    # what is wrong with them now was wrong when they were locked, or lies in files that changed since
    library, _ = read_library(roots.references, project=project, sources=sources)
    return library, watcher.met


class _OnlyLocked:
    """Follows no address that was not locked. met: those that were followed."""

    def __init__(self, lock: Lock) -> None:
        self.met: set[str] = set()
        self._lock = lock

    def before(self, reference: str, relative_to: RecipeText | None) -> None:
        if is_elsewhere(reference) and self._lock.recipe(parse_address(reference).spelled) is None:
            raise Unresolved("is not locked yet")

    def after(self, found: RecipeText, relative_to: RecipeText | None) -> None:
        self.met.add(found.shown_as)


class _Trusting:
    """Takes a source that is not allowed any more for one that cannot be had: nothing of it is going to be used."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def resolve(self, reference: str, relative_to: RecipeText | None) -> RecipeText:
        try:
            return self._sources.resolve(reference, relative_to)
        except Untrusted as error:
            raise Unresolved(str(error)) from error


# -- libraries


def _own(library: Library) -> dict[str, dict[str, str]]:
    """The recipes that are not built in, with what they say about themselves.

    Files of this machine are read as they are now for both sides, so what they extend only differs where the one side
    may not follow it.
    """
    return {
        layer.recipe.name: {
            key: value
            for key, value in _facts(layer.recipe).items()
            if key in ("version", "summary", "checked", "requires-ollama", "disable") or key.startswith("deprecated")
        }
        | ({"extends": ", ".join(layer.extends)} if layer.extends and is_elsewhere(layer.file) else {})
        for layer in library.layers
    }


def _policy(library: Library) -> dict[str, dict[str, str]]:
    """Each key of the policy that is set, with its value and the recipe that decides it."""
    found = {}
    for field in fields(Policy):
        decided = getattr(library.policy, field.name)
        if decided is not None:
            value = dict(_entries("value", decided.value))
            found[kebab(field.name)] = (value or {"value": "none"}) | {"recipe": decided.recipe}
    return found


def _rule_changes(old: Library, new: Library) -> Iterator[Change]:
    before = {bound.key: bound for bound in old.rules}
    after = {bound.key: bound for bound in new.rules}
    for key in dict.fromkeys((*after, *before)):
        was, now = before.get(key), after.get(key)
        if was is not None and now is not None and was.rule == now.rule and was.recipe == now.recipe:
            continue
        bound = now or was
        assert bound is not None
        differences = _differences(
            None if was is None else _facts(was.rule, leave_out="id") | {"recipe": was.recipe},
            None if now is None else _facts(now.rule, leave_out="id") | {"recipe": now.recipe},
        )
        yield Change("rule", key, _how(was, now), differences, f"{bound.file}:{bound.line}")
    common = before.keys() & after.keys()
    old_order, new_order = ([key for key in keys if key in common] for keys in (before, after))
    if old_order != new_order:
        yield Change("order", "rules", "changed")


def _changes(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was != now:
            yield Change(kind, name, _how(was, now), _differences(_known(was), _known(now)))


def _known(value: Any) -> dict[str, str] | None:
    if value is None or isinstance(value, dict):
        return value
    return _facts(value) if is_dataclass(value) else {"text": str(value)}


def _by_name(records: Iterable[Any]) -> dict[str, Any]:
    return {record.name: record for record in records}


# -- locks


def _lock_changes(
    old: Mapping[str, tuple[str, dict[str, str]]], new: Mapping[str, tuple[str, dict[str, str]]]
) -> Iterator[LockChange]:
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        facts = None if was is None else was[1], None if now is None else now[1]
        if facts[0] != facts[1]:
            name = (now or was or (key,))[0]
            yield LockChange(name, _how(was, now), _differences(*facts))


# -- entries


def _how(old: object, new: object) -> How:
    return "added" if old is None else "removed" if new is None else "changed"


def _differences(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> tuple[Difference, ...]:
    before, after = old or {}, new or {}
    return tuple(
        Difference(key, before.get(key), after.get(key))
        for key in dict.fromkeys((*after, *before))
        if before.get(key) != after.get(key) and not (after and _of_gone_entry(key, after))
    )


def _of_gone_entry(key: str, after: Mapping[str, str]) -> bool:
    """Whether a key is one of an entry that its list no longer has: that the entry is gone says enough."""
    entry, inside, _ = key.rpartition("].")
    its_list, _, label = entry.rpartition("[")
    return bool(inside) and label.partition("#")[0] not in after.get(its_list, "").split(", ")


def _facts(record: Any, leave_out: str = "") -> dict[str, str]:
    """All that a record says, by key path as a recipe spells it; what is left at its default is left out."""
    found: dict[str, str] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name != leave_out and value != _default(field):
            found.update(_entries(kebab(field.name), value))
    return found


def _entries(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if is_dataclass(value):
        for inner, text in _facts(value).items():
            yield f"{key}.{inner}", text
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _entries(f"{key}.{name}", item)
    elif isinstance(value, tuple | list):
        yield from _listed(key, value)
    elif value is not None:
        yield key, _spelled(value)


def _listed(key: str, values: tuple[Any, ...] | list[Any]) -> Iterator[tuple[str, str]]:
    """The order of a list, and what each of its entries says beside its name."""
    names = [_name_of(value) for value in values]
    yield key, ", ".join(names)
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        if is_dataclass(value):
            label = name if names.count(name) == 1 else f"{name}#{number + 1}"
            for inner, text in _facts(value, leave_out=_naming_field(value)).items():
                yield f"{key}[{label}].{inner}", text


def _name_of(value: Any) -> str:
    if not is_dataclass(value):
        return _spelled(value)
    field = _naming_field(value)
    return str(getattr(value, field)) if field else type(value).__name__.lower()


def _naming_field(value: Any) -> str:
    return next((field for field in _NAMES if getattr(value, field, "")), "")


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default
