"""Status: what no longer is as a run left it, and what is left to look after."""

from __future__ import annotations

from dataclasses import replace

from scene import BOT, OLD, Scene

from llamaexit.migration.names import backup_name
from llamaexit.migration.runs import journal_of
from llamaexit.migration.status import status


def copy_over(scene: Scene, source: str, destination: str) -> None:
    store = scene.standin.store
    store.put(store.named(destination), store.manifests[store.named(source)].data)


def test_nothing_to_look_after_where_nothing_was_done(scene: Scene) -> None:
    found = status(scene.place)
    assert found.clean and (found.runs, found.backups) == (0, ())


def test_finished_run_is_clean_and_its_backups_are_named(scene: Scene) -> None:
    run = scene.migrate(take_over=True)
    found = status(scene.place)
    assert found.clean and found.runs == 1
    assert {(kept.of, kept.run) for kept in found.backups} == {(OLD, run.id), (BOT, run.id)}


def test_old_model_that_a_pull_brought_back_is_told(scene: Scene) -> None:
    scene.migrate(take_over=True)
    copy_over(scene, backup_name(scene.initial[OLD]), OLD)
    (drift,) = status(scene.place).drifts
    assert drift.name == OLD and "means the old model again" in drift.text


def test_name_changed_by_somebody_else_is_told(scene: Scene) -> None:
    scene.migrate()
    copy_over(scene, "mistral:7b", BOT)
    (drift,) = status(scene.place).drifts
    assert (drift.name, drift.found) == (BOT, scene.initial["mistral:7b"])
    assert "somebody else" in drift.text


def test_target_that_is_gone_is_told(scene: Scene) -> None:
    scene.migrate(only=(OLD,))
    (target,) = scene.targets
    del scene.standin.store.manifests[scene.standin.store.named(target)]
    (drift,) = status(scene.place).drifts
    assert drift.text == f"{target} is gone"


def test_target_that_was_pulled_again_is_another_build(scene: Scene) -> None:
    scene.migrate(only=(OLD,))
    (target,) = scene.targets
    copy_over(scene, "mistral:7b", target)
    (drift,) = status(scene.place).drifts
    assert "another build" in drift.text and drift.hint == f"llamaexit smoke {target} tests it"


def test_rolled_back_run_promises_nothing_any_more(scene: Scene) -> None:
    run = scene.migrate(take_over=True)
    scene.roll_back(run.id)
    assert status(scene.place).drifts == ()


def test_run_that_is_not_over_is_named(scene: Scene) -> None:
    run = scene.migrate(stage=True)
    found = status(scene.place)
    assert [summary.id for summary in found.open] == [run.id] and not found.clean
    assert found.left_over == (), "what it prepared is still needed"


def test_prepared_name_of_a_run_that_is_over_is_left_over(scene: Scene) -> None:
    copy_over(scene, OLD, "llamaexit-stage/20260101-000000-abcd-1:latest")
    assert status(scene.place).left_over == ("llamaexit-stage/20260101-000000-abcd-1:latest",)


def test_backup_nobody_knows_of_is_named_all_the_same(scene: Scene) -> None:
    copy_over(scene, OLD, backup_name(scene.initial[OLD]))
    (kept,) = status(scene.place).backups
    assert (kept.digest, kept.of, kept.run) == (scene.initial[OLD], None, None)


def test_damaged_journal_is_told_and_the_others_are_still_read(scene: Scene) -> None:
    damaged, good = scene.migrate(only=(OLD,)), None
    path = journal_of(scene.place.state, damaged.id)
    path.write_bytes(b"not json\n" + path.read_bytes())
    found = status(scene.place)
    assert [summary.id for summary in found.damaged] == [damaged.id] and good is None
    assert "damaged in line 1" in (found.damaged[0].failure.message if found.damaged[0].failure else "")


def test_server_that_is_down_leaves_only_the_journals(scene: Scene) -> None:
    run = scene.migrate(stage=True)
    scene.standin.stop()
    found = status(replace(scene.place, timeout=1))
    assert found.unanswered is not None and "no Ollama server" in found.unanswered.message
    assert [summary.id for summary in found.open] == [run.id]
