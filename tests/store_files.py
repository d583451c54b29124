"""Builds model stores in a temporary directory, right or wrong ones, as files and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MEDIA = "application/vnd.ollama.image."
CONFIG = {
    "model_format": "gguf",
    "model_family": "llama",
    "model_families": ["llama"],
    "model_type": "8.0B",
    "file_type": "Q4_K_M",
}


class StoreFiles:
    """A store at `root`, filled through `blob`, `manifest` and `model`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs").mkdir(parents=True)
        (root / "manifests").mkdir()

    def blob(self, data: bytes) -> str:
        """Write a blob, return its digest as `sha256:<hex>`."""
        digest = hashlib.sha256(data).hexdigest()
        self.blob_path(digest).write_bytes(data)
        return f"sha256:{digest}"

    def blob_path(self, digest: str) -> Path:
        return self.root / "blobs" / f"sha256-{digest.removeprefix('sha256:')}"

    def path(self, name: str) -> Path:
        """Where the manifest of `model:tag` or `host/namespace/model:tag` lies."""
        model, _, tag = name.rpartition(":")
        parts = model.split("/")
        parts = [*["registry.ollama.ai", "library"][: 3 - len(parts)], *parts]
        return self.root / "manifests" / Path(*parts) / tag

    def manifest(self, name: str, content: bytes | Mapping[str, Any]) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def layer(self, kind: str, data: bytes | str | dict[str, Any] | list[Any], **more: Any) -> dict[str, Any]:
        """Write a blob and return the layer that names it. What is neither bytes nor text is written as JSON."""
        if not isinstance(data, bytes | str):
            data = json.dumps(data)
        data = data.encode() if isinstance(data, str) else data
        media = kind if "/" in kind else MEDIA + kind
        return {"mediaType": media, "digest": self.blob(data), "size": len(data), **more}

    def model(self, name: str, *layers: dict[str, Any], config: Mapping[str, Any] | None = None) -> Path:
        entry = self.layer("application/vnd.docker.container.image.v1+json", dict(CONFIG if config is None else config))
        return self.manifest(name, {"schemaVersion": 2, "config": entry, "layers": list(layers)})
