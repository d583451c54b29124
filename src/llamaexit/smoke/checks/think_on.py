"""Asked to think, it does, keeps that apart from the answer, and comes to an answer within a generous budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import OWN_SAMPLING, plainly
from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.thinking import THINKERS, cannot_think

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

BUDGET = 2048
_QUESTIONS = (
    "A shelf holds 4 rows of 6 jars. Nine jars are taken away. How many are left?",
    "Ida is older than Max, and Max is older than Lea. Who is the youngest of the three?",
)


def run(bench: Bench) -> Finding:
    def ask(question: str) -> str:
        answer = bench.chat(question, think=True, max_tokens=BUDGET, options=OWN_SAMPLING)
        if problem := plainly(answer):
            return problem
        return "" if answer.thinking.strip() else "it was told to think and did not"

    return Tally().each(_QUESTIONS, ask).finding()


CHECK = Check(
    "think.on",
    "thinks when told so, and then answers",
    run,
    uses=THINKERS,
    reads=80,
    writes=900,
    lacks=cannot_think,
)
