"""Of three tools it takes the one that is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.tools import GET_WEATHER, function, misuse, offered

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_TOOLS = [
    GET_WEATHER,
    function("search_mail", "Search the user's mailbox", query="What to look for"),
    function("set_timer", "Start a kitchen timer", minutes={"type": "integer", "description": "How long it runs"}),
]


def run(bench: Bench) -> Finding:
    word = bench.word("tools.choice")
    cases: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("Find the mail about the invoice from {word} for me.", "search_mail", {"query": word}),
        ("My pasta needs 9 minutes. Start the timer.", "set_timer", {}),
        ("How warm is it in Lima at the moment?", "get_weather", {"city": "Lima"}),
    )

    def ask(case: tuple[str, str, dict[str, str]]) -> str:
        question, tool, arguments = case
        answer = offered(bench.chat, question.format(word=word), _TOOLS, 128)
        return misuse(answer, tool, arguments)

    return Tally().each(cases, ask).finding()


CHECK = Check("tools.choice", "takes the right tool of three", run, uses=frozenset({"tools"}), reads=900, writes=90)
