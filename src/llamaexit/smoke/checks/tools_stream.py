"""A call arrives in a stream, too, where some servers send an error line in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.checks.tools_single import ASKS
from llamaexit.smoke.tools import GET_WEATHER, misuse, offered

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench


def run(bench: Bench) -> Finding:
    def ask() -> str:
        answer = offered(bench.chat, ASKS[0].format(city="Oslo"), [GET_WEATHER], 128, stream=True)
        return misuse(answer, "get_weather", {"city": "Oslo"})

    tally = Tally()
    tally.add(ask)
    return tally.finding()


CHECK = Check("tools.stream", "calls a tool in a stream", run, uses=frozenset({"tools"}), reads=160, writes=30)
