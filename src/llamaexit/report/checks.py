"""Checks of two models side by side, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report.blocking import plain
from llamaexit.report.layout import INDENT, Page
from llamaexit.report.outcome import OUTCOMES

if TYPE_CHECKING:
    from llamaexit.smoke.model import Outcome

    Line = tuple[str, Outcome | None, Outcome | None, str]

TABLE = 80
"""Columns from which on steps and checks are a table."""
_STYLE: dict[Outcome | None, str] = {"fail": "red", "error": "red", "warn": "yellow"}


def print_checks(page: Page, rows: Sequence[Line], *, alone: bool = False) -> None:
    """Each check with what came of it for the old and for the new model. alone: there was no old model."""
    if not rows:
        return
    if page.width < TABLE:
        for title, old, new, _ in rows:
            before = "" if alone else f"{OUTCOMES[old]} before, "
            page.row("Check", f"{plain(title)}: {before}{OUTCOMES[new]}{'' if alone else ' now'}", _STYLE.get(new, ""))
        return
    head = ("CHECK", "RESULT", "MEANING") if alone else ("CHECK", "OLD", "NEW", "MEANING")
    lines: list[list[str | Text]] = []
    for title, old, new, meaning in rows:
        results = [_styled(new)] if alone else [_styled(old), _styled(new)]
        lines.append([plain(title), *results, plain(meaning)])
    page.table(head, lines, wrap=(len(head) - 1, 0), indent=INDENT)


def _styled(outcome: Outcome | None) -> Text:
    return Text(OUTCOMES[outcome], style=_STYLE.get(outcome, ""))
