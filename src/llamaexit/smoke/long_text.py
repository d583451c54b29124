"""Long texts whose length in tokens is known, so that a server that reads less of them is found out.

What a text comes to depends on the model. Two short ones are counted by the model itself, and every further line adds
the same, since lines differ only in figures of four digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_LINE = "Record {number:04d}: the shelf was checked, counted and found in order.\n"
_FEW, _MORE = 8, 72
"""Lines of the two texts that are counted."""
_MOST_LINES = 10_000
SHARE = 0.75
"""Part of the context that a long text is to fill; the rest is for the answer and for what a template adds."""
READ_SHARE = 0.9
"""Part of what was sent that has to have been read. A server that cuts leaves out far more."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How many tokens a text of so many lines has, for one model on one route."""

    fixed: float
    per_line: float

    def tokens(self, lines: int) -> int:
        """Tokens of the whole prompt."""
        return round(self.fixed + self.per_line * lines)

    def lines(self, tokens: int) -> int:
        """Lines of a prompt of at most so many tokens."""
        return max(0, min(int((tokens - self.fixed) / self.per_line), _MOST_LINES))


def prompt(first: str, last: str, lines: int) -> str:
    """A text with a code at either end and so many lines between them, and the question for both codes."""
    filler = "".join(_LINE.format(number=number) for number in range(lines))
    return (
        f"The first code is {first}.\n{filler}The second code is {last}.\n"
        "What are the first and the second code? Answer with the two codes only."
    )


def measured(count: Callable[[str], int], first: str, last: str) -> Measure:
    """The measure of a model. `count` has the model count the tokens of a prompt."""
    few, more = count(prompt(first, last, _FEW)), count(prompt(first, last, _MORE))
    per_line = (more - few) / (_MORE - _FEW)
    if per_line < 1:
        raise ValueError(f"{_MORE - _FEW} more lines are counted as {more - few} more tokens")
    return Measure(few - per_line * _FEW, per_line)
