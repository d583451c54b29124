"""The events of one run as the engine tells them, with the seconds at which they come."""

from __future__ import annotations

import run_samples as sample

from llamaexit.migration.events import (
    CheckBegan,
    CheckEnded,
    Event,
    Judged,
    Noted,
    RunBegan,
    StepChanged,
)
from llamaexit.migration.pulling import PullProgress

GB = 10**9
TITLES = tuple(step.title for step in sample.STEPS)
TOTAL = 5_225_388_164
WEIGHTS = "sha256:" + "a3" * 32
SMALL = "sha256:" + "b4" * 32


def step(number: int, state: str, seconds: float | None = None, detail: str = "") -> StepChanged:
    """A step of the sample run that began or ended."""
    record = sample.STEPS[number - 1]
    detail = detail or (record.detail if state == "done" else "")
    return StepChanged(number, len(TITLES), record.phase, record.title, state, detail, seconds)  # type: ignore[arg-type]


def pull(
    completed: float, *, model: str = "qwen3:8b", per_second: float | None = 12_900_000.0, status: str = ""
) -> PullProgress:
    """A download `completed` GB far; the weights come first, then a small layer."""
    done = min(round(completed * GB), TOTAL)
    layer, here, of = (WEIGHTS, done, TOTAL - 1500) if done < TOTAL - 1500 else (SMALL, done - (TOTAL - 1500), 1500)
    left = (TOTAL - done) / per_second if per_second else None
    said = status or f"pulling {layer.removeprefix('sha256:')[:12]}"
    return PullProgress(model, done, TOTAL, layer, here, of, per_second, left, said, 1)


def checks(suite: sample.SuiteResult, role: str, model: str) -> list[Event]:
    """All checks of one model."""
    events: list[Event] = []
    of = len(suite.results)
    for number, result in enumerate(suite.results, 1):
        left = (of - number + 1) * 4.0
        events.append(CheckBegan(model, role, result.id, result.title, number, of, left))  # type: ignore[arg-type]
        events.append(CheckEnded(model, role, result))  # type: ignore[arg-type]
    return events


BEGAN = RunBegan(sample.RUN, "migrate", TITLES)
BEFORE_SWITCH: tuple[Event, ...] = (
    BEGAN,
    step(1, "begun"),
    step(1, "done", 0.1),
    step(2, "begun"),
    pull(0.5),
    pull(2.1),
    Noted("the registry cut the connection; going on in 1 s"),
    pull(5.2),
    step(2, "done", 402.0),
    step(3, "begun"),
    *checks(sample.OLD, "old", "llama3.1:8b"),
    *checks(sample.NEW, "new", "qwen3:8b"),
    Judged("llama3.1:8b", "qwen3:8b", sample.GO),
    step(3, "done", 84.0),
    step(4, "begun"),
    step(4, "done", 0.4),
    step(5, "begun"),
)
SWITCH: tuple[Event, ...] = (
    step(5, "done", 80.0),
    step(6, "begun"),
    step(6, "done", 0.1),
    step(7, "already", None, "team-chat:latest is 500a1f067a9f"),
    step(8, "begun"),
    step(8, "done", 0.1),
)
WHOLE = (*BEFORE_SWITCH, *SWITCH)
"""From the first event to the last, as in `run_samples.COMMITTED`."""
