"""All runs in one table, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report import amounts, outcome, words
from llamaexit.report.blocking import plain
from llamaexit.report.layout import Page
from llamaexit.report.overview import ARROW
from llamaexit.report.run import TONES

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.record import RunSummary

_COLUMNS = ("RUN", "STATE", "OLLAMA", "BEGAN", "TOOK", "MODELS")
_IF_THERE_IS_ROOM = ("BEGAN", "TOOK", "OLLAMA")
"""What the id of a run tells already, or `show` does, the first to go first."""
_DAMAGED = outcome.Badge("Damaged", "bad")
"""The state of a run whose journal cannot be read."""
_NAMED = 3
"""Replacements that are named in one line of the table."""
_MODELS = 28
"""Columns that the models need so that a name is seldom broken."""


def print_history(runs: Sequence[RunSummary], console: Console) -> None:
    """Print runs, a line each where there is room."""
    page = Page(console)
    if not runs:
        page.line("No runs yet.")
        page.command("Next", "llamaexit migrate")
        return
    several = len({run.host for run in runs if run.host}) > 1
    columns = [name for name in _COLUMNS if several or name != "OLLAMA"]
    rows: list[Mapping[str, str | Text]] = [dict(zip(_COLUMNS, _row(run), strict=True)) for run in runs]
    for optional in _IF_THERE_IS_ROOM:
        if optional in columns and _width(page, rows, columns) > page.width:
            columns.remove(optional)
    if _width(page, rows, columns) <= page.width:
        page.table(columns, [[row[name] for name in columns] for row in rows], wrap=[columns.index("MODELS")])
    else:
        _one_by_one(page, rows)
    page.blank()
    page.command("Next", f"llamaexit show {runs[0].id}")


def _width(page: Page, rows: Sequence[Mapping[str, str | Text]], columns: Sequence[str]) -> int:
    """Columns the table takes when its models wrap."""
    rest = [name for name in columns if name != "MODELS"]
    return page.table_width(rest, [[row[name] for name in rest] for row in rows]) + 2 + _MODELS


def _one_by_one(page: Page, rows: Sequence[Mapping[str, str | Text]]) -> None:
    for row in rows:
        page.line(Text(str(row["RUN"]), style="bold"))
        page.row("State", str(row["STATE"]))
        page.row("Took", str(row["TOOK"]) or ())
        page.row("Models", str(row["MODELS"]))


def _row(run: RunSummary) -> tuple[str | Text, ...]:
    badge = outcome.state(run) if run.host else _DAMAGED
    return (
        run.id,
        Text(badge.text, style=TONES[badge.tone]),
        run.host.partition("://")[2],
        amounts.moment(run.began_at).removesuffix(" UTC"),
        amounts.lasted(run.began_at, run.ended_at),
        _models(run),
    )


def _models(run: RunSummary) -> str:
    """What was to become what; for a run whose journal is damaged, what is wrong with it."""
    if not run.models:
        return plain(run.failure.message) if run.failure is not None else "none"
    named = [f"{source}{ARROW}{target}" for source, target in run.models[:_NAMED]]
    if len(run.models) > _NAMED:
        named.append(f"{words.counted(len(run.models) - _NAMED, 'more', 'more')}")
    return ", ".join(named)
