"""What a rollback would do, before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llamaexit.report import advice, words
from llamaexit.report.layout import Page

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.record import Run
    from llamaexit.migration.undo import Undoing


def print_undoing(run: Run, todo: Sequence[Undoing], console: Console) -> None:
    """Print what undoing a run consists of."""
    page = Page(console)
    page.line(f"Undo run {run.id}: {words.counted(len(todo), 'step')}.", "bold")
    page.row("Ollama", run.host, indent=0)
    page.items("Restores", [undoing.title for undoing in todo if not undoing.purge], indent=0)
    page.items("Deletes", [undoing.title for undoing in todo if undoing.purge], "yellow", indent=0)
    if run.changes and not any(undoing.purge for undoing in todo):
        page.row("Stays", "what was downloaded, and the backups; --purge deletes them", indent=0)
    if advice.client_edits(run):
        page.row("Mind", "clients that were edited for the new models have to be edited back, too", indent=0)
    page.blank()
    page.line("Nothing has been changed.")
