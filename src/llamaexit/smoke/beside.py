"""Checks whose measure is the old model: how fast, how soon, how much on the GPU, how many words, how many sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from llamaexit.smoke.measured import ratio_of

if TYPE_CHECKING:
    from llamaexit.smoke.model import CheckResult, Row, Subject

SLOWER, MUCH_SLOWER = 0.7, 0.4
"""New speed as a part of the old: below the first it is told, below the second it stops a switch."""
LATER, UNNOTICED = 3.0, 0.5
"""How many times later the first character of an answer may come; and seconds that nobody minds, whatever the ratio."""
MORE_TOKENS, FEW_TOKENS = 3.0, 50
"""Tokens of an answer: told when they are so many times those of the old model, and some."""
SUMS_LOST = 2
"""Of ten sums, how many fewer the new model may get right: a smaller difference proves nothing."""
WHOLE, SAME_SHARE = 0.995, 0.02
"""Parts on the GPU: what counts as all of a model, and by how much two may differ and be the same."""


def beside(row: Row, before: CheckResult, after: CheckResult, subject: Subject) -> Row:
    """A row of a check that the new model (`subject`) did not fail, judged once more by what the old one did."""
    judge = _JUDGES.get(row.id)
    return judge(row, before, after, subject) if judge is not None else row


def _residency(row: Row, before: CheckResult, after: CheckResult, subject: Subject) -> Row:
    old, new = before.figures.get("gpu_share"), after.figures.get("gpu_share")
    if old is None or new is None:
        return row
    told = f"{new:.0%} of it is on the GPU, {old:.0%} of the old one was"
    if old >= WHOLE > new:
        return _blocks(row, told)
    return _told(row, told) if new < old - SAME_SHARE else row


def _speed(row: Row, before: CheckResult, after: CheckResult, subject: Subject) -> Row:
    ratios = {
        what: ratio
        for figure, what in (("tokens_per_second", "writes"), ("prompt_tokens_per_second", "reads"))
        if (ratio := ratio_of(before.figures.get(figure), after.figures.get(figure))) is not None
    }
    slowest = min(ratios, key=lambda what: ratios[what], default="")
    if not slowest or ratios[slowest] >= SLOWER:
        return row
    told = f"it {slowest} at {ratios[slowest]:.0%} of the old speed"
    return _blocks(row, told) if ratios[slowest] < MUCH_SLOWER else _told(row, told)


def _first_content(row: Row, before: CheckResult, after: CheckResult, subject: Subject) -> Row:
    seconds = after.figures.get("first_content_seconds")
    ratio = ratio_of(before.figures.get("first_content_seconds"), seconds)
    if seconds is None or ratio is None or seconds <= UNNOTICED or ratio <= LATER:
        return row
    told = f"the first word of an answer takes {ratio:.1f} times as long"
    # that it thinks first was known when it was chosen
    return _told(row, f"{told}, as it thinks first") if subject.thinks else _blocks(row, told)


def _wordy(row: Row, before: CheckResult, after: CheckResult, subject: Subject) -> Row:
    old, new = before.figures.get("answer_tokens"), after.figures.get("answer_tokens")
    if old is None or new is None or new <= MORE_TOKENS * old + FEW_TOKENS:
        return row
    return _told(row, f"it takes {new:,.0f} tokens for what took the old one {old:,.0f}")


def _sums(row: Row, before: CheckResult, after: CheckResult, subject: Subject) -> Row:
    old, new = sum(before.won), sum(after.won)
    told = f"{new} of {after.cases} sums are right, with the old one {old} were"
    if after.cases == before.cases and new < old - SUMS_LOST:
        return _blocks(row, told)
    return row


def _blocks(row: Row, told: str) -> Row:
    return replace(row, new="fail", meaning=told, blocks=True)


def _told(row: Row, told: str) -> Row:
    return replace(row, new="warn", meaning=f"{row.meaning}; {told}" if row.meaning else told)


_JUDGES: dict[str, Callable[[Row, CheckResult, CheckResult, Subject], Row]] = {
    "load.residency": _residency,
    "load.after": _residency,
    "perf.rate": _speed,
    "perf.useful": _first_content,
    "think.naive": _wordy,
    "think.off.chat": _wordy,
    "think.off.generate": _wordy,
    "think.off.v1": _wordy,
    "reason.mini": _sums,
}
