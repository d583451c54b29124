"""Carrying out a plan, and going on with a run: the order of the steps, and what each outcome means for the rest.

Back up, pull, prepare, test; only when all of that is done for every model, switch. See `steps` for the list, `work`
for how one step is carried out, `undo` for the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llamaexit
from llamaexit.errors import HALFWAY, LlamaexitError
from llamaexit.jsonable import dump, jsonable
from llamaexit.migration.events import Listener, Noted, RunBegan, unheard
from llamaexit.migration.failures import JournalError, Refused, failure_of
from llamaexit.migration.fold import before_in, fold, options_in, switched
from llamaexit.migration.interrupt import Interrupts
from llamaexit.migration.journal import SCHEMA, Journal
from llamaexit.migration.lock import locked
from llamaexit.migration.options import MigrationOptions, Place
from llamaexit.migration.recheck import recheck
from llamaexit.migration.record import Failure, Run
from llamaexit.migration.runs import directory_of, history, journal_of, load_run, new_run_id
from llamaexit.migration.staging import Downloads, back_up, build, fetch, free_disk
from llamaexit.migration.steps import Job, PlannedStep, Preview, preview
from llamaexit.migration.switching import check_unchanged, switch, tidy
from llamaexit.migration.testing import new_seed, test_job
from llamaexit.migration.work import PAUSES, Listed, Tools, Work
from llamaexit.migration.world import Names, look

if TYPE_CHECKING:
    from llamaexit.planning.plan import Plan

__all__ = ["Preview", "migrate", "preview", "resume", "tools_for"]


def tools_for(place: Place, stall_seconds: float = 120.0) -> Tools:
    """The ways to the Ollama of a place."""
    from llamaexit.ollama.changes import Changes
    from llamaexit.ollama.inference import Inference
    from llamaexit.ollama.server import Server

    return Tools(
        Server(place.host, place.timeout, api_key=place.api_key),
        Changes(place.host, timeout=place.timeout, stall_timeout=stall_seconds, api_key=place.api_key),
        Inference(place.host, api_key=place.api_key),
    )


def migrate(
    plan: Plan,
    options: MigrationOptions,
    place: Place,
    listener: Listener = unheard,
    *,
    pauses: Sequence[float] = PAUSES,
) -> Run:
    """Carry out a plan.

    Raises Refused, Stale, Locked, UsageError, OllamaError or JournalError while nothing has begun. Once a run has begun
    it is returned, and its `failure` says what stopped it, if anything did.
    """
    steps = preview(plan, options)
    if not steps.jobs:
        raise Refused("the plan has nothing to carry out", hint=_nothing_to_do(steps))
    run = new_run_id()
    with locked(place.state, place.host, run), tools_for(place, options.stall_seconds) as tools:
        _refuse_unfinished(place)
        version = tools.server.version()
        names = look(tools.server)
        recheck(plan, steps, names, version, free_disk(place.store), may_pull=options.pull)
        before = _before(steps, names)
        folder = directory_of(place.state, run)
        with Journal.create(journal_of(place.state, run)) as journal:
            _write_plan(folder / "plan.json", plan)
            journal.append(
                "begin",
                schema=SCHEMA,
                llamaexit=llamaexit.__version__,
                run=run,
                host=place.host,
                ollama_version=version,
                plan_id=plan.plan_id,
                options=jsonable(options),
                before=before,
                seed=new_seed(),
                models=[[job.source, job.target.model] for job in steps.jobs],
                steps=[{"id": step.id, "title": step.title, "phase": step.phase} for step in steps.steps],
                left_out=[list(pair) for pair in steps.left_out],
            )
            return _carry_out(run, folder, place, tools, journal, steps, options, listener, "migrate", pauses)


def resume(run: str, place: Place, listener: Listener = unheard, *, pauses: Sequence[float] = PAUSES) -> Run:
    """Go on with a run that was interrupted, failed, or stopped before the switch as it was told to.

    Steps that are true already are skipped. Raises as `migrate` does, and Refused for a run that is done or undone.
    """
    with locked(place.state, place.host, run), Journal.reopen(journal_of(place.state, run)) as journal:
        folder = directory_of(place.state, run)
        told = fold(folder, journal.records)
        if told.state == "committed":
            raise Refused(f"run {run} is done", hint=f"llamaexit show {run}")
        if told.state in ("rolling-back", "rolled-back"):
            raise Refused(f"run {run} was rolled back", hint="plan again, and migrate again")
        if told.host != place.host:
            raise Refused(f"run {run} is about {told.host}, not {place.host}", hint=f"--host {told.host}")
        options = replace(options_in(journal.records), stage=False)
        steps = preview(told.plan, options)
        with tools_for(place, options.stall_seconds) as tools:
            tools.server.version()
            journal.append(
                "resume",
                options=jsonable(options),
                steps=[{"id": step.id, "title": step.title, "phase": step.phase} for step in steps.steps],
            )
            return _carry_out(run, folder, place, tools, journal, steps, options, listener, "resume", pauses)


def _carry_out(
    run: str,
    folder: Path,
    place: Place,
    tools: Tools,
    journal: Journal,
    steps: Preview,
    options: MigrationOptions,
    listener: Listener,
    kind: Any,
    pauses: Sequence[float],
) -> Run:
    with Interrupts(f"left at once; go on with: llamaexit resume {run}") as interrupts:
        work = Work(run, folder, place, tools, journal, interrupts, listener, before_in(journal.records), pauses=pauses)
        with ending(work, "resume"):
            work.tell(RunBegan(run, kind, tuple(step.title for step in steps.steps)))
            _Course(work, steps, options).take()
    return load_run(place.state, run)


@contextmanager
def ending(work: Work, command: str) -> Iterator[None]:
    """Write down how a run ends when it does not end well. A journal that cannot be written is the end at once."""
    try:
        yield
    except KeyboardInterrupt:
        work.cancelled.set()
        # while the very last record was written, there was nothing left to interrupt
        if work.journal.records[-1]["event"] != "ended":
            work.journal.append("interrupted")
    except JournalError:
        raise
    except LlamaexitError as error:
        state = "failed" if command == "resume" else "rolling-back"
        work.journal.append("ended", state=state, failure=jsonable(_told(work, failure_of(error), command)))


def _told(work: Work, failure: Failure, command: str) -> Failure:
    """A failure with the exit code and the way on that fit how far the run came."""
    if command == "rollback":
        return replace(failure, exit_code=HALFWAY, hint=f"llamaexit rollback {work.run} goes on")
    if switched(work.journal.records):
        on = f"llamaexit resume {work.run} goes on, llamaexit rollback {work.run} goes back"
        return replace(failure, exit_code=HALFWAY, hint=on)
    again = f"llamaexit resume {work.run}"
    if failure.hint is None:
        return replace(failure, hint=f"{again} tries again")
    final = work.run in failure.hint or failure.code in _FINAL
    return failure if final else replace(failure, hint=f"{failure.hint}; then {again}")


_FINAL = frozenset({"moved", "changed", "no-backup"})
"""Failures after which this plan cannot be carried out any more."""


class _Course:
    """One way through the steps."""

    def __init__(self, work: Work, steps: Preview, options: MigrationOptions) -> None:
        self._work = work
        self._options = options
        self._steps = steps
        self._listed = {
            step.id: Listed(step.id, step.title, step.phase, number, len(steps.steps))
            for number, step in enumerate(steps.steps, 1)
        }
        self._failed: dict[int, LlamaexitError] = {}

    def take(self) -> None:
        """Carry out what is not true yet. Raises LlamaexitError, or KeyboardInterrupt."""
        for planned in self._of("backup"):
            back_up(self._work, self._listed[planned.id], planned.name)
        with Downloads(self._work) as downloads:
            for index, job in enumerate(self._steps.jobs):
                self._unless_it_fails(job, partial(self._stage, job, index, downloads))
        going = [job for job in self._steps.jobs if job.number not in self._failed]
        if self._options.stage:
            self._end("staged")
            return
        switches = [step for step in self._of("switch") if step.number in {job.number for job in going}]
        check_unchanged(self._work, self._work.look(), switches)
        jobs = {job.number: job for job in going}
        for step in self._of("switch"):
            if step.number not in jobs:
                self._work.leave_out(self._listed[step.id], "left as it is, since what it needs failed")
                continue
            switch(self._work, self._listed[step.id], step, jobs[step.number])
        for step in self._of("tidy"):
            tidy(self._work, self._listed[step.id], [job.number for job in self._steps.jobs if job.rebuilt])
        self._end("committed")

    def _stage(self, job: Job, index: int, downloads: Downloads) -> None:
        self._download(job, downloads)
        key = self._pull_of(job).id
        downloads.wait(key)
        for planned in self._of("build", job):
            build(self._work, self._listed[planned.id], job)
        for planned in self._of("test", job):
            self._ahead(index, downloads)
            test_job(self._work, self._listed[planned.id], job, self._options)

    def _download(self, job: Job, downloads: Downloads) -> None:
        planned = self._pull_of(job)
        options = self._options

        def pull() -> None:
            fetch(self._work, self._listed[planned.id], job, may_pull=options.pull)

        downloads.start(planned.id, pull)

    def _ahead(self, index: int, downloads: Downloads) -> None:
        """Begin the next download while this model is tested, where there is room for it."""
        following = self._steps.jobs[index + 1 :]
        if self._options.overlap and following and downloads.room_for(following[0]):
            self._download(following[0], downloads)

    def _unless_it_fails(self, job: Job, act: Callable[[], None]) -> None:
        try:
            act()
        except JournalError:
            raise
        except LlamaexitError as error:
            if not self._options.keep_going:
                raise
            self._failed[job.number] = error
            self._work.note("dropped", source=job.source, failure=jsonable(failure_of(error)))
            self._work.tell(Noted(f"{job.source}: {error.message}; going on with the others", "warning"))

    def _end(self, state: str) -> None:
        failure: Failure | None = None
        if self._failed:
            names = [job.source for job in self._steps.jobs if job.number in self._failed]
            first = next(iter(self._failed.values()))
            failure = Failure("partly", f"not migrated: {', '.join(names)}: {first.message}", first.hint, 1)
            if len(self._failed) == len(self._steps.jobs):
                state = "failed"
        self._work.note("ended", state=state, failure=jsonable(failure))

    def _of(self, kind: str, job: Job | None = None) -> list[PlannedStep]:
        return [s for s in self._steps.steps if s.kind == kind and (job is None or s.number == job.number)]

    def _pull_of(self, job: Job) -> PlannedStep:
        from llamaexit.recipes.names import name_key

        return next(s for s in self._of("pull") if name_key(s.name) == name_key(job.target.model))


def _before(steps: Preview, names: Names) -> dict[str, str | None]:
    """What every name the run may write to means now."""
    written = {step.name for step in steps.steps if step.kind in ("pull", "switch", "build", "backup")}
    return {name: names.digest(name) for name in sorted(written)}


def _write_plan(path: Path, plan: Plan) -> None:
    """The plan of a run, on the disk before the journal refers to it."""
    import os

    try:
        with path.open("xb") as file:
            file.write(dump(plan, indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise JournalError(
            f"cannot write {path}: {(error.strerror or str(error)).lower()}",
            hint="make room or rights there, or set LLAMAEXIT_STATE_DIR",
        ) from error


def _nothing_to_do(steps: Preview) -> str:
    return "; ".join(f"{source}: {why}" for source, why in steps.left_out) or "there is no Llama model in it"


def _refuse_unfinished(place: Place) -> None:
    """A run that stopped in the middle of its switch has to be brought to an end first, one way or the other."""
    for summary in history(place.state):
        if summary.host != place.host or summary.state in ("committed", "rolled-back", "staged"):
            continue
        records = _records(place, summary.id)
        if summary.state == "rolling-back" or switched(records):
            raise Refused(
                f"run {summary.id} stopped half-way",
                hint=f"llamaexit resume {summary.id} goes on with it, llamaexit rollback {summary.id} undoes it",
            )


def _records(place: Place, run: str) -> list[dict[str, Any]]:
    from llamaexit.migration.journal import read_records

    try:
        return read_records(journal_of(place.state, run))
    except JournalError:
        return []
