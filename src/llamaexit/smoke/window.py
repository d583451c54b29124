"""Whether a model reads all of a long prompt: the question that both routes are asked, each in its own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llamaexit.smoke.asking import Unanswered
from llamaexit.smoke.check import Finding
from llamaexit.smoke.long_text import READ_SHARE, SHARE, measured, prompt
from llamaexit.smoke.patience import with_room

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer
    from llamaexit.smoke.bench import Bench

Ask = Callable[[str, int], "Answer"]
"""Put a prompt, with at most so many tokens of an answer."""

ON_CPU = 8192
"""Tokens of context that are tried where most of a model is not on a GPU."""
_MOSTLY = 0.5
_PATIENCE = 60.0
"""Seconds that reading may take."""
_LONGEST = 250.0
"""The same where the least that says something takes longer: the wait for an answer ends after 300."""
_LEAST = 5000
"""Tokens. More than Ollama's smallest default context, which is what a prompt is cut to when settings get lost."""


def read_whole(bench: Bench, name: str, ask: Ask) -> Finding:
    """Fill three quarters of the planned context, with a code at either end, and see how much of it was read."""
    first, last = bench.word(f"{name} first"), bench.word(f"{name} last")
    try:
        measure = measured(lambda text: _read(ask(text, 1)), first, last)
    except ValueError as error:
        return Finding("error", f"its tokens cannot be counted: {error}", "broken")
    wanted = int(SHARE * bench.subject.context)
    lines = measure.lines(min(wanted, _most(bench)))
    sent = measure.tokens(lines)
    answer = with_room(lambda tokens: ask(prompt(first, last, lines), tokens), 64)
    read = _read(answer)
    figures = {"context_sent_tokens": float(sent), "context_read_tokens": float(read)}
    if read < READ_SHARE * sent:
        reason = f"it was sent {sent:,} tokens and read {read:,}: the rest was cut off without a word"
        return Finding("fail", reason, "wrong", (False,), figures)
    missing = [code for code in (first, last) if code.casefold() not in answer.text.casefold()]
    if missing:
        where = "both ends" if len(missing) == 2 else "the beginning" if missing == [first] else "the end"
        reason = f"of {sent:,} tokens it does not find what stands at {where}"
        return Finding("fail", reason, "wrong", (False,), figures)
    less = (
        "" if sent > READ_SHARE * wanted else f"tried with {sent:,} tokens only: more takes this machine long to read"
    )
    return Finding("pass", less, won=(True,), figures=figures)


def _most(bench: Bench) -> int:
    """Tokens that this machine reads in a time people wait."""
    residency = bench.residency
    on_cpu = residency is not None and residency.gpu_share < _MOSTLY
    most = int(SHARE * ON_CPU) if on_cpu else bench.subject.context
    speed = bench.pace.reads
    return most if speed is None else min(most, int(min(max(_PATIENCE * speed, _LEAST), _LONGEST * speed)))


def _read(answer: Answer) -> int:
    if answer.prompt_tokens is None:
        raise Unanswered("error", "broken", "the server does not tell how many tokens of the prompt it read")
    return answer.prompt_tokens
