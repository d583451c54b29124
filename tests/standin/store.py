"""The store behind the stand-in: manifests that share content-addressed blobs.

Rules after manifest/ and `getExistingName` of server/routes.go.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from standin.clock import Clock
from standin.contents import Blob, Entry, Partial, Resident
from standin.disk import Disk
from standin.model import Model
from standin.names import Name, is_digest

__all__ = ["Blob", "Entry", "Name", "Partial", "Resident", "Store"]

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
LAYER_TYPE = "application/vnd.ollama.image."


@dataclass
class Store:
    """Manifests and blobs. `path` is what the server calls the place; it shows in the Modelfile's FROM line.

    written: when each blob or partial download (`<digest>-partial`) was last written, nanoseconds since the epoch.
    capacity: bytes the disk holds in all; None is a disk that is never full.
    disk: a directory that is changed along with the store; None for a store in memory only.
    """

    path: str = "/srv/ollama/models"
    manifests: dict[Name, Entry] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    resident: list[Resident] = field(default_factory=list)
    partials: dict[str, Partial] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    capacity: int | None = None
    disk: Disk | None = None
    clock: Clock = field(default_factory=Clock)
    lock: Any = field(default_factory=threading.RLock, compare=False, repr=False)
    """Held by whoever reads or changes more than one thing."""

    @classmethod
    def from_directory(cls, root: Path, *, follow: bool = False) -> Store:
        """What a store on disk holds. With `follow`, the directory is changed along with it."""
        store = cls(str(root), disk=Disk(root) if follow else None)
        for path in root.glob("manifests/*/*/*/*"):
            name = Name(*path.relative_to(root / "manifests").parts)
            store.manifests[name] = Entry(path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.glob("blobs/sha256-*"):
            digest = path.name.replace("-", ":", 1)
            store.written[digest] = path.stat().st_mtime_ns
            if is_digest(digest):
                data = path.read_bytes()
                store.blobs[digest] = Blob(data, len(data))
            elif digest.endswith("-partial"):
                parts = [json.loads(part.read_bytes()) for part in path.parent.glob(f"{path.name}-*")]
                completed = sum(part["Completed"] for part in parts)
                store.partials[digest.removesuffix("-partial")] = Partial(path.stat().st_size, completed)
        return store

    @classmethod
    def of(cls, *models: Model, **options: Any) -> Store:
        """A store with these models; a parent has to come before what is derived from it."""
        store = cls(**options)
        for model in models:
            store.add(model)
        return store

    def write_to(self, root: Path, *, follow: bool = False) -> Path:
        """Lay the store out on disk, weights as holes. From then on `path` is that directory, and with `follow` it is
        changed along with the store."""
        disk = Disk(root)
        disk.lay_out()
        for digest, blob in self.blobs.items():
            disk.write_blob(digest, blob)
        for digest, partial in self.partials.items():
            disk.write_partial(digest, partial)
        for name, entry in self.manifests.items():
            disk.write_manifest(name, entry)
        self.path, self.disk = str(root), disk if follow else None
        return root

    def add(self, model: Model) -> str:
        """Install a model; returns the digest of its manifest. Layers that exist already are shared."""
        name = self.named(model.name)
        base = self._parent(model)
        config = self.blob(json.dumps(self.config(base) if base else model.config()).encode())
        layers = list(self._derived(base, model) if base else self._own(model))
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, "digest": config, "size": self.blobs[config].size},
            "layers": layers,
        }
        return self.put(name, json.dumps(manifest, separators=(",", ":")).encode()).digest

    def _parent(self, model: Model) -> Entry | None:
        return self.manifests[self.existing(self.named(model.parent))] if model.parent else None

    def put(self, name: Name, manifest: bytes) -> Entry:
        """Write a manifest, over the one that was there."""
        entry = self.manifests[name] = Entry(manifest, self.clock.now())
        if self.disk:
            self.disk.write_manifest(name, entry)
        return entry

    def drop(self, name: Name) -> None:
        """Remove a manifest."""
        del self.manifests[name]
        if self.disk:
            self.disk.remove_manifest(name)

    def truncate(self, name: str) -> None:
        """Leave the manifest of a name, installed or not, with no bytes, as a server does that is killed while it
        writes one: `/api/tags` does not list it, deleting it fails, and a copy over it heals it."""
        self.put(self.named(name), b"")

    def _own(self, model: Model) -> Iterator[dict[str, Any]]:
        for kind, data, size, digest in model.files():
            yield self.layer(kind, data, size, digest)
        for kind, text in model.texts():
            yield self.layer(kind, text.encode())

    def _derived(self, base: Entry, model: Model) -> Iterator[dict[str, Any]]:
        """The layers of the base, and what the model says over them: parameters are merged, licences are added."""
        parent = self.named(model.parent or "").short
        inherited = [text for text in self.texts(base, "params") if model.parameters is not None]
        if inherited:
            model = replace(model, parameters={**json.loads(inherited[0]), **(model.parameters or {})})
        replaced = {kind for kind, _ in model.texts()} - {"license"}
        for layer in base.parsed()["layers"]:
            kind = layer["mediaType"].removeprefix(LAYER_TYPE)
            if kind not in replaced:
                yield {**layer, "from": parent}
        for kind, text in model.texts():
            yield self.layer(kind, text.encode())

    def layer(self, kind: str, data: bytes, size: int | None = None, digest: str | None = None) -> dict[str, Any]:
        """A layer of a manifest, its blob stored."""
        digest = self.blob(data, size, digest)
        return {"mediaType": LAYER_TYPE + kind, "digest": digest, "size": self.blobs[digest].size}

    def blob(self, data: bytes, size: int | None = None, digest: str | None = None) -> str:
        """Store a blob unless it is there; its digest.

        Weights are not written out, so theirs is a digest of header and size unless one is given.
        """
        if digest is None:
            whole = data if size in (None, len(data)) else data + str(size).encode()
            digest = "sha256:" + hashlib.sha256(whole).hexdigest()
        if digest not in self.blobs:
            self.keep(digest, Blob(data, len(data) if size is None else size))
        self.touch(digest)
        return digest

    def keep(self, digest: str, blob: Blob) -> None:
        """Put a blob in its place, whatever was there."""
        self.blobs[digest] = blob
        self.touch(digest)
        if self.disk:
            self.disk.write_blob(digest, blob)

    def keep_partial(self, digest: str) -> None:
        """Note down how far a download is that nobody waits for any more."""
        if digest in self.partials:
            self.touch(f"{digest}-partial")
            if self.disk:
                self.disk.write_partial(digest, self.partials[digest])

    def remove_partial(self, digest: str) -> None:
        """One that is not there is no error."""
        self.partials.pop(digest, None)
        self.written.pop(f"{digest}-partial", None)
        if self.disk:
            self.disk.remove_partial(digest)

    def touch(self, digest: str) -> None:
        """Make a blob or a partial download one that was written now."""
        self.written[digest] = self.clock.now()

    def remove_blob(self, digest: str) -> None:
        """One that is not there is no error."""
        self.blobs.pop(digest, None)
        self.written.pop(digest, None)
        if self.disk:
            self.disk.remove_blob(digest)

    @property
    def used(self) -> int:
        """Bytes on disk: a partial download takes what has arrived of it."""
        return sum(blob.size for blob in self.blobs.values()) + sum(part.completed for part in self.partials.values())

    @property
    def free(self) -> int | None:
        """Bytes left on the disk; None for one that is never full."""
        return None if self.capacity is None else max(0, self.capacity - self.used)

    def path_of(self, digest: str) -> str:
        """Where the server keeps a blob."""
        separator = "\\" if "\\" in self.path else "/"
        return separator.join((self.path, "blobs", digest.replace(":", "-", 1)))

    @staticmethod
    def named(text: str) -> Name:
        """A name a test wrote, which has to be valid."""
        name = Name.parse(text)
        assert name is not None, f"invalid name in a test: {text!r}"
        return name

    def existing(self, name: Name) -> Name:
        """`name` with each part in the spelling that some readable model has for it, whichever that is."""
        parts = list(name)
        readable = [installed for installed, entry in self.manifests.items() if entry.readable]
        for index in range(4):
            for installed in readable:
                if installed[index].lower() == parts[index].lower():
                    parts[index] = installed[index]
                    break
        return Name(*parts)

    def has_blob(self, digest: str) -> bool | None:
        """None for a malformed digest."""
        return digest in self.blobs if is_digest(digest) else None

    def digests(self, entry: Entry) -> set[str]:
        """Every blob a manifest names. Raises ValueError when it is corrupt."""
        manifest = entry.parsed()
        return {str(layer["digest"]) for layer in [*manifest["layers"], manifest["config"]]}

    def layers(self, entry: Entry, kind: str) -> Iterable[dict[str, Any]]:
        return (layer for layer in entry.parsed()["layers"] if layer["mediaType"] == LAYER_TYPE + kind)

    def texts(self, entry: Entry, kind: str) -> list[str]:
        """The texts of all layers of a kind. Raises KeyError when a blob is missing."""
        return [self.blobs[layer["digest"]].data.decode() for layer in self.layers(entry, kind)]

    def config(self, entry: Entry) -> dict[str, Any]:
        """Raises KeyError when the blob is missing, ValueError when it is corrupt."""
        found = json.loads(self.blobs[entry.parsed()["config"]["digest"]].data)
        if not isinstance(found, dict):
            raise ValueError("json: cannot unmarshal")
        return found
