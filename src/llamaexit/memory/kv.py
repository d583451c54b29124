"""The caches a context needs: keys and values of attention, windows, latent attention, recurrent state.

llama.cpp src/llama-kv-cache*.cpp and llama-memory-hybrid.cpp for the server family; Ollama v0.24 kvcache/ and
fs/ggml/ggml.go for its engine and its runner.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from llamaexit.memory.estimate import Family
from llamaexit.shape import BLOCKS, Recurrent, Shape

CELLS = 256
"""Caches are allocated in steps of this many tokens."""
_TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL")
_ROWS = {kind.lower(): BLOCKS[kind] for kind in _TYPES}
# Ollama up to 0.24 prices the caches of its llama.cpp runner without the scales of quantized blocks.
_RUNNER_ROWS = {"q8_0": (1, 1), "q4_0": (2, 1)}
_CACHELESS = ("bert", "nomic-bert", "nomic-bert-moe", "modern-bert", "jina-bert-v2", "neo-bert", "gemma-embedding")
_ENGINE_CHECKPOINTS = 24  # saved copies of recurrent state per slot, kvcache/recurrent_checkpoints.go
_ENGINE_WINDOW = {"gpt-oss": 4096, "gemma4": 4096}
_ENGINE_MASKS_ONLY = ("llama4",)  # its chunked attention masks a full cache


@dataclass(frozen=True, slots=True)
class Cache:
    """Bytes of the caches of one load.

    `layers`: what each layer brings along when it moves to a device, recurrent state included; `states`: that state by
    itself, where the model has one. `windowed` and `state`: the parts of the total held by windows and by states.
    """

    layers: tuple[int, ...]
    total: int
    windowed: int
    state: int
    states: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One layer's share of the cache: widths of a key and a value row in elements, window, recurrent state."""

    key: int
    value: int
    windowed: bool
    stateful: bool


def round_up(count: int, step: int = CELLS) -> int:
    """The next multiple of `step`."""
    return -(-count // step) * step


def quantized(kv_type: str) -> bool:
    """Whether a cache type needs flash attention."""
    return kv_type not in ("f16", "f32", "bf16")


def cache_of(
    shape: Shape, family: Family, context: int, parallel: int, batch: int, kv_type: str, draft: int = 0
) -> Cache:
    """The caches for `parallel` slots of `context` tokens. `draft`: tokens predicted ahead, each with its own state."""
    cells = parallel * round_up(context) if family == "server" else round_up(parallel * context)
    window = _window_cells(shape, family, cells, context, parallel, batch)
    state = _state_bytes(shape.recurrent) * parallel * ((1 + draft) if family == "server" else 1 + _ENGINE_CHECKPOINTS)
    elements, size = (_RUNNER_ROWS if family == "runner" else _ROWS).get(kv_type) or _ROWS.get(kv_type, _ROWS["f16"])
    # The engine keeps the values of latent attention beside the keys they are part of.
    latent_value = shape.mla.kv_lora_rank if family == "engine" and shape.mla is not None and shape.mla.cached else 0
    kinds, order = layout(shape)
    held, own_state, windowed = [], [], 0
    for index, row in enumerate(kinds):
        value = latent_value if latent_value and row.key else row.value
        bytes_per_cell = (-(-row.key // elements) + -(-value // elements)) * size
        attention = (window if row.windowed else cells) * bytes_per_cell
        if row.windowed:
            windowed += attention * order.count(index)
        own_state.append(state if row.stateful else 0)
        held.append(attention + own_state[-1])
    layers = tuple([held[index] for index in order])
    states = tuple([own_state[index] for index in order]) if state else ()
    return Cache(layers, sum(layers), windowed, sum(states), states)


def draft_cache(shape: Shape, context: int, parallel: int) -> int:
    """Cache of the draft head: full attention over the whole context, f16 whatever the target uses.

    A head that comes in a file of its own has one layer like the attention layers of the model.
    """
    heads = shape.kv_heads if isinstance(shape.kv_heads, int) else max(shape.kv_heads, default=0)
    return (
        max(shape.draft_layers, 1) * parallel * round_up(context) * heads * (shape.key_length + shape.value_length) * 2
    )


def _window_cells(shape: Shape, family: Family, cells: int, context: int, parallel: int, batch: int) -> int:
    if family == "server":
        return parallel * min(round_up(context), round_up(shape.sliding_window + batch))
    if family == "runner" or shape.architecture in _ENGINE_MASKS_ONLY:
        return cells
    window = _ENGINE_WINDOW.get(shape.architecture, shape.sliding_window) + (parallel > 1)
    return min(cells, round_up(parallel * window + batch))


def _state_bytes(recurrent: Recurrent | None) -> int:
    """State of one layer and slot: the last inputs of the convolution and the state matrix, both F32."""
    if recurrent is None:
        return 0
    inner, state = recurrent.inner_size, recurrent.state_size
    convolution = max(recurrent.conv_kernel - 1, 0) * (inner + 2 * recurrent.groups * state)
    return 4 * (convolution + state * inner)


@lru_cache(maxsize=4096)
def layout(shape: Shape) -> tuple[tuple[Row, ...], tuple[int, ...]]:
    """The kinds of layers there are, and of which kind each layer is."""
    rows = _rows(shape)
    kinds = tuple(dict.fromkeys(rows))
    places = {row: place for place, row in enumerate(kinds)}
    return kinds, tuple(places[row] for row in rows)


def _rows(shape: Shape) -> list[Row]:
    """What each layer keeps. Layers without attention keep a state where the model has one."""
    if shape.architecture in _CACHELESS:
        return [Row(0, 0, False, False)] * shape.layers
    recurrent, mla = shape.recurrent, shape.mla
    interval = recurrent.interval if recurrent is not None else 0
    rows = []
    for index in range(shape.layers):
        heads = shape.kv_heads if isinstance(shape.kv_heads, int) else _at(shape.kv_heads, index)
        if interval and (index + 1) % interval:
            heads = 0
        windowed = shape.sliding_window > 0 and _is_windowed(shape, index)
        stateful = recurrent is not None and (heads == 0 or recurrent.layers >= shape.layers)
        if index >= shape.layers - shape.shared_kv_layers:
            heads = 0
        if mla is not None and mla.cached:
            rows.append(Row(mla.kv_lora_rank + mla.rope_dim if heads else 0, 0, windowed, stateful))
            continue
        key = (windowed and shape.key_length_window) or shape.key_length
        value = (windowed and shape.value_length_window) or shape.value_length
        rows.append(Row(heads * key, heads * value, windowed, stateful))
    return rows


def _is_windowed(shape: Shape, index: int) -> bool:
    if shape.windowed:
        return index >= len(shape.windowed) or shape.windowed[index]
    return shape.global_every == 0 or (index + 1) % shape.global_every != 0


def _at(listed: tuple[int, ...], index: int) -> int:
    return listed[index] if index < len(listed) else 0
