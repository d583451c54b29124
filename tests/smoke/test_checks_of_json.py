"""Checks of JSON: by schema, natively and on /v1, with and without thinking, and without a schema."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from llamaexit.smoke.asked import prose
from llamaexit.smoke.check import Check
from llamaexit.smoke.checks import json_mode, json_naive, json_schema, json_v1
from llamaexit.smoke.shaped import CLUBS, SCHEMA, misshapen, people
from smoke_cases import found
from standin import brains
from standin.behaviour import Said, Turn
from standin.brains import LLAMA, QWEN, Brain, Habit

BY_SCHEMA = [json_schema.CHECK, json_naive.CHECK, json_v1.CHECK]
GOOD = {"name": "Mira", "age": 34, "clubs": ["music"]}


def ids(check: Check) -> str:
    return check.id


@pytest.mark.parametrize("check", [*BY_SCHEMA, json_mode.CHECK], ids=ids)
@pytest.mark.parametrize(("brain", "thinks"), [(QWEN, True), (LLAMA, False)], ids=["a good Qwen", "a good Llama"])
def test_a_good_model_passes(check: Check, brain: Brain, thinks: bool) -> None:
    result = found(check, brain, thinks=thinks)
    assert (result.outcome, result.reason) == ("pass", "")
    assert all(result.won)
    assert result.cases >= 2


@pytest.mark.parametrize("check", [*BY_SCHEMA, json_mode.CHECK], ids=ids)
@pytest.mark.parametrize(
    ("habit", "reason"),
    [
        pytest.param(brains.fences_json, "not a JSON object and nothing else", id="fenced"),
        pytest.param(brains.breaks_json_about(""), "not a JSON object and nothing else", id="cut short"),
        pytest.param(lambda turn, said: replace(said, content="Gladly!"), "not a JSON object", id="prose"),
        pytest.param(lambda turn, said: replace(said, content="[1, 2]"), "not a JSON object", id="a list"),
        pytest.param(lambda turn, said: replace(said, content="{}"), "the JSON lacks", id="an empty object"),
        pytest.param(brains.leaks_the_end_of_thinking, "reasoning leaks into the answer", id="a lone closing tag"),
        pytest.param(brains.breaks_down("failed to parse grammar"), "failed to parse grammar", id="an error"),
    ],
)
def test_what_is_not_the_json_that_was_asked_for_is_a_failure(check: Check, habit: Habit, reason: str) -> None:
    result = found(check, LLAMA.but(habit))
    assert result.outcome == "fail"
    assert reason in result.reason
    assert not any(result.won)


@pytest.mark.parametrize("check", BY_SCHEMA, ids=ids)
def test_reasoning_inside_the_json_is_a_failure(check: Check) -> None:
    result = found(check, LLAMA.but(brains.reasons_inside_json))
    assert result.outcome == "fail"
    assert "the JSON has thought, which the schema does not allow" in result.reason


@pytest.mark.parametrize("check", BY_SCHEMA, ids=ids)
def test_nothing_at_all_is_a_failure(check: Check) -> None:
    result = found(check, LLAMA.but(brains.says_nothing))
    assert result.outcome == "fail"
    assert "an empty answer" in result.reason


def test_json_that_breaks_with_one_text_of_five_is_a_failure() -> None:
    (person, *_) = people(random.Random("20261125/json.schema"), 5)
    name = person.text.split()[0]
    result = found(json_schema.CHECK, LLAMA.but(brains.breaks_json_about(name)))
    assert (result.outcome, result.won) == ("fail", (False, True, True, True, True))
    assert result.reason.startswith("1 of 5 answers: ")


def misreads(*texts: str) -> Habit:
    """Reads an age wrong in texts that hold one of these words."""

    def habit(turn: Turn, said: Said) -> Said:
        if not any(text in turn.last for text in texts):
            return said
        value = json.loads(str(said.content))
        return replace(said, content=json.dumps({**value, "age": value["age"] + 1}))

    return habit


def test_an_age_that_is_read_wrong_once_in_five_is_worth_a_word() -> None:
    result = found(json_schema.CHECK, LLAMA.but(misreads("newest member")))
    assert (result.outcome, result.won.count(False)) == ("warn", 1)
    assert "the text says" in result.reason


def test_an_age_that_is_read_wrong_twice_is_a_failure() -> None:
    result = found(json_schema.CHECK, LLAMA.but(misreads("newest member", "time left")))
    assert (result.outcome, result.won.count(False)) == ("fail", 2)


def test_json_that_did_not_fit_into_the_budget_is_told_as_such() -> None:
    endless = LLAMA.but(lambda turn, said: replace(said, content='{"name": "' + prose(random.Random(1), 900)))
    result = found(json_schema.CHECK, endless)
    assert result.outcome == "fail"
    assert "it did not stop by itself" in result.reason


def test_the_schema_is_sent_and_quoted() -> None:
    native = found(json_schema.CHECK, QWEN, thinks=True).exchanges[0].request
    v1 = found(json_v1.CHECK, QWEN, thinks=True).exchanges[0].request
    assert native["format"] == SCHEMA
    assert v1["response_format"]["json_schema"]["schema"] == SCHEMA
    assert json.dumps(SCHEMA) in native["messages"][0]["content"]


def test_a_naive_client_sends_no_switch_for_thinking() -> None:
    requests = [exchange.request for exchange in found(json_naive.CHECK, QWEN, thinks=True).exchanges]
    assert all("think" not in request and "temperature" not in request["options"] for request in requests)


def test_the_texts_of_a_run_differ_and_are_the_same_for_both_models() -> None:
    once, again = people(random.Random("a"), 5), people(random.Random("a"), 5)
    assert once == again
    assert len({person.text for person in once}) == 5
    assert once != people(random.Random("b"), 5)
    assert all(str(person.age) in person.text for person in once)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, "", id="fits"),
        pytest.param({"clubs": []}, "", id="in no club"),
        pytest.param({"clubs": list(CLUBS)}, "", id="in every club"),
        pytest.param({"name": 3}, "name is no string", id="a number for a name"),
        pytest.param({"age": "34"}, "age is no whole number", id="a string for an age"),
        pytest.param({"age": 34.5}, "age is no whole number", id="half a year"),
        pytest.param({"age": True}, "age is no whole number", id="true is no number"),
        pytest.param({"clubs": "music"}, "clubs is not a list", id="a string for a list"),
        pytest.param({"clubs": ["golf"]}, "clubs is not a list of music, chess, rowing", id="a club nobody offers"),
        pytest.param({"reasoning": "…"}, "the JSON has reasoning", id="a key too many"),
    ],
)
def test_the_shape_of_an_answer(change: dict[str, Any], reason: str) -> None:
    problem = misshapen(json.dumps({**GOOD, **change}))
    assert reason in problem
    assert bool(problem) is bool(reason)


def test_the_check_of_the_shape_agrees_with_json_schema() -> None:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(SCHEMA)
    changes: list[dict[str, Any]] = [
        {}, {"clubs": []}, {"name": 3}, {"age": "34"}, {"age": 34.5}, {"age": True}, {"clubs": "music"},
        {"clubs": ["golf"]}, {"clubs": [1]}, {"reasoning": "x"}, {"age": None},
    ]  # fmt: skip
    values = [{**GOOD, **change} for change in changes] + [{key: GOOD[key]} for key in GOOD]
    assert [not misshapen(json.dumps(value)) for value in values] == [validator.is_valid(value) for value in values]


@pytest.mark.parametrize("missing", ["city", "country"])
def test_without_a_schema_a_key_that_is_missing_is_a_failure(missing: str) -> None:
    def forgets(turn: Turn, said: Said) -> Said:
        value = {key: place for key, place in json.loads(str(said.content)).items() if key != missing}
        return replace(said, content=json.dumps(value))

    result = found(json_mode.CHECK, LLAMA.but(forgets))
    assert result.outcome == "fail"
    assert f"the JSON lacks {missing}" in result.reason


def test_without_a_schema_reasoning_instead_of_the_keys_is_a_failure() -> None:
    result = found(json_mode.CHECK, LLAMA.but(lambda turn, said: replace(said, content='{"thought": "Where?"}')))
    assert result.outcome == "fail"
    assert "the JSON lacks city and country" in result.reason


def test_the_long_texts_fit_into_the_context() -> None:
    result = found(json_mode.CHECK, LLAMA, context=2048)
    assert result.outcome == "pass"
    read = [exchange.answer["prompt_eval_count"] for exchange in result.exchanges if exchange.answer is not None]
    assert all(500 < tokens < 1800 for tokens in read)
