"""How fast it reads and writes, from Ollama's own counters: the median of three different prompts."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from llamaexit.smoke.asked import prose
from llamaexit.smoke.check import TEXT_USES, Check, Finding

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

WRITTEN, READ = 200, 400
"""Tokens to be written, and words to be read before: enough for the counters to say something."""
_SHORTEST = 16
"""Tokens of an answer that is too short to be measured."""
_TOPICS = ("the old clock", "the ferry", "the market")


def run(bench: Bench) -> Finding:
    writes: list[float] = []
    reads: list[float] = []
    words = min(READ, bench.subject.context // 4)
    for topic in _TOPICS:
        text = prose(bench.random(f"perf.rate {topic}"), words)
        prompt = f"{text}\n\nTell a long story about {topic} and what happened next."
        answer = bench.generate(prompt, max_tokens=WRITTEN)
        if answer.tokens_per_second is not None and (answer.tokens or 0) >= _SHORTEST:
            writes.append(answer.tokens_per_second)
        if answer.prompt_tokens_per_second is not None:
            reads.append(answer.prompt_tokens_per_second)
    if not writes:
        return Finding("warn", "its speed could not be measured: the answers were too short, or were not counted")
    figures = {"tokens_per_second": median(writes)}
    if reads:
        figures["prompt_tokens_per_second"] = median(reads)
    return Finding("pass", figures=figures)


CHECK = Check("perf.rate", "reads and writes fast enough", run, uses=TEXT_USES, reads=1600, writes=600)
