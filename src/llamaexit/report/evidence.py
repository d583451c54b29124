"""Questions and answers as evidence: whole enough to judge by, short enough to read, and unable to do anything.

What a model answers comes from a stranger: it may be markup, escape sequences, marks that turn the direction of the
text around, or a line of a megabyte. Here it becomes plain, short, visible characters; escaping for HTML or Markdown
is done where it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from llamaexit.printable import visible as visible

if TYPE_CHECKING:
    from llamaexit.smoke.model import CheckResult, Exchange

LINE = 600
"""Characters of a line of prose (a reason, an error message) that are shown."""
TEXT = 2000
"""Characters of what was asked or answered that are shown."""
_LEAF = 300
"""Characters of one text inside a request or an answer as JSON."""
_DOCUMENT = 6000
"""Characters of a whole request or answer as JSON."""
_ITEMS = 12
_KEYS = 40
_DEPTH = 6
_SHOWN = 5
"""Exchanges that are shown of a check that did not simply pass; of one that did, the first."""
_LARGEST = 2**64


@dataclass(frozen=True, slots=True)
class Evidence:
    """One request and what came back, ready to be escaped and shown.

    said: what was asked and answered in plain words, each with a label. request, answer: as JSON.
    """

    path: str
    status: str
    seconds: float
    said: tuple[tuple[str, str], ...]
    request: str
    answer: str


@dataclass(frozen=True, slots=True)
class Exchanges:
    """What is shown of a check: some of its exchanges, and how many there are more."""

    shown: tuple[Evidence, ...]
    more: int


def shortened(text: str, most: int) -> str:
    """The beginning and the end of a text of more than `most` characters, with how many are left out between."""
    if len(text) <= most:
        return text
    head, tail = most * 3 // 4, most // 4
    return f"{text[:head]} [… {len(text) - head - tail:,} characters left out …] {text[-tail:]}"


def one_line(text: str, most: int = LINE) -> str:
    """Prose on one line, shortened."""
    return " ".join(shortened(text, most).split())


def exchanges_of(result: CheckResult) -> Exchanges:
    """The evidence of one check: enough of it to see why it went as it did."""
    most = 1 if result.outcome == "pass" else _SHOWN
    found = list(result.exchanges)
    if len(result.won) == len(found):
        # one exchange for each prompt: those that were lost are what people look for
        found = [exchange for _, exchange in sorted(zip(result.won, found, strict=True), key=lambda pair: pair[0])]
    shown = tuple(map(_evidence, found[:most]))
    return Exchanges(shown, len(found) - len(shown))


def _evidence(exchange: Exchange) -> Evidence:
    error = exchange.error
    said = [*_asked(exchange.request), *_answered(exchange.answer or {})]
    if error:
        said.append(("Error", error))
    return Evidence(
        path=one_line(exchange.path, 200),
        status=f"HTTP {exchange.status}" if exchange.status else "no answer",
        seconds=exchange.seconds,
        said=tuple((label, shortened(text, TEXT)) for label, text in said),
        request=_document(exchange.request),
        answer=_document(exchange.answer) if exchange.answer is not None else "",
    )


def _asked(request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a person would call the question, in the shapes of Ollama's own routes and of /v1."""
    messages = request.get("messages")
    for message in messages[-_ITEMS:] if isinstance(messages, list) else ():
        if isinstance(message, dict) and (text := _content(message)):
            yield str(message.get("role", "message")).capitalize()[:20], text
    for key, label in (("system", "System"), ("prompt", "Prompt"), ("suffix", "Suffix"), ("input", "Input")):
        if text := _text(request.get(key)):
            yield label, text


def _answered(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    choices = answer.get("choices")
    message: Any = answer.get("message")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        message = choices[0].get("message")
    if not isinstance(message, dict):
        message = {key: answer[key] for key in ("thinking", "tool_calls") if key in answer}
        if "response" in answer:
            message["content"] = answer["response"]
    if not message:
        return
    if thought := _text(message.get("thinking") or message.get("reasoning")):
        yield "Thought", thought
    calls = message.get("tool_calls")
    if calls:
        yield "Called", _calls(calls)
    content = _content(message)
    if content or not calls:
        yield "Answered", content or "(nothing)"


def _content(message: dict[str, Any]) -> str:
    """The text of a message; of one in parts, the text parts, one a line."""
    content = message.get("content")
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(part for part in parts if isinstance(part, str))
    return _text(content)


def _calls(calls: Any) -> str:
    """Tool calls as they would be written in code, one a line; anything that is no list of calls as JSON."""
    try:
        functions = [call["function"] for call in calls]
        lines = [f"{one['name']}({_compact(one.get('arguments', ''))})" for one in functions]
    except (TypeError, KeyError, AttributeError):
        return _document(calls)
    return "\n".join(lines)


def _compact(arguments: Any) -> str:
    """The arguments of a call: an object on Ollama's own routes, its JSON text on /v1."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(_small(arguments, _DEPTH), ensure_ascii=False)


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return value if isinstance(value, str) else ""


def _document(value: Any) -> str:
    return shortened(json.dumps(_small(value, _DEPTH), indent=2, ensure_ascii=False), _DOCUMENT)


def _small(value: Any, depth: int) -> Any:
    """A JSON value with long texts, long lists and deep nesting cut, each with a word about what is not there."""
    if isinstance(value, str):
        return _picture(value) if value.startswith("data:") else shortened(value, _LEAF)
    if isinstance(value, int) and abs(value) > _LARGEST:
        return f"[a number of {value.bit_length():,} bits]"
    if not isinstance(value, dict | list | tuple):
        return value
    if depth == 0:
        return "[deeper]"
    if isinstance(value, dict):
        kept = {shortened(str(key), 100): _member(key, item, depth - 1) for key, item in islice(value.items(), _KEYS)}
        return kept if len(value) <= _KEYS else {**kept, "…": f"[{len(value) - _KEYS:,} keys more]"}
    items = [_small(item, depth - 1) for item in value[:_ITEMS]]
    return items if len(value) <= _ITEMS else [*items, f"[{len(value) - _ITEMS:,} more]"]


def _member(key: Any, value: Any, depth: int) -> Any:
    if key == "images" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [_picture(item) for item in value[:_ITEMS]]
    return _small(value, depth)


def _picture(text: str) -> str:
    return f"[a picture, {len(text):,} characters]"
