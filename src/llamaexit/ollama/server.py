"""A small client for the reading half of Ollama's HTTP API.

It stands on `http.client` because importing the `ollama` package (or `httpx` below it) takes longer than a whole plan
should, and because that package drops the fields a plan is made from: capabilities, remote models, `requires`,
tensors. Every request has an overall deadline and a size limit, no proxy is used, no Origin is sent.
Answers are handed out as they came, checked only for being JSON objects: what they hold is for the caller to judge.
"""

from __future__ import annotations

import http.client
import json
import time
from collections import deque
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

DEFAULT_TIMEOUT = 5.0
"""Seconds a request may take, connecting and reading included."""
TAGS_PATIENCE = 60.0
"""Seconds the list of models may take while the server goes on answering `/api/version`: after a start Ollama reads
the header of every model before it lists the first one (server/model_list_cache.go)."""
MAX_ANSWER = 64 * 1024**2
"""Bytes of the largest answer that is read. A verbose show of a model with a huge vocabulary has about 20 MB."""
_PIECE = 64 * 1024

JsonObject = dict[str, Any]


class _Answer:
    """Status, headers of interest, and body of one answer."""

    def __init__(self, response: http.client.HTTPResponse, body: bytes) -> None:
        self.status = response.status
        self.media_type = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        self.software = (response.getheader("Server") or "").lower()
        self.location = response.getheader("Location")
        self.body = body

    @property
    def is_page(self) -> bool:
        """Whether this is a web page, whatever its media type says."""
        return self.media_type in ("text/html", "application/xhtml+xml") or self.body[:64].lstrip()[:1] == b"<"

    def json(self) -> Any:
        """The body as JSON. Raises ValueError (which RecursionError is turned into)."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    def reason(self) -> str | None:
        """The text of Ollama's `{"error": …}`, on one line; None when this is not one."""
        try:
            found = self.json()
        except ValueError:
            return None
        text = found.get("error") if isinstance(found, dict) else None
        return " ".join(printable(text).split()) if isinstance(text, str) else None


class Server:
    """One Ollama server. Safe to use from several threads; each request takes a kept-alive connection of its own.

    timeout: seconds for each request, all told. api_key: sent as a bearer token, as Ollama's own clients do with
    OLLAMA_API_KEY. Every method raises an OllamaError (llamaexit.ollama.failures) when it cannot answer.
    """

    def __init__(self, url: str | Host, timeout: float = DEFAULT_TIMEOUT, *, api_key: str | None = None) -> None:
        self.host = url if isinstance(url, Host) else resolve(url)
        self.timeout = timeout
        self._headers = {"Accept": "application/json", "User-Agent": f"llamaexit/{llamaexit.__version__}"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._idle: deque[Connection] = deque()
        self._version: str | None = None

    @property
    def url(self) -> str:
        """The base URL that is asked."""
        return self.host.url

    def version(self) -> str:
        """The version as the server writes it (`0.33.0-rc2`; `0.0.0` from a build that does not know).

        This is the call that tells Ollama from everything else that may listen there.
        """
        answer = self._ask("GET", "/api/version")
        found = self._object(answer, "/api/version")
        version = found.get("version")
        if not isinstance(version, str) or not version:
            raise self._foreign(answer, "its /api/version has no version")
        self._version = version
        return version

    def tags(self) -> list[JsonObject]:
        """The installed models (`/api/tags`). Waits longer than `timeout` while the server proves to be alive."""
        alive = self.version if self._version else None
        return self._models("/api/tags", Deadline(self.timeout, alive=alive, limit=max(TAGS_PATIENCE, self.timeout)))

    def ps(self) -> list[JsonObject]:
        """The models in memory (`/api/ps`)."""
        return self._models("/api/ps", Deadline(self.timeout))

    def show(self, name: str, verbose: bool = False) -> JsonObject:
        """Everything about one model (`/api/show`). `verbose` includes the arrays, tokens and all: megabytes."""
        request: JsonObject = {"model": name}
        if verbose:
            request["verbose"] = True
        return self._object(self._ask("POST", "/api/show", request), "/api/show")

    def has_blob(self, digest: str) -> bool:
        """Whether the store of the server holds the blob `sha256:<64 hex>` completely."""
        answer = self._ask("HEAD", f"/api/blobs/{digest}")
        if answer.status in (200, 404):
            return answer.status == 200
        raise self._failure(answer, "/api/blobs")

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _models(self, path: str, deadline: Deadline) -> list[JsonObject]:
        found = self._object(self._ask("GET", path, deadline=deadline), path)
        models = found.get("models") or []  # null in old versions when there are none
        if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
            raise BadAnswer(f"{self.url}{path} does not list models the way Ollama does", hint=self._elsewhere())
        return models

    def _object(self, answer: _Answer, path: str) -> JsonObject:
        """The JSON object of a good answer; any other answer is raised as what it means."""
        if answer.status != 200:
            raise self._failure(answer, path)
        try:
            found = answer.json()
        except ValueError as error:
            if answer.is_page or path == "/api/version":
                raise self._foreign(answer, "it answers with a web page" if answer.is_page else None) from error
            raise BadAnswer(
                f"{self.url}{path} is not JSON", hint="look into the log of the server or of the proxy in front of it"
            ) from error
        if not isinstance(found, dict):
            raise BadAnswer(
                f"{self.url}{path} answered with JSON of another shape than Ollama's", hint=self._elsewhere()
            )
        return found

    def _failure(self, answer: _Answer, path: str) -> Exception:
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

    def _unknown_route(self, path: str) -> Exception:
        try:
            version = self._version or self.version()
        except NotOllama as error:
            return error
        return TooOld(
            f"Ollama {version} at {self.url} does not know {path}",
            hint="update Ollama (https://ollama.com/download), or read its models from disk with --store DIR",
        )

    def _foreign(self, answer: _Answer, why: str | None) -> NotOllama:
        if "llama.cpp" in answer.software:
            what = "is a llama-server of llama.cpp, not Ollama"
        else:
            what = f"is not an Ollama server{f': {why}' if why else ''}"
        return NotOllama(f"{self.url} {what}", hint=self._elsewhere())

    def _elsewhere(self) -> str:
        return "give Ollama's own address with --host or OLLAMA_HOST (its default port is 11434)"

    def _ask(
        self, method: str, path: str, request: JsonObject | None = None, *, deadline: Deadline | None = None
    ) -> _Answer:
        """One request and its answer, whatever its status. Failures of the connection become OllamaErrors."""
        deadline = deadline or Deadline(self.timeout)
        payload = None if request is None else json.dumps(request).encode()
        started = time.monotonic()
        connection, kept = (self._idle.pop(), True) if self._idle else (self._new(), False)
        try:
            try:
                response = self._send(connection, method, path, payload, deadline)
            except (http.client.RemoteDisconnected, ConnectionError):
                if not kept:
                    raise
                # the server closed the kept connection in between; every request here may be repeated
                connection.close()
                response = self._send(connection, method, path, payload, deadline)
            answer = _Answer(response, self._body(response, path))
        except BaseException as error:
            connection.close()
            if isinstance(error, (OSError, http.client.HTTPException, UnicodeError)):
                raise self._cut(error, path, time.monotonic() - started) from error
            raise
        self._idle.append(connection)
        return answer

    def _new(self) -> Connection:
        return Connection(self.host.name, self.host.port, tls=self.host.scheme == "https")

    def _send(
        self, connection: Connection, method: str, path: str, payload: bytes | None, deadline: Deadline
    ) -> http.client.HTTPResponse:
        connection.start(deadline)
        headers = self._headers if payload is None else {**self._headers, "Content-Type": "application/json"}
        connection.request(method, f"{self.host.path}{path}", payload, headers)
        return connection.getresponse()

    def _body(self, response: http.client.HTTPResponse, path: str) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := response.read(_PIECE):
            size += len(piece)
            if size > MAX_ANSWER:
                raise TooLarge(
                    f"{self.url}{path} answered with more than {MAX_ANSWER // 1024**2} MiB", hint=self._elsewhere()
                )
            pieces.append(piece)
        if response.length:
            raise http.client.IncompleteRead(b"".join(pieces), response.length)
        return b"".join(pieces)

    def _cut(self, error: Exception, path: str, seconds: float) -> Exception:
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
            return NotOllama(f"{self.url} does not speak HTTP", hint=self._elsewhere())
        reason = reason_of(error)
        if self.host.loopback:
            hint = (
                "start it (`ollama serve`, or see `systemctl status ollama`), read its models from disk with"
                " --store DIR, or give another address with --host"
            )
        else:
            hint = (
                "check the address, and that Ollama there listens beyond loopback (its OLLAMA_HOST=0.0.0.0);"
                " give another address with --host"
            )
        return Unreachable(f"{NO_SERVER}{self.url}: {reason}", hint=hint)


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
