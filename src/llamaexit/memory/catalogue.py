"""Weights of a model nobody has here: the tensor table its architecture implies, and the types a quantizer picks.

The table follows llama.cpp's model definitions and `llama_tensor_get_type` (src/llama-quant.cpp); library files of the
Qwen hybrids follow Ollama's own quantizer (ollama v0.24 server/quantization.go). The result is good to the byte for
files made by the quantizer it copies and a few per cent off for others, so the bytes of a manifest, where known,
replace the sum while the shares stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from llamaexit.shape import BLOCKS, Mla, Recurrent, Shape, Weights, tensor_bytes

Tensor = tuple[str, tuple[int, ...]]

_FLOATS = ("F32", "F16", "BF16")
_QWEN_HYBRIDS = ("qwen3next", "qwen35", "qwen35moe")
_ALWAYS_TIED = ("gemma", "gemma2", "gemma3", "gemma3n", "gemma4", "cohere2", "command-r")
# Published configs that use the input embedding as output too: architecture to the largest width that does.
_TIED_UP_TO = {"qwen2": 2048, "qwen2vl": 2048, "qwen3": 2560, "qwen3vl": 2560, "qwen35": 2560, "llama": 3072}
_LARGE_VOCABULARY = 100_000  # the Llama models of that width before 3.2 have 32,000 tokens and an output of their own
_HEADER_PER_TOKEN = 40  # bytes a tokenizer takes in a GGUF header, merges included: 39 (Qwen) to 61 (Llama 3)
# Vision encoders, F16 in nearly every file: bytes where no file size is at hand.
_ENCODER = {"qwen2vl": 1290 << 20}
_ENCODER_OTHER = 850 << 20
_LABEL_BASES = {"FP16": "F16", "FP32": "F32", "IQ3_M": "IQ3_S", "IQ2_M": "IQ2_S", "IQ3_XS": "IQ3_S", "IQ1": "IQ1_S"}


@dataclass(frozen=True, slots=True)
class Mix:
    """How a quantization label becomes tensor types. `library`: as Ollama's own quantizer did it, not llama.cpp."""

    label: str
    base: str
    library: bool = True

    @classmethod
    def named(cls, label: str, *, library: bool = True) -> Mix | None:
        """The mix a label such as `q4_K_M`, `fp16` or `Q8_0` stands for; None when it says nothing."""
        upper = label.upper().replace("-", "_").removeprefix("UD_").removesuffix("_XL") or label.upper()
        base = _LABEL_BASES.get(upper, upper)
        if base not in BLOCKS:
            base = base.rsplit("_", 1)[0]
        if base not in BLOCKS:
            return None
        return cls(f"{upper}_M" if upper in ("Q3_K", "Q4_K", "Q5_K") else upper, base, library)

    def type_of(self, shape: Shape, name: str, dimensions: tuple[int, ...], layer: int, *, tied: bool) -> str:
        """The type of one tensor in layer `layer` (-1: in none)."""
        if len(dimensions) == 1 or name.endswith(".bias") or _kept_whole(name):
            return "F32"
        if self.base in _FLOATS:
            return self.base
        if self.base == "MXFP4":
            return "MXFP4" if "_exps." in name else "BF16"
        return _fitting(self._wanted(shape, name, layer, tied), dimensions[0])

    def _wanted(self, shape: Shape, name: str, layer: int, tied: bool) -> str:
        base = self.base
        if base == "Q8_0":
            return base
        if layer < 0:
            return "Q6_K" if tied or name == "output.weight" else base
        if self.library and shape.architecture in _QWEN_HYBRIDS and base == "Q4_K":
            own = _hybrid_type(name)
            if own:
                return own
        eight_experts = shape.experts is not None and shape.experts.count == 8
        match name.split(".")[-2]:
            case "attn_v":
                return "Q8_0" if eight_experts else self._value_type(shape, layer)
            case "attn_v_b" | "attn_kv_b":
                return self._value_type(shape, layer)
            case "attn_k" if eight_experts:
                return "Q8_0"
            case "attn_output" if eight_experts and base in ("Q2_K", "Q3_K", "Q4_K"):
                return "Q5_K"
            case "attn_output":
                return {"Q2_K": "Q3_K", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K"}.get(self.label, base)
            case "attn_qkv":
                mixed = {"Q3_K_M": "Q4_K", "Q3_K_L": "Q4_K", "Q4_K_M": "Q5_K", "Q5_K_M": "Q6_K"}
                return mixed.get(self.label, base)
            case "ffn_down" | "ffn_down_exps" | "ffn_down_shexp":
                return self._down_type(shape.layers, layer)
            case _:
                return base

    def _value_type(self, shape: Shape, layer: int) -> str:
        kind, grouped = self.base, _most(shape.kv_heads) * 4 <= shape.heads
        match self.label:
            case "Q2_K":
                kind = "Q4_K" if grouped else "Q3_K"
            case "Q3_K_M":
                kind = "Q5_K" if layer < 2 else "Q4_K"
            case "Q3_K_L":
                kind = "Q5_K"
            case "Q4_K_M" | "Q5_K_M" if _more_bits(layer, shape.layers):
                kind = "Q6_K"
            case "Q4_K_S" if layer < 4:
                kind = "Q5_K"
        # llama.cpp calls 80 layers "70B"; eight query heads share one value head there, so it can afford more bits.
        eightfold = shape.layers == 80 and _most(shape.kv_heads) * 8 == shape.heads
        return "Q5_K" if eightfold and kind in ("Q3_K", "Q4_K") else kind

    def _down_type(self, layers: int, layer: int) -> str:
        match self.label:
            case "Q2_K":
                return "Q3_K"
            case "Q3_K_M":
                return "Q5_K" if layer < layers // 16 else "Q4_K"
            case "Q3_K_L":
                return "Q5_K"
            case "Q4_K_M" | "Q5_K_M" if _more_bits(layer, layers):
                return "Q6_K"
            case "Q4_K_S" if layer < layers // 8:
                return "Q5_K"
            case _:
                return self.base


def _more_bits(layer: int, layers: int) -> bool:
    """The layers the `_M` mixes favour: the first and last eighth, and every third between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _kept_whole(name: str) -> bool:
    return "_norm." in name or "ffn_gate_inp" in name or "ssm_conv1d" in name


def _fitting(kind: str, row: int) -> str:
    """Rows that no super-block divides fall back to an older type, and to F16 where even that does not fit."""
    if row % BLOCKS[kind][0] == 0:
        return kind
    kind = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}.get(kind, "Q4_0" if BLOCKS[kind][0] == 256 else kind)
    return kind if row % BLOCKS[kind][0] == 0 else "F16"


def _hybrid_type(name: str) -> str | None:
    part = name.split(".")[-2]
    if part in ("attn_v", "ffn_down_exps", "ffn_down_shexp"):
        return "Q6_K"
    return "Q4_K" if part.startswith(("attn_", "ssm_")) or part.endswith(("_exps", "_shexp")) else None


@lru_cache(maxsize=1024)
def weights_by_label(shape: Shape, mix: Mix, *, tied: bool) -> Weights | None:
    """Weights of the text model as the label says. None when the shape lacks what a tensor table needs."""
    if not (shape.layers and shape.hidden and shape.vocab) or (shape.feed_forward == 0 and shape.experts is None):
        return None
    known: dict[tuple[bool, ...], tuple[int, int]] = {}
    blocks, experts = [], []
    for layer in range(shape.layers):
        kind = _kind(shape, layer)
        if kind not in known:
            known[kind] = _layer_bytes(shape, mix, layer, tied)
        blocks.append(known[kind][0])
        experts.append(known[kind][1])
    outside = {
        name: _size(mix.type_of(shape, name, dimensions, -1, tied=tied), dimensions)
        for name, dimensions in outer_tensors(shape, tied=tied)
    }
    return Weights(
        total=sum(blocks) + sum(outside.values()),
        token_embedding=outside["token_embd.weight"],
        output=outside.get("output.weight", 0),
        blocks=tuple(blocks),
        experts=tuple(experts) if any(experts) else (),
    )


def _kind(shape: Shape, layer: int) -> tuple[bool, ...]:
    """Layers of one kind have the same tensors and types: all that `_wanted` and the tensor table look at."""
    layers = shape.layers
    recurrent = shape.recurrent
    return (
        _more_bits(layer, layers),
        layer < layers // 8,
        layer < layers // 16,
        layer < 2,
        layer < 4,
        layer < _dense_layers(shape),
        recurrent is not None and bool(recurrent.interval) and (layer + 1) % recurrent.interval != 0,
    )


def _layer_bytes(shape: Shape, mix: Mix, layer: int, tied: bool) -> tuple[int, int]:
    """Bytes of one layer, and of the routed experts in it."""
    total = experts = 0
    for name, dimensions in layer_tensors(shape, layer):
        size = _size(mix.type_of(shape, f"blk.{layer}.{name}", dimensions, layer, tied=tied), dimensions)
        total += size
        if "exps." in name:
            experts += size
    return total, experts


def _size(kind: str, dimensions: tuple[int, ...]) -> int:
    return tensor_bytes(kind, dimensions) or 0


def encoder_bytes(shape: Shape) -> int:
    """Size of the vision encoder of a model with one, by what is usual for its architecture."""
    return _ENCODER.get(shape.architecture, _ENCODER_OTHER)


@lru_cache(maxsize=1024)
def weights_by_size(shape: Shape, mix: Mix | None, blob: int, *, vision: bool) -> Weights | None:
    """Weights whose bytes are those of a published file, shared out as its label (or the nearest one) would.

    Files with vision hold the encoder too: what the text model leaves of them.
    """
    target = blob - header_bytes(shape)
    if target <= 0:
        return None
    guess = _best(shape, mix, target, vision) or _even(shape, mix, target)
    encoder = max(0, target - guess.total) if vision else 0
    blocks = target - encoder - guess.token_embedding - guess.output - guess.rest
    known = sum(guess.blocks)
    if blocks <= 0 or known <= 0:
        return None
    return Weights(
        total=target,
        token_embedding=guess.token_embedding,
        output=guess.output,
        blocks=tuple(size * blocks // known for size in guess.blocks),
        experts=tuple(size * blocks // known for size in guess.experts),
        vision=encoder,
    )


def header_bytes(shape: Shape) -> int:
    """Metadata at the head of a GGUF file, nearly all of it the vocabulary."""
    return 4096 + _HEADER_PER_TOKEN * shape.vocab


def is_tied(shape: Shape) -> bool:
    """Whether a model of this shape most likely has no output matrix of its own."""
    if shape.architecture in _ALWAYS_TIED:
        return True
    widest = _TIED_UP_TO.get(shape.architecture, 0)
    return shape.hidden <= widest and shape.experts is None and shape.vocab >= _LARGE_VOCABULARY


def _best(shape: Shape, mix: Mix | None, target: int, vision: bool) -> Weights | None:
    """The guess nearest to the bytes, over common labels where none is given.

    Whether the output is tied follows the published configs, unless the bytes clearly say otherwise
    (deepseek-r1:1.5b has an output matrix, Qwen2.5 1.5B of the same shape has none).
    """
    mixes = (mix,) if mix is not None else tuple(each for each in map(Mix.named, _COMMON) if each is not None)
    tied = is_tied(shape)
    usual = _nearest(shape, mixes, target, tied)
    if usual is None or vision or shape.architecture in _ALWAYS_TIED or abs(usual.total - target) < target // 50:
        return usual
    other = _nearest(shape, mixes, target, not tied)
    clearly = other is not None and 4 * abs(other.total - target) < abs(usual.total - target)
    return other if clearly else usual


def _even(shape: Shape, mix: Mix | None, target: int) -> Weights:
    """Where the shape is too sketchy for a table: embedding and output by their widths, the rest in equal layers."""
    elements, size = BLOCKS[mix.base] if mix is not None else BLOCKS["Q4_K"]
    matrix = min(shape.hidden * shape.vocab // elements * size, target // 4)
    block = (target - 2 * matrix) // shape.layers
    return Weights(2 * matrix + block * shape.layers, matrix, matrix, (block,) * shape.layers)


def _nearest(shape: Shape, mixes: tuple[Mix, ...], target: int, tied: bool) -> Weights | None:
    guesses = (weights_by_label(shape, mix, tied=tied) for mix in mixes)
    return min((each for each in guesses if each is not None), key=lambda each: abs(each.total - target), default=None)


_COMMON = ("Q4_K_M", "Q4_0", "Q8_0", "F16", "Q6_K", "Q5_K_M", "Q3_K_M", "Q2_K")


def layer_tensors(shape: Shape, layer: int) -> Iterator[Tensor]:
    """Names (without `blk.N.`) and dimensions of the tensors of one layer, innermost dimension first as in GGUF."""
    yield from _attention(shape, layer)
    yield from _feed_forward(shape, layer)


def outer_tensors(shape: Shape, *, tied: bool) -> Iterator[Tensor]:
    """The tensors that belong to no layer."""
    yield "token_embd.weight", (shape.hidden, shape.vocab)
    if not tied:
        yield "output.weight", (shape.hidden, shape.vocab)
    yield "output_norm.weight", (shape.hidden,)


def _attention(shape: Shape, layer: int) -> Iterable[Tensor]:
    hidden, heads = shape.hidden, shape.heads
    yield "attn_norm.weight", (hidden,)
    yield "ffn_norm.weight", (hidden,)
    if shape.mla is not None:
        yield from _latent_attention(shape, shape.mla)
        return
    kv_heads = shape.kv_heads if isinstance(shape.kv_heads, int) else shape.kv_heads[layer]
    if shape.recurrent is not None and shape.recurrent.interval and (layer + 1) % shape.recurrent.interval:
        yield from _linear_attention(shape, shape.recurrent)
        return
    queries, keys, values = heads * shape.key_length, kv_heads * shape.key_length, kv_heads * shape.value_length
    gated = 2 if shape.architecture in _QWEN_HYBRIDS else 1
    yield "attn_q.weight", (hidden, queries * gated)
    yield "attn_k.weight", (hidden, keys)
    yield "attn_v.weight", (hidden, values)
    yield "attn_output.weight", (heads * shape.value_length, hidden)
    if shape.architecture in ("qwen2", "qwen2vl", "gpt-oss"):
        yield "attn_q.bias", (queries,)
        yield "attn_k.bias", (keys,)
        yield "attn_v.bias", (values,)
    if shape.architecture == "gpt-oss":
        yield "attn_output.bias", (hidden,)
        yield "attn_sinks.weight", (heads,)
    if shape.architecture.startswith(("qwen3", "gemma3")):
        yield "attn_q_norm.weight", (shape.key_length,)
        yield "attn_k_norm.weight", (shape.key_length,)
    if shape.architecture.startswith("gemma") and shape.architecture != "gemma":
        yield "post_attention_norm.weight", (hidden,)
        yield "post_ffw_norm.weight", (hidden,)


def _latent_attention(shape: Shape, mla: Mla) -> Iterable[Tensor]:
    hidden, heads = shape.hidden, shape.heads
    nope = mla.key_length - mla.rope_dim
    if mla.q_lora_rank:
        yield "attn_q_a.weight", (hidden, mla.q_lora_rank)
        yield "attn_q_a_norm.weight", (mla.q_lora_rank,)
        yield "attn_q_b.weight", (mla.q_lora_rank, heads * mla.key_length)
    else:
        yield "attn_q.weight", (hidden, heads * mla.key_length)
    yield "attn_kv_a_mqa.weight", (hidden, mla.kv_lora_rank + mla.rope_dim)
    yield "attn_kv_a_norm.weight", (mla.kv_lora_rank,)
    if mla.cached:
        yield "attn_k_b.weight", (nope, mla.kv_lora_rank, heads)
        yield "attn_v_b.weight", (mla.kv_lora_rank, mla.value_length, heads)
    else:
        yield "attn_kv_b.weight", (mla.kv_lora_rank, heads * (nope + mla.value_length))
    yield "attn_output.weight", (heads * mla.value_length, hidden)


def _linear_attention(shape: Shape, recurrent: Recurrent) -> Iterable[Tensor]:
    hidden, inner = shape.hidden, recurrent.inner_size
    mixed = inner + 2 * recurrent.groups * recurrent.state_size
    value_heads = inner // recurrent.state_size if recurrent.state_size else 0
    yield "attn_qkv.weight", (hidden, mixed)
    yield "attn_gate.weight", (hidden, inner)
    if shape.architecture == "qwen3next":
        yield "ssm_ba.weight", (hidden, 2 * value_heads)
    else:
        yield "ssm_alpha.weight", (hidden, value_heads)
        yield "ssm_beta.weight", (hidden, value_heads)
    yield "ssm_conv1d.weight", (recurrent.conv_kernel, mixed)
    yield "ssm_a", (value_heads,)
    yield "ssm_dt.bias", (value_heads,)
    yield "ssm_norm.weight", (recurrent.state_size,)
    yield "ssm_out.weight", (inner, hidden)


def _feed_forward(shape: Shape, layer: int) -> Iterable[Tensor]:
    hidden, experts = shape.hidden, shape.experts
    if experts is None or layer < _dense_layers(shape):
        yield "ffn_gate.weight", (hidden, shape.feed_forward)
        yield "ffn_up.weight", (hidden, shape.feed_forward)
        yield "ffn_down.weight", (shape.feed_forward, hidden)
        return
    width, count = experts.feed_forward or shape.feed_forward, experts.count
    yield "ffn_gate_inp.weight", (hidden, count)
    yield "ffn_gate_exps.weight", (hidden, width, count)
    yield "ffn_up_exps.weight", (hidden, width, count)
    yield "ffn_down_exps.weight", (width, hidden, count)
    if shape.architecture == "gpt-oss":
        yield "ffn_gate_inp.bias", (count,)
        yield "ffn_gate_exps.bias", (width, count)
        yield "ffn_up_exps.bias", (width, count)
        yield "ffn_down_exps.bias", (hidden, count)
    if experts.shared:
        yield "ffn_gate_shexp.weight", (hidden, width * experts.shared)
        yield "ffn_up_shexp.weight", (hidden, width * experts.shared)
        yield "ffn_down_shexp.weight", (width * experts.shared, hidden)
        if shape.architecture in _QWEN_HYBRIDS:
            yield "ffn_gate_inp_shexp.weight", (hidden,)


def _dense_layers(shape: Shape) -> int:
    """DeepSeek starts with dense layers: one in the small models, three in the large ones (published configs)."""
    if shape.experts is not None and shape.experts.leading_dense:
        return shape.experts.leading_dense
    if shape.architecture.startswith("deepseek"):
        return 3 if shape.layers > 60 else 1
    return 0


def _most(heads: int | tuple[int, ...]) -> int:
    return heads if isinstance(heads, int) else max(heads, default=0)
