"""Asking models, the way clients do: on every door, streamed or not, with the time each piece took.

Whatever a server or a model answers is an answer here, never an exception: errors in the shape of any door, a stream
that breaks off, a server that is gone. It stands on `http.client`, so that what is measured is the model.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from llamaexit.errors import OllamaError
from llamaexit.ollama.connection import Deadline
from llamaexit.ollama.host import Host
from llamaexit.ollama.texts import printable
from llamaexit.ollama.wire import BROKEN, Answer, Exchange, JsonObject, Wire, media_type, one_line, parsed, reason_of

_NATIVE = "application/x-ndjson"
_EVENTS = "text/event-stream"
_DONE = b"[DONE]"
_LAST_EVENTS = ("message_stop", "response.completed")
"""What ends a stream of /v1/messages and /v1/responses."""
_LONGEST = 200
"""Characters that are repeated of an answer that should have been JSON."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a streamed answer, and the seconds from the moment the request was sent until it was there."""

    seconds: float
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    status: 0 when nothing did. body: the answer, or the last piece of a stream; None when there is no JSON. chunks: the
    pieces of a stream, those before an error included. error: what is wrong, in one line: what the server said, or what
    happened to the answer. seconds: from the moment the request was sent until the last byte. timed_out: the time was
    over before that.
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
    """Asks the models of one Ollama server, over connections that are kept."""

    def __init__(self, host: str | Host, *, api_key: str | None = None) -> None:
        self._wire = Wire(host, api_key=api_key)
        self.host = self._wire.host

    def ask(self, path: str, request: JsonObject, *, seconds: float) -> Reply:
        """Put a question, and wait `seconds` for the whole answer.

        When the time is over, or at ^C (which passes through), the connection is closed, and Ollama stops working on
        the answer.
        """
        heard = _Heard(time.monotonic())
        error: str | None = None
        timed_out = False
        try:
            with self._wire.exchange("POST", path, json.dumps(request).encode(), Deadline(seconds)) as exchange:
                error = heard.listen(exchange)
        except TimeoutError:
            timed_out, error = True, f"not answered within {seconds:.3g} s"
        except BROKEN as failure:
            error = "the answer broke off in the middle" if heard.status else _unreachable(failure)
        except OllamaError as failure:  # larger than anything should be
            error = failure.message
        took = time.monotonic() - heard.sent
        return Reply(path, request, heard.status, heard.body, tuple(heard.chunks), error, took, timed_out)

    def loaded(self, *, seconds: float = 30.0) -> list[JsonObject]:
        """The models in memory (`/api/ps`); none when the server does not say."""
        try:
            return self._wire.models("/api/ps", Deadline(seconds))
        except OllamaError:
            return []

    def close(self) -> None:
        """Close the connections that are kept."""
        self._wire.close()

    def __enter__(self) -> Inference:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(slots=True)
class _Heard:
    """What has come of an answer so far. sent: when the question was, or before that when it was to be."""

    sent: float
    status: int = 0
    body: JsonObject | None = None
    chunks: list[Chunk] = field(default_factory=list)

    def listen(self, exchange: Exchange) -> str | None:
        """Hear an answer to its end; what is wrong with it, if anything."""
        self.sent, self.status = exchange.sent, exchange.response.status
        kind = media_type(exchange.response)
        if self.status == 200 and kind in (_NATIVE, _EVENTS):
            return self._listen_to_pieces(_lines(exchange) if kind == _NATIVE else _events(exchange))
        answer = Answer(exchange.response, exchange.read())
        self.body = _object(answer.body)
        if self.body is None:
            return _not_json(answer)
        said = _error_in(self.body)
        return said if said is not None or self.status == 200 else f"answered {self.status} without a reason"

    def _listen_to_pieces(self, pieces: Iterator[bytes]) -> str | None:
        error: str | None = None
        done = False
        for piece in pieces:
            if piece == _DONE:
                done = True
                continue
            came = time.monotonic() - self.sent
            found = _object(piece)
            if found is None:
                return f"a piece of the answer is no JSON: {_excerpt(piece)}"
            self.chunks.append(Chunk(came, found))
            self.body = found
            error = error or _error_in(found)
            done = found.get("done") is True or found.get("type") in _LAST_EVENTS
        # Ollama ends a stream like this when a model repeats one token for ever, and when it crashes
        return error if error is not None or done else "the stream broke off before the answer was done"


def _lines(exchange: Exchange) -> Iterator[bytes]:
    """The lines of a body, each as soon as it is complete."""
    begun: list[bytes] = []
    for piece in exchange.pieces():
        *ended, rest = piece.split(b"\n")
        for line in ended:
            whole = b"".join((*begun, line)).strip()
            begun = []
            if whole:
                yield whole
        begun.append(rest)
    if last := b"".join(begun).strip():
        yield last


def _events(exchange: Exchange) -> Iterator[bytes]:
    """The data of server-sent events, of which these servers put each on a line of its own."""
    for line in _lines(exchange):
        if line.startswith(b"data:"):
            yield line[5:].strip()
        elif line.startswith(b"{"):  # an error that was not wrapped into an event
            yield line


def _object(data: bytes) -> JsonObject | None:
    try:
        found = parsed(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _error_in(body: JsonObject) -> str | None:
    """The error in an answer of any door: `{"error": "…"}` or `{"error": {"message": "…"}}`."""
    found: Any = body.get("error")
    if isinstance(found, dict):
        found = found.get("message") or json.dumps(found)
    if not found:
        return None
    return one_line(found if isinstance(found, str) else json.dumps(found))


def _not_json(answer: Answer) -> str:
    answered = f"answered {answer.status}"
    if 300 <= answer.status < 400:
        return f"{answered}, sending on to {printable(answer.location or 'somewhere else')}"
    if answer.is_page:
        return f"{answered} with a web page, which is no JSON"
    return f"{answered} with no JSON" + (f": {_excerpt(answer.body)}" if answer.body.strip() else "")


def _excerpt(data: bytes) -> str:
    return one_line(data[: 4 * _LONGEST].decode("utf-8", "replace"))[:_LONGEST]


def _unreachable(error: Exception) -> str:
    if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected):
        return "what answers does not speak HTTP"
    return reason_of(error)
