"""A run as it happens, drawn on a terminal: what is over scrolls away above, what is being done stays below.

What is below is at most a dozen lines, so that it fits any window, and is made anew from the state of the run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live as Drawing
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from llamaexit.migration.events import CheckEnded, Judged, Noted, RunBegan, StepChanged
from llamaexit.report import amounts, outcome, words
from llamaexit.report.blocking import plain
from llamaexit.report.course import SIGNS, Checking, Course, Pulling
from llamaexit.report.layout import Page
from llamaexit.report.lines import progress
from llamaexit.report.run import TONES
from llamaexit.units import gb

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType

    from llamaexit.migration.events import Event
    from llamaexit.smoke.model import Outcome

_EVERY = 0.2
"""Seconds between two drawings."""
_WIDEST = 110
"""Columns after which a bar says nothing more."""
_DIGITS = 12
_COLOURS: dict[Outcome, str] = {"pass": "green", "warn": "yellow", "fail": "red", "skip": "dim", "error": "red"}
_STEPS = {
    "done": ("✓", "green"), "already": ("✓", "green"), "failed": ("✗", "red"), "left-out": ("–", "dim"),
}  # fmt: skip


class _Terminal(Console):
    """A terminal whose cursor stays visible: a run that is left at once could not bring it back."""

    def show_cursor(self, show: bool = True) -> bool:
        return False


class Live:
    """A listener that draws on a terminal while it is used in a `with` statement."""

    def __init__(
        self,
        stream: TextIO,
        *,
        colour: bool = True,
        width: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = _Terminal(
            file=stream, width=width, force_terminal=True, no_color=not colour, legacy_windows=False, highlight=False,
            markup=False, emoji=False,
        )  # fmt: skip
        self._clock = clock
        self._course = Course()
        self._lock = threading.Lock()
        self._drawing = Drawing(get_renderable=self._now, console=self._console, auto_refresh=False, transient=True)
        self._over = threading.Event()
        self._painter = threading.Thread(target=self._paint, name="live", daemon=True)

    def hear(self, event: Event) -> None:
        """Take note of an event, and write down for good what it brings to an end."""
        with self._lock:
            self._course.hear(event, self._clock())
        page = Page(self._console)
        for line, hang in _for_good(event):
            page.line(line, hang=hang)

    def __enter__(self) -> Live:
        self._drawing.start()
        self._painter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._painter.join()
        self._drawing.stop()

    def _now(self) -> RenderableType:
        with self._lock:
            return picture(self._course, self._clock())

    def _paint(self) -> None:
        try:
            while not self._over.wait(_EVERY):
                self._drawing.refresh()
        except (OSError, ValueError):
            pass  # the terminal went away; the run goes on without it


def _for_good(event: Event) -> Iterator[tuple[Text, int]]:
    """Lines that stay, each with how far its continuation is set in."""
    match event:
        case RunBegan():
            yield Text(f"Run {event.run}: {words.counted(len(event.steps), 'step')}", style="bold"), 0
        case StepChanged() if event.state != "begun":
            sign, style = _STEPS[event.state]
            took = amounts.seconds(event.seconds) if event.seconds is not None else ""
            about = ", ".join(filter(None, (took, plain(event.detail))))
            line = Text.assemble((f"{sign} ", style), event.title)
            yield line.append(f"  {about}" if about else "", style="red" if event.state == "failed" else "dim"), 2
        case CheckEnded() if event.result.outcome not in ("pass", "skip"):
            result = event.result
            sign, style = SIGNS[result.outcome], _COLOURS[result.outcome]
            about = f"{event.role} model: {plain(result.title)}: {plain(result.reason)}"
            yield Text.assemble((f"  {sign} ", style), about), 4
        case Judged():
            badge = outcome.judged(event.comparison.verdict)
            yield Text.assemble((f"  {badge.text}: ", TONES[badge.tone]), plain(event.comparison.reason)), 4
        case Noted():
            yield Text(f"  {plain(event.text)}", style="yellow" if event.level == "warning" else "dim"), 4
        case _:
            pass


def picture(course: Course, now: float) -> RenderableType:
    """What is being done at this moment."""
    return _Picture(course, now)


class _Picture:
    """Drawn at the width the terminal has when it is drawn; no line is ever broken."""

    def __init__(self, course: Course, now: float) -> None:
        self._course = course
        self._now = now

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        width = min(options.max_width, _WIDEST) - 1
        yield Group(*self._parts(width))

    def _parts(self, width: int) -> Iterator[RenderableType]:
        course = self._course
        for working in course.working.values():
            if working.step.phase == "test":
                yield from _pair(f"  {working.step.title}", self._since(working.since), width, "bold")
                yield from (self._checks(checking, width) for checking in course.checking)
            elif not any(working.step.title.endswith(model) for model in course.pulls):
                yield from _pair(f"  {working.step.title}", self._since(working.since), width, "bold")
        for pull in course.pulls.values():
            yield from _pull(pull, width)
        if course.steps:
            over = f"{course.over} of {len(course.steps)} steps are over"
            yield from _pair(over, self._since(course.began), width, "dim")
        yield Text(course.promise, style="dim")

    def _since(self, began: float) -> str:
        return words.duration(max(0, round(self._now - began)))

    def _checks(self, checking: Checking, width: int) -> Text:
        line = Text(f"    {checking.role} ")
        shown = checking.results[-max(width - 40, 8) :]
        for result in shown:
            line.append(SIGNS[result.outcome], style=_COLOURS[result.outcome])
        if len(checking.results) >= checking.of:
            line.append("  all asked", style="dim")
        else:
            line.append(f"  {checking.number} of {checking.of}: {plain(checking.now)}")
        if checking.seconds_left is not None and len(checking.results) < checking.of:
            line.append(f", {words.duration(round(checking.seconds_left))} left", style="dim")
        return _cropped(line, width)


def _pull(pulling: Pulling, width: int) -> Iterator[RenderableType]:
    pull = pulling.latest
    yield from _pair(f"  pull {pull.model}", progress(pull), width, "bold")
    if not pull.total:
        return
    yield _bar("    ", pull.completed, pull.total, "", width)
    if pull.layer is not None and pull.layer_total:
        name = pull.layer.removeprefix("sha256:")[:_DIGITS]
        size = f"  {gb(pull.layer_completed)} of {gb(pull.layer_total)}"
        yield _bar(f"    {name}  ", pull.layer_completed, pull.layer_total, size, width)
    if pulling.finished:
        here = f"    {words.counted(pulling.finished, 'layer')} {'is' if pulling.finished == 1 else 'are'} here"
        yield _cropped(Text(here, style="dim"), width)


def _bar(before: str, completed: int, total: int, after: str, width: int) -> RenderableType:
    grid = Table.grid(padding=0)
    grid.add_column(no_wrap=True)
    room = width - len(before) - len(after)
    if room < 8:
        after, room = "", width - len(before)
    grid.add_row(
        Text(before), ProgressBar(total=total, completed=completed, width=max(room, 4)), Text(after, style="dim")
    )
    return grid


def _pair(left: str, right: str, width: int, style: str) -> Iterator[RenderableType]:
    """Two texts at both ends of a line, or on two lines where one is too short for them."""
    line = Text(left, style=style)
    if cell_len(left) + 2 + cell_len(right) <= width:
        line.pad_right(width - cell_len(left) - cell_len(right))
        yield line.append(right, style="not bold default")
        return
    yield _cropped(line, width)
    yield Padding(Text(right), (0, 0, 0, 4))


def _cropped(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    line.no_wrap = True
    return line
