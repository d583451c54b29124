"""Checks of tools: each is put to models that use tools well, and to those that fail in one known way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from putting import EVERYTHING, put, subject_of

from llamaexit.smoke.answer import Called
from llamaexit.smoke.checks import (
    tools_choice,
    tools_diverse,
    tools_format,
    tools_naive,
    tools_payload,
    tools_restraint,
    tools_roundtrip,
    tools_single,
    tools_stream,
    tools_v1,
)
from llamaexit.smoke.tools import arguments_of, spelled_out
from standin import Behaviour, Said, ToolCall, Turn
from standin.brains import Habit, only_when
from standin.brains_tools import (
    AGENT,
    OLD_AGENT,
    breaks_calls,
    calls_always,
    calls_another_tool,
    calls_twice,
    forgets_arguments,
    gives_arguments_as_text,
    hears_another_city,
    leaves_tools_alone_for_a_format,
    plans_only,
    strips_markup,
    talks_for_ever,
    talks_instead_of_calling,
    writes_calls_as_json,
    writes_calls_as_xml,
)

ALL = (
    tools_single, tools_choice, tools_roundtrip, tools_payload, tools_stream, tools_diverse, tools_restraint,
    tools_naive, tools_format, tools_v1,
)  # fmt: skip
JSON_IN_TEXT = "it writes the call into its answer instead of making it ("
XML_IN_TEXT = "it writes the call into its answer instead of making it (<function=)"
CALLS_ALWAYS = OLD_AGENT.can(calls_always)
CALLS_NEVER = OLD_AGENT.but(talks_instead_of_calling)


def about(*words: str, habit: Habit) -> Behaviour:
    """Good at tools, but for requests with one of these words."""
    return OLD_AGENT.but(only_when(lambda turn: any(word in turn.last for word in words), habit))


@pytest.mark.parametrize("model", [pytest.param(AGENT, id="thinks"), pytest.param(OLD_AGENT, id="does not think")])
@pytest.mark.parametrize("module", ALL, ids=lambda module: module.CHECK.id)
def test_a_model_that_is_good_at_tools_passes(module: Any, model: Behaviour) -> None:
    result = put(module.CHECK, model, can=EVERYTHING).result
    assert (result.outcome, result.fault) == ("pass", ""), result.reason


SINGLE: list[Any] = [
    pytest.param(OLD_AGENT.but(writes_calls_as_json), "fail", f"5 of 5 answers: {JSON_IN_TEXT}", id="JSON in the text"),
    pytest.param(OLD_AGENT.but(writes_calls_as_xml), "fail", f"5 of 5 answers: {XML_IN_TEXT}", id="XML in the text"),
    pytest.param(
        about("coat", habit=writes_calls_as_xml), "fail", f"1 of 5 answers: {XML_IN_TEXT}", id="XML for one wording"
    ),
    pytest.param(
        about("coat", habit=talks_instead_of_calling), "warn",
        '1 of 5 answers: it does not call get_weather: "I am afraid I cannot look that up."', id="one miss",
    ),
    pytest.param(
        about("coat", "flying", habit=talks_instead_of_calling), "fail",
        '2 of 5 answers: it does not call get_weather: "I am afraid I cannot look that up."', id="two misses",
    ),
    pytest.param(
        OLD_AGENT.but(calls_another_tool), "fail", "5 of 5 answers: it calls lookup instead of get_weather",
        id="another tool",
    ),
    pytest.param(
        OLD_AGENT.but(gives_arguments_as_text), "fail", "5 of 5 answers: the arguments of get_weather are no object",
        id="arguments as text",
    ),
    pytest.param(
        OLD_AGENT.but(forgets_arguments), "fail", "5 of 5 answers: it calls get_weather with city = null instead of",
        id="no arguments",
    ),
    pytest.param(
        OLD_AGENT.but(hears_another_city), "fail",
        '5 of 5 answers: it calls get_weather with city = "Atlantis" instead of', id="another city",
    ),
    pytest.param(
        OLD_AGENT.but(calls_twice), "fail", "5 of 5 answers: it makes 2 calls where one is asked for", id="two calls"
    ),
    pytest.param(
        OLD_AGENT.but(talks_for_ever), "fail", "5 of 5 answers: it calls no tool, and it did not stop by itself",
        id="no end",
    ),
    pytest.param(
        OLD_AGENT.but(breaks_calls()), "fail", "5 of 5 answers: the server answered 500: XML syntax error on line 4",
        id="a call the server cannot parse",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("model", "outcome", "reason"), SINGLE)
def test_a_single_call_is_told_from_what_is_none(model: Behaviour, outcome: str, reason: str) -> None:
    result = put(tools_single.CHECK, model).result
    assert result.outcome == outcome
    assert result.reason.startswith(reason)
    assert result.cases == 5
    assert result.won.count(False) == int(reason[0])


def test_a_model_whose_template_has_no_tools_is_asked_only_once() -> None:
    found = put(tools_single.CHECK, OLD_AGENT, can=("completion",))
    assert (found.result.outcome, found.result.fault) == ("fail", "unsupported")
    assert "does not support tools" in found.result.reason
    assert len(found.requests("/api/chat")) == 1


def test_five_questions_ask_about_five_cities_and_are_the_same_for_both_models() -> None:
    first, second = (put(tools_single.CHECK, model) for model in (OLD_AGENT, CALLS_NEVER))
    asked = [body["messages"] for body in first.requests("/api/chat")]
    assert asked == [body["messages"] for body in second.requests("/api/chat")]
    cities = [city for messages in asked for city in tools_single.CITIES if city in messages[0]["content"]]
    assert len(set(cities)) == 5


def test_requests_carry_the_usual_settings_and_are_kept_as_evidence() -> None:
    found = put(tools_single.CHECK, AGENT, can=EVERYTHING)
    for body, exchange in zip(found.requests("/api/chat"), found.result.exchanges, strict=True):
        assert body["options"] == {"num_ctx": 4096, "num_predict": 128, "temperature": 0, "seed": 42}
        assert body["think"] is False
        assert exchange.request["tools"] == body["tools"]
        assert exchange.answer is not None and exchange.answer["message"]["tool_calls"]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        pytest.param(
            OLD_AGENT.but(calls_another_tool), "3 of 3 answers: it calls set_timer instead of search_mail", id="another"
        ),
        pytest.param(CALLS_ALWAYS, "3 of 3 answers: it calls get_weather instead of search_mail", id="always one"),
        pytest.param(CALLS_NEVER, "3 of 3 answers: it does not call search_mail", id="none"),
    ],
)
def test_choosing_another_tool_fails(model: Behaviour, reason: str) -> None:
    result = put(tools_choice.CHECK, model).result
    assert result.outcome == "fail"
    assert result.reason.startswith(reason)


def sees_no_tool_answers(turn: Turn) -> str:
    return "I do not have the report yet."


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        pytest.param(CALLS_ALWAYS, "it calls get_weather again instead of reading the answer", id="calls again"),
        pytest.param(OLD_AGENT.can(sees_no_tool_answers), "what the tool answered (", id="does not see it"),
        pytest.param(
            OLD_AGENT.can(lambda turn: '{"name": "get_weather", "arguments": {"city": "Oslo"}}'), JSON_IN_TEXT,
            id="writes the call again",
        ),
    ],
)  # fmt: skip
def test_an_answer_of_a_tool_that_is_not_read_fails(model: Behaviour, reason: str) -> None:
    result = put(tools_roundtrip.CHECK, model).result
    assert (result.outcome, result.won) == ("fail", (False,))
    assert result.reason.startswith(reason)


def test_the_conversation_with_a_tool_is_sent_as_ollama_wants_it() -> None:
    (body,) = put(tools_roundtrip.CHECK, OLD_AGENT).requests("/api/chat")
    user, assistant, tool = body["messages"]
    assert (user["role"], assistant["role"], tool["role"]) == ("user", "assistant", "tool")
    assert assistant["tool_calls"] == [{"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}]
    assert tool["tool_name"] == "get_weather"
    assert json.loads(tool["content"])["temp_c"] == 17


@pytest.mark.parametrize(
    ("habit", "reason"),
    [
        pytest.param(strips_markup, "the content it writes lacks <parameter>", id="tags are lost"),
        pytest.param(breaks_calls("One moment."), "the server answered 500: XML syntax error", id="the parser breaks"),
        pytest.param(writes_calls_as_xml, XML_IN_TEXT, id="the call leaks"),
        pytest.param(forgets_arguments, "it calls write_file with path = null", id="no arguments"),
    ],
)
def test_markup_that_does_not_get_through_fails(habit: Habit, reason: str) -> None:
    result = put(tools_payload.CHECK, OLD_AGENT.but(habit)).result
    assert (result.outcome, result.won) == ("fail", (False,))
    assert result.reason.startswith(reason)


@pytest.mark.parametrize(
    ("model", "outcome", "won"),
    [
        pytest.param(CALLS_ALWAYS, "warn", (False, False, False), id="always"),
        pytest.param(CALLS_NEVER, "pass", (True, True, True), id="never"),
        pytest.param(
            OLD_AGENT.can(lambda turn: calls_always(turn) if "hello" in turn.last else None), "pass",
            (False, True, True), id="once",
        ),
    ],
)  # fmt: skip
def test_calls_without_need_are_only_told_when_they_are_the_rule(
    model: Behaviour, outcome: str, won: tuple[bool, ...]
) -> None:
    result = put(tools_restraint.CHECK, model).result
    assert (result.outcome, result.won) == (outcome, won)
    assert result.reason == ("3 of 3 answers: it calls get_weather to answer: Say hello." if outcome == "warn" else "")


DIVERSE: list[Any] = [
    pytest.param(
        about("the web", habit=talks_instead_of_calling), "warn", "1 of 14 answers: it calls no tool", id="one miss"
    ),
    pytest.param(
        about("the web", "Mail", habit=talks_instead_of_calling), "fail", "2 of 14 answers: it calls no tool",
        id="two misses",
    ),
    pytest.param(
        about("Rename", habit=writes_calls_as_xml), "fail", f"1 of 14 answers: {XML_IN_TEXT}",
        id="one leak that hangs on a word",
    ),
    pytest.param(
        OLD_AGENT.but(forgets_arguments), "fail", "14 of 14 answers: it calls read_file without path", id="no arguments"
    ),
    pytest.param(
        about("Delete", "Mail", habit=gives_arguments_as_text), "fail",
        "2 of 14 answers: the arguments of delete_file are no object", id="arguments as text twice",
    ),
    pytest.param(
        about("Fetch", "rows of", habit=breaks_calls()), "fail", "2 of 14 answers: the server answered 500: XML",
        id="calls the server cannot parse",
    ),
    pytest.param(
        OLD_AGENT.can(lambda turn: Said(tool_calls=(ToolCall("browse", {"path": "x"}),))), "fail",
        "14 of 14 answers: it calls browse, which it was not offered", id="a tool that is made up",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("model", "outcome", "reason"), DIVERSE)
def test_fourteen_requests_to_fifteen_tools_may_miss_once_and_leak_never(
    model: Behaviour, outcome: str, reason: str
) -> None:
    result = put(tools_diverse.CHECK, model).result
    assert result.outcome == outcome
    assert result.reason.startswith(reason)
    assert result.cases == 14


def test_fifteen_tools_are_on_offer_and_the_requests_differ() -> None:
    bodies = put(tools_diverse.CHECK, OLD_AGENT).requests("/api/chat")
    assert {len(body["tools"]) for body in bodies} == {15}
    assert len({body["messages"][0]["content"] for body in bodies}) == 14


@pytest.mark.parametrize(
    ("habit", "reason"),
    [
        pytest.param(
            breaks_calls("One moment."), "the answer ended in an error: XML syntax error", id="an error line in a 200"
        ),
        pytest.param(writes_calls_as_json, JSON_IN_TEXT, id="JSON in the text"),
        pytest.param(talks_instead_of_calling, "it does not call get_weather", id="only talk"),
    ],
)
def test_a_stream_without_the_call_fails(habit: Habit, reason: str) -> None:
    found = put(tools_stream.CHECK, OLD_AGENT.but(habit))
    assert (found.result.outcome, found.result.won) == ("fail", (False,))
    assert found.result.reason.startswith(reason)
    assert found.requests("/api/chat")[0]["stream"] is True


def test_a_model_that_plans_a_call_and_does_not_make_it_is_told() -> None:
    result = put(tools_naive.CHECK, AGENT.but(plans_only), can=EVERYTHING).result
    assert result.outcome == "warn"
    assert result.reason == "2 of 2 answers: while thinking it plans to call get_weather, and then does not"


def test_the_same_model_makes_its_calls_with_thinking_switched_off() -> None:
    assert put(tools_single.CHECK, AGENT.but(plans_only), can=EVERYTHING).result.outcome == "pass"


@pytest.mark.parametrize(
    "module", [tools_single, tools_choice, tools_roundtrip, tools_payload, tools_stream, tools_diverse, tools_v1],
    ids=lambda module: module.CHECK.id,
)  # fmt: skip
def test_a_model_that_thinks_whatever_it_is_told_gets_the_room_for_it(module: Any) -> None:
    at_length = AGENT.but(lambda turn, said: replace(said, thinking="Let me see. " * 60))
    assert put(module.CHECK, at_length, can=EVERYTHING).result.outcome == "pass"


def test_a_model_that_never_stops_thinking_makes_no_call() -> None:
    without_end = AGENT.but(lambda turn, said: replace(said, thinking="Let me see. " * 2000))
    found = put(tools_single.CHECK, without_end, can=EVERYTHING)
    assert found.result.outcome == "fail"
    assert [body["options"]["num_predict"] for body in found.requests("/api/chat")] == [128, 128 + 1024] * 5


def test_a_model_that_does_not_think_is_not_asked_to() -> None:
    assert tools_naive.CHECK.lacks is not None
    assert tools_naive.CHECK.lacks(subject_of(tools_naive.CHECK)) == "it does not think"
    assert tools_naive.CHECK.lacks(subject_of(tools_naive.CHECK, EVERYTHING)) == ""


def test_clients_that_know_nothing_of_thinking_do_not_speak_of_it() -> None:
    bodies = put(tools_naive.CHECK, AGENT, can=EVERYTHING).requests("/api/chat")
    assert len(bodies) == 2
    for body in bodies:
        assert "think" not in body
        assert "temperature" not in body["options"]


@pytest.mark.parametrize(
    ("habit", "reason"),
    [
        pytest.param(writes_calls_as_json, f"2 of 2 answers: {JSON_IN_TEXT}", id="JSON in the text"),
        pytest.param(
            gives_arguments_as_text, "2 of 2 answers: the arguments of get_weather are no object", id="JSON in JSON"
        ),
        pytest.param(talks_instead_of_calling, "2 of 2 answers: it does not call get_weather", id="only talk"),
    ],
)
def test_a_call_on_v1_that_clients_cannot_read_fails(habit: Habit, reason: str) -> None:
    found = put(tools_v1.CHECK, OLD_AGENT.but(habit))
    assert found.result.outcome == "fail"
    assert found.result.reason.startswith(reason)
    assert [body["tool_choice"] for body in found.requests("/v1/chat/completions")] == ["auto", "auto"]


@pytest.mark.parametrize(
    ("model", "outcome", "reason"),
    [
        pytest.param(OLD_AGENT, "pass", "it calls the tool and leaves the format aside", id="the call wins"),
        pytest.param(
            OLD_AGENT.can(leaves_tools_alone_for_a_format), "pass",
            "it keeps to the format and does not call the tool: ask for one at a time", id="the format wins",
        ),
        pytest.param(
            OLD_AGENT.can(lambda turn: "It is mild in Oslo."), "warn",
            "neither a call nor the format: It is mild in Oslo.", id="neither",
        ),
        pytest.param(OLD_AGENT.can(lambda turn: "{}"), "warn", "neither a call nor the format: {}", id="other JSON"),
    ],
)  # fmt: skip
def test_tools_and_a_format_at_once_are_only_reported(model: Behaviour, outcome: str, reason: str) -> None:
    result = put(tools_format.CHECK, model).result
    assert (result.outcome, result.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("given", "v1", "said"),
    [
        pytest.param({"a": 1}, False, {"a": 1}, id="an object, natively"),
        pytest.param('{"a": 1}', True, {"a": 1}, id="a text of JSON on v1"),
        pytest.param({"a": 1}, True, "the arguments of f are no text of JSON, as /v1 promises", id="an object on v1"),
        pytest.param("{a: 1}", True, 'the arguments of f are not JSON: "{a: 1}"', id="no JSON on v1"),
        pytest.param("[1]", True, "the arguments of f are no object: [1]", id="a list on v1"),
        pytest.param(None, False, "the arguments of f are no object: null", id="nothing"),
    ],
)
def test_arguments_are_read_as_each_route_gives_them(given: Any, v1: bool, said: Any) -> None:
    assert arguments_of(Called("f", given), v1=v1) == said


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "get_weather", "arguments": {"city": "Oslo"}}',
        'Sure:\n```json\n{"name":"get_weather","parameters":{"city":"Oslo"}}\n```',
        "<function=get_weather><parameter=city>Oslo</parameter></function>",
        "</tool_call>",
        "<|python_tag|>get_weather.call(city='Oslo')",
        '[TOOL_CALLS][{"name": "x"}]',
        "<｜tool▁calls▁begin｜>",
    ],
)
def test_calls_in_the_text_are_recognised_in_every_dialect(text: str) -> None:
    assert spelled_out(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is 17 °C in Oslo.",
        '{"name": "Ada", "age": 36}',
        "Use <b>bold</b> and call get_weather(city).",
        'The function is called "name".',
    ],
)
def test_ordinary_text_and_json_are_no_calls(text: str) -> None:
    assert spelled_out(text) == ""
