"""One connection: reading requests, finding the route, framing answers."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import select
import socket
import ssl
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar

from standin import gojson
from standin.requests import Phase

if TYPE_CHECKING:
    from standin.server import Standin

JSON = "application/json; charset=utf-8"
PLAIN_JSON = "application/json"
NDJSON = "application/x-ndjson"
SSE = "text/event-stream"
_BUFFER = 2048
"""Bytes of an answer Go keeps back: longer ones without a length are sent in chunks."""


class Problem(Exception):
    """A request Ollama answers with `{"error": …}`, and `extra` fields beside it."""

    def __init__(self, status: int, text: str, media_type: str = JSON, **extra: str) -> None:
        super().__init__(text)
        self.status = status
        self.media_type = media_type
        self.extra = extra


class HungUp(Exception):
    """The connection ends here, as it is."""


Route = Callable[["Handler", Any], None]


class Handler(BaseHTTPRequestHandler):
    """`ROUTES` says which path and verb lead to which function; one with a `:` at the end gets the rest of the path
    instead of the body."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    ROUTES: ClassVar[dict[str, dict[str, Route]]] = {}

    @property
    def standin(self) -> Standin:
        return self.server.standin  # type: ignore[attr-defined,no-any-return]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `Standin.log` has it all."""

    def handle_any(self) -> None:
        """Find the route, and answer as Ollama does when there is none."""
        self.raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.raw = self._chunks()
        try:
            body = json.loads(self.raw) if self.raw else None
        except ValueError:
            body = None
        path = self.path.partition("?")[0]
        self.request_seen = self.standin.enter(self.command, path, body, dict(self.headers.items()))
        self._epoch = self.standin.epoch
        self._told: set[Phase] = set()
        self.streaming = False
        try:
            self.tell("arrived")
            if self.standin.epoch != self._epoch:
                self.close_connection = True  # the server that took the request was stopped before it did anything
                return
            if self.standin.latency:
                time.sleep(self.standin.latency)
            if fault := self.standin.trouble(path, body):
                fault(self)
            else:
                self.route()
            self.wfile.flush()
            self.tell("done")
            self.tell("answered")
        finally:
            self.standin.leave()

    do_GET = do_POST = do_HEAD = do_DELETE = do_PUT = handle_any

    def tell(self, phase: Phase) -> None:
        """Tell the watchers how far this request is, once for each phase."""
        if phase not in self._told:
            self._told.add(phase)
            self.standin.tell(self.request_seen, phase)

    def route(self) -> None:
        """Answer as Ollama does."""
        path = self.path.partition("?")[0]
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
            route(self, argument if argument is not None else self.raw)
        except Problem as problem:
            self.reply_json({"error": str(problem), **problem.extra}, problem.status, problem.media_type)
        except HungUp:
            self.wfile.flush()
            self.close_connection = True

    def reply(self, status: int, body: bytes, media_type: str | None, headers: dict[str, str] | None = None) -> None:
        """Send one answer; HEAD gets it without the body."""
        self.tell("done")
        self.send_response_only(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if media_type:
            self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reply_json(self, content: Any, status: int = 200, media_type: str = JSON, *, line: bool = False) -> None:
        """One JSON document, as a `line` with its end; in chunks when it is long."""
        body = gojson.encoded(content) if line else gojson.dumps(content).encode()
        if len(body) <= _BUFFER or self.command == "HEAD":
            return self.reply(status, body, media_type)
        self.tell("done")
        self.begin(media_type, status)
        self.send(body)
        self.end()

    def begin(self, media_type: str, status: int = 200) -> None:
        """Start an answer of unknown length."""
        self.streaming = True
        self.send_response_only(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, data: bytes) -> None:
        """Send a piece of it at once."""
        if data:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

    def send_line(self, content: Any) -> None:
        """Send one line of a stream, and start the stream with it if it is the first."""
        if not self.streaming:
            self.begin(NDJSON)
        self.send(gojson.encoded(content))

    def end(self) -> None:
        """Say that the answer is complete."""
        self.wfile.write(b"0\r\n\r\n")

    def gone(self) -> bool:
        """Whether the client, or the server as it was when the request came, is not there any more."""
        if self.standin.stopping.is_set() or self.standin.epoch != self._epoch:
            return True
        if isinstance(self.connection, ssl.SSLSocket):
            return False  # TLS cannot look without taking; writing will tell
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        with contextlib.suppress(OSError):
            return not self.connection.recv(1, socket.MSG_PEEK)
        return True

    def json_body(self, kind: str = "api.Request") -> dict[str, Any]:
        """The body, which has to be a JSON object. `kind` is what Go would decode it into."""
        if not self.raw.strip():
            raise Problem(400, "missing request body")
        text = self.raw.decode("utf-8", "replace")
        try:
            body = json.loads(text)
        except json.JSONDecodeError as error:
            incomplete = error.pos >= len(text.rstrip())
            raise Problem(400, "unexpected EOF" if incomplete else f"invalid character {text[error.pos]!r}") from None
        if not isinstance(body, dict):
            raise Problem(400, f"json: cannot unmarshal into Go value of type {kind}")
        return body

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


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
