"""A smoke test from a recipe as a check: the request it stands for, and its answer held to what is expected."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from llamaexit.recipes.model import Use
from llamaexit.smoke.answer import Answer, Called
from llamaexit.smoke.asking import Unanswered
from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.expect import misses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llamaexit.recipes.model import Message, Route, SmokeCheck, Tool
    from llamaexit.smoke.bench import Bench, Think

_CHARACTERS_PER_TOKEN = 3
_SLACK = 1.5
"""How many times longer than allowed an answer is waited for, to know by how much it is too slow."""
_USUAL_ANSWER = 120
"""Tokens that answers usually have, where more are allowed."""


def as_check(asked: SmokeCheck) -> Check:
    """The check that puts a recipe's question. It is asked of any model, in every suite."""
    return Check(
        id=f"own.{asked.id}",
        title=asked.title or asked.id,
        run=partial(_run, asked),
        uses=frozenset(get_args(Use)),
        writes=min(asked.max_tokens, _USUAL_ANSWER),
        reads=_reads(asked),
        route="v1" if asked.door == "v1" else "native",
        advisory=asked.level == "warn",
        own=True,
    )


def _run(asked: SmokeCheck, bench: Bench) -> Finding:
    allowed = asked.expect.max_seconds
    wait = _wait(asked, bench)
    try:
        answer = _answer(asked, bench, wait)
    except Unanswered as error:
        if error.fault != "timeout" or wait is None or wait < allowed:
            raise
        return Finding("fail", f"{error.reason}, and {allowed:g} are allowed", "timeout", won=(False,))
    try:
        missed = misses(asked.expect, _normal(answer, asked), asked.tools)
    except ValueError as error:
        return Finding("error", f"what the recipe expects cannot be judged: {error}", "broken")
    if missed:
        return Finding("fail", f"the answer {'; '.join(missed)}", "wrong", won=(False,))
    return Finding("pass", won=(True,))


def _wait(asked: SmokeCheck, bench: Bench) -> float | None:
    """Seconds to wait for the answer: longer than the recipe allows for it, or else nobody knows that it is too slow.

    None for the usual wait, where the recipe does not care. A limit that the user set holds all the same.
    """
    if not asked.expect.max_seconds:
        return None
    usual = bench.pace.deadline(_reads(asked), asked.max_tokens)
    return usual if bench.pace.fixed else max(usual, _SLACK * asked.expect.max_seconds)


def _normal(answer: Answer, asked: SmokeCheck) -> Answer:
    """The same on every route: arguments as objects, and calls as the reason for which an answer with calls ended."""
    finish = "tool_calls" if answer.calls and answer.finish == "stop" else answer.finish
    calls = tuple(map(_opened, answer.calls)) if asked.door == "v1" else answer.calls
    return replace(answer, calls=calls, finish=finish)


def _opened(call: Called) -> Called:
    """On /v1 arguments come as a text of JSON. What is none stays as it is, and then is no object."""
    try:
        return Called(call.name, json.loads(call.arguments) if isinstance(call.arguments, str) else call.arguments)
    except (ValueError, RecursionError):
        return call


def _reads(asked: SmokeCheck) -> int:
    texts = (asked.ask, asked.system, asked.suffix, *(message.content for message in asked.messages))
    return sum(map(len, texts)) // _CHARACTERS_PER_TOKEN


def _answer(asked: SmokeCheck, bench: Bench, seconds: float | None) -> Answer:
    think: Think = "default" if asked.think == "default" else False
    tools = [definition(tool) for tool in asked.tools]
    if asked.door == "generate":
        images = [asked.image_data] if asked.image_data else None
        given = {"system": asked.system, "suffix": asked.suffix, "images": images, **_format(asked)}
        more = {key: value for key, value in given.items() if value}
        return bench.generate(asked.ask, think=think, max_tokens=asked.max_tokens, seconds=seconds, **more)
    more = {**({"tools": tools} if tools else {}), **_format(asked)}
    put = bench.v1 if asked.door == "v1" else bench.chat
    return put(_conversation(asked), think=think, max_tokens=asked.max_tokens, seconds=seconds, **more)


def _format(asked: SmokeCheck) -> dict[str, Any]:
    schema = asked.expect.json_schema
    if asked.format == "json":
        return {"response_format": {"type": "json_object"}} if asked.door == "v1" else {"format": "json"}
    if asked.format == "json-schema" and schema is not None:
        if asked.door != "v1":
            return {"format": schema}
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}
    return {}


def definition(tool: Tool) -> dict[str, Any]:
    """A tool as Ollama and OpenAI take it."""
    parameters = tool.parameters or {"type": "object", "properties": {}}
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def _conversation(asked: SmokeCheck) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = [{"role": "system", "content": asked.system}] if asked.system else []
    turns += _v1_turns(asked.messages) if asked.door == "v1" else map(_turn, asked.messages)
    if asked.ask:
        turns.append({"role": "user", "content": asked.ask})
    if asked.image_data:
        last = next(turn for turn in reversed(turns) if turn["role"] in ("user", "tool"))
        last |= _pictured(last["content"], asked.image_data, asked.door)
    return turns


def _turn(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        turn["tool_calls"] = [
            {"function": {"name": call.name, "arguments": call.arguments}} for call in message.tool_calls
        ]
    if message.tool_name:
        turn["tool_name"] = message.tool_name
    return turn


def _v1_turns(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    """On /v1 calls have ids, which the answers of the tools refer to, and arguments are texts of JSON."""
    open_calls: dict[str, list[str]] = {}
    made = 0
    for message in messages:
        turn: dict[str, Any] = {"role": message.role, "content": message.content}
        calls = []
        for call in message.tool_calls:
            made += 1
            open_calls.setdefault(call.name, []).append(f"call_{made}")
            function = {"name": call.name, "arguments": json.dumps(call.arguments)}
            calls.append({"id": f"call_{made}", "type": "function", "function": function})
        if calls:
            turn["tool_calls"] = calls
        if message.role == "tool":
            # the answer to the first call of that tool that has none yet
            waiting = open_calls.get(message.tool_name) or [f"call_{made or 1}"]
            turn["tool_call_id"] = waiting.pop(0)
        yield turn


def _pictured(text: str, data: str, door: Route) -> dict[str, Any]:
    if door != "v1":
        return {"images": [data]}
    kind = "png" if data.startswith("iVBOR") else "jpeg"
    url = f"data:image/{kind};base64,{data}"
    return {"content": [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]}
