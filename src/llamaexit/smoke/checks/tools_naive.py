"""It calls a tool for clients that know nothing of thinking, too: some models plan a call in thought, and then end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import OWN_SAMPLING
from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.checks.tools_single import ASKS, CITIES
from llamaexit.smoke.thinking import cannot_think
from llamaexit.smoke.tools import GET_WEATHER, misuse

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_BUDGET = 512
"""Tokens, thinking included: what clients usually allow."""


def run(bench: Bench) -> Finding:
    cities = bench.random("tools.naive").sample(CITIES, 2)

    def ask(case: tuple[str, str]) -> str:
        question, city = case
        answer = bench.chat(
            question.format(city=city), tools=[GET_WEATHER], think="default", max_tokens=_BUDGET, options=OWN_SAMPLING
        )
        return misuse(answer, "get_weather", {"city": city})

    return Tally().each(zip(ASKS[1:3], cities, strict=True), ask).finding()


CHECK = Check(
    "tools.naive", "calls a tool while it is left to think", run, uses=frozenset({"tools"}), suites=("full",),
    reads=320, writes=600, lacks=cannot_think, advisory=True,
)  # fmt: skip
