"""Ten small sums in words. Damage that leaves sentences whole (a coarse KV cache, a broken kernel) shows in sums.

A model is compared with the old one (`beside`); by itself it only has to be better than guessing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_GUESSING, _GOOD = 3, 7
"""Right answers of ten: fewer than the first are a failure, fewer than the second worth a word."""
_NUMBER = re.compile(r"\d+(?:,\d{3})*")
_SUMS: tuple[tuple[str, Callable[[int, int, int], int]], ...] = (
    ("A box holds {a} rows of {b} eggs. {c} eggs are broken. How many are whole?", lambda a, b, c: a * b - c),
    ("Lea has {a} stamps, buys {b} packs of {c} and keeps them all. How many has she?", lambda a, b, c: a + b * c),
    ("A bus starts with {ab} people. {c} get off and {a} get on. How many are on it?", lambda a, b, c: a * b - c + a),
    (
        "{a} friends each pay {b} euros for a gift. It costs {c} euros less. What does it cost?",
        lambda a, b, c: a * b - c,
    ),
    ("A path is {a} km long, another {b} km. Someone walks both {c} times. How many km?", lambda a, b, c: (a + b) * c),
    ("Each of {a} tables has {b} chairs, and {c} more stand at the wall. How many chairs?", lambda a, b, c: a * b + c),
    (
        "A tank has {ab} litres. {a} buckets of {c} litres each are added. How many litres?",
        lambda a, b, c: a * b + a * c,
    ),
    (
        "A shop sells {a} cakes a day for {b} days and gives {c} away. How many cakes left it?",
        lambda a, b, c: a * b + c,
    ),
    ("Of {ab} seats, {c} are broken and {b} are taken. How many are free?", lambda a, b, c: a * b - c - b),
    ("Tim reads {b} pages a day for {a} days, then {c} pages more. How many pages?", lambda a, b, c: a * b + c),
)


def run(bench: Bench) -> Finding:
    dice = bench.random("reason.mini")

    def ask(question: tuple[str, int]) -> str:
        text, right = question
        answer = bench.chat(f"{text} Answer with the number only.", max_tokens=200)
        numbers = _NUMBER.findall(answer.text)
        if not numbers:
            return "an answer without a number"
        found = int(numbers[-1].replace(",", ""))
        return "" if found == right else f"it says {found}, and {right} is right"

    tally = Tally().each(questions(dice), ask)
    won = sum(tally.won)
    if won >= _GOOD:
        return Finding("pass", won=tuple(tally.won))
    return tally.finding(may_lose=len(_SUMS) - _GUESSING)


def questions(dice: random.Random) -> list[tuple[str, int]]:
    found = []
    for text, right in _SUMS:
        a, b, c = dice.randint(4, 9), dice.randint(5, 9), dice.randint(2, 4)
        found.append((text.format(a=a, b=b, c=c, ab=a * b), right(a, b, c)))
    return found


CHECK = Check("reason.mini", "does small sums", run, suites=("full",), reads=450, writes=150)
