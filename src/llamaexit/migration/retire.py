"""Deleting old models: a separate, later, confirmed act, and the only place where anything of the user's is deleted.

An old model goes only when a run replaced it long enough ago, what replaced it is still there and still what the run
made, and it could be had again: its library tag still leads to the very same build. Everything else is kept, and said.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llamaexit.errors import LlamaexitError
from llamaexit.migration.events import Listener, RunBegan, StepChanged, unheard
from llamaexit.migration.failures import StepFailed
from llamaexit.migration.journal import Journal
from llamaexit.migration.lock import locked
from llamaexit.migration.names import backup_digest
from llamaexit.migration.runs import history, journal_of, load_run
from llamaexit.migration.status import drifts
from llamaexit.migration.world import Names, look
from llamaexit.ollama.names import Name
from llamaexit.recipes.names import name_key

if TYPE_CHECKING:
    from llamaexit.migration.options import Place
    from llamaexit.migration.record import Run
    from llamaexit.snapshot import InstalledModel

DEFAULT_AGE = dt.timedelta(days=14)
"""How long old models are kept after a switch: by then everybody who uses the new ones has noticed what is wrong."""


@dataclass(frozen=True, slots=True)
class Old:
    """One old model that may go. `of`: the name it had. `size`: bytes of all its layers, 0 when not known.

    why_not: why it is kept, None when it goes. can_force: whether --force overrides that.
    """

    name: str
    digest: str
    of: str
    run: str
    size: int = 0
    why_not: str | None = None
    can_force: bool = False


@dataclass(frozen=True, slots=True)
class Retirement:
    """What would be deleted, what is kept and why, and the bytes that really become free.

    exact: every layer of every model is known, so `freed` counts just those that nothing else uses. Otherwise `freed`
    is the most that can become free.
    """

    going: tuple[Old, ...]
    kept: tuple[Old, ...]
    freed: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Retired:
    """What was deleted, and what was kept at the last moment with the reason."""

    gone: tuple[Old, ...]
    kept: tuple[Old, ...]


def retirable(
    place: Place,
    models: Sequence[InstalledModel],
    *,
    older_than: dt.timedelta = DEFAULT_AGE,
    available: Callable[[str], str | None],
    force: bool = False,
    now: dt.datetime | None = None,
) -> Retirement:
    """What may be deleted now. Changes nothing.

    models: all installed ones, with their layers where the store can be read. available: the digest that a name has in
    its registry, None when it is not there; raises LlamaexitError when that cannot be asked. Raises OllamaError.
    """
    from llamaexit.migration.engine import tools_for

    with tools_for(place) as tools:
        names = look(tools.server)
    runs = _runs(place)
    moment = now or dt.datetime.now(dt.UTC)
    drifted = {name_key(drift.name): drift.text for drift in drifts(runs, names)}
    sizes = {name_key(model.name): model.size for model in models}
    found: dict[str, Old] = {}
    for run in runs:
        for old in _old_models(run, names):
            why, can_force = _why_kept(run, old, names, drifted, runs, older_than, moment, available)
            known = replace(old, size=sizes.get(name_key(old.name), 0), why_not=why, can_force=can_force)
            found.setdefault(name_key(old.name), known)
    going = tuple(old for old in found.values() if old.why_not is None or (force and old.can_force))
    kept = tuple(old for old in found.values() if old not in going)
    freed, exact = _freed(going, models)
    return Retirement(going, kept, freed, exact)


def retire(retirement: Retirement, place: Place, listener: Listener = unheard) -> Retired:
    """Delete what was shown, each name looked at once more right before.

    Raises Locked, OllamaError, StepFailed or JournalError.
    """
    from llamaexit.migration.engine import tools_for

    gone: list[Old] = []
    kept: list[Old] = []
    with locked(place.state, place.host, "retire"), tools_for(place) as tools:
        listener(RunBegan("retire", "retire", tuple(f"delete {old.name}" for old in retirement.going)))
        for number, old in enumerate(retirement.going, 1):
            title, of = f"delete {old.name}", len(retirement.going)
            now = look(tools.server).digest(old.name)
            if now != old.digest:
                why = f"it is {now[:12]} now" if now else "it is gone already"
                kept.append(replace(old, why_not=why))
                listener(StepChanged(number, of, "retire", title, "left-out", why))
                continue
            with Journal.reopen(journal_of(place.state, old.run)) as journal:
                journal.append("retiring", name=old.name, digest=old.digest)
                tools.changes.delete(old.name)
                if look(tools.server).digest(old.name) is not None:
                    raise StepFailed("not-true", f"Ollama took the request to delete {old.name}, but it is still there")
                journal.append("retired", name=old.name, digest=old.digest)
            gone.append(old)
            listener(StepChanged(number, of, "retire", title, "done"))
    return Retired(tuple(gone), tuple(kept))


def _runs(place: Place) -> list[Run]:
    """Runs on this Ollama, newest first, as far as their journals can be read."""
    runs: list[Run] = []
    for summary in history(place.state):
        if summary.host != place.host:
            continue
        try:
            runs.append(load_run(place.state, summary.id))
        except LlamaexitError:
            continue
    return runs


def _old_models(run: Run, names: Names) -> Iterable[Old]:
    """Old models of a run that are still there: replaced library models, and backups."""
    if run.state != "committed":
        return
    left_out = {name_key(source) for source, _ in run.left_out}
    changed = {name_key(change.name) for change in run.changes if change.what != "pulled"}
    for decision in run.plan.decisions:
        source = decision.source
        key = name_key(source.model)
        if decision.target is None or key in left_out | changed or source.digest is None:
            continue
        if names.digest(source.model) == source.digest:
            yield Old(source.model, source.digest, source.model, run.id)
    for backup in run.backups:
        if names.digest(backup.name) == backup.digest:
            yield Old(backup.name, backup.digest, backup.of, run.id)


def _why_kept(
    run: Run,
    old: Old,
    names: Names,
    drifted: dict[str, str],
    runs: Sequence[Run],
    older_than: dt.timedelta,
    now: dt.datetime,
    available: Callable[[str], str | None],
) -> tuple[str | None, bool]:
    """Why an old model stays (None: it may go), and whether force overrides that."""
    ended = dt.datetime.fromisoformat(run.ended_at or run.began_at)
    if now - ended < older_than:
        return f"replaced {_days(now - ended)} ago, it stays until {(ended + older_than).date()}", True
    for other in runs:
        if other.state not in ("committed", "rolled-back"):
            return f"run {other.id} is not over: it may have to go back", False
    for decision in run.plan.decisions:
        target = decision.target
        if target is not None and name_key(decision.source.model) == name_key(old.of):
            if names.digest(target.model) is None:
                return f"{target.model}, which replaced it, is gone", False
            for name in (target.model, old.of):
                if name_key(name) in drifted:
                    return drifted[name_key(name)], False
    if backup_digest(old.name) is not None and names.digest(old.of) == old.digest:
        return None, False  # the name means the old model again, so its backup is one too many
    return _cannot_be_had_again(run, old, available)


def _cannot_be_had_again(run: Run, old: Old, available: Callable[[str], str | None]) -> tuple[str | None, bool]:
    decision = next((d for d in run.plan.decisions if name_key(d.source.model) == name_key(old.of)), None)
    if decision is not None and decision.source.custom:
        return f"{old.of} is a model of your own: it cannot be pulled again", True
    try:
        there = available(Name.parse(old.of).short)
    except LlamaexitError as error:
        return f"cannot tell whether it could be pulled again: {error.message}", True
    if there is None:
        return f"{old.of} is not in its registry: it could not be pulled again", True
    if there != old.digest:
        return f"{old.of} is another build in its registry now: this one could not be pulled again", True
    return None, False


def _days(age: dt.timedelta) -> str:
    return f"{age.days} days" if age.days != 1 else "1 day"


def _freed(going: Sequence[Old], models: Sequence[InstalledModel]) -> tuple[int, bool]:
    """Bytes that nothing else uses once these names are gone; the most it can be where layers are not known."""
    names = {name_key(old.name) for old in going}
    leaving = [model for model in models if name_key(model.name) in names]
    staying = [model for model in models if name_key(model.name) not in names]
    if len(leaving) == len(names) and all(model.layers for model in (*leaving, *staying) if model.remote is None):
        used = {layer.digest for model in staying for layer in model.layers}
        layers = {layer.digest: layer.size for model in leaving for layer in model.layers}
        return sum(size for digest, size in layers.items() if digest not in used), True
    digests = {old.digest: old.size for old in going}
    return sum(digests.values()), False
