"""What a model looks like: tensor shape, vocabulary, tokenizer, template and licence texts.

Widths are those Meta and others published (config.json of the releases; also in the built-in recipes). A width is the
hidden size, the number of key/value heads and the feed-forward size: it survives when layers are stacked or dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from llamaexit.lineage.finding import Finding
from llamaexit.lineage.header import text_at
from llamaexit.shape import Shape
from llamaexit.snapshot import InstalledModel, Strength

Width = tuple[int, int, int]

_LLAMA3: dict[Width, tuple[str, int]] = {
    (2048, 8, 8192): ("1B", 16),
    (3072, 8, 8192): ("3B", 28),
    (4096, 8, 14336): ("8B", 32),
    (8192, 8, 28672): ("70B", 80),
    (16384, 8, 53248): ("405B", 126),
}
_LLAMA2: dict[Width, tuple[str, int]] = {
    (4096, 32, 11008): ("7B", 32),
    (5120, 40, 13824): ("13B", 40),
    (6656, 52, 17920): ("33B", 60),
    (8192, 8, 28672): ("70B", 80),
    (8192, 8, 22016): ("34B", 48),
}
_MISTRAL: Width = (4096, 8, 14336)
_FROM_SCRATCH: dict[Width, str] = {(2048, 4, 5632): "TinyLlama", (3200, 32, 8640): "OpenLLaMA 3B"}
_LLAMA4_VOCABULARY = 202048
_LLAMA3_VOCABULARY = range(128256, 128265)
_LLAMA2_VOCABULARY = range(32000, 32033)
_MISTRAL_V3_VOCABULARY = 32768
_CODE_VOCABULARIES = frozenset({32016, 32024})
_CODE_ROPE_BASE = 1_000_000
_LLAMA3_PRE = frozenset({"llama-bpe", "llama3", "llama-v3", "smaug-bpe"})
_OTHER_PRE = {
    "deepseek-llm": "DeepSeek LLM",
    "deepseek-coder": "DeepSeek Coder",
    "deepseek-v3": "DeepSeek V3",
    "falcon": "Falcon",
    "falcon3": "Falcon 3",
    "smollm": "SmolLM",
    "tekken": "Mistral",
    "qwen2": "Qwen",
    "exaone": "EXAONE",
    "starcoder": "StarCoder",
    "refact": "Granite Code and Refact",
    "command-r": "Command R",
}
"""Pre-tokenizers named after the family whose vocabulary they cut for (llama.cpp, convert_hf_to_gguf_update.py)."""
_LICENCE_HEADING = re.compile(r"(?:meta )?(?:code )?llama ?([234](?:\.[123])?) community licen[cs]e", re.IGNORECASE)
_HEADING_LENGTH = 120
_LLAMA4_TOKENS = frozenset({"<|header_start|>", "<|header_end|>", "<|eot|>"})
_LLAMA3_TOKENS = frozenset({"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"})
_LLAMA2_TOKENS = frozenset({"<<SYS>>", "<</SYS>>"})


class _Look(NamedTuple):
    """The part of a shape that is compared. vocab is 0 where it is not known."""

    width: Width
    layers: int
    vocab: int
    context: int
    pre: str | None
    sentencepiece: bool
    rope_base: float


def trait_findings(model: InstalledModel, *, claimed_by_others: bool) -> Iterator[Finding]:
    """Findings from shape, tokenizer, licence and template.

    claimed_by_others: the file calls itself something else. Families trained from scratch in the exact shape and
    vocabulary of Llama 3 8B exist (Marin), so the shape is then only support.
    """
    yield from _licence_text(model)
    look = _look(model)
    shaped = tuple(_shape(look, claimed_by_others)) if look is not None else ()
    yield from shaped
    yield from _tokenizer(model, shaped=any(finding.decides for finding in shaped))
    yield from _template(model)


def _look(model: InstalledModel) -> _Look | None:
    """None unless the model has architecture `llama` and a shape that was read, not looked up."""
    shape = model.shape
    if shape is None or shape.source == "catalogue" or shape.architecture.lower() != "llama":
        return None
    kv_heads = _one_number(shape)
    if kv_heads is None:
        return None
    metadata = model.metadata
    vocab = shape.vocab or _number_at(metadata, "llama.vocab_size")
    pre = text_at(metadata, "tokenizer.ggml.pre")
    return _Look(
        (shape.hidden, kv_heads, shape.feed_forward),
        shape.layers,
        int(vocab),
        shape.context_length,
        None if pre == "default" else pre,
        text_at(metadata, "tokenizer.ggml.model") == "llama",
        _number_at(metadata, "llama.rope.freq_base"),
    )


def _one_number(shape: Shape) -> int | None:
    """Key/value heads when all layers have the same number, as in every Llama but NVIDIA's pruned ones."""
    if isinstance(shape.kv_heads, int):
        return shape.kv_heads
    return shape.kv_heads[0] if len(set(shape.kv_heads)) == 1 else None


def _number_at(metadata: Mapping[str, Any], key: str) -> float:
    value = metadata.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if 0 <= value < 2**63 else 0


def _shape(look: _Look, claimed_by_others: bool) -> Iterator[Finding]:
    if look.vocab == _LLAMA4_VOCABULARY:
        yield Finding("shape", "meta", "strong", "its vocabulary of 202,048 tokens is that of Llama 4", "llama4")
    elif _has_llama3_vocabulary(look) and look.width in _LLAMA3:
        yield _llama3(look, claimed_by_others)
    elif look.vocab in _LLAMA2_VOCABULARY or look.vocab == _MISTRAL_V3_VOCABULARY or _unsized_sentencepiece(look):
        yield from _sentencepiece(look)


def _has_llama3_vocabulary(look: _Look) -> bool:
    """Early Llama 3 conversions have no pre-tokenizer; some files do not tell the size of the vocabulary."""
    if look.vocab:
        return look.vocab in _LLAMA3_VOCABULARY and (look.pre is None or look.pre in _LLAMA3_PRE)
    return look.pre in _LLAMA3_PRE


def _unsized_sentencepiece(look: _Look) -> bool:
    return look.vocab == 0 and look.sentencepiece


def _llama3(look: _Look, claimed_by_others: bool) -> Finding:
    size, layers = _LLAMA3[look.width]
    generation = _llama3_generation(size, look.context)
    strength: Strength = "strong" if look.vocab and look.pre and look.layers == layers else "likely"
    text = f"it has the shape and vocabulary of Llama 3 {size}"
    if look.layers != layers:
        text += f", with {look.layers} layers instead of {layers}"
    if claimed_by_others:
        return Finding("shape", "meta", "support", f"{text}, as have models trained from scratch (Marin)", generation)
    return Finding("shape", "meta", strength, text, generation)


def _llama3_generation(size: str, context: int) -> str:
    """The first generation with this shape. 70B shapes of 3.1 and 3.3 are the same."""
    if size in ("1B", "3B"):
        return "llama3.2"
    return "llama3.1" if size == "405B" or context == 131072 else "llama3"


def _sentencepiece(look: _Look) -> Iterator[Finding]:
    """Vocabularies of about 32,000 SentencePiece tokens: Llama 1, Llama 2 and Code Llama, but also Mistral."""
    if look.width == _MISTRAL:
        yield Finding("shape", "not-meta", "strong", "it has the shape and vocabulary of Mistral 7B")
    elif look.width in _FROM_SCRATCH:
        name = _FROM_SCRATCH[look.width]
        yield Finding(
            "shape",
            "unknown",
            "likely",
            f"it has the shape of {name}, trained from scratch in Llama's architecture",
        )
    elif look.width in _LLAMA2 and look.vocab != _MISTRAL_V3_VOCABULARY:
        size, _ = _LLAMA2[look.width]
        yield Finding(
            "shape",
            "meta",
            "support",
            f"it has the shape and vocabulary of Llama 2 {size}, as have models trained from scratch (OpenLLaMA)",
            _llama2_generation(look, size),
        )


def _llama2_generation(look: _Look, size: str) -> str:
    if size == "34B" or look.vocab in _CODE_VOCABULARIES or look.rope_base == _CODE_ROPE_BASE:
        return "codellama"
    return "llama1" if size == "33B" or look.context == 2048 else "llama2"


def _tokenizer(model: InstalledModel, *, shaped: bool) -> Iterator[Finding]:
    """Another family's pre-tokenizer in architecture `llama`; that of Llama 3 only when the shape said nothing."""
    if text_at(model.metadata, "general.architecture") != "llama":
        return
    pre = text_at(model.metadata, "tokenizer.ggml.pre")
    if pre in _OTHER_PRE:
        yield Finding("tokenizer", "not-meta", "likely", f"its tokenizer is that of {_OTHER_PRE[pre]}")
    elif pre in _LLAMA3_PRE and not shaped:
        yield Finding("tokenizer", "meta", "support", "its tokenizer is that of Llama 3, which others use, too")


def _licence_text(model: InstalledModel) -> Iterator[Finding]:
    """MIT, Apache or no text conclude nothing: several Llama models ship only those, or none."""
    for licence in model.licences:
        match = _LICENCE_HEADING.search(" ".join(licence[:_HEADING_LENGTH].split()))
        if match:
            yield Finding(
                "licence-text",
                "meta",
                "likely",
                f"it ships the Llama {match[1]} Community License",
                f"llama{match[1]}",
            )
            return


def _template(model: InstalledModel) -> Iterator[Finding]:
    """Chat tokens support a conclusion and never make one: rnj-1 speaks Llama 3's, hermes3 does not."""
    tokens = set(model.template_tokens)
    stop = model.parameters.get("stop")
    if isinstance(stop, list | tuple):
        tokens.update(token for token in stop if isinstance(token, str))
    elif isinstance(stop, str):
        tokens.add(stop)
    for generation, own, text in (
        ("llama4", _LLAMA4_TOKENS, "its template uses the chat tokens of Llama 4"),
        ("llama3", _LLAMA3_TOKENS, "its template uses the chat tokens of Llama 3, which others use, too"),
        ("llama2", _LLAMA2_TOKENS, "its template uses the <<SYS>> mark of Llama 2 and Code Llama"),
    ):
        if own & tokens:
            yield Finding("template", "meta", "support", text, generation)
            return
