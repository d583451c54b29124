"""Which old models would go, which stay and why, and what that frees, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.report import words
from llamaexit.report.blocking import plain
from llamaexit.report.layout import Page
from llamaexit.report.run import DIGITS
from llamaexit.units import gb

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.retire import Old, Retired, Retirement


def print_retirement(it: Retirement, console: Console, *, force: bool, command: str | None) -> None:
    """Print what deleting comes to. command: the one that does it; None when that is about to be asked."""
    page = Page(console)
    if not it.going:
        page.line("Nothing to delete." if it.kept else "There are no old models to delete.", "bold")
    else:
        page.line(f"{words.counted(len(it.going), 'old model')} to delete.", "bold")
    page.items("Deletes", [_old(old) for old in it.going], "yellow", indent=0)
    page.items("Keeps", [f"{_old(old)}: {plain(old.why_not or '')}" for old in it.kept], indent=0)
    if not force and any(old.can_force for old in it.kept):
        page.row("", "--force deletes what is too young, or could not be pulled again, too", "dim", indent=0)
    if it.going:
        page.row("Frees", _freed(it), indent=0)
        page.row("Mind", "a rollback to them is not possible afterwards", indent=0)
    page.blank()
    page.line("Nothing has been changed.")
    if command is not None and it.going:
        page.command("Next", command)


def print_retired(it: Retirement, done: Retired, console: Console) -> None:
    """Print what was deleted."""
    page = Page(console)
    page.line(f"Deleted: {words.listed(old.name for old in done.gone) or 'nothing'}.", "bold")
    page.items("Kept", [f"{_old(old)}: {plain(old.why_not or '')}" for old in (*done.kept, *it.kept)], indent=0)
    if len(done.gone) == len(it.going):
        page.row("Freed", _freed(it), indent=0)


def _old(old: Old) -> str:
    """An old model as people know it: a backup goes by what it is the backup of."""
    name = old.name if old.name == old.of else f"the backup {old.digest[:DIGITS]} of {old.of}"
    return f"{name} (replaced by run {old.run})"


def _freed(it: Retirement) -> str:
    if it.exact:
        return f"{gb(it.freed)}, which nothing else uses"
    return f"at most {gb(it.freed)}: not every layer can be seen, and others may use some of them"
