"""Tools that models are offered, and what is wrong with the calls they make."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llamaexit.smoke.patience import with_room
from llamaexit.smoke.texts import cut_off, leaked

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer, Called
    from llamaexit.smoke.bench import Message

ToolDefinition = dict[str, Any]

_SPELLED_OUT = re.compile(
    r"<function=|<parameter=|</?tool_call|</?function_calls?>|\[TOOL_CALLS\]|<\|python_tag\|>|<｜tool"
    r'|\{\s*"(?:name|function)"\s*:\s*"[\w.-]+"\s*,\s*"(?:arguments|parameters)"',
)
"""How calls of Qwen, Llama, DeepSeek and Mistral look when the server does not take them out of the text."""


def function(name: str, description: str, /, **parameters: str | Mapping[str, Any]) -> ToolDefinition:
    """A tool all of whose parameters are required. Each is a JSON Schema, or the description of a text."""
    properties = {
        key: {"type": "string", "description": value} if isinstance(value, str) else dict(value)
        for key, value in parameters.items()
    }
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


GET_WEATHER = function("get_weather", "Get the current weather of a city", city="Name of the city, such as Oslo")


def offered(
    ask: Callable[..., Answer],
    question: str | Sequence[Message],
    tools: list[ToolDefinition],
    max_tokens: int,
    **more: Any,
) -> Answer:
    """Put a question with tools on offer. `ask`: a way of the bench; `more` goes into the request."""
    return with_room(lambda tokens: ask(question, tools=tools, max_tokens=tokens, **more), max_tokens)


def spelled_out(text: str) -> str:
    """Whether a call stands in the text instead of being made, in words; nothing when none does."""
    found = _SPELLED_OUT.search(text)
    return f"it writes the call into its answer instead of making it ({found[0].strip()[:30]})" if found else ""


def misuse(answer: Answer, tool: str, arguments: Mapping[str, str] | None = None, *, v1: bool = False) -> str:
    """What is wrong with an answer that should be one call of a tool; nothing when it is.

    arguments: a text that each has to contain, whatever its case. v1: arguments come as a text of JSON.
    """
    if problem := spelled_out(answer.text) or leaked(answer.text):
        return problem
    if not answer.calls:
        return _no_call(answer, tool)
    if len(answer.calls) > 1:
        return f"it makes {len(answer.calls)} calls where one is asked for"
    (call,) = answer.calls
    if call.name != tool:
        return f"it calls {call.name or 'a tool without a name'} instead of {tool}"
    given = arguments_of(call, v1=v1)
    if isinstance(given, str):
        return given
    for name, wanted in (arguments or {}).items():
        value = given.get(name)
        if not isinstance(value, str) or wanted.casefold() not in value.casefold():
            return f"it calls {tool} with {name} = {_short(value)} instead of {_short(wanted)}"
    return ""


def arguments_of(call: Called, *, v1: bool = False) -> dict[str, Any] | str:
    """The arguments of a call, or what is wrong with them."""
    given = call.arguments
    if v1:
        if not isinstance(given, str):
            return f"the arguments of {call.name} are no text of JSON, as /v1 promises"
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return f"the arguments of {call.name} are not JSON: {_short(given)}"
    if not isinstance(given, dict):
        return f"the arguments of {call.name} are no object: {_short(given)}"
    return given


def _no_call(answer: Answer, tool: str) -> str:
    if tool in answer.thinking:
        return f"while thinking it plans to call {tool}, and then does not"
    if problem := cut_off(answer.finish):
        return f"it calls no tool, and {problem}"
    return f"it does not call {tool}: {_short(answer.text)}" if answer.text.strip() else "it answers nothing at all"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
