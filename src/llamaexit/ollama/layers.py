"""Adds what only the disk knows to models that a server listed: their layers, shared bytes, and when they were read.

Used when the store of the server lies on this machine and may be read. A manifest counts only when its hash is the
digest the server gave: a store of the same name that belongs to another server (a container's, say) gives nothing.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from llamaexit.ollama.blobs import Blob, Blobs, read_blobs
from llamaexit.ollama.manifest import MAX_MANIFEST, BadManifest, Manifest, parse_manifest
from llamaexit.ollama.names import BadName, Name
from llamaexit.snapshot import InstalledModel, Layer

LAST_READ = "last time its weights were read (Ollama 0.30 and later also read them when they start)"
"""Where `last_used` comes from. It is never earlier than the last use, so an old date is a sure sign of disuse."""


class Merged(NamedTuple):
    """The models with what the disk adds, and what lies there that the server does not list: one line each."""

    models: tuple[InstalledModel, ...]
    problems: tuple[str, ...] = ()


def with_layers(models: Iterable[InstalledModel], store: Path) -> Merged:
    """The models with layers, exclusive bytes and time of last reading as far as `store` tells them.

    `models` are all that the server lists. Nothing that cannot be read is an error.
    """
    models = tuple(models)
    try:
        blobs = read_blobs(store / "blobs")
    except OSError:
        return Merged(models)
    manifests = {model.name: manifest for model in models if (manifest := _manifest(store, model)) is not None}
    if not manifests:
        return Merged(models)
    # bytes are somebody's own only as far as every model of the server could be looked at
    users = Counter(digest for manifest in manifests.values() for digest in manifest.digests)
    complete = len(manifests) == len(models)
    watched = _keeps_access_times(store / "blobs")
    merged = (
        _with(model, manifests[model.name], blobs, users if complete else None, watched)
        if model.name in manifests
        else model
        for model in models
    )
    return Merged(tuple(merged), tuple(_unlisted(models, store / "manifests")))


def _unlisted(models: tuple[InstalledModel, ...], folder: Path) -> Iterator[str]:
    """Manifests of names the server keeps silent about, which it does when it cannot read them."""
    listed = {model.name for model in models}
    for path in sorted(folder.glob("*/*/*/*")):
        host, namespace, model, tag = path.relative_to(folder).parts
        try:
            name = Name.parse(f"{host}/{namespace}/{model}:{tag}").short
        except BadName:
            continue
        if name not in listed:
            yield f"{name} has a manifest that the server does not list, so it is probably broken: {path}"


def _manifest(store: Path, model: InstalledModel) -> Manifest | None:
    try:
        path = store.joinpath("manifests", *Name.parse(model.name).path)
        if path.stat().st_size > MAX_MANIFEST:
            return None
        data = path.read_bytes()
        return parse_manifest(data) if hashlib.sha256(data).hexdigest() == model.digest else None
    except (OSError, BadName, BadManifest):
        return None


def _with(
    model: InstalledModel, manifest: Manifest, blobs: Blobs, users: Counter[str] | None, watched: bool
) -> InstalledModel:
    layers = tuple(Layer(entry.kind, entry.digest, entry.size, _present(blobs, entry.hex, entry.size))
                   for entry in manifest.entries)  # fmt: skip
    weights = next((entry.hex for entry in reversed(manifest.of("model"))), None)
    last_read = _last_read(blobs.complete.get(weights or "")) if watched else None
    missing = [layer for layer in layers if not layer.present]
    problem = model.problem
    if missing and problem is None:
        problem = "; ".join(f"its {layer.kind} blob {layer.digest[7:19]} is missing or incomplete" for layer in missing)
    return replace(
        model,
        layers=layers,
        weights_digest=weights or model.weights_digest,
        projector_size=sum(entry.size for entry in manifest.of("projector")),
        exclusive=None if users is None else _exclusive(manifest, blobs, users),
        last_used=last_read,
        last_used_source=LAST_READ if last_read else None,
        problem=problem,
    )


def _present(blobs: Blobs, digest: str | None, size: int) -> bool:
    blob = blobs.complete.get(digest or "")
    return blob is not None and blob.size == size


def _exclusive(manifest: Manifest, blobs: Blobs, users: Counter[str]) -> int:
    own = (blobs.complete.get(digest) for digest in manifest.digests if users[digest] == 1)
    return sum(blob.on_disk for blob in own if blob is not None)


def _last_read(blob: Blob | None) -> str | None:
    """The access time of a blob, in whole seconds of UTC; None when nothing has read it since it was written."""
    try:
        info = blob.path.stat() if blob else None
    except OSError:
        return None
    if info is None or info.st_atime <= info.st_mtime:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(info.st_atime))


def _keeps_access_times(folder: Path) -> bool:
    """Whether the file system notes when a file is read. With `relatime`, the usual, it does so once a day."""
    flag = getattr(os, "ST_NOATIME", None)
    if flag is None:
        return False  # macOS and Windows do not tell, and Windows switches it off by default
    try:
        return not os.statvfs(folder).f_flag & flag
    except OSError:
        return False
