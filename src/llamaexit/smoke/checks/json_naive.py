"""A JSON schema holds, too, when the client knows nothing of thinking: the reasoning stays out of the JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import OWN_SAMPLING
from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.shaped import SCHEMA, people, written_down

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer
    from llamaexit.smoke.bench import Bench

BUDGET = 1024
"""Tokens: enough to think and then to answer. Whether a client's usual budget is, `think.naive` tells."""


def run(bench: Bench) -> Finding:
    cases = people(bench.random("json.naive"), 2)

    def ask(question: str) -> Answer:
        return bench.chat(question, think="default", format=SCHEMA, max_tokens=BUDGET, options=OWN_SAMPLING)

    return written_down(cases, ask)


CHECK = Check(
    "json.naive",
    "keeps to a JSON schema while it is left to think",
    run,
    suites=("full",),
    reads=300,
    writes=400,
)
