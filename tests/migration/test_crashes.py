"""A migration is killed at every single point; going on and going back both end right, whatever happened between.

Points: every request when it arrives and when it was carried out but not answered, and every record of the journal
before, in the middle of, and after it is written. What is left is then gone on with and undone, each once with the
server left alone and once restarted (with hours passed, so that everything nobody uses is pruned).
"""

from __future__ import annotations

import copy
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from killing import Act, Processes, When
from scene import Scene, llama_models, plan_for, scene_with

from llamaexit.jsonable import dump
from llamaexit.migration.options import MigrationOptions
from llamaexit.migration.runs import history, run_ids
from standin import Registry, Standin, Store
from standin.brains_tools import AGENT

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(os.name == "nt", reason="Windows knows neither SIGKILL nor forking"),
]
OPTIONS = MigrationOptions(suite="none", overlap=False, aliases={"team-chat": "llama3.1:8b"}, take_over=True)
RESTARTED = (False, True)
SLICES = 5
"""Parts that the cases with smoke tests are played in, each in less than the minute after which a test hangs."""


@dataclass(frozen=True)
class Point:
    """Where the process is killed: at the `number`-th request or journal record."""

    what: str
    number: int
    when: str

    def __str__(self) -> str:
        return f"{self.what} {self.number} {self.when}"


def points(requests: int, records: int) -> Iterator[Point]:
    for number in range(1, requests + 1):
        yield Point("request", number, "arrived")
        yield Point("request", number, "done")
    for number in range(1, records + 1):
        for when in ("before", "torn", "after"):
            yield Point("record", number, when)


class Stage:
    """Where cases are played: one plan, and for each case a stand-in as it was before and a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes = Processes()
        self.options = OPTIONS
        with self.standin() as standin:
            self.plan = plan_for(standin, standin.registry)
            self.registry = standin.registry
        (folder / "plan.json").write_bytes(dump(self.plan))
        self._cases = 0

    def standin(self) -> Standin:
        return Standin(Store.of(*llama_models()), registry=getattr(self, "registry", None) or Registry())

    def scene(self, standin: Standin) -> Scene:
        self._cases += 1
        return scene_with(self.plan, self.folder / str(self._cases), standin)

    def act(self, scene: Scene, kind: Any, run: str = "") -> Act:
        return Act(kind, self.folder / "plan.json", self.options, scene.place.host, scene.place.state, run)

    def undisturbed(self, scene: Scene, kind: Any, run: str = "") -> tuple[int, int]:
        """Carry out without killing anybody; how many requests that took, and how many records."""
        before = len(scene.standin.log)
        process, written = self.processes.start(self.act(scene, kind, run))
        process.join(30)
        assert process.exitcode == 0
        return len(scene.standin.log) - before, written.value

    def kill(self, scene: Scene, act: Act, point: Point) -> None:
        """Carry out, and be killed at the point."""
        standin, started = scene.standin, len(scene.standin.log)
        holder: dict[str, Any] = {}
        dead = threading.Event()

        def watch(number: int, request: Any, phase: str) -> None:
            if number - started == point.number and phase == point.when and (process := holder.get("process")):
                os.kill(process.pid, signal.SIGKILL)
                dead.wait(10)

        if point.what == "request":
            standin.watch(watch)
        when: When = point.when if point.what == "record" else "after"  # type: ignore[assignment]
        write = point.number if point.what == "record" else None
        process, _ = holder["process"], _ = self.processes.start(act, kill_at_write=write, when=when)
        process.join(30)
        dead.set()
        standin.unwatch()
        assert process.exitcode == -signal.SIGKILL, f"not killed at {point}, exit code {process.exitcode}"


class Left:
    """What a killed process left, to be brought back for each way on."""

    def __init__(self, scene: Scene) -> None:
        self._store = {
            field.name: copy.copy(getattr(scene.standin.store, field.name))
            for field in fields(scene.standin.store)
            if field.name != "lock"
        }
        self._state = scene.place.state.with_name("left")
        if scene.place.state.exists():
            shutil.copytree(scene.place.state, self._state)

    def bring_back(self, scene: Scene, *, restarted: bool) -> None:
        for name, value in self._store.items():
            setattr(scene.standin.store, name, copy.copy(value))
        shutil.rmtree(scene.place.state, ignore_errors=True)
        if self._state.exists():
            shutil.copytree(self._state, scene.place.state)
        if restarted:
            scene.standin.store.clock.advance(3 * 3600)
            scene.standin.restart()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.mark.parametrize("kind", ["request", "record"], ids=["at every request", "at every record of the journal"])
def test_killed_migration_is_carried_through_and_undone(
    stage: Stage, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with stage.standin() as standin:
        scene = stage.scene(standin)
        requests, records = stage.undisturbed(scene, "migrate")
        assert history(scene.place.state)[0].state == "committed"
        final = scene.names()
    cases = 0
    for point in points(requests, records):
        if point.what != kind:
            continue
        with stage.standin() as standin:
            scene = stage.scene(standin)
            stage.kill(scene, stage.act(scene, "migrate"), point)
            left = Left(scene)
            for restarted in RESTARTED:
                for ends_right in (_goes_on, _goes_back):
                    left.bring_back(scene, restarted=restarted)
                    ends_right(scene, final, f"{point}, {restarted=}")
                    cases += 1
    _told(capsys, f"{cases} ways on from a migration killed at each {kind} ({requests} requests, {records} records)")
    assert cases == 4 * len([point for point in points(requests, records) if point.what == kind])


def test_killed_rollback_is_carried_through_by_the_next_one(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    with stage.standin() as standin:
        scene = stage.scene(standin)
        stage.undisturbed(scene, "migrate")
        requests, records = stage.undisturbed(scene, "rollback", run_ids(scene.place.state)[0])
    cases = 0
    for point in points(requests, records):
        with stage.standin() as standin:
            scene = stage.scene(standin)
            stage.undisturbed(scene, "migrate")
            stage.kill(scene, stage.act(scene, "rollback", run_ids(scene.place.state)[0]), point)
            left = Left(scene)
            for restarted in RESTARTED:
                left.bring_back(scene, restarted=restarted)
                _goes_back(scene, {}, f"{point}, {restarted=}")
                cases += 1
    _told(capsys, f"{cases} ways on from a rollback killed at each point ({requests} requests, {records} records)")
    assert cases == 2 * (2 * requests + 3 * records)


def _begun(scene: Scene, point: str) -> str | None:
    """The run that was begun; None when it was killed before, in which case nothing may have changed."""
    runs = run_ids(scene.place.state)
    assert len(runs) <= 1
    if runs and history(scene.place.state)[0].host:
        return runs[0]
    assert scene.names(ours=True) == scene.initial, f"{point}: changed before the journal says so"
    return None


def _goes_on(scene: Scene, final: dict[str, str], point: str) -> None:
    run = _begun(scene, point)
    if run is None:
        return
    if history(scene.place.state)[0].state != "committed":
        resumed = scene.resume(run)
        assert resumed.state == "committed", f"{point}: {resumed.failure}"
    assert scene.names() == final, point
    assert not [name for name in scene.names(ours=True) if name.startswith("llamaexit-stage/")], point
    assert scene.whole(), f"{point}: layers are missing"


def _goes_back(scene: Scene, final: dict[str, str], point: str) -> None:
    run = _begun(scene, point)
    if run is None:
        return
    if history(scene.place.state)[0].state != "rolled-back":
        undone = scene.roll_back(run)
        assert (undone.state, undone.failure) == ("rolled-back", None), point
    left = {name: digest for name, digest in scene.names().items() if name not in scene.targets}
    assert left == scene.initial, point
    assert scene.whole(), f"{point}: layers are missing"


@pytest.mark.parametrize("slice_", range(SLICES), ids=lambda number: f"part {number + 1} of {SLICES}")
def test_migration_killed_at_a_question_of_its_tests_goes_on_where_it_was(
    stage: Stage, slice_: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def standin() -> Standin:
        made = stage.standin()
        made.behaviour = AGENT
        return made

    options = replace(OPTIONS, suite="quick", only=("team-bot",), aliases={}, take_over=False)
    stage.options = options
    with standin() as undisturbed:
        scene = stage.scene(undisturbed)
        requests, records = stage.undisturbed(scene, "migrate")
        assert history(scene.place.state)[0].state == "committed", history(scene.place.state)[0].failure
        final = scene.names()
    cases = 0
    for number in range(1 + slice_, requests + 1, SLICES):
        point = Point("request", number, "done")
        with standin() as server:
            scene = stage.scene(server)
            stage.kill(scene, stage.act(scene, "migrate"), point)
            _goes_on(scene, final, str(point))
            cases += 1
    _told(capsys, f"{cases} migrations with tests killed at each request ({requests} requests, {records} records)")
    assert cases == len(range(1 + slice_, requests + 1, SLICES)) > 0


def _told(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n{text}", end=" ")
