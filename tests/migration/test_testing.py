"""The step that tests: who is asked what, in which order, what stops the switch, and what is not asked twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from scene import BOT, OLD, Scene, qwen

from llamaexit.migration.events import CheckBegan, CheckEnded, Judged
from llamaexit.migration.names import stage_name
from llamaexit.planning.plan import Thinking
from llamaexit.planning.planfile import plan_id_of
from llamaexit.recipes.model import Expect, SmokeCheck
from standin import Behaviour, Request
from standin.brains import LLAMA, QWEN, Brain, says_nothing, spends_all_on_thinking, too_large
from standin.brains_tools import finds_codes

ASKING = ("/api/chat", "/api/generate", "/v1/chat/completions")
GOOD = LLAMA.can(finds_codes)
"""A model that passes every test there is for chatting."""
QUIET = replace(GOOD, habits=(says_nothing,))
"""A model that loads and answers with nothing."""


@pytest.fixture
def tested(scene: Scene) -> Scene:
    """A scene whose models answer well."""
    scene.standin.behaviour = GOOD
    return scene


def target_of(scene: Scene) -> str:
    (target,) = scene.targets
    return target


def questions(scene: Scene, model: str, since: int = 0) -> list[Request]:
    """What a model was asked, without the requests that only load it or let it go."""
    return [
        request
        for request in scene.standin.log[since:]
        if request.path in ASKING
        and request.body.get("model") == model
        and (request.body.get("messages") or request.body.get("prompt"))
    ]


def new_is(scene: Scene, behaviour: Behaviour) -> None:
    scene.standin.behaviours[target_of(scene)] = behaviour


# -- what it decides -------------------------------------------------------------------------------------------------


def test_model_that_does_what_the_old_one_did_is_switched_to(tested: Scene) -> None:
    run = tested.migrate(suite="quick", take_over=True)
    assert (run.state, run.failure) == ("committed", None)
    assert {test.source: test.comparison.verdict for test in run.tests} == {OLD: "go", BOT: "go"}
    assert all(test.old is not None and test.new is not None for test in run.tests)
    assert tested.names()[OLD] == tested.names()[target_of(tested)]


def test_model_that_says_nothing_is_not_switched_to_and_the_failed_test_is_named(tested: Scene) -> None:
    new_is(tested, QUIET)
    run = tested.migrate(suite="quick", take_over=True)
    assert run.state == "failed" and run.failure is not None
    assert (run.failure.code, run.failure.exit_code) == ("no-go", 1)
    assert "answers in plain text" in run.failure.message
    assert f"--accept {OLD}" in (run.failure.hint or "")
    assert tested.initial.items() <= tested.names().items()
    assert run.tests[0].comparison.verdict == "no-go"


def test_model_that_spends_its_budget_on_thinking_is_not_switched_to(tested: Scene) -> None:
    can = ("completion", "thinking")
    _republished(tested, capabilities=can, renderer="qwen3", parser="qwen3")
    _with_targets(tested, capabilities=can, thinking=Thinking(supported=True, default=True, can_disable=True))
    new_is(tested, QWEN.but(spends_all_on_thinking))
    run = tested.migrate(suite="quick", only=(OLD,), take_over=True)
    assert run.failure is not None and run.failure.code == "no-go"
    assert "answers clients that say nothing about thinking" in run.failure.message
    assert tested.names()[OLD] == tested.initial[OLD]


def test_accepted_model_is_switched_to_whatever_its_verdict(tested: Scene) -> None:
    new_is(tested, QUIET)
    run = tested.migrate(suite="quick", only=(OLD,), take_over=True, accept=(OLD,))
    assert run.state == "committed"
    (test,) = run.tests
    assert test.accepted and test.comparison.verdict == "no-go"
    assert tested.names()[OLD] == tested.names()[target_of(tested)]
    step = next(step for step in run.steps if step.phase == "test")
    assert step.detail.endswith("accepted by --accept")


def test_failure_of_one_that_others_do_without_leaves_its_name_alone(tested: Scene) -> None:
    _only_staged_is_quiet(tested)
    run = tested.migrate(suite="quick", take_over=True, keep_going=True)
    assert run.failure is not None and run.failure.code == "partly" and BOT in run.failure.message
    assert tested.names()[BOT] == tested.initial[BOT]
    assert tested.names()[OLD] == tested.names()[target_of(tested)]


def test_old_model_that_cannot_be_loaded_is_said_so_and_the_new_one_judged_alone(tested: Scene) -> None:
    tested.standin.behaviours[OLD] = too_large(GOOD)
    run = tested.migrate(suite="quick", only=(OLD,))
    assert run.failure is None
    (test,) = run.tests
    assert test.comparison.verdict == "go" and test.old is not None and test.old.failed_to_load is not None
    assert test.comparison.baseline.startswith("The old model could not be loaded (")
    assert "19.3 GiB" in test.comparison.baseline


# -- who is asked what -----------------------------------------------------------------------------------------------


def test_nobody_is_asked_where_no_tests_are_wanted(tested: Scene) -> None:
    tested.migrate(suite="none")
    assert [request for request in tested.standin.log if request.path in ASKING] == []


def test_old_model_is_asked_first(tested: Scene) -> None:
    tested.migrate(suite="quick", only=(OLD,))
    last_of_old = questions(tested, OLD)[-1].number
    first_of_new = questions(tested, target_of(tested))[0].number
    assert last_of_old < first_of_new


def test_old_and_new_model_are_asked_the_same(tested: Scene) -> None:
    tested.migrate(suite="quick", only=(OLD,))
    old, new = ([_question(request) for request in questions(tested, name)] for name in (OLD, target_of(tested)))
    assert len(old) > 20 and old == new


def test_every_run_asks_with_other_words(tested: Scene) -> None:
    runs = []
    for _ in range(2):
        since = len(tested.standin.log)
        tested.roll_back(tested.migrate(suite="quick", only=(OLD,)).id, purge=True)
        runs.append([_question(request) for request in questions(tested, OLD, since)])
    assert runs[0] != runs[1]


def test_no_model_stays_in_memory(tested: Scene) -> None:
    tested.migrate(suite="quick")
    assert tested.standin.store.resident == []


def test_custom_model_is_tested_as_it_was_prepared_with_its_own_system_prompt(tested: Scene) -> None:
    heard: dict[str, set[str]] = {}
    brain = GOOD.can(_listening(heard))
    tested.standin.behaviour = brain
    run = tested.migrate(suite="quick", only=(BOT,))
    staged = stage_name(run.id, 1)
    assert run.tests[0].new is not None and run.tests[0].new.subject.name == staged
    assert "You are the bot of the team." in heard[staged] and "You are the bot of the team." in heard[BOT]
    assert target_of(tested) not in heard


def test_own_tests_of_the_plan_are_put_to_both(tested: Scene) -> None:
    own = SmokeCheck(id="our-hours", ask="When do we open?", expect=Expect(contains="half past nine"))
    _with_targets(tested, smoke=(own,))
    knowing = GOOD.can(lambda turn: "At half past nine." if turn.last == "When do we open?" else None)
    tested.standin.behaviours[OLD] = knowing
    run = tested.migrate(suite="quick", only=(OLD,))
    assert run.failure is not None and "our-hours" in run.failure.message
    tested.standin.behaviour = knowing
    assert tested.resume(run.id).failure is None


def test_events_tell_every_test_of_both_and_the_verdict(tested: Scene) -> None:
    run = tested.migrate(suite="quick", only=(OLD,))
    began = [(e.role, e.id) for e in tested.events if isinstance(e, CheckBegan)]
    ended = [(e.role, e.result.id) for e in tested.events if isinstance(e, CheckEnded)]
    assert began == ended and [role for role, _ in began] == sorted((role for role, _ in began), reverse=True)
    assert [e.comparison for e in tested.events if isinstance(e, Judged)] == [run.tests[0].comparison]


# -- what is not asked twice -----------------------------------------------------------------------------------------


def test_resuming_after_a_no_go_asks_again(tested: Scene) -> None:
    new_is(tested, QUIET)
    run = tested.migrate(suite="quick", only=(OLD,))
    assert run.state == "failed"
    new_is(tested, GOOD)
    since = len(tested.standin.log)
    resumed = tested.resume(run.id)
    assert (resumed.state, resumed.failure) == ("committed", None)
    assert resumed.tests[0].comparison.verdict == "go"
    assert questions(tested, OLD, since) and questions(tested, target_of(tested), since)


def test_staged_run_that_goes_on_does_not_ask_again(tested: Scene) -> None:
    run = tested.migrate(suite="quick", stage=True)
    since = len(tested.standin.log)
    assert tested.resume(run.id).state == "committed"
    assert [request for request in tested.standin.log[since:] if request.path in ASKING] == []


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let a process send itself this signal")
def test_what_the_old_model_said_is_kept_when_the_new_one_was_interrupted(tested: Scene) -> None:
    run = _interrupted_at_the_new_one(tested, lambda: tested.migrate(suite="quick", only=(OLD,)))
    assert run.failure is not None and (run.failure.code, run.failure.exit_code) == ("interrupted", 130)
    since = len(tested.standin.log)
    assert tested.resume(run.id).state == "committed"
    assert questions(tested, OLD, since) == []
    assert len(questions(tested, target_of(tested), since)) > 20


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let a process send itself this signal")
def test_what_was_asked_after_a_no_go_is_kept_when_that_was_interrupted(tested: Scene) -> None:
    new_is(tested, QUIET)
    run = tested.migrate(suite="quick", only=(OLD,))
    new_is(tested, GOOD)
    _interrupted_at_the_new_one(tested, lambda: tested.resume(run.id))
    since = len(tested.standin.log)
    assert tested.resume(run.id).state == "committed"
    assert questions(tested, OLD, since) == []


def test_model_that_is_another_one_by_now_is_asked_again(tested: Scene) -> None:
    run = tested.migrate(suite="quick", only=(OLD,), stage=True)
    path = tested.place.state / "runs" / run.id / "tests" / "1-new.json"
    digest = tested.names()[target_of(tested)]
    path.write_text(path.read_text("utf-8").replace(digest, "f" * 64), "utf-8")
    since = len(tested.standin.log)
    assert tested.resume(run.id).state == "committed"
    assert questions(tested, OLD, since) == []
    assert questions(tested, target_of(tested), since)


# -- making it so ----------------------------------------------------------------------------------------------------


def _question(request: Request) -> tuple[str, dict[str, Any]]:
    """A request without what has to differ."""
    return request.path, {key: value for key, value in request.body.items() if key != "model"}


def _listening(heard: dict[str, set[str]]) -> Any:
    """A skill that has nothing to say, and notes whose system prompt was in force."""

    def skill(turn: Any) -> None:
        heard.setdefault(turn.model, set()).add(turn.system)

    return skill


def _only_staged_is_quiet(scene: Scene) -> None:
    def skill(turn: Any) -> str | None:
        return "" if turn.model.startswith("llamaexit-stage/") else None

    scene.standin.behaviour = Brain().can(skill)


def _with_targets(scene: Scene, **facts: Any) -> None:
    """Change what the plan says of its targets."""
    decisions = tuple(
        replace(decision, target=replace(decision.target, **facts)) if decision.target is not None else decision
        for decision in scene.plan.decisions
    )
    plan = replace(scene.plan, decisions=decisions)
    scene.plan = replace(plan, plan_id=plan_id_of(plan))


def _republished(scene: Scene, **facts: Any) -> None:
    """Let the target be a model of another kind, and the plan know it."""
    assert scene.standin.registry is not None
    _with_targets(scene, digest=scene.standin.registry.publish(replace(qwen(target_of(scene)), **facts)))


def _interrupted_at_the_new_one(scene: Scene, act: Callable[[], Any]) -> Any:
    """Press ^C once the new model was asked three times."""
    seen = [0]

    def watch(number: int, request: Request, phase: str) -> None:
        body = request.body or {}
        if phase == "arrived" and request.path == "/api/chat" and body.get("model") == target_of(scene):
            seen[0] += 1
            if seen[0] == 3:
                os.kill(os.getpid(), signal.SIGINT)

    scene.standin.watch(watch)
    run = act()
    scene.standin.unwatch()
    return run
