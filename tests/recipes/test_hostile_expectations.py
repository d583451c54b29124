"""Patterns and schemas that are meant to keep the tool busy: refused, or answered in bounded time."""

from __future__ import annotations

import time

import pytest

from llamaexit.recipes.patterns import LONGEST_TEXT, check_pattern, found
from llamaexit.recipes.schemas import TooMuch, check_schema, violations


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        pytest.param("(a+)+$", "a" * 30_000 + "b", False, id="nested repetition"),
        pytest.param("(a|a)*b", "a" * 30_000, False, id="alternatives that are the same"),
        pytest.param("(.*a){50}$", "a" * 30_000 + "b", False, id="many greedy groups"),
        pytest.param("(?:a?){200}a{200}", "a" * 200, True, id="optional letters"),
    ],
)
def test_a_pattern_that_ruins_a_backtracking_engine_is_answered_at_once(
    pattern: str, text: str, expected: bool
) -> None:
    started = time.perf_counter()
    assert found(pattern, text) is expected
    # Python's own engine would not be done with any of the first three this year
    assert time.perf_counter() - started < 5


def test_the_slowest_pattern_that_compiles_is_bounded_by_the_length_of_the_text() -> None:
    started = time.perf_counter()
    assert not found("(?:[ab]{1000}){10}c", "ab" * 1_000_000)
    assert time.perf_counter() - started < 60


def test_only_the_first_part_of_a_very_long_answer_is_searched() -> None:
    assert found("b", "a" * (LONGEST_TEXT - 1) + "b")
    assert not found("b", "a" * LONGEST_TEXT + "b")


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("(?:a{99999}){99999}", id="repetition of repetition"),
        pytest.param("a{1,65535}" * 40, id="many large repetitions"),
    ],
)
def test_a_pattern_that_would_take_the_memory_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"(?i)\border\s+\d{4}\b", r"\p{Han}", "(?P<id>[0-9]+)", "^(yes|no)$"])
def test_an_ordinary_pattern_is_taken(pattern: str) -> None:
    check_pattern(pattern)


def doubling(levels: int) -> dict[str, object]:
    twice = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/a0", "$defs": {**twice, f"a{levels}": {"type": "integer"}}}


def test_references_that_double_one_another_are_given_up_on() -> None:
    schema = doubling(60)
    check_schema(schema)
    started = time.perf_counter()
    with pytest.raises(TooMuch, match="more than 10,000 references"):
        violations(schema, 1)
    assert time.perf_counter() - started < 10


def test_references_that_double_a_few_times_are_followed() -> None:
    assert violations(doubling(5), 1) == ()
    assert violations(doubling(5), "one")[0] == "'one' is not of type 'integer'"


def test_a_schema_that_is_itself_is_given_up_on() -> None:
    check_schema({"$ref": "#"})
    with pytest.raises(TooMuch, match="refers to itself"):
        violations({"$ref": "#"}, 1)


def test_a_schema_that_refers_to_itself_for_each_level_of_a_value_is_followed() -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#"}}, "additionalProperties": False}
    check_schema(tree)
    assert violations(tree, {"child": {"child": {}}}) == ()
    assert violations(tree, {"child": {"x": 1}}) == (
        "child: Additional properties are not allowed ('x' was unexpected)",
    )


def test_a_schema_in_ten_thousand_layers_is_refused() -> None:
    schema: dict[str, object] = {}
    for _ in range(10_000):
        schema = {"not": schema}
    with pytest.raises(ValueError, match="nested too deeply"):
        check_schema(schema)


def test_a_reference_within_another_base_that_leads_nowhere_is_a_fault_of_the_schema() -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"$id": "a", "$ref": "#/$defs/b"}, "b": {}}}
    check_schema(schema)
    with pytest.raises(ValueError, match="refers to something that is not there"):
        violations(schema, 1)


def test_a_reference_through_a_list_and_an_escaped_name_leads_somewhere() -> None:
    schema = {"$ref": "#/anyOf/0/properties/a~1b%20c", "anyOf": [{"properties": {"a/b c": {"type": "integer"}}}]}
    check_schema(schema)
    assert violations(schema, "x")[0] == "'x' is not of type 'integer'"


def test_a_message_about_a_long_value_is_cut() -> None:
    (message,) = violations({"maxLength": 1}, "x" * 10_000)
    assert len(message) < 250


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"patternProperties": {"(a+)+$": {}}}, id="a pattern for Python's own engine"),
        pytest.param({"additionalProperties": False, "patternProperties": {"(a+)+$": {}}}, id="the same, for the rest"),
        pytest.param({"type": "strange"}, id="no schema"),
        pytest.param({"$ref": "https://example.com/schema.json"}, id="a schema from somewhere else"),
    ],
)
def test_a_schema_that_was_never_checked_is_checked_before_it_judges(schema: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        violations(schema, {"a" * 40 + "b": 1})


@pytest.mark.filterwarnings("error")
def test_no_schema_makes_the_tool_ask_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    monkeypatch.setattr("socket.socket.connect", unreachable)
    nested = {"$id": "https://example.com/a", "$ref": "#/$defs/b", "$defs": {"b": {"$id": "b", "$ref": "#/$defs/c"}}}
    with pytest.raises(ValueError):
        violations(nested, 1)
