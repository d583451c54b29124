"""`--online`: what the registry says about the candidates, put into the plan."""

from __future__ import annotations

import pytest

from llamaexit.cli import online
from llamaexit.errors import GgufError, RegistryError
from llamaexit.gguf import Header, Tensor
from llamaexit.ollama.cache import default_cache_dir
from llamaexit.ollama.registry import MAX_AGE, NoSuchModel, RegistryUnreachable, RemoteManifest
from llamaexit.snapshot import Layer

MACHINE = ("--gpu", "RTX 4090", "--ram", "64GiB")
WEIGHTS = 2_497_280_256


class FakeRegistry:
    """A registry that has every model, with the same weights; `trouble` is raised for some names and questions."""

    def __init__(self, trouble=None, *, header=True) -> None:
        self.trouble = trouble or {}
        self.has_header = header
        self.manifests: list[str] = []
        self.headers: list[str] = []

    def manifest(self, name, server_version=None):
        self.manifests.append(name.short)
        self._maybe_fail("manifest", name)
        layers = (Layer("model", "sha256:" + "1" * 64, WEIGHTS), Layer("config", "sha256:" + "2" * 64, 500))
        return RemoteManifest(name, "9" * 64, WEIGHTS + 500, WEIGHTS + 500, layers, "2026-11-25T03:00:00Z")

    def config(self, remote):
        self._maybe_fail("config", remote.name)
        return {"requires": "0.6.6"}

    def header(self, remote):
        self.headers.append(remote.name.short)
        self._maybe_fail("header", remote.name)
        return HEADER if self.has_header else None

    def _maybe_fail(self, what, name):
        error = self.trouble.get((what, name.short)) or self.trouble.get((what, "*"))
        if error is not None:
            raise error


def tensors():
    """A dense model of 36 layers, as Qwen3 4B is laid out."""
    shapes = {
        "attn_q": (2560, 4096), "attn_k": (2560, 1024), "attn_v": (2560, 1024), "attn_output": (4096, 2560),
        "ffn_gate": (2560, 9728), "ffn_up": (2560, 9728), "ffn_down": (9728, 2560),
    }  # fmt: skip
    yield Tensor("token_embd.weight", "Q6_K", (2560, 151936), 0)
    for layer in range(36):
        for name, shape in shapes.items():
            yield Tensor(f"blk.{layer}.{name}.weight", "Q4_K", shape, 0)


HEADER = Header(
    version=3,
    byte_order="little",
    metadata={
        "general.architecture": "qwen3", "qwen3.block_count": 36, "qwen3.embedding_length": 2560,
        "qwen3.attention.head_count": 32, "qwen3.attention.head_count_kv": 8, "qwen3.attention.key_length": 128,
        "qwen3.attention.value_length": 128, "qwen3.feed_forward_length": 9728, "qwen3.context_length": 262144,
    },
    array_lengths={"tokenizer.ggml.tokens": 151936},
    tensors=tuple(tensors()),
    data_offset=0,
)  # fmt: skip


def test_answers_are_kept_in_the_cache_of_this_user(monkeypatch) -> None:
    monkeypatch.setattr(
        "llamaexit.ollama.registry.Registry", lambda folder, timeout, max_age: (folder, timeout, max_age)
    )
    assert online.registry_here(7) == (default_cache_dir(), 7, MAX_AGE)


def test_what_is_about_to_be_pulled_is_asked_afresh(monkeypatch) -> None:
    monkeypatch.setattr("llamaexit.ollama.registry.Registry", lambda folder, timeout, max_age: max_age)
    assert online.registry_here(7, afresh=True) == 0


@pytest.fixture
def ask(run, monkeypatch):
    """Plan for `llama3.1:8b` with a registry: gives the outcome of the command."""

    def ask_it(registry, *more):
        monkeypatch.setattr(online, "registry_here", lambda timeout: registry)
        return run("plan", "llama3.1:8b", *MACHINE, "--online", "--json", *more)

    return ask_it


def test_sizes_digest_and_memory_are_those_of_the_registry(ask) -> None:
    target = ask(FakeRegistry()).envelope["data"]["decisions"][0]["target"]
    assert target["digest"] == "9" * 64
    assert target["download"]["exact"]
    assert target["download"]["size"] == WEIGHTS + 500
    assert target["version"]["needed"] == "0.6.6"
    assert target["fit"]["basis"] == "tensors"


def test_headers_are_fetched_for_winners_only(ask) -> None:
    registry = FakeRegistry()
    target = ask(registry).envelope["data"]["decisions"][0]["target"]
    assert registry.headers == [target["model"]]
    assert len(registry.manifests) > 1


def test_without_a_header_the_bytes_of_the_manifest_are_used(ask) -> None:
    target = ask(FakeRegistry(header=False)).envelope["data"]["decisions"][0]["target"]
    assert target["fit"]["basis"] == "manifest"


def test_model_the_registry_does_not_have_is_left_to_the_catalogue(ask) -> None:
    outcome = ask(FakeRegistry({("manifest", "*"): NoSuchModel("there is none")}))
    assert (outcome.code, outcome.envelope["status"], outcome.envelope["errors"]) == (0, "success", [])
    assert "catalogue" in outcome.envelope["data"]["decisions"][0]["target"]["download"]["source"]


@pytest.mark.parametrize(
    ("what", "error", "code"),
    [
        pytest.param("config", RegistryError("429: asked too often"), "registry", id="a registry that has enough"),
        pytest.param("header", GgufError("not GGUF"), "gguf", id="weights that are no GGUF"),
    ],
)
def test_question_that_failed_is_told_beside_the_plan(ask, what, error, code) -> None:
    outcome = ask(FakeRegistry({(what, "*"): error}))
    assert (outcome.code, outcome.envelope["status"]) == (0, "partial")
    assert {entry["code"] for entry in outcome.envelope["errors"]} == {code}
    assert outcome.envelope["data"]["decisions"][0]["action"] == "replace"


def test_registry_that_cannot_be_reached_is_a_failure(ask) -> None:
    outcome = ask(FakeRegistry({("manifest", "*"): RegistryUnreachable("no network", hint="plan without --online")}))
    assert outcome.code == 1
    assert outcome.envelope["errors"] == [
        {"code": "registry-unreachable", "message": "no network", "hint": "plan without --online"}
    ]
