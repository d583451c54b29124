"""It leaves a tool alone when there is no need for one. Only told: many agents live with a call too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.tools import GET_WEATHER, offered

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_ASKS = ("Say hello.", "What is 2 + 2?", "The weather in Oslo is 3 °C now. Is that cold?")


def run(bench: Bench) -> Finding:
    def ask(question: str) -> str:
        answer = offered(bench.chat, question, [GET_WEATHER], 64)
        return f"it calls {answer.calls[0].name} to answer: {question}" if answer.calls else ""

    tally = Tally().each(_ASKS, ask)
    return tally.finding() if tally.won.count(False) > 1 else Finding("pass", won=tuple(tally.won))


CHECK = Check(
    "tools.restraint", "calls no tool without need", run, uses=frozenset({"tools"}), suites=("full",), reads=450,
    writes=120, advisory=True,
)  # fmt: skip
