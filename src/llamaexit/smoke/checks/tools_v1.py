"""It calls tools for clients of OpenAI's API: a `finish_reason` of `tool_calls`, and arguments as a text of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.checks.tools_single import ASKS
from llamaexit.smoke.tools import GET_WEATHER, misuse, offered

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_CASES = ((ASKS[0], "Lima"), (ASKS[2], "Riga"))


def run(bench: Bench) -> Finding:
    def ask(case: tuple[str, str]) -> str:
        question, city = case
        answer = offered(bench.v1, question.format(city=city), [GET_WEATHER], 128, tool_choice="auto")
        if problem := misuse(answer, "get_weather", {"city": city}, v1=True):
            return problem
        return "" if answer.finish == "tool_calls" else f"finish_reason is {answer.finish or 'missing'}, not tool_calls"

    return Tally().each(_CASES, ask).finding()


CHECK = Check(
    "tools.v1", "calls a tool on /v1", run, uses=frozenset({"tools"}), reads=320, writes=60, route="v1"
)  # fmt: skip
