"""What a run is doing at this moment, put together from its events: steps, downloads, checks, and what was switched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from llamaexit.migration.events import (
    CheckBegan,
    CheckEnded,
    Judged,
    RunBegan,
    StepChanged,
)
from llamaexit.migration.pulling import PullProgress

if TYPE_CHECKING:
    from llamaexit.migration.events import Event
    from llamaexit.smoke.model import CheckResult, Outcome

SIGNS: dict[Outcome, str] = {"pass": "✓", "warn": "!", "fail": "✗", "skip": "–", "error": "?"}
"""One character for how a check went; each means the same without colour."""


@dataclass(slots=True)
class Checking:
    """The smoke tests of one model, as far as they came. `now`: the title of the check that is being put."""

    model: str
    role: Literal["old", "new"]
    of: int = 0
    number: int = 0
    now: str = ""
    seconds_left: float | None = None
    since: float = 0.0
    results: list[CheckResult] = field(default_factory=list)

    @property
    def signs(self) -> str:
        """A sign for each answered check."""
        return "".join(SIGNS[result.outcome] for result in self.results)


@dataclass(slots=True)
class Working:
    """A step that has begun."""

    step: StepChanged
    since: float


@dataclass(slots=True)
class Pulling:
    """A download. layers: bytes that are here and bytes there are, by digest, as far as they were told of."""

    latest: PullProgress
    layers: dict[str, tuple[int, int]] = field(default_factory=dict)

    def hear(self, event: PullProgress) -> None:
        """Take note of how far it is."""
        self.latest = event
        if event.layer is not None and event.layer_total:
            self.layers[event.layer] = (event.layer_completed, event.layer_total)

    @property
    def finished(self) -> int:
        """Layers that are here."""
        return sum(completed >= total for completed, total in self.layers.values())


class Course:
    """The state of a run. `hear` takes its events; times are seconds on the clock of whoever passes them on."""

    def __init__(self) -> None:
        self.run = ""
        self.kind: Literal["migrate", "resume", "rollback", "retire"] = "migrate"
        self.steps: tuple[str, ...] = ()
        self.began = 0.0
        self.over = 0
        self.working: dict[int, Working] = {}
        self.pulls: dict[str, Pulling] = {}
        self.checking: list[Checking] = []
        self.switched = False

    def hear(self, event: Event, now: float) -> None:
        """Take note of an event."""
        match event:
            case RunBegan():
                self.run, self.kind, self.steps, self.began = event.run, event.kind, event.steps, now
            case StepChanged():
                self._step(event, now)
            case PullProgress():
                self.pulls.setdefault(event.model, Pulling(event)).hear(event)
            case CheckBegan():
                self._began(event, now)
            case CheckEnded():
                self._of(event.model, event.role, now).results.append(event.result)
            case Judged():
                self.checking = []
            case _:
                pass

    @property
    def promise(self) -> str:
        """What holds at this moment for everybody who uses this Ollama."""
        match self.kind:
            case "rollback":
                return "Names are put back to what they meant."
            case "retire":
                return "Old models are deleted."
            case _ if self.switched:
                return "Names are being switched; llamaexit rollback undoes it."
            case _:
                return "Nothing has been changed that anyone uses."

    def _step(self, event: StepChanged, now: float) -> None:
        if event.phase == "switch" and event.state in ("begun", "done", "already"):
            self.switched = True
        if event.state == "begun":
            self.working[event.number] = Working(event, now)
            return
        self.over += 1
        self.working.pop(event.number, None)
        if event.phase == "test":
            self.checking = []
        # a pull is told of by its model, its step by a title that ends with it
        self.pulls = {model: pull for model, pull in self.pulls.items() if not event.title.endswith(model)}

    def _began(self, event: CheckBegan, now: float) -> None:
        checking = self._of(event.model, event.role, now)
        checking.number, checking.of, checking.now = event.number, event.of, event.title
        checking.seconds_left = event.seconds_left

    def _of(self, model: str, role: Literal["old", "new"], now: float) -> Checking:
        found = next((one for one in self.checking if (one.model, one.role) == (model, role)), None)
        if found is None:
            found = Checking(model, role, since=now)
            self.checking.append(found)
        return found
