"""What a migration tells while it works. Whoever listens decides how to show it; nothing here waits for an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from llamaexit.migration.pulling import PullProgress
from llamaexit.smoke.model import CheckResult, Comparison

Phase = Literal["stage", "test", "switch", "undo", "retire"]
"""stage and test: nobody notices. switch: what names mean changes, in seconds. undo: a rollback. retire: deleting."""


@dataclass(frozen=True, slots=True)
class RunBegan:
    """A run started or goes on. `steps`: the titles of everything it will do, in order."""

    run: str
    kind: Literal["migrate", "resume", "rollback", "retire"]
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepChanged:
    """One step began or ended. `number` counts from 1. `detail`: what was done, or why it was not, in one line."""

    number: int
    of: int
    phase: Phase
    title: str
    state: Literal["begun", "done", "already", "failed", "left-out"]
    detail: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class CheckBegan:
    """A smoke test is about to be put. `number` of `of` in the suite for this model; seconds left, if known."""

    model: str
    role: Literal["old", "new"]
    id: str
    title: str
    number: int
    of: int
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class CheckEnded:
    """A smoke test was answered."""

    model: str
    role: Literal["old", "new"]
    result: CheckResult


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on one replacement."""

    source: str
    target: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Noted:
    """Something people should know: a retry, an overlap, a name left as it is because somebody else changed it."""

    text: str
    level: Literal["info", "warning"] = "info"


Event = RunBegan | StepChanged | PullProgress | CheckBegan | CheckEnded | Judged | Noted
Listener = Callable[[Event], None]


def unheard(event: Event) -> None:
    """A listener for when nobody listens."""
