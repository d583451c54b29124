"""The shape of a model: what its GGUF header says about layers, heads and tensors.

These are plain facts; `llamaexit.memory` turns them into bytes of memory.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    """Mixture of experts: how many there are, how many a token uses, and how wide one is."""

    count: int
    used: int
    feed_forward: int = 0
    shared: int = 0


@dataclass(frozen=True, slots=True)
class Recurrent:
    """State-space part of a hybrid model. Attention sits on every `interval`-th layer."""

    interval: int
    conv_kernel: int = 0
    inner_size: int = 0
    state_size: int = 0
    groups: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the KV cache and the graph buffers. Lengths are elements, not bytes.

    `kv_heads` is one number, or one per layer where layers differ (0: no attention on that layer).
    `global_every`: with a sliding window, every n-th layer attends to everything (0: all layers are windowed).
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


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of the tensors, grouped as placement needs them. `blocks` and `experts` have one entry per layer.

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
