"""How smoke tests reach a model, and what it means when no answer comes back.

`Inference` is what they need of Ollama; `llamaexit.ollama.inference` has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from llamaexit.smoke.model import Fault, Outcome


class Chunk(Protocol):
    """One piece of a streamed answer. seconds: from the request until it came."""

    @property
    def seconds(self) -> float: ...
    @property
    def body(self) -> dict[str, Any]: ...


class Reply(Protocol):
    """What came back. status: 0 when nothing did. body: None when it is no JSON object; of a stream, the last piece.
    error: why it is no answer."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> dict[str, Any] | None: ...
    @property
    def chunks(self) -> Sequence[Chunk]: ...
    @property
    def error(self) -> str | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def timed_out(self) -> bool: ...


class Inference(Protocol):
    """The way to the models of one Ollama."""

    def ask(self, path: str, request: dict[str, Any], *, seconds: float) -> Reply:
        """Put one request and wait at most so long. A bad answer is a reply, too; it is never raised."""

    def loaded(self) -> Sequence[dict[str, Any]]:
        """The models in memory, as `/api/ps` lists them."""


class Unanswered(Exception):
    """A question that got no answer. outcome: `fail` where the model or its server said no, `error` where it could
    not be asked. reason: one line. lasting: every other question would go the same way. cut: the answer had begun."""

    def __init__(
        self, outcome: Outcome, fault: Fault, reason: str, *, lasting: bool = False, cut: bool = False
    ) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.fault = fault
        self.reason = reason
        self.lasting = lasting
        self.cut = cut


_UNSUPPORTED = re.compile(r"does not support|input is not supported|missing data required for image", re.I)
_TOO_OLD = re.compile(
    r"newer version of ollama|unknown model architecture|unsupported (model )?architecture|unknown (renderer|parser)"
    r"|no longer compatible with your version",
    re.I,
)
_NO_FIT = re.compile(
    r"more system memory|out of memory|insufficient memory|not enough memory|cudamalloc failed"
    r"|(unable|failed) to allocate|cannot allocate memory",
    re.I,
)
_NOBODY_ANSWERS = frozenset({401, 403, 404, 407, 429, 499, 502, 503, 504})
"""Statuses that say nothing about the model: it is gone, the server is busy, or something stands before it."""


def unanswered(reply: Reply, seconds: float) -> Unanswered | None:
    """What is wrong with a reply; None when it is an answer. seconds: how long it was waited for.

    The texts are those of Ollama's server and of the runners below it.
    """
    error = " ".join(_inner(reply.error or "").split())
    if reply.timed_out:
        return Unanswered("error", "timeout", f"no answer within {seconds:.0f} seconds")
    if reply.status == 0:
        return Unanswered("error", "broken", error or "no answer")
    if reply.status < 400 and not error:
        return None if reply.body is not None or reply.chunks else Unanswered("error", "broken", "an empty answer")
    if reply.status < 400 and not _said_by_server(reply):
        return Unanswered("error", "broken", error, cut=True)
    told = f"the server answered {reply.status}" if reply.status >= 400 else "the answer ended in an error"
    reason = f"{told}: {error}" if error else told
    if reply.status == 412 or _TOO_OLD.search(error):
        return Unanswered("fail", "too-old", reason, lasting=True)
    if reply.status == 501 or _UNSUPPORTED.search(error):
        return Unanswered("fail", "unsupported", reason, lasting=True)
    if _NO_FIT.search(error):
        return Unanswered("fail", "no-fit", reason, lasting=True)
    if reply.status in _NOBODY_ANSWERS:
        return Unanswered("error", "broken", reason, lasting=True)
    return Unanswered("fail", "broken", reason)


def _inner(error: str) -> str:
    """An error of the runner, which Ollama passes on as the JSON it is: `{"error":{"code":400,"message":"…"}}`."""
    try:
        found = json.loads(error)["error"]["message"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return error
    return found if isinstance(found, str) else error


def _said_by_server(reply: Reply) -> bool:
    """Whether an error under a good status is a line of the server's; else the connection was cut."""
    return any("error" in body for body in (reply.body or {}, *(chunk.body for chunk in reply.chunks)))
