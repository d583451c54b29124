"""Turns what a server says about a model (`/api/tags`, `/api/show`, `/api/ps`) into the facts of a snapshot.

Nothing is trusted to have the type it should have: the answer of an old, patched or foreign server gives fewer facts,
not a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llamaexit.ollama.capabilities import ORDER
from llamaexit.ollama.modelfile import Modelfile, read_modelfile
from llamaexit.ollama.parameters import parse_parameters
from llamaexit.ollama.texts import licence_headings, printable, scalar_metadata, template_tokens
from llamaexit.shape import shape_of, weights_of
from llamaexit.snapshot import InstalledModel, Loaded

_PER_LAYER = ("attention.head_count", "attention.sliding_window_pattern", "feed_forward_length")
"""Keys that may be an array with an entry for each layer, and that the tensors do not tell."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One entry of `/api/tags`."""

    name: str
    digest: str | None
    size: int
    modified_at: str | None
    remote: str | None
    details: Mapping[str, Any] = field(default_factory=dict)


def read_tag(entry: Mapping[str, Any]) -> Tag:
    """Read one entry of `/api/tags`; the name is empty when it has none."""
    return Tag(
        name=_text(entry.get("name")) or _text(entry.get("model")),
        digest=_text(entry.get("digest")).removeprefix("sha256:") or None,
        size=_count(entry.get("size")) or 0,
        modified_at=_text(entry.get("modified_at")) or None,
        remote=_text(entry.get("remote_host")) or _text(entry.get("remote_model")) or None,
        details=_object(entry.get("details")),
    )


def read_loaded(entry: Mapping[str, Any]) -> Loaded:
    """Read one entry of `/api/ps`."""
    return Loaded(
        name=_text(entry.get("name")) or _text(entry.get("model")),
        digest=_text(entry.get("digest")).removeprefix("sha256:"),
        size=_count(entry.get("size")) or 0,
        size_vram=_count(entry.get("size_vram")) or 0,
        context_length=_count(entry.get("context_length")),
        expires_at=_text(entry.get("expires_at")) or None,
    )


def listed(tag: Tag, problem: str | None = None) -> InstalledModel:
    """A model of which only its entry in the list is known."""
    details = tag.details
    return InstalledModel(
        name=tag.name,
        digest=tag.digest,
        size=tag.size,
        modified_at=tag.modified_at,
        format=_text(details.get("format")),
        family=_text(details.get("family")),
        families=_texts(details.get("families")),
        parameter_size=_text(details.get("parameter_size")),
        quantization=_text(details.get("quantization_level")),
        context_length=_count(details.get("context_length")) or None,
        parent=_text(details.get("parent_model")) or None,
        remote=tag.remote,
        problem=problem,
    )


def modelfile_of(show: Mapping[str, Any]) -> Modelfile:
    """The head of the Modelfile in an answer of `/api/show`."""
    text = show.get("modelfile")
    return read_modelfile(text if isinstance(text, str) else "")


def missing_arrays(show: Mapping[str, Any]) -> bool:
    """Whether the shape hangs on per-layer arrays that a show without `verbose` blanks out (since 0.6.7)."""
    info = _object(show.get("model_info"))
    architecture = info.get("general.architecture")

    def blank(key: str) -> bool:
        name = f"{architecture}.{key}"
        return name in info and info[name] is None

    if any(blank(key) for key in _PER_LAYER):
        return True
    return blank("attention.head_count_kv") and not any(
        name.endswith(".attn_k.weight") for name, _, _ in _tensors(show)
    )


def described(tag: Tag, show: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> InstalledModel:
    """A model with everything `/api/show` says about it.

    arrays: metadata with the arrays that `show` blanks out, from a verbose answer or the file's own header.
    """
    base = listed(tag)
    info = _object(show.get("model_info"))
    details = _object(show.get("details"))
    tensors = _tensors(show)
    metadata = {**info, **{key: value for key, value in (arrays or {}).items() if info.get(key, ...) is None}}
    lengths = {key: len(value) for key, value in metadata.items() if isinstance(value, list | tuple)}
    shapes = {name: shape for name, _, shape in tensors}
    shape = shape_of(metadata, lengths, shapes, "show", shapes)
    weights = weights_of(tensors, shape) if tensors else None
    modelfile = modelfile_of(show)
    template, licence, parameters = (show.get(key) for key in ("template", "license", "parameters"))
    messages = show.get("messages")
    return InstalledModel(
        name=base.name,
        digest=base.digest,
        size=base.size,
        modified_at=base.modified_at,
        format=_text(details.get("format")) or base.format,
        family=_text(details.get("family")) or base.family,
        families=_texts(details.get("families")) or base.families,
        parameter_size=_text(details.get("parameter_size")) or base.parameter_size,
        parameter_count=_count(info.get("general.parameter_count")),
        quantization=_text(details.get("quantization_level")) or base.quantization,
        context_length=(shape.context_length if shape else 0) or base.context_length,
        capabilities=_capabilities(show.get("capabilities")),
        parent=_text(details.get("parent_model")) or base.parent,
        remote=_text(show.get("remote_host")) or _text(show.get("remote_model")) or base.remote,
        requires=_text(show.get("requires")) or None,
        parameters=parse_parameters(parameters) if isinstance(parameters, str) else {},
        system=bool(show.get("system")),
        messages=len(messages) if isinstance(messages, list) else 0,
        adapter=modelfile.adapter,
        template_tokens=template_tokens(template) if isinstance(template, str) else (),
        licences=licence_headings(licence) if isinstance(licence, str) else (),
        metadata=scalar_metadata(info),
        weights_digest=modelfile.weights_digest,
        projector_size=_projector_size(modelfile, base.size, weights.total if weights else 0),
        shape=shape,
        weights=weights,
    )


def _projector_size(modelfile: Modelfile, size: int, weights: int) -> int:
    """Bytes of the projectors: what the manifest has beside the tensors of the model. The headers of the files and
    the texts are in it, too, which is some megabytes; the manifest on disk, where it can be read, replaces this."""
    return max(size - weights, 0) if modelfile.projectors and weights else 0


def _tensors(show: Mapping[str, Any]) -> list[tuple[str, str, tuple[int, ...]]]:
    entries = show.get("tensors")
    found = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        name, kind, shape = entry.get("name"), entry.get("type"), entry.get("shape")
        if isinstance(name, str) and isinstance(kind, str) and isinstance(shape, list):
            found.append((name, kind, tuple(shape)))
    return found


def _capabilities(value: Any) -> tuple[str, ...] | None:
    """Capabilities in Ollama's own order, each once; None when the server does not tell (before 0.6.4)."""
    if not isinstance(value, list):
        return None
    found = set(_texts(value))
    return tuple(sorted(found, key=lambda entry: (ORDER.index(entry) if entry in ORDER else len(ORDER), entry)))


def _text(value: Any) -> str:
    return printable(value) if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(printable(entry) for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def _count(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < 1 << 63 else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
