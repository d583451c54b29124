"""How published figures are worded, and which of them are worth showing first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llamaexit.report.relatives import relation

if TYPE_CHECKING:
    from llamaexit.planning.plan import Figures, TargetChoice

_DATE = re.compile(r", (\d{4}(?:-\d\d){0,2})$")


def brief(row: Figures, target: str) -> str:
    """Old and new value with the models they were measured on, which may be relatives of the two, and the source."""
    ahead = ", the old one is ahead" if row.favours == "old" else ""
    related = relation(row.new_model, target)
    models = f"{row.old_model} → {row.new_model}" + (f", {related}" if related else "")
    about = "; ".join(filter(None, (models, row.note, _provenance(row, _name_and_date(row.source)))))
    return f"{row.benchmark}: {row.old:g} → {row.new:g}{ahead} ({about})"


def in_full(row: Figures, target: str) -> str:
    """A figure with the setting it was measured in and the whole source."""
    related = relation(row.new_model, target)
    of = f"{row.new_model} is {related}" if related else ""
    about = "; ".join(filter(None, (row.setting, of, row.note, _provenance(row, row.source))))
    ahead = {"old": "the old one is ahead", "new": "", "tie": "a tie"}[row.favours]
    text = f"{row.benchmark}: {row.old_model} {row.old:g} → {row.new_model} {row.new:g}"
    return "; ".join(filter(None, (text, ahead))) + (f" ({about})" if about else "")


def _provenance(row: Figures, source: str) -> str:
    return ", ".join(filter(None, ("the maker's own" if row.kind == "maker" else row.kind, source)))


def _name_and_date(source: str) -> str:
    """A source without the table and the page: its name and its date."""
    dated = _DATE.search(source)
    name = re.split("[,;]| \\(", source)[0]
    return f"{name}, {dated[1]}" if dated else name


def worth_showing(target: TargetChoice, most: int) -> list[Figures]:
    """The figures to show first: of the target itself rather than of a relative, and one that speaks against it."""
    itself = [row for row in target.evidence if not relation(row.new_model, target.model)]
    shown = (itself or [*target.evidence[:1]])[:most]
    against = [row for row in (*target.evidence, *target.counter_evidence) if row.favours == "old" and row not in shown]
    against.sort(key=lambda row: bool(relation(row.new_model, target.model)))
    return shown + against[:1]
