"""From records to runs: any beginning of a real journal is a run, what is new in it is ignored, and damage is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scene import BOT, OLD, Scene, llama_models, scene_at

from llamaexit.errors import INTERRUPTED, DocumentError, LlamaexitError
from llamaexit.migration.failures import JournalError
from llamaexit.migration.fold import fold
from llamaexit.migration.journal import Record, read_records
from llamaexit.migration.record import Run, RunState, StepState
from llamaexit.migration.runs import directory_of, history, journal_of, load_run
from standin import Registry, Standin, Store, pull_faults
from standin.brains import LLAMA, says_nothing

STATES = frozenset(get_args(RunState))
STEP_STATES = frozenset(get_args(StepState))
QUICKLY = settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)

MISSING = object()
GONE = st.just(MISSING)


class Real:
    """A run that really was: its folder, its records, and the state it ended in."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder = folder
        self.records: list[Record] = read_records(folder / "journal.jsonl")
        self.state = run.state


def _played(folder: Path, kind: str) -> Real:
    """Play a run to its end, on a server of its own."""
    with Standin(Store.of(*llama_models()), registry=Registry(), behaviour=LLAMA) as standin:
        scene = scene_at(folder / kind, standin)
        run = _run(scene, kind)
        return Real(directory_of(scene.place.state, run.id), run)


def _run(scene: Scene, kind: str) -> Run:
    options: dict[str, Any] = {"take_over": True, "aliases": {"team-chat": OLD}}
    match kind:
        case "a run that was carried through":
            return scene.migrate(**options, suite="quick")
        case "a run that was staged and resumed":
            return scene.resume(scene.migrate(**options, stage=True).id)
        case "a run whose pull failed":
            scene.standin.break_pull(pull_faults.fail(pull_faults.BAD_PROXY), times=None)
            return scene.migrate(**options)
        case "a run that was no go":
            (target,) = scene.targets
            scene.standin.behaviours[target] = LLAMA.but(says_nothing)
            return scene.migrate(**options, suite="quick")
        case "a run that was rolled back":
            return scene.roll_back(scene.migrate(**options).id)
        case "a run that was purged":
            return scene.roll_back(scene.migrate(**options).id, purge=True)
    raise AssertionError(kind)


KINDS = {
    "a run that was carried through": "committed",
    "a run that was staged and resumed": "committed",
    "a run whose pull failed": "failed",
    "a run that was no go": "failed",
    "a run that was rolled back": "rolled-back",
    "a run that was purged": "rolled-back",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Real]]:
    """One run of each kind."""
    patch = pytest.MonkeyPatch()
    patch.setenv("NO_PROXY", "*")
    folder = tmp_path_factory.mktemp("real")
    yield {kind: _played(folder, kind) for kind in KINDS}
    patch.undo()


@pytest.fixture
def damaged(runs: dict[str, Real], tmp_path: Path) -> Path:
    """The state folder of a run, a copy that may be damaged; it holds the run of another kind beside it."""
    for kind in ("a run that was carried through", "a run whose pull failed"):
        shutil.copytree(runs[kind].folder, directory_of(tmp_path, runs[kind].folder.name))
    return directory_of(tmp_path, runs["a run that was carried through"].folder.name)


def sound(run: Run) -> None:
    """What is true of every run, however far it came."""
    assert run.state in STATES
    assert {step.state for step in run.steps} <= STEP_STATES
    assert len({step.id for step in run.steps}) == len(run.steps)
    assert run.failure is None or run.failure.exit_code in range(1, INTERRUPTED + 1)
    assert (run.state == "committed") <= (run.ended_at is not None)
    assert run.summary.models


# -- what really was -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_run_is_what_it_was(runs: dict[str, Real], kind: str) -> None:
    run = fold(runs[kind].folder, runs[kind].records)
    sound(run)
    assert run.state == runs[kind].state == KINDS[kind]


@QUICKLY
@given(data=st.data())
def test_any_beginning_of_a_journal_is_a_run(runs: dict[str, Real], data: st.DataObject) -> None:
    real = runs[data.draw(st.sampled_from(sorted(KINDS)))]
    length = data.draw(st.integers(1, len(real.records)))
    run = fold(real.folder, real.records[:length])
    sound(run)
    ended = real.records[length - 1]["event"] == "ended"
    assert run.state == real.records[length - 1]["state"] if ended else run.state in ("unfinished", "rolling-back")


@QUICKLY
@given(data=st.data())
def test_events_and_fields_of_later_versions_are_ignored(runs: dict[str, Real], data: st.DataObject) -> None:
    real = runs[data.draw(st.sampled_from(sorted(KINDS)))]
    known = {key for record in real.records for key in record} - {"event", "at"}
    fresh = st.dictionaries(st.text(min_size=1, max_size=8).map(lambda text: f"x-{text}"), JSON, max_size=3)
    records = [dict(record) for record in real.records]
    records[data.draw(st.integers(0, len(records) - 1))].update(data.draw(fresh))
    for _ in range(data.draw(st.integers(1, 3))):
        facts = data.draw(st.dictionaries(st.sampled_from(sorted(known)), JSON, max_size=4))
        place = data.draw(st.integers(1, len(records)))
        records.insert(place, {**facts, "event": "of-a-later-version", "at": "2030-01-01T00:00:00+00:00"})
    assert fold(real.folder, records) == fold(real.folder, real.records)


def test_change_whose_confirmation_a_crash_took_is_one_all_the_same(tmp_path: Path) -> None:
    with Standin(Store.of(*llama_models()), registry=Registry()) as standin:
        scene = scene_at(tmp_path, standin)
        run = scene.migrate(take_over=True)
        path = journal_of(scene.place.state, run.id)
        lines = path.read_bytes().splitlines(keepends=True)
        last = next(n for n, line in enumerate(lines) if b'"done"' in line and f'"switch {BOT}"'.encode() in line)
        path.write_bytes(b"".join(lines[:last]))
        assert BOT not in {change.name for change in load_run(scene.place.state, run.id).changes}
        assert scene.resume(run.id).changes == run.changes


# -- damage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plan.json", "tests/1-old.json", "tests/1-new.json", "journal.jsonl"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe\n", id="no text"),
        pytest.param(b"[]\n", id="other JSON"),
        pytest.param(b'{"schema": "llamaexit.plan/1"}\n', id="incomplete"),
        pytest.param(b"[" * 100_000 + b"\n", id="nested too deeply"),
    ],
)
def test_damaged_file_of_a_run_is_one_clear_error(damaged: Path, name: str, content: bytes) -> None:
    (damaged / name).write_bytes(content)
    with pytest.raises(LlamaexitError) as caught:
        load_run(damaged.parent.parent, damaged.name)
    assert isinstance(caught.value, (JournalError, DocumentError))
    assert "\n" not in caught.value.message
    assert damaged.name in caught.value.message


def test_missing_plan_of_a_run_is_one_clear_error(damaged: Path) -> None:
    (damaged / "plan.json").unlink()
    with pytest.raises(DocumentError, match="No such file"):
        load_run(damaged.parent.parent, damaged.name)


@QUICKLY
@given(kind=st.sampled_from(sorted(KINDS)), which=st.integers(0, 999), key=st.integers(0, 99), value=JSON | GONE)
def test_value_of_another_kind_is_a_clear_error_or_no_matter(
    runs: dict[str, Real], tmp_path: Path, kind: str, which: int, key: int, value: Any
) -> None:
    real = runs[kind]
    records = [dict(record) for record in real.records]
    record = records[which % len(records)]
    keys = sorted(record.keys() - {"event", "schema"})
    name = keys[key % len(keys)]
    record[name] = value
    if value is MISSING:
        del record[name]
    try:
        fold(real.folder, records)
    except (JournalError, DocumentError) as error:
        assert real.folder.name in error.message or "journal" in error.message
    folder = directory_of(tmp_path / kind, real.folder.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    assert [summary.id for summary in history(tmp_path / kind)] == [real.folder.name]


@QUICKLY
@given(content=st.binary(max_size=200) | st.lists(JSON).map(lambda found: "\n".join(map(json.dumps, found)).encode()))
def test_history_has_runs_with_any_journal(runs: dict[str, Real], tmp_path: Path, content: bytes) -> None:
    sound_one = runs["a run whose pull failed"].folder
    shutil.copytree(sound_one, directory_of(tmp_path, sound_one.name), dirs_exist_ok=True)
    broken = directory_of(tmp_path, "20000101-000000-0000")
    broken.mkdir(exist_ok=True)
    (broken / "journal.jsonl").write_bytes(content)
    found = history(tmp_path)
    assert [summary.id for summary in found] == [sound_one.name, broken.name]
    assert found[0].state == "failed" and found[0].failure is not None
    assert found[1].failure is not None
