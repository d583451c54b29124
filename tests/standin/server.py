"""The stand-in's HTTP side: routes, knobs, and a log of what was asked."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from standin import answers
from standin.answers import NotFound, Release
from standin.faults import Fault
from standin.store import Name, Store

JSON = "application/json; charset=utf-8"


class Problem(Exception):
    """A request Ollama answers with `{"error": …}`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Request:
    """One request that arrived. `body` is its JSON, None when there was none."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


@dataclass
class _Trouble:
    fault: Fault
    path: str | None
    model: str | None
    times: int | None
    after: int

    def takes(self, path: str, body: Any) -> bool:
        """Whether it strikes this request; counts it when it could have."""
        about = self.model is None or (isinstance(body, dict) and body.get("model") == self.model)
        if not about or self.path not in (None, path) or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Standin:
    """A server on a free loopback port. Use it in a `with` statement, or call `start` and `stop`.

    latency: seconds every answer takes. version: what it says it is; older ones leave out what they did not have.
    certificate: a PEM file with certificate and key; the server then speaks TLS, as behind a proxy.
    """

    store: Store = field(default_factory=Store)
    version: str = "0.33.0-rc2"
    latency: float = 0.0
    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None

    def __post_init__(self) -> None:
        self.log: list[Request] = []
        self.busiest = 0
        """The most requests that were being answered at the same time."""
        self.connections = 0
        """Connections accepted so far."""
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self._busy = 0
        self._troubles: list[_Trouble] = []
        self._failures: list[BaseException] = []
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Base URL."""
        assert self._server is not None, "not started"
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{self.host}:{self._server.server_address[1]}"

    @property
    def release(self) -> Release:
        return Release(self.version)

    def start(self) -> Standin:
        """Listen, and answer from a thread."""
        context = None
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
        server = _Server((self.host, self.port), self)
        if context is not None:
            # the handshake is left to the thread of the connection
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.01,), name="standin", daemon=True).start()
        # only now, since stopping waits for a server that was never served from
        self._server = server
        return self

    def stop(self) -> None:
        """Stop listening, end every connection, and raise what went wrong inside."""
        self.stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.end_connections()
            self._server = None
        if self._failures:
            raise AssertionError("the stand-in itself failed") from self._failures[0]

    def __enter__(self) -> Standin:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def break_(
        self,
        fault: Fault,
        path: str | None = None,
        *,
        model: str | None = None,
        times: int | None = None,
        after: int = 0,
    ) -> None:
        """Misbehave on `path` (every path), for requests about `model` (every model), `times` times (always) after
        `after` such requests were answered well."""
        self._troubles.append(_Trouble(fault, path, model, times, after))

    def end_connections(self) -> None:
        """Close every connection clients keep, as a server that restarts does."""
        assert self._server is not None, "not started"
        self._server.end_connections()

    def asked(self, path: str) -> list[Request]:
        """The requests for one path so far."""
        return [request for request in self.log if request.path == path]

    def trouble(self, path: str, body: Any) -> Fault | None:
        """What to do instead of answering, if anything."""
        with self.lock:
            return next((trouble.fault for trouble in self._troubles if trouble.takes(path, body)), None)

    def failed(self, error: BaseException) -> None:
        """Keep an error of the stand-in's own code for `stop`."""
        self._failures.append(error)

    def enter(self, request: Request) -> None:
        with self.lock:
            self.log.append(request)
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)

    def leave(self) -> None:
        with self.lock:
            self._busy -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], standin: Standin) -> None:
        super().__init__(address, Handler)
        self.standin = standin
        self._open: set[socket.socket] = set()

    def server_bind(self) -> None:
        # HTTPServer.server_bind looks the host name up, which can take seconds
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.standin.lock:
            self.standin.connections += 1
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.standin.lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        with self.standin.lock:
            still_open = list(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):  # the other side was faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.standin.failed(error)


class Handler(BaseHTTPRequestHandler):
    """One connection. Routes are methods; `ROUTES` says which path and verb lead to which."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    ROUTES: ClassVar[dict[str, dict[str, Callable[[Handler, Any], None]]]] = {}

    @property
    def standin(self) -> Standin:
        return self.server.standin

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `Standin.log` has it all."""

    def handle_any(self) -> None:
        """Find the route, and answer as Ollama does when there is none."""
        self._raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(self._raw) if self._raw else None
        except ValueError:
            body = None
        path = self.path.partition("?")[0]
        self.standin.enter(Request(self.command, path, body, dict(self.headers.items())))
        try:
            if self.standin.latency:
                time.sleep(self.standin.latency)
            if fault := self.standin.trouble(path, body):
                fault(self)
            else:
                self.route()
            self.wfile.flush()
        finally:
            self.standin.leave()

    do_GET = do_POST = do_HEAD = do_DELETE = do_PUT = handle_any

    def route(self) -> None:
        """Answer as Ollama does."""
        path, raw = self.path.partition("?")[0], self._raw
        if not _allowed_host(self.headers.get("Host", "")) or not _allowed_origin(self.headers.get("Origin")):
            return self.reply(403, b"", None)
        argument: str | None = None
        verbs = self.ROUTES.get(path)
        if verbs is None:
            parent, _, argument = path.rpartition("/")
            verbs = self.ROUTES.get(f"{parent}/:")
        if verbs is None:
            return self.reply(404, b"404 page not found", "text/plain")
        route = verbs.get(self.command)
        if route is None:
            return self.reply(405, b"405 method not allowed", "text/plain")
        try:
            route(self, argument if argument is not None else raw)
        except Problem as problem:
            self.reply_json({"error": str(problem)}, problem.status)

    def reply(self, status: int, body: bytes, media_type: str | None, headers: dict[str, str] | None = None) -> None:
        """Send one answer; HEAD gets it without the body."""
        self.send_response_only(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if media_type:
            self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reply_json(self, content: Any, status: int = 200, media_type: str = JSON) -> None:
        """JSON the way Go writes it, HTML characters escaped."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        for char in "<>&":
            text = text.replace(char, f"\\u{ord(char):04x}")
        self.reply(status, text.encode(), media_type)

    def requested(self, raw: bytes) -> tuple[dict[str, Any], Name]:
        """The JSON body and the installed spelling of the model it names."""
        if not raw.strip():
            raise Problem(400, "missing request body")
        text = raw.decode("utf-8", "replace")
        try:
            body = json.loads(text)
        except json.JSONDecodeError as error:
            incomplete = error.pos >= len(text.rstrip())
            raise Problem(400, "unexpected EOF" if incomplete else f"invalid character {text[error.pos]!r}") from None
        if not isinstance(body, dict):
            raise Problem(400, "json: cannot unmarshal into Go value of type api.ShowRequest")
        wanted = body.get("model") or body.get("name") or ""
        if not wanted:
            raise Problem(400, "model is required")
        name = Name.parse(str(wanted))
        if name is None:
            raise Problem(400, "invalid model name")
        return body, self.standin.store.existing(name)

    def root(self, _: Any) -> None:
        self.reply(200, b"Ollama is running", "text/plain; charset=utf-8")

    def version(self, _: Any) -> None:
        self.reply_json({"version": self.standin.version})

    def tags(self, _: Any) -> None:
        self.reply_json(answers.tags(self.standin.store, self.standin.release))

    def ps(self, _: Any) -> None:
        self.reply_json(answers.ps(self.standin.store, self.standin.release))

    def show(self, raw: bytes) -> None:
        body, name = self.requested(raw)
        try:
            self.reply_json(
                answers.show(self.standin.store, name, verbose=bool(body.get("verbose")), release=self.standin.release)
            )
        except NotFound:
            raise Problem(404, f"model '{name.short}' not found") from None
        except ValueError as error:
            raise Problem(500, str(error)) from None

    def has_blob(self, digest: str) -> None:
        present = self.standin.store.has_blob(digest)
        if present is None:
            raise Problem(400, "invalid digest format")
        if not present:
            raise Problem(404, f'blob "{digest}" not found')
        self.reply(200, b"", None)

    def v1_models(self, _: Any) -> None:
        self.reply_json(answers.v1_models(self.standin.store, self.standin.release), media_type="application/json")


Handler.ROUTES = {
    "/": {"GET": Handler.root, "HEAD": Handler.root},
    "/api/version": {"GET": Handler.version, "HEAD": Handler.version},
    "/api/tags": {"GET": Handler.tags, "HEAD": Handler.tags},
    "/api/ps": {"GET": Handler.ps},
    "/api/show": {"POST": Handler.show},
    "/api/blobs/:": {"HEAD": Handler.has_blob},
    "/v1/models": {"GET": Handler.v1_models},
}


def _allowed_host(header: str) -> bool:
    """Ollama's guard on loopback: names and addresses that mean this machine or its network."""
    host = header.rpartition(":")[0] if header.rpartition(":")[2].isdigit() else header
    host = host.strip("[]").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in ("", "localhost") or host.endswith((".localhost", ".local", ".internal"))
    return address.is_loopback or address.is_private


def _allowed_origin(origin: str | None) -> bool:
    if origin is None:
        return True
    host = origin.partition("://")[2].partition(":")[0]
    return host in ("localhost", "127.0.0.1", "0.0.0.0")
