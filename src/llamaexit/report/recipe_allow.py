"""What is allowed, and by whom, for reading in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report.layout import Page
from llamaexit.report.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.sharing.patterns import Registry, SourcePattern
    from llamaexit.sharing.settings import Settings


def print_allowed(settings: Settings, console: Console) -> None:
    """Everything that is allowed, file by file, the site's first."""
    page = Page(console)
    if not any(said.sources or said.registries for said in settings.in_force):
        page.line("Nothing is allowed: recipes come from files, and their models from Ollama's own registry.")
    for said in settings.in_force:
        console.print(Text(str(said.file), style="bold"), soft_wrap=True)  # a path in two pieces can't be copied
        page.row("Sources", [str(pattern) for pattern in said.sources])
        page.row("Registries", [str(pattern) for pattern in said.registries])
        if said.only:
            page.row("Only", "what this file allows counts, whatever a user allows")
        if said.cooldown_days is not None:
            page.row("Cooldown", counted(said.cooldown_days, "day"))


def print_allowed_already(patterns: Sequence[SourcePattern | Registry], console: Console) -> None:
    """What was to be allowed, and is: nothing was written."""
    page = Page(console)
    for pattern in patterns:
        page.line(f"{pattern} is allowed already.")


def print_changed(
    added: Sequence[SourcePattern | Registry],
    removed: Sequence[SourcePattern | Registry],
    file: Path,
    console: Console,
) -> None:
    """What was allowed or taken back, and where that is written."""
    page = Page(console)
    page.row("Allowed", [str(pattern) for pattern in added], indent=0)
    for pattern in added:
        if pattern.whole_host:
            page.row(
                "Mind", f"{pattern}: that is everybody who can publish at {pattern.whole_host}", "yellow", indent=0
            )
    page.row("Taken back", [str(pattern) for pattern in removed], indent=0)
    page.row("Written to", str(file), indent=0)
