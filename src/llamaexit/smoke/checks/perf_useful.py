"""How long people wait for the first character that is no reasoning, as a client that says nothing about thinking."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from llamaexit.smoke.asked import OWN_SAMPLING
from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.checks.think_naive import BUDGET

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_QUESTIONS = (
    "How many legs does a spider have? Answer in one sentence.",
    "Suggest a name for a small grey cat. Write the name only.",
    "What do you call the place where trains stop? Answer in one sentence.",
)


def run(bench: Bench) -> Finding:
    waited: list[float] = []

    def ask(question: str) -> str:
        answer = bench.chat(question, think="default", stream=True, max_tokens=BUDGET, options=OWN_SAMPLING)
        if answer.first_content is None:
            return f"no word of an answer within {BUDGET} tokens"
        waited.append(answer.first_content)
        return ""

    tally = Tally().each(_QUESTIONS, ask)
    if waited:
        tally.figures["first_content_seconds"] = median(waited)
    return tally.finding()


CHECK = Check("perf.useful", "begins to answer soon", run, reads=100, writes=250)
