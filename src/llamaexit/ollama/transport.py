"""Carries what the `ollama` package asks over our own connections.

So a call that changes something has the deadlines, the trust store and the words for failures of every other request,
no proxy or key gets in from the environment, and a stream whose end is missing is not taken for one that is complete.
Importing this imports `httpx`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx

from llamaexit.ollama.connection import Deadline
from llamaexit.ollama.wire import Answer, Exchange, Wire


class WireTransport(httpx.BaseTransport):
    """Sends requests on `wire`, whatever address they name. Raises every answer that is no 200 as an OllamaError.

    timeout: seconds for each request, or, with `reading`, until its answer is being waited for.
    """

    def __init__(self, wire: Wire, timeout: float, reading: Deadline | None = None) -> None:
        self._wire = wire
        self._timeout = timeout
        self._reading = reading

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to one request, its body still to be read."""
        path = request.url.path
        with ExitStack() as stack, self._wire.in_words(path):
            exchange = stack.enter_context(
                # not on a connection that was kept: what changes something is never sent twice without being asked to
                self._wire.exchange(
                    request.method,
                    path,
                    request.read(),
                    Deadline(self._timeout),
                    reading=self._reading,
                    keep=False,
                )
            )
            answer = exchange.response
            if answer.status != 200:
                raise self._wire.failure(Answer(answer, exchange.read()), path)
            return httpx.Response(
                200,
                headers={"Content-Type": answer.getheader("Content-Type") or ""},
                stream=_Body(self._wire, path, exchange, stack.pop_all()),
            )


class _Body(httpx.SyncByteStream):
    def __init__(self, wire: Wire, path: str, exchange: Exchange, held: ExitStack) -> None:
        self._wire = wire
        self._path = path
        self._exchange = exchange
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        with self._wire.in_words(self._path):
            yield from self._exchange.pieces()

    def close(self) -> None:
        """Close the connection. A server that was still at work for it stops."""
        self._held.close()
