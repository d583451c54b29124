"""All decisions of a plan in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report import words

if TYPE_CHECKING:
    from llamaexit.planning.plan import Decision
    from llamaexit.report.layout import Page

ARROW = " → "
STYLE = {"replace": "green", "blocked": "yellow", "keep": "cyan"}
OUTCOME = {"blocked": "blocked", "keep": "kept"}
_COLUMNS = ("MODEL", "USE", "BECOMES", "MEMORY", "ON GPU", "DOWNLOAD", "LICENCE")
_NAMES = ("MODEL", "BECOMES")
_IF_THERE_IS_ROOM = ("LICENCE", "USE")


def print_overview(page: Page, decisions: Sequence[Decision]) -> None:
    """All decisions at a glance. What there is no room for is told with each model below."""
    rows = [dict(zip(_COLUMNS, _row(decision), strict=True)) for decision in decisions]
    columns = list(_COLUMNS)
    for optional in reversed(_IF_THERE_IS_ROOM):
        if page.table_width(columns, [[row[name] for name in columns] for row in rows]) > page.width:
            columns.remove(optional)
    page.table(
        columns,
        [[row[name] for name in columns] for row in rows],
        right=[columns.index(name) for name in ("MEMORY", "ON GPU", "DOWNLOAD")],
        wrap=[columns.index(name) for name in _NAMES],
    )


def _row(decision: Decision) -> list[str | Text]:
    target, style = decision.target, STYLE[decision.action]
    name: str | Text = decision.source.model
    uses = ", ".join(decision.use.uses)
    if target is None:
        return [name, uses, Text(OUTCOME[decision.action], style=style), "", "", "", ""]
    new = target.fit
    return [
        name,
        uses,
        Text(target.model, style=style),
        words.old_and_new(decision.source.fit, new),
        words.percent(new.unloaded.gpu_share) if new is not None else "",
        words.to_fetch(target),
        f"{target.licence.old}{ARROW}{target.licence.new}",
    ]
