"""Patience around one pull: tries again, resuming; watches the disk; tells how far it is and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from llamaexit.migration.pull_meter import Meter, PullProgress
from llamaexit.ollama.pull_failures import KEPT, PullError
from llamaexit.units import gb

if TYPE_CHECKING:
    from llamaexit.ollama.changes import Changes, Progress

__all__ = ["PullProgress", "pull_patiently"]

ATTEMPTS = 6
"""Tries in a row without a byte gained after which a pull is given up."""
_LONGEST_PAUSE = 60.0
_GLANCE = 0.1
"""Seconds between looks at whether to stop, while waiting."""
_LOOK_AT_DISK = 1.0
"""Seconds between looks at the disk, while bytes arrive."""


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
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Pull a model, asking again after failures that may pass. Ollama goes on where the last try ended.

    The pauses between tries double, from one second to a minute; they and the count of tries begin anew whenever bytes
    were gained. size: bytes still to fetch by the plan, None when not known. free: bytes free on the disk of the model
    store, None when that cannot be seen. margin: bytes that have to stay free, or else the pull is stopped. report:
    hears about ten events a second. cancelled: is asked as often, waiting included. Raises PullError.
    """
    room = _Room(name, free, margin, clock)
    room.check_for(size)
    meter = Meter(name, size, report, clock)
    failures = 0
    damaged = False

    def hear(progress: Progress) -> None:
        meter.see(progress)
        if progress.completed < (progress.total or 0):
            room.check_now()

    while not cancelled():
        before = meter.gained
        try:
            changes.pull(name, hear, cancelled=cancelled)
            return
        except PullError as error:
            failures = 1 if meter.gained > before else failures + 1
            # a damaged file is fetched from its beginning, which may be hours
            if not error.retryable or failures >= attempts or (damaged and error.kind == "digest"):
                raise _given_up(error, failures) from error
            damaged = damaged or error.kind == "digest"
            pause = min(2.0 ** (failures - 1), _LONGEST_PAUSE)
            meter.again(f"{error.message}; trying again in {pause:g} s")
        _wait(pause, cancelled, wait, clock)
    raise PullError("cancelled", f"the pull of {name} was cancelled", hint=KEPT)


def _given_up(error: PullError, failures: int) -> PullError:
    if failures == 1 or not error.retryable:
        return error
    return PullError(error.kind, f"{error.message} (tried {failures} times)", hint=error.hint, retryable=True)


def _wait(
    seconds: float, cancelled: Callable[[], bool], wait: Callable[[float], None], clock: Callable[[], float]
) -> None:
    until = clock() + seconds
    while not cancelled() and (left := until - clock()) > 0:
        wait(min(left, _GLANCE))


class _Room:
    """The disk of the model store, of which Ollama itself takes no care before it is full."""

    def __init__(self, model: str, free: Callable[[], int | None], margin: int, clock: Callable[[], float]) -> None:
        self._model = model
        self._free = free
        self._margin = margin
        self._clock = clock
        self._looked = clock()

    def check_for(self, size: int | None) -> None:
        """Raises PullError when so many bytes do not fit."""
        free = self._free()
        if size is None or free is None or size + self._margin <= free:
            return
        spare = f", of which {gb(self._margin)} have to stay free" if self._margin else ""
        raise PullError(
            "disk-full",
            f"{self._model} needs {gb(size)} more, the disk of the model store has {gb(free)} free{spare}",
            hint="free some disk, then go on",
        )

    def check_now(self) -> None:
        """Raises PullError when too little is left. Looks once a second at most."""
        now = self._clock()
        if now - self._looked < _LOOK_AT_DISK:
            return
        self._looked = now
        free = self._free()
        if free is not None and free < self._margin:
            raise PullError(
                "disk-full",
                f"the disk of the model store has {gb(free)} left: the pull of {self._model} was stopped",
                hint=f"free some disk, then go on; {KEPT}",
            )
