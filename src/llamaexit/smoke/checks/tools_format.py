"""What it does when a client sends tools and a format at once. Reported only: Ollama may let the format win."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.tools import GET_WEATHER, misuse, offered

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


def run(bench: Bench) -> Finding:
    question = "What is the weather in Oslo right now?"
    answer = offered(bench.chat, question, [GET_WEATHER], 128, format=_SCHEMA)
    if answer.calls and not misuse(answer, "get_weather"):
        return Finding("pass", "it calls the tool and leaves the format aside")
    try:
        value = json.loads(answer.text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and "answer" in value:
        return Finding("pass", "it keeps to the format and does not call the tool: ask for one at a time")
    return Finding("warn", f"neither a call nor the format: {answer.text[:60] or 'nothing at all'}", "wrong")


CHECK = Check(
    "tools.format", "copes with tools and a format at once", run, uses=frozenset({"tools"}), suites=("full",),
    reads=170, writes=40, advisory=True,
)  # fmt: skip
