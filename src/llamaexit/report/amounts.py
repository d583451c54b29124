"""How what was measured is worded: figures with their units, times, and the moments of a journal."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from llamaexit.report import words
from llamaexit.units import gib

if TYPE_CHECKING:
    from llamaexit.smoke.model import Measured


_TITLES = {
    "tokens_per_second": "speed of answers", "first_content_seconds": "time to the first word",
    "load_seconds": "time to load", "gpu_share": "on the GPU",
}  # fmt: skip
_LARGE = 10**7
_UNITS = re.compile("_(seconds|bytes|share)$")


def title(name: str) -> str:
    """What a figure is called, without the unit that ends its name: `second_turn_seconds` is `second turn`."""
    if name in _TITLES:
        return _TITLES[name]
    return _UNITS.sub("", name).replace("_tokens_per_second", "_speed").replace("_", " ")


def figure(value: float | None, unit: str) -> str:
    """A measured number with its unit."""
    if value is None:
        return "not measured"
    match unit:
        case "bytes":
            return gib(round(value))
        case "share":
            return words.percent(value)
        case "seconds" | "s":
            return seconds(value)
        case _:
            number = f"{value:,.0f}" if 100 <= abs(value) < _LARGE else f"{value:.3g}"
            return f"{number} {unit}".rstrip()


def seconds(value: float) -> str:
    """A time as measured: `40 ms`, `0.8 s`, `12 s`, `3 min`."""
    if 0 < value < 0.0995:
        return f"{value * 1000:.2g} ms"
    return f"{value:.2g} s" if value < 9.95 else words.duration(round(value))


def ratio(measured: Measured) -> str:
    """New against old, and which is better off where that is clear: `1.4 × the old, better`."""
    if measured.ratio is None:
        return ""
    better = {"new": ", better", "old": ", worse", None: ""}[measured.better]
    return f"{measured.ratio:.2g} × the old{better}"


def moment(text: str | None) -> str:
    """A time of the journal (RFC 3339, UTC) for people: `2026-11-25 07:46:15 UTC`. What is no time stays as it is."""
    if not text:
        return ""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if time.tzinfo else f"{time:%Y-%m-%d %H:%M:%S}"


def lasted(began: str, ended: str | None) -> str:
    """Time between two moments of the journal; nothing where one of them is not known."""
    try:
        span = dt.datetime.fromisoformat(ended or "") - dt.datetime.fromisoformat(began)
    except (ValueError, TypeError):
        return ""
    return seconds(span.total_seconds())
