"""The events of a run as JSON, for programs that follow it line by line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llamaexit.jsonable import jsonable
from llamaexit.migration.events import (
    CheckBegan,
    CheckEnded,
    Judged,
    Noted,
    RunBegan,
    StepChanged,
)
from llamaexit.migration.pulling import PullProgress

if TYPE_CHECKING:
    from llamaexit.migration.events import Event

NAMES: dict[type[Event], str] = {
    RunBegan: "run-began",
    StepChanged: "step",
    PullProgress: "pull",
    CheckBegan: "check-began",
    CheckEnded: "check-ended",
    Judged: "judged",
    Noted: "noted",
}
"""What each kind of event is called in `event`."""


def event_json(event: Event) -> dict[str, Any]:
    """One event: its name under `event`, then its fields. Questions and answers are in the run, not here."""
    if isinstance(event, CheckEnded):
        event = replace(event, result=replace(event.result, exchanges=()))
    return {"event": NAMES[type(event)], **jsonable(event)}
