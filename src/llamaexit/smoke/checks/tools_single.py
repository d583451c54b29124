"""It calls the one tool it is offered, in the form clients read. Calls that end up in the text are never a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.tools import GET_WEATHER, misuse, offered, spelled_out

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

CITIES = ("Oslo", "Lima", "Cairo", "Hanoi", "Quito", "Perth", "Turin", "Osaka", "Dakar", "Riga")
ASKS = (
    "What is the weather in {city} right now?",
    "I'm flying to {city} today. Is it raining there?",
    "Check the current temperature in {city} for me.",
    "Should I take a coat? I am about to go out in {city}.",
    "weather {city}",
)


def run(bench: Bench) -> Finding:
    cities = bench.random("tools.single").sample(CITIES, len(ASKS))
    in_text = []

    def ask(case: tuple[str, str]) -> str:
        question, city = case
        answer = offered(bench.chat, question.format(city=city), [GET_WEATHER], 128)
        in_text.append(bool(spelled_out(answer.text)))
        return misuse(answer, "get_weather", {"city": city})

    tally = Tally().each(zip(ASKS, cities, strict=True), ask)
    return tally.finding(may_lose=0 if any(in_text) else 1)


CHECK = Check("tools.single", "calls a tool", run, uses=frozenset({"tools"}), reads=800, writes=150)
