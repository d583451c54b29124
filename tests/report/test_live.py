"""A run drawn on a terminal: what stays above, and what is being done at this moment below."""

from __future__ import annotations

import io
import re

import event_samples as events
import pytest
import run_samples as sample
from golden import compare, text_of

from llamaexit.migration.events import Event, Noted, RunBegan
from llamaexit.report.course import Course
from llamaexit.report.live import Live, picture

TESTING: tuple[Event, ...] = (
    *events.BEFORE_SWITCH[:10],
    *events.checks(sample.OLD, "old", "llama3.1:8b"),
    *events.checks(sample.NEW, "new", "qwen3:8b")[:9],
    events.StepChanged(9, 9, "stage", "pull deepseek-r1:14b", "begun"),
    events.pull(2.1, model="deepseek-r1:14b"),
)
"""The new model is at its fifth check, and the next pull runs below."""


def drawn(heard: tuple[Event, ...], width: int = 80, after: float = 64.0) -> str:
    """The moving part, `after` seconds into the run."""
    course = Course()
    for event in heard:
        course.hear(event, 0.0)
    return text_of(lambda page: page.print(picture(course, after)), width)


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize(
    ("name", "heard"), [("pulling", events.BEFORE_SWITCH[:6]), ("testing", TESTING)], ids=["pulling", "testing"]
)
def test_moving_part_looks_as_agreed(name: str, heard: tuple[Event, ...], width: int) -> None:
    compare(f"live-{name}-{width}.txt", drawn(heard, width))


@pytest.mark.parametrize("width", [40, 80, 140])
def test_moving_part_fits_a_small_window_at_every_moment(width: int) -> None:
    for heard in (TESTING, events.WHOLE):
        for count in range(1, len(heard) + 1):
            assert len(drawn(heard[:count], width).splitlines()) <= 13


def test_that_nothing_has_been_changed_is_said_until_the_switch_begins() -> None:
    promise = "Nothing has been changed that anyone uses."
    for count in range(1, len(events.BEFORE_SWITCH) + 1):
        assert promise in drawn(events.BEFORE_SWITCH[:count])
    switching = drawn((*events.BEFORE_SWITCH, *events.SWITCH[:2]))
    assert promise not in switching and "Names are being switched" in switching


def test_download_shows_how_far_how_fast_and_how_long_it_takes() -> None:
    assert "40% of 5.2 GB, 12.9 MB/s, 4 min left" in drawn(events.BEFORE_SWITCH[:6])


def test_checks_tick_with_a_sign_each_that_needs_no_colour() -> None:
    text = drawn(TESTING)
    assert "old ✓✓✓✓✓✓–✓  all asked" in text
    assert "new ✓✓✓!  5 of 8: keeps to a JSON schema, 16 s left" in text


def test_checks_of_the_last_model_are_gone_when_the_next_begins() -> None:
    assert "✓" not in drawn(events.BEFORE_SWITCH)


class Screen(io.StringIO):
    """A terminal that remembers what was written to it."""

    def isatty(self) -> bool:
        return True


def shown(heard: tuple[Event, ...], width: int = 80, **options: bool) -> str:
    """Everything that was written to a terminal while events came."""
    screen = Screen()
    with Live(screen, width=width, clock=lambda: 0.0, **options) as live:
        for event in heard:
            live.hear(event)
    return screen.getvalue()


def test_what_is_over_stays_on_the_screen() -> None:
    text = re.sub("\x1b\\[[0-9;]*m", "", shown(events.WHOLE, width=140))
    for record in sample.STEPS:
        assert record.title in text
    assert "Go: does all that the old one did" in text
    assert "! new model: answers clients that say nothing about thinking: thinks for 412 tokens" in text


def test_passed_checks_leave_nothing_behind() -> None:
    text = shown(tuple(events.checks(sample.OLD, "old", "llama3.1:8b")))
    assert "loads and stays in memory" not in text


def test_cursor_is_never_hidden() -> None:
    # a run that is left at once with a second ^C could not bring it back
    assert "\x1b[?25l" not in shown(events.WHOLE)


@pytest.mark.parametrize("colour", [True, False])
def test_colour_is_used_where_it_is_wanted(colour: bool) -> None:
    text = shown(events.WHOLE, colour=colour)
    assert ("\x1b[32m" in text) == colour


def test_warning_of_a_server_cannot_act_on_the_terminal() -> None:
    text = shown((RunBegan(sample.RUN, "migrate", ("x",)), Noted("\x1b]0;owned\x07", "warning")))
    assert "owned" in text and "\x1b]0;" not in text


def test_terminal_that_goes_away_does_not_stop_the_drawing_thread_with_a_traceback() -> None:
    class Gone(Screen):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    live = Live(Gone(), width=80)
    live._painter.run()
