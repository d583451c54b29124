"""Carrying out a plan: in which order, what stays as it is, what stops it, and what is left then."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scene import BOT, META, OLD, Scene, plan_for, qwen, scene_with

from llamaexit.errors import HALFWAY, OllamaError
from llamaexit.migration import engine
from llamaexit.migration.events import Noted, PullProgress, RunBegan, StepChanged
from llamaexit.migration.failures import JournalError, Locked, Refused, Stale
from llamaexit.migration.lock import locked
from llamaexit.migration.options import MigrationOptions
from llamaexit.migration.runs import history, journal_of, load_run, run_ids
from llamaexit.ollama.server import Server
from standin import Model, gguf, pull_faults


def target_of(scene: Scene) -> str:
    (target,) = scene.targets
    return target


def changing(scene: Scene) -> list[str]:
    """Requests that change something, with the name they change, in order."""
    calls = []
    for request in scene.standin.log:
        if request.path in ("/api/pull", "/api/create", "/api/copy", "/api/delete"):
            name = request.body.get("destination") or request.body.get("model") or request.body.get("name")
            calls.append(f"{request.path.rpartition('/')[2]} {name}")
    return calls


def show(scene: Scene, name: str) -> dict[str, Any]:
    with Server(scene.place.host) as server:
        return server.show(name)


def meddle(scene: Scene, path: str, act: Any, *, phase: str = "arrived", after: int = 0) -> None:
    """Let somebody else do something right before (or after) a request to a path is carried out."""
    seen = [0]

    def watch(number: int, request: Any, now: str) -> None:
        if request.path == path and now == phase:
            seen[0] += 1
            if seen[0] == after + 1:
                act(scene.standin.store)

    scene.standin.watch(watch)


def copy_over(source: str, destination: str) -> Any:
    def act(store: Any) -> None:
        store.put(store.named(destination), store.manifests[store.named(source)].data)

    return act


def remove(name: str) -> Any:
    def act(store: Any) -> None:
        del store.manifests[store.named(name)]

    return act


# -- what it does ----------------------------------------------------------------------------------------------------


def test_nothing_is_switched_before_everything_is_staged(scene: Scene) -> None:
    run = scene.migrate(take_over=True, aliases={"team-chat": OLD})
    assert run.failure is None
    calls = changing(scene)
    names = {OLD, BOT, "team-chat:latest"}
    first = next(i for i, call in enumerate(calls) if call.split()[1] in names)
    assert all(call.startswith("copy ") for call in calls[first:-1])
    assert calls[-1].startswith("delete llamaexit-stage/")


def test_library_name_stays_and_the_new_model_is_there_beside_it(scene: Scene) -> None:
    run = scene.migrate(only=(OLD,))
    assert run.state == "committed"
    assert scene.names() == scene.initial | {target_of(scene): run.changes[0].after}
    assert [change.what for change in run.changes] == ["pulled"]


def test_custom_model_is_built_again_under_its_own_name(scene: Scene) -> None:
    scene.migrate(only=(BOT,))
    made = show(scene, BOT)
    assert made["system"] == "You are the bot of the team."
    assert [message["content"] for message in made["messages"]] == ["Hello", "Hello, team."]
    assert made["details"]["parent_model"] == target_of(scene)
    assert made["model_info"]["general.architecture"] == "qwen3"
    parameters = made["parameters"]
    assert "8192" in parameters and "0.2" in parameters and "END" in parameters
    assert "<|eot_id|>" not in parameters and "start_header_id" not in made["template"]


def test_old_models_are_never_deleted(scene: Scene) -> None:
    scene.migrate(take_over=True)
    assert [call for call in changing(scene) if call.startswith("delete") and "llamaexit-stage/" not in call] == []
    kept = set(scene.names(ours=True).values())
    assert {scene.initial[OLD], scene.initial[BOT]} <= kept


def test_other_models_are_left_alone(scene: Scene) -> None:
    scene.migrate(take_over=True)
    assert scene.names()["mistral:7b"] == scene.initial["mistral:7b"]


def test_alias_over_another_model_keeps_a_backup_of_it(scene: Scene) -> None:
    run = scene.migrate(only=(OLD,), aliases={"mistral:7b": OLD})
    assert scene.names()["mistral:7b"] == scene.names()[target_of(scene)]
    assert scene.initial["mistral:7b"] in {backup.digest for backup in run.backups}
    scene.roll_back(run.id)
    assert scene.names()["mistral:7b"] == scene.initial["mistral:7b"]


def test_alias_in_other_letters_is_the_name_that_is_there(scene: Scene) -> None:
    scene.migrate(only=(OLD,), aliases={"Mistral:7B": OLD})
    assert scene.names()["mistral:7b"] == scene.names()[target_of(scene)]
    assert "Mistral:7B" not in scene.names()


def test_staged_run_switches_nothing_and_resume_does(scene: Scene) -> None:
    run = scene.migrate(stage=True)
    assert run.state == "staged"
    assert scene.initial.items() <= scene.names().items()
    asked = len(changing(scene))
    assert scene.resume(run.id).state == "committed"
    assert scene.names()[BOT] != scene.initial[BOT]
    assert not [call for call in changing(scene)[asked:] if call.startswith(("pull", "create"))]


def test_target_that_is_there_is_not_pulled_again(scene: Scene) -> None:
    assert scene.standin.registry is not None
    scene.migrate(only=(OLD,))
    again = scene_with(plan_for(scene.standin, scene.standin.registry), scene.place.state.parent, scene.standin)
    scene.standin.log.clear()
    run = again.migrate(only=(OLD,), pull=False)
    assert run.state == "committed" and changing(scene) == []
    assert run.changes == ()


def test_events_tell_the_steps_in_order_and_how_far_pulls_are(scene: Scene) -> None:
    scene.migrate()
    began = scene.events[0]
    assert isinstance(began, RunBegan)
    done = [e.title for e in scene.events if isinstance(e, StepChanged) and e.state in ("done", "already")]
    assert done == list(began.steps)
    pulls = [e for e in scene.events if isinstance(e, PullProgress)]
    assert pulls[-1].status == "success" and pulls[-1].completed == pulls[-1].total


def test_listener_whose_terminal_went_away_does_not_stop_the_run(scene: Scene) -> None:
    def gone(event: object) -> None:
        raise BrokenPipeError

    run = engine.migrate(scene.plan, MigrationOptions(suite="none"), scene.place, gone, pauses=scene.pauses)
    assert run.state == "committed"


def test_run_is_kept_with_its_plan_and_found_again(scene: Scene) -> None:
    run = scene.migrate()
    assert load_run(scene.place.state, run.id) == run
    assert run.plan == scene.plan
    assert [summary.id for summary in history(scene.place.state)] == [run.id]


# -- what it refuses -------------------------------------------------------------------------------------------------


def test_plan_with_nothing_to_carry_out_is_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match="nothing to carry out"):
        scene.migrate(skip=("*",))
    assert run_ids(scene.place.state) == ()


@pytest.mark.parametrize(
    ("act", "said"),
    [
        pytest.param(copy_over("mistral:7b", BOT), f"{BOT} is 5", id="a source that is another model now"),
        pytest.param(remove(OLD), f"{OLD} is gone", id="a source that is gone"),
        pytest.param(copy_over("mistral:7b", "TARGET"), "is there now", id="another build of the target"),
    ],
)
def test_stale_plan_is_refused_and_the_changed_fact_named(scene: Scene, act: Any, said: str) -> None:
    if "there now" in said:
        act = copy_over("mistral:7b", target_of(scene))
    act(scene.standin.store)
    before = scene.names(ours=True)
    with pytest.raises(Stale, match=said if "is 5" not in said else "it was"):
        scene.migrate()
    assert scene.names(ours=True) == before and run_ids(scene.place.state) == ()


def test_target_somebody_pulled_meanwhile_does_not_make_a_plan_stale(scene: Scene) -> None:
    assert scene.standin.registry is not None
    store = scene.standin.store
    target = store.named(target_of(scene))
    content = scene.standin.registry.content
    store.blobs.update(content.blobs)
    store.put(target, content.manifests[target].data)
    assert scene.migrate().state == "committed"
    assert not [call for call in changing(scene) if call.startswith("pull")]


def test_ollama_that_is_too_old_for_the_target_is_refused(scene: Scene) -> None:
    target = scene.plan.decisions[0].target
    assert target is not None
    needy = replace(target, version=replace(target.version, needed="99.0.0"))
    decisions = (replace(scene.plan.decisions[0], target=needy), *scene.plan.decisions[1:])
    scene.plan = replace(scene.plan, decisions=decisions)
    with pytest.raises(Stale, match=r"needs Ollama 99\.0\.0"):
        scene.migrate()


def test_download_is_refused_where_none_is_wanted(scene: Scene) -> None:
    with pytest.raises(Refused, match=r"not installed, and --no-pull"):
        scene.migrate(pull=False)


def test_download_that_cannot_fit_is_refused(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.place = replace(scene.place, store=tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(Refused, match="the downloads need"):
        scene.migrate()


def test_second_migration_of_the_same_ollama_is_refused_and_the_first_named(scene: Scene) -> None:
    with locked(scene.place.state, scene.place.host, "20261125-000000-abcd"):
        with pytest.raises(Locked, match=f"run 20261125-000000-abcd, process {os.getpid()}"):
            scene.migrate()
        assert scene.names(ours=True) == scene.initial


def test_run_that_stopped_half_way_comes_first(scene: Scene) -> None:
    meddle(scene, "/api/copy", copy_over("mistral:7b", BOT), phase="done", after=2)
    run = scene.migrate(take_over=True)
    assert run.failure is not None and run.failure.exit_code == HALFWAY
    with pytest.raises(Refused, match=f"run {run.id} stopped half-way"):
        scene.migrate()
    scene.standin.unwatch()
    scene.roll_back(run.id)
    assert scene.names()[OLD] == scene.initial[OLD]


def test_finished_run_is_not_resumed(scene: Scene) -> None:
    run = scene.migrate()
    with pytest.raises(Refused, match="is done"):
        scene.resume(run.id)


def test_run_of_another_ollama_is_not_resumed_here(scene: Scene) -> None:
    run = scene.migrate(stage=True)
    scene.place = replace(scene.place, host="http://127.0.0.1:1")
    with pytest.raises(Refused, match="is about"):
        scene.resume(run.id)


# -- what others do meanwhile ----------------------------------------------------------------------------------------


def test_name_changed_by_somebody_else_before_the_switch_stops_it(scene: Scene) -> None:
    meddle(scene, "/api/create", copy_over("mistral:7b", BOT))
    run = scene.migrate(take_over=True)
    assert run.state == "failed" and run.failure is not None and run.failure.exit_code == 1
    assert f"{BOT} was changed by somebody else" in run.failure.message
    assert scene.names()[BOT] == scene.initial["mistral:7b"]
    assert scene.names()[OLD] == scene.initial[OLD], "nothing else was switched either"
    assert scene.initial[BOT] in scene.names(ours=True).values(), "the old one is kept"


def test_name_changed_right_before_it_is_written_is_noticed(scene: Scene) -> None:
    target = target_of(scene)

    def act(store: Any) -> None:
        copy_over("mistral:7b", BOT)(store)

    seen = [0]

    def watch(number: int, request: Any, phase: str) -> None:
        # the last look before the copy: after the intent was written, tags is asked once more
        if request.path == "/api/tags" and phase == "arrived" and "intent" in _last_event(scene):
            seen[0] += 1
            if seen[0] == 1:
                act(scene.standin.store)

    scene.standin.watch(watch)
    run = scene.migrate(only=(BOT,))
    assert run.failure is not None and "somebody else" in run.failure.message
    assert scene.names()[BOT] == scene.initial["mistral:7b"]
    assert target in scene.names()


def _last_event(scene: Scene) -> str:
    runs = run_ids(scene.place.state)
    lines = journal_of(scene.place.state, runs[0]).read_text("utf-8").splitlines() if runs else [""]
    return lines[-1] if '"switch ' in lines[-1] else ""


def test_target_deleted_before_the_switch_stops_it(scene: Scene) -> None:
    meddle(scene, "/api/copy", lambda store: remove(target_of(scene))(store), after=1)
    run = scene.migrate(only=(OLD,), take_over=True)
    assert run.failure is not None
    assert scene.names()[OLD] in (scene.initial[OLD], run.plan.decisions[0].target.digest)  # type: ignore[union-attr]


def test_backup_that_is_gone_stops_the_switch(scene: Scene) -> None:
    from llamaexit.migration.names import backup_name

    meddle(scene, "/api/create", remove(backup_name(scene.initial[BOT])))
    run = scene.migrate(only=(BOT,))
    assert run.failure is not None and run.failure.code == "no-backup"
    assert scene.names()[BOT] == scene.initial[BOT]


def test_moved_tag_stops_before_the_switch_and_keeps_the_download(scene: Scene) -> None:
    assert scene.standin.registry is not None
    target = target_of(scene)
    moved = replace(qwen(target), system="another build")
    digest = scene.standin.registry.publish(moved)
    run = scene.migrate()
    assert run.failure is not None and (run.failure.code, run.failure.exit_code) == ("moved", 1)
    assert "the tag has moved" in run.failure.message
    assert scene.names() == scene.initial | {target: digest}
    again = scene_with(replanned(scene), scene.place.state.parent, scene.standin)
    assert again.migrate().state == "committed"


def replanned(scene: Scene) -> Any:
    from migration_cases import library
    from scene import snapshot_of

    from llamaexit.planning.options import PlanOptions
    from llamaexit.planning.planner import make_plan

    return make_plan(snapshot_of(scene.standin), library(), PlanOptions(uses={OLD: ("chat",), BOT: ("chat",)}))


# -- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(pull_faults.fail(pull_faults.NEEDS_NEWER_OLLAMA), "needs a newer Ollama", id="a server too old"),
        pytest.param(pull_faults.fail(pull_faults.BAD_PROXY), "proxy", id="a proxy that is down"),
        pytest.param(pull_faults.hollow(), "does not list it", id="success without a model"),
    ],
)
def test_pull_that_fails_changes_nothing(scene: Scene, fault: Any, code: str) -> None:
    scene.standin.break_pull(fault, times=None)
    run = scene.migrate()
    assert run.state == "failed" and run.failure is not None and run.failure.exit_code == 1
    assert code in run.failure.message
    assert scene.initial.items() <= scene.names().items()
    assert f"llamaexit resume {run.id}" in (run.failure.hint or "")


def test_cut_pull_is_tried_again_and_goes_on(scene: Scene) -> None:
    scene.standin.break_pull(pull_faults.cut(), times=1)
    assert scene.migrate().state == "committed"
    assert len(scene.standin.asked("/api/pull")) == 2


def test_failed_run_goes_on_once_what_was_wrong_is_put_right(scene: Scene) -> None:
    scene.standin.break_pull(pull_faults.fail(pull_faults.BAD_PROXY), times=1)
    run = scene.migrate()
    assert run.state == "failed"
    assert scene.resume(run.id).state == "committed"


def test_server_that_restarts_meanwhile_is_waited_for(scene: Scene) -> None:
    meddle(scene, "/api/create", lambda store: scene.standin.end_connections(), phase="done")
    run = scene.migrate()
    assert run.state == "committed"


def test_server_that_is_gone_for_good_is_a_failure_that_says_so(scene: Scene) -> None:
    def stop(store: Any) -> None:
        scene.standin._server.server_close()  # type: ignore[union-attr]
        scene.standin.end_connections()

    meddle(scene, "/api/create", stop)
    run = scene.migrate()
    assert run.state == "failed" and run.failure is not None
    assert any(isinstance(event, Noted) and "trying again" in event.text for event in scene.events)


def test_server_that_is_down_begins_nothing(scene: Scene) -> None:
    scene.place = replace(scene.place, host="http://127.0.0.1:1")
    with pytest.raises(OllamaError, match="no Ollama server"):
        scene.migrate()
    assert run_ids(scene.place.state) == ()


def test_others_go_on_when_one_fails_and_that_is_wanted(scene: Scene) -> None:
    store = scene.standin.store
    store.add(Model("old-coder:7b", weights=gguf.llama(extra=META, layers=2), template="{{ .Prompt }}"))
    assert scene.standin.registry is not None
    plan = plan_for(
        scene.standin, scene.standin.registry, uses={OLD: ("chat",), BOT: ("chat",), "old-coder:7b": ("code",)}
    )
    targets = {d.source.model: d.target.model for d in plan.decisions if d.target is not None}
    assert targets["old-coder:7b"] != targets[OLD]
    scene.plan = plan
    scene.standin.break_pull(pull_faults.fail(pull_faults.BAD_PROXY), model=targets["old-coder:7b"], times=None)
    run = scene.migrate(keep_going=True, take_over=True)
    assert run.state == "committed" and run.failure is not None and run.failure.exit_code == 1
    assert "old-coder:7b" in run.failure.message
    assert scene.names()["old-coder:7b"] == store.manifests[store.named("old-coder:7b")].digest
    assert scene.names()[BOT] != scene.initial[BOT]


def test_journal_that_cannot_be_written_stops_before_the_next_call(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, count = os.write, [0]

    def full(handle: int, data: bytes) -> int:
        count[0] += data.startswith(b'{"event"')
        if count[0] > 4 and data.startswith(b'{"event"'):
            raise OSError(28, "No space left on device")
        return write(handle, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match="no space left"):
        scene.migrate()
    # begin, intent, done and the second intent were written; what the second announced is the last that was done
    assert len(changing(scene)) == 2


def test_empty_manifest_of_a_server_killed_in_the_middle_of_the_switch_is_healed(scene: Scene) -> None:
    run = scene.migrate(stage=True)

    def torn(store: Any) -> None:
        store.put(store.named(BOT), b"")
        raise ConnectionAbortedError

    meddle(scene, "/api/copy", torn)
    failed = scene.resume(run.id)
    scene.standin.unwatch()
    if failed.state != "committed":
        assert BOT not in scene.names()
        assert scene.resume(run.id).state == "committed"
    assert scene.names()[BOT] != scene.initial[BOT]
    scene.standin.store.put(scene.standin.store.named(BOT), b"")
    assert scene.roll_back(run.id).failure is None
    assert scene.names()[BOT] == scene.initial[BOT]
