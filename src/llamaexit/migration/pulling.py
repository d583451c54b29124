"""Patience around one pull: tries again, resuming; watches the disk; tells how far it is and how long it will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.ollama.pull_failures import PullError
from llamaexit.units import gb

if TYPE_CHECKING:
    from llamaexit.ollama.changes import Changes, Progress

ATTEMPTS = 6
"""Tries without a byte gained before a pull is given up."""
_WINDOW = 10.0
"""Seconds over which the speed is measured."""
_REPORTS = 0.1
"""Seconds between reports."""
_LOOK_AT_DISK = 1.0
"""Seconds between looks at the disk."""
_GLANCE = 0.1
"""Seconds between looks at whether to stop, while waiting."""
_LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is: of all layers together, and of the layer that is being fetched. Sizes are bytes.

    total: None until a layer or the plan tells. bytes_per_second, seconds_left: None while there is no speed yet.
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


def pull_patiently(
    name: str,
    *,
    changes: Changes,
    size: int | None,
    free: Callable[[], int | None],
    margin: int,
    report: Callable[[PullProgress], None],
    cancelled: Callable[[], bool],
    attempts: int = ATTEMPTS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Pull a model, trying again as long as something is gained now and then.

    size: bytes still to fetch by the plan, None when not known. free: bytes free on the disk of the model store, None
    when that cannot be seen. margin: bytes that have to stay free. Raises PullError.
    """
    _refuse_without_room(name, size, free(), margin)
    meter = _Meter(name, size, report, clock)
    failures = 0
    while True:
        gained = meter.completed
        looked = clock()

        def stop() -> bool:
            nonlocal looked
            if clock() - looked >= _LOOK_AT_DISK:
                looked = clock()
                left = free()
                if left is not None and left < margin and meter.unfinished:
                    raise PullError(
                        "disk-full",
                        f"the disk of the model store has {gb(left)} left: the pull of {name} was stopped",
                        hint="free some disk; what was downloaded is kept",
                    )
            return cancelled()

        try:
            changes.pull(name, meter.see, cancelled=stop)
            return
        except PullError as error:
            failures = 0 if meter.completed > gained else failures + 1
            if not error.retryable or failures >= attempts or cancelled():
                raise
            pause = min(2.0 ** max(failures - 1, 0), _LONGEST_PAUSE)
            meter.again(f"{error.message}; trying again in {pause:g} s")
            _wait(pause, cancelled, clock, sleep)
            if cancelled():
                raise PullError("cancelled", f"the pull of {name} was cancelled") from error


def _refuse_without_room(name: str, size: int | None, free: int | None, margin: int) -> None:
    if size is not None and free is not None and size + margin > free:
        raise PullError(
            "disk-full",
            f"{name} needs {gb(size)} more, the disk of the model store has {gb(free)} free",
            hint="free some disk, then go on",
        )


def _wait(
    seconds: float, cancelled: Callable[[], bool], clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    until = clock() + seconds
    while not cancelled() and (left := until - clock()) > 0:
        sleep(min(left, _GLANCE))


class _Meter:
    """Adds up what the events of a pull tell, and reports it ten times a second at most."""

    def __init__(
        self, name: str, size: int | None, report: Callable[[PullProgress], None], clock: Callable[[], float]
    ) -> None:
        self._name = name
        self._size = size
        self._report = report
        self._clock = clock
        self._layers: dict[str, tuple[int, int]] = {}
        self._first: dict[str, int] = {}
        self._attempt = 1
        self._reported = float("-inf")
        self._points: deque[tuple[float, int]] = deque()

    @property
    def completed(self) -> int:
        """Bytes that are there, those of earlier tries included."""
        return sum(completed for completed, _ in self._layers.values())

    @property
    def unfinished(self) -> bool:
        """Whether there are bytes to come that are known of."""
        return any(completed < total for completed, total in self._layers.values())

    def see(self, progress: Progress) -> None:
        """Take an event in."""
        layer = progress.digest
        if layer is not None:
            completed, total = progress.completed, progress.total or 0
            if layer not in self._first:
                # what was there before this pull is no speed
                self._first[layer] = completed
            before = self._layers.get(layer, (0, 0))[0]
            self._layers[layer] = (max(before, completed), total)
        self._measure()
        done = progress.status == "success"
        if done:
            self._layers = {layer: (total, total) for layer, (_, total) in self._layers.items()}
        if done or self._clock() - self._reported >= _REPORTS:
            self._tell(progress.status, layer)

    def again(self, status: str) -> None:
        """A try ended, and another follows."""
        self._attempt += 1
        self._points.clear()
        self._tell(status, None)

    def _measure(self) -> None:
        now = self._clock()
        fetched = self.completed - sum(self._first.values())
        self._points.append((now, fetched))
        while len(self._points) > 2 and now - self._points[0][0] > _WINDOW:
            self._points.popleft()

    def _speed(self) -> float | None:
        if len(self._points) < 2:
            return None
        (began, at_first), (now, at_last) = self._points[0], self._points[-1]
        if now - began < 0.5 or at_last <= at_first:
            return None
        return (at_last - at_first) / (now - began)

    def _tell(self, status: str, layer: str | None) -> None:
        self._reported = self._clock()
        completed, speed = self.completed, self._speed()
        known = sum(total for _, total in self._layers.values())
        total = max(known, self._size or 0) or None
        if status == "success" and total is not None:
            # a layer that was here, or arrived between two events, is told of by none
            completed = total
        left = (total - completed) / speed if total is not None and speed else None
        at, of = self._layers.get(layer, (0, 0)) if layer is not None else (0, 0)
        self._report(
            PullProgress(
                self._name, completed, total, layer, at, of or None, speed, left, status, self._attempt
            )
        )  # fmt: skip
