"""Answers held to expectations: each one can be met and missed, and says in words how."""

from __future__ import annotations

from typing import Any

import pytest

from llamaexit.recipes.model import Call, Expect, Tool
from llamaexit.smoke.answer import Answer, Called
from llamaexit.smoke.expect import misses

TOOLS = (
    Tool("get_order", "", {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}),
    Tool("cancel_order"),
)
PERSON = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
ORDER = Called("get_order", {"id": "4711", "verbose": True})

# what is expected, an answer that meets it, one that misses it, and how that is said
TEXTS: list[Any] = [
    ("equals", "yes", "yes\n", "Yes", "is not 'yes'"),
    ("not_equals", "", "x", " ", "is ''"),
    ("contains", "30 days", "within 30 days.", "within 30  days", "does not contain '30 days'"),
    ("contains_all", ("a", "b"), "b a", "a", "does not contain 'b'"),
    ("contains_any", ("a", "b"), "xb", "xy", "contains none of 'a', 'b'"),
    ("icontains", "Straße", "STRASSE 3", "Strase", "does not contain 'Straße' in any case of letters"),
    ("icontains_all", ("A", "b"), "aB", "A", "does not contain 'b' in any case of letters"),
    ("icontains_any", ("A", "b"), "xB", "xy", "contains none of 'A', 'b' in any case of letters"),
    ("not_contains", "sorry", "Sorry", "so sorry", "contains 'sorry'"),
    ("not_contains_any", ("a", "b"), "xy", "xb", "contains 'b'"),
    ("not_icontains", "sorry", "sory", "SORRY", "contains 'sorry' in some case of letters"),
    ("not_icontains_any", ("x", "sorry"), "sory", "SORRY", "contains 'sorry' in some case of letters"),
    ("starts_with", "SELECT", "  SELECT 1", "-- SELECT", "does not start with 'SELECT'"),
    ("not_starts_with", "```", "SELECT", "```sql", "starts with '```'"),
    ("regex", r"\b\d{4}\b", "order 4711.", "order 471", "does not match '\\\\b\\\\d{4}\\\\b'"),
    ("not_regex", "(?i)as an ai", "I am", "As an AI", "matches '(?i)as an ai'"),
    ("is_json", True, '{"a": 1}', '```json\n{"a": 1}\n```', "is not JSON"),
    ("is_json", True, "[1.5, null]", "[NaN]", "is not JSON"),
    ("json_schema", PERSON, '{"age": 3}', '{"age": "3"}',
     "does not fit the JSON Schema: age: '3' is not of type 'integer'"),
    ("json_schema", PERSON, '{"age": 3}', "age 3", "is not JSON"),
    ("language", "de", "Das ist die Hauptstadt von Deutschland.", "That is the capital of Germany.",
     "is in the language en, not de"),
    ("language", "de", "Das ist nicht so.", "Berlin", "is too little text to tell that it is de"),
    ("max_length", 5, "12345", "123456", "has 6 characters, more than 5"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "good", "bad", "reason"), TEXTS, ids=[f"{case[0]}: {case[4][:30]}" for case in TEXTS]
)
def test_an_expectation_of_the_text_is_met_by_one_answer_and_missed_by_another(
    name: str, value: Any, good: str, bad: str, reason: str
) -> None:
    expect = Expect(**{name: value})
    assert misses(expect, Answer(good)) == ()
    assert misses(expect, Answer(bad)) == (reason,)


REST: list[Any] = [
    ("tool", Call("get_order", {"id": "4711"}), Answer("", (ORDER,)), Answer("It is on its way."),
     "does not call get_order (tools called: none)"),
    ("tool", Call("get_order", {"id": "4711"}), Answer("", (ORDER,)), Answer("", (Called("get_order", {"id": 4711}),)),
     'calls get_order with other arguments: {"id": 4711}'),
    ("tool", Call("get_order", {"id": "4711"}), Answer("", (Called("cancel_order", {}), ORDER)),
     Answer("", (Called("cancel_order", {"id": "4711"}),)), "does not call get_order (tools called: cancel_order)"),
    ("tool", Call("get_order", {"id": "4711"}), Answer("", (ORDER,)),
     Answer("", (Called("get_order", '{"id": "4711"}'),)),
     'calls get_order with other arguments: "{\\"id\\": \\"4711\\"}"'),
    ("not_tool", True, Answer("No."), Answer("", (ORDER,)), "calls a tool: get_order"),
    ("is_valid_openai_tools_call", True, Answer("", (ORDER,)), Answer("text"), "calls no tool"),
    ("is_valid_openai_tools_call", True, Answer("", (ORDER,)), Answer("", (Called("find", {}),)),
     "calls find, which it was not offered"),
    ("is_valid_openai_tools_call", True, Answer("", (ORDER,)), Answer("", (Called("get_order", "4711"),)),
     "calls get_order with arguments that are no object"),
    ("is_valid_openai_tools_call", True, Answer("", (ORDER,)), Answer("", (ORDER, Called("get_order", {"id": 1}))),
     "calls get_order with wrong arguments: id: 1 is not of type 'string'"),
    ("finish_reason", "stop", Answer("x"), Answer("x", finish="length"), "ended because of length, not of stop"),
    ("finish_reason", "length", Answer("x", finish="length"), Answer("x", finish=""),
     "ended because of an unknown reason, not of length"),
    ("max_seconds", 2.5, Answer("x", seconds=2.5), Answer("x", seconds=2.6), "took 2.6 seconds, more than 2.5"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "good", "bad", "reason"), REST, ids=[f"{case[0]}: {case[4][:40]}" for case in REST]
)
def test_an_expectation_of_calls_time_and_end_is_met_by_one_answer_and_missed_by_another(
    name: str, value: Any, good: Answer, bad: Answer, reason: str
) -> None:
    expect = Expect(**{name: value})
    assert misses(expect, good, TOOLS) == ()
    assert misses(expect, bad, TOOLS) == (reason,)


def test_everything_that_is_missed_is_said() -> None:
    expect = Expect(contains="a", not_contains="b", max_length=2, finish_reason="stop")
    assert misses(expect, Answer("bbb", finish="length")) == (
        "does not contain 'a'",
        "contains 'b'",
        "ended because of length, not of stop",
        "has 3 characters, more than 2",
    )


@pytest.mark.parametrize(
    ("arguments", "wanted", "met"),
    [
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, True, id="a part of an inner object"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, False, id="another value inside"),
        pytest.param({"a": [1, {"b": 2, "c": 3}]}, {"a": [1, {"b": 2}]}, True, id="objects in a list"),
        pytest.param({"a": [1, 2]}, {"a": [1]}, False, id="a longer list"),
        pytest.param({"a": True}, {"a": 1}, False, id="true for one"),
        pytest.param({"a": 1.0}, {"a": 1}, True, id="one with a point"),
        pytest.param({"a": None}, {"b": None}, False, id="nothing under another name"),
        pytest.param([], {}, False, id="a list for an object"),
    ],
)
def test_arguments_are_met_by_at_least_these(arguments: Any, wanted: dict[str, Any], met: bool) -> None:
    missed = misses(Expect(tool=Call("f", wanted)), Answer("", (Called("f", arguments),)))
    assert (missed == ()) is met


def test_a_schema_that_takes_too_much_work_is_a_fault_of_the_recipe_not_a_miss() -> None:
    with pytest.raises(ValueError, match="refers to itself"):
        misses(Expect(json_schema={"$ref": "#"}), Answer("1"))
