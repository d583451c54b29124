"""Asks a model registry what a pull would bring: the manifest, and the GGUF header of the weights.

Protocol: what Ollama's own pull does (server/images.go, server/download.go). Only public models can be asked; nothing
is pulled, and no key is used. Manifests are kept for a while, because tags move; headers and configs for ever, because
they are named by their content.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llamaexit
from llamaexit.errors import RegistryError
from llamaexit.gguf import Header, Tensor, parse_header
from llamaexit.ollama.cache import Cache
from llamaexit.ollama.manifest import MEDIA_TYPE, BadManifest, Manifest, parse_json, parse_manifest
from llamaexit.ollama.names import DEFAULT_HOST, DEFAULT_NAMESPACE, Name
from llamaexit.ollama.web import Answer, WebError, asked_plainly, get
from llamaexit.snapshot import Layer

MAX_AGE = 3600.0
"""Seconds a manifest from the cache is good for."""
MAX_MANIFEST = 8 << 20
MAX_CONFIG = 1 << 20
FIRST_WINDOW = 1 << 20
"""Bytes of a header that are asked for first; the requests after that grow."""
_Get = Callable[[Name, str, dict[str, str], int, int | None], Answer]
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class NoSuchModel(RegistryError):
    """The registry answers, and has no such model or tag (404)."""

    code = "registry-no-such-model"


class NeedsNewerOllama(RegistryError):
    """The registry would refuse this pull to this version of Ollama (412)."""

    code = "registry-needs-newer-ollama"


class RegistryUnreachable(RegistryError):
    """The registry does not answer: no network, no such host, too slow."""

    code = "registry-unreachable"


@dataclass(frozen=True, slots=True)
class RemoteManifest:
    """What the registry says a name is now.

    digest: 64 hex digits, the one `/api/tags` shows after a pull. size: bytes of all layers. download: bytes of all
    distinct blobs, which is what a pull fetches into an empty store. layers: the config comes last. fetched_at: RFC
    3339; `cached` says that this is not of now.
    """

    name: Name
    digest: str
    size: int
    download: int
    layers: tuple[Layer, ...]
    fetched_at: str
    cached: bool = False

    def of(self, kind: str) -> Layer | None:
        """The last layer of a kind (`model`, `projector`, `config` …)."""
        return next((layer for layer in reversed(self.layers) if layer.kind == kind), None)


class Registry:
    """Model registries, each under its own host name. Safe to use from several threads.

    cache_dir: where answers are kept, None for nowhere. timeout: seconds until an answer begins. max_age: seconds a
    manifest is good for.
    """

    def __init__(self, cache_dir: Path | None = None, timeout: float = 10.0, *, max_age: float = MAX_AGE) -> None:
        self.timeout = timeout
        self._max_age = max_age
        self._cache = Cache(None if cache_dir is None else cache_dir / "registry")

    def manifest(self, name: Name, server_version: str | None = None) -> RemoteManifest:
        """What `name` is in its registry.

        server_version: the version of the Ollama that would pull it, so that a refusal shows now; without one the
        registry is asked not to check. Raises NoSuchModel, NeedsNewerOllama, RegistryUnreachable, or another
        RegistryError.
        """
        key = f"{name.full} {server_version or ''}"
        kept = self._cache.get("manifests", key)
        if kept is not None:
            facts, body = kept
            age = time.time() - _number(facts.get("time"))
            if 0 <= age < self._max_age and facts.get("sha256") == hashlib.sha256(body).hexdigest():
                return _remote(name, body, _timestamp(time.time() - age), cached=True)
        now = time.time()
        headers = {"Accept": MEDIA_TYPE, "User-Agent": user_agent(server_version)}
        answer = self._get(name, f"{_base(name)}/manifests/{name.tag}", headers, MAX_MANIFEST, None)
        if answer.status != 200:
            raise _refused(name, answer, server_version)
        remote = _remote(name, answer.body, _timestamp(now))
        facts = {"time": now, "name": name.full, "sha256": remote.digest}
        self._cache.put("manifests", key, facts, answer.body)
        return remote

    def config(self, remote: RemoteManifest) -> dict[str, Any]:
        """The config blob of a manifest (`requires`, `model_family` …); empty when there is none."""
        layer = remote.of("config")
        if layer is None:
            return {}
        digest = layer.digest.removeprefix("sha256:")
        kept = self._cache.get("configs", digest)
        body = kept[1] if kept else b""
        if hashlib.sha256(body).hexdigest() != digest:
            body = self._blob(remote, layer, min(layer.size, MAX_CONFIG))
            if hashlib.sha256(body).hexdigest() != digest:
                raise RegistryError(f"{remote.name.host} sends another config than the one {remote.name} names")
            self._cache.put("configs", digest, {}, body)
        try:
            value = parse_json(body)
        except BadManifest as error:
            raise RegistryError(f"the config of {remote.name} is broken: {error}") from error
        return value if isinstance(value, dict) else {}

    def header(self, remote: RemoteManifest) -> Header | None:
        """The GGUF header of the weights, read in a few ranges; None for a model without GGUF weights.

        Raises RegistryError, or GgufError when what is there is no proper GGUF file.
        """
        layer = remote.of("model")
        if layer is None:
            return None
        kept = self._cache.get("headers", layer.digest)
        header = None if kept is None else _unpacked(kept[1])
        if header is None:
            ranges = _Ranges(self._get, remote.name, layer)
            source = f"{remote.name} at {remote.name.host}"
            header = parse_header(ranges.read, layer.size, source=source, window=FIRST_WINDOW)
            self._cache.put("headers", layer.digest, {"time": time.time()}, _packed(header))
        return header

    def _blob(self, remote: RemoteManifest, layer: Layer, limit: int) -> bytes:
        answer = self._get(remote.name, blob_url(remote.name, layer), {"User-Agent": user_agent(None)}, limit, None)
        if answer.status != 200:
            raise _refused(remote.name, answer, None)
        return answer.body

    def _get(self, name: Name, url: str, headers: dict[str, str], limit: int, only: int | None) -> Answer:
        try:
            return get(url, headers, timeout=self.timeout, limit=limit, only=only)
        except WebError as error:
            if error.unreachable:
                raise RegistryUnreachable(
                    f"the registry cannot be asked about {name}: {error}",
                    hint="check the network and HTTPS_PROXY, or plan without --online",
                ) from error
            raise RegistryError(f"the registry cannot be asked about {name}: {error}") from error


class _Ranges:
    """Reads pieces of one blob. The redirect to where the data lies is followed once and kept as long as it works."""

    def __init__(self, get: _Get, name: Name, layer: Layer) -> None:
        self._get = get
        self._name = name
        self._size = layer.size
        self._origin = blob_url(name, layer)
        self._url = self._origin

    def read(self, offset: int, size: int) -> bytes:
        answer = self._ask(offset, size)
        if answer.status in (401, 403) and self._url != self._origin:
            # such addresses are signed and run out after a few minutes
            self._url = self._origin
            answer = self._ask(offset, size)
        if answer.status == 200:
            raise RegistryError(
                f"the header of {self._name} cannot be read alone: its server sends the whole file instead of a range"
            )
        if answer.status != 206:
            raise _refused(self._name, answer, None)
        match = _RANGE.fullmatch(answer.headers.get("content-range", ""))
        if match is None or int(match[1]) != offset or match[3] not in ("*", str(self._size)):
            raise RegistryError(f"the server of {self._name} sends another range than it was asked for")
        self._url = answer.url
        return answer.body

    def _ask(self, offset: int, size: int) -> Answer:
        headers = {"Range": f"bytes={offset}-{offset + size - 1}", "User-Agent": user_agent(None)}
        return self._get(self._name, self._url, headers, size, 206)


def user_agent(server_version: str | None) -> str:
    """The User-Agent by which the registry decides whether a version is new enough; 0.0.0 is not checked."""
    system = {"darwin": "darwin", "win32": "windows"}.get(sys.platform, "linux")
    machine = platform.machine().lower()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    return f"ollama/{server_version or '0.0.0'} ({machine} {system}) llamaexit/{llamaexit.__version__}"


def blob_url(name: Name, layer: Layer) -> str:
    """Where the registry of `name` hands out a blob, or says who does."""
    return f"{_base(name)}/blobs/{layer.digest}"


def _base(name: Name) -> str:
    host = name.host.lower()
    return f"{'http' if asked_plainly(host) else 'https'}://{host}/v2/{name.namespace}/{name.model}"


def _refused(name: Name, answer: Answer, server_version: str | None) -> RegistryError:
    status, where = answer.status, name.host
    if status == 404:
        hint = "check the spelling of name and tag"
        if where.lower() == DEFAULT_HOST:
            library = name.namespace.lower() == DEFAULT_NAMESPACE
            page = f"library/{name.model}" if library else f"{name.namespace}/{name.model}"
            hint = f"see which tags there are: https://ollama.com/{page}/tags"
        return NoSuchModel(f"there is no {name} at {where}", hint=hint)
    if status == 412:
        version = f"Ollama {server_version}" if server_version else "this version of Ollama"
        return NeedsNewerOllama(
            f"{name} needs a newer Ollama: {where} would refuse it to {version}",
            hint="update Ollama first: https://ollama.com/download",
        )
    if status in (401, 403):
        return RegistryError(f"{where} shows {name} only to those it knows ({status})")
    if status == 429:
        return RegistryError(f"{where} has been asked too often (429)", hint="try again in a few minutes")
    return RegistryError(
        f"{where} answered {status} when asked about {name}", hint="try again, or plan without --online"
    )


def _remote(name: Name, body: bytes, fetched_at: str, *, cached: bool = False) -> RemoteManifest:
    try:
        manifest: Manifest = parse_manifest(body)
    except BadManifest as error:
        raise RegistryError(f"{name.host} answered with no manifest of {name}: {error}") from error
    if any(entry.hex is None for entry in manifest.entries):
        raise RegistryError(f"the manifest of {name} at {name.host} names a blob without a proper digest")
    return RemoteManifest(
        name=name,
        digest=hashlib.sha256(body).hexdigest(),
        size=manifest.size,
        download=sum({entry.digest: entry.size for entry in manifest.entries}.values()),
        layers=tuple(Layer(entry.kind, entry.digest, entry.size) for entry in manifest.entries),
        fetched_at=fetched_at,
        cached=cached,
    )


def _timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _packed(header: Header) -> bytes:
    return json.dumps(
        {
            "version": header.version,
            "byte_order": header.byte_order,
            "metadata": header.metadata,
            "array_lengths": header.array_lengths,
            "tensors": [[tensor.name, tensor.type, tensor.shape, tensor.offset] for tensor in header.tensors],
            "data_offset": header.data_offset,
        }
    ).encode()


def _unpacked(data: bytes) -> Header | None:
    """A header from the cache; None when it is not as this version writes it."""
    try:
        value = json.loads(data)
        return Header(
            version=value["version"],
            byte_order=value["byte_order"],
            metadata={k: tuple(v) if isinstance(v, list) else v for k, v in value["metadata"].items()},
            array_lengths=value["array_lengths"],
            tensors=tuple(Tensor(name, kind, tuple(shape), offset) for name, kind, shape, offset in value["tensors"]),
            data_offset=value["data_offset"],
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
