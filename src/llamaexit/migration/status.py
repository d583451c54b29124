"""Is everything still as the migrations left it? Reads journals and names, changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.errors import LlamaexitError, OllamaError
from llamaexit.migration.failures import failure_of
from llamaexit.migration.names import backup_digest
from llamaexit.migration.runs import history, load_run
from llamaexit.migration.world import Names, look
from llamaexit.planning.sources import STAGE_NAMESPACE
from llamaexit.recipes.names import name_key

if TYPE_CHECKING:
    from llamaexit.migration.options import Place
    from llamaexit.migration.record import Change, Failure, Run, RunSummary


@dataclass(frozen=True, slots=True)
class Drift:
    """A name that no longer means what a run made of it. `found`: its digest now, None when it is gone."""

    name: str
    run: str
    made: str
    found: str | None
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup in Ollama. `of`, `run`: which name it keeps and since which run; None when no journal here tells."""

    name: str
    digest: str
    of: str | None
    run: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """Where things stand on one Ollama.

    unanswered: why the server could not be asked, in which case nothing is said about names. damaged: runs whose
    journal cannot be read. left_over: names that models were prepared under, of runs that are over.
    """

    host: str
    runs: int
    open: tuple[RunSummary, ...]
    drifts: tuple[Drift, ...]
    backups: tuple[Kept, ...]
    left_over: tuple[str, ...]
    damaged: tuple[RunSummary, ...]
    unanswered: Failure | None = None

    @property
    def clean(self) -> bool:
        """Whether there is nothing to look after."""
        return not (self.open or self.drifts or self.left_over or self.damaged or self.unanswered)


def status(place: Place) -> Status:
    """Compare what runs made with what is there. Raises JournalError when the state folder cannot be read."""
    from llamaexit.migration.engine import tools_for

    summaries = history(place.state)
    damaged = tuple(summary for summary in summaries if not summary.host)
    here = tuple(summary for summary in summaries if summary.host == place.host)
    open_runs = tuple(s for s in here if s.state not in ("committed", "rolled-back"))
    try:
        with tools_for(place) as tools:
            names = look(tools.server)
    except OllamaError as error:
        return Status(place.host, len(here), open_runs, (), (), (), damaged, failure_of(error))
    runs = [*_loaded(place, here)]
    active = {summary.id for summary in open_runs}
    return Status(
        host=place.host,
        runs=len(here),
        open=open_runs,
        drifts=tuple(drifts(runs, names)),
        backups=tuple(_backups(runs, names)),
        left_over=tuple(name for name in names.all() if _left_over(name, active)),
        damaged=damaged,
    )


def drifts(runs: Iterable[Run], names: Names) -> Iterable[Drift]:
    """Names that are not what the latest run that changed them made of them. `runs`: newest first."""
    seen: set[str] = set()
    for run in runs:
        for change in run.changes if run.state == "committed" else ():
            key = name_key(change.name)
            if key in seen:
                continue
            seen.add(key)
            found = names.digest(change.name)
            if found != change.after:
                yield Drift(change.name, run.id, change.after, found, *_words(run, change, found))


def _words(run: Run, change: Change, found: str | None) -> tuple[str, str]:
    again = f"llamaexit show {run.id} tells what it was"
    if found is None:
        return f"{change.name} is gone", again
    if found == change.before:
        why = "a pull or a copy brought it back" if change.what in ("taken-over", "alias") else "it was brought back"
        return f"{change.name} means the old model again: {why}", "plan again, and migrate again"
    if change.what in ("pulled", "updated"):
        return f"{change.name} is another build than the one that was tested: its tag was pulled again", (
            f"llamaexit smoke {change.name} tests it"
        )
    return f"{change.name} was changed by somebody else", again


def _loaded(place: Place, summaries: Iterable[RunSummary]) -> Iterable[Run]:
    for summary in summaries:
        try:
            yield load_run(place.state, summary.id)
        except LlamaexitError:
            continue  # among the damaged, or its plan is: `llamaexit show` says what is wrong with it


def _backups(runs: list[Run], names: Names) -> Iterable[Kept]:
    known = {backup.digest: (backup.of, run.id) for run in reversed(runs) for backup in run.backups}
    for name, digest in sorted(names.all().items()):
        if backup_digest(name) is not None:
            of, run = known.get(digest, (None, None))
            yield Kept(name, digest, of, run)


def _left_over(name: str, active: set[str]) -> bool:
    namespace, _, rest = name.lower().partition("/")
    return namespace == STAGE_NAMESPACE and rest.rpartition("-")[0] not in active
