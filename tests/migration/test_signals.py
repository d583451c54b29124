"""^C and SIGTERM sent to a real process: what is ended, what is finished first, and that the run can go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from killing import Act, Processes
from scene import BOT, OLD, Scene

from llamaexit.errors import INTERRUPTED
from llamaexit.jsonable import dump
from llamaexit.migration import engine, journal
from llamaexit.migration.events import RunBegan
from llamaexit.migration.journal import read_records
from llamaexit.migration.options import MigrationOptions
from llamaexit.migration.runs import journal_of, load_run, run_ids
from standin import Request, pull_faults
from standin.brains import LLAMA

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows cannot send these signals to another process")
LONG = 20.0
"""Seconds after which something hangs."""
SIGNALS = pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="interrupted"), pytest.param(signal.SIGTERM, id="terminated by a service manager")],
)


class Disturbed:
    """An act in a process of its own, which signals are sent to."""

    def __init__(self, scene: Scene, folder: Path, **options: Any) -> None:
        self.scene = scene
        self.options = MigrationOptions(**{"suite": "none", **options})
        self.plan = folder / "plan.json"
        self.plan.write_bytes(dump(scene.plan))
        self.said = folder / "said"
        self.process: Any = None

    def start(self, kind: Any = "migrate", run: str = "") -> None:
        act = Act(kind, self.plan, self.options, self.scene.place.host, self.scene.place.state, run)
        # its count of records goes with whoever holds it, and the process needs it to begin
        self.process, self._written = Processes().start(act, said=self.said)

    def send(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def ended(self) -> int:
        """Its exit code."""
        self.process.join(LONG)
        assert self.process.exitcode is not None, "it hangs"
        return int(self.process.exitcode)

    @property
    def run(self) -> str:
        (run,) = run_ids(self.scene.place.state)
        return run


@pytest.fixture
def disturbed(scene: Scene, tmp_path: Path) -> Disturbed:
    return Disturbed(scene, tmp_path)


def when(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.005)


def at(scene: Scene, path: str, name: str, act: Callable[[], None], after: int = 0) -> None:
    """Do something while a request that names a model waits for its answer."""
    seen = [0]

    def watch(number: int, request: Request, phase: str) -> None:
        body = request.body or {}
        if phase == "arrived" and request.path == path and name in (body.get("model"), body.get("destination")):
            seen[0] += 1
            if seen[0] == after + 1:
                act()

    scene.standin.watch(watch)


def interrupted(scene: Scene, run: str) -> None:
    """A run whose journal and failure say that it was interrupted."""
    assert read_records(journal_of(scene.place.state, run))[-1]["event"] == "interrupted"
    failure = load_run(scene.place.state, run).failure
    assert failure is not None and (failure.code, failure.exit_code) == ("interrupted", INTERRUPTED)
    assert run in (failure.hint or "")


def half_pulled(scene: Scene) -> bool:
    return any(0 < partial.completed < partial.total for partial in scene.standin.store.partials.values())


# -- once ------------------------------------------------------------------------------------------------------------


@SIGNALS
def test_pull_is_cancelled_and_what_has_arrived_is_kept(scene: Scene, disturbed: Disturbed, number: int) -> None:
    scene.standin.break_pull(pull_faults.stall(share=0.5))
    disturbed.start()
    when(lambda: half_pulled(scene))
    disturbed.send(number)
    assert disturbed.ended() == INTERRUPTED
    scene.standin.until_idle()
    assert half_pulled(scene)
    interrupted(scene, disturbed.run)
    assert scene.initial.items() <= scene.names().items()
    resumed = scene.resume(disturbed.run)
    assert (resumed.state, resumed.failure) == ("committed", None)
    assert "pulled" in {change.what for change in resumed.changes}


@SIGNALS
def test_switch_is_finished_first(scene: Scene, disturbed: Disturbed, number: int) -> None:
    at(scene, "/api/copy", BOT, lambda: (disturbed.send(number), time.sleep(0.3))[0])
    disturbed.start()
    assert disturbed.ended() == INTERRUPTED
    interrupted(scene, disturbed.run)
    assert scene.names()[BOT] != scene.initial[BOT]
    told = load_run(scene.place.state, disturbed.run)
    assert [change.name for change in told.changes if change.what == "rebuilt"] == [BOT]
    asked = len(scene.standin.asked("/api/copy"))
    assert scene.resume(disturbed.run).state == "committed"
    assert len(scene.standin.asked("/api/copy")) == asked


@SIGNALS
def test_question_to_a_model_is_not_waited_for(scene: Scene, disturbed: Disturbed, number: int) -> None:
    scene.standin.behaviour = LLAMA
    disturbed.options = MigrationOptions(suite="quick", only=(OLD,))
    answered = threading.Event()
    at(scene, "/api/chat", OLD, lambda: (disturbed.send(number), answered.wait(LONG))[0], after=3)
    disturbed.start()
    try:
        assert disturbed.ended() == INTERRUPTED
        assert not answered.is_set()
    finally:
        answered.set()
    scene.standin.unwatch()
    interrupted(scene, disturbed.run)
    assert scene.names().keys() == scene.initial.keys() | scene.targets
    assert scene.resume(disturbed.run).state == "committed"


@SIGNALS
def test_rollback_finishes_the_name_it_is_at_and_goes_on_when_asked_again(
    scene: Scene, disturbed: Disturbed, number: int
) -> None:
    run = scene.migrate(take_over=True)
    at(scene, "/api/copy", BOT, lambda: (disturbed.send(number), time.sleep(0.3))[0])
    disturbed.start("rollback", run.id)
    assert disturbed.ended() == INTERRUPTED
    scene.standin.unwatch()
    interrupted(scene, run.id)
    assert load_run(scene.place.state, run.id).state == "rolling-back"
    assert scene.names()[BOT] == scene.initial[BOT]
    undone = scene.roll_back(run.id)
    assert (undone.state, undone.failure) == ("rolled-back", None)
    assert scene.initial.items() <= scene.names().items()


def test_interruption_of_the_last_record_comes_too_late(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    write = journal._write

    def pressed(file: int, line: bytes) -> None:
        write(file, line)
        if b'"event":"ended"' in line.replace(b" ", b""):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(journal, "_write", pressed)
    run = scene.migrate()
    assert (run.state, run.failure) == ("committed", None)


def test_interruption_at_the_very_first_is_one_of_the_run(scene: Scene) -> None:
    def press(event: object) -> None:
        if isinstance(event, RunBegan):
            os.kill(os.getpid(), signal.SIGINT)

    run = engine.migrate(scene.plan, MigrationOptions(suite="none"), scene.place, press)
    interrupted(scene, run.id)
    assert scene.names() == scene.initial


# -- twice -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["migrate", "rollback"])
def test_second_one_leaves_at_once_and_says_how_to_go_on(scene: Scene, disturbed: Disturbed, kind: str) -> None:
    run = scene.migrate().id if kind == "rollback" else ""
    answered = threading.Event()

    def twice() -> None:
        disturbed.send(signal.SIGINT)
        time.sleep(0.2)
        disturbed.send(signal.SIGINT)
        answered.wait(LONG)

    at(scene, "/api/copy", BOT, twice)
    disturbed.start(kind, run)
    try:
        assert disturbed.ended() == INTERRUPTED
        assert not answered.is_set()
    finally:
        answered.set()
    scene.standin.unwatch()
    scene.standin.until_idle()
    command = "rollback" if kind == "rollback" else "resume"
    assert f"llamaexit {command} {disturbed.run}" in disturbed.said.read_text("utf-8")
    after = scene.roll_back(run) if kind == "rollback" else scene.resume(disturbed.run)
    assert after.failure is None
    assert (scene.names()[BOT] == scene.initial[BOT]) is (kind == "rollback")


# -- as people see it ------------------------------------------------------------------------------------------------


def test_command_line_says_how_to_go_on(scene: Scene, disturbed: Disturbed) -> None:
    scene.standin.break_pull(pull_faults.stall(share=0.5))
    command = [
        sys.executable, "-m", "llamaexit", "migrate", str(disturbed.plan), "--apply", "--yes", "--suite", "none",
        "--host", scene.place.host,
    ]  # fmt: skip
    environ = {**os.environ, "LLAMAEXIT_STATE_DIR": str(scene.place.state), "NO_PROXY": "*"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ)
    try:
        when(lambda: half_pulled(scene))
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=LONG)
    finally:
        process.kill()
    assert process.returncode == INTERRUPTED, output
    assert f"llamaexit resume {disturbed.run}" in output
    interrupted(scene, disturbed.run)
