from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.memory import Estimate, ModelSpec, estimate
from llamaexit.snapshot import Machine, OllamaFacts
from memory_machines import GIB, gpu, machine, model, ollama


def long(spec: ModelSpec | None = None, trained: int = 1 << 20) -> ModelSpec:
    """A model trained for a context nothing here reaches."""
    spec = spec or model()
    return replace(spec, shape=replace(spec.shape, context_length=trained))


def made(
    *,
    spec: ModelSpec | None = None,
    here: Machine | None = None,
    under: OllamaFacts | None = None,
    context: int | None = None,
) -> Estimate:
    return estimate(spec or long(), here or machine(gpu()), under or ollama(), context=context)


def test_a_request_wins_over_everything_else() -> None:
    found = made(spec=replace(long(), num_ctx=2048), under=ollama(CONTEXT_LENGTH="1024"), context=5000)

    assert (found.context, found.context_source) == (5000, "asked for")


def test_the_caller_may_say_who_asked() -> None:
    found = estimate(long(), machine(gpu()), ollama(), context=5000, context_source="--context")

    assert found.context_source == "--context"


def test_the_models_own_option_wins_over_the_environment() -> None:
    found = made(spec=replace(long(), num_ctx=2048), under=ollama(CONTEXT_LENGTH="1024"))

    assert (found.context, found.context_source) == (2048, "num_ctx of the model")


def test_the_environment_wins_over_the_default() -> None:
    found = made(under=ollama(CONTEXT_LENGTH=" '16384' "))

    assert (found.context, found.context_source) == (16384, "OLLAMA_CONTEXT_LENGTH")


@pytest.mark.parametrize("value", ["", "0", "many", "-1", "4k", "9" * 40])
def test_an_environment_that_says_nothing_useful_is_passed_over(value: str) -> None:
    assert made(under=ollama(CONTEXT_LENGTH=value)).context == 32768


def test_the_environment_means_nothing_before_0_5_13() -> None:
    assert made(under=ollama("0.5.12", CONTEXT_LENGTH="16384")).context == 2048
    assert made(under=ollama("0.5.13", CONTEXT_LENGTH="16384")).context == 16384


@pytest.mark.parametrize(
    ("version", "context"),
    [
        ("0.5.12", 2048),
        ("0.6.6", 2048),
        ("0.6.7", 4096),
        ("0.15.4", 4096),
        ("0.15.5", 262144),
        ("0.33.0-rc2", 262144),
        (None, 262144),
        ("garbage", 262144),
    ],
)
def test_the_default_depends_on_the_version(version: str | None, context: int) -> None:
    assert made(here=machine(gpu(48 * GIB)), under=ollama(version)).context == context


@pytest.mark.parametrize(
    ("cards", "overhead", "context"),
    [
        ((8,), 0, 4096),
        ((22.99,), 0, 4096),
        ((23,), 0, 32768),
        ((24,), 2, 4096),
        ((12, 12), 0, 32768),
        ((46.9,), 0, 32768),
        ((47,), 0, 262144),
        ((24, 24), 0, 262144),
        ((24, 24), 1, 32768),
    ],
)
def test_the_tier_goes_by_the_total_of_all_cards_less_the_overhead(
    cards: tuple[float, ...], overhead: int, context: int
) -> None:
    gpus = [gpu(int(size * GIB), index=index) for index, size in enumerate(cards)]

    found = made(here=machine(*gpus), under=ollama(GPU_OVERHEAD=str(overhead * GIB)))

    assert found.context == context
    assert "GPU memory" in found.context_source


def test_the_tier_goes_by_total_not_by_free_memory() -> None:
    assert made(here=machine(gpu(24 * GIB, 2 * GIB))).context == 32768


def test_without_a_gpu_the_default_is_4096() -> None:
    found = made(here=machine())

    assert (found.context, found.context_source) == (4096, "Ollama's default without a GPU")


def test_the_trained_length_is_the_most_there_is() -> None:
    found = made(spec=long(trained=8192), context=131072)

    assert found.context == 8192
    assert "trained" in found.context_source
    assert "131072" in found.context_source


@pytest.mark.parametrize("trained", [4096, 8192, 16384, 131072])
def test_the_default_of_a_large_machine_ends_where_training_ended(trained: int) -> None:
    found = made(spec=long(trained=trained), here=machine(gpu(24 * GIB, index=0), gpu(24 * GIB, index=1)))

    assert found.context == trained
    assert "below 262144 (Ollama's default for 48.0 GiB of GPU memory)" in found.context_source


def test_vision_models_get_at_least_2048() -> None:
    assert made(spec=replace(long(), vision=True), context=512).context == 2048
    assert made(context=512).context == 512


@pytest.mark.parametrize("wanted", [0, -5])
def test_a_request_for_nothing_is_no_request(wanted: int) -> None:
    assert made(context=wanted).context == 32768


def test_four_tokens_are_the_least() -> None:
    assert made(context=1).context == 4


def test_parallel_slots_come_from_the_setting() -> None:
    assert made(under=ollama(NUM_PARALLEL="4")).parallel == 4
    assert made(under=ollama(NUM_PARALLEL="0")).parallel == 1
    assert made().parallel == 1


def test_the_caller_may_set_the_slots() -> None:
    assert estimate(long(), machine(gpu()), ollama(NUM_PARALLEL="4"), context=4096, parallel=2).parallel == 2


def test_before_0_10_four_slots_are_the_default() -> None:
    assert made(under=ollama("0.9.6"), context=2048).parallel == 4
    assert made(under=ollama("0.10.0"), context=2048).parallel == 1


@pytest.mark.parametrize("architecture", ["qwen35", "qwen3vl", "mllama", "nemotron_h"])
def test_some_architectures_get_one_slot_whatever_is_set(architecture: str) -> None:
    spec = replace(long(), architecture=architecture)

    assert made(spec=spec, under=ollama(NUM_PARALLEL="4")).parallel == 1


def test_embedding_models_get_one_slot() -> None:
    assert made(spec=replace(long(), embedding=True), under=ollama(NUM_PARALLEL="4")).parallel == 1
