from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.memory import estimate
from llamaexit.memory.family import family_of, release_of
from memory_machines import gpu, machine, model, ollama


@pytest.mark.parametrize(
    ("version", "architecture", "family"),
    [
        ("0.33.0", "llama", "server"),
        ("0.30.0", "qwen3", "server"),
        ("0.30.0-rc1", "qwen3", "server"),
        ("0.24.0", "llama", "runner"),
        ("0.24.0", "qwen2", "runner"),
        ("0.24.0", "qwen3", "engine"),
        ("0.24.0", "gptoss", "engine"),
        ("0.12.0", "qwen3", "engine"),
        ("0.11.11", "qwen3", "runner"),
        ("0.12.5", "qwen3moe", "runner"),
        ("0.12.6", "qwen3moe", "engine"),
        ("0.6.0", "gemma3", "engine"),
        ("0.5.13", "gemma3", "runner"),
        ("0.17.0", "qwen35", "runner"),
        ("0.18.0", "qwen35", "engine"),
        (None, "qwen3", "server"),
        ("0.0.0", "llama", "server"),
    ],
)
def test_version_and_architecture_decide_what_runs_a_model(version: str | None, architecture: str, family: str) -> None:
    assert family_of(release_of(version), architecture) == family


def test_deepseek_v2_stays_with_the_runner_for_its_tokenizer() -> None:
    release = release_of("0.24.0")

    assert family_of(release, "deepseek2", "deepseek-llm") == "runner"
    assert family_of(release, "deepseek2", "deepseek-v3") == "engine"


def test_an_unknown_version_is_said() -> None:
    made = estimate(model(), machine(gpu()), ollama(None), context=4096)

    assert made.family == "server"
    assert any("version is not known" in note for note in made.notes)


def test_a_known_version_is_not_remarked_upon() -> None:
    assert estimate(model(), machine(gpu()), ollama(), context=4096).notes == ()


def test_llama_vision_does_not_load_from_0_30_on() -> None:
    spec = replace(model(), architecture="mllama", vision=True)

    new = estimate(spec, machine(gpu()), ollama("0.30.0"), context=4096).unloaded
    old = estimate(spec, machine(gpu()), ollama("0.24.0"), context=4096).unloaded

    assert new.placement == "none"
    assert "mllama" in new.why
    assert old.placement == "gpu"


def test_an_architecture_nobody_compared_is_said_and_has_a_wider_interval() -> None:
    known = estimate(model(), machine(gpu()), ollama(), context=4096)
    spec = model()
    unknown_spec = replace(spec, architecture="exaone4", shape=replace(spec.shape, architecture="exaone4"))
    unknown = estimate(unknown_spec, machine(gpu()), ollama(), context=4096)

    assert any("exaone4" in note for note in unknown.notes)
    assert unknown.now.ps.high - unknown.now.ps.low > known.now.ps.high - known.now.ps.low


@pytest.mark.parametrize(
    ("version", "settings", "kv_type"),
    [
        ("0.33.0", {}, "f16"),
        ("0.33.0", {"KV_CACHE_TYPE": "Q8_0"}, "q8_0"),
        ("0.24.0", {"KV_CACHE_TYPE": "q8_0"}, "f16"),
        ("0.24.0", {"KV_CACHE_TYPE": "q8_0", "FLASH_ATTENTION": "1"}, "q8_0"),
        ("0.24.0", {"KV_CACHE_TYPE": "iq4_nl", "FLASH_ATTENTION": "1"}, "f16"),
        ("0.24.0", {"KV_CACHE_TYPE": "q8_0", "FLASH_ATTENTION": "maybe"}, "q8_0"),
    ],
    ids=[
        "nothing set",
        "the server takes any type, in small letters",
        "the runner wants flash attention explicitly",
        "and then takes it",
        "but knows three types",
        "what Go cannot parse is true",
    ],
)
def test_cache_type_in_force(version: str, settings: dict[str, str], kv_type: str) -> None:
    made = estimate(model(), machine(gpu()), ollama(version, **settings), context=4096)

    assert made.kv_type == kv_type
    dropped = any("OLLAMA_KV_CACHE_TYPE has no effect" in note for note in made.notes)
    assert dropped == (kv_type != settings.get("KV_CACHE_TYPE", "f16").lower())


def test_a_quantized_cache_without_flash_attention_is_warned_about() -> None:
    made = estimate(model(), machine(gpu()), ollama(KV_CACHE_TYPE="q8_0", FLASH_ATTENTION="0"), context=4096)

    assert any("will fail" in note for note in made.notes)


def test_quantized_caches_are_smaller_by_their_block_sizes() -> None:
    def cache(kv_type: str) -> int:
        made = estimate(model(), machine(gpu()), ollama(KV_CACHE_TYPE=kv_type), context=8192)
        return next(part.size for part in made.now.parts if part.name == "KV cache")

    assert cache("q8_0") * 32 == cache("f16") * 17
    assert cache("q4_0") * 32 == cache("f16") * 9


@pytest.mark.parametrize(
    ("capability", "flash"), [("5.2", False), ("6.1", True), ("7.2", False), ("8.9", True), ("?", True), (None, True)]
)
def test_flash_attention_is_off_on_old_cards(capability: str | None, flash: bool) -> None:
    made = estimate(model(), machine(gpu(compute_capability=capability)), ollama(), context=8192)
    plain = estimate(model(), machine(gpu()), ollama(FLASH_ATTENTION="1"), context=8192)

    assert (made.now.ps.expected <= plain.now.ps.expected) == flash
