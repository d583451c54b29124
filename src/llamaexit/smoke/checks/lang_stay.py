"""Asked in English, it answers in English, even when Chinese words are in what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import plainly
from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.texts import east_asian

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_QUOTED = "大白兔"
_QUESTIONS = (
    "Explain in two sentences how a bicycle stays upright.",
    "Write two sentences about the weather in spring.",
    "What is the difference between a lake and a pond? Answer in two sentences.",
    f"The sweets {_QUOTED} are sold as White Rabbit. Write one English sentence that advertises them.",
    "Summarise this in one English sentence: 这家小面包店每天早上六点开门。天气好的时候，附近的学生会在门口排队买"
    "热面包。下雨天客人少，老板就多烤一些饼干送给邻居。",
)


def run(bench: Bench) -> Finding:
    def ask(question: str) -> str:
        answer = bench.chat(question, max_tokens=160)
        foreign = east_asian(answer.text.replace(_QUOTED, ""))
        if foreign:
            return f"Chinese, Japanese or Korean in an English answer ({max(foreign, 0.01):.0%} of its letters)"
        return plainly(answer)

    return Tally().each(_QUESTIONS, ask).finding(may_lose=1)


CHECK = Check("lang.stay", "stays in the language it is asked in", run, reads=250, writes=250)
