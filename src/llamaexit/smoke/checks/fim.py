"""It fills a gap in code, and leaves out the tokens that mark the gap."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.texts import leaked

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_CASES = (
    ("def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n", re.compile(r"a\s*\+\s*b|b\s*\+\s*a|sum\(")),
    (
        "def largest(numbers):\n    best = numbers[0]\n    for number in numbers:\n        if ",
        "\n    return best\n",
        None,
    ),
    ("import json\n\n\ndef load(path):\n    with open(path) as file:\n        ", "\n\n\nprint(load('a.json'))\n", None),
)
_MARK = re.compile(r"fim_|<\|?(?:PRE|SUF|MID|EOT)|▁<(?:PRE|SUF|MID)>|</?fim|<｜fim", re.IGNORECASE)
"""What marks gaps in the prompts of Qwen, DeepSeek, StarCoder and CodeLlama."""


def run(bench: Bench) -> Finding:
    def ask(case: tuple[str, str, re.Pattern[str] | None]) -> str:
        before, after, wanted = case
        answer = bench.generate(before, suffix=after, max_tokens=32)
        text = answer.text
        if found := _MARK.search(text):
            return f"a mark of the gap is in what it fills in ({found[0]})"
        if problem := leaked(text):
            return problem
        if not text.strip():
            return "it fills in nothing"
        return f"it fills in {text.strip()[:40]!r} where a sum is missing" if wanted and not wanted.search(text) else ""

    return Tally().each(_CASES, ask).finding()


CHECK = Check("fim", "fills a gap in code", run, uses=frozenset({"fim"}), reads=150, writes=90)
