"""The stand-in beyond the recordings: rules of Ollama that bite, and its own knobs."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ollama
from standin import Model, Standin, Store
from standin.store import Resident

Start = Callable[..., Standin]


def post(standin: Standin, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(standin.url + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
        return error.code, json.loads(text) if text else None


def show(standin: Standin, name: str) -> tuple[int, Any]:
    return post(standin, "/api/show", {"model": name})


def family(standin: Standin, name: str) -> str:
    return str(show(standin, name)[1]["details"]["family"])


class TestNames:
    @pytest.fixture
    def server(self, start_standin: Start) -> Standin:
        return start_standin(Store.of(Model("llama3.1:8b"), Model("User/Bot:V1", family="x")))

    @pytest.mark.parametrize("name", ["LLAMA3.1:8B", "registry.ollama.ai/library/llama3.1:8b", " llama3.1:8b "])
    def test_are_found_in_any_case_and_form(self, name: str, server: Standin) -> None:
        assert family(server, name) == "llama"

    def test_take_parts_from_unrelated_models(self, server: Standin) -> None:
        server.store.add(Model("bot:v1", family="y"))
        status, answer = show(server, "bot:v1")
        assert (status, answer["error"]) == (404, "model 'Bot:V1' not found")

    @pytest.mark.parametrize("name", ["localhost:5000/model", "m:", "a.b/m", "m@sha256:00", "m" * 81])
    def test_that_are_invalid_are_refused(self, name: str, server: Standin) -> None:
        assert show(server, name) == (400, {"error": "invalid model name"})

    def test_may_come_in_the_older_field(self, server: Standin) -> None:
        assert post(server, "/api/show", {"name": "llama3.1:8b"})[0] == 200


class TestBrokenStore:
    def test_corrupt_manifest_is_left_out_of_the_list_and_cannot_be_shown(self, standin: Standin, store: Path) -> None:
        standin.store.manifests[standin.store.named("mistral:7b")].data = b""
        with urllib.request.urlopen(standin.url + "/api/tags", timeout=5) as response:
            assert "mistral:7b" not in {model["name"] for model in json.loads(response.read())["models"]}
        assert show(standin, "mistral:7b")[0] == 500

    @pytest.mark.parametrize("kind", ["model", "config"])
    def test_model_without_a_blob_is_not_found(self, kind: str, standin: Standin) -> None:
        manifest = standin.store.manifests[standin.store.named("mistral:7b")].parsed()
        digest = manifest["config"]["digest"] if kind == "config" else manifest["layers"][0]["digest"]
        del standin.store.blobs[digest]
        assert show(standin, "mistral:7b") == (404, {"error": "model 'mistral:7b' not found"})


class TestGuard:
    @pytest.mark.parametrize("host", ["localhost:1", "box.local", "api.internal", "192.168.1.7", "[::1]:11434"])
    def test_lets_names_of_this_network_in(self, host: str, standin: Standin) -> None:
        assert post(standin, "/api/show", {"model": "mistral:7b"}, Host=host)[0] == 200

    @pytest.mark.parametrize("host", ["models.example.com", "8.8.8.8"])
    def test_keeps_public_names_out(self, host: str, standin: Standin) -> None:
        assert post(standin, "/api/show", {"model": "mistral:7b"}, Host=host) == (403, None)

    def test_keeps_foreign_origins_out(self, standin: Standin) -> None:
        assert post(standin, "/api/show", {"model": "mistral:7b"}, Origin="https://evil.example") == (403, None)


class TestModelsMadeInATest:
    def test_share_the_layers_of_their_parent(self) -> None:
        store = Store.of(Model("base"))
        before = len(store.blobs)
        store.add(Model("bot", parent="base", system="x"))
        assert len(store.blobs) == before + 1

    def test_merge_parameters_add_licences_and_replace_messages(self, start_standin: Start) -> None:
        base = Model("base", parameters={"num_ctx": 1, "seed": 2}, licences=("A",), messages=(("user", "old"),))
        bot = Model("bot", parent="base", parameters={"seed": 3}, licences=("B",), messages=(("user", "new"),))
        _, answer = show(start_standin(Store.of(base, bot)), "bot")
        assert sorted(" ".join(line.split()) for line in answer["parameters"].splitlines()) == ["num_ctx 1", "seed 3"]
        assert answer["license"] == "A\nB"
        assert answer["messages"] == [{"role": "user", "content": "new"}]

    def test_come_back_from_disk_as_they_were(self, tmp_path: Path) -> None:
        store = Store.of(Model("base"), Model("bot", parent="base", system="x"))
        again = Store.from_directory(store.write_to(tmp_path / "models"))
        assert {name: entry.data for name, entry in again.manifests.items()} == {
            name: entry.data for name, entry in store.manifests.items()
        }
        assert {digest: blob.size for digest, blob in again.blobs.items()} == {
            digest: blob.size for digest, blob in store.blobs.items()
        }


class TestOfficialClient:
    """The contract the stand-in is for: Ollama's own Python client takes it for an Ollama."""

    @pytest.fixture
    def client(self, standin: Standin) -> Iterator[ollama.Client]:
        standin.store.resident.append(Resident("llama3.1:8b", 100, 40))
        client = ollama.Client(host=standin.url, timeout=5)
        yield client
        client._client.close()

    def test_lists(self, client: ollama.Client) -> None:
        models = {model.model: model for model in client.list().models}
        assert models["llama3.1:8b"].size == 221780
        assert models["llama3.1:8b"].details is not None
        assert models["llama3.1:8b"].details.quantization_level == "F16"

    def test_shows(self, client: ollama.Client) -> None:
        shown = client.show("team-bot")
        assert shown.capabilities == ["completion"]
        assert shown.modelinfo is not None
        assert shown.modelinfo["llama.block_count"] == 2
        assert "PARAMETER num_ctx 8192" in (shown.modelfile or "")

    def test_lists_what_is_loaded(self, client: ollama.Client) -> None:
        (loaded,) = client.ps().models
        assert (loaded.model, loaded.size, loaded.size_vram, loaded.context_length) == ("llama3.1:8b", 100, 40, 4096)

    def test_gets_the_error_of_a_missing_model(self, client: ollama.Client) -> None:
        with pytest.raises(ollama.ResponseError, match="model 'nope:1b' not found") as caught:
            client.show("nope:1b")
        assert caught.value.status_code == 404


def test_empty_store_lists_nothing_and_openai_route_says_null(start_standin: Start) -> None:
    standin = start_standin()
    for path, expected in (("/api/tags", {"models": []}), ("/v1/models", {"object": "list", "data": None})):
        with urllib.request.urlopen(standin.url + path, timeout=5) as response:
            assert json.loads(response.read()) == expected


def test_fault_inside_the_standin_is_not_swallowed() -> None:
    standin = Standin(Store.of(Model("m"))).start()
    standin.store.manifests = None  # type: ignore[assignment]
    with pytest.raises(OSError):
        urllib.request.urlopen(standin.url + "/api/tags", timeout=5)
    with pytest.raises(AssertionError, match="stand-in itself failed"):
        standin.stop()
