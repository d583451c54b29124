"""The stand-in itself: a server, its knobs, and a log of what was asked."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Generic, TypeVar

from standin import changing, inferring, installed, reading
from standin.behaviour import Behaviour, Echo
from standin.clock import Clock
from standin.faults import Fault
from standin.handler import Handler
from standin.installed import Installed
from standin.pull import Downloads, Pace
from standin.pull_faults import PullFault
from standin.registry import Registry
from standin.release import Release
from standin.requests import Phase, Request, Watch
from standin.runners import Runners
from standin.store import Name, Store
from standin.upkeep import prune_at_start

T = TypeVar("T")
_NAMING = ("model", "name", "source", "destination")
"""Fields of a body that name a model."""

for _routes in (reading.ROUTES, changing.ROUTES, inferring.ROUTES):
    for _path, _verbs in _routes.items():
        Handler.ROUTES[_path] = {**Handler.ROUTES.get(_path, {}), **_verbs}


@dataclass
class _Trouble(Generic[T]):
    fault: T
    path: str | None
    model: str | None
    times: int | None
    after: int

    def takes(self, path: str, models: set[str]) -> bool:
        """Whether it strikes this request; counts it when it could have."""
        if (self.model is not None and self.model not in models) or self.path not in (None, path) or self.times == 0:
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
    registry: what can be pulled; without one nothing can, as on a machine with no network. pace: how fast.
    prune: False is OLLAMA_NOPRUNE. num_ctx: the context models are loaded with when nobody asks for one.
    behaviours: what models say, by name or digest of weights; `behaviour` is for all others.
    """

    store: Store = field(default_factory=Store)
    version: str = "0.33.0-rc2"
    latency: float = 0.0
    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    registry: Registry | None = None
    pace: Pace = field(default_factory=Pace)
    prune: bool = True
    num_ctx: int = 4096
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    behaviour: Behaviour = field(default_factory=Echo)

    def __post_init__(self) -> None:
        self.log: list[Request] = []
        self.busiest = 0
        """The most requests that were being answered at the same time."""
        self.connections = 0
        """Connections accepted so far."""
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.epoch = 0
        """How often it was restarted."""
        self.downloads = Downloads()
        self.runners = Runners(self.store)
        self.shown: dict[tuple[Name, str, bool], Any] = {}
        """Answers of `/api/show` that are given again as long as the manifest is the same, from 0.23.2 on."""
        self._resolved: dict[tuple[Name, str], Installed] = {}
        self.busy = 0
        """Requests that are being answered at this moment."""
        self._watches: list[Watch] = []
        self._troubles: list[_Trouble[Fault]] = []
        self._pull_troubles: list[_Trouble[PullFault]] = []
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

    @property
    def clock(self) -> Clock:
        """What time it is, for ages of files and expiry of models."""
        return self.store.clock

    @property
    def disk_free(self) -> int | None:
        """Bytes left for pulls; None for as many as they like. Set it, and it shrinks and grows with what is stored."""
        return self.store.free

    @disk_free.setter
    def disk_free(self, free: int | None) -> None:
        self.store.capacity = None if free is None else self.store.used + free

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

    def break_pull(self, fault: PullFault, model: str | None = None, *, times: int | None = 1, after: int = 0) -> None:
        """Misbehave in pulls of `model` (every model; the name as `/api/tags` shows it), `times` times (None: always)
        after `after` such pulls went well."""
        self._pull_troubles.append(_Trouble(fault, None, model, times, after))

    def pull_trouble(self, model: str) -> PullFault | None:
        """What goes wrong with this pull, if anything."""
        with self.lock:
            return next((trouble.fault for trouble in self._pull_troubles if trouble.takes("", {model})), None)

    def watch(self, callback: Watch) -> None:
        """Call `callback(number, request, phase)` in the thread of every request from now on, before anything is done,
        once the state is changed and the last of the answer is not sent, and when all is sent."""
        self._watches.append(callback)

    def unwatch(self) -> None:
        """Call nobody any more."""
        self._watches.clear()

    def tell(self, request: Request, phase: Phase) -> None:
        """Call the watches."""
        for callback in list(self._watches):
            callback(request.number, request, phase)

    def behaviour_of(self, model: Installed) -> Behaviour:
        """What is to say something for a model."""
        for key in (model.name.short, model.weights):
            if key in self.behaviours:
                return self.behaviours[key]
        return self.behaviour

    def resolve(self, name: Name) -> Installed:
        """A model with all its layers. From 0.32.15 on what was found first is remembered, missing weights included.

        Raises KeyError and ValueError.
        """
        key = (name, self.store.manifests[name].digest)
        if not self.release.since(0, 32, 15):
            return installed.read(self.store, name, self.release)
        if key not in self._resolved:
            self._resolved[key] = installed.read(self.store, name, self.release)
        return self._resolved[key]

    def restart(self, *, prune: bool = True, down: float = 0.0) -> None:
        """What a client sees of a server that is stopped and started again at the same address: connections and pulls
        end, nothing is in memory, and files nobody uses are deleted when they are old enough (not with `prune` False,
        nor when a manifest is corrupt). `clock` says how old. For `down` seconds nobody listens; this call takes them.
        """
        assert self._server is not None, "not started"
        with self.store.lock:
            self.epoch += 1
            self.store.resident.clear()
            self._resolved.clear()
            self.shown.clear()
            if prune and self.prune:
                prune_at_start(self.store, self.release)
        if down:
            self.port = self._server.server_address[1]
            self._server.shutdown()
            self._server.server_close()
        self._server.end_connections()
        if down:
            self.stopping.wait(down)
            self.start()

    def end_connections(self) -> None:
        """Close every connection clients keep, as a server that restarts does."""
        assert self._server is not None, "not started"
        self._server.end_connections()

    def until_idle(self, seconds: float = 5.0) -> None:
        """Wait until no request is being answered, as after a client that went away. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while self.busy:
            if time.monotonic() > until:
                raise TimeoutError("a request is still being answered")
            time.sleep(0.005)

    def asked(self, path: str) -> list[Request]:
        """The requests for one path so far."""
        return [request for request in self.log if request.path == path]

    def trouble(self, path: str, body: Any) -> Fault | None:
        """What to do instead of answering, if anything."""
        with self.lock:
            named = {str(body.get(field)) for field in _NAMING} if isinstance(body, dict) else set()
            return next((trouble.fault for trouble in self._troubles if trouble.takes(path, named)), None)

    def failed(self, error: BaseException) -> None:
        """Keep an error of the stand-in's own code for `stop`."""
        self._failures.append(error)

    def enter(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Request:
        """Number a request and write it down."""
        with self.lock:
            request = Request(method, path, body, headers, len(self.log) + 1)
            self.log.append(request)
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
        return request

    def leave(self) -> None:
        with self.lock:
            self.busy -= 1


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
