"""Checks of plain text: sane, with an end, as told, in the right language, in whole streams."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from llamaexit.smoke.check import Check
from llamaexit.smoke.checks import (
    chat_midsystem,
    lang_stay,
    persona,
    sane_text,
    stop_clean,
    stream_shape,
    stream_v1,
    system_obey,
)
from smoke_cases import found, outcomes, said, scripted_bench, suite_of
from standin import brains
from standin.behaviour import Said, Turn
from standin.brains import LLAMA, QWEN, Brain, Habit, only_when

CHECKS = [
    chat_midsystem.CHECK, lang_stay.CHECK, persona.CHECK, sane_text.CHECK, stop_clean.CHECK, stream_shape.CHECK,
    stream_v1.CHECK, system_obey.CHECK,
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
@pytest.mark.parametrize(("brain", "thinks"), [(QWEN, True), (LLAMA, False)], ids=["a good Qwen", "a good Llama"])
def test_a_good_model_passes(check: Check, brain: Brain, thinks: bool) -> None:
    result = found(check, brain, thinks=thinks, uses=("tools",))
    assert (result.outcome, result.reason) == ("pass", "")
    assert all(result.won)


def asked(words: str) -> Callable[[Turn], bool]:
    return lambda turn: words in turn.last


def says(text: str) -> Habit:
    return lambda turn, said: Said(text)


WRONG: list[tuple[str, Check, Habit, str]] = [
    ("garbage", sane_text.CHECK, brains.writes_garbage, "repeats 'G'"),
    ("nothing", sane_text.CHECK, brains.says_nothing, "an empty answer"),
    ("unreadable characters", sane_text.CHECK, says("\x00\x01\ufffd\ufffdabc"), "unreadable"),
    ("another word", sane_text.CHECK, says("Certainly!"), "said something else"),
    ("a token of a template", sane_text.CHECK, brains.leaks_a_token, "<|im_end|>"),
    ("a token of Llama's template", sane_text.CHECK, says("<|eot_id|>"), "<|eot_id|>"),
    ("a token of DeepSeek's template", sane_text.CHECK, says("<｜end▁of▁sentence｜>"), "<｜end▁of▁sentence｜>"),
    ("no end", sane_text.CHECK, brains.never_stops, "it did not stop by itself"),
    ("a tag of reasoning", stop_clean.CHECK, brains.leaks_thinking, "<think>"),
    ("a token of a template", stop_clean.CHECK, says("Apple<|im_end|>"), "<|im_end|>"),
    ("the same again and again", stop_clean.CHECK, says("An apple a day. " * 9), "over and over"),
    ("one line again and again", stop_clean.CHECK, says("Apple\n" * 5), "it says 5 times: Apple"),
    ("no mark at the end", system_obey.CHECK, brains.ignores_the_system_prompt, "the mark it asks for is missing"),
    ("nothing", system_obey.CHECK, brains.says_nothing, "an empty answer"),
    ("Chinese", lang_stay.CHECK, brains.mixes_in_chinese, "Chinese, Japanese or Korean"),
    ("nothing", lang_stay.CHECK, brains.says_nothing, "an empty answer"),
    ("nothing", chat_midsystem.CHECK, brains.says_nothing, "an empty answer"),
    ("an error", chat_midsystem.CHECK, brains.breaks_down("no user query found"), "no user query found"),
    ("nothing", stream_shape.CHECK, brains.says_nothing, "an empty answer"),
    ("no end", stream_shape.CHECK, lambda turn, said: Said("Some", unfinished=True), "before the answer was done"),
    ("an error in it", stream_shape.CHECK, lambda turn, said: Said("Some", error="unexpected EOF"), "unexpected EOF"),
    ("nothing", stream_v1.CHECK, brains.says_nothing, "an empty answer"),
    ("no end", stream_v1.CHECK, lambda turn, said: Said("Some", unfinished=True), "before the answer was done"),
]


@pytest.mark.parametrize(
    ("check", "habit", "reason"), [case[1:] for case in WRONG], ids=[f"{case[1].id} of {case[0]}" for case in WRONG]
)
def test_a_bad_model_fails_and_is_told_why(check: Check, habit: Habit, reason: str) -> None:
    result = found(check, LLAMA.but(habit), uses=("tools",))
    assert result.outcome == "fail"
    assert reason in result.reason
    assert not any(result.won)


ONE_LOST: list[tuple[Check, Habit, str]] = [
    (sane_text.CHECK, only_when(asked("Repeat"), says("Certainly!")), "warn"),
    (system_obey.CHECK, only_when(asked("bread"), brains.ignores_the_system_prompt), "warn"),
    (lang_stay.CHECK, only_when(asked("bicycle"), brains.mixes_in_chinese), "warn"),
    (stop_clean.CHECK, only_when(asked("fruits"), brains.never_stops), "fail"),
    (stream_shape.CHECK, only_when(lambda turn: turn.prompt is not None, brains.says_nothing), "fail"),
]


@pytest.mark.parametrize(("check", "habit", "outcome"), ONE_LOST, ids=[case[0].id for case in ONE_LOST])
def test_one_answer_of_several_that_goes_wrong(check: Check, habit: Habit, outcome: str) -> None:
    result = found(check, LLAMA.but(habit))
    assert result.outcome == outcome
    assert result.won.count(False) == 1
    assert result.reason.startswith(f"1 of {result.cases} answers: ")


@pytest.mark.parametrize("check", [lang_stay.CHECK, system_obey.CHECK], ids=lambda check: check.id)
def test_two_answers_that_go_wrong_are_too_many(check: Check) -> None:
    two = only_when(lambda turn: bool(re.search("bicycle|spring|bread|leaves", turn.last)), says("这是一个好问题。"))
    result = found(check, LLAMA.but(two))
    assert (result.outcome, result.won.count(False)) == ("fail", 2)


def test_a_chinese_name_that_was_asked_about_may_be_quoted() -> None:
    quotes = only_when(asked("大白兔"), says("White Rabbit (大白兔) sweets: 大白兔 for all!"))
    assert found(lang_stay.CHECK, LLAMA.but(quotes)).outcome == "pass"


def test_an_advertisement_in_chinese_is_more_than_a_quoted_name() -> None:
    result = found(lang_stay.CHECK, LLAMA.but(only_when(asked("大白兔"), says("大白兔奶糖，甜蜜每一刻！"))))
    assert result.won.count(False) == 1


@pytest.mark.parametrize("maker", ["I am Qwen, by Alibaba.", "I'm DeepSeek.", "我是通义千问。", "I am Meta AI."])
def test_a_model_that_speaks_of_its_maker_is_worth_a_word(maker: str) -> None:
    result = found(persona.CHECK, LLAMA.but(says(maker)))
    assert result.outcome == "warn"
    assert "it speaks of" in result.reason


def test_a_model_that_never_stops_is_told_so() -> None:
    result = found(stop_clean.CHECK, LLAMA.but(only_when(asked("fruits"), brains.never_stops)))
    assert (result.outcome, result.won) == ("fail", (False, True))
    assert "it says the same over and over" in result.reason


def test_text_after_the_stop_string_is_a_failure_of_the_server() -> None:
    bench, inference = scripted_bench(said("Apple\nPear"), said("one\nEND\nsix"))
    finding = stop_clean.run(bench)
    assert (finding.outcome, finding.won) == ("fail", (True, False))
    assert "it goes on past the stop string END" in finding.reason
    assert inference.asked[1]["options"]["stop"] == ["END"]


def test_a_model_that_thinks_whatever_it_is_told_is_sane() -> None:
    wordy = QWEN.but(lambda turn, said: Said(said.content, thinking=brains.THOUGHT * 3))
    result = found(sane_text.CHECK, wordy, thinks=True, model={"parser": "qwen3.5"})
    assert (result.outcome, len(result.exchanges)) == ("pass", 4)


def test_a_model_that_leaks_its_reasoning_is_sane_which_is_for_other_checks_to_tell() -> None:
    result = found(sane_text.CHECK, LLAMA.but(brains.leaks_the_end_of_thinking))
    assert result.outcome == "pass"


def test_a_model_that_completes_code_need_not_do_as_it_is_told() -> None:
    result = found(sane_text.CHECK, LLAMA.but(says("def main():\n    pass")), uses=("fim",))
    assert result.outcome == "pass"
    assert found(sane_text.CHECK, LLAMA.but(brains.writes_garbage), uses=("fim",)).outcome == "fail"


def test_after_garbage_nothing_else_is_asked() -> None:
    result = suite_of(LLAMA.but(brains.writes_garbage))
    told = outcomes(result)
    assert (told.pop("load.residency"), told.pop("sane.text")) == ("pass", "fail")
    assert set(told.values()) == {"skip"}
    skipped: Any = result.result("perf.rate")
    assert (skipped.fault, skipped.exchanges) == ("wrong", ())
    assert skipped.reason == "not asked after this failed: answers in plain text"
