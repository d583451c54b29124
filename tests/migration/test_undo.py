"""The way back: what a rollback puts right, what it leaves alone, and what a purge takes along."""

from __future__ import annotations

from typing import Any

import pytest
from scene import BOT, OLD, Scene, plan_for, scene_with

from llamaexit.errors import HALFWAY
from llamaexit.migration.failures import Refused
from llamaexit.migration.names import backup_name
from standin import pull_faults


def copy_over(scene: Scene, source: str, destination: str) -> None:
    store = scene.standin.store
    store.put(store.named(destination), store.manifests[store.named(source)].data)


def remove(scene: Scene, name: str) -> None:
    del scene.standin.store.manifests[scene.standin.store.named(name)]


def without(names: dict[str, str], *left_out: str) -> dict[str, str]:
    return {name: digest for name, digest in names.items() if name not in left_out}


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="of a finished run"),
        pytest.param({"stage": True}, id="of a run that stopped before the switch"),
        pytest.param({"take_over": True, "aliases": {"team-chat": OLD, "mistral:7b": BOT}}, id="of aliases and more"),
    ],
)
def test_rollback_gives_every_name_its_old_meaning(scene: Scene, options: dict[str, Any]) -> None:
    run = scene.migrate(**options)
    undone = scene.roll_back(run.id)
    assert (undone.state, undone.failure) == ("rolled-back", None)
    assert without(scene.names(), *scene.targets) == scene.initial
    assert not [name for name in scene.names(ours=True) if name.startswith("llamaexit-stage/")]
    assert scene.whole()


def test_rollback_of_a_run_whose_pull_failed_has_nothing_to_change(scene: Scene) -> None:
    scene.standin.break_pull(pull_faults.fail(pull_faults.BAD_PROXY), times=None)
    run = scene.migrate()
    assert scene.roll_back(run.id).failure is None
    assert scene.names() == scene.initial


def test_rolled_back_run_has_no_changes_of_names_left(scene: Scene) -> None:
    run = scene.migrate(take_over=True)
    assert {change.what for change in run.changes} == {"pulled", "rebuilt", "taken-over"}
    assert {change.what for change in scene.roll_back(run.id).changes} == {"pulled"}


def test_second_rollback_is_refused(scene: Scene) -> None:
    run = scene.migrate()
    scene.roll_back(run.id)
    with pytest.raises(Refused, match="rolled back already"):
        scene.roll_back(run.id)
    with pytest.raises(Refused, match="was rolled back"):
        scene.resume(run.id)


def test_name_changed_since_is_left_and_the_others_come_back(scene: Scene) -> None:
    run = scene.migrate(take_over=True)
    copy_over(scene, "mistral:7b", BOT)
    undone = scene.roll_back(run.id)
    assert undone.failure is not None and (undone.failure.code, undone.failure.exit_code) == ("conflict", HALFWAY)
    assert BOT in undone.failure.message and [name for name, _ in undone.conflicts] == [BOT]
    assert scene.names()[BOT] == scene.initial["mistral:7b"]
    assert scene.names()[OLD] == scene.initial[OLD]


def test_name_deleted_since_comes_back(scene: Scene) -> None:
    run = scene.migrate()
    remove(scene, BOT)
    assert scene.roll_back(run.id).failure is None
    assert scene.names()[BOT] == scene.initial[BOT]


def test_old_model_brought_back_by_hand_is_all_right(scene: Scene) -> None:
    run = scene.migrate()
    copy_over(scene, backup_name(scene.initial[BOT]), BOT)
    assert scene.roll_back(run.id).failure is None
    assert scene.names()[BOT] == scene.initial[BOT]


def test_name_whose_backup_is_gone_does_not_keep_the_others_from_coming_back(scene: Scene) -> None:
    run = scene.migrate(take_over=True)
    remove(scene, backup_name(scene.initial[BOT]))
    undone = scene.roll_back(run.id)
    assert undone.state == "rolling-back"
    assert undone.failure is not None and undone.failure.code == "no-backup" and undone.failure.exit_code == HALFWAY
    assert scene.names()[OLD] == scene.initial[OLD]


def test_purge_takes_the_download_and_the_backups_along(scene: Scene) -> None:
    run = scene.migrate(take_over=True)
    undone = scene.roll_back(run.id, purge=True)
    assert (undone.failure, undone.changes, undone.backups) == (None, (), ())
    assert scene.names(ours=True) == scene.initial
    assert scene.whole()


def test_purge_may_follow_later(scene: Scene) -> None:
    run = scene.migrate(take_over=True)
    scene.roll_back(run.id)
    assert scene.roll_back(run.id, purge=True).failure is None
    assert scene.names(ours=True) == scene.initial


def test_purge_keeps_the_only_copy_of_an_old_model(scene: Scene) -> None:
    run = scene.migrate()
    copy_over(scene, "mistral:7b", BOT)
    scene.roll_back(run.id, purge=True)
    assert backup_name(scene.initial[BOT]) in scene.names(ours=True)


def test_purge_keeps_what_another_run_relies_on(scene: Scene) -> None:
    assert scene.standin.registry is not None
    first = scene.migrate(only=(OLD,))
    plan = plan_for(scene.standin, scene.standin.registry)
    second = scene_with(plan, scene.place.state.parent, scene.standin).migrate(only=(BOT,))
    assert second.state == "committed"
    undone = scene.roll_back(first.id, purge=True)
    assert scene.targets <= scene.names().keys()
    assert scene.names()[BOT] != scene.initial[BOT]
    assert (undone.failure, undone.conflicts) == (None, ())
    assert any(f"run {second.id} relies on" in step.detail for step in undone.steps)


def test_purge_keeps_the_backup_another_run_goes_back_by(scene: Scene) -> None:
    """Two bots of one digest share a backup."""
    assert scene.standin.registry is not None
    twin, folder = "twin-bot:latest", scene.place.state.parent
    copy_over(scene, BOT, twin)
    plan = plan_for(scene.standin, scene.standin.registry)
    first = scene_with(plan, folder, scene.standin).migrate(only=(BOT,))
    plan = plan_for(scene.standin, scene.standin.registry)
    second = scene_with(plan, folder, scene.standin).migrate(only=(twin,))
    assert second.state == "committed"
    assert scene.roll_back(first.id, purge=True).failure is None
    copy_over(scene, "mistral:7b", BOT)
    assert scene.roll_back(second.id).failure is None
    assert scene.names()[twin] == scene.initial[BOT]


def test_purge_keeps_a_target_that_was_there_before(scene: Scene) -> None:
    assert scene.standin.registry is not None
    scene.migrate(only=(OLD,))
    plan = plan_for(scene.standin, scene.standin.registry)
    again = scene_with(plan, scene.place.state.parent / "again", scene.standin)
    run = again.migrate(only=(BOT,))
    again.roll_back(run.id, purge=True)
    assert scene.targets <= scene.names().keys()


def test_rollback_of_another_ollama_is_refused(scene: Scene) -> None:
    from dataclasses import replace

    run = scene.migrate()
    scene.place = replace(scene.place, host="http://127.0.0.1:1")
    with pytest.raises(Refused, match="is about"):
        scene.roll_back(run.id)
