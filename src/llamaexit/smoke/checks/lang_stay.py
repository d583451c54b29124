"""Asked in English, it answers in English, even when Chinese words are in what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import plainly
from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.texts import east_asian

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_SOME = 0.05
"""The part of the letters that may be Chinese where the question quotes a Chinese name."""
_CASES = (
    ("Explain in two sentences how a bicycle stays upright.", 0.0),
    ("Write two sentences about the weather in spring.", 0.0),
    ("What is the difference between a lake and a pond? Answer in two sentences.", 0.0),
    ("The sweets 大白兔 are sold as White Rabbit. Write one English sentence that advertises them.", _SOME),
    (
        "Summarise this in one English sentence: 这家小面包店每天早上六点开门。天气好的时候，附近的学生会在门口排队买"
        "热面包。下雨天客人少，老板就多烤一些饼干送给邻居。",
        0.0,
    ),
)


def run(bench: Bench) -> Finding:
    def ask(case: tuple[str, float]) -> str:
        question, most = case
        answer = bench.chat(question, max_tokens=160)
        foreign = east_asian(answer.text)
        if foreign > most:
            return f"Chinese, Japanese or Korean in an English answer ({foreign:.0%} of its letters)"
        return plainly(answer)

    return Tally().each(_CASES, ask).finding(may_lose=1)


CHECK = Check("lang.stay", "stays in the language it is asked in", run, reads=250, writes=250)
