"""The way back: every name means again what it meant before the run.

A rollback undoes only what the run did. A name that somebody else has changed since is left as it is, and said so. Old
builds come back by copying their backup, never by building them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llamaexit.errors import HALFWAY, LlamaexitError
from llamaexit.jsonable import jsonable
from llamaexit.migration.engine import ending, tools_for
from llamaexit.migration.events import Listener, Noted, RunBegan, unheard
from llamaexit.migration.failures import Refused, StepFailed
from llamaexit.migration.fold import before_in, fold, made_in
from llamaexit.migration.interrupt import Interrupts
from llamaexit.migration.journal import Journal, Record
from llamaexit.migration.lock import locked
from llamaexit.migration.names import backup_digest, backup_name
from llamaexit.migration.record import Failure, Run, RunSummary
from llamaexit.migration.runs import directory_of, history, journal_of, load_run
from llamaexit.migration.work import PAUSES, Listed, True_, Work
from llamaexit.planning.sources import STAGE_NAMESPACE, is_ours
from llamaexit.recipes.names import name_key

if TYPE_CHECKING:
    from llamaexit.migration.options import Place
    from llamaexit.migration.world import Names


@dataclass(frozen=True, slots=True)
class Undoing:
    """One thing to undo. restore: back to `digest`. remove: a name that was not there before."""

    id: str
    title: str
    name: str
    digest: str | None
    purge: bool = False


def undoings(records: Sequence[Record], *, purge: bool) -> tuple[Undoing, ...]:
    """What undoing a run consists of, the last change first. Pure."""
    before = before_in(records)
    undone = {str(record["name"]) for record in records if record["event"] in ("undone", "purged")}
    changed: dict[str, Record] = {}
    staged: dict[str, None] = {}
    pulled: dict[str, Record] = {}
    for record in records:
        if record["event"] not in ("intent", "done") or record.get("already") or not record.get("name"):
            continue
        name, step = str(record["name"]), str(record.get("step", ""))
        if step.startswith("switch "):
            changed[name] = record
        elif step.startswith("build "):
            staged[name] = None
        elif step.startswith("pull "):
            pulled[name] = record
    found: list[Undoing] = []
    for name in reversed(changed):
        found.append(_restore(name, before.get(name)))
    for name in pulled:
        if before.get(name) is not None:
            found.append(_restore(name, before[name]))
    found += [Undoing(f"remove {name}", "remove a name a model was prepared under", name, None) for name in staged]
    if purge:
        found += [
            Undoing(f"remove {name}", f"remove {name}, which the run pulled", name, None, purge=True)
            for name in pulled
            if before.get(name) is None
        ]
        kept = {str(r["kept"]): str(r["name"]) for r in records if r["event"] == "done" and r.get("kept")}
        found += [
            Undoing(
                f"remove {backup_name(digest)}", f"remove the backup of {name}", backup_name(digest), None, purge=True
            )
            for digest, name in kept.items()
        ]
    return tuple(undoing for undoing in found if undoing.name not in undone)


def _restore(name: str, digest: str | None) -> Undoing:
    title = f"let {name} mean the old {digest[:12]} again" if digest else f"remove {name}, which was not there before"
    return Undoing(f"restore {name}", title, name, digest)


def roll_back(
    run: str, place: Place, listener: Listener = unheard, *, purge: bool = False, pauses: Sequence[float] = PAUSES
) -> Run:
    """Undo a run, wherever it stopped. With `purge`, what it downloaded and its backups go, too.

    Raises Refused, Locked, OllamaError or JournalError while nothing has begun; after that the run that is returned
    says in its `failure` and `conflicts` what could not be undone.
    """
    with locked(place.state, place.host, run), Journal.reopen(journal_of(place.state, run)) as journal:
        folder = directory_of(place.state, run)
        told = fold(folder, journal.records)
        if told.host != place.host:
            raise Refused(f"run {run} is about {told.host}, not {place.host}", hint=f"--host {told.host}")
        if told.state == "rolled-back" and not purge:
            raise Refused(f"run {run} was rolled back already", hint=f"llamaexit show {run}")
        with tools_for(place) as tools:
            tools.server.version()
            todo = undoings(journal.records, purge=purge)
            journal.append(
                "rollback", purge=purge, steps=[{"id": u.id, "title": u.title, "phase": "undo"} for u in todo]
            )
            with Interrupts(f"left at once; go on with: llamaexit rollback {run}") as interrupts:
                work = Work(
                    run, folder, place, tools, journal, interrupts, listener, before_in(journal.records), pauses=pauses
                )
                with ending(work, "rollback"):
                    work.tell(RunBegan(run, "rollback", tuple(undoing.title for undoing in todo)))
                    _undo_all(work, todo)
        return load_run(place.state, run)


def _undo_all(work: Work, todo: Sequence[Undoing]) -> None:
    conflicts: list[str] = []
    failure: Failure | None = None
    failed: list[StepFailed] = []
    for number, undoing in enumerate(todo, 1):
        step = Listed(undoing.id, undoing.title, "undo", number, len(todo))
        why_not = _somebody_elses(work, work.look(), undoing)
        if why_not is not None:
            work.leave_out(step, why_not)
            if not undoing.purge:
                # what a purge keeps is no conflict: nobody changed it
                work.note("conflict", name=undoing.name, text=why_not)
                work.tell(Noted(why_not, "warning"))
                conflicts.append(undoing.name)
            continue
        try:
            _undo(work, step, undoing)
        except StepFailed as error:
            # one name that cannot come back must not keep the others from it
            failed.append(error)
    if failed:
        words = "; ".join(error.message for error in failed)
        failure = Failure(failed[0].kind, words, failed[0].hint, HALFWAY)
        work.note("ended", state="rolling-back", failure=jsonable(failure))
        return
    if conflicts:
        failure = Failure(
            "conflict",
            f"left as they are, since somebody else changed them: {', '.join(conflicts)}",
            "the old models are kept; llamaexit show names their backups",
            HALFWAY,
        )
    work.note("ended", state="rolled-back", failure=jsonable(failure))


def _undo(work: Work, step: Listed, undoing: Undoing) -> None:
    name, digest = undoing.name, undoing.digest

    def true(names: Names) -> True_ | None:
        if names.digest(name) != digest:
            return None
        return True_(f"{name} is {digest[:12]} again" if digest else f"{name} is gone")

    def ready(names: Names) -> dict[str, Any]:
        if digest is not None and names.digest(backup_name(digest)) != digest:
            raise StepFailed(
                "no-backup",
                f"the backup of {name} ({digest[:12]}) is gone: it cannot be brought back",
                hint=f"make {name} again from your own files, or pull it",
            )
        return {"name": name}

    def act() -> None:
        if digest is not None:
            work.tools.changes.copy(backup_name(digest), name)
        else:
            work.tools.changes.delete(name)

    work.perform(step, true=true, ready=ready, act=act)
    if not undoing.purge:
        work.note("undone", name=name)
    else:
        work.note("purged", name=name)


def _somebody_elses(work: Work, names: Names, undoing: Undoing) -> str | None:
    """Why a name is not ours to put back, or None.

    A name that is not listed after the run announced a change of it may be one whose manifest a killed server left
    empty: copying the backup over it heals it.
    """
    name, now = undoing.name, names.digest(undoing.name)
    if now is None or now == undoing.digest:
        return None
    if undoing.purge:
        return _still_needed(work, names, undoing)
    if name.lower().startswith(f"{STAGE_NAMESPACE}/") or now in made_in(work.journal.records, name):
        return None
    return f"{name} is {now[:12]} now, which this run did not make: left as it is"


def _still_needed(work: Work, names: Names, undoing: Undoing) -> str | None:
    """Why something must not go with a purge, or None."""
    name = undoing.name
    digest = backup_digest(name)
    if digest is not None:
        elsewhere = any(d == digest and not is_ours(other) for other, d in names.all().items())
        if not elsewhere:
            return f"{name} is the only copy of an old model: kept"
        # names of one digest share a backup, and the copy under the other name may be changed at any time
        user = next((other.id for other in _standing_runs(work) if name in _backups_of(work, other)), None)
        return f"run {user} goes back by {name}: kept" if user is not None else None
    if names.digest(name) not in made_in(work.journal.records, name):
        return f"{name} is {(names.digest(name) or '')[:12]} now, which this run did not make: kept"
    for other in _standing_runs(work):
        if name_key(name) in {name_key(target) for _, target in other.models}:
            return f"run {other.id} relies on {name}: kept"
    return None


def _standing_runs(work: Work) -> list[RunSummary]:
    """The other runs that were not rolled back."""
    return [other for other in history(work.place.state) if other.id != work.run and other.state != "rolled-back"]


def _backups_of(work: Work, other: RunSummary) -> set[str]:
    """The backup names another run goes back by; none where its journal cannot be read, so that it cannot go back."""
    try:
        return {backup.name for backup in load_run(work.place.state, other.id).backups}
    except LlamaexitError:
        return set()
