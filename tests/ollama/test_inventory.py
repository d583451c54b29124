from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llamaexit.errors import OllamaError, StoreError, UsageError
from llamaexit.ollama import host as host_module
from llamaexit.ollama import inventory
from llamaexit.ollama.failures import Forbidden, NotOllama, TimedOut, TooOld, Unreachable
from llamaexit.ollama.inventory import take_inventory
from llamaexit.snapshot import InstalledModel
from standin import Model, Standin, Store, faults, gguf
from standin.faults import Fault
from standin.gguf import Gguf
from standin.store import Resident

Start = Callable[..., Standin]
NOWHERE = "http://127.0.0.1:1"
SHORT = 0.25

LICENCE = "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\nLlama 3.1 Version Release Date: July 23, 2024\n"
CHAT = "{{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>{{ .Content }}<|eot_id|>{{ end }}"
PARAMETERS = {"num_ctx": 1048576, "stop": ["A", 'B"']}
MESSAGES = (("user", "hi"), ("assistant", "ho"))
# per-layer head counts, and attention fused into one tensor: nothing but the array tells the shape
HYBRID = Gguf(
    gguf.llama("qwen35", layers=4, extra={"qwen35.attention.head_count_kv": [0, 0, 0, 2]}).metadata,
    tuple(
        (name.replace("attn_k", "attn_qkv"), kind, shape)
        for name, kind, shape in gguf.llama("qwen35", layers=4).tensors
    ),
)


def everything() -> Store:
    """One model of every sort that a server tells apart."""
    return Store.of(
        Model("llama3.1:8b", licences=(LICENCE, "Llama 3.1 Acceptable Use Policy\n"), template=CHAT),
        Model("team-bot", parent="llama3.1:8b", system="You are Ada.", parameters=PARAMETERS),
        Model("deep/bot:v2", parent="team-bot", parameters={"temperature": 0.3}, messages=MESSAGES),
        Model("tuned", weights=gguf.llama(hidden=128), adapter=True, quantization="Q4_K_M"),
        Model("llava:7b", weights=gguf.llama(vocabulary=300), projector=gguf.llama("clip"), families=("llama", "clip")),
        Model("nomic-embed-text", weights=gguf.llama("nomic-bert", extra={"nomic-bert.pooling_type": 1})),
        Model("qwen3.5:4b", weights=HYBRID, renderer="qwen3.5", parser="qwen3.5", requires="0.17.1"),
        Model("gpt-oss:120b-cloud", remote=("https://ollama.com:443", "gpt-oss:120b"), parameter_size="116.8B"),
        Model("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M", weights=gguf.llama(kind="Q8_0")),
    )


def by_name(models: tuple[InstalledModel, ...]) -> dict[str, InstalledModel]:
    return {model.name: model for model in models}


def of_server(standin: Standin, **options: Any) -> dict[str, InstalledModel]:
    return by_name(take_inventory(host=standin.url, environ={}, **options)[1])


def comparable(model: InstalledModel) -> InstalledModel:
    """A model without what server and store cannot agree on, and nothing else."""
    return replace(
        model,
        source="server",
        # a server writes as many digits of the second as there are, and never tells general.name
        modified_at=(model.modified_at or "").rstrip("0Z").rstrip("."),
        metadata={key: value for key, value in model.metadata.items() if key != "general.name"},
        shape=replace(model.shape, source="") if model.shape else None,
        # the access time of a file: reading the store changes it
        last_used=None,
        last_used_source=None,
    )


class TestServerAndStoreAgree:
    def test_on_the_recorded_store(self, standin: Standin, store: Path) -> None:
        asked, read = of_server(standin), by_name(take_inventory(store=store, environ={})[1])
        assert len(asked) == 8
        assert {name: comparable(model) for name, model in asked.items()} == {
            name: comparable(model) for name, model in read.items()
        }

    def test_on_models_of_every_sort(self, start_standin: Start, tmp_path: Path) -> None:
        content = everything()
        path = content.write_to(tmp_path / "models")
        asked = of_server(start_standin(Store.from_directory(path)))
        read = by_name(take_inventory(store=path, environ={})[1])
        assert asked.keys() == read.keys()
        for name in read:
            # a show of a cloud model may reach the cloud, so the server is not asked what it can do
            capabilities = None if read[name].remote else read[name].capabilities
            assert comparable(asked[name]) == replace(comparable(read[name]), capabilities=capabilities), name


class TestFactsFromTheServer:
    @pytest.fixture
    def models(self, start_standin: Start) -> dict[str, InstalledModel]:
        return of_server(start_standin(everything()))

    def test_are_sorted_by_name(self, models: dict[str, InstalledModel]) -> None:
        assert list(models) == sorted(models)

    def test_name_the_parent_of_a_derived_model(self, models: dict[str, InstalledModel]) -> None:
        assert models["team-bot:latest"].parent == "llama3.1:8b"
        assert models["deep/bot:v2"].parent == "team-bot:latest"
        assert models["llama3.1:8b"].parent is None

    def test_have_parameters_as_values(self, models: dict[str, InstalledModel]) -> None:
        assert models["team-bot:latest"].parameters == PARAMETERS
        assert models["deep/bot:v2"].parameters == {**PARAMETERS, "temperature": 0.3}

    def test_tell_prompt_and_messages_apart(self, models: dict[str, InstalledModel]) -> None:
        assert (models["team-bot:latest"].system, models["team-bot:latest"].messages) == (True, 0)
        assert (models["deep/bot:v2"].system, models["deep/bot:v2"].messages) == (True, 2)

    def test_name_licences_by_their_headings(self, models: dict[str, InstalledModel]) -> None:
        headings = models["llama3.1:8b"].licences
        assert headings == ("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT", "Llama 3.1 Acceptable Use Policy")

    def test_name_the_tokens_of_the_template(self, models: dict[str, InstalledModel]) -> None:
        tokens = models["llama3.1:8b"].template_tokens
        assert tokens == ("<|end_header_id|>", "<|eot_id|>", "<|start_header_id|>")

    def test_show_an_adapter(self, models: dict[str, InstalledModel]) -> None:
        assert [name for name, model in models.items() if model.adapter] == ["tuned:latest"]

    def test_have_capabilities_in_one_order(self, models: dict[str, InstalledModel]) -> None:
        assert models["llava:7b"].capabilities == ("completion", "vision")
        assert models["nomic-embed-text:latest"].capabilities == ("embedding",)

    def test_have_the_version_a_model_requires(self, models: dict[str, InstalledModel]) -> None:
        assert models["qwen3.5:4b"].requires == "0.17.1"

    def test_bound_the_projector_by_what_is_not_tensors(
        self, models: dict[str, InstalledModel], start_standin: Start, tmp_path: Path
    ) -> None:
        content = everything()
        exact = sum(
            layer["size"] for layer in content.layers(content.manifests[content.named("llava:7b")], "projector")
        )
        told = models["llava:7b"]
        assert told.weights is not None
        assert exact <= told.projector_size == told.size - told.weights.total
        content.write_to(tmp_path / "models")
        assert of_server(start_standin(content))["llava:7b"].projector_size == exact

    def test_name_the_weights_by_their_digest(self, models: dict[str, InstalledModel]) -> None:
        shared = {models[name].weights_digest for name in ("llama3.1:8b", "team-bot:latest", "deep/bot:v2")}
        assert len(shared) == 1
        assert models["tuned:latest"].weights_digest not in shared

    def test_leave_out_layers_when_the_store_is_elsewhere(self, models: dict[str, InstalledModel]) -> None:
        assert all(model.layers == () and model.exclusive is None for model in models.values())

    def test_tell_a_cloud_model_without_asking_the_cloud(self, start_standin: Start) -> None:
        standin = start_standin(everything())
        model = of_server(standin)["gpt-oss:120b-cloud"]
        assert model.remote == "https://ollama.com:443"
        assert model.parameter_size == "116.8B"
        assert not [request for request in standin.asked("/api/show") if "cloud" in request.body["model"]]


class TestNothingIsAskedTwice:
    def test_one_call_for_each_question(self, standin: Standin) -> None:
        take_inventory(host=standin.url, environ={})
        assert (
            len(standin.asked("/api/version")) == len(standin.asked("/api/tags")) == len(standin.asked("/api/ps")) == 1
        )
        shown = [request.body["model"] for request in standin.asked("/api/show")]
        assert sorted(shown) == sorted(name.short for name in standin.store.manifests)

    def test_names_of_one_manifest_are_shown_once(self, start_standin: Start) -> None:
        content = Store.of(Model("llama3.1:8b"))
        for alias in ("gpt-3.5-turbo", "llamaexit-keep/a:1"):
            content.manifests[content.named(alias)] = content.manifests[content.named("llama3.1:8b")]
        standin = start_standin(content)
        models = of_server(standin)
        assert list(models) == ["gpt-3.5-turbo:latest", "llama3.1:8b", "llamaexit-keep/a:1"]
        assert len(standin.asked("/api/show")) == 1
        assert all(model.shape for model in models.values())

    def test_shows_run_side_by_side_but_not_all_at_once(self, start_standin: Start) -> None:
        content = Store.of(*(Model(f"m{index}", system=str(index)) for index in range(24)))
        standin = start_standin(content, latency=0.02)
        assert len(of_server(standin)) == 24
        assert 4 <= standin.busiest <= inventory.AT_ONCE


class TestPerLayerArrays:
    KV = (0, 0, 0, 2)

    def test_are_not_asked_for_when_nothing_hangs_on_them(self, standin: Standin) -> None:
        take_inventory(host=standin.url, environ={})
        assert not [request for request in standin.asked("/api/show") if request.body.get("verbose")]

    def test_come_from_a_verbose_answer_when_the_file_is_elsewhere(self, start_standin: Start) -> None:
        standin = start_standin(Store.of(Model("qwen3.5:4b", weights=HYBRID), Model("llama3.1:8b")))
        shape = of_server(standin)["qwen3.5:4b"].shape
        assert shape is not None
        assert shape.kv_heads == self.KV
        verbose = [request.body["model"] for request in standin.asked("/api/show") if request.body.get("verbose")]
        assert verbose == ["qwen3.5:4b"]

    def test_come_from_the_file_when_it_is_here(self, start_standin: Start, tmp_path: Path) -> None:
        content = Store.of(Model("qwen3.5:4b", weights=HYBRID))
        content.write_to(tmp_path / "models")
        standin = start_standin(content)
        shape = of_server(standin)["qwen3.5:4b"].shape
        assert shape is not None
        assert shape.kv_heads == self.KV
        assert not [request for request in standin.asked("/api/show") if request.body.get("verbose")]

    def test_are_derived_from_the_tensors_where_these_tell(self, start_standin: Start) -> None:
        plain = gguf.llama(layers=2, extra={"llama.attention.head_count_kv": [2, 2]})
        standin = start_standin(Store.of(Model("m", weights=plain)))
        shape = of_server(standin)["m:latest"].shape
        assert shape is not None
        assert shape.kv_heads == 2
        assert not [request for request in standin.asked("/api/show") if request.body.get("verbose")]


class TestOlderServers:
    @pytest.mark.parametrize(
        ("version", "capabilities", "tensors"),
        [("0.6.3", False, True), ("0.6.0", False, False), ("0.24.0", True, True), ("0.0.0", True, True)],
    )
    def test_give_what_they_have(self, version: str, capabilities: bool, tensors: bool, start_standin: Start) -> None:
        standin = start_standin(Store.of(Model("llama3.1:8b")), version=version)
        facts, (model,) = take_inventory(host=standin.url, environ={})
        assert facts.version == version
        assert (model.capabilities is not None) is capabilities
        assert (model.weights is not None) is tensors
        assert model.shape is not None
        assert model.context_length == 4096

    def test_without_a_needed_route_ask_for_an_update(self, start_standin: Start) -> None:
        standin = start_standin(Store.of(Model("m")), version="0.0.1")
        standin.break_(faults.unknown_route, "/api/show")
        with pytest.raises(TooOld, match="/api/show"):
            take_inventory(host=standin.url, environ={})

    def test_without_ps_are_a_problem_line(self, start_standin: Start) -> None:
        standin = start_standin(Store.of(Model("m")), version="0.1.30")
        standin.break_(faults.unknown_route, "/api/ps")
        facts, models = take_inventory(host=standin.url, environ={})
        assert len(models) == 1
        assert [problem for problem in facts.problems if "/api/ps" in problem]


class TestOneModelInTrouble:
    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            pytest.param(faults.server_error, "something went wrong", id="500"),
            pytest.param(faults.model_missing, "not found", id="404: a blob is missing"),
            pytest.param(faults.not_json, "not JSON", id="no JSON"),
            pytest.param(faults.answer(200, "[]", "application/json"), "shape", id="JSON of another shape"),
            pytest.param(faults.drop, "closed without an answer", id="connection closed"),
            pytest.param(faults.web_page, "web page", id="web page"),
            pytest.param(faults.forbidden, "403", id="403"),
            pytest.param(faults.hang, "did not answer", id="no answer"),
        ],
    )
    def test_has_a_problem_and_the_others_none(self, fault: Fault, words: str, start_standin: Start) -> None:
        standin = start_standin(Store.of(Model("bad:1b", quantization="Q4_0"), Model("good:1b", system="x")))
        standin.break_(fault, "/api/show", model="bad:1b")
        models = of_server(standin, timeout=SHORT)
        assert words in (models["bad:1b"].problem or "")
        assert models["bad:1b"].size > 0
        assert models["bad:1b"].quantization == "Q4_0"
        assert models["good:1b"].problem is None
        assert models["good:1b"].shape is not None

    def test_show_with_nothing_in_it_gives_what_the_list_says(self, start_standin: Start) -> None:
        standin = start_standin(Store.of(Model("m")))
        standin.break_(faults.answer(200, "{}", "application/json"), "/api/show")
        model = of_server(standin)["m:latest"]
        assert (model.family, model.shape, model.capabilities) == ("llama", None, None)


class TestServerThatFailsOnTheWay:
    def test_and_goes_away_is_an_error(self, start_standin: Start) -> None:
        standin = start_standin(Store.of(*(Model(f"m{index}", system=str(index)) for index in range(20))))
        standin.break_(faults.drop, "/api/show")
        standin.break_(faults.drop, "/api/version", after=1)
        with pytest.raises(Unreachable):
            take_inventory(host=standin.url, environ={})

    def test_and_hangs_is_not_asked_about_every_model(self, start_standin: Start) -> None:
        standin = start_standin(Store.of(*(Model(f"m{index}", system=str(index)) for index in range(40))))
        standin.break_(faults.hang, "/api/show")
        started = time.monotonic()
        models = of_server(standin, timeout=SHORT)
        assert time.monotonic() - started < 4 * SHORT
        assert len(models) == 40
        assert all(model.problem for model in models.values())
        assert [model for model in models.values() if "not asked" in (model.problem or "")]
        assert len(standin.asked("/api/show")) <= 2 * inventory.PATIENCE


class TestServerThatIsDown:
    def test_leaves_the_store_of_the_user(self, store: Path, isolated: Path) -> None:
        (isolated / ".ollama").mkdir()
        store.rename(isolated / ".ollama" / "models")
        facts, models = take_inventory(
            environ={"HOME": str(isolated), "USERPROFILE": str(isolated), "OLLAMA_HOST": NOWHERE}
        )
        assert facts.source == "store"
        assert facts.url == NOWHERE
        assert facts.store == str(isolated / ".ollama" / "models")
        assert "connection refused" in facts.problems[0]
        assert "llama3.1:8b" in by_name(models)

    def test_leaves_the_store_that_ollama_models_names(self, store: Path) -> None:
        facts, models = take_inventory(environ={"OLLAMA_HOST": NOWHERE, "OLLAMA_MODELS": str(store)})
        assert facts.store == str(store)
        assert len(models) == 8

    def test_leaves_the_store_that_its_unit_names(self, store: Path) -> None:
        unit = inventory.ROOT / "etc/systemd/system/ollama.service"
        unit.parent.mkdir(parents=True)
        unit.write_text(f"[Service]\nEnvironment=OLLAMA_MODELS={store}\n")
        facts, _ = take_inventory(environ={"OLLAMA_HOST": NOWHERE})
        assert facts.store == str(store)
        assert facts.settings["OLLAMA_MODELS"].source == "systemd unit"

    def test_prefers_a_store_with_models_and_mentions_the_other(self, store: Path, isolated: Path) -> None:
        service = inventory.ROOT / "usr/share/ollama/.ollama/models"
        service.parent.mkdir(parents=True)
        store.rename(service)
        (isolated / ".ollama/models/manifests").mkdir(parents=True)
        (isolated / ".ollama/models/blobs").mkdir()
        facts, models = take_inventory(
            environ={"HOME": str(isolated), "USERPROFILE": str(isolated), "OLLAMA_HOST": NOWHERE}
        )
        assert facts.store == str(service)
        assert len(models) == 8

    def test_and_no_store_leaves_nothing_and_says_what_to_do(self) -> None:
        facts, models = take_inventory(environ={"OLLAMA_HOST": NOWHERE})
        assert (facts.source, facts.store, models) == ("none", None, ())
        assert "ollama serve" in facts.problems[0]

    def test_at_the_default_address_is_no_error_whatever_listens_there(
        self, start_standin: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        standin = start_standin()
        standin.break_(faults.web_page)
        monkeypatch.setattr(host_module, "DEFAULT_PORT", int(standin.url.rpartition(":")[2]))
        facts, _ = take_inventory(environ={})
        assert facts.source == "none"
        assert "not an Ollama server" in facts.problems[0]

    def test_on_another_machine_does_not_lead_to_a_store_on_this_one(self, store: Path) -> None:
        environ = {"OLLAMA_HOST": "http://nowhere.invalid", "OLLAMA_MODELS": str(store)}
        facts, models = take_inventory(environ=environ)
        assert (facts.source, models, facts.settings) == ("none", (), {})

    def test_is_an_error_when_it_was_named(self, store: Path) -> None:
        with pytest.raises(Unreachable):
            take_inventory(host=NOWHERE, environ={"OLLAMA_MODELS": str(store)})


class TestWhatOllamaHostNames:
    @pytest.mark.parametrize(
        ("fault", "kind"),
        [(faults.web_page, NotOllama), (faults.forbidden, Forbidden), (faults.hang, TimedOut)],
    )
    def test_may_be_down_but_nothing_else(self, fault: Fault, kind: type[OllamaError], start_standin: Start) -> None:
        standin = start_standin()
        standin.break_(fault)
        with pytest.raises(kind):
            take_inventory(environ={"OLLAMA_HOST": standin.url}, timeout=SHORT)

    def test_is_asked(self, standin: Standin) -> None:
        facts, models = take_inventory(environ={"OLLAMA_HOST": f' "{standin.url}" '})
        assert (facts.source, facts.url, len(models)) == ("server", standin.url, 8)

    @pytest.mark.parametrize("value", ["not an address", "ftp://x", "user:pw@h:1"])
    def test_garbage_is_a_usage_error(self, value: str) -> None:
        with pytest.raises(UsageError):
            take_inventory(environ={"OLLAMA_HOST": value})

    def test_note_becomes_a_problem_line(self, standin: Standin) -> None:
        port = standin.url.rpartition(":")[2]
        facts, _ = take_inventory(environ={"OLLAMA_HOST": f"0.0.0.0:{port}"})
        assert "address to listen on" in facts.problems[0]

    def test_gives_way_to_host(self, standin: Standin) -> None:
        facts, _ = take_inventory(host=standin.url, environ={"OLLAMA_HOST": NOWHERE})
        assert facts.source == "server"


class TestStoreThatWasNamed:
    def test_is_read_without_asking_a_server(self, standin: Standin, store: Path) -> None:
        facts, models = take_inventory(store=store, environ={"OLLAMA_HOST": standin.url})
        assert (facts.source, facts.version, len(models)) == ("store", None, 8)
        assert standin.log == []

    def test_and_is_none_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError):
            take_inventory(store=tmp_path / "nothing", environ={})


class TestStoreOfTheServer:
    def test_gives_layers_and_shared_bytes(self, standin: Standin, store: Path) -> None:
        facts, models = take_inventory(host=standin.url, environ={})
        assert facts.store == str(store)
        bot = by_name(models)["team-bot:latest"]
        assert [layer.kind for layer in bot.layers] == ["model", "system", "params", "config"]
        assert all(layer.present for layer in bot.layers)
        assert bot.exclusive == 29 + 73
        assert by_name(models)["llama3.1:8b"].exclusive == 0

    def test_of_another_server_is_not_mixed_in(self, standin: Standin, store: Path) -> None:
        for manifest in store.glob("manifests/*/*/*/*"):
            manifest.write_bytes(manifest.read_bytes() + b" ")
        assert all(model.layers == () for model in of_server(standin).values())

    def test_with_one_manifest_changed_leaves_shared_bytes_unknown(self, standin: Standin, store: Path) -> None:
        manifest = store / "manifests/registry.ollama.ai/library/team-bot/latest"
        manifest.write_bytes(manifest.read_bytes() + b" ")
        models = of_server(standin)
        assert models["team-bot:latest"].layers == ()
        assert models["llama3.1:8b"].layers
        assert models["llama3.1:8b"].exclusive is None

    def test_shows_a_blob_that_is_missing_although_the_server_lists_the_model(
        self, standin: Standin, store: Path
    ) -> None:
        model = of_server(standin)["mistral:7b"]
        (store / "blobs" / f"sha256-{model.weights_digest}").unlink()
        broken = of_server(standin)["mistral:7b"]
        assert [layer.present for layer in broken.layers] == [False, True]
        assert "missing" in (broken.problem or "")

    def test_shows_a_manifest_the_server_keeps_silent_about(self, standin: Standin, store: Path) -> None:
        (store / "manifests/registry.ollama.ai/library/mistral/empty").touch()
        facts, models = take_inventory(host=standin.url, environ={})
        assert "mistral:empty" not in by_name(models)
        assert [problem for problem in facts.problems if problem.startswith("mistral:empty ")]

    def test_that_is_not_on_this_machine_is_left_out(self, start_standin: Start) -> None:
        facts, _ = take_inventory(host=start_standin(everything()).url, environ={})
        assert facts.store is None


def test_settings_and_loaded_models_are_among_the_facts(standin: Standin) -> None:
    standin.store.resident.append(Resident("llama3.1:8b", 100, 40))
    port = standin.url.rpartition(":")[2]
    facts, _ = take_inventory(environ={"OLLAMA_HOST": standin.url, "OLLAMA_CONTEXT_LENGTH": "8192"})
    assert facts.settings["OLLAMA_CONTEXT_LENGTH"].value == "8192"
    assert facts.settings["OLLAMA_HOST"].value.endswith(port)
    (loaded,) = facts.loaded
    assert (loaded.name, loaded.size, loaded.size_vram, loaded.context_length) == ("llama3.1:8b", 100, 40, 4096)


def test_key_of_the_environment_is_sent_and_never_kept(standin: Standin) -> None:
    facts, _ = take_inventory(environ={"OLLAMA_HOST": standin.url, "OLLAMA_API_KEY": "sesame"})
    assert standin.log[0].headers["Authorization"] == "Bearer sesame"
    assert "sesame" not in repr(facts)


@pytest.mark.skipif(not hasattr(os, "ST_NOATIME"), reason="this system does not tell whether access times are kept")
class TestLastUse:
    @pytest.fixture
    def read_in_2026(self, store: Path) -> Path:
        for blob in (store / "blobs").iterdir():
            os.utime(blob, (1_780_000_000, 1_770_000_000))
        return store

    @staticmethod
    def mount(monkeypatch: pytest.MonkeyPatch, flags: int) -> None:
        monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags))

    def test_is_the_last_time_the_weights_were_read(
        self, standin: Standin, read_in_2026: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.mount(monkeypatch, 0)
        model = of_server(standin)["mistral:7b"]
        assert model.last_used == "2026-05-28T20:26:40Z"
        assert "when they start" in (model.last_used_source or "")

    def test_is_unknown_where_the_file_system_does_not_note_it(
        self, standin: Standin, read_in_2026: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.mount(monkeypatch, os.ST_NOATIME)
        assert of_server(standin)["mistral:7b"].last_used is None

    def test_is_unknown_when_nothing_read_the_weights_since_they_came(
        self, standin: Standin, store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.mount(monkeypatch, 0)
        for blob in (store / "blobs").iterdir():
            os.utime(blob, (1_770_000_000, 1_770_000_000))
        assert of_server(standin)["mistral:7b"].last_used is None


def test_no_thread_is_left_behind(standin: Standin) -> None:
    take_inventory(host=standin.url, environ={})
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("show")]


def test_ten_thousand_models_are_listed(start_standin: Start) -> None:
    content = Store.of(*(Model(f"m{index}", system=str(index)) for index in range(50)))
    kept = list(content.manifests.values())
    for index in range(10_000 - len(kept)):
        content.manifests[content.named(f"copy{index}:v1")] = kept[index % len(kept)]
    standin = start_standin(content)
    models = of_server(standin)
    assert len(models) == 10_000
    assert all(model.shape for model in models.values())
    assert len(standin.asked("/api/show")) == 50
