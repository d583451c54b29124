"""What a run tells, in plain lines for logs: one for every event worth telling."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from llamaexit.migration.events import (
    CheckBegan,
    CheckEnded,
    Judged,
    Noted,
    RunBegan,
    StepChanged,
)
from llamaexit.migration.pulling import PullProgress
from llamaexit.report import amounts, words
from llamaexit.report.blocking import plain
from llamaexit.report.course import Course
from llamaexit.report.outcome import OUTCOMES
from llamaexit.units import gb

if TYPE_CHECKING:
    from llamaexit.migration.events import Event

OFTEN = 10.0
"""Seconds that lie between two lines about the same download."""
SELDOM = 60.0
"""Seconds after which there is a line however little came, so that nobody takes a slow download for a dead one."""
SHARE = 0.1
"""Part of a download after which there is a line."""


class Lines:
    """A listener that writes lines. `clock` gives seconds."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._course = Course()
        self._told: dict[str, tuple[float, float]] = {}

    def hear(self, event: Event) -> None:
        """Write what an event is worth."""
        now = self._clock()
        promise = self._course.promise
        self._course.hear(event, now)
        for line in self._lines(event, now):
            self._write(line)
        if self._course.promise != promise and not isinstance(event, RunBegan):
            self._write(self._course.promise)

    def _lines(self, event: Event, now: float) -> Iterator[str]:
        match event:
            case RunBegan():
                yield f"Run {event.run}: {words.counted(len(event.steps), 'step')}. {self._course.promise}"
            case StepChanged():
                yield step(event)
            case PullProgress() if self._is_worth_it(event, now):
                yield f"      {event.model}: {progress(event)}"
            case CheckEnded():
                yield self._check(event)
            case Judged():
                yield f"      verdict: {event.comparison.verdict}: {plain(event.comparison.reason)}"
            case Noted():
                yield f"      {'warning' if event.level == 'warning' else 'note'}: {plain(event.text)}"
            case PullProgress() | CheckBegan():
                pass

    def _check(self, event: CheckEnded) -> str:
        result = event.result
        checking = next(one for one in self._course.checking if one.model == event.model and one.role == event.role)
        number = f"{len(checking.results)}/{checking.of}" if checking.of else str(len(checking.results))
        why = f": {plain(result.reason)}" if result.reason else ""
        took = f" ({amounts.seconds(result.seconds)})" if result.outcome != "skip" else ""
        return f"      {event.role} {number} {OUTCOMES[result.outcome]}: {plain(result.title)}{why}{took}"

    def _is_worth_it(self, event: PullProgress, now: float) -> bool:
        share = event.completed / event.total if event.total else 0.0
        last = self._told.get(event.model)
        if last is not None:
            passed, gained = now - last[0], share - last[1]
            if passed < OFTEN or (gained < SHARE and passed < SELDOM):
                return False
        self._told[event.model] = (now, share)
        return True


_STATES = {"already": "true already", "failed": "failed", "left-out": "left out"}


def step(event: StepChanged) -> str:
    """A step that began or ended."""
    head = f"{f'{event.number}/{event.of}':>5} {event.title}"
    if event.state == "begun":
        return head
    took = f" in {amounts.seconds(event.seconds)}" if event.seconds is not None else ""
    state = f"done{took}" if event.state == "done" else _STATES[event.state]
    return f"{head}: {state}" + (f", {plain(event.detail)}" if event.detail else "")


def progress(event: PullProgress) -> str:
    """How far a download is, how fast, and how long it will take."""
    said = "" if event.status.startswith("pulling ") else plain(event.status)
    if not event.total:
        return said or "waiting for the registry"
    parts = [f"{words.percent(event.completed / event.total)} of {gb(event.total)}"]
    if said:
        parts.append(said)
    elif event.bytes_per_second:
        parts.append(f"{gb(round(event.bytes_per_second))}/s")
        if event.seconds_left is not None:
            parts.append(f"{words.duration(round(event.seconds_left))} left")
    return ", ".join(parts)
