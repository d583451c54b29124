"""What the reading routes answer, built from the store the way server/routes.go and server/images.go build it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from standin import gguf
from standin.clock import rfc3339
from standin.gguf import Gguf
from standin.release import Release
from standin.store import Entry, Name, Resident, Store

DEFAULT_TEMPLATE = "{{ .Prompt }}"
_PARSERS = {  # what some of the built-in parsers can tell apart in an answer (model/parsers)
    "qwen3.5": ("tools", "thinking"),
    "qwen3-coder": ("tools",),
    "qwen3-thinking": ("tools", "thinking"),
    "deepseek3": ("tools", "thinking"),
    "harmony": ("tools", "thinking"),
}
_HIDDEN_KEYS = ("general.name", "tokenizer.chat_template")


class NotFound(Exception):
    """No such model, or one whose blobs are missing: the same to a client."""


def tags(store: Store, release: Release) -> dict[str, Any]:
    """`/api/tags`: newest first, ties in any order, models that cannot be read left out."""
    found = []
    for name, entry in store.manifests.items():
        try:
            found.append((entry.modified, random.random(), _tag(store, name, entry, release)))
        except (ValueError, KeyError, TypeError):
            continue
    return {"models": [tag for _, _, tag in sorted(found, key=lambda item: item[:2], reverse=True)]}


def _tag(store: Store, name: Name, entry: Entry, release: Release) -> dict[str, Any]:
    config = store.config(entry)
    tag: dict[str, Any] = {"name": name.short, "model": name.short}
    if config.get("remote_host"):
        tag |= {"remote_model": config["remote_model"], "remote_host": config["remote_host"]}
    tag |= {
        "modified_at": rfc3339(entry.modified),
        "size": sum(layer["size"] for layer in [*entry.parsed()["layers"], entry.parsed()["config"]]),
        "digest": entry.digest,
        "details": _details(config, ""),
    }
    if release.since(0, 30):
        weights = _weights(store, entry)
        tag["details"]["parent_model"] = _parent(store, entry)
        for key in ("context_length", "embedding_length"):
            if (value := weights.of_architecture(key) if weights else config.get(key)) is not None:
                tag["details"][key] = value
        # the scan for the list stops at the first tokenizer key, so it never sees the chat template
        tag["capabilities"] = list(
            capabilities(config, weights, "", _go_template(store, entry), _projector(store, entry))
        )
    return tag


def show(store: Store, name: Name, *, verbose: bool, release: Release) -> dict[str, Any]:
    """`/api/show`. Raises NotFound; ValueError when the manifest is corrupt."""
    entry = store.manifests.get(name)
    if entry is None:
        raise NotFound
    entry.parsed()
    try:
        return _show(store, name, entry, verbose, release)
    except KeyError as error:
        raise NotFound from error


def _show(store: Store, name: Name, entry: Entry, verbose: bool, release: Release) -> dict[str, Any]:
    config, weights = store.config(entry), _weights(store, entry)
    native = str(weights.metadata.get("tokenizer.chat_template", "")) if weights and release.since(0, 30) else ""
    go_template, projector = _go_template(store, entry), _projector(store, entry)
    answer: dict[str, Any] = {}
    if licences := store.texts(entry, "license"):
        answer["license"] = "\n".join(licences)
    answer["modelfile"] = _modelfile(store, name, entry, config)
    if parameters := _parameters(store, entry):
        answer["parameters"] = "\n".join(f"{key:<30} {_shown(value)}" for key, value in _lines(parameters))
    answer["template"] = go_template or native or DEFAULT_TEMPLATE
    if system := "\n".join(store.texts(entry, "system")):
        answer["system"] = system
    answer["details"] = _details(config, _parent(store, entry))
    if messages := [message for text in store.texts(entry, "messages") for message in json.loads(text)]:
        answer["messages"] = messages
    if config.get("remote_host"):
        answer |= {"remote_model": config["remote_model"], "remote_host": config["remote_host"]}
    answer["model_info"] = _model_info(weights, verbose, release) if weights else {}
    if projector:
        answer["projector_info"] = _model_info(projector, verbose, release)
    if weights and release.since(0, 6, 1):
        tensors = {tensor[0]: tensor for tensor in weights.tensors}
        answer["tensors"] = [
            {"name": tensor, "type": tensors[tensor][1], "shape": list(tensors[tensor][2])}
            for tensor in gguf.in_show_order(tensors)
        ]
    if release.since(0, 6, 4):
        answer["capabilities"] = list(capabilities(config, weights, native, go_template, projector))
        random.shuffle(answer["capabilities"])
    answer["modified_at"] = rfc3339(entry.modified)
    if release.since(0, 14) and config.get("requires"):
        answer["requires"] = config["requires"]
    return answer


def ps(store: Store, release: Release) -> dict[str, Any]:
    """`/api/ps`: latest expiry first."""
    models = []
    for resident in sorted(store.resident, key=_expiry, reverse=True):
        name = resident.name if resident.digest else store.existing(store.named(resident.name)).short
        entry = None if resident.digest else store.manifests[store.named(name)]
        model = {
            "name": name,
            "model": name,
            "size": resident.size,
            "digest": entry.digest if entry else resident.digest,
            "details": _details(store.config(entry) if entry else resident.config or {}, ""),
            "expires_at": _expiry(resident),
            "size_vram": resident.size_vram,
        }
        if release.since(0, 10):
            model["context_length"] = resident.context_length
        models.append(model)
    return {"models": models}


def _expiry(resident: Resident) -> str:
    return resident.expires_at if resident.expires is None else rfc3339(resident.expires)


def v1_models(store: Store, release: Release) -> dict[str, Any]:
    """`/v1/models`."""
    data = [
        {
            "id": tag["name"],
            "object": "model",
            "created": store.manifests[store.named(tag["name"])].modified // 10**9,
            "owned_by": store.named(tag["name"]).namespace,
        }
        for tag in tags(store, release)["models"]
    ]
    return {"object": "list", "data": data or None}


def _details(config: dict[str, Any], parent: str) -> dict[str, Any]:
    return {
        "parent_model": parent,
        "format": config.get("model_format", ""),
        "family": config.get("model_family", ""),
        "families": config.get("model_families"),
        "parameter_size": config.get("model_type", ""),
        "quantization_level": config.get("file_type", ""),
    }


def _weights(store: Store, entry: Entry) -> Gguf | None:
    return next((gguf.read(store.blobs[layer["digest"]].data) for layer in store.layers(entry, "model")), None)


def _projector(store: Store, entry: Entry) -> Gguf | None:
    return next((gguf.read(store.blobs[layer["digest"]].data) for layer in store.layers(entry, "projector")), None)


def _parent(store: Store, entry: Entry) -> str:
    return next((str(layer.get("from", "")) for layer in store.layers(entry, "model")), "")


def _go_template(store: Store, entry: Entry) -> str:
    return "\n".join(store.texts(entry, "template"))


def _parameters(store: Store, entry: Entry) -> dict[str, Any]:
    return {key: value for text in store.texts(entry, "params") for key, value in json.loads(text).items()}


def _model_info(weights: Gguf, verbose: bool, release: Release) -> dict[str, Any]:
    longest = 0 if release.since(0, 6, 7) else 1024

    def shown(value: Any) -> Any:
        return None if isinstance(value, list) and len(value) > longest and not verbose else value

    info = {key: shown(value) for key, value in weights.metadata.items() if key not in _HIDDEN_KEYS}
    info["general.parameter_count"] = weights.parameters
    return dict(sorted(info.items()))


def capabilities(
    config: dict[str, Any], weights: Gguf | None, native: str, go_template: str, projector: Gguf | None
) -> Iterator[str]:
    """What a model can do, as headers, templates, parser and config have it. `native` is the GGUF's chat template."""
    if weights:
        yield "embedding" if weights.of_architecture("pooling_type") is not None else "completion"
        if projector or weights.of_architecture("vision.block_count"):
            yield "vision"
    if ".Tools" in go_template or "tools" in native or "tool_call" in native:
        yield "tools"
    if ".Suffix" in go_template:
        yield "insert"
    if ".Thinking" in go_template or ("<think>" in native and "</think>" in native):
        yield "thinking"
    yield from _PARSERS.get(config.get("parser", ""), ())
    yield from config.get("capabilities", ())


def _modelfile(store: Store, name: Name, entry: Entry, config: dict[str, Any]) -> str:
    lines = [
        '# Modelfile generated by "ollama show"',
        "# To build a new Modelfile based on this, replace FROM with:",
        f"# FROM {name.short}",
        "",
    ]
    for kind, command in (("model", "FROM"), ("adapter", "ADAPTER"), ("projector", "FROM")):
        for layer in store.layers(entry, kind):
            lines.append(f"{command} {store.path_of(layer['digest'])}")
    lines.append(f"TEMPLATE {_quoted(_go_template(store, entry) or DEFAULT_TEMPLATE)}")
    lines += [f"SYSTEM {_quoted(text)}" for text in store.texts(entry, "system")]
    lines += [f"{key.upper()} {config[key]}" for key in ("renderer", "parser") if config.get(key)]
    for key, value in _lines(_parameters(store, entry)):
        lines.append(f"PARAMETER {key} {_quoted(value) if isinstance(value, str) else _shown(value)}")
    lines += [f"LICENSE {_quoted(text)}" for text in store.texts(entry, "license")]
    for text in store.texts(entry, "messages"):
        lines += [f"MESSAGE {message['role']} {_quoted(message['content'])}" for message in json.loads(text)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    if "\n" not in text and text == text.strip():
        return text
    return f'"""{text}"""' if '"' in text else f'"{text}"'


def _lines(parameters: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """One pair for each line; keys in an order that changes from call to call, as Go's maps do."""
    for key in random.sample(sorted(parameters), len(parameters)):
        values = parameters[key] if isinstance(parameters[key], list) else [parameters[key]]
        for value in values:
            yield key, value


def _shown(value: Any) -> str:
    """A parameter as Go prints it: strings quoted, numbers as float64."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else go_float64(float(value))


def go_float64(value: float) -> str:
    """Go's %v: an exponent from 1e+06 on and below 1e-04."""
    mantissa, exponent = f"{value:e}".split("e")
    if -4 <= int(exponent) < 6:
        return str(int(value)) if value == int(value) else repr(value)
    # The shortest digits that mean the number, which rounding to as many digits does not always give (2**-24).
    mantissa, exponent = f"{Decimal(repr(value)).normalize():e}".split("e")
    return f"{mantissa}e{int(exponent):+03d}"
