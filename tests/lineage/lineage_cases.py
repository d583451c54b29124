"""Short ways to say what is installed, shared by the lineage tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from llamaexit.lineage import assess
from llamaexit.recipes.library import Library
from llamaexit.shape import Shape
from llamaexit.snapshot import InstalledModel, Lineage

LLAMA = {"general.architecture": "llama"}


def digest(start: str) -> str:
    """64 hex digits that begin with `start`, or are drawn from it when it is no hex text."""
    if all(char in "0123456789abcdef" for char in start):
        return start.ljust(64, "0")
    return hashlib.sha256(start.encode()).hexdigest()


def installed(name: str, header: Mapping[str, Any] | None = None, **facts: Any) -> InstalledModel:
    """An installed model whose build no recipe knows, unless a digest is given."""
    facts.setdefault("digest", digest(f"manifest of {name}"))
    facts.setdefault("weights_digest", digest(f"weights of {name}"))
    metadata = dict(header or {})
    facts.setdefault("family", str(metadata.get("general.architecture", "")))
    return InstalledModel(name=name, metadata=metadata, **facts)


def named(name: str) -> InstalledModel:
    """A model somebody asked about that is not installed."""
    return InstalledModel(name=name, source="named")


def shaped(width: tuple[int, int, int], layers: int, vocab: int = 0, *, context: int = 0, **more: Any) -> Shape:
    """The shape of a model of architecture llama. width: hidden size, key/value heads, feed-forward size."""
    hidden, kv_heads, feed_forward = width
    heads = hidden // 128
    more = {"architecture": "llama", "kv_heads": kv_heads, **more}
    return Shape(
        layers=layers,
        hidden=hidden,
        heads=heads,
        key_length=128,
        value_length=128,
        feed_forward=feed_forward,
        vocab=vocab,
        context_length=context,
        **more,
    )


def judged(model: InstalledModel, library: Library, others: Iterable[InstalledModel] = ()) -> Lineage:
    """The lineage of one model among others."""
    return assess(model, library, {other.name: other for other in others})


def rules(lineage: Lineage) -> list[str]:
    """The rules that spoke, strongest first."""
    return [evidence.rule for evidence in lineage.evidence]


def text_of(lineage: Lineage, rule: str) -> str:
    """What one rule said; empty when it did not speak."""
    return next((evidence.text for evidence in lineage.evidence if evidence.rule == rule), "")
