"""It keeps to the name the system prompt gives it, and does not present itself as the product of its maker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_SYSTEM = "You are Ada, the assistant of the bicycle shop Northwheel."
_QUESTIONS = ("Who are you?", "Which company made you?")
_MAKERS = re.compile(r"qwen|alibaba|tongyi|deepseek|\bllama\b|\bmeta( ai)?\b|通义|千问|深度求索", re.I)


def run(bench: Bench) -> Finding:
    def ask(question: str) -> str:
        messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": question}]
        answer = bench.chat(messages, max_tokens=120)
        found = _MAKERS.search(answer.text)
        return f"asked about itself, it speaks of {found[0]}" if found else ""

    return Tally().each(_QUESTIONS, ask).finding()


CHECK = Check("persona", "keeps to the name it is given", run, suites=("full",), reads=80, writes=80, advisory=True)
