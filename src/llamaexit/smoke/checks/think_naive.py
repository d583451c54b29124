"""It answers clients that know nothing of thinking: no `think` field, and a budget that was enough for a Llama.

A model that thinks by default may spend all of `num_predict` on it and return an empty answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llamaexit.smoke.asked import OWN_SAMPLING, SHORT, plainly
from llamaexit.smoke.check import Check, Finding, Tally

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

BUDGET = 512
"""Tokens that clients commonly ask for."""


def run(bench: Bench) -> Finding:
    tally = Tally()
    tokens: list[int] = []
    thoughts: list[int] = []

    def ask(question: str) -> str:
        answer = bench.chat(question, think="default", max_tokens=BUDGET, options=OWN_SAMPLING)
        tokens.append(answer.tokens or 0)
        thoughts.append(len(answer.thinking))
        return plainly(answer)

    finding = tally.each(SHORT, ask).finding()
    figures = {"answer_tokens": float(sum(tokens)), "thinking_characters": float(sum(thoughts))}
    finding = replace(finding, figures=figures)
    if finding.outcome == "pass" and any(thoughts):
        told = f"it thinks before it answers: {sum(tokens):,} tokens for {len(SHORT)} short answers"
        return replace(finding, outcome="warn", reason=told)
    return finding


CHECK = Check("think.naive", "answers clients that say nothing about thinking", run, reads=120, writes=350)
