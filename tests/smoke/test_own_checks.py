"""Smoke tests from a recipe: the requests they become on every route, and what is made of the answers."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from putting import EVERYTHING, put, subject_of

from llamaexit.ollama.inference import Inference
from llamaexit.recipes.model import Call, Expect, Message, SmokeCheck, Tool
from llamaexit.smoke.drawing import FONT, Picture
from llamaexit.smoke.own import as_check
from llamaexit.smoke.runner import checks_for
from standin import Said
from standin.brains import LLAMA, QWEN, spends_all_on_thinking
from standin.brains_tools import (
    OLD_AGENT,
    fills_gaps,
    gives_arguments_as_text,
    pixels,
    reads_pictures,
    talks_instead_of_calling,
)

PARAMETERS = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
TOOL = Tool("get_order", "Look up an order", PARAMETERS)
ORDER = SmokeCheck(
    id="order", ask="Where is order 4711?", tools=(TOOL,), expect=Expect(tool=Call("get_order", {"id": "4711"}))
)
GRASS = SmokeCheck(id="grass", ask="What colour is fresh grass?", expect=Expect(contains="green"))
PICTURE = base64.b64encode(Picture("LIMBOT").png()).decode()
ROUTES = {"chat": "/api/chat", "generate": "/api/generate", "v1": "/v1/chat/completions"}


@pytest.mark.parametrize("route", ROUTES)
def test_a_question_goes_through_the_route_it_names(route: Any) -> None:
    found = put(as_check(replace(GRASS, route=route, system="Be brief.", max_tokens=33)), QWEN, can=EVERYTHING)
    assert (found.result.id, found.result.outcome, found.result.won) == ("own.grass", "pass", (True,))
    (body,) = found.requests(ROUTES[route])
    if route == "generate":
        assert (body["system"], body["prompt"]) == ("Be brief.", GRASS.ask)
    else:
        assert [message["content"] for message in body["messages"]] == ["Be brief.", GRASS.ask]
    if route == "v1":
        assert (body["max_tokens"], body["temperature"], body["seed"]) == (33, 0, 42)
        assert body["reasoning_effort"] == "none"
    else:
        assert body["options"] == {"num_ctx": 4096, "num_predict": 33, "temperature": 0, "seed": 42}
        assert body["think"] is False


def test_an_answer_that_is_not_as_expected_fails_and_says_all_that_it_is_not() -> None:
    asked = replace(GRASS, expect=Expect(contains="blue", max_length=5, starts_with="Fresh"))
    result = put(as_check(asked), LLAMA).result
    assert (result.outcome, result.fault, result.won, result.own) == ("fail", "wrong", (False,), True)
    assert result.reason == "the answer does not contain 'blue'; has 21 characters, more than 5"
    assert result.exchanges[0].answer is not None


def test_a_test_that_is_only_to_warn_warns() -> None:
    asked = replace(GRASS, level="warn", expect=Expect(contains="blue"))
    assert put(as_check(asked), LLAMA).result.outcome == "warn"


def test_the_title_is_shown_and_without_one_the_id() -> None:
    assert as_check(GRASS).title == "grass"
    assert as_check(replace(GRASS, title="knows its colours")).title == "knows its colours"


def test_a_client_that_knows_nothing_of_thinking_gets_what_such_a_client_gets() -> None:
    asked = replace(GRASS, max_tokens=60)
    wasteful = QWEN.but(spends_all_on_thinking)
    assert put(as_check(asked), wasteful, can=EVERYTHING).result.outcome == "pass"
    found = put(as_check(replace(asked, think="default")), wasteful, can=EVERYTHING)
    assert found.result.outcome == "fail"
    assert "think" not in found.requests("/api/chat")[0]


@pytest.mark.parametrize("route", ["chat", "v1"])
def test_a_tool_is_offered_and_its_call_read_on_every_route(route: Any) -> None:
    found = put(as_check(replace(ORDER, route=route)), OLD_AGENT)
    assert (found.result.outcome, found.result.reason) == ("pass", "")
    (body,) = found.requests(ROUTES[route])
    function = {"name": "get_order", "description": "Look up an order", "parameters": PARAMETERS}
    assert body["tools"] == [{"type": "function", "function": function}]


def test_a_tool_without_parameters_is_offered_as_one() -> None:
    asked = replace(ORDER, tools=(Tool("get_order"),), expect=Expect(not_tool=True))
    (body,) = put(as_check(asked), OLD_AGENT).requests("/api/chat")
    assert body["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("habit", "reason"),
    [
        pytest.param(
            talks_instead_of_calling, "the answer does not call get_order (tools called: none)", id="no call"
        ),
        pytest.param(
            gives_arguments_as_text, 'the answer calls get_order with other arguments: "{\\"id\\": \\"4711\\"}"',
            id="arguments as text",
        ),
    ],
)  # fmt: skip
def test_a_call_that_is_not_as_expected_fails(habit: Any, reason: str) -> None:
    result = put(as_check(ORDER), OLD_AGENT.but(habit)).result
    assert (result.outcome, result.reason) == ("fail", reason)


def test_arguments_that_are_text_within_text_are_no_object_on_v1_either() -> None:
    result = put(as_check(replace(ORDER, route="v1")), OLD_AGENT.but(gives_arguments_as_text)).result
    assert result.outcome == "fail"


@pytest.mark.parametrize("route", ["chat", "v1"])
def test_an_answer_with_a_call_has_ended_because_of_it(route: Any) -> None:
    asked = replace(ORDER, route=route, expect=Expect(finish_reason="tool_calls"))
    assert put(as_check(asked), OLD_AGENT).result.outcome == "pass"
    assert put(as_check(asked), OLD_AGENT.but(talks_instead_of_calling)).result.outcome == "fail"


CONVERSATION = SmokeCheck(
    id="talk",
    tools=(TOOL,),
    messages=(
        Message("user", "Where are my orders?"),
        Message("assistant", tool_calls=(Call("get_order", {"id": "1"}), Call("get_order", {"id": "2"}))),
        Message("tool", "lost", tool_name="get_order"),
        Message("tool", "found", tool_name="get_order"),
    ),
    expect=Expect(contains="The tool says: found"),
)


def test_a_conversation_with_tools_is_sent_natively() -> None:
    found = put(as_check(CONVERSATION), OLD_AGENT)
    assert found.result.outcome == "pass"
    (body,) = found.requests("/api/chat")
    assert body["messages"][1]["tool_calls"] == [
        {"function": {"name": "get_order", "arguments": {"id": "1"}}},
        {"function": {"name": "get_order", "arguments": {"id": "2"}}},
    ]
    assert [message.get("tool_name") for message in body["messages"]] == [None, None, "get_order", "get_order"]


def test_on_v1_calls_have_ids_that_the_answers_of_tools_refer_to_in_order() -> None:
    found = put(as_check(replace(CONVERSATION, route="v1")), OLD_AGENT)
    assert found.result.outcome == "pass"
    (body,) = found.requests("/v1/chat/completions")
    calls = body["messages"][1]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"id": "1"}, {"id": "2"}]
    ids = [call["id"] for call in calls]
    assert len(set(ids)) == 2
    assert [message.get("tool_call_id") for message in body["messages"][2:]] == ids


@pytest.mark.parametrize("route", ROUTES)
def test_a_picture_goes_along_on_every_route(route: Any) -> None:
    asked = SmokeCheck(id="look", ask="Which word?", image_data=PICTURE, route=route, expect=Expect(icontains="limbot"))
    found = put(as_check(asked), LLAMA.can(reads_pictures(FONT)), can=EVERYTHING)
    assert (found.result.outcome, found.result.reason) == ("pass", "")
    (body,) = found.requests(ROUTES[route])
    if route == "v1":
        url = body["messages"][0]["content"][1]["image_url"]["url"]
        assert url.startswith("data:image/png;base64,")
        assert pixels(base64.b64decode(url.partition(",")[2]))[0] == 512
    else:
        sent = body["messages"][0] if route == "chat" else body
        assert sent["images"] == [PICTURE]


def test_a_gap_goes_with_what_follows_it() -> None:
    asked = SmokeCheck(id="gap", ask="def add(a, b):\n    return ", suffix="\n", expect=Expect(equals="a + b"))
    found = put(as_check(asked), LLAMA.can(fills_gaps), can=EVERYTHING)
    assert found.result.outcome == "pass"
    (body,) = found.requests("/api/generate")
    assert (body["prompt"], body["suffix"]) == (asked.ask, "\n")


SCHEMA = {"type": "object", "properties": {"n": {"const": 3}}, "required": ["n"]}


@pytest.mark.parametrize(
    ("route", "format_", "key", "value"),
    [
        pytest.param("chat", "json", "format", "json", id="JSON on chat"),
        pytest.param("generate", "json", "format", "json", id="JSON on generate"),
        pytest.param("chat", "json-schema", "format", SCHEMA, id="a schema on chat"),
        pytest.param("v1", "json", "response_format", {"type": "json_object"}, id="JSON on v1"),
        pytest.param(
            "v1", "json-schema", "response_format",
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}, id="a schema on v1",
        ),
        pytest.param("chat", "", "format", None, id="none"),
    ],
)  # fmt: skip
def test_a_format_is_asked_for_as_the_route_wants_it(route: Any, format_: Any, key: str, value: Any) -> None:
    asked = SmokeCheck(id="json", ask="Three?", format=format_, route=route, expect=Expect(json_schema=SCHEMA))
    found = put(as_check(asked), LLAMA.can(lambda turn: '{"n": 3}'))
    assert found.result.outcome == "pass"
    assert found.requests(ROUTES[route])[0].get(key) == value


def test_json_that_does_not_fit_fails() -> None:
    asked = SmokeCheck(id="json", ask="Three?", expect=Expect(json_schema=SCHEMA))
    result = put(as_check(asked), LLAMA.can(lambda turn: '{"n": 4}')).result
    assert result.reason == "the answer does not fit the JSON Schema: n: 3 was expected"


def test_an_expectation_nobody_can_judge_is_an_error_of_the_recipe() -> None:
    asked = SmokeCheck(id="json", ask="Three?", expect=Expect(json_schema={"$ref": "#"}))
    result = put(as_check(asked), LLAMA.can(lambda turn: "3")).result
    assert (result.outcome, result.fault) == ("error", "broken")
    assert result.reason.startswith("what the recipe expects cannot be judged: the schema refers to itself")


def test_an_answer_that_takes_longer_than_allowed_fails() -> None:
    slowly = LLAMA.can(lambda turn: Said(("It ", "is ", "green."), seconds_per_token=0.05))
    asked = replace(GRASS, expect=Expect(max_seconds=0.05))
    result = put(as_check(asked), slowly).result
    assert (result.outcome, result.fault) == ("fail", "wrong")
    assert result.reason.startswith("the answer took 0.")
    assert put(as_check(replace(GRASS, expect=Expect(max_seconds=30))), slowly).result.outcome == "pass"


HANGING = LLAMA.can(lambda turn: Said("x", seconds_per_token=60.0))


@pytest.mark.parametrize(
    ("allowed", "waited"),
    [
        pytest.param(0.0, 20.0, id="the usual time"),
        pytest.param(5.0, 20.0, id="not less than usual"),
        pytest.param(100.0, 150.0, id="half as long again as is allowed, to know by how much it is too slow"),
    ],
)
def test_an_answer_is_waited_for_longer_than_the_recipe_allows(
    monkeypatch: pytest.MonkeyPatch, allowed: float, waited: float
) -> None:
    ask, waits = Inference.ask, []

    def listening(self: Inference, path: str, request: dict[str, Any], *, seconds: float) -> Any:
        waits.append(seconds)
        return ask(self, path, request, seconds=seconds)

    monkeypatch.setattr(Inference, "ask", listening)
    fast = LLAMA.but(tokens_per_second=1e6, prompt_tokens_per_second=1e6)
    asked = replace(GRASS, max_tokens=8, expect=Expect(contains="green", max_seconds=allowed))
    assert put(as_check(asked), fast).result.outcome == "pass"
    assert waits[-1] == pytest.approx(waited)


def test_no_answer_within_the_time_a_user_set_fails_when_the_recipe_allows_less() -> None:
    started = time.monotonic()
    result = put(as_check(replace(GRASS, expect=Expect(max_seconds=0.1))), HANGING, answer_seconds=0.3).result
    assert (result.outcome, result.fault, result.won) == ("fail", "timeout", (False,))
    assert result.reason.endswith(", and 0.1 are allowed")
    assert time.monotonic() - started < 10


def test_no_answer_within_the_time_a_user_set_leaves_it_open_when_the_recipe_allows_more() -> None:
    result = put(as_check(replace(GRASS, expect=Expect(max_seconds=60))), HANGING, answer_seconds=0.3).result
    assert (result.outcome, result.fault) == ("error", "timeout")


def test_no_answer_in_time_leaves_it_open_when_the_recipe_says_nothing_of_time() -> None:
    result = put(as_check(GRASS), HANGING, answer_seconds=0.3).result
    assert (result.outcome, result.fault) == ("error", "timeout")


def test_a_capability_that_is_not_there_fails() -> None:
    result = put(as_check(ORDER), OLD_AGENT, can=("completion",)).result
    assert (result.outcome, result.fault) == ("fail", "unsupported")


def test_a_recipes_tests_are_put_in_every_suite_and_to_every_kind_of_model() -> None:
    own = (GRASS, replace(GRASS, id="v1", route="v1"))
    for suite in ("quick", "full"):
        for uses in (("chat",), ("embedding",), ("guard",)):
            subject = replace(subject_of(as_check(GRASS)), uses=uses)
            ids = [check.id for check in checks_for(subject, suite, own)]  # type: ignore[arg-type]
            assert {"own.grass", "own.v1"} <= set(ids)
    assert checks_for(subject_of(as_check(GRASS)), "none", own) == ()
