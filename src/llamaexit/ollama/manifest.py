"""The manifest of a model: which blobs it consists of. The same document on disk and from a registry.

Format: Ollama's manifest/manifest.go, which is Docker's image manifest, version 2. Manifests come from strangers:
nothing in one is used before it has the type it should have, and a digest that is none is kept as text only.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from llamaexit.ollama.texts import printable

MAX_MANIFEST = 16 << 20
"""Bytes of the largest manifest that is read; safetensors models have thousands of layers in one."""
MAX_LAYERS = 1 << 16
MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"

_DIGEST = re.compile(r"sha256[:-]([0-9a-fA-F]{64})")
_KIND = "application/vnd.ollama.image."


class BadManifest(ValueError):
    """Why a manifest, or a JSON blob it names, is no use: half a sentence about “it”."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One layer. `kind`: `model`, `template`, `config` …; `hex`: the digest without `sha256:`, None when it is none.

    size: bytes. parent: the `from` of a model layer. digest: as `sha256:<hex>`, or the text that should have been one.
    """

    kind: str
    digest: str
    hex: str | None
    size: int
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The layers in their order and the config, which very old manifests lack."""

    layers: tuple[Entry, ...] = ()
    config: Entry | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every blob the model needs; the config comes last."""
        return self.layers if self.config is None else (*self.layers, self.config)

    @property
    def digests(self) -> set[str]:
        """The hex digests of its blobs."""
        return {entry.hex for entry in self.entries if entry.hex is not None}

    @property
    def size(self) -> int:
        """Bytes of all layers and the config, as `/api/tags` adds them up."""
        return sum(entry.size for entry in self.entries)

    def of(self, *kinds: str) -> tuple[Entry, ...]:
        """The layers of these kinds, in order."""
        return tuple(entry for entry in self.layers if entry.kind in kinds)


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises BadManifest."""
    if not data:
        raise BadManifest("it is empty")
    document = parse_json(data)
    if not isinstance(document, dict):
        raise BadManifest("it is not a JSON object")
    layers = document.get("layers") or []
    if not isinstance(layers, list):
        raise BadManifest("its layers are no list")
    if len(layers) > MAX_LAYERS:
        raise BadManifest(f"it has {len(layers)} layers")
    config = document.get("config")
    absent = not config or (isinstance(config, dict) and config.get("digest") == "")
    return Manifest(
        layers=tuple(_entry(layer, f"layer {index + 1}") for index, layer in enumerate(layers)),
        config=None if absent else _entry(config, "its config", kind="config"),
    )


def parse_json(data: bytes) -> Any:
    """The JSON value in `data`. Raises BadManifest."""
    try:
        return json.loads(data)
    except RecursionError:
        raise BadManifest("it is nested too deeply") from None
    except ValueError as error:
        raise BadManifest(f"it is not JSON ({printable(str(error))[:100]})") from None


def _entry(value: Any, what: str, kind: str | None = None) -> Entry:
    if not isinstance(value, dict):
        raise BadManifest(f"{what} is not a JSON object")
    media, digest, size, parent = (value.get(key) for key in ("mediaType", "digest", "size", "from"))
    if not isinstance(digest, str) or (kind is None and not isinstance(media, str)):
        raise BadManifest(f"{what} lacks its mediaType or digest")
    if type(size) is not int or not 0 <= size < 1 << 63:
        raise BadManifest(f"{what} has no size")
    match = _DIGEST.fullmatch(digest)
    return Entry(
        kind=kind or printable(str(media)).removeprefix(_KIND)[:80],
        digest=f"sha256:{match[1]}" if match else printable(digest)[:80],
        hex=match[1] if match else None,
        size=size,
        parent=printable(parent)[:500] if isinstance(parent, str) else "",
    )
