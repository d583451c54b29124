"""Adds up what the events of a pull tell: how far it is, how fast, and how long it will take."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamaexit.ollama.changes import Progress

_WINDOW = 5.0
"""Seconds over which the speed is measured."""
_SHORTEST = 1.0
"""Seconds of it that have to have passed before there is a speed."""
_EVERY = 0.1
"""Seconds between two reports about the same layer."""


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is: of all layers together, and of the layer that is being fetched. Sizes are bytes.

    total: None until a layer or the plan tells; what is known of grows as layers are told of. layer: a digest.
    bytes_per_second, seconds_left: None while there is no speed. status: what Ollama says, or why nothing is asked for
    at the moment. attempt: counts from 1.
    """

    model: str
    completed: int
    total: int | None
    layer: str | None
    layer_completed: int
    layer_total: int | None
    bytes_per_second: float | None
    seconds_left: float | None
    status: str
    attempt: int


@dataclass(slots=True)
class _Layer:
    total: int
    completed: int
    at_first: int


class Meter:
    """What is known of one pull of `model`, over all its tries. size: bytes to fetch by the plan, None when unknown."""

    def __init__(
        self, model: str, size: int | None, report: Callable[[PullProgress], None], clock: Callable[[], float]
    ) -> None:
        self._model = model
        self._size = size
        self._report = report
        self._clock = clock
        self._attempt = 1
        self._layers: dict[str, _Layer] = {}
        self._told: set[str] = set()
        self._fetched = 0
        self._points: deque[tuple[float, int]] = deque()
        self._reported = float("-inf")

    @property
    def gained(self) -> int:
        """Bytes that are there and were not when the pull was first told of them."""
        return sum(layer.completed - layer.at_first for layer in self._layers.values())

    def see(self, progress: Progress) -> None:
        """Take an event in, and report it: of those in the middle of a layer, about ten a second."""
        now = self._clock()
        news = True
        if progress.digest is not None:
            news = self._take(progress.digest, progress.completed, progress.total or 0)
        elif not progress.status.startswith("pulling"):
            # the last event of a layer need not be its end, but what follows the layers begins when all are there
            for layer in self._layers.values():
                layer.completed = layer.total
        self._points.append((now, self._fetched))
        while now - self._points[0][0] > _WINDOW and len(self._points) > 2:
            self._points.popleft()
        if news or now - self._reported >= _EVERY:
            self._tell(progress.status, progress.digest, now)

    def again(self, why: str) -> None:
        """A try has failed, and another one follows. Pauses are no part of the speed."""
        self._attempt += 1
        self._told.clear()
        self._points.clear()
        self._tell(why, None, self._clock())

    def _take(self, digest: str, completed: int, total: int) -> bool:
        """Take an event about a layer in; whether the layer has just been told of as being here."""
        layer = self._layers.get(digest)
        whole = completed >= total and (layer is None or layer.completed < total)
        if layer is None:
            layer = self._layers[digest] = _Layer(total, completed, completed)
        if digest in self._told:
            # what a try finds when it begins was fetched by an earlier one
            self._fetched += completed - layer.completed
        self._told.add(digest)
        layer.completed, layer.total = completed, total
        return whole

    def _speed(self) -> float | None:
        if len(self._points) < 2:
            return None
        (began, at_first), (now, at_last) = self._points[0], self._points[-1]
        if now - began < _SHORTEST or at_last <= at_first:
            return None
        return (at_last - at_first) / (now - began)

    def _tell(self, status: str, digest: str | None, now: float) -> None:
        self._reported = now
        total = max(sum(layer.total for layer in self._layers.values()), self._size or 0) or None
        completed = sum(layer.completed for layer in self._layers.values())
        if status == "success" and total is not None:
            # a layer that arrived between two events is told of by none
            completed = total
        speed = self._speed()
        left = max(total - completed, 0) / speed if total is not None and speed is not None else None
        layer = self._layers[digest] if digest is not None else None
        self._report(
            PullProgress(
                model=self._model,
                completed=completed,
                total=total,
                layer=digest,
                layer_completed=layer.completed if layer is not None else 0,
                layer_total=layer.total if layer is not None else None,
                bytes_per_second=speed,
                seconds_left=left,
                status=status,
                attempt=self._attempt,
            )
        )
