"""Checks of thinking: by default, switched off on each route, asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.smoke.check import Check
from llamaexit.smoke.checks import think_naive, think_off_chat, think_off_generate, think_off_v1, think_on
from smoke_cases import SUBJECT, THINKER, found, suite_of
from standin import brains
from standin.brains import LLAMA, QWEN, Brain, Habit, only_when

OFF = [think_off_chat.CHECK, think_off_generate.CHECK, think_off_v1.CHECK]


def routes(check: Check) -> str:
    return check.id


@pytest.mark.parametrize("check", [think_naive.CHECK, *OFF], ids=routes)
def test_a_model_that_cannot_think_passes(check: Check) -> None:
    result = found(check, LLAMA)
    assert (result.outcome, result.won, result.reason) == ("pass", (True, True, True), "")
    assert result.figures["answer_tokens"] > 0


@pytest.mark.parametrize("check", OFF, ids=routes)
def test_a_model_that_can_be_stopped_from_thinking_passes(check: Check) -> None:
    result = found(check, QWEN, thinks=True)
    assert (result.outcome, result.won) == ("pass", (True, True, True))


def test_a_model_that_thinks_first_and_then_answers_is_worth_a_word_to_clients_that_do_not_ask_for_it() -> None:
    result = found(think_naive.CHECK, QWEN, thinks=True)
    assert (result.outcome, result.won) == ("warn", (True, True, True))
    assert "tokens for 3 short answers" in result.reason
    assert result.figures["thinking_characters"] > 0
    assert all("think" not in exchange.request for exchange in result.exchanges)
    assert {exchange.request["options"]["num_predict"] for exchange in result.exchanges} == {512}


def test_a_budget_spent_on_thinking_leaves_clients_without_an_answer() -> None:
    result = found(think_naive.CHECK, QWEN.but(brains.spends_all_on_thinking), thinks=True)
    assert (result.outcome, result.fault, result.won) == ("fail", "wrong", (False, False, False))
    assert "an empty answer: 512 tokens were spent on thinking" in result.reason


def test_before_thinking_was_told_apart_it_leaks_to_clients_that_do_not_know_of_it() -> None:
    result = found(think_naive.CHECK, QWEN.but(brains.thinks_anyway), thinks=True, version="0.8.0")
    assert result.outcome == "fail"
    assert "reasoning leaks into the answer (<think>)" in result.reason


LEAKS = [
    (brains.leaks_thinking, "<think>"),
    (brains.leaks_the_end_of_thinking, "</think>"),
    (lambda turn, said: replace(said, content=f"◁think▷ Well. ◁/think▷ {said.content}"), "◁think▷"),
]


@pytest.mark.parametrize("check", [think_naive.CHECK, *OFF], ids=routes)
@pytest.mark.parametrize(("habit", "tag"), LEAKS, ids=["a pair of tags", "a lone closing tag", "tags of another kind"])
def test_reasoning_in_the_answer_is_a_failure(check: Check, habit: Habit, tag: str) -> None:
    result = found(check, LLAMA.but(habit))
    assert (result.outcome, result.won) == ("fail", (False, False, False))
    assert f"reasoning leaks into the answer ({tag})" in result.reason


@pytest.mark.parametrize("check", OFF, ids=routes)
def test_a_leak_on_one_of_three_questions_is_a_failure(check: Check) -> None:
    leaks = only_when(lambda turn: "complaint" in turn.last, brains.leaks_the_end_of_thinking)
    result = found(check, LLAMA.but(leaks))
    assert (result.outcome, result.won) == ("fail", (True, True, False))


@pytest.mark.parametrize("check", OFF, ids=routes)
def test_a_model_that_cannot_be_stopped_from_thinking_fails(check: Check) -> None:
    result = found(check, QWEN.but(brains.thinks_anyway), thinks=True, model={"parser": "qwen3.5"})
    assert (result.outcome, result.won) == ("fail", (False, False, False))
    assert "it thinks although it was told not to" in result.reason


@pytest.mark.parametrize("use", ["reasoning", "math"])
def test_where_thinking_is_the_use_that_is_worth_a_word(use: str) -> None:
    always = QWEN.but(brains.thinks_anyway)
    result = found(think_off_chat.CHECK, always, thinks=True, model={"parser": "qwen3.5"}, uses=("chat", use))
    assert (result.outcome, result.won) == ("warn", (False, False, False))


def test_where_thinking_is_the_use_a_leak_is_a_failure_all_the_same() -> None:
    result = found(think_off_chat.CHECK, LLAMA.but(brains.leaks_thinking), uses=("reasoning",))
    assert result.outcome == "fail"


@pytest.mark.parametrize("check", OFF, ids=routes)
def test_reasoning_without_tags_does_not_come_to_an_end(check: Check) -> None:
    """Cut off in the middle of a thought there is no tag at all; a short answer of 256 tokens is none."""
    rambles = LLAMA.but(lambda turn, said: replace(said, content=" ".join(f"Let me see, {n}." for n in range(200))))
    result = found(check, rambles)
    assert result.outcome == "fail"
    assert "it did not stop by itself" in result.reason


@pytest.mark.parametrize("check", OFF, ids=routes)
def test_an_empty_answer_is_a_failure(check: Check) -> None:
    assert found(check, LLAMA.but(brains.says_nothing)).outcome == "fail"


def test_each_route_has_its_own_switch() -> None:
    result = suite_of(QWEN, thinks=True)
    sent = {one.id: [exchange.request for exchange in one.exchanges] for one in result.results}
    assert {request["think"] for request in sent["think.off.chat"] + sent["think.off.generate"]} == {False}
    assert {request["reasoning_effort"] for request in sent["think.off.v1"]} == {"none"}


@pytest.mark.parametrize(
    ("brain", "outcome", "reason"),
    [
        pytest.param(QWEN, "pass", "", id="it thinks and answers"),
        pytest.param(LLAMA, "fail", "it was told to think and did not", id="it does not think"),
        pytest.param(QWEN.but(brains.spends_all_on_thinking), "fail", "2,048 tokens were spent", id="it never answers"),
        pytest.param(QWEN.but(brains.leaks_the_end_of_thinking), "fail", "</think>", id="it leaks"),
    ],
)
def test_thinking_that_is_asked_for(brain: Brain, outcome: str, reason: str) -> None:
    result = found(think_on.CHECK, brain, thinks=True, uses=("reasoning",))
    assert result.outcome == outcome
    assert reason in result.reason
    assert all("temperature" not in exchange.request["options"] for exchange in result.exchanges)


def test_who_cannot_be_asked_to_think() -> None:
    lacks = think_on.CHECK.lacks
    assert lacks is not None
    assert lacks(THINKER) == ""
    assert lacks(SUBJECT) == "it does not think"
    assert "0.8.9 has no switch" in lacks(replace(THINKER, ollama_version="0.8.9"))
    assert lacks(replace(THINKER, capabilities=None)) == ""
    assert lacks(replace(SUBJECT, capabilities=None)) == "it is not known to think"


def test_thinking_is_asked_for_where_it_is_the_use() -> None:
    assert think_on.CHECK.applies(replace(THINKER, uses=("reasoning",)), "quick")
    assert not think_on.CHECK.applies(THINKER, "full")
