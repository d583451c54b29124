"""The way to one Ollama server: connections that are kept, headers, and what it means when no good answer comes.

What reads (`server`), what changes (`changes`) and what asks models (`inference`) all go through here, so that a server
that is down, foreign, forbidden or too old is told in the same words whoever ran into it.
"""

from __future__ import annotations

import http.client
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import llamaexit
from llamaexit.ollama.connection import Connection, Deadline
from llamaexit.ollama.failures import (
    NO_SERVER,
    BadAnswer,
    Forbidden,
    NotOllama,
    Refused,
    TimedOut,
    TooLarge,
    TooOld,
    Unauthorized,
    Unreachable,
)
from llamaexit.ollama.host import Host, resolve
from llamaexit.ollama.texts import printable

MAX_ANSWER = 64 * 1024**2
"""Bytes of the largest answer that is read. A verbose show of a model with a huge vocabulary has about 20 MB."""
BROKEN = (OSError, http.client.HTTPException, UnicodeError)
"""What a connection raises that fails, cannot be made, or does not speak HTTP. TimeoutError is an OSError."""
_PIECE = 64 * 1024
_GLANCE = 5.0
"""Seconds to ask a server for its version that has just answered something else."""
_ELSEWHERE = "give Ollama's own address with --host or OLLAMA_HOST (its default port is 11434)"

JsonObject = dict[str, Any]


class Answer:
    """Status, headers of interest, and body of one answer."""

    def __init__(self, response: http.client.HTTPResponse, body: bytes) -> None:
        self.status = response.status
        self.media_type = media_type(response)
        self.software = (response.getheader("Server") or "").lower()
        self.location = response.getheader("Location")
        self.body = body

    @property
    def is_page(self) -> bool:
        """Whether this is a web page, whatever its media type says."""
        return self.media_type in ("text/html", "application/xhtml+xml") or self.body[:64].lstrip()[:1] == b"<"

    def reason(self) -> str | None:
        """The text of Ollama's `{"error": …}`, on one line; None when this is not one."""
        try:
            found = parsed(self.body)
        except ValueError:
            return None
        text = found.get("error") if isinstance(found, dict) else None
        return one_line(text) if isinstance(text, str) else None


class Exchange:
    """A request that was sent, and the answer whose body is yet to be read. sent: `time.monotonic()` when it was.

    whole: whether the body was read to its proper end.
    """

    def __init__(self, response: http.client.HTTPResponse, sent: float, where: str) -> None:
        self.response = response
        self.sent = sent
        self.whole = False
        self._where = where

    def pieces(self) -> Iterator[bytes]:
        """The body as it arrives. Raises TimeoutError, IncompleteRead when it breaks off, and TooLarge."""
        size = 0
        while piece := self._read():
            size += len(piece)
            if size > MAX_ANSWER:
                raise TooLarge(f"{self._where} answered with more than {MAX_ANSWER // 1024**2} MiB", hint=_ELSEWHERE)
            yield piece
        if self.response.length:
            raise http.client.IncompleteRead(b"", self.response.length)
        self.whole = True

    def _read(self) -> bytes:
        try:
            # of a chunked answer at most one chunk, so nothing that has come waits for what has not
            return self.response.read1(_PIECE)
        except TimeoutError:
            raise
        except OSError as error:  # reset by the other side, or TLS without its end
            raise http.client.IncompleteRead(b"") from error

    def read(self) -> bytes:
        """The whole body. Raises as `pieces` does."""
        return b"".join(self.pieces())


class Wire:
    """Sends requests to one server. Safe to use from several threads; each request takes a connection of its own.

    api_key: sent as a bearer token, as Ollama's own clients do with OLLAMA_API_KEY. on_disk: whether what is asked can
    also be read from the model store, so that hints say it. No proxy is used, no redirect followed, no Origin sent.
    """

    def __init__(self, host: str | Host, *, api_key: str | None = None, on_disk: bool = False) -> None:
        self.host = host if isinstance(host, Host) else resolve(host)
        self.headers = {"Accept": "application/json", "User-Agent": f"llamaexit/{llamaexit.__version__}"}
        if api_key:
            self.headers["Authorization"] = f"Bearer {api_key}"
        self.known_version: str | None = None
        """What the server said last."""
        self._on_disk = on_disk
        self._idle: deque[Connection] = deque()

    @property
    def url(self) -> str:
        """The base URL that is asked."""
        return self.host.url

    def close(self) -> None:
        """Close the connections that are kept."""
        while (connection := self._kept()) is not None:
            connection.close()

    @contextmanager
    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        deadline: Deadline,
        *,
        reading: Deadline | None = None,
        keep: bool = True,
    ) -> Iterator[Exchange]:
        """Send a request and hand out the answer once its headers are there.

        reading: the deadline from there on, if another one. keep: take a connection that was kept, and keep it when the
        body was read to its end; it is closed otherwise, which ends what the server does for the request. Raises
        BROKEN.
        """
        connection = self._kept() if keep else None
        kept = connection is not None
        if connection is None:
            connection = Connection(self.host.name, self.host.port, tls=self.host.scheme == "https")
        try:
            try:
                exchange = self._sent(connection, method, path, body, deadline, reading)
            except (http.client.RemoteDisconnected, ConnectionError):
                if not kept:
                    raise
                # the server closed the kept connection in between; what is asked over one may be asked twice
                connection.close()
                exchange = self._sent(connection, method, path, body, deadline, reading)
            yield exchange
        except BaseException:
            connection.close()
            raise
        if keep and exchange.whole:
            exchange.response.close()
            self._idle.append(connection)
        else:
            exchange.response.close()
            connection.close()

    def ask(self, method: str, path: str, request: JsonObject | None, deadline: Deadline) -> Answer:
        """One request and its whole answer, whatever its status. Raises OllamaError."""
        body = None if request is None else json.dumps(request).encode()
        with self.in_words(path), self.exchange(method, path, body, deadline) as exchange:
            return Answer(exchange.response, exchange.read())

    def version(self, deadline: Deadline) -> str:
        """The version as the server writes it (`0.33.0-rc2`; `0.0.0` from a build that does not know).

        This is the call that tells Ollama from everything else that may listen there. Raises OllamaError.
        """
        answer = self.ask("GET", "/api/version", None, deadline)
        version = self.object(answer, "/api/version").get("version")
        if not isinstance(version, str) or not version:
            raise self._foreign(answer, "its /api/version has no version")
        self.known_version = version
        return version

    def models(self, path: str, deadline: Deadline) -> list[JsonObject]:
        """The models that `/api/tags` or `/api/ps` list. Raises OllamaError."""
        found = self.object(self.ask("GET", path, None, deadline), path)
        models = found.get("models") or []  # null in old versions when there are none
        if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
            raise BadAnswer(f"{self.url}{path} does not list models the way Ollama does", hint=_ELSEWHERE)
        return models

    def object(self, answer: Answer, path: str) -> JsonObject:
        """The JSON object of a good answer; any other answer is raised as what it means."""
        if answer.status != 200:
            raise self.failure(answer, path)
        try:
            found = parsed(answer.body)
        except ValueError as error:
            if answer.is_page or path == "/api/version":
                raise self._foreign(answer, "it answers with a web page" if answer.is_page else None) from error
            raise BadAnswer(
                f"{self.url}{path} is not JSON", hint="look into the log of the server or of the proxy in front of it"
            ) from error
        if not isinstance(found, dict):
            raise BadAnswer(f"{self.url}{path} answered with JSON of another shape than Ollama's", hint=_ELSEWHERE)
        return found

    def failure(self, answer: Answer, path: str) -> Exception:
        """What an answer that is no 200 means."""
        status, reason, where = answer.status, answer.reason(), f"{self.url}{path}"
        if 300 <= status < 400:
            to = printable(answer.location or "somewhere else")
            return NotOllama(f"{self.url} sends on to {to}", hint="give the final address with --host")
        if status in (401, 407):
            return Unauthorized(
                f"{self.url} wants to know who is asking ({status}{f': {reason}' if reason else ''})",
                hint="put the key into OLLAMA_API_KEY, or ask the server behind the proxy with --host",
            )
        if status == 403 and reason is None:
            return Forbidden(
                f"{self.url} refuses to answer (403)",
                hint="an Ollama bound to loopback answers only requests for localhost, private addresses, *.local and"
                " *.internal: let the reverse proxy send `Host: localhost`, or ask the server directly with --host",
            )
        if status in (502, 503, 504) and reason is None:
            return Unreachable(
                f"{self.url} is a proxy that does not reach its server ({status})",
                hint="start Ollama behind it, or ask it directly with --host",
            )
        if reason is not None and path != "/api/version":
            return Refused(f"{where} answered {status}: {reason}", status=status, reason=reason)
        if status in (404, 405) and path != "/api/version":
            return self._unknown_route(path)
        return self._foreign(answer, f"its /api/version answers {status}" if path == "/api/version" else None)

    @contextmanager
    def in_words(self, path: str) -> Iterator[None]:
        """Raises what goes wrong with the connection as an OllamaError."""
        started = time.monotonic()
        try:
            yield
        except BROKEN as error:
            raise self.cut(error, path, time.monotonic() - started) from error

    def cut(self, error: Exception, path: str, seconds: float) -> Exception:
        """A failure of the connection in words."""
        if isinstance(error, TimeoutError):
            return TimedOut(
                f"{self.url}{path} did not answer within {seconds:.3g} s",
                hint="the server hangs or is busy: try again with --timeout SECONDS, or restart Ollama",
            )
        if isinstance(error, http.client.IncompleteRead):
            return BadAnswer(
                f"{self.url}{path} broke off in the middle of its answer",
                hint="the server may have been restarted: try again",
            )
        if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected):
            return NotOllama(f"{self.url} does not speak HTTP", hint=_ELSEWHERE)
        disk = ", read its models from disk with --store DIR" if self._on_disk else ""
        if self.host.loopback:
            start = "start it (`ollama serve`, or see `systemctl status ollama`)"
            hint = f"{start}{disk}, or give another address with --host"
        else:
            hint = (
                "check the address, and that Ollama there listens beyond loopback (its OLLAMA_HOST=0.0.0.0);"
                " give another address with --host"
            )
        return Unreachable(f"{NO_SERVER}{self.url}: {reason_of(error)}", hint=hint)

    def _kept(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _sent(
        self,
        connection: Connection,
        method: str,
        path: str,
        body: bytes | None,
        deadline: Deadline,
        reading: Deadline | None,
    ) -> Exchange:
        connection.start(deadline)
        headers = self.headers if body is None else {**self.headers, "Content-Type": "application/json"}
        connection.request(method, f"{self.host.path}{path}", body, headers)
        if reading is not None:
            connection.start(reading)
        return Exchange(connection.getresponse(), connection.sent, f"{self.url}{path}")

    def _unknown_route(self, path: str) -> Exception:
        try:
            version = self.known_version or self.version(Deadline(_GLANCE))
        except NotOllama as error:
            return error
        disk = ", or read its models from disk with --store DIR" if self._on_disk else ""
        return TooOld(
            f"Ollama {version} at {self.url} does not know {path}",
            hint=f"update Ollama (https://ollama.com/download){disk}",
        )

    def _foreign(self, answer: Answer, why: str | None) -> NotOllama:
        if "llama.cpp" in answer.software:
            what = "is a llama-server of llama.cpp, not Ollama"
        else:
            what = f"is not an Ollama server{f': {why}' if why else ''}"
        return NotOllama(f"{self.url} {what}", hint=_ELSEWHERE)


def media_type(response: http.client.HTTPResponse) -> str:
    """The media type of an answer, in lower case and without parameters."""
    return (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()


def parsed(data: bytes) -> Any:
    """JSON. Raises ValueError for everything that is wrong with it, nesting without end included."""
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def one_line(text: str) -> str:
    """A text of somebody else's for one line on a terminal."""
    return " ".join(printable(text).split())


def reason_of(error: Exception) -> str:
    """The reason of a failed connection without numbers and codes."""
    if isinstance(error, UnicodeError):
        return "no host can have such a name"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, (http.client.RemoteDisconnected, ConnectionError)):
        return "the connection was closed without an answer"
    verify = getattr(error, "verify_message", None)  # ssl.SSLCertVerificationError
    if verify:
        return f"its TLS certificate is not accepted: {verify}"
    reason = getattr(error, "reason", None)  # ssl.SSLError
    if isinstance(reason, str):
        return f"TLS failed: {reason.replace('_', ' ').lower()}"
    return str(getattr(error, "strerror", None) or error).lower()
