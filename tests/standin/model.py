"""What a test says about a model it wants installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from standin import gguf
from standin.gguf import Gguf


def human_number(count: int) -> str:
    """Parameter counts as Ollama's format/format.go writes them."""
    if count >= 10**9:
        return f"{count / 10**9:.0f}B" if count % 10**9 == 0 else f"{count / 10**9:.1f}B"
    if count >= 10**6:
        return f"{count / 10**6:.0f}M" if count % 10**6 == 0 else f"{count / 10**6:.2f}M"
    return f"{count / 1000:.0f}K" if count >= 1000 else str(count)


@dataclass(frozen=True)
class Model:
    """A model to install. With `parent` all layers of that model are taken over, and only the texts given are new.

    weights_digest: pretend the weights are this blob, `sha256:<64 hex>`. remote: (host, model) of a cloud stub, which
    has no weights. family: defaults to the architecture of the weights.
    """

    name: str
    weights: Gguf = field(default_factory=gguf.llama)
    weights_digest: str | None = None
    parent: str | None = None
    family: str | None = None
    families: tuple[str, ...] | None = None
    quantization: str = "F16"
    parameter_size: str | None = None
    parameters: dict[str, Any] | None = None
    system: str | None = None
    template: str | None = None
    messages: tuple[tuple[str, str], ...] = ()
    licences: tuple[str, ...] = ()
    adapter: bool = False
    projector: Gguf | None = None
    remote: tuple[str, str] | None = None
    requires: str | None = None
    renderer: str | None = None
    parser: str | None = None
    capabilities: tuple[str, ...] = ()

    def config(self) -> dict[str, Any]:
        """The config blob."""
        family = self.family or ("" if self.remote else self.weights.architecture)
        config: dict[str, Any] = {
            "model_format": "" if self.remote else "gguf",
            "model_family": family,
            "model_families": list(self.families) if self.families is not None else ([family] if family else None),
            "model_type": self.parameter_size or ("" if self.remote else human_number(self.weights.parameters)),
            "file_type": "" if self.remote else self.quantization,
            "architecture": "amd64",
            "os": "linux",
        }
        if self.remote:
            config["remote_host"], config["remote_model"] = self.remote
        for key in ("requires", "renderer", "parser"):
            if value := getattr(self, key):
                config[key] = value
        if self.capabilities:
            config["capabilities"] = list(self.capabilities)
        return config

    def files(self) -> Iterator[tuple[str, bytes, int, str | None]]:
        """Kind, beginning, size and forced digest of each GGUF layer."""
        if not self.remote:
            yield ("model", *gguf.write(self.weights), self.weights_digest)
        if self.projector is not None:
            yield ("projector", *gguf.write(self.projector), None)
        if self.adapter:
            adapter = Gguf({"general.architecture": self.weights.architecture, "general.type": "adapter"})
            yield ("adapter", *gguf.write(adapter), None)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Kind and content of each text layer, in the order Ollama writes them."""
        if self.template is not None:
            yield "template", self.template
        if self.system is not None:
            yield "system", self.system
        for licence in self.licences:
            yield "license", licence
        if self.parameters is not None:
            yield "params", json.dumps(self.parameters)
        if self.messages:
            yield "messages", json.dumps([{"role": role, "content": content} for role, content in self.messages])
