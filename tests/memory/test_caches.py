from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.memory.graph import engine_graph, graph_of, runner_graph
from llamaexit.memory.kv import cache_of, draft_cache
from llamaexit.shape import Recurrent, Shape
from measured_loads import shape_named
from memory_machines import MIB

PLAIN = Shape("llama", 4, 1024, 16, 4, 64, 64, 4096, 32000)
CELL = 4 * (64 + 64) * 2
"""Bytes of one token on one layer of PLAIN, f16."""


def named(name: str) -> Shape:
    return shape_named(name)[0]


@pytest.mark.parametrize(("context", "cells"), [(1, 256), (256, 256), (257, 512), (4096, 4096)])
def test_caches_grow_in_steps_of_256_tokens(context: int, cells: int) -> None:
    assert cache_of(PLAIN, "server", context, 1, 512, "f16").total == 4 * cells * CELL


def test_each_slot_is_rounded_by_itself_under_the_server_and_all_together_under_the_engine() -> None:
    assert cache_of(PLAIN, "server", 300, 3, 512, "f16").total == 4 * 3 * 512 * CELL
    assert cache_of(PLAIN, "engine", 300, 3, 512, "f16").total == 4 * 1024 * CELL


def test_layers_may_have_different_numbers_of_heads() -> None:
    cache = cache_of(replace(PLAIN, kv_heads=(4, 2, 0, 4)), "server", 256, 1, 512, "f16")

    assert cache.layers == (256 * CELL, 128 * CELL, 0, 256 * CELL)


def test_fewer_heads_listed_than_layers_leaves_the_others_without_a_cache() -> None:
    assert cache_of(replace(PLAIN, kv_heads=(4, 4)), "server", 256, 1, 512, "f16").layers[2:] == (0, 0)


def test_windowed_layers_hold_window_and_batch() -> None:
    shape = replace(PLAIN, sliding_window=1000, global_every=2)

    cache = cache_of(shape, "server", 8192, 1, 512, "f16")

    assert cache.layers == (1536 * CELL, 8192 * CELL) * 2
    assert cache.windowed == 2 * 1536 * CELL


def test_a_window_larger_than_the_context_holds_the_context() -> None:
    shape = replace(PLAIN, sliding_window=4096, global_every=2)

    assert set(cache_of(shape, "server", 2048, 1, 512, "f16").layers) == {2048 * CELL}


def test_a_listed_pattern_says_which_layers_are_windowed() -> None:
    shape = replace(PLAIN, sliding_window=256, windowed=(False, True, True))

    cache = cache_of(shape, "server", 8192, 1, 256, "f16")

    assert cache.layers == (8192 * CELL, 512 * CELL, 512 * CELL, 512 * CELL)


def test_no_period_means_all_layers_are_windowed() -> None:
    shape = replace(PLAIN, sliding_window=256)

    assert set(cache_of(shape, "server", 8192, 1, 256, "f16").layers) == {512 * CELL}


def test_heads_of_windowed_layers_may_have_another_size() -> None:
    shape = replace(PLAIN, sliding_window=256, global_every=2, key_length_window=32, value_length_window=32)

    cache = cache_of(shape, "server", 512, 1, 256, "f16")

    assert cache.layers[0] * 2 == cache.layers[1]


def test_layers_that_reuse_a_cache_have_none() -> None:
    assert cache_of(replace(PLAIN, shared_kv_layers=3), "server", 256, 1, 512, "f16").layers == (256 * CELL, 0, 0, 0)


def test_encoders_keep_no_cache() -> None:
    assert cache_of(replace(PLAIN, architecture="bert"), "server", 8192, 1, 512, "f16").total == 0


@pytest.mark.parametrize(
    ("recurrent", "stateful"),
    [(Recurrent(4, 4, 128, 16, 1), 3), (Recurrent(0, 4, 128, 16, 1, layers=4), 4), (Recurrent(1, 4, 128, 16, 1), 0)],
    ids=["every fourth layer has attention", "every layer has both", "every layer has attention"],
)
def test_layers_without_attention_keep_a_state(recurrent: Recurrent, stateful: int) -> None:
    cache = cache_of(replace(PLAIN, recurrent=recurrent), "server", 256, 1, 512, "f16")

    one = 4 * (3 * (128 + 2 * 16) + 16 * 128)
    assert cache.state == stateful * one
    assert sum(cache.states) == cache.state


def test_a_draft_multiplies_the_state() -> None:
    shape = named("qwen3.5-27b")

    assert cache_of(shape, "server", 4096, 1, 512, "f16").state / MIB == pytest.approx(149.62, abs=0.01)
    assert cache_of(shape, "server", 4096, 1, 512, "f16", draft=4).state / MIB == pytest.approx(748, abs=0.2)


def test_the_engine_reserves_copies_of_the_state() -> None:
    shape = named("qwen3.5-4b")

    assert (
        cache_of(shape, "engine", 4096, 1, 512, "f16").state
        == 25 * cache_of(shape, "server", 4096, 1, 512, "f16").state
    )


def test_the_engine_keeps_values_of_latent_attention_too() -> None:
    shape = named("deepseek-v2-16b-mla")

    server, engine = (cache_of(shape, family, 4096, 1, 512, "f16").total for family in ("server", "engine"))  # type: ignore[arg-type]

    assert engine * 576 == server * (576 + 512)


@pytest.mark.parametrize(
    ("shape", "cells"),
    [
        (replace(PLAIN, architecture="gpt-oss", sliding_window=128, global_every=2), 4608),
        (replace(PLAIN, architecture="gemma3", sliding_window=1024, global_every=2), 1536),
        (replace(PLAIN, architecture="llama4", sliding_window=1024, global_every=2), 32768),
    ],
    ids=["keeps 4096", "window and batch", "masks only"],
)
def test_windows_of_the_engine(shape: Shape, cells: int) -> None:
    assert cache_of(shape, "engine", 32768, 1, 512, "f16").layers[0] == cells * CELL


def test_the_runner_keeps_no_windows_and_prices_quantized_caches_without_scales() -> None:
    shape = replace(PLAIN, sliding_window=256, global_every=2)

    full = cache_of(shape, "runner", 8192, 1, 512, "f16").total

    assert full == 4 * 8192 * CELL
    assert cache_of(shape, "runner", 8192, 1, 512, "q8_0").total * 2 == full
    assert cache_of(shape, "runner", 8192, 1, 512, "q4_0").total * 4 == full


def test_an_unknown_cache_type_counts_as_f16() -> None:
    assert cache_of(PLAIN, "server", 256, 1, 512, "q3_x").total == cache_of(PLAIN, "server", 256, 1, 512, "f16").total


def test_a_draft_head_keeps_the_whole_context_in_f16() -> None:
    assert draft_cache(replace(PLAIN, draft_layers=2), 1000, 1) == 2 * 1024 * CELL
    assert draft_cache(replace(PLAIN, kv_heads=(0, 0, 0, 4)), 1000, 1) == 1024 * CELL


@pytest.mark.parametrize(
    ("name", "mib"),
    [
        ("llama3.1-8b", 112.01), ("qwen2.5-32b", 196.01), ("qwen2.5-72b", 225.26), ("qwen3-8b", 100.01),
        ("qwen3-30b-a3b", 88.01), ("qwen3.5-27b", 126.02), ("qwen3.5-35b-a3b", 72.02), ("gpt-oss-20b", 91.52),
    ],
)  # fmt: skip
def test_buffers_of_a_batch_of_512_at_4096(name: str, mib: float) -> None:
    assert graph_of(named(name), 4096, 512, flash=True, quantized=False).device / MIB == pytest.approx(mib, abs=0.01)


def test_buffers_of_latent_attention_can_exceed_the_feed_forward() -> None:
    shape = named("deepseek-v2-16b-mla")
    assert shape.mla is not None and shape.experts is not None
    large = replace(
        shape, layers=61, hidden=7168, heads=128, feed_forward=18432,
        mla=replace(shape.mla, q_lora_rank=1536), experts=replace(shape.experts, count=256, used=8, feed_forward=2048),
    )  # fmt: skip

    assert graph_of(large, 4096, 512, flash=True, quantized=False).device / MIB == pytest.approx(371, abs=0.5)
    assert graph_of(large, 8192, 1024, flash=True, quantized=False).device / MIB == pytest.approx(750, abs=0.5)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "gemma2", "command-r", "deepseek2", "starcoder2"])
def test_the_runners_reserve_grows_with_context_and_is_never_less_in_part(architecture: str) -> None:
    shape = replace(PLAIN, architecture=architecture)

    small, large = (runner_graph(shape, context, 1, context * 4 * CELL) for context in (8192, 32768))

    assert small.device < large.device
    assert small.partial >= small.device or architecture == "llama"


def test_the_runners_reserve_for_other_architectures_goes_by_its_caches() -> None:
    assert runner_graph(replace(PLAIN, architecture="starcoder2"), 4096, 1, 600).device == 4 * 600 // 6


def test_the_engines_mask_grows_by_six_bytes_a_cell_and_by_twenty_with_images_of_qwen() -> None:
    def growth(shape: Shape) -> int:
        small, large = (engine_graph(shape, context, 512, flash=True).device for context in (65536, 131072))
        return (large - small) // 65536

    assert growth(named("qwen3-30b-a3b")) == 6 * 512
    assert growth(replace(named("qwen3-30b-a3b"), vision=True)) == 20 * 512
    assert growth(replace(named("gemma3-4b"), vision=True)) == 6 * 512


def test_the_engine_without_flash_attention_has_the_scores_of_all_heads() -> None:
    shape = named("qwen3-8b")

    assert engine_graph(shape, 8192, 512, flash=False) == graph_of(shape, 8192, 512, flash=False, quantized=False)
