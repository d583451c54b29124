"""It reads what a tool answered: templates that lose tool messages make agents call the same tool for ever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.texts import leaked
from llamaexit.smoke.tools import GET_WEATHER, offered, spelled_out

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench, Message


def run(bench: Bench) -> Finding:
    code = bench.word("tools.roundtrip")
    conversation: list[Message] = [
        {"role": "user", "content": "What is the weather in Oslo, and which station code does the report carry?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}],
        },
        {"role": "tool", "tool_name": "get_weather", "content": json.dumps({"temp_c": 17, "station_code": code})},
    ]

    def ask() -> str:
        answer = offered(bench.chat, conversation, [GET_WEATHER], 128)
        if answer.calls:
            return f"it calls {answer.calls[0].name} again instead of reading the answer"
        if problem := spelled_out(answer.text) or leaked(answer.text):
            return problem
        return (
            "" if code.casefold() in answer.text.casefold() else f"what the tool answered ({code}) is not in its reply"
        )

    tally = Tally()
    tally.add(ask)
    return tally.finding()


CHECK = Check("tools.roundtrip", "reads what a tool answers", run, uses=frozenset({"tools"}), reads=220, writes=50)
