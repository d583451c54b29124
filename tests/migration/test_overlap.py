"""Pulling ahead: the next model arrives while one is tested, where there is room for both, and never unwatched."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scene import META, OLD, Scene, llama_models, scene_at

from llamaexit.planning.planfile import plan_id_of
from llamaexit.units import GIB
from standin import Model, Registry, Request, Standin, Store, gguf, pull_faults
from standin.brains import LLAMA

CODER = "old-coder:7b"
LONG = 20.0
"""Seconds after which something hangs."""


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Scene]:
    """A scene with two old models that are replaced by two different ones."""
    coder = Model(CODER, weights=gguf.llama(extra=META, layers=2), template="{{ .Prompt }}")
    models = (*(model for model in llama_models() if model.name == OLD), coder)
    with Standin(Store.of(*models), registry=Registry(), behaviour=LLAMA) as standin:
        scene = scene_at(tmp_path, standin, uses={OLD: ("chat",), CODER: ("code",)})
        assert [d.source.model for d in scene.plan.decisions] == [OLD, CODER] and len(scene.targets) == 2
        yield scene


def targets(scene: Scene) -> tuple[str, str]:
    """What the first and the second old model are replaced by."""
    first, second = (d.target.model for d in scene.plan.decisions if d.target is not None)
    return first, second


def pull_of(scene: Scene, model: str) -> int:
    """The number of the request that pulls a model."""
    return next(
        r.number for r in scene.standin.asked("/api/pull") if model in (r.body.get("model"), r.body.get("name"))
    )


def last_question_to(scene: Scene, model: str) -> int:
    asked = [r.number for r in scene.standin.asked("/api/chat") if r.body["model"] == model]
    return asked[-1]


def hold_questions_until_pulled(scene: Scene) -> threading.Event:
    """Let the first question wait until the second pull was asked for, so that only the engine decides the order."""
    pulling = threading.Event()
    _, second = targets(scene)

    def watch(number: int, request: Request, phase: str) -> None:
        if phase == "arrived" and request.path == "/api/pull" and request.body.get("model") == second:
            pulling.set()
        if phase == "arrived" and request.path == "/api/chat":
            pulling.wait(LONG)

    scene.standin.watch(watch)
    return pulling


def with_free_disk(scene: Scene, monkeypatch: pytest.MonkeyPatch, folder: Path, gib: int) -> list[int]:
    """Let the store be on a disk with so much free, whatever is pulled. The figure, in bytes, may be changed."""
    free = [gib * GIB]
    scene.place = replace(scene.place, store=folder)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": free[0]}))
    return free


def needing(scene: Scene, *sizes: int) -> None:
    """Let the plan say how many bytes the targets are."""
    decisions = []
    for decision, size in zip(scene.plan.decisions, sizes, strict=True):
        assert decision.target is not None
        download = replace(decision.target.download, size=size, have=0)
        decisions.append(replace(decision, target=replace(decision.target, download=download)))
    plan = replace(scene.plan, decisions=tuple(decisions))
    scene.plan = replace(plan, plan_id=plan_id_of(plan))


def test_next_model_is_pulled_while_one_is_tested(two: Scene) -> None:
    hold_questions_until_pulled(two)
    run = two.migrate(suite="quick")
    assert (run.state, run.failure) == ("committed", None)
    first, second = targets(two)
    assert pull_of(two, first) < pull_of(two, second) < last_question_to(two, first)


def test_next_model_waits_where_that_is_wanted(two: Scene) -> None:
    assert two.migrate(suite="quick", overlap=False).state == "committed"
    first, second = targets(two)
    assert last_question_to(two, first) < pull_of(two, second)


def test_next_model_waits_where_the_disk_has_no_room_for_it_yet(
    two: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    needing(two, GIB, 3 * GIB)
    free = with_free_disk(two, monkeypatch, tmp_path, 5)

    def watch(number: int, request: Request, phase: str) -> None:
        # the first model takes more than was thought, until somebody clears up after its test
        if phase == "done" and request.path == "/api/pull":
            free[0] = 3 * GIB
        if phase == "answered" and request.path == "/v1/chat/completions":
            free[0] = 5 * GIB

    two.standin.watch(watch)
    run = two.migrate(suite="quick")
    assert (run.state, run.failure) == ("committed", None)
    first, second = targets(two)
    assert last_question_to(two, first) < pull_of(two, second)


def test_next_model_is_pulled_ahead_where_the_disk_has_room_for_both(
    two: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_free_disk(two, monkeypatch, tmp_path, 100)
    hold_questions_until_pulled(two)
    two.migrate(suite="quick")
    first, second = targets(two)
    assert pull_of(two, second) < last_question_to(two, first)


def test_no_more_than_one_model_is_pulled_at_a_time(two: Scene) -> None:
    busiest, busy = [0], [0]

    def watch(number: int, request: Request, phase: str) -> None:
        if request.path == "/api/pull" and phase in ("arrived", "done"):
            busy[0] += 1 if phase == "arrived" else -1
            busiest[0] = max(busiest[0], busy[0])

    two.standin.watch(watch)
    two.migrate(suite="quick")
    assert busiest == [1]


def test_failure_of_the_pull_ahead_stops_the_run_after_the_test_that_is_going_on(two: Scene) -> None:
    _, second = targets(two)
    two.standin.break_pull(pull_faults.fail(pull_faults.BAD_PROXY), model=second, times=None)
    run = two.migrate(suite="quick", take_over=True)
    assert run.state == "failed" and run.failure is not None and second in run.failure.message
    assert [test.source for test in run.tests] == [OLD]
    assert two.initial.items() <= two.names().items()


def test_no_go_cancels_the_pull_ahead(two: Scene) -> None:
    first, second = targets(two)
    two.standin.behaviours[first] = replace(LLAMA, skills=(lambda turn: "",))
    two.standin.break_pull(pull_faults.stall(share=0.5), model=second)
    hold_questions_until_pulled(two)
    run = two.migrate(suite="quick")
    assert run.failure is not None and run.failure.code == "no-go"
    two.standin.until_idle()
    assert [partial.completed > 0 for partial in two.standin.store.partials.values()] == [True]
    assert second not in two.names()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let a process send itself this signal")
def test_interruption_cancels_the_pull_ahead_and_keeps_what_has_arrived(two: Scene) -> None:
    _, second = targets(two)
    two.standin.break_pull(pull_faults.stall(share=0.5), model=second)
    pressed: list[int] = []

    def half_there() -> Any:
        return any(partial.completed > 0 for partial in two.standin.store.partials.values())

    def watch(number: int, request: Request, phase: str) -> None:
        if phase == "answered" and request.path == "/api/chat" and half_there() and not pressed:
            pressed.append(number)
            os.kill(os.getpid(), signal.SIGINT)

    hold_questions_until_pulled(two)
    two.standin.watch(watch)
    run = two.migrate(suite="quick")
    assert run.failure is not None and run.failure.code == "interrupted"
    two.standin.until_idle()
    two.standin.unwatch()
    assert half_there() and second not in two.names()
    resumed = two.resume(run.id)
    assert (resumed.state, resumed.failure) == ("committed", None)
    assert second in {change.name for change in resumed.changes}
