"""Streams of `/v1` come in pieces, with text in them and an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import plainly
from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.checks.stream_shape import QUESTION

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench


def run(bench: Bench) -> Finding:
    tally = Tally()
    tally.add(lambda: plainly(bench.v1(QUESTION, stream=True)))
    return tally.finding()


CHECK = Check("stream.v1", "streams its answers on /v1", run, reads=30, writes=25, route="v1")
