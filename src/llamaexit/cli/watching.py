"""Who listens to a run: the terminal, a log, or a program."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llamaexit.cli.output import complain

if TYPE_CHECKING:
    from llamaexit.migration.events import Event, Listener

_NARROWEST = 40
_SIGNS = "✓✗→…·━"


@contextmanager
def watching(*, as_json: bool) -> Iterator[Listener]:
    """A listener that tells on stderr what happens: live on a terminal, else in lines, or as JSON lines."""
    if as_json:
        yield _json_line
    elif _can_redraw():
        from llamaexit.report.live import Live

        with Live(sys.stderr, colour=not os.environ.get("NO_COLOR")) as live:
            yield live.hear
    else:
        from llamaexit.report.lines import Lines

        yield Lines(complain).hear


def _json_line(event: Event) -> None:
    from llamaexit.jsonable import dump
    from llamaexit.report.event_json import event_json

    complain(dump(event_json(event)).decode())


def _can_redraw() -> bool:
    """Whether stderr is a terminal that lines can be drawn on again, and wide enough for it."""
    from rich.console import detect_legacy_windows

    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb" or detect_legacy_windows():
        return False
    try:
        _SIGNS.encode(sys.stderr.encoding or "ascii")
        return os.get_terminal_size(sys.stderr.fileno()).columns >= _NARROWEST
    except (UnicodeEncodeError, LookupError, OSError):
        return False
