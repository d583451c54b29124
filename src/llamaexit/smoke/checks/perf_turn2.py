"""In the second turn of a conversation the first one is not read all over again.

Hybrid architectures (Qwen3-Next, Qwen3.5 and later) cannot take back what they read, so that a changed beginning costs
the whole prompt (https://github.com/ollama/ollama/issues/14662).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import prose
from llamaexit.smoke.check import Check, Finding

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench, Message

WORDS = 1600
"""Of the first turn: about 2,000 tokens."""
HALF = 0.5
_UNNOTICED = 0.25
"""Seconds that nobody minds."""


def run(bench: Bench) -> Finding:
    words = min(WORDS, bench.subject.context * 2 // 5)
    text = prose(bench.random("perf.turn2"), words)
    messages: list[Message] = [{"role": "user", "content": f"{text}\n\nSay in one sentence what this is about."}]
    first = bench.chat(messages, max_tokens=100)
    messages += [
        {"role": "assistant", "content": first.text},
        {"role": "user", "content": "And which animal occurs in it? Answer in one sentence."},
    ]
    second = bench.chat(messages, max_tokens=100)
    if first.prompt_seconds is None or second.prompt_seconds is None:
        return Finding("warn", "Ollama does not say how long it read")
    figures = {"first_turn_seconds": first.prompt_seconds, "second_turn_seconds": second.prompt_seconds}
    if second.prompt_seconds > max(HALF * first.prompt_seconds, _UNNOTICED):
        reason = f"reading took {first.prompt_seconds:.1f} s in the first turn and {second.prompt_seconds:.1f} s again"
        return Finding("warn", f"{reason} in the second", figures=figures)
    return Finding("pass", figures=figures)


CHECK = Check(
    "perf.turn2", "does not read everything again in the second turn", run, reads=2600, writes=60, advisory=True
)
