"""Told not to cut, the server refuses a prompt that is too long: so clients can find out. Says nothing of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asking import Unanswered
from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.checks.ctx_window import USES
from llamaexit.smoke.window import ON_CPU

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_WORDS = "one two three four five six seven eight nine ten "
_TOO_LONG = 1.25
_MOST = 4 * ON_CPU
"""Tokens of context up to which this is asked: a server that does not refuse has to read it all."""


def run(bench: Bench) -> Finding:
    context = bench.subject.context
    if context > _MOST:
        return Finding("skip", f"only asked up to {_MOST:,} tokens of context")
    # a word is at least one token, so this is too long for any vocabulary
    text = _WORDS * (int(_TOO_LONG * context) // len(_WORDS.split()) + 1)
    try:
        answer = bench.chat(text, max_tokens=1, truncate=False, shift=False)
    except Unanswered as error:
        if error.outcome == "fail" and "context" in error.reason:
            return Finding("pass")
        raise
    read = answer.prompt_tokens
    told = f" and reads {read:,} tokens" if read is not None else ""
    return Finding("warn", f"told not to cut a prompt longer than its {context:,} tokens, it answers{told}", "wrong")


CHECK = Check(
    "ctx.refuse", "refuses a prompt that is too long, when told not to cut it", run, uses=USES, suites=("full",),
    reads=1, writes=1, advisory=True,
)  # fmt: skip
