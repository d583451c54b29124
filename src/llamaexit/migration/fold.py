"""From the records of a journal to the run they tell of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args

from llamaexit.errors import INTERRUPTED, LlamaexitError
from llamaexit.migration.failures import JournalError, failure_of
from llamaexit.migration.journal import Record, read_records
from llamaexit.migration.names import backup_name
from llamaexit.migration.options import MigrationOptions
from llamaexit.migration.record import (
    Backup,
    Change,
    Failure,
    Run,
    RunState,
    RunSummary,
    StepRecord,
    StepState,
    Tested,
)
from llamaexit.planning.planfile import load_plan
from llamaexit.smoke.model import Comparison

T = TypeVar("T")


def fold(folder: Path, records: Sequence[Record]) -> Run:
    """The whole run. Raises JournalError for records that make no run, DocumentError for a plan that is damaged."""
    with _readable(folder):
        return _folded(folder, records)


def _folded(folder: Path, records: Sequence[Record]) -> Run:
    begin = _begin(folder, records)
    plan = load_plan(folder / "plan.json")
    return Run(
        id=folder.name,
        state=_state(records),
        host=str(begin["host"]),
        ollama_version=begin.get("ollama_version"),
        llamaexit_version=str(begin["llamaexit"]),
        began_at=str(begin["at"]),
        ended_at=_ended_at(records),
        plan=plan,
        options=options_in(records),
        steps=_steps(records),
        tests=tuple(_tests(folder, records)),
        changes=_changes(begin, records),
        backups=tuple(_backups(records)),
        left_out=tuple((str(source), str(why)) for source, why in begin.get("left_out", ())),
        conflicts=tuple(
            (str(r["name"]), str(r["text"])) for r in _since_last_start(records) if r["event"] == "conflict"
        ),
        failure=_failure(begin, records),
    )


def summarised(folder: Path) -> RunSummary:
    """One line about a run, without its plan and test results. Never raises: what is wrong becomes its failure."""
    try:
        records = read_records(folder / "journal.jsonl")
        with _readable(folder):
            begin = _begin(folder, records)
            models = tuple((str(source), str(target)) for source, target in begin.get("models", ()))
            return RunSummary(
                folder.name, _state(records), str(begin["host"]), str(begin["at"]), _ended_at(records), models,
                _failure(begin, records),
            )  # fmt: skip
    except LlamaexitError as error:
        return RunSummary(folder.name, "unfinished", "", "", None, (), failure_of(error))


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """What records that are of another form than we write end in. Raises JournalError."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise JournalError(
            f"the journal of run {folder.name} is damaged: {told}", hint="put it right from a backup, or move it away"
        ) from error


def options_in(records: Sequence[Record]) -> MigrationOptions:
    """The options in force: those the run began with, or was resumed with since."""
    given = [record["options"] for record in records if record["event"] in _STARTS and "options" in record]
    return as_type(MigrationOptions, given[-1])


def before_in(records: Sequence[Record]) -> dict[str, str | None]:
    """What every name the run may write to meant when it began."""
    return dict(records[0].get("before", {}))


def made_in(records: Sequence[Record], name: str) -> set[str]:
    """Digests that the run gave a name, or was about to give it."""
    return {str(r["after"]) for r in records if r.get("name") == name and r.get("after") and r["event"] in _OURS}


_OURS = frozenset({"intent", "done"})


def switched(records: Sequence[Record]) -> bool:
    """Whether the run has begun to change what names mean, and has not undone it."""
    begun = False
    for record in records:
        if record["event"] == "intent" and str(record.get("step", "")).startswith("switch "):
            begun = True
        elif record["event"] == "ended" and record["state"] == "rolled-back":
            begun = False
    return begun


def as_type(kind: type[T], value: Any) -> T:
    """A dataclass of ours from its JSON. Raises JournalError."""
    from pydantic import ValidationError

    try:
        made: T = _adapter(kind).validate_python(value)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise JournalError(f"a journal with a damaged {kind.__name__}: {where}: {first['msg']}") from error
    return made


@cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _begin(folder: Path, records: Sequence[Record]) -> Record:
    if not records or records[0]["event"] != "begin":
        raise JournalError(
            f"{folder.name}: its journal is empty: the run ended before it began", hint="nothing to undo"
        )
    missing = [key for key in ("run", "host", "at", "llamaexit", "options") if key not in records[0]]
    if missing:
        raise JournalError(f"{folder.name}: the first record of its journal lacks {', '.join(missing)}")
    return records[0]


_STARTS = frozenset({"begin", "resume", "rollback"})


def _since_last_start(records: Sequence[Record]) -> Sequence[Record]:
    last = max(index for index, record in enumerate(records) if record["event"] in _STARTS)
    return records[last:]


def _state(records: Sequence[Record]) -> RunState:
    latest = _since_last_start(records)
    ended = next((record for record in reversed(latest) if record["event"] == "ended"), None)
    if ended is not None:
        if ended["state"] not in get_args(RunState):
            raise ValueError(f"no run is {ended['state']!r}")
        state: RunState = ended["state"]
        return state
    return "rolling-back" if latest[0]["event"] == "rollback" else "unfinished"


def _ended_at(records: Sequence[Record]) -> str | None:
    ended = [record for record in _since_last_start(records) if record["event"] in ("ended", "interrupted")]
    return str(ended[-1]["at"]) if ended else None


def _failure(begin: Record, records: Sequence[Record]) -> Failure | None:
    latest = _since_last_start(records)
    for record in reversed(latest):
        if record["event"] == "ended" and record.get("failure"):
            return as_type(Failure, record["failure"])
        if record["event"] == "interrupted":
            command = "rollback" if latest[0]["event"] == "rollback" else "resume"
            return Failure("interrupted", "interrupted", f"llamaexit {command} {begin['run']}", INTERRUPTED)
    return None


def _steps(records: Sequence[Record]) -> tuple[StepRecord, ...]:
    """Every step that was planned, in order, as far as it came; then those of a rollback."""
    titles: dict[str, tuple[str, str]] = {}
    states: dict[str, tuple[StepState, str, float | None]] = {}
    for record in records:
        for step in record.get("steps", ()) if record["event"] in _STARTS else ():
            titles[step["id"]] = (step["title"], step["phase"])
        if record["event"] in ("intent", "done", "failed", "left-out") and record.get("step") in titles:
            state: StepState = "begun" if record["event"] == "intent" else record["event"]
            states[record["step"]] = (state, str(record.get("detail", "")), record.get("seconds"))
    nothing: tuple[StepState, str, float | None] = ("waiting", "", None)
    return tuple(StepRecord(step, title, phase, *states.get(step, nothing)) for step, (title, phase) in titles.items())


def _tests(folder: Path, records: Sequence[Record]) -> Iterable[Tested]:
    from llamaexit.migration.testing import load_result

    verdicts: dict[str, Record] = {}
    for record in records:
        if record["event"] == "verdict":
            verdicts[record["source"]] = record
    for source, record in verdicts.items():
        old, new = (load_result(folder, int(record["number"]), role) for role in ("old", "new"))
        yield Tested(
            source, str(record["target"]), old, new, as_type(Comparison, record["comparison"]),
            bool(record.get("accepted")),
        )  # fmt: skip


def _changes(begin: Mapping[str, Any], records: Sequence[Record]) -> tuple[Change, ...]:
    before = begin.get("before", {})
    changes: dict[str, Change] = {}
    for record in records:
        name = record.get("name")
        if record["event"] in ("undone", "purged"):
            changes.pop(str(name), None)
        elif record["event"] == "done" and record.get("what") and not record.get("already"):
            changes[str(name)] = Change(
                str(name), before.get(name), str(record["after"]), record["what"], str(record["target"]),
                record.get("source"),
            )  # fmt: skip
    return tuple(changes.values())


def _backups(records: Sequence[Record]) -> Iterable[Backup]:
    kept: dict[str, Backup] = {}
    for record in records:
        if record["event"] == "done" and record.get("kept"):
            kept[record["name"]] = Backup(backup_name(record["kept"]), record["name"], record["kept"])
        elif record["event"] == "purged":
            kept = {name: backup for name, backup in kept.items() if backup.name != record["name"]}
    return kept.values()
