from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.memory import estimate
from llamaexit.memory.batch import batch_range, embedding_batch, generation_batch, predicted_size
from llamaexit.memory.devices import Device
from llamaexit.shape import Recurrent
from memory_machines import GIB, MIB, gpu, machine, model, ollama


@pytest.mark.parametrize(
    ("tokens", "predicted", "available", "batch"),
    [
        (4096, 5 * GIB, 24 * GIB, 512),
        (4097, 5 * GIB, 24 * GIB, 1024),
        (32768, 5 * GIB, 24 * GIB, 1024),
        (32769, 5 * GIB, 24 * GIB, 2048),
        (65536, 0, 0, 2048),
        (65536, 5 * GIB, 0, 2048),
        (65536, 15 * GIB, 24 * GIB, 1024),
        (65536, 18 * GIB + 1, 24 * GIB, 512),
        (8192, 9 * GIB, 12 * GIB, 512),
        (8192, 8 * GIB, 12 * GIB, 1024),
    ],
    ids=[
        "short",
        "just above 4096",
        "medium",
        "long",
        "nothing predicted",
        "no GPU: by context alone",
        "over 60 % of free",
        "over 75 % of free",
        "768 MiB more would pass 80 %",
        "768 MiB more still fit",
    ],
)
def test_batch_by_context_lowered_for_want_of_room(tokens: int, predicted: int, available: int, batch: int) -> None:
    assert generation_batch(tokens, predicted, available) == batch


def device(free: int, *, known: bool = True, library: str = "CUDA") -> Device:
    return Device("card", library, 24 * GIB, free, 24 * GIB, known, False, True, 300 * MIB)


def test_unknown_free_memory_leaves_the_batch_open() -> None:
    assert batch_range(65536, 5 * GIB, (device(20 * GIB, known=False),), flash=True) == (2048, 512, 2048)
    assert batch_range(65536, 5 * GIB, (device(20 * GIB),), flash=True) == (2048, 2048, 2048)


@pytest.mark.parametrize(
    ("tokens", "free", "library", "batch"),
    [(4096, 6, "CUDA", 512), (8192, 6, "CUDA", 256), (8192, 20, "CUDA", 512), (8192, 20, "Vulkan", 1024)],
)
def test_without_flash_attention_cuda_gets_small_batches(tokens: int, free: int, library: str, batch: int) -> None:
    assert batch_range(tokens, GIB, (device(free * GIB, library=library),), flash=False)[0] == batch


def test_prediction_is_the_file_and_a_cache_by_the_smallest_head_count() -> None:
    shape = model().shape

    assert predicted_size(shape, 1000, 4096) == 1000 + 2 * 32 * 8 * 128 * 4096 * 2
    assert predicted_size(replace(shape, kv_heads=(0, 8) * 16), 0, 1) == 2 * 32 * 1 * 128 * 2
    hybrid = replace(shape, source="catalogue", recurrent=Recurrent(4))
    assert predicted_size(hybrid, 0, 1) == 2 * 32 * 1 * 128 * 2


def test_a_batch_stored_with_the_model_is_taken() -> None:
    small = estimate(replace(model(), num_batch=128), machine(gpu()), ollama(), context=8192)
    usual = estimate(model(), machine(gpu()), ollama(), context=8192)

    assert small.now.ps.expected < usual.now.ps.expected


def test_embedding_models_take_a_batch_of_their_own() -> None:
    assert embedding_batch(512) == 512
    assert embedding_batch(8192) == 2048


def test_unknown_free_memory_widens_the_interval() -> None:
    known = estimate(model(), machine(gpu(24 * GIB)), ollama(), context=65536).now.ps
    unknown = estimate(model(), machine(replace(gpu(), free=None)), ollama(), context=65536).now.ps

    assert unknown.expected == known.expected
    assert unknown.low < known.low
