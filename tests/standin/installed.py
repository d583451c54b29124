"""One model with all its layers read, as `GetModel` of server/images.go reads them before a request is run."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

from standin import answers, gguf
from standin.gguf import Gguf
from standin.release import Release
from standin.store import Name, Store


@dataclass(frozen=True)
class Installed:
    """A model that was asked for by name. `weights` and `projector` are digests; None where there are none."""

    name: Name
    digest: str
    config: dict[str, Any]
    weights: str | None
    projector: str | None
    adapters: tuple[str, ...]
    size: int
    header: Gguf | None
    system: str
    options: dict[str, Any]
    messages: tuple[dict[str, Any], ...]
    capabilities: frozenset[str]
    native: bool
    """The GGUF's own chat template is used, by the runner: it splits reasoning and tool calls off by itself."""

    @property
    def splits_reasoning(self) -> bool:
        """Whether reasoning is told from the answer even when nobody asked for it."""
        return self.native or bool(self.config.get("parser"))

    @property
    def shifts(self) -> bool:
        """Whether the oldest part of a full context can be dropped to go on."""
        return self.header is None or self.header.architecture != "deepseek2"

    @property
    def trained_context(self) -> int | None:
        return self.header.of_architecture("context_length") if self.header else None

    def context(self, wanted: int) -> int:
        """Tokens of context it is loaded with: not more than it was trained for, and room for an image."""
        context = max(4, wanted, 2048 if "vision" in self.capabilities else 0)
        return min(context, self.trained_context or context)

    def memory(self, context: int) -> int:
        """Bytes it takes when loaded: weights and a cache of F16 keys and values."""
        header = self.header or Gguf()
        kv_heads = header.of_architecture("attention.head_count_kv") or 1
        heads = header.of_architecture("attention.head_count") or 1
        width = (header.of_architecture("embedding_length") or 0) // (heads if isinstance(heads, int) else 1)
        layers = header.of_architecture("block_count") or 0
        per_token = 2 * 2 * layers * width * (kv_heads if isinstance(kv_heads, int) else max(kv_heads, default=1))
        return self.size + per_token * context


def read(store: Store, name: Name, release: Release) -> Installed:
    """Raises KeyError when there is no such model or a small layer of it is missing, ValueError when it is corrupt.

    Weights that cannot be read are no error: a model without capabilities is the result.
    """
    entry = store.manifests[name]
    config = store.config(entry)
    weights = next((str(layer["digest"]) for layer in store.layers(entry, "model")), None)
    projector = next((str(layer["digest"]) for layer in store.layers(entry, "projector")), None)
    header = _header(store, weights)
    template = "\n".join(store.texts(entry, "template"))
    chat_template = ""
    if header and release.since(0, 30):
        chat_template = str(header.metadata.get("tokenizer.chat_template", ""))
    return Installed(
        name=name,
        digest=entry.digest,
        config=config,
        weights=weights,
        projector=projector,
        adapters=tuple(str(layer["digest"]) for layer in store.layers(entry, "adapter")),
        size=store.blobs[weights].size if weights in store.blobs else 0,
        header=header,
        system="\n".join(store.texts(entry, "system")),
        options={key: value for text in store.texts(entry, "params") for key, value in json.loads(text).items()},
        messages=tuple(message for text in store.texts(entry, "messages") for message in json.loads(text)),
        capabilities=frozenset(
            answers.capabilities(config, header, chat_template, template, _header(store, projector))
            if header or not weights
            else ()
        ),
        native=bool(chat_template) and not template and not config.get("parser") and not config.get("renderer"),
    )


def _header(store: Store, digest: str | None) -> Gguf | None:
    try:
        return gguf.read(store.blobs[digest].data) if digest else None
    except (KeyError, ValueError, struct.error):
        return None
