"""Compute buffers: the scratch memory of one batch.

The closed form for llama-server was read off 96 loads of 23 shapes and reproduces its log to a few hundredths of a MiB
(docs/explanation/memory.md). The runner of Ollama up to 0.24 prints a formula of its own (fs/ggml/ggml.go GraphSize).
"""

from __future__ import annotations

from dataclasses import dataclass

from llamaexit.memory.kv import round_up
from llamaexit.shape import Shape

VERIFIED = frozenset({
    "llama", "qwen2", "qwen3", "qwen3moe", "gemma3", "gpt-oss", "deepseek2", "qwen35", "qwen35moe",
})  # fmt: skip
"""Architectures whose buffers were compared with real loads."""
_ENGINE_CELL, _ENGINE_CELL_VISION = 6, 20
_ROTATION = 80 * 1024  # matrices that rotate a quantized cache, for head sizes that are multiples of 64


@dataclass(frozen=True, slots=True)
class Graph:
    """Bytes of the compute buffers: on each device of a full load, of a partial one, on the host beside either, and
    when everything runs on the CPU."""

    device: int
    partial: int
    host: int
    cpu: int


def graph_of(shape: Shape, context: int, batch: int, *, flash: bool, quantized: bool) -> Graph:
    """Buffers of the llama-server family for batches of `batch` tokens over one slot of `context` tokens."""
    cells = round_up(context)
    hidden = shape.hidden
    kv_width = shape.key_length * _most_kv_heads(shape)
    mask = 2 * cells
    indices = 24
    if shape.architecture.startswith("qwen35"):
        indices = 36  # positions have four parts
    if shape.sliding_window:
        mask += 2 * min(cells, round_up(shape.sliding_window + batch))
        indices = 40
    floats = 3 * _width(shape) + 2 * hidden + _expert_outputs(shape)
    attention = _attention_floats(shape)
    full = floats + (0 if quantized and shape.architecture in ("llama", "qwen2") else attention)
    latent = _latent_floats(shape)
    extra = _ROTATION if quantized and shape.key_length % 64 == 0 else 0
    if flash:
        device = batch * (4 * max(full, latent) + mask + indices)
        partial = batch * (4 * max(floats, latent) + mask + indices)
        host = batch * (8 * hidden + mask + indices)
        cpu = batch * (4 * (max(full, latent) + hidden) + mask + indices)
        return Graph(device + extra, partial + extra, host + extra, cpu + extra)
    scores = cells * (shape.heads + 1) + 2 * hidden + 2 * shape.heads * shape.key_length + 2 * kv_width
    mask *= 2
    device = batch * (max(4 * max(full, latent) + mask, 4 * scores) + indices)
    # Values are stored transposed then, and every element of a row needs an index of eight bytes.
    host = batch * (8 * hidden + mask + 8 * kv_width + indices)
    cpu = batch * (max(4 * (max(full, latent) + hidden) + mask, 4 * (scores + hidden)) + indices)
    return Graph(device, device, host, cpu)


def engine_graph(shape: Shape, context: int, batch: int, *, flash: bool) -> Graph:
    """Buffers of Ollama's own engine up to 0.24.

    Its mask exists in F32 and in F16, hence six bytes a cell; with images in the batch of the Qwen models twenty. Both
    were read off pairs of loads that differ in context alone.
    """
    graph = graph_of(shape, context, batch, flash=flash, quantized=False)
    per_cell = _ENGINE_CELL_VISION if shape.vision and shape.architecture.startswith("qwen") else _ENGINE_CELL
    mask = (per_cell - 2) * batch * round_up(context) if flash else 0
    return Graph(graph.device + mask, graph.partial + mask, graph.host, graph.cpu + mask)


def runner_graph(shape: Shape, context: int, parallel: int, caches: int) -> Graph:
    """What Ollama up to 0.24 reserves for its llama.cpp runner; flash attention makes no difference to it.

    `caches` are the bytes of the caches, which the rule for all other architectures goes by.
    """
    hidden, heads, vocab = shape.hidden, shape.heads, shape.vocab
    kv_heads = _most_kv_heads(shape)
    cells = context * parallel
    batch = 4 * 512
    scores = cells * (1 + heads)
    output = batch * (hidden + vocab)
    output_partial = output + hidden * vocab * 105 // 128
    match shape.architecture:
        case "llama" | "llama4":
            full = max(batch * (1 + 4 * hidden + scores), output)
            inner = batch * (1 + hidden + max(cells, hidden)) + hidden * hidden * 9 // 16
            inner += 4 * cells * (512 * heads + shape.key_length * kv_heads)
            partial = batch * hidden + max(inner, output_partial)
        case "qwen2":
            full = max(output, batch * (1 + 2 * hidden + scores))
            partial = max(output_partial, batch * (1 + 2 * hidden + scores) + 4 * hidden * (1 + cells))
        case "gemma" | "gemma2" | "gemma3" | "gemma3n":
            full = max(output, batch * (2 + scores + 2 * hidden + 2 * shape.key_length * heads))
            partial = max(full, output_partial)
        case "command-r" | "phi2":
            full = max(output, batch * (2 + 4 * hidden + scores))
            partial = max(full, output_partial)
        case "deepseek2":
            widths = 3 * hidden + 2 + cells * (1 + kv_heads) + 2 * shape.key_length * kv_heads
            full = max(batch * (3 * hidden + vocab), batch * widths)
            partial = max(full, batch * (3 * hidden + vocab) + hidden * vocab * 105 // 128)
        case _:
            full = partial = heads // max(kv_heads, 1) * caches // 6
    return Graph(full, partial, 0, full)


def _width(shape: Shape) -> int:
    """Floats between the two halves of a feed-forward layer, for one token."""
    if shape.experts is None:
        return shape.feed_forward
    used = shape.experts.used * (shape.experts.feed_forward or shape.feed_forward)
    return max(used, shape.feed_forward) if shape.architecture.startswith("deepseek") else used


def _expert_outputs(shape: Shape) -> int:
    """The outputs of the used experts, where they do not fit in the space their gates leave."""
    if shape.experts is None:
        return 0
    outputs = shape.experts.used * shape.hidden
    return outputs if 2 * _width(shape) < outputs else 0


def _attention_floats(shape: Shape) -> int:
    match shape.architecture:
        case "deepseek2" | "qwen35moe":
            return shape.hidden
        case "qwen35":
            return 0
        case _:
            return shape.heads * shape.key_length


def _latent_floats(shape: Shape) -> int:
    mla = shape.mla
    if mla is None or not mla.cached:
        return 0
    per_head = 2 * mla.kv_lora_rank + 2 * mla.rope_dim + mla.key_length
    return shape.heads * per_head + 2 * shape.hidden + mla.q_lora_rank


def _most_kv_heads(shape: Shape) -> int:
    return shape.kv_heads if isinstance(shape.kv_heads, int) else max(shape.kv_heads, default=0)
