from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llamaexit.ollama.inventory import take_inventory
from llamaexit.ollama.layers import with_layers
from llamaexit.snapshot import InstalledModel


@pytest.fixture
def models(store: Path) -> tuple[InstalledModel, ...]:
    """What a server would list for the store: names and digests."""
    return tuple(
        InstalledModel(model.name, digest=model.digest, size=model.size)
        for model in take_inventory(store=store, environ={})[1]
    )


def test_layers_are_those_of_the_manifest(models: tuple[InstalledModel, ...], store: Path) -> None:
    read = {model.name: model for model in take_inventory(store=store, environ={})[1]}
    merged = with_layers(models, store)
    assert {model.name: (model.layers, model.exclusive, model.weights_digest) for model in merged.models} == {
        name: (model.layers, model.exclusive, model.weights_digest) for name, model in read.items()
    }
    assert merged.problems == ()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff"])
def test_manifest_that_is_not_the_one_the_server_has_gives_nothing(
    content: bytes, models: tuple[InstalledModel, ...], store: Path
) -> None:
    (store / "manifests/registry.ollama.ai/library/mistral/7b").write_bytes(content)
    merged = {model.name: model for model in with_layers(models, store).models}
    assert merged["mistral:7b"].layers == ()
    assert merged["qwen3:8b"].layers


def test_name_the_disk_cannot_hold_gives_nothing(models: tuple[InstalledModel, ...], store: Path) -> None:
    odd = replace(models[0], name="../../etc/passwd")
    assert with_layers((odd, *models), store).models[0] == odd


def test_place_without_a_store_gives_nothing(models: tuple[InstalledModel, ...], tmp_path: Path) -> None:
    assert with_layers(models, tmp_path / "nothing").models == models


def test_file_in_place_of_the_blobs_gives_nothing(models: tuple[InstalledModel, ...], store: Path) -> None:
    (store / "blobs").rename(store / "moved")
    (store / "blobs").touch()
    assert with_layers(models, store).models == models


def test_problem_of_the_server_is_kept(models: tuple[InstalledModel, ...], store: Path) -> None:
    (store / "blobs").rename(store / "moved")
    told = [replace(model, problem="the server cannot show it") for model in models]
    assert {model.problem for model in with_layers(told, store).models} == {"the server cannot show it"}
    assert all("missing" in (model.problem or "") for model in with_layers(models, store).models)


def test_file_that_is_no_name_is_not_mentioned(models: tuple[InstalledModel, ...], store: Path) -> None:
    (store / "manifests/registry.ollama.ai/library/mistral/.DS_Store").touch()
    assert with_layers(models, store).problems == ()
