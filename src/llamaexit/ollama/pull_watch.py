"""Whether a pull still moves, and is still wanted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from llamaexit.ollama.pull_failures import KEPT, PullError
from llamaexit.units import MB, gb

VERIFY_RATE = 10 * MB
"""Bytes a second that a server is at least trusted to hash: no disk anybody keeps models on reads slower."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One event of a pull. `total`, `completed`: bytes of the layer `digest`; None and 0 where it is about no layer."""

    status: str
    digest: str | None = None
    total: int | None = None
    completed: int = 0


class PullWatch:
    """Looks after one pull of `model`. patience: seconds it may stand still. cancelled: whether it is still wanted.

    Ollama repeats its events every 60 ms though nothing arrives, so that an event proves nothing: a pull moves when a
    layer grows or the status is a new one. While it verifies what it has downloaded it sends nothing at all, for
    minutes with big models; then the patience is longer by as long as reading those bytes takes at the VERIFY_RATE.
    Layers that were there before are not verified (server/images.go) and do not count.
    """

    def __init__(
        self,
        model: str,
        patience: float,
        cancelled: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._patience = patience
        self._cancelled = cancelled
        self._clock = clock
        self._moved = clock()
        self._latest = Progress("")
        self._completed: dict[str, int] = {}
        self._to_verify: dict[str, int] = {}

    def see(self, progress: Progress) -> None:
        """Take an event in."""
        digest, total = progress.digest, progress.total or 0
        moved = progress.status != self._latest.status
        if digest is not None:
            before = self._completed.get(digest)
            if before is None and progress.completed < total:
                self._to_verify[digest] = total
            # against the last figure and not the largest: Ollama takes back what a broken part had counted
            moved = moved or before is None or progress.completed > before
            self._completed[digest] = progress.completed
        self._latest = progress
        if moved:
            self._moved = self._clock()

    def look(self) -> None:
        """Raises PullError when the pull is not wanted any more, or stands still for too long."""
        if self._cancelled():
            raise PullError("cancelled", f"the pull of {self._model} was cancelled", hint=KEPT)
        still = self._clock() - self._moved
        if still <= self._allowed():
            return
        latest = self._latest
        if self._verifies:
            message = f"Ollama has been verifying {self._model} for {still:.0f} s, which is longer than it should take"
        else:
            where = f", at {gb(latest.completed)} of {gb(latest.total)} of a layer" if latest.total else ""
            message = f"the pull of {self._model} has not moved for {still:.0f} s{where}"
        raise PullError("stalled", message, hint=f"look at the network and the log of the Ollama server; {KEPT}")

    @property
    def _verifies(self) -> bool:
        return self._latest.status.startswith("verifying")

    def _allowed(self) -> float:
        return self._patience + (sum(self._to_verify.values()) / VERIFY_RATE if self._verifies else 0.0)
