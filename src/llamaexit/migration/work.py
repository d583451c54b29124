"""How every step of a run is carried out: look, announce, act, look again, confirm.

A step says when it is true already, what has to hold before it may begin, and how it is made true. Nothing else decides
whether it is skipped, done or failed, so that carrying on after any interruption is the same as carrying out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from llamaexit.errors import OllamaError
from llamaexit.migration.events import Event, Listener, Noted, Phase, StepChanged, unheard
from llamaexit.migration.failures import StepFailed
from llamaexit.migration.world import Names, look
from llamaexit.ollama.failures import BadAnswer, NotOllama, TimedOut, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llamaexit.migration.interrupt import Interrupts
    from llamaexit.migration.journal import Journal
    from llamaexit.migration.options import Place
    from llamaexit.ollama.changes import Changes
    from llamaexit.ollama.inference import Inference
    from llamaexit.ollama.server import Server

T = TypeVar("T")
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries while the server does not answer: it may be restarting, which takes some seconds."""
_PASSING = (Unreachable, TimedOut, BadAnswer, NotOllama)
"""Failures that a restarting server or the proxy in front of it gives; everything else is an answer."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The ways to Ollama: reading, changing, asking models."""

    server: Server
    changes: Changes
    inference: Inference

    def __enter__(self) -> Tools:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()
        self.changes.close()
        self.inference.close()


@dataclass(frozen=True, slots=True)
class Listed:
    """A step with its place in the list people see."""

    id: str
    title: str
    phase: Phase
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class True_:
    """A step is true. `detail`: how we know, in one line. `facts` go into the journal."""

    detail: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


class Work:
    """What the steps of one run share. `before`: what the names it may write to meant when it began."""

    def __init__(
        self,
        run: str,
        folder: Path,
        place: Place,
        tools: Tools,
        journal: Journal,
        interrupts: Interrupts,
        listener: Listener,
        before: dict[str, str | None],
        *,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.run = run
        self.folder = folder
        self.place = place
        self.tools = tools
        self.journal = journal
        self.interrupts = interrupts
        self.before = before
        self.cancelled = threading.Event()
        self._listener = listener
        self._telling = threading.Lock()
        self._pauses = pauses

    def tell(self, event: Event) -> None:
        """Pass an event on. Downloads tell from a thread of their own; whoever listens hears one at a time."""
        with self._telling:
            try:
                self._listener(event)
            except OSError:
                # the terminal went away; what was begun is still brought to its end
                self._listener = unheard

    def note(self, event: str, **facts: Any) -> None:
        """Write a record. Raises JournalError."""
        with self.interrupts.shielded() if self._main else _nothing():
            self.journal.append(event, **facts)

    def look(self) -> Names:
        """What the names mean now; waits for a server that restarts. Raises OllamaError."""
        return self.patiently(lambda: look(self.tools.server))

    def recorded(self, step: str) -> dict[str, Any] | None:
        """The last confirmation of a step in the journal."""
        return next((r for r in reversed(self.journal.records) if r["event"] == "done" and r.get("step") == step), None)

    def intended(self, name: str) -> bool:
        """Whether the run has announced a change of what a name means."""
        return any(r["event"] == "intent" and r.get("name") == name and "after" in r for r in self.journal.records)

    def perform(
        self,
        step: Listed,
        *,
        true: Callable[[Names], True_ | None],
        ready: Callable[[Names], dict[str, Any]],
        act: Callable[[], None],
        shielded: bool = True,
    ) -> None:
        """Make a step true, unless it is.

        ready: raises StepFailed when the step must not begin, and gives what its announcement says. shielded: the first
        ^C waits for it. Raises StepFailed, OllamaError or JournalError.
        """
        names = self.look()
        if (found := true(names)) is not None:
            if self.recorded(step.id) is None:
                # what was announced and came true is ours, though a killed process could not confirm it
                ours = any(r["event"] == "intent" and r.get("step") == step.id for r in self.journal.records)
                known = {} if ours else {"already": True}
                self.note("done", step=step.id, **known, detail=found.detail, **found.facts)
            self._changed(step, "already", found.detail)
            return
        self.note("intent", step=step.id, **ready(names))
        self._changed(step, "begun")
        with self.interrupts.shielded() if shielded and self._main else _nothing():
            self._carried_out(step, true, act)

    def _carried_out(self, step: Listed, true: Callable[[Names], True_ | None], act: Callable[[], None]) -> None:
        """Make a step true that was announced, and write down how that went."""
        begun = time.monotonic()
        try:
            found = self._made_true(step, true, act)
        except (StepFailed, OllamaError) as error:
            if not self.cancelled.is_set():
                self.note("failed", step=step.id, detail=error.message, seconds=round(time.monotonic() - begun, 3))
                self._changed(step, "failed", error.message)
            raise
        seconds = round(time.monotonic() - begun, 3)
        self.note("done", step=step.id, detail=found.detail, seconds=seconds, **found.facts)
        self._changed(step, "done", found.detail, seconds)

    def leave_out(self, step: Listed, why: str) -> None:
        """Say of a step that it is not taken, and why."""
        self.note("left-out", step=step.id, detail=why)
        self._changed(step, "left-out", why)

    def patiently(self, ask: Callable[[], T]) -> T:
        """The answer to a question, asked again while the server does not answer at all. Raises OllamaError."""
        for pause in self._pauses:
            try:
                return ask()
            except _PASSING as error:
                self.tell(Noted(f"{error.message}; trying again in {pause:g} s"))
                self.cancelled.wait(pause)
        return ask()

    def _made_true(self, step: Listed, true: Callable[[Names], True_ | None], act: Callable[[], None]) -> True_:
        """Act, and look. A call whose answer got lost may have worked, so looking comes before trying again."""
        for pause in (*self._pauses, None):
            try:
                act()
            except _PASSING as error:
                if (found := true(self.look())) is not None:
                    return found
                if pause is None:
                    raise
                self.tell(Noted(f"{error.message}; trying again in {pause:g} s"))
                self.cancelled.wait(pause)
                continue
            break
        if (found := true(self.look())) is None:
            raise StepFailed(
                "not-true", f"Ollama took the request to {step.title}, but it did not come about",
                hint="look into the log of the server; somebody else may be changing the same names",
            )  # fmt: skip
        return found

    def _changed(self, step: Listed, state: Any, detail: str = "", seconds: float | None = None) -> None:
        self.tell(StepChanged(step.number, step.of, step.phase, step.title, state, detail, seconds))

    @property
    def _main(self) -> bool:
        return threading.current_thread() is threading.main_thread()


@contextmanager
def _nothing() -> Iterator[None]:
    yield
