"""Against a real Ollama, whose address is in LLAMAEXIT_TEST_OLLAMA. Nothing is changed there."""

from __future__ import annotations

import os

import pytest

from llamaexit.ollama.inventory import take_inventory
from llamaexit.ollama.names import Name
from llamaexit.ollama.server import Server
from llamaexit.ollama.version import parse_version
from llamaexit.snapshot import InstalledModel, OllamaFacts

ADDRESS = os.environ.get("LLAMAEXIT_TEST_OLLAMA", "")

pytestmark = [
    pytest.mark.ollama,
    pytest.mark.skipif(not ADDRESS, reason="LLAMAEXIT_TEST_OLLAMA does not give the address of an Ollama server"),
]


@pytest.fixture(scope="module")
def inventory() -> tuple[OllamaFacts, tuple[InstalledModel, ...]]:
    return take_inventory(host=ADDRESS, environ={}, timeout=30)


def test_version_is_understood(inventory: tuple[OllamaFacts, tuple[InstalledModel, ...]]) -> None:
    facts, _ = inventory
    assert facts.source == "server"
    assert facts.version == "0.0.0" or parse_version(facts.version) is not None


def test_every_listed_model_is_there_once(inventory: tuple[OllamaFacts, tuple[InstalledModel, ...]]) -> None:
    with Server(ADDRESS, 30) as server:
        listed = sorted(tag["name"] for tag in server.tags())
    assert sorted(model.name for model in inventory[1]) == listed
    assert all(Name.parse(name).short == name for name in listed)


def test_every_local_gguf_model_has_shape_and_weights(
    inventory: tuple[OllamaFacts, tuple[InstalledModel, ...]],
) -> None:
    for model in inventory[1]:
        if model.format == "gguf" and model.remote is None and model.problem is None:
            assert model.shape is not None, model.name
            assert model.weights_digest is not None, model.name
            assert model.weights is None or 0 < model.weights.total <= model.size, model.name


def test_name_in_another_case_is_the_same_model(
    inventory: tuple[OllamaFacts, tuple[InstalledModel, ...]],
) -> None:
    local = [model.name for model in inventory[1] if model.remote is None and model.problem is None]
    if not local:
        pytest.skip("the server has no model that could be shown")
    with Server(ADDRESS, 30) as server:
        assert server.show(local[0].upper())["details"] == server.show(local[0])["details"]


def test_blob_of_a_model_is_known_and_an_invented_one_is_not(
    inventory: tuple[OllamaFacts, tuple[InstalledModel, ...]],
) -> None:
    with Server(ADDRESS, 30) as server:
        for model in inventory[1][:3]:
            if model.weights_digest and model.problem is None:
                assert server.has_blob(f"sha256:{model.weights_digest}")
        assert not server.has_blob("sha256:" + "0" * 64)
