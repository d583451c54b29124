"""Reads the models of a store on disk, as Ollama would list them with its server up.

Layout: Ollama's manifest/{manifest,paths,layer}.go. Nothing is ever written. What is broken is listed with its
problem and never followed: a store may be half-way through a pull, damaged, or somebody else's.
"""

from __future__ import annotations

import hashlib
import math
import os
import stat
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from llamaexit.errors import GgufError, StoreError
from llamaexit.ollama.blobs import Blob, Blobs, read_blobs
from llamaexit.ollama.capabilities import Parts, capabilities, selected_template
from llamaexit.ollama.manifest import MAX_MANIFEST, BadManifest, Entry, Manifest, parse_json, parse_manifest
from llamaexit.ollama.names import BadName, Name
from llamaexit.ollama.places import Place, barrier, default_stores, usable_stores
from llamaexit.ollama.texts import licence_headings, printable, scalar_metadata, template_tokens
from llamaexit.shape import shape_of, weights_of
from llamaexit.snapshot import InstalledModel, Layer
from llamaexit.units import gb

if TYPE_CHECKING:
    from llamaexit.shape import Shape, Weights

__all__ = ["Place", "StoreContents", "default_stores", "read_store", "usable_stores"]

MAX_BLOB = 4 << 20
"""Bytes of the largest config, template, licence or parameter blob that is read."""
RETRY_AFTER = 0.1
"""Seconds until broken manifests are read once more: the server truncates and rewrites them in place."""


class StoreContents(NamedTuple):
    """What a store holds.

    models: one for each manifest, broken ones included, by name. problems: what concerns no single model, one line
    each. path: the directory with `manifests` and `blobs`. The rest are bytes on disk: of all files in `blobs`, of
    complete blobs that no manifest names, and of pulls that were not finished.
    """

    models: tuple[InstalledModel, ...]
    problems: tuple[str, ...]
    path: Path
    used: int = 0
    orphaned: int = 0
    partial: int = 0


def read_store(path: Path) -> StoreContents:
    """Read every model of the store at `path`; a directory that holds one as `models` is taken for it.

    Raises StoreError when there is no store there, or none that this user may read.
    """
    if not _is_directory(path / "manifests") and _is_directory(path / "models" / "manifests"):
        path = path / "models"
    installed, problems = _read_manifests(path / "manifests")
    try:
        blobs = read_blobs(path / "blobs")
    except OSError as error:
        raise _unreadable(path / "blobs", error) from error
    users = Counter(digest for entry in installed for digest in entry.manifest.digests)
    reader = _Reader(blobs, users)
    models = tuple(reader.model(entry) for entry in installed)
    orphans = [blob for digest, blob in blobs.complete.items() if digest not in users]
    return StoreContents(
        models=models,
        problems=(*problems, *_alike(models), *_leftovers(orphans, list(blobs.partial.values()))),
        path=path,
        used=blobs.used,
        orphaned=sum(blob.on_disk for blob in orphans),
        partial=sum(blob.on_disk for blob in blobs.partial.values()),
    )


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _unreadable(path: Path, error: OSError) -> StoreError:
    if isinstance(error, PermissionError):
        closed = barrier(path)
        return StoreError(closed.message, hint=closed.hint)
    return StoreError(f"{path} cannot be read: {error.strerror or error}")


def _alike(models: tuple[InstalledModel, ...]) -> Iterator[str]:
    spellings: dict[str, list[str]] = {}
    for model in models:
        spellings.setdefault(model.name.lower(), []).append(model.name)
    for names in spellings.values():
        if len(names) > 1:
            yield f"{' and '.join(names)} differ only in case: Ollama may take one for the other"


def _leftovers(orphans: list[Blob], partial: list[Blob]) -> Iterator[str]:
    if orphans:
        yield f"{_counted(orphans, 'blob')} of no model: Ollama removes them at its next start (unless OLLAMA_NOPRUNE)"
    if partial:
        yield f"{_counted(partial, 'unfinished download')}: pulling the model again goes on there"


def _counted(blobs: list[Blob], thing: str) -> str:
    return f"{len(blobs)} {thing}{'' if len(blobs) == 1 else 's'} ({gb(sum(blob.on_disk for blob in blobs))})"


# -- manifests ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Installed:
    """A manifest file. `digest` is the sha256 of its bytes, `problem` why it could not be understood."""

    name: Name
    digest: str | None = None
    modified_at: str | None = None
    manifest: Manifest = field(default_factory=Manifest)
    problem: str | None = None


def _read_manifests(root: Path) -> tuple[list[_Installed], list[str]]:
    """The manifests by name, and what else lies among them. Those that do not parse are read once more."""
    try:
        hosts = sorted(os.scandir(root), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(
            f"{root.parent} is no model store: there is no directory {root}",
            hint="name the directory that holds manifests and blobs; Ollama's default is ~/.ollama/models",
        ) from None
    except OSError as error:
        raise _unreadable(root, error) from error
    problems: list[str] = []
    paths: list[tuple[Path, Name]] = []
    for parts in _walk(hosts, (), problems):
        path, name = root.joinpath(*parts), _name(parts)
        if _dangles(path):
            problems.append(f"{path} is a link to nothing: Ollama cannot list any model until it is removed")
        elif name is None:
            problems.append(f"{path} is no model name: Ollama passes over it, and over its clean-up at start")
        else:
            paths.append((path, name))
    found = [_read_manifest(path, name) for path, name in paths]
    if any(entry.problem for entry in found):
        time.sleep(RETRY_AFTER)
        found = [
            _read_manifest(path, name) if entry.problem else entry
            for entry, (path, name) in zip(found, paths, strict=True)
        ]
    return sorted(found, key=lambda entry: (entry.name.short.lower(), entry.name.short)), problems


def _walk(entries: list[os.DirEntry[str]], above: tuple[str, ...], problems: list[str]) -> Iterator[tuple[str, ...]]:
    """Host, namespace, model and tag of every file exactly four levels down, links followed."""
    for entry in entries:
        parts = (*above, entry.name)
        is_directory = _is_directory(Path(entry.path)) if entry.is_symlink() else entry.is_dir()
        if len(parts) == 4:
            if not is_directory:
                yield parts
        elif is_directory:
            try:
                below = sorted(os.scandir(entry.path), key=lambda entry: entry.name)
            except OSError as error:
                problems.append(_unreadable(Path(entry.path), error).message)
                continue
            yield from _walk(below, parts, problems)


def _dangles(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return path.is_symlink()
    except OSError:
        return False
    return False


def _name(parts: tuple[str, ...]) -> Name | None:
    host, namespace, model, tag = parts
    try:
        name = Name.parse(f"{host}/{namespace}/{model}:{tag}")
    except BadName:
        return None
    return name if name.path == parts else None


def _read_manifest(path: Path, name: Name) -> _Installed:
    digest = modified_at = None
    try:
        modified_at = _timestamp(path.stat().st_mtime_ns)
        data = _read_file(path, MAX_MANIFEST)
        digest = hashlib.sha256(data).hexdigest()
        return _Installed(name, digest, modified_at, parse_manifest(data))
    except OSError as error:
        problem = f"its manifest cannot be read: {error.strerror or error}"
    except BadManifest as error:
        problem = f"its manifest is broken: {error}"
    return _Installed(name, digest, modified_at, problem=problem)


def _timestamp(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09d}Z"


def _read_file(path: Path, limit: int) -> bytes:
    # opening a FIFO would wait for a writer
    if not stat.S_ISREG(path.stat().st_mode):
        raise BadManifest("it is not a regular file")
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise BadManifest(f"it is larger than {limit >> 20} MiB")
    return data


# -- models ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Header:
    """What a weights file says about itself; read once for each file, however many models share it."""

    metadata: Mapping[str, Any]
    kept: dict[str, Any]
    shape: Shape | None
    weights: Weights | None
    parameters: int


class _Reader:
    """Turns manifests into models. Blobs that several models share are read once."""

    def __init__(self, blobs: Blobs, users: Counter[str]) -> None:
        self._blobs = blobs
        self._users = users
        self._headers: dict[str, _Header | str] = {}
        self._texts: dict[str, bytes | str] = {}

    def model(self, installed: _Installed) -> InstalledModel:
        manifest, name = installed.manifest, installed.name.short
        if installed.problem is not None:
            return InstalledModel(
                name,
                digest=installed.digest,
                source="store",
                modified_at=installed.modified_at,
                problem=installed.problem,
            )
        problems = [problem for entry in manifest.entries if (problem := self._fault(entry))]
        config = self._object(manifest.config, problems)
        model = _last(manifest.of("model"))
        safetensors = config.get("model_format") == "safetensors"
        header = None if model is None or safetensors else self._header(model, problems)
        projectors = [self._header(entry, problems) for entry in manifest.of("projector")]
        parts = Parts(
            config=config,
            metadata=header.metadata if header else None,
            template=self._text(_last(manifest.of("template", "prompt")), problems),
            projectors=tuple(projector.metadata if projector else {} for projector in projectors),
        )
        remote = parts.text("remote_host") or parts.text("remote_model")
        if model is None and not safetensors and not remote:
            problems.append("it has no weights")
        shape = header.shape if header else None
        licences = [self._text(entry, problems) or "" for entry in manifest.of("license")]
        return InstalledModel(
            name,
            digest=installed.digest,
            size=manifest.size,
            source="store",
            modified_at=installed.modified_at,
            format=printable(parts.text("model_format")),
            family=printable(parts.text("model_family")),
            families=_strings(config.get("model_families")),
            parameter_size=printable(parts.text("model_type")),
            parameter_count=header.parameters if header else None,
            quantization=printable(parts.text("file_type")),
            context_length=(shape.context_length if shape else 0) or _positive(config.get("context_length")),
            capabilities=capabilities(parts) if header or safetensors or remote else None,
            parent=(model.parent if model else "") or None,
            remote=printable(remote) or None,
            requires=printable(parts.text("requires")) or None,
            parameters=self._object(_last(manifest.of("params")), problems),
            system=bool(self._text(_last(manifest.of("system")), problems)),
            messages=self._count(_last(manifest.of("messages")), problems),
            adapter=bool(manifest.of("adapter")),
            template_tokens=template_tokens(selected_template(parts)),
            licences=licence_headings("\n".join(licences)),
            metadata=header.kept if header else {},
            layers=tuple(Layer(e.kind, e.digest, e.size, self._fault(e) is None) for e in manifest.entries),
            weights_digest=model.hex if model else None,
            projector_size=sum(entry.size for entry in manifest.of("projector")),
            exclusive=self._exclusive(manifest),
            shape=shape,
            weights=header.weights if header else None,
            problem="; ".join(dict.fromkeys(problems)) or None,
        )

    def _exclusive(self, manifest: Manifest) -> int:
        """Bytes of the blobs that no other manifest names, which is what deleting this one frees."""
        own = (digest for digest in manifest.digests if self._users[digest] == 1)
        return sum(self._blobs.complete[digest].on_disk for digest in own if digest in self._blobs.complete)

    def _blob(self, entry: Entry | None) -> Blob | None:
        return self._blobs.complete.get(entry.hex) if entry and entry.hex else None

    def _fault(self, entry: Entry) -> str | None:
        """What is wrong with the file of one layer, None when it is there with its full size."""
        if entry.hex is None:
            return f"its {entry.kind} layer names {entry.digest!r}, which is no digest and was not followed"
        what = f"its {entry.kind} blob {entry.hex[:12]}"
        blob, arriving = self._blob(entry), self._blobs.partial.get(entry.hex)
        if blob is None and arriving is not None:
            return f"{what} has only been pulled in part ({gb(arriving.on_disk)} of {gb(entry.size)})"
        if blob is None:
            return f"{what} ({gb(entry.size)}) is missing"
        if blob.size != entry.size:
            return f"{what} has {blob.size} bytes instead of {entry.size}"
        return None

    def _header(self, entry: Entry, problems: list[str]) -> _Header | None:
        blob = self._blob(entry)
        if blob is None or entry.hex is None:
            return None
        if entry.hex not in self._headers:
            self._headers[entry.hex] = _read_header(blob.path, entry.size)
        found = self._headers[entry.hex]
        if isinstance(found, str):
            problems.append(f"its {entry.kind} blob is no use: {found}")
            return None
        return found

    def _text(self, entry: Entry | None, problems: list[str]) -> str | None:
        data = self._bytes(entry, problems)
        return None if data is None else data.decode("utf-8", "replace")

    def _object(self, entry: Entry | None, problems: list[str]) -> dict[str, Any]:
        value = self._json(entry, problems, dict)
        return value if isinstance(value, dict) else {}

    def _count(self, entry: Entry | None, problems: list[str]) -> int:
        value = self._json(entry, problems, list)
        return len(value) if isinstance(value, list) else 0

    def _json(self, entry: Entry | None, problems: list[str], kind: type) -> Any:
        data = self._bytes(entry, problems)
        if data is None or entry is None:
            return None
        try:
            value = parse_json(data)
        except BadManifest as error:
            problems.append(f"its {entry.kind} blob is broken: {error}")
            return None
        if value is not None and not isinstance(value, kind):
            problems.append(f"its {entry.kind} blob is broken: it is no JSON {'object' if kind is dict else 'list'}")
        return value

    def _bytes(self, entry: Entry | None, problems: list[str]) -> bytes | None:
        blob = self._blob(entry)
        if entry is None or entry.hex is None or blob is None:
            return None
        if entry.hex not in self._texts:
            self._texts[entry.hex] = _read_text(blob.path)
        found = self._texts[entry.hex]
        if isinstance(found, str):
            problems.append(f"its {entry.kind} blob cannot be read: {found}")
            return None
        return found


def _read_text(path: Path) -> bytes | str:
    """The bytes of a small blob, or why they cannot be had."""
    try:
        return _read_file(path, MAX_BLOB)
    except OSError as error:
        return error.strerror or str(error)
    except BadManifest as error:
        return str(error)


def _read_header(path: Path, size: int) -> _Header | str:
    """The header of a GGUF blob, or why it cannot be had."""
    from llamaexit.gguf import read_header

    try:
        # the size it should have: the header of a blob that was cut short is still worth reading
        header = read_header(path, size=size)
    except GgufError as error:
        return error.message
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    shape = shape_of(header.metadata, header.array_lengths, shapes, "gguf", shapes)
    return _Header(
        metadata=header.metadata,
        kept=scalar_metadata(header.metadata),
        shape=shape,
        weights=weights_of(((tensor.name, tensor.type, tensor.shape) for tensor in header.tensors), shape),
        parameters=sum(math.prod(dimensions) for dimensions in shapes.values()),
    )


def _last(entries: tuple[Entry, ...]) -> Entry | None:
    return entries[-1] if entries else None


def _strings(value: Any) -> tuple[str, ...]:
    entries = value if isinstance(value, list) else []
    return tuple(printable(entry) for entry in entries if isinstance(entry, str))


def _positive(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < 1 << 40 else None
