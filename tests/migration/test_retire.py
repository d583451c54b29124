"""Retiring old models: only what was replaced long ago, works without, and could be had again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from scene import BOT, OLD, Scene, snapshot_of

from llamaexit.errors import RegistryError
from llamaexit.migration.names import backup_name
from llamaexit.migration.retire import Retirement, retirable, retire
from llamaexit.snapshot import InstalledModel, Layer

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=20)


def again(scene: Scene) -> Any:
    """A registry that still has every old library model."""
    return lambda name: scene.initial.get(name)


def models_of(scene: Scene, *, layers: bool = True) -> Sequence[InstalledModel]:
    """All models, with their layers as a store on this machine would tell them."""
    from dataclasses import replace

    store = scene.standin.store
    models = []
    for model in snapshot_of(scene.standin).models:
        entry = store.manifests[store.named(model.name)]
        found = tuple(Layer("", digest, store.blobs[digest].size) for digest in sorted(store.digests(entry)))
        models.append(replace(model, layers=found if layers else ()))
    return models


def ask(scene: Scene, **options: Any) -> Retirement:
    options = {"available": again(scene), "now": LATER, **options}
    return retirable(scene.place, options.pop("models", None) or models_of(scene), **options)


def test_library_model_that_was_replaced_long_ago_may_go(scene: Scene) -> None:
    run = scene.migrate(only=(OLD,))
    found = ask(scene)
    assert [(old.name, old.run) for old in found.going] == [(OLD, run.id)]
    retire(found, scene.place)
    assert OLD not in scene.names() and scene.whole()


def test_bytes_that_become_free_are_those_nothing_else_uses(scene: Scene) -> None:
    scene.migrate(only=(OLD,))
    before = sum(blob.size for blob in scene.standin.store.blobs.values())
    found = ask(scene)
    assert found.exact
    retire(found, scene.place)
    after = sum(blob.size for blob in scene.standin.store.blobs.values())
    assert before - after == found.freed
    assert found.freed < next(m.size for m in models_of_before(scene)), "team-bot still uses its weights"


def models_of_before(scene: Scene) -> Sequence[InstalledModel]:
    return [model for model in snapshot_of(scene.standin).models if model.name == BOT]


def test_without_layers_the_bytes_are_the_most_it_can_be(scene: Scene) -> None:
    scene.migrate(only=(OLD,))
    found = ask(scene, models=models_of(scene, layers=False))
    assert not found.exact and found.freed > 0


@pytest.mark.parametrize(
    ("available", "said"),
    [
        pytest.param(lambda name: None, "is not in its registry", id="a name the registry has lost"),
        pytest.param(lambda name: "0" * 64, "is another build in its registry now", id="a tag that has moved"),
    ],
)
def test_what_cannot_be_pulled_again_is_kept_unless_forced(scene: Scene, available: Any, said: str) -> None:
    scene.migrate(only=(OLD,))
    (kept,) = ask(scene, available=available).kept
    assert said in (kept.why_not or "")
    assert [old.name for old in ask(scene, available=available, force=True).going] == [OLD]


def test_registry_that_does_not_answer_keeps_everything(scene: Scene) -> None:
    def down(name: str) -> str | None:
        raise RegistryError("cannot reach registry.ollama.ai")

    scene.migrate(only=(OLD,))
    (kept,) = ask(scene, available=down).kept
    assert "cannot tell whether it could be pulled again" in (kept.why_not or "")


def test_backup_of_a_model_of_ones_own_is_kept_unless_forced(scene: Scene) -> None:
    scene.migrate(only=(BOT,))
    found = ask(scene)
    (kept,) = found.kept
    assert kept.name == backup_name(scene.initial[BOT]) and "of your own" in (kept.why_not or "")
    assert found.going == ()


def test_young_run_keeps_its_old_models(scene: Scene) -> None:
    scene.migrate(only=(OLD,))
    (kept,) = ask(scene, now=dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).kept
    assert "replaced 3 days ago" in (kept.why_not or "") and kept.can_force
    assert ask(scene, now=dt.datetime.now(dt.UTC), older_than=dt.timedelta(0)).going


def test_nothing_goes_while_another_run_is_not_over(scene: Scene) -> None:
    from scene import plan_for, scene_with

    scene.migrate(only=(OLD,))
    assert scene.standin.registry is not None
    plan = plan_for(scene.standin, scene.standin.registry)
    scene_with(plan, scene.place.state.parent, scene.standin).migrate(only=(BOT,), stage=True)
    found = ask(scene, force=True)
    assert found.going == () and "is not over" in (found.kept[0].why_not or "")


def test_old_model_stays_when_the_new_one_is_gone_or_another(scene: Scene) -> None:
    scene.migrate(only=(OLD,))
    (target,) = scene.targets
    store = scene.standin.store
    store.put(store.named(target), store.manifests[store.named("mistral:7b")].data)
    (kept,) = ask(scene, force=True).kept
    assert "another build" in (kept.why_not or "")
    del store.manifests[store.named(target)]
    (kept,) = ask(scene, force=True).kept
    assert f"{target}, which replaced it, is gone" == kept.why_not


def test_rolled_back_run_retires_nothing(scene: Scene) -> None:
    run = scene.migrate(only=(OLD,))
    scene.roll_back(run.id)
    found = ask(scene)
    assert (found.going, found.kept) == ((), ())


def test_model_that_changed_since_it_was_shown_is_not_deleted(scene: Scene) -> None:
    scene.migrate(only=(OLD,))
    found = ask(scene)
    store = scene.standin.store
    store.put(store.named(OLD), store.manifests[store.named("mistral:7b")].data)
    done = retire(found, scene.place)
    assert done.gone == () and OLD in scene.names()
    assert "it is" in (done.kept[0].why_not or "")


def test_library_model_that_was_taken_over_is_retired_by_its_backup(scene: Scene) -> None:
    scene.migrate(only=(OLD,), take_over=True)
    found = ask(scene)
    assert [old.name for old in found.going] == [backup_name(scene.initial[OLD])]
    retire(found, scene.place)
    assert OLD in scene.names() and scene.whole()
