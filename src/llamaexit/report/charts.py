"""Where the marks of the charts go: plain geometry that the page draws as SVG. Lengths are in units of the view box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamaexit.smoke.model import Outcome

WIDTH = 320
"""Width of every chart: a phone shows it whole, and nothing in it is smaller than the text around it."""
_LABELS = 40
_VALUES = 124
"""Room for the text behind the longest bar."""
_PITCH = 30
_THICK = 18
_GAP = 3
_LEAST = 2.0

CELL = 22
PER_BAND = 12
"""Checks beside each other; further ones go into another band below."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a bar; `kind` says which colour."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its label before it and its figure behind it. No parts: there is no figure, the text says so."""

    label: str
    text: str
    y: int
    text_x: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class BarChart:
    """A figure of the old and of the new model. note: which direction is better. text: the same in words."""

    title: str
    note: str
    text: str
    height: int
    bars: tuple[Bar, ...]
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """What a bar is made from: amounts by kind, which are added up, and the figure in words."""

    label: str
    amounts: tuple[tuple[str, float], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One check of one model in the matrix. `outcome` None: it was not among the checks of this model."""

    x: int
    y: int
    outcome: Outcome | None
    text: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """All checks of a replacement: old above new, in bands."""

    text: str
    width: int
    height: int
    labels: tuple[tuple[str, int], ...]
    cells: tuple[Cell, ...]


def bar_chart(title: str, note: str, values: Sequence[Value], legend: tuple[tuple[str, str], ...] = ()) -> BarChart:
    """Bars below each other, the longest as long as there is room; a value without amounts is a text only."""
    largest = max((sum(amount for _, amount in value.amounts) for value in values), default=0.0)
    scale = (WIDTH - _LABELS - _VALUES) / largest if largest > 0 else 0.0
    bars = tuple(_bar(value, scale, number * _PITCH) for number, value in enumerate(values))
    text = "; ".join(f"{value.label}: {value.text}" for value in values)
    return BarChart(title, note, text, len(bars) * _PITCH, bars, legend)


def _bar(value: Value, scale: float, y: int) -> Bar:
    # ends are rounded, not widths, so that parts meet
    ends = [0.0]
    for _, amount in value.amounts:
        ends.append(ends[-1] + amount * scale)
    parts = tuple(
        Part(kind, round(_LABELS + start, 1), max(_LEAST, round(end - start, 1)))
        for (kind, amount), (start, end) in zip(value.amounts, pairwise(ends), strict=True)
        if amount > 0
    )
    behind = parts[-1].x + parts[-1].width + 2 * _GAP if parts else float(_LABELS)
    return Bar(value.label, value.text, y, round(behind, 1), parts)


def matrix(
    pairs: Iterable[tuple[str, Outcome | None, Outcome | None]], text: str, words: dict[Outcome | None, str]
) -> Matrix:
    """A mark for each check and model. pairs: title, old and new outcome. words: what an outcome is called."""
    cells: list[Cell] = []
    labels: list[tuple[str, int]] = []
    count = 0
    for count, (title, old, new) in enumerate(pairs, 1):
        band, column = divmod(count - 1, PER_BAND)
        top = band * (2 * CELL + CELL // 2)
        if column == 0:
            labels += [("old", top), ("new", top + CELL)]
        x = _LABELS + column * CELL
        for label, outcome, y in (("old", old, top), ("new", new, top + CELL)):
            cells.append(Cell(x, y, outcome, f"{title}, {label}: {words[outcome]}"))
    width = _LABELS + min(count, PER_BAND) * CELL
    height = labels[-1][1] + CELL if labels else 0
    return Matrix(text, width, height, tuple(labels), tuple(cells))
