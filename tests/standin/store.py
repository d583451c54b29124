"""The store behind the stand-in: manifests that share content-addressed blobs, and Ollama's rules for names.

Rules after types/model/name.go, manifest/ and `getExistingName` of server/routes.go.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from standin import gojson
from standin.clock import Clock
from standin.model import Model

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
LAYER_TYPE = "application/vnd.ollama.image."
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAME = re.compile(
    r"(?:(?:[a-z]+://)?(?:(?P<host>[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349})/)?(?P<namespace>[A-Za-z0-9_][A-Za-z0-9_-]{0,79})/)?"
    rf"(?P<model>{_PART})(?::(?P<tag>{_PART}))?"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def is_digest(text: str) -> bool:
    """`sha256:` and 64 hex digits."""
    return _DIGEST.fullmatch(text) is not None


class Name(NamedTuple):
    """The four parts of a name."""

    host: str
    namespace: str
    model: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Name | None:
        """None for what Ollama calls an invalid model name."""
        match = _NAME.fullmatch(text.strip())
        if match is None:
            return None
        host, namespace, model, tag = match.group("host", "namespace", "model", "tag")
        return cls(host or "registry.ollama.ai", namespace or "library", model, tag or "latest")

    @property
    def full(self) -> str:
        """All four parts."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def short(self) -> str:
        """As Ollama displays it."""
        if self.host.lower() != "registry.ollama.ai":
            return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"
        return (
            f"{self.model}:{self.tag}"
            if self.namespace.lower() == "library"
            else f"{self.namespace}/{self.model}:{self.tag}"
        )


class Blob(NamedTuple):
    """The beginning of a file and its size in all; the rest is zeros that nobody reads."""

    data: bytes
    size: int


@dataclass
class Entry:
    """One manifest: its bytes, and when it was written (nanoseconds since the epoch)."""

    data: bytes
    modified: int

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def readable(self) -> bool:
        """Whether it is JSON at all: what `Manifests(true)` of manifest/ keeps."""
        try:
            self.parsed()
        except ValueError:
            return False
        return True

    def parsed(self) -> dict[str, Any]:
        """Raises ValueError, with Go's words, when it is corrupt."""
        try:
            found = json.loads(self.data)
        except ValueError:
            raise ValueError(gojson.error(self.data.decode("utf-8", "replace"))) from None
        if not isinstance(found, dict):
            raise ValueError("json: cannot unmarshal into Go value of type manifest.Manifest")
        return found


@dataclass
class Resident:
    """A model in memory, as ps reports it.

    A test may add one by its first five fields; then digest and details are those the name has now. The others are
    what the runner was loaded with: manifest digest and config, weights and options, requests it answers at the moment,
    nanoseconds it is kept after the last, and when that ends.
    """

    name: str
    size: int
    size_vram: int
    context_length: int = 4096
    expires_at: str = "2026-11-23T16:31:07.640904687Z"
    digest: str | None = None
    config: dict[str, Any] | None = None
    weights: str | None = None
    loaded_with: tuple[Any, ...] = ()
    automatic: bool = False
    busy: int = 0
    keep: int = 0
    expires: int | None = None


@dataclass
class Partial:
    """A download that stopped: bytes in all, and bytes that are here."""

    total: int
    completed: int


@dataclass
class Store:
    """Manifests and blobs. `path` is what the server calls the place; it shows in the Modelfile's FROM line.

    written: when each blob or partial download (`<digest>-partial`) was last written, nanoseconds since the epoch.
    capacity: bytes the disk holds in all; None is a disk that is never full.
    disk: a directory that is kept as Ollama would keep it, change by change; None for a store in memory only.
    """

    path: str = "/srv/ollama/models"
    manifests: dict[Name, Entry] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    resident: list[Resident] = field(default_factory=list)
    partials: dict[str, Partial] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    capacity: int | None = None
    disk: Path | None = None
    clock: Clock = field(default_factory=Clock)
    lock: Any = field(default_factory=threading.RLock, compare=False, repr=False)
    """Held by whoever reads or changes more than one thing."""

    @classmethod
    def from_directory(cls, root: Path, *, follow: bool = False) -> Store:
        """What a store on disk holds. With `follow`, the directory is changed along with it."""
        store = cls(str(root), disk=root if follow else None)
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
        (root / "blobs").mkdir(parents=True)
        self.path, self.disk = str(root), root
        for digest in self.blobs:
            self._write_blob(digest)
        for digest in self.partials:
            self._write_partial(digest)
        for name in self.manifests:
            self._write_manifest(name)
        self.disk = root if follow else None
        return root

    def _file(self, digest: str) -> Path:
        assert self.disk is not None
        return self.disk / "blobs" / digest.replace(":", "-", 1)

    def _write_blob(self, digest: str) -> None:
        if self.disk is not None:
            blob = self.blobs[digest]
            with self._file(digest).open("wb") as file:
                file.write(blob.data)
                file.truncate(blob.size)

    def _write_partial(self, digest: str) -> None:
        """As large as it is going to be, and beside it how much of it is there."""
        if self.disk is not None:
            partial = self.partials[digest]
            with self._file(f"{digest}-partial").open("wb") as file:
                file.truncate(partial.total)
            part = {"N": 0, "Offset": 0, "Size": partial.total, "Completed": partial.completed}
            self._file(f"{digest}-partial-0").write_text(json.dumps(part), "utf-8")

    def _write_manifest(self, name: Name) -> None:
        if self.disk is not None:
            path = self.disk.joinpath("manifests", *name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.manifests[name].data)

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
        self._write_manifest(name)
        return entry

    def drop(self, name: Name) -> None:
        """Remove a manifest, and directories it leaves empty."""
        del self.manifests[name]
        if self.disk is not None:
            path = self.disk.joinpath("manifests", *name)
            path.unlink(missing_ok=True)
            for parent in list(path.parents)[:3]:
                if not any(parent.iterdir()):
                    parent.rmdir()

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
        self._write_blob(digest)

    def keep_partial(self, digest: str) -> None:
        """Note down how far a download is that nobody waits for any more."""
        if digest in self.partials:
            self.touch(f"{digest}-partial")
            self._write_partial(digest)

    def remove_partial(self, digest: str) -> None:
        """One that is not there is no error."""
        self.partials.pop(digest, None)
        self.written.pop(f"{digest}-partial", None)
        if self.disk is not None:
            for suffix in ("-partial", "-partial-0"):
                self._file(digest + suffix).unlink(missing_ok=True)

    def touch(self, digest: str) -> None:
        """Make a blob or a partial download one that was written now."""
        self.written[digest] = self.clock.now()

    def remove_blob(self, digest: str) -> None:
        """One that is not there is no error."""
        self.blobs.pop(digest, None)
        self.written.pop(digest, None)
        if self.disk is not None:
            self._file(digest).unlink(missing_ok=True)

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
