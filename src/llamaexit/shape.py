"""The shape of a model: what its GGUF header says about layers, heads and tensors.

These are plain facts; `llamaexit.memory` turns them into bytes of memory. Key names, defaults and window periods are
those of llama.cpp (src/llama-model.cpp) and of Ollama's own files.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mla:
    """Multi-head latent attention (DeepSeek V2 and later). `cached` tells whether the file carries the split
    `attn_k_b`/`attn_v_b` tensors, so that the runtime caches the compressed form instead of full heads."""

    kv_lora_rank: int
    rope_dim: int
    q_lora_rank: int = 0
    key_length: int = 0
    value_length: int = 0
    cached: bool = True


@dataclass(frozen=True, slots=True)
class Experts:
    """Mixture of experts: how many there are, how many a token uses, and how wide one is.

    `leading_dense`: layers at the front that have no experts.
    """

    count: int
    used: int
    feed_forward: int = 0
    shared: int = 0
    leading_dense: int = 0


@dataclass(frozen=True, slots=True)
class Recurrent:
    """State-space part of a hybrid model. Attention sits on every `interval`-th layer (0: see `kv_heads`).

    `layers` is how many layers keep a state (0: all that have no attention).
    """

    interval: int
    conv_kernel: int = 0
    inner_size: int = 0
    state_size: int = 0
    groups: int = 0
    layers: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the KV cache and the graph buffers. Lengths are elements, not bytes.

    `layers` counts the layers that make tokens; `draft_layers` come on top of them (`block_count` is the sum).
    `kv_heads` is one number, or one per layer where layers differ (0: no attention on that layer).
    `global_every`: with a sliding window, every n-th layer attends to everything (0: all layers are windowed);
    `windowed` says it layer by layer where there is no period. `key_length_window`, `value_length_window`: head sizes
    on windowed layers where they differ (0: the same).
    `source` says where the shape comes from: `gguf`, `show`, or `catalogue`.
    """

    architecture: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int | tuple[int, ...]
    key_length: int
    value_length: int
    feed_forward: int = 0
    vocab: int = 0
    context_length: int = 0
    sliding_window: int = 0
    global_every: int = 0
    windowed: tuple[bool, ...] = ()
    shared_kv_layers: int = 0
    draft_layers: int = 0
    mla: Mla | None = None
    experts: Experts | None = None
    recurrent: Recurrent | None = None
    vision: bool = False
    pooling: bool = False
    source: str = "gguf"
    key_length_window: int = 0
    value_length_window: int = 0


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of the tensors, grouped as placement needs them. `blocks` and `experts` have one entry per layer.

    `blocks` are whole layers, `experts` the part of each that is routed experts. `output` is the output matrix alone.
    `per_layer_embedding` is the table of Gemma 3n and Gemma 4 that never leaves host memory; `vision` are `v.*` and
    `mm.*` tensors inside the same file; `draft` are the layers that only predict ahead (MTP).
    """

    total: int
    token_embedding: int
    output: int
    blocks: tuple[int, ...]
    experts: tuple[int, ...] = ()
    per_layer_embedding: int = 0
    vision: int = 0
    draft: int = 0

    @property
    def tied(self) -> bool:
        """Whether the output layer is the input embedding used again."""
        return self.output == 0

    @property
    def rest(self) -> int:
        """Tensors that belong to no layer: the output norm, rope factors, classification heads."""
        grouped = self.token_embedding + self.output + self.per_layer_embedding + self.vision + self.draft
        return self.total - grouped - sum(self.blocks)


# ggml.h and ggml-common.h: type name to (elements per block, bytes per block).
BLOCKS: Mapping[str, tuple[int, int]] = {
    "F64": (1, 8), "F32": (1, 4), "F16": (1, 2), "BF16": (1, 2),
    "I8": (1, 1), "I16": (1, 2), "I32": (1, 4), "I64": (1, 8),
    "Q4_0": (32, 18), "Q4_1": (32, 20), "Q5_0": (32, 22), "Q5_1": (32, 24), "Q8_0": (32, 34), "Q8_1": (32, 36),
    "Q1_0": (128, 18), "Q2_0": (64, 18),
    "Q2_K": (256, 84), "Q3_K": (256, 110), "Q4_K": (256, 144), "Q5_K": (256, 176), "Q6_K": (256, 210),
    "Q8_K": (256, 292),
    "IQ1_S": (256, 50), "IQ1_M": (256, 56), "IQ2_XXS": (256, 66), "IQ2_XS": (256, 74), "IQ2_S": (256, 82),
    "IQ3_XXS": (256, 98), "IQ3_S": (256, 110), "IQ4_NL": (32, 18), "IQ4_XS": (256, 136),
    "TQ1_0": (256, 54), "TQ2_0": (256, 66), "MXFP4": (32, 17), "NVFP4": (64, 36),
}  # fmt: skip

# Ollama's converter and llama.cpp's spell some architectures differently (ollama llama/compat/README.md).
_ALIASES = {
    "gptoss": "gpt-oss",
    "qwen25vl": "qwen2vl",
    "olmo3": "olmo2",
    "glm4moelite": "deepseek2",
    "deepseekocr": "deepseek2-ocr",
    "glmocr": "glm4",
    "nemotron_h_omni": "nemotron_h_moe",
}
# Every n-th layer attends to everything when the file does not say (llama.cpp `set_swa_pattern`). A sliding window key
# on any other architecture (mistral as `llama`, qwen2, phi3) is ignored by the runtime.
GLOBAL_EVERY: Mapping[str, int] = {
    "gemma2": 2, "gemma3": 6, "gemma3n": 5, "gemma4": 6, "gemma-embedding": 6, "gpt-oss": 2, "cohere2": 4, "olmo2": 4,
    "exaone4": 4, "llama4": 4, "laguna": 4,
}  # fmt: skip
_INTERVAL = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
_GEMMA3N_OWN_KV = 20  # llama.cpp: gemma3n layers from the 21st on reuse earlier caches
_ENCODERS = ("bert", "nomic-bert", "nomic-bert-moe", "modern-bert", "jina-bert-v2", "neo-bert", "gemma-embedding")

_MAX_LAYERS = 1024
_MAX_WIDTH = 1 << 22
_MAX_TOKENS = 1 << 32
_LAYER = re.compile(r"blk\.(\d{1,6})\.")
_VISION = ("v.", "mm.", "a.", "vision.", "model.vision")


def canonical_architecture(name: str) -> str:
    """The spelling of llama.cpp for an architecture: `gptoss` becomes `gpt-oss`."""
    return _ALIASES.get(name, name)


def tensor_bytes(kind: str, shape: Iterable[int]) -> int | None:
    """Bytes of one tensor. None when the type is unknown or a dimension is not a plain positive number."""
    block = BLOCKS.get(kind.upper())
    if block is None:
        return None
    row, size = 1, 1
    for position, length in enumerate(shape):
        if type(length) is not int or length < 0:
            return None
        row, size = (length, size) if position == 0 else (row, size * length)
    elements, per_block = block
    return size * -(-row // elements) * per_block


def weights_of(tensors: Iterable[tuple[str, str, Iterable[int]]], shape: Shape | None) -> Weights | None:
    """Group a tensor table (name, type, shape) by what placement treats alike.

    None when the table is empty or holds a type we have no block size for: then the bytes of the manifest are nearer
    to the truth than a sum with a hole in it.
    """
    layers = shape.layers if shape else _MAX_LAYERS
    blocks: dict[int, int] = {}
    experts: dict[int, int] = {}
    total = embedding = output = per_layer = vision = draft = 0
    for name, kind, dimensions in tensors:
        size = tensor_bytes(kind, dimensions)
        if size is None:
            return None
        total += size
        layer = _LAYER.match(name)
        if layer is not None and int(layer[1]) < layers:
            index = int(layer[1])
            blocks[index] = blocks.get(index, 0) + size
            if "exps." in name:
                experts[index] = experts.get(index, 0) + size
        elif name.startswith("mtp.") or (layer is not None and shape is not None):
            draft += size
        elif name == "token_embd.weight":
            embedding += size
        elif name == "output.weight":
            output += size
        elif name.startswith("per_layer_token_embd."):
            per_layer += size
        elif name.startswith(_VISION):
            vision += size
    if total == 0:
        return None
    count = shape.layers if shape else max(blocks, default=-1) + 1
    return Weights(
        total=total,
        token_embedding=embedding,
        output=output,
        blocks=tuple(blocks.get(index, 0) for index in range(count)),
        experts=tuple(experts.get(index, 0) for index in range(count)) if experts else (),
        per_layer_embedding=per_layer,
        vision=vision,
        draft=draft,
    )


class _Keys:
    """GGUF keys of one architecture. Values that make no sense count as absent: a header is other people's input."""

    def __init__(self, metadata: Mapping[str, Any], prefixes: tuple[str, ...]) -> None:
        self._metadata = metadata
        self._prefixes = prefixes

    def raw(self, name: str) -> Any:
        for prefix in self._prefixes:
            value = self._metadata.get(f"{prefix}.{name}")
            if value is not None:
                return value
        return None

    def has(self, name: str) -> bool:
        return any(f"{prefix}.{name}" in self._metadata for prefix in self._prefixes)

    def count(self, name: str, default: int = 0, limit: int = _MAX_WIDTH) -> int:
        """A count; of an array the largest entry."""
        value = self.raw(name)
        if isinstance(value, list | tuple):
            return max((_whole(entry, limit) or 0 for entry in value[:_MAX_LAYERS]), default=0) or default
        number = _whole(value, limit)
        return default if number is None else number

    def per_layer(self, name: str, layers: int) -> tuple[int, ...] | None:
        """An array with one entry per layer; None when the value is not an array."""
        value = self.raw(name)
        if not isinstance(value, list | tuple) or not value:
            return None
        numbers = [_whole(entry, _MAX_WIDTH) or 0 for entry in value[:layers]]
        return tuple(numbers + numbers[-1:] * (layers - len(numbers)))


def _whole(value: object, limit: int) -> int | None:
    """A count from 0 to `limit`. Some tools write integers as floats."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= limit else None


def shape_of(
    metadata: Mapping[str, Any],
    array_lengths: Mapping[str, int],
    tensor_names: Collection[str],
    source: str,
    tensor_shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Shape | None:
    """Read a shape out of GGUF metadata, as the file or `/api/show` gives it.

    A missing or senseless key falls back as in llama.cpp. `tensor_shapes` fills in per-layer head counts, which
    `/api/show` blanks out unless asked verbosely. None when not even layers and width can be made out.
    """
    named = metadata.get("general.architecture")
    if not isinstance(named, str) or not named:
        return None
    architecture = canonical_architecture(named)
    keys = _Keys(metadata, (named, architecture) if named != architecture else (named,))
    indices = {int(match[1]) for match in map(_LAYER.match, tensor_names) if match}
    draft = keys.count("nextn_predict_layers", limit=_MAX_LAYERS)
    blocks = keys.count("block_count", limit=_MAX_LAYERS) or min(max(indices, default=-1) + 1, _MAX_LAYERS)
    shapes = tensor_shapes or {}
    embedding = shapes.get("token_embd.weight", ())
    hidden = keys.count("embedding_length") or (_whole(embedding[0], _MAX_WIDTH) or 0 if embedding else 0)
    # Ollama's converter names the draft head `mtp.*`; the blocks are then those of the text model alone, whatever
    # block_count says (ollama llama/compat `qwen35_text_block_count`). llama.cpp counts draft layers in.
    separate = any(name.startswith("mtp.") for name in tensor_names)
    layers = min(max(indices, default=blocks - 1) + 1, _MAX_LAYERS) if separate else blocks - draft
    if layers <= 0 or hidden <= 0:
        return None

    heads = keys.count("attention.head_count")
    key_length = keys.count("attention.key_length") or (hidden // heads if heads else 0)
    value_length = keys.count("attention.value_length") or (hidden // heads if heads else 0)
    kv_heads = _kv_heads(keys, layers, heads, key_length, shapes)
    mla = _mla(keys, tensor_names, heads, kv_heads, key_length, value_length)
    window, global_every, windowed = _window(architecture, keys, layers)
    vocabulary = keys.count("vocab_size") or _whole(array_lengths.get("tokenizer.ggml.tokens"), _MAX_WIDTH)
    return Shape(
        architecture=architecture,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        key_length=key_length,
        value_length=value_length,
        feed_forward=keys.count("feed_forward_length"),
        vocab=vocabulary or (_whole(embedding[1], _MAX_WIDTH) or 0 if len(embedding) > 1 else 0),
        context_length=keys.count("context_length", limit=_MAX_TOKENS),
        sliding_window=window,
        global_every=global_every,
        windowed=windowed,
        shared_kv_layers=min(
            keys.count(
                "attention.shared_kv_layers",
                default=max(0, layers - _GEMMA3N_OWN_KV) if architecture == "gemma3n" else 0,
            ),
            layers,
        ),
        draft_layers=max(draft, 1) if separate else draft,
        mla=mla,
        experts=_experts(keys),
        recurrent=_recurrent(architecture, keys, layers, hidden, kv_heads, tensor_names),
        vision=keys.count("vision.block_count") > 0 or any(name.startswith(_VISION) for name in tensor_names),
        pooling=keys.has("pooling_type") or architecture in _ENCODERS,
        source=source,
        key_length_window=keys.count("attention.key_length_swa"),
        value_length_window=keys.count("attention.value_length_swa"),
    )


def _kv_heads(
    keys: _Keys, layers: int, heads: int, key_length: int, shapes: Mapping[str, tuple[int, ...]]
) -> int | tuple[int, ...]:
    per_layer = keys.per_layer("attention.head_count_kv", layers)
    if per_layer is None and keys.raw("attention.head_count_kv") is None and key_length:
        widths = [shapes.get(f"blk.{index}.attn_k.weight", ()) for index in range(layers)]
        if any(len(width) == 2 for width in widths):
            per_layer = tuple((_whole(w[1], _MAX_WIDTH) or 0) // key_length if len(w) == 2 else 0 for w in widths)
    if per_layer is None:
        return keys.count("attention.head_count_kv", default=heads)
    return per_layer[0] if len(set(per_layer)) == 1 else per_layer


def _mla(
    keys: _Keys,
    tensor_names: Collection[str],
    heads: int,
    kv_heads: int | tuple[int, ...],
    key_length: int,
    value_length: int,
) -> Mla | None:
    rank = keys.count("attention.kv_lora_rank")
    if rank == 0:
        return None
    if any(name.startswith("blk.") and ".attn_k" in name for name in tensor_names):
        cached = any(".attn_k_b." in name or ".attn_v_b." in name for name in tensor_names)
    else:
        cached = keys.count("attention.key_length_mla") > 0 or (kv_heads == 1 and heads > 1)
    return Mla(
        kv_lora_rank=rank,
        rope_dim=keys.count("rope.dimension_count", default=64),
        q_lora_rank=keys.count("attention.q_lora_rank"),
        key_length=keys.count("attention.key_length_mla", default=0 if cached else key_length),
        value_length=keys.count("attention.value_length_mla", default=0 if cached else value_length),
        cached=cached,
    )


def _window(architecture: str, keys: _Keys, layers: int) -> tuple[int, int, tuple[bool, ...]]:
    """Window in tokens, period of the global layers, and the layers one by one where the file lists them."""
    window = keys.count("attention.sliding_window", limit=_MAX_TOKENS)
    if architecture == "llama4":
        window = keys.count("attention.chunk_size", default=window or 8192, limit=_MAX_TOKENS)
    listed = keys.per_layer("attention.sliding_window_pattern", layers)
    if window == 0:
        return 0, 0, ()
    if listed is not None and len(set(listed)) > 1:
        return window, 0, tuple(bool(entry) for entry in listed)
    period = keys.count("attention.sliding_window_pattern") if listed is None else 0
    period = period or GLOBAL_EVERY.get(architecture, 0)
    return (window, period, ()) if period else (0, 0, ())


def _experts(keys: _Keys) -> Experts | None:
    count = keys.count("expert_count")
    if count == 0:
        return None
    return Experts(
        count=count,
        used=min(keys.count("expert_used_count", default=1), count),
        feed_forward=keys.count("expert_feed_forward_length"),
        shared=keys.count("expert_shared_count"),
        leading_dense=keys.count("leading_dense_block_count", limit=_MAX_LAYERS),
    )


def _recurrent(
    architecture: str,
    keys: _Keys,
    layers: int,
    hidden: int,
    kv_heads: int | tuple[int, ...],
    tensor_names: Collection[str],
) -> Recurrent | None:
    with_state = {
        int(match[1])
        for name in tensor_names
        if (".ssm_" in name or ".shortconv." in name) and (match := _LAYER.match(name))
    }
    stateful = len([index for index in with_state if index < layers])
    interval = keys.count("full_attention_interval", default=_INTERVAL.get(architecture, 0), limit=_MAX_LAYERS)
    if isinstance(kv_heads, tuple):
        interval = 0  # the per-layer array already says where attention sits
    if kernel := keys.count("shortconv.l_cache"):
        return Recurrent(interval, kernel, hidden, layers=stateful)
    if head := keys.count("wkv.head_size"):
        return Recurrent(interval, keys.count("token_shift_count", default=2) + 1, hidden, head, layers=stateful)
    inner = keys.count("ssm.inner_size")
    if inner == 0:
        return None
    return Recurrent(
        interval=interval,
        conv_kernel=keys.count("ssm.conv_kernel"),
        inner_size=inner,
        state_size=keys.count("ssm.state_size"),
        groups=keys.count("ssm.group_count"),
        layers=stateful,
    )
