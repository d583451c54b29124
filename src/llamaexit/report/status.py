"""Where things stand after migrations, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llamaexit.report import outcome, words
from llamaexit.report.blocking import plain
from llamaexit.report.layout import Page
from llamaexit.report.run import DIGITS

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.record import RunSummary
    from llamaexit.migration.status import Status

_BACKUPS = 10
"""Backups that are listed by name."""


def print_status(status: Status, console: Console) -> None:
    """Print what wants looking after first, then what is kept."""
    page = Page(console)
    page.line(_headline(status), "bold green" if status.clean else "bold yellow")
    page.row("Ollama", status.host, indent=0)
    page.row("Runs", str(status.runs), indent=0)
    for drift in status.drifts:
        page.row("Changed", f"{plain(drift.text)} (run {drift.run})", "yellow", indent=0)
        page.row("", drift.hint, "dim", indent=0)
    for run in status.open:
        page.row("Open", f"run {run.id}: {outcome.state(run).text.lower()}", "yellow", indent=0)
        page.row("", _ways_on(run), "dim", indent=0)
    for run in status.damaged:
        page.row("Damaged", plain(run.failure.message) if run.failure is not None else run.id, "red", indent=0)
    page.items("Left over", status.left_over, "yellow", indent=0)
    page.items("Backups", [*_backups(status)], indent=0)


def _headline(status: Status) -> str:
    if status.unanswered is not None:
        return "Ollama does not answer: nothing can be said about what names mean now."
    if status.clean and not status.runs:
        return "Nothing was migrated here yet."
    if status.clean:
        return "Everything is as the migrations left it."
    count = len(status.drifts) + len(status.open) + len(status.left_over) + len(status.damaged)
    return f"{words.counted(count, 'thing')} to look after."


def _ways_on(run: RunSummary) -> str:
    """What can follow on a run that is not at its end."""
    if run.state == "rolling-back":
        return f"llamaexit rollback {run.id} goes on"
    return f"llamaexit resume {run.id} goes on, llamaexit rollback {run.id} goes back"


def _backups(status: Status) -> Iterator[str]:
    for kept in status.backups[:_BACKUPS]:
        if kept.of is None:
            yield f"{kept.digest[:DIGITS]}, of which no run here tells"
        else:
            yield f"{kept.of} as it was before run {kept.run} ({kept.digest[:DIGITS]})"
    if len(status.backups) > _BACKUPS:
        yield f"and {len(status.backups) - _BACKUPS} more"
