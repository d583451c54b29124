"""Hold an answer to what a recipe expects of it. Pure: the same answer always misses the same expectations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llamaexit.recipes.patterns import found
from llamaexit.smoke.language import language_of

if TYPE_CHECKING:
    from llamaexit.recipes.model import Call, Expect, Tool
    from llamaexit.smoke.answer import Answer, Called

_NOT_JSON = object()
_SHOWN = 60


def misses(expect: Expect, answer: Answer, tools: Sequence[Tool] = ()) -> tuple[str, ...]:
    """What an answer is not that it should be, one line each; nothing when it is as expected.

    Raises ValueError when a schema or a pattern cannot be applied, which is a fault of the recipe.
    """
    return (
        *_texts(expect, answer.text),
        *_patterns(expect, answer.text),
        *_json(expect, answer.text),
        *_calls(expect, answer.calls, tools),
        *_rest(expect, answer),
    )


def _texts(expect: Expect, text: str) -> Iterator[str]:
    stripped, folded = text.strip(), text.casefold()
    if expect.equals is not None and stripped != expect.equals.strip():
        yield f"is not {_quoted(expect.equals)}"
    if expect.not_equals is not None and stripped == expect.not_equals.strip():
        yield f"is {_quoted(expect.not_equals)}"
    if expect.starts_with is not None and not stripped.startswith(expect.starts_with):
        yield f"does not start with {_quoted(expect.starts_with)}"
    if expect.not_starts_with is not None and stripped.startswith(expect.not_starts_with):
        yield f"starts with {_quoted(expect.not_starts_with)}"
    for wanted in _given(expect.contains, expect.contains_all):
        if wanted not in text:
            yield f"does not contain {_quoted(wanted)}"
    for wanted in _given(expect.icontains, expect.icontains_all):
        if wanted.casefold() not in folded:
            yield f"does not contain {_quoted(wanted)} in any case of letters"
    for unwanted in _given(expect.not_contains, expect.not_contains_any):
        if unwanted in text:
            yield f"contains {_quoted(unwanted)}"
    for unwanted in _given(expect.not_icontains, expect.not_icontains_any):
        if unwanted.casefold() in folded:
            yield f"contains {_quoted(unwanted)} in some case of letters"
    if expect.contains_any and not any(wanted in text for wanted in expect.contains_any):
        yield f"contains none of {_listed(expect.contains_any)}"
    if expect.icontains_any and not any(wanted.casefold() in folded for wanted in expect.icontains_any):
        yield f"contains none of {_listed(expect.icontains_any)} in any case of letters"


def _patterns(expect: Expect, text: str) -> Iterator[str]:
    if expect.regex is not None and not found(expect.regex, text):
        yield f"does not match {_quoted(expect.regex)}"
    if expect.not_regex is not None and found(expect.not_regex, text):
        yield f"matches {_quoted(expect.not_regex)}"


def _json(expect: Expect, text: str) -> Iterator[str]:
    if not expect.is_json and expect.json_schema is None:
        return
    value = _parsed(text)
    if value is _NOT_JSON:
        yield "is not JSON"
    elif expect.json_schema is not None:
        yield from (f"does not fit the JSON Schema: {fault}" for fault in _faults(expect.json_schema, value)[:3])


def _parsed(text: str) -> Any:
    """The value of a text of JSON. NaN and Infinity, which Python would take, are none."""

    def no_json(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=no_json)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _faults(schema: dict[str, Any], value: Any) -> tuple[str, ...]:
    from llamaexit.recipes.schemas import violations

    return violations(schema, value)


def _calls(expect: Expect, calls: Sequence[Called], tools: Sequence[Tool]) -> Iterator[str]:
    made = ", ".join(call.name for call in calls) or "none"
    if expect.not_tool and calls:
        yield f"calls a tool: {made}"
    if expect.tool is not None and not any(_is(call, expect.tool) for call in calls):
        same_name = next((call for call in calls if call.name == expect.tool.name), None)
        if same_name is None:
            yield f"does not call {expect.tool.name} (tools called: {made})"
        else:
            yield f"calls {expect.tool.name} with other arguments: {_short(json.dumps(same_name.arguments))}"
    if expect.is_valid_openai_tools_call:
        yield from _invalid(calls, tools)


def _is(call: Called, wanted: Call) -> bool:
    return call.name == wanted.name and contains_value(call.arguments, wanted.arguments)


def _invalid(calls: Sequence[Called], tools: Sequence[Tool]) -> Iterator[str]:
    """Why calls are not what the tools allow."""
    if not calls:
        yield "calls no tool"
    offered = {tool.name: tool for tool in tools}
    for call in calls:
        if call.name not in offered:
            yield f"calls {call.name}, which it was not offered"
        elif not isinstance(call.arguments, dict):
            yield f"calls {call.name} with arguments that are no object"
        else:
            faults = _faults(offered[call.name].parameters, call.arguments)
            yield from (f"calls {call.name} with wrong arguments: {fault}" for fault in faults[:3])


def contains_value(whole: object, part: object) -> bool:
    """Whether every key of `part` is in `whole` with that value, at every level; everything else has to be equal."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(
            key in whole and contains_value(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, (list, tuple)):
        return (
            isinstance(whole, (list, tuple))
            and len(whole) == len(part)
            and all(contains_value(*pair) for pair in zip(whole, part, strict=True))
        )
    if isinstance(whole, bool) is not isinstance(part, bool):
        return False  # to Python, true is 1
    return whole == part


def _rest(expect: Expect, answer: Answer) -> Iterator[str]:
    if expect.finish_reason is not None and answer.finish != expect.finish_reason:
        yield f"ended because of {answer.finish or 'an unknown reason'}, not of {expect.finish_reason}"
    if expect.language is not None:
        language = language_of(answer.text)
        if language is None:
            yield f"is too little text to tell that it is {expect.language}"
        elif language != expect.language:
            yield f"is in the language {language}, not {expect.language}"
    if expect.max_length and len(answer.text) > expect.max_length:
        yield f"has {len(answer.text):,} characters, more than {expect.max_length:,}"
    if expect.max_seconds and answer.seconds > expect.max_seconds:
        yield f"took {answer.seconds:.1f} seconds, more than {expect.max_seconds:g}"


def _given(one: str | None, several: tuple[str, ...]) -> tuple[str, ...]:
    return several if one is None else (one, *several)


def _quoted(text: str) -> str:
    return repr(_short(text))


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(map(_quoted, texts))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
