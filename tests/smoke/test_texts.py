"""What an answer must not have in it, and what it may."""

from __future__ import annotations

import random

import pytest

from llamaexit.smoke.answer import Answer
from llamaexit.smoke.asked import plainly, prose, without_thinking
from llamaexit.smoke.texts import cut_off, east_asian, garbled, leaked, repeats


@pytest.mark.parametrize(
    "text",
    [
        "<think>Well</think> Green.", "Well</think>Green.", "<think>", "< think >", "<thinking>Well", "◁think▷",
        "◁/think▷",
        "<|im_end|>", "<|im_start|>user", "<|eot_id|>", "<|endoftext|>", "<|start_header_id|>", "[INST] x", "[/INST]",
        "<<SYS>>", "<tool_call>", "</tool_call>", "<end_of_turn>", "<｜Assistant｜>", "<|fim_middle|>", "</s>",
    ],
)  # fmt: skip
def test_marks_of_templates_and_of_reasoning_are_found(text: str) -> None:
    assert leaked(f"{text} and more")


@pytest.mark.parametrize(
    "text",
    [
        "I think it is green.", "The <b>think tank</b> met.", "a < b and c > d", "if x <| y: pass", "f(x) |> g(y)",
        "<p>html</p>", "[1, 2] instances", "Use std::vector<int>.", "大白兔", "thinking</b>", "",
    ],
)  # fmt: skip
def test_plain_text_is_clean(text: str) -> None:
    assert leaked(text) == ""


@pytest.mark.parametrize("text", ["", " \n", "GGGGGGGGGGGGGGGG", "3" * 40, "\x00\x07\x1b", "��������", "ok �����"])
def test_garbage_is_found(text: str) -> None:
    assert garbled(text)


@pytest.mark.parametrize("text", ["Green.", "a\tb\nc\r\n", "Wörter über Straßen", "大白兔奶糖", "🙂 fine"])
def test_a_text_is_no_garbage(text: str) -> None:
    assert garbled(text) == ""


def test_a_row_of_twelve_is_a_line_under_a_heading_and_one_of_thirteen_is_not() -> None:
    assert (garbled("=" * 12), garbled("=" * 13)) == ("", "an answer that repeats '='")


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("all English", 0.0), ("好", 1.0), ("ab好", 1 / 3), ("カタカナ", 1.0), ("한국어", 1.0),
        ("Привет", 0.0), ("123 !?", 0.0),
    ],
)  # fmt: skip
def test_how_much_of_a_text_is_east_asian(text: str, share: float) -> None:
    assert east_asian(text) == pytest.approx(share)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("the cat sat on the mat and " * 6, id="one sentence again and again"),
        pytest.param("Apple\n" * 4, id="one line four times"),
        pytest.param("Apple\nPear\n" * 4, id="two lines in turn"),
    ],
)
def test_going_round_in_circles_is_found(text: str) -> None:
    assert repeats(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("Apple\nPear\nPlum\nCherry\nFig", id="a list"),
        pytest.param("Apple\n" * 3, id="one line three times"),
        pytest.param("}\n}\n}\n}\n}\n", id="brackets"),
        pytest.param(prose(random.Random(1), 300), id="a long text"),
    ],
)
def test_a_text_that_goes_on_is_fine(text: str) -> None:
    assert repeats(text) == ""


def test_how_answers_end() -> None:
    assert [cut_off(finish) for finish in ("stop", "tool_calls")] == ["", ""]
    assert cut_off("length") == "it did not stop by itself"
    assert cut_off("") == "the answer broke off"


def test_an_empty_answer_says_what_the_tokens_were_spent_on() -> None:
    assert plainly(Answer("", finish="length", tokens=512, thinking="Well")) == (
        "an empty answer: 512 tokens were spent on thinking"
    )
    assert plainly(Answer("", finish="length", tokens=512)) == "an empty answer of 512 tokens"
    assert plainly(Answer("", finish="length")) == "an empty answer of all tokens"
    assert plainly(Answer(" \n", finish="stop")) == "an empty answer"


def test_thinking_apart_from_the_answer_is_seen() -> None:
    assert without_thinking(Answer("Green.", thinking="Well…")) == (
        "it thinks although it was told not to (5 characters)"
    )
    assert without_thinking(Answer("Green.")) == ""


@pytest.mark.parametrize("words", [1, 40, 400, 1600])
def test_prose_is_about_as_long_as_asked_for(words: int) -> None:
    text = prose(random.Random(words), words)
    assert words <= len(text.split()) < words + 25


def test_prose_is_the_same_for_the_same_dice_and_begins_otherwise_for_others() -> None:
    assert prose(random.Random(1), 100) == prose(random.Random(1), 100)
    assert prose(random.Random(1), 100)[:30] != prose(random.Random(2), 100)[:30]
