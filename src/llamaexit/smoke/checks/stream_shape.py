"""Streams of `/api/chat` and `/api/generate` come in pieces, with text in them and an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import plainly
from llamaexit.smoke.check import Check, Finding, Tally

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

QUESTION = "Name three things that float on water, in one sentence."


def run(bench: Bench) -> Finding:
    tally = Tally()
    tally.add(lambda: plainly(bench.chat(QUESTION, stream=True)))
    tally.add(lambda: plainly(bench.generate(QUESTION, stream=True)))
    return tally.finding()


CHECK = Check("stream.shape", "streams its answers", run, reads=60, writes=50)
