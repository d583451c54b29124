"""It takes a system message in the middle of a conversation, as agents send it.

Qwen's renderers refused that with an HTTP 500 until 0.32.15 (https://github.com/ollama/ollama/pull/17855).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import plainly
from llamaexit.smoke.check import Check, Finding, Tally

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_MESSAGES = (
    {"role": "system", "content": "You help with travel plans."},
    {"role": "user", "content": "I would like to go to the sea in May."},
    {"role": "assistant", "content": "A good choice: it is quiet then. Do you prefer sand or cliffs?"},
    {"role": "system", "content": "From now on, answer in one short sentence."},
    {"role": "user", "content": "Sand. Where should I go?"},
)


def run(bench: Bench) -> Finding:
    tally = Tally()
    tally.add(lambda: plainly(bench.chat(_MESSAGES, max_tokens=200)))
    return tally.finding()


CHECK = Check(
    "chat.midsystem",
    "takes system messages in the middle of a conversation",
    run,
    uses=frozenset({"tools", "code"}),
    reads=90,
    writes=40,
)
