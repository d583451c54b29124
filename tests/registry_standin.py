"""A model registry on loopback: manifests and blobs at one port, the data it redirects to at another.

It does what registry.ollama.ai does as far as a pull depends on it (reference: Ollama's server/download.go): manifests
by tag, a version check of the User-Agent, 307 to a data host that honours ranges. `Faults` make it misbehave.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

MEDIA = "application/vnd.ollama.image."
_VERSION = re.compile(r"ollama/(\d+)\.(\d+)\.(\d+)")


@dataclass
class Faults:
    """What goes wrong. `statuses` are answered in turn before anything else; `delay` is before each answer."""

    statuses: list[int] = field(default_factory=list)
    data_statuses: list[int] = field(default_factory=list)
    delay: float = 0.0
    drip: float = 0.0
    ignore_range: bool = False
    wrong_range: bool = False
    location_with_200: bool = False
    redirect_to: str | None = None
    cut_manifest: bool = False
    manifest_length: int | None = None


class RegistryStandIn:
    """Start with `with`; `host` is its name in model names (`localhost:<port>`)."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.manifests: dict[str, bytes] = {}
        self.requires: dict[str, tuple[int, int, int]] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """Which side was asked (`registry` or `data`), the path, the headers in lower case."""
        self._servers = [self._listen("registry"), self._listen("data")]

    @property
    def host(self) -> str:
        return f"localhost:{self._servers[0].server_address[1]}"

    @property
    def data_url(self) -> str:
        return f"http://127.0.0.1:{self._servers[1].server_address[1]}"

    def asked(self, side: str, part: str = "") -> list[dict[str, str]]:
        """The headers of the requests to one side whose path holds `part`."""
        return [headers for where, path, headers in self.requests if where == side and part in path]

    def publish(self, path: str, *layers: tuple[str, bytes], config: dict[str, Any] | None = None) -> str:
        """Put a model at `namespace/model:tag`; returns the digest its manifest has, without `sha256:`."""
        entries = [self._layer(MEDIA + kind, data) for kind, data in layers]
        document: dict[str, Any] = {"schemaVersion": 2, "layers": entries}
        if config is not None:
            document["config"] = self._layer(
                "application/vnd.docker.container.image.v1+json", json.dumps(config).encode()
            )
        body = json.dumps(document, indent=3).encode()
        self.manifests[path] = body
        return hashlib.sha256(body).hexdigest()

    def _layer(self, media: str, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": media, "digest": digest, "size": len(data)}

    def __enter__(self) -> RegistryStandIn:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _listen(self, side: str) -> ThreadingHTTPServer:
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                standin.requests.append((side, self.path, headers))
                time.sleep(standin.faults.delay)
                try:
                    (standin._registry if side == "registry" else standin._data)(self, headers)
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        return server

    def _registry(self, handler: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
        faults = self.faults
        if faults.statuses:
            return _answer(handler, faults.statuses.pop(0), b"trouble")
        _, _, path = handler.path.partition("/v2/")
        if "/manifests/" in path:
            return self._manifest(handler, path.replace("/manifests/", ":"), headers)
        digest = path.rpartition("/")[2]
        if digest not in self.blobs:
            return _answer(handler, 404, b"not found")
        location = faults.redirect_to or f"{self.data_url}/data/{digest}?signature=x"
        return _answer(handler, 200 if faults.location_with_200 else 307, b"", {"Location": location})

    def _manifest(self, handler: BaseHTTPRequestHandler, name: str, headers: dict[str, str]) -> None:
        body = self.manifests.get(name)
        if body is None:
            return _answer(handler, 404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        version = _VERSION.match(headers.get("user-agent", ""))
        has = tuple(map(int, version.groups())) if version else (0, 0, 1)
        if has != (0, 0, 0) and has < self.requires.get(name, (0, 0, 0)):
            return _answer(
                handler, 412, b"\n\nThe model you are attempting to pull requires a newer version of Ollama."
            )
        if self.faults.cut_manifest:
            return _answer(handler, 200, body[:-10], {"Content-Length": str(len(body))})
        if self.faults.manifest_length is not None:
            return _answer(handler, 200, b" " * 100, {"Content-Length": str(self.faults.manifest_length)})
        return _answer(handler, 200, body, drip=self.faults.drip)

    def _data(self, handler: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
        faults = self.faults
        if faults.data_statuses:
            return _answer(handler, faults.data_statuses.pop(0), b"no")
        data = self.blobs[handler.path.rpartition("/")[2].partition("?")[0]]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("range", ""))
        if wanted is None or faults.ignore_range:
            return _answer(handler, 200, data)
        first, last = int(wanted[1]), min(int(wanted[2]), len(data) - 1)
        shown = first + 1 if faults.wrong_range else first
        return _answer(
            handler, 206, data[first : last + 1], {"Content-Range": f"bytes {shown}-{last}/{len(data)}"}, faults.drip
        )


def _answer(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, more: dict[str, str] | None = None, drip: float = 0.0
) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(more or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    for at in range(0, len(body), 1 if drip else max(len(body), 1)):
        handler.wfile.write(body[at : at + 1] if drip else body)
        time.sleep(drip)
    if int((more or {}).get("Content-Length", len(body))) != len(body):
        handler.close_connection = True
