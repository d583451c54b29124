"""It does what the system prompt says, whatever it is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import plainly
from llamaexit.smoke.check import Check, Finding, Tally

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_QUESTIONS = (
    "Why do leaves turn yellow in autumn? Answer in one sentence.",
    "How do I keep bread fresh? Answer in one sentence.",
    "Recommend a board game for two people, in one sentence.",
)
_END = 40
"""Characters at the end of an answer in which the mark has to be: a full stop or a blank may follow."""


def run(bench: Bench) -> Finding:
    mark = f"[[{bench.word('mark')}]]"
    system = {"role": "system", "content": f"End every answer with the mark {mark}"}

    def ask(question: str) -> str:
        answer = bench.chat([system, {"role": "user", "content": question}], max_tokens=200)
        if mark in answer.text.rstrip()[-_END:]:
            return ""
        return plainly(answer) or "the system prompt is not followed: the mark it asks for is missing at the end"

    return Tally().each(_QUESTIONS, ask).finding(may_lose=1)


CHECK = Check("system.obey", "does what the system prompt says", run, reads=150, writes=150)
