"""Asking models, the way clients do: on every door, streamed or not, with the time each piece took.

Whatever a server or a model answers is an answer here, never an exception: errors in the shape of either door, a stream
that breaks off, a server that is gone. It stands on `http.client`, so that what is measured is the model.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import llamaexit
from llamaexit.ollama.connection import Connection, Deadline
from llamaexit.ollama.host import Host, resolve
from llamaexit.ollama.texts import printable
from llamaexit.ollama.wire import reason_of

JsonObject = dict[str, Any]
_LONGEST = 64 * 1024**2
"""Bytes of an answer that are read."""
_END: JsonObject = {}
"""Stands for the mark at the end of a stream on /v1."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a streamed answer, and the seconds since the request was sent when it was there."""

    seconds: float
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    status: 0 when nothing did. body: the answer, or the last piece of a stream; None when there is no JSON. chunks: the
    pieces of a stream. error: what went wrong, in words. seconds: until the last byte. timed_out: the time was over.
    """

    path: str
    request: JsonObject
    status: int
    body: JsonObject | None
    chunks: tuple[Chunk, ...]
    error: str | None
    seconds: float
    timed_out: bool = False


class Inference:
    """Asks the models of one Ollama server, one question at a time on a connection that is kept."""

    def __init__(self, host: str | Host, *, api_key: str | None = None) -> None:
        self.host = host if isinstance(host, Host) else resolve(host)
        self._headers = {"Content-Type": "application/json", "User-Agent": f"llamaexit/{llamaexit.__version__}"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._connection: Connection | None = None

    def ask(self, path: str, request: JsonObject, *, seconds: float) -> Reply:
        """Put a question, and wait `seconds` for the whole answer. ^C closes the connection, which ends the work."""
        return self._sent("POST", path, request, seconds)

    def loaded(self, *, seconds: float = 30.0) -> list[JsonObject]:
        """The models in memory (`/api/ps`); none when the server does not say."""
        body = self._sent("GET", "/api/ps", {}, seconds).body or {}
        models = body.get("models")
        return [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []

    def close(self) -> None:
        """Close the connection that is kept."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Inference:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sent(self, method: str, path: str, request: JsonObject, seconds: float) -> Reply:
        payload = json.dumps(request).encode() if method == "POST" else None
        kept = self._connection is not None
        reply = self._once(method, path, request, payload, seconds)
        if reply.status == 0 and kept and not reply.timed_out:
            # the server had closed the kept connection; nothing of the question had reached it
            reply = self._once(method, path, request, payload, seconds)
        return reply

    def _once(self, method: str, path: str, request: JsonObject, payload: bytes | None, seconds: float) -> Reply:
        connection = self._connection or Connection(self.host.name, self.host.port, tls=self.host.scheme == "https")
        self._connection = None
        begun = time.perf_counter()
        status, chunks, body = 0, [], None
        error: str | None = None
        timed_out = False
        whole = False
        try:
            connection.start(Deadline(seconds))
            connection.request(method, f"{self.host.path}{path}", payload, self._headers)
            response = connection.getresponse()
            status = response.status
            if request.get("stream") is True and status == 200:
                ended = False
                for found in _pieces(response):
                    ended = found is _END or found.get("done") is True
                    if found is not _END:
                        chunks.append(Chunk(time.perf_counter() - begun, found))
                body = chunks[-1].body if chunks else None
                error = next((text for chunk in chunks if (text := _error(chunk.body)) is not None), None)
                if error is None and not ended:
                    # http.client takes a cut chunked answer for a complete one
                    error = "the stream broke off before the answer was done"
            else:
                data = response.read(_LONGEST)
                body = _object(data)
                error = _error(body) if body is not None else _not_json(status, data)
                if error is None and status != 200:
                    error = f"answered {status}"
            whole = True
        except TimeoutError:
            timed_out, error = True, f"no answer within {seconds:.3g} s"
        except (OSError, http.client.HTTPException) as failure:
            error = f"the answer broke off: {reason_of(failure)}" if status else reason_of(failure)
        finally:
            if whole:
                self._connection = connection
            else:
                connection.close()
        return Reply(path, request, status, body, tuple(chunks), error, time.perf_counter() - begun, timed_out)


def _pieces(response: http.client.HTTPResponse) -> Iterator[JsonObject]:
    """The JSON objects of a stream: a line each on the native door, behind `data: ` on /v1."""
    size = 0
    while line := response.readline(_LONGEST):
        size += len(line)
        if size > _LONGEST:
            raise http.client.HTTPException("the answer has no end")
        text = line.strip().removeprefix(b"data:").strip()
        if text == b"[DONE]":
            yield _END
        if not text or text == b"[DONE]" or line.startswith((b":", b"event:")):
            continue
        found = _object(text)
        if found is not None:
            yield found


def _object(data: bytes) -> JsonObject | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _error(body: JsonObject) -> str | None:
    """The error in an answer of either door: `{"error": "…"}` or `{"error": {"message": "…"}}`."""
    found = body.get("error")
    if isinstance(found, dict):
        found = found.get("message")
    return " ".join(printable(found).split()) if isinstance(found, str) and found else None


def _not_json(status: int, data: bytes) -> str | None:
    text = " ".join(printable(data[:200].decode("utf-8", "replace")).split())
    return f"answered {status} with no JSON" + (f": {text}" if text else "")
