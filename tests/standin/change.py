"""Copying, deleting and creating models, as server/images.go and server/create.go do it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any

from standin import gguf, gojson
from standin.model import human_number
from standin.store import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, Name, Store
from standin.upkeep import remove_unused

Event = dict[str, Any]
_WEIGHTS = ("model", "projector", "adapter", "draft")
_FILE_TYPES = {0: "F32", 1: "F16", 7: "Q8_0", 14: "Q4_K_S", 15: "Q4_K_M", 18: "Q6_K", 32: "BF16"}
_CONFIG_ORDER = (
    "model_format",
    "model_family",
    "model_families",
    "model_type",
    "file_type",
    "renderer",
    "parser",
    "requires",
    "capabilities",
    "context_length",
    "embedding_length",
    "base_name",
    "architecture",
    "os",
)


class Missing(Exception):
    """No such model."""


class Refused(Exception):
    """The change is not made. `status` counts as long as nothing was sent."""

    def __init__(self, text: str, status: int = 500) -> None:
        super().__init__(text)
        self.status = status


def copy(store: Store, source: Name, destination: Name) -> None:
    """The same bytes under another name, over what it meant before; the blobs of that stay. Raises Missing."""
    with store.lock:
        if source not in store.manifests:
            raise Missing
        if source != destination:
            store.put(destination, store.manifests[source].data)


def delete(store: Store, name: Name) -> None:
    """Remove a name, and the blobs no other readable model uses. Raises Missing, and ValueError when it is corrupt."""
    with store.lock:
        if name not in store.manifests:
            raise Missing
        digests = store.digests(store.manifests[name])
        store.drop(name)
        remove_unused(store, digests)


def create(
    store: Store,
    name: Name,
    body: dict[str, Any],
    pull: Callable[[Name], Iterator[Event]],
    *,
    prune: bool = True,
    written: Callable[[], None] = lambda: None,
) -> Generator[Event, None, None]:
    """The events of a structured create. `pull` fetches a missing base; `written` is called once the model is there.

    Raises Refused.
    """
    config: dict[str, Any] = {key: body[key] for key in ("renderer", "parser", "requires") if body.get(key)}
    if body.get("from"):
        if Name.parse(str(body["from"])) is None:
            raise Refused("invalid model name", 400)
        try:
            layers = yield from _base(store, str(body["from"]), config, pull)
        except Refused:
            # the real server goes on without a base, up to where it has something to say
            with store.lock:
                _customised(store, [], body)
                _config_layer(store, config)
            raise
    elif body.get("files") is not None:
        layers = yield from _uploaded(store, body["files"], "model")
    else:
        raise Refused("neither 'from' or 'files' was specified", 400)
    if body.get("adapters") is not None:
        layers += yield from _uploaded(store, body["adapters"], "adapter")
    with store.lock:
        old = store.manifests.get(name)
        replaced = store.digests(old) if old and old.readable else set()
        layers = _customised(store, layers, body)
        _describe(store, layers, config, body.get("info") or {})
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _config_layer(store, config),
            "layers": [{key: value for key, value in layer.items() if key != "status"} for layer in layers],
        }
    for layer in layers:
        yield {"status": layer["status"]}
    yield {"status": "writing manifest"}
    with store.lock:
        store.put(name, gojson.encoded(manifest))
        if prune:
            remove_unused(store, replaced)
    written()
    yield {"status": "success"}


def _base(
    store: Store, text: str, config: dict[str, Any], pull: Callable[[Name], Iterator[Event]]
) -> Generator[Event, None, list[dict[str, Any]]]:
    """The layers of the model to build on. Its name is taken as it is written, and pulled when nobody has it."""
    name = Store.named(text)
    if name not in store.manifests:
        yield from pull(name)
    entry = store.manifests[name]
    try:
        described = entry.parsed()["layers"]
    except ValueError as error:
        raise Refused(str(error)) from None
    layers = []
    for layer in described:
        if layer["digest"] not in store.blobs:
            raise Refused(f"stat {store.path_of(layer['digest'])}: no such file or directory")
        store.touch(layer["digest"])
        layers.append({**layer, "from": name.short, "status": f"using existing layer {layer['digest']}"})
    try:
        base = store.config(entry)
    except (KeyError, ValueError):
        base = {}
    for key in ("renderer", "parser", "requires", "model_format", "capabilities"):
        if base.get(key):
            config.setdefault(key, base[key])
    return layers


def _uploaded(store: Store, files: dict[str, str], kind: str) -> Generator[Event, None, list[dict[str, Any]]]:
    """Layers of blobs that were sent before. Raises Refused."""
    if not files:
        raise Refused("no files provided to convert", 400)
    layers = []
    for digest in files.values():
        yield {"status": "parsing GGUF"}
        if digest not in store.blobs:
            raise Refused(f"open {store.path_of(digest)}: no such file or directory")
        if store.blobs[digest].data[:4] != b"GGUF":
            raise Refused("unknown type", 400)
        described = {"mediaType": LAYER_TYPE + kind, "digest": digest, "size": store.blobs[digest].size}
        layers.append({**described, "status": f"using existing layer {digest}"})
    return layers


def _customised(store: Store, layers: list[dict[str, Any]], body: dict[str, Any]) -> list[dict[str, Any]]:
    """What the request says over the base: empty texts leave the old ones, licences are added, messages replaced."""
    if body.get("template"):
        layers = _replaced(store, layers, "template", str(body["template"]).encode())
    if body.get("system"):
        layers = _replaced(store, layers, "system", str(body["system"]).encode())
    licences = body.get("license") or []
    for text in [licences] if isinstance(licences, str) else licences:
        layers = [*layers, _new_layer(store, "license", text.encode())]
    parameters: dict[str, Any] = {}
    for layer in _of_kind(layers, "params"):
        parameters |= json.loads(store.blobs[layer["digest"]].data)
    parameters |= body.get("parameters") or {}
    if parameters:
        layers = _replaced(store, layers, "params", gojson.encoded(parameters, sort=True))
    if body.get("messages"):
        messages = [
            {"role": message.get("role", "").lower(), "content": message.get("content", "")}
            for message in body["messages"]
        ]
        layers = _replaced(store, layers, "messages", gojson.encoded(messages))
    return layers


def _of_kind(layers: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [layer for layer in layers if layer["mediaType"].removeprefix(LAYER_TYPE) in kinds]


def _replaced(store: Store, layers: list[dict[str, Any]], kind: str, data: bytes) -> list[dict[str, Any]]:
    kept = [layer for layer in layers if layer["mediaType"] != LAYER_TYPE + kind]
    remove_unused(store, [layer["digest"] for layer in _of_kind(layers, kind)])
    return [*kept, _new_layer(store, kind, data)]


def _new_layer(store: Store, kind: str, data: bytes) -> dict[str, Any]:
    before = set(store.blobs)
    layer = store.layer(kind, data)
    known = "using existing layer" if layer["digest"] in before else "creating new layer"
    return {**layer, "status": f"{known} {layer['digest']}"}


def _describe(store: Store, layers: list[dict[str, Any]], config: dict[str, Any], info: dict[str, Any]) -> None:
    """Complete the config by what the weights say and what the request insists on."""
    if "capabilities" in info:
        config["capabilities"] = [*config.get("capabilities", []), *info["capabilities"]]
    said = {
        "model_family": "model_family",
        "base_name": "base_name",
        "quantization_level": "file_type",
        "parameter_size": "model_type",
        "context_length": "context_length",
        "embedding_length": "embedding_length",
    }
    config |= {key: info[field] for field, key in said.items() if info.get(field)}
    families = [config["model_family"]] if config.get("model_family") else []
    for layer in _of_kind(layers, "model"):
        weights = gguf.read(store.blobs[layer["digest"]].data)
        config.setdefault("model_format", "gguf")
        config.setdefault("model_family", weights.architecture)
        config.setdefault("model_type", human_number(weights.parameters))
        file_type = weights.metadata.get("general.file_type")
        config.setdefault("file_type", _FILE_TYPES.get(file_type, "unknown") if file_type is not None else "unknown")
        families.append(weights.architecture)
    if families:
        config["model_families"] = families


def _config_layer(store: Store, config: dict[str, Any]) -> dict[str, Any]:
    required = {
        "model_format": "",
        "model_family": "",
        "model_families": None,
        "model_type": "",
        "file_type": "",
        "architecture": "amd64",
        "os": "linux",
    }
    full = {**required, **config}
    digest = store.blob(gojson.encoded({key: full[key] for key in _CONFIG_ORDER if key in full}))
    return {"mediaType": CONFIG_TYPE, "digest": digest, "size": store.blobs[digest].size}


def valid_file_name(text: str) -> bool:
    """Go's fs.ValidPath: relative, slashes only, no empty part and none that goes up."""
    return text == "." or all(part not in ("", ".", "..") for part in re.split("/", text))
