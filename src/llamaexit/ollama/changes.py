"""The calls that change what an Ollama server holds: pull, create, copy, delete.

They go through the `ollama` package, which is imported only here: none of them is on the way to a plan. Whether a
change came about is for the caller to look up; a good answer alone proves nothing.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llamaexit.ollama.failures import BadAnswer, Refused, TimedOut, Unreachable
from llamaexit.ollama.host import Host, resolve
from llamaexit.ollama.names import BadName, Name
from llamaexit.ollama.pull_failures import PullError, failure_in
from llamaexit.ollama.texts import printable
from llamaexit.ollama.web import asked_plainly

if TYPE_CHECKING:
    import httpx

    from ollama import Client

VERIFY_RATE = 50 * 1024**2
"""Bytes a second that a server is at least trusted to hash: it sends nothing while it verifies what it has pulled, and
the slowest disk of a single-board computer reads about this fast."""
_GLANCE = 0.1
"""Seconds between looks at whether a pull was cancelled."""
_KEPT = "try again; what was pulled is kept"


@dataclass(frozen=True, slots=True)
class Progress:
    """One event of a pull. `total`, `completed`: bytes of the layer `digest`; None where the event is about none."""

    status: str
    digest: str | None = None
    total: int | None = None
    completed: int = 0


@dataclass(frozen=True, slots=True)
class Creation:
    """A model to build on an installed one. `base` has to be spelled as it is installed, or Ollama pulls it."""

    model: str
    base: str
    system: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Mapping[str, str], ...] = ()


def _never() -> bool:
    return False


def _unheard(progress: Progress) -> None:
    return None


class Changes:
    """Changes one Ollama server. timeout: seconds for the short calls. stall_timeout: seconds a pull may stand still.

    Every method raises an OllamaError. Safe to use from several threads.
    """

    def __init__(
        self, host: str | Host, *, timeout: float = 30.0, stall_timeout: float = 120.0, api_key: str | None = None
    ) -> None:
        self.host = host if isinstance(host, Host) else resolve(host)
        self._timeout = timeout
        self._stall_timeout = stall_timeout
        self._api_key = api_key
        self._client: Client | None = None

    def pull(
        self, name: str, on_progress: Callable[[Progress], None] = _unheard, *, cancelled: Callable[[], bool] = _never
    ) -> None:
        """One try. Returns once the server says `success`. Raises PullError.

        Ollama repeats its events though nothing moves, and sends none while it verifies; so what counts as standing
        still is that no layer has grown, and while verifying the patience grows with the bytes there are to verify.
        Leaving early closes the connection, which makes the server stop, with what it has kept for the next pull.
        """
        watch = _Watch(self._stall_timeout)
        request = {"model": name, "stream": True, **({"insecure": True} if _from_this_machine(name) else {})}
        try:
            with self._stream("/api/pull", request, None) as stream, _Pump(stream) as pump:
                while True:
                    event = pump.next(_GLANCE)
                    if cancelled():
                        raise PullError("cancelled", f"the pull of {name} was cancelled")
                    if event is None and pump.over:
                        break
                    if event is None:
                        if not watch.patient():
                            raise PullError("stalled", _stalled(name, self._stall_timeout), hint=_KEPT)
                        continue
                    if (error := event.get("error")) is not None:
                        raise failure_in(str(error), name, self._version())
                    progress = _progress(event)
                    on_progress(progress)
                    if progress.status == "success":
                        return
                    watch.see(progress)
                    if not watch.patient():
                        raise PullError("stalled", _stalled(name, self._stall_timeout), hint=_KEPT)
        except Refused as error:
            raise failure_in(error.reason, name, self._version()) from error
        except TimedOut as error:
            raise PullError("stalled", _stalled(name, self._stall_timeout), hint=_KEPT) from error
        except (Unreachable, BadAnswer) as error:
            raise PullError("cut", f"the pull of {name} broke off: {error.message}", hint=error.hint) from error
        raise PullError("cut", f"the pull of {name} ended without success", hint=_KEPT)

    def create(self, creation: Creation) -> None:
        """Build a model. Raises OllamaError."""
        request: dict[str, Any] = {"model": creation.model, "from": creation.base, "stream": True}
        if creation.system is not None:
            request["system"] = creation.system
        if creation.parameters:
            request["parameters"] = dict(creation.parameters)
        if creation.messages:
            request["messages"] = [dict(message) for message in creation.messages]
        with self._stream("/api/create", request, self._timeout) as stream:
            for event in stream.events():
                if (error := event.get("error")) is not None:
                    raise self._refused("/api/create", 200, str(error))
                if event.get("status") == "success":
                    return
        raise BadAnswer(f"{self.host.url}/api/create ended without success", hint="look into the log of the server")

    def copy(self, source: str, destination: str) -> None:
        """Let `destination` mean what `source` means. Overwrites; costs no disk. Raises OllamaError."""
        with self._translated("/api/copy"):
            self._connected().copy(source, destination)

    def delete(self, name: str) -> None:
        """Remove a name, and the layers nothing else uses. Raises OllamaError.

        A loaded model is unloaded first, as `ollama rm` does: after its name is gone nobody can.
        """
        self.unload(name)
        with self._translated("/api/delete"):
            self._connected().delete(name)

    def unload(self, name: str) -> None:
        """Ask the server to take a model out of memory; it does so a little later. Raises OllamaError."""
        loaded = any(model.model == name for model in self._loaded())
        if loaded:
            with self._translated("/api/generate"):
                self._connected().generate(name, keep_alive=0)

    def close(self) -> None:
        """Close the connections that are kept."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    def __enter__(self) -> Changes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _loaded(self) -> Any:
        with self._translated("/api/ps"):
            return self._connected().ps().models

    def _version(self) -> str | None:
        """The version of the server, for words; None when it does not say."""
        from llamaexit.errors import OllamaError
        from llamaexit.ollama.server import Server

        try:
            with Server(self.host, min(self._timeout, 5.0), api_key=self._api_key) as server:
                return server.version()
        except OllamaError:
            return None

    def _connected(self) -> Client:
        if self._client is None:
            from ollama import Client

            headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
            self._client = Client(
                self.host.url, timeout=self._timeout, headers=headers, trust_env=False, follow_redirects=False
            )
        return self._client

    @contextmanager
    def _stream(self, path: str, request: Mapping[str, Any], patience: float | None) -> Iterator[_Stream]:
        """A call whose events are read as they come. patience: seconds to wait for the next one, None for ever.

        The methods of the package would do, but they end a stream that was cut like one that was finished.
        """
        import httpx

        client = self._connected()._client
        timeout = httpx.Timeout(self._timeout, read=patience)
        with self._translated(path), client.stream("POST", path, json=dict(request), timeout=timeout) as response:
            if response.status_code != 200:
                raise self._refused(path, response.status_code, _reason(response.read()))
            yield _Stream(response, f"{self.host.url}{path}")

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        """Failures of the package as ours."""
        import httpx

        import ollama

        try:
            yield
        except httpx.TimeoutException as error:
            raise TimedOut(
                f"{self.host.url}{path} did not answer in time", hint="the server hangs or is busy: try again"
            ) from error
        except (httpx.TransportError, ConnectionError) as error:
            raise Unreachable(
                f"no answer from {self.host.url}{path}: {str(error).lower() or 'the connection was closed'}",
                hint="the server may have been restarted: try again",
            ) from error
        except ollama.ResponseError as error:
            raise self._refused(path, error.status_code, error.error) from error

    def _refused(self, path: str, status: int, reason: str) -> Refused:
        told = " ".join(printable(reason).split()) or "nothing more"
        return Refused(f"{self.host.url}{path} answered {status}: {told}", status=status, reason=told)


class _Stream:
    """The events of an answer."""

    def __init__(self, response: httpx.Response, url: str) -> None:
        self._response = response
        self._url = url

    def events(self) -> Iterator[dict[str, Any]]:
        """One JSON object a line. Raises BadAnswer, and what `httpx` raises."""
        for line in self._response.iter_lines():
            if not line.strip():
                continue
            try:
                event = json.loads(line)
            except ValueError as error:
                raise BadAnswer(f"{self._url} answered with a line that is not JSON") from error
            if isinstance(event, dict):
                yield event

    def end(self) -> None:
        """Close the connection under whoever reads from it, in whatever thread."""
        connection = self._response.extensions["network_stream"].get_extra_info("socket")
        with suppress(OSError):  # the other side was faster
            connection.shutdown(socket.SHUT_RDWR)


class _Pump:
    """Reads events in a thread of its own, so that whoever waits for them can look up in between."""

    def __init__(self, stream: _Stream) -> None:
        self.over = False
        """Whether the stream has ended, and everything of it was handed out."""
        self._stream = stream
        self._queue: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, name="pull events", daemon=True)

    def __enter__(self) -> _Pump:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._stream.end()
            self._thread.join()

    def next(self, seconds: float) -> dict[str, Any] | None:
        """The next event; None when there is none within `seconds`, or no more at all. Raises what reading raised."""
        try:
            event = self._queue.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(event, BaseException):
            raise event
        self.over = event is None
        return event

    def _read(self) -> None:
        try:
            for event in self._stream.events():
                self._queue.put(event)
            self._queue.put(None)
        except BaseException as error:
            self._queue.put(error)


class _Watch:
    """Whether a pull still moves."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._completed: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self._status = ""
        self._moved = time.monotonic()

    def see(self, progress: Progress) -> None:
        """Take an event in."""
        if progress.digest is not None:
            self._totals[progress.digest] = progress.total or 0
            grown = progress.completed > self._completed.get(progress.digest, -1)
            self._completed[progress.digest] = progress.completed
        else:
            grown = progress.status != self._status
        self._status = progress.status
        if grown:
            self._moved = time.monotonic()

    def patient(self) -> bool:
        """Whether there is still time for it to move."""
        verifying = self._status.startswith("verifying")
        extra = sum(self._totals.values()) / VERIFY_RATE if verifying else 0.0
        return time.monotonic() - self._moved <= self._seconds + extra


def _from_this_machine(name: str) -> bool:
    """Whether a name leads to a registry on loopback. To Ollama `insecure` means plain http, without a try of https."""
    try:
        return asked_plainly(Name.parse(name).host.lower())
    except BadName:
        return False


def _progress(event: Mapping[str, Any]) -> Progress:
    digest, total, completed = event.get("digest"), event.get("total"), event.get("completed")
    return Progress(
        status=str(event.get("status") or ""),
        digest=digest if isinstance(digest, str) and digest else None,
        total=total if isinstance(total, int) else None,
        completed=completed if isinstance(completed, int) else 0,
    )


def _stalled(name: str, seconds: float) -> str:
    return f"the pull of {name} stood still for {seconds:g} s"


def _reason(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return body[:200].decode("utf-8", "replace")
    return str(found.get("error", "")) if isinstance(found, dict) else str(found)
