"""What is known about a model before it is loaded: its shape, its weights, and the options stored with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from llamaexit.memory.catalogue import Mix, encoder_bytes, header_bytes, is_tied, weights_by_label, weights_by_size
from llamaexit.memory.estimate import Basis
from llamaexit.shape import (
    GLOBAL_EVERY,
    Experts,
    Mla,
    Recurrent,
    Shape,
    Weights,
    canonical_architecture,
)
from llamaexit.units import GB, MB

if TYPE_CHECKING:
    from llamaexit.recipes.model import CatalogueShape, Origin, Tag, Target
    from llamaexit.snapshot import InstalledModel, Layer

_DRAFT_DEPTH = 4  # tokens a draft head predicts unless the model says otherwise (ollama api/types.go)
_WINDOWS = {"gemma3": 1024, "gemma2": 4096, "gpt-oss": 128, "llama4": 8192}
# Published configs, for what the catalogue leaves open: (architecture, width) to the missing number.
_FEED_FORWARD = {
    ("qwen2vl", 2048): 11008, ("qwen2vl", 3584): 18944, ("qwen2vl", 5120): 27648, ("qwen2vl", 8192): 29568,
    ("qwen35", 1024): 3584, ("deepseek2", 2048): 10944, ("deepseek2", 5120): 12288,
}  # fmt: skip
_EXPERT_FEED_FORWARD = {
    ("qwen3next", 2048): 512, ("qwen35moe", 2048): 512, ("qwen35moe", 3072): 1024, ("qwen35moe", 4096): 1024,
    ("deepseek2", 2048): 1408, ("deepseek2", 5120): 1536,
}  # fmt: skip
_LINEAR_INNER = {
    ("qwen35", 1024): 2048, ("qwen35", 2048): 2048, ("qwen35", 5120): 6144, ("qwen35moe", 3072): 8192,
    ("qwen35moe", 4096): 8192,
}  # fmt: skip
_WIDTH = {("qwen35moe", 48): 3072}
_VOCABULARY = {"qwen2": 151936, "qwen3": 151936, "qwen35": 248320, "qwen35moe": 248320}
# DeepSeek files made before llama.cpp learned to cache the compressed form (April 2025) keep full heads.
_COMPRESSED_SINCE = "2025-05"
# Models like Llama and Qwen of each size, to stand in for one whose shape nobody published:
# parameters, layers, width, heads, key-value heads, feed-forward.
_LADDER = (
    (0.6e9, 24, 1024, 16, 8, 3072),
    (1.2e9, 16, 2048, 32, 8, 8192),
    (3.2e9, 28, 3072, 24, 8, 8192),
    (8.0e9, 32, 4096, 32, 8, 14336),
    (14.8e9, 48, 5120, 40, 8, 13824),
    (32.8e9, 64, 5120, 40, 8, 27648),
    (70.6e9, 80, 8192, 64, 8, 28672),
)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model, ready to be estimated. Sizes are bytes.

    architecture: as the file spells it, which decides what runs it. file_size: of the file with the weights.
    projector: a separate vision file. low, high: how far the weights may really lie from `weights`, as fractions.
    draft: tokens a draft head predicts ahead, 0 when there is none or it stays off. draft_size: a separate draft file.
    num_ctx, num_batch, num_gpu: options stored with the model. stand_in: whether the shape is not the model's own but
    that of a Llama of about its size.
    """

    name: str
    architecture: str
    shape: Shape
    weights: Weights
    basis: Basis
    file_size: int
    low: float = 0.0
    high: float = 0.0
    projector: int = 0
    draft: int = 0
    draft_size: int = 0
    vision: bool = False
    embedding: bool = False
    tokenizer: str = ""
    num_ctx: int | None = None
    num_batch: int | None = None
    num_gpu: int | None = None
    digest: str | None = None
    notes: tuple[str, ...] = ()
    stand_in: bool = False


def spec_of_table(
    name: str, shape: Shape, weights: Weights, *, file_size: int = 0, architecture: str = "", projector: int = 0
) -> ModelSpec:
    """A model whose tensor table is known, from a header anywhere."""
    return ModelSpec(
        name=name,
        architecture=architecture or shape.architecture,
        shape=shape,
        weights=weights,
        basis="tensors",
        file_size=file_size or weights.total + header_bytes(shape),
        projector=projector,
        vision=shape.vision or projector > 0,
        embedding=shape.pooling,
    )


def spec_of_installed(model: InstalledModel) -> ModelSpec | None:
    """An installed model: from its tensor table, else from the bytes of its file.

    None for one that is not here, that runs elsewhere, whose weights cannot be read, or whose size is not known.
    """
    if model.remote or model.source == "named":
        return None
    if model.problem is not None and model.weights is None:
        return None  # the sizes in a manifest say nothing about weights that are missing or damaged
    file_size = _layer_size(model.layers, "model")
    shape = model.shape
    metadata = model.metadata
    architecture = metadata.get("general.architecture")
    if shape is not None and model.weights is not None:
        spec = spec_of_table(model.name, shape, model.weights, file_size=file_size)
    else:
        size = file_size or model.size - model.projector_size
        guess = _of_size(
            model.name,
            shape,
            model.quantization,
            size,
            vision=False,
            error=0.015,
            parameters=model.parameter_count or 0,
        )
        if guess is None:
            return None
        spec = guess
    spec = _trained_for(spec, model.context_length or 0)
    capabilities = model.capabilities or ()
    parameters = model.parameters
    draft_size = _layer_size(model.layers, "draft")
    asked = _option(parameters, "draft_num_predict")
    depth = asked if asked is not None else _DRAFT_DEPTH if draft_size else 0
    return replace(
        spec,
        architecture=architecture if isinstance(architecture, str) and architecture else spec.architecture,
        projector=model.projector_size,
        draft=depth if draft_size or spec.shape.draft_layers else 0,
        draft_size=draft_size,
        vision=spec.shape.vision or model.projector_size > 0 or "vision" in capabilities,
        embedding=spec.shape.pooling or ("embedding" in capabilities and "completion" not in capabilities),
        tokenizer=str(metadata.get("tokenizer.ggml.pre", "")),
        num_ctx=_option(parameters, "num_ctx") or None,
        num_batch=_option(parameters, "num_batch") or None,
        num_gpu=_option(parameters, "num_gpu"),
        digest=model.digest,
    )


def spec_of_target(target: Target, tag: Tag | None = None) -> ModelSpec | None:
    """A model of the catalogue, as `tag` if one is given. None for one that only runs elsewhere."""
    if not target.local:
        return None
    quant = tag.quant or target.quant if tag is not None else target.quant
    size, exact = (tag.size, tag.exact) if tag is not None and tag.size else (target.size, target.exact)
    if tag is not None and not tag.size and tag.quant and tag.quant != target.quant:
        size, exact = 0, False
    name = f"{target.name.partition(':')[0]}:{tag.tag.rpartition(':')[2]}" if tag is not None else target.name
    spec = _of_catalogue(
        name=name,
        shape=target.shape,
        quant=quant,
        size=size,
        exact=exact,
        # Ollama goes by what the file says, which is less than YaRN could make of some models
        context=(tag.context if tag is not None else 0) or target.context or target.native_context,
        vision="vision" in target.capabilities,
        embedding="embedding" in target.capabilities and "completion" not in target.capabilities,
        compressed=target.released[:7] >= _COMPRESSED_SINCE,
        parameters=target.parameters * 1e9,
    )
    if spec is not None and "mtp" in name.rpartition(":")[2].split("-"):
        # Only these tags ship draft_num_predict, without which Ollama leaves a draft head alone.
        return replace(spec, shape=replace(spec.shape, draft_layers=1), draft=_DRAFT_DEPTH)
    return spec


def spec_of_origin(origin: Origin, tag: Tag | None = None) -> ModelSpec | None:
    """A Llama model somebody names without having it here, as `tag` if one is given."""
    name, quant, context = origin.name, origin.quant, origin.context
    size = origin.weights_size or max(0, origin.size - origin.projector_size)
    exact = origin.exact or origin.weights_size > 0
    if tag is not None:
        name = f"{origin.name.rpartition(':')[0]}:{tag.tag}"
        quant, context = tag.quant or quant, tag.context or context
        if tag.size:
            size, exact = max(0, tag.size - origin.projector_size), tag.exact
        elif quant != origin.quant:
            size, exact = 0, False
    spec = _of_catalogue(
        name=name,
        shape=origin.shape,
        quant=quant,
        size=size,
        exact=exact,
        context=context,
        vision="vision" in origin.capabilities and not origin.projector_size,
        embedding="embedding" in origin.capabilities,
        compressed=False,
        parameters=float(origin.parameter_count) or _parameters(origin.parameters),
    )
    if spec is None or not origin.projector_size:
        return spec
    return replace(spec, projector=origin.projector_size, vision=True)


def _of_catalogue(
    *,
    name: str,
    shape: CatalogueShape | None,
    quant: str,
    size: int,
    exact: bool,
    context: int,
    vision: bool,
    embedding: bool,
    compressed: bool,
    parameters: float,
) -> ModelSpec | None:
    known = published_shape(shape, context, vision, compressed) if shape is not None else None
    error = 0.015 if exact else 0.015 + _rounding(size)
    spec = _of_size(name, known, quant, size, vision=vision, error=error, parameters=parameters)
    if spec is None:
        return None
    basis: Basis = spec.basis if spec.basis == "label" or exact else "catalogue"
    architecture = shape.architecture if shape is not None else spec.architecture
    spec = replace(spec, basis=basis, vision=vision, embedding=embedding, architecture=architecture)
    return _trained_for(spec, context)


def _trained_for(spec: ModelSpec, context: int) -> ModelSpec:
    """The spec with the length it was trained for, where its shape does not tell."""
    if not context or spec.shape.context_length:
        return spec
    return replace(spec, shape=replace(spec.shape, context_length=context))


def _of_size(
    name: str, shape: Shape | None, quant: str, size: int, *, vision: bool, error: float, parameters: float
) -> ModelSpec | None:
    """A spec from a shape and the bytes of its file, from either alone if need be."""
    mix = Mix.named(quant) if quant else None
    notes: tuple[str, ...] = ()
    stand_in = shape is None
    if shape is None:
        shape = _like_sized(size, mix, parameters)
        if shape is None:
            return None
        notes = ("its layers and heads are not known: reckoned like a Llama of that size",)
        error += 0.05
    weights = weights_by_size(shape, mix, size, vision=vision) if size > 0 else None
    basis: Basis = "manifest"
    low = high = error
    if weights is None:
        weights = weights_by_label(shape, mix, tied=is_tied(shape)) if mix is not None else None
        basis, low, high = "label", 0.04, 0.05
        if weights is not None and vision:
            encoder = encoder_bytes(shape)
            weights = replace(weights, total=weights.total + encoder, vision=encoder)
    if weights is None:
        return None
    return ModelSpec(
        name=name,
        architecture=shape.architecture,
        shape=shape,
        weights=weights,
        basis=basis,
        file_size=size if size > 0 else weights.total + header_bytes(shape),
        low=low,
        high=high,
        vision=vision,
        notes=notes,
        stand_in=stand_in,
    )


@lru_cache(maxsize=1024)
def published_shape(published: CatalogueShape, context: int, vision: bool, compressed: bool) -> Shape | None:
    """The shape of a catalogue record, gaps filled from published configs. None when too much is missing.

    `compressed`: whether a file of a DeepSeek model is new enough to cache the compressed form.
    """
    architecture = canonical_architecture(published.architecture)
    layers, heads = published.layers, published.heads
    hidden = published.hidden or _WIDTH.get((architecture, layers), 0)
    if not (layers and hidden and heads):
        return None
    head_size = published.head_dim or hidden // heads
    kv_heads, key, value = published.kv_heads or heads, head_size, head_size
    mla = None
    if published.kv_lora_rank:
        rope = published.rope_dim or 64
        key, value = (published.nope_dim or 128) + rope, published.v_head_dim or 128
        mla = Mla(published.kv_lora_rank, rope, published.q_lora_rank, key, value, cached=compressed)
        if compressed:
            kv_heads, key, value = 1, published.kv_lora_rank + rope, published.kv_lora_rank
    experts = None
    if published.experts:
        width = published.expert_feed_forward or _EXPERT_FEED_FORWARD.get((architecture, hidden), 0)
        used, shared = published.experts_used or 1, published.experts_shared
        experts = Experts(published.experts, used, width, shared, published.dense_layers)
    window = published.sliding_window or _WINDOWS.get(architecture, 0)
    period = GLOBAL_EVERY.get(architecture, 0)
    return Shape(
        architecture=architecture,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        key_length=key,
        value_length=value,
        feed_forward=published.feed_forward or _FEED_FORWARD.get((architecture, hidden), 0),
        vocab=published.vocab or _VOCABULARY.get(architecture, 0),
        context_length=context,
        sliding_window=window if period else 0,
        global_every=period if window else 0,
        mla=mla,
        experts=experts,
        recurrent=_published_state(published, architecture, hidden),
        vision=vision,
        source="catalogue",
    )


def _published_state(published: CatalogueShape, architecture: str, hidden: int) -> Recurrent | None:
    attention = published.attention_layers
    if architecture not in ("qwen3next", "qwen35", "qwen35moe") and not 0 < attention < published.layers:
        return None
    interval = published.layers // attention if attention else 4
    inner = _LINEAR_INNER.get((architecture, hidden), 4096)
    return Recurrent(max(interval, 1), conv_kernel=4, inner_size=inner, state_size=128, groups=16)


def _like_sized(size: int, mix: Mix | None, parameters: float) -> Shape | None:
    """A Llama-like shape of about as many parameters."""
    if parameters <= 0:
        bits = 4.9 if mix is None else {"Q8_0": 8.5, "F16": 16.0, "BF16": 16.0, "F32": 32.0}.get(mix.base, 4.9)
        parameters = size * 8 / bits
    if parameters <= 0:
        return None
    _, layers, hidden, heads, kv_heads, width = min(_LADDER, key=lambda rung: abs(rung[0] - parameters) / rung[0])
    head = hidden // heads
    return Shape("llama", layers, hidden, heads, kv_heads, head, head, width, vocab=128256, source="catalogue")


def _rounding(size: int) -> float:
    """How much of a page figure may be rounding: it has one decimal below 10 GB, none above, and none for MB."""
    if size <= 0:
        return 0.0
    unit = GB if size >= 10 * GB else GB // 10 if size >= GB else MB
    return unit / 2 / size


def _parameters(text: str) -> float:
    """`8.03B` as a number; 0 when it says something else."""
    try:
        return float(text[:-1]) * {"B": 1e9, "M": 1e6, "T": 1e12}.get(text[-1:].upper(), 0.0)
    except ValueError:
        return 0.0


def _layer_size(layers: tuple[Layer, ...], kind: str) -> int:
    return sum(layer.size for layer in layers if layer.kind == kind or layer.kind.endswith(f".{kind}"))


def _option(parameters: Mapping[str, Any], name: str) -> int | None:
    value = parameters.get(name)
    if isinstance(value, str):
        value = value.strip()
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 12 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1 << 32:
        return None
    return int(value)
