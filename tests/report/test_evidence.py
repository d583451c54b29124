from __future__ import annotations

import json
from typing import Any

import pytest
from run_samples import exchange, result

from llamaexit.report.evidence import Evidence, exchanges_of, one_line, shortened, visible
from llamaexit.smoke.model import Exchange


def shown(request: dict[str, Any], answer: dict[str, Any] | None, **more: Any) -> Evidence:
    facts: dict[str, Any] = {"status": 200, "error": None, "seconds": 1.0, **more}
    (only,) = exchanges_of(result("a", "a", exchanges=(Exchange("/x", request, answer=answer, **facts),))).shown
    return only


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain text, señor, 中文, 🙂", "plain text, señor, 中文, 🙂"),
        ("a\tb\nc", "a\tb\nc"),
        ("wide\u3000blank", "wide\u3000blank"),
        ("\x1b[31m", r"\u001b[31m"),
        ("\u202egnp", r"\u202egnp"),
        ("a\u200bb", r"a\u200bb"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("a\r\n", "a\\u000d\n"),
    ],
    ids=["letters", "line ends", "blanks", "escape", "direction", "zero width", "tag", "surrogate", "return"],
)
def test_only_what_works_unseen_is_written_out(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_long_text_keeps_its_beginning_and_its_end_and_counts_the_rest() -> None:
    assert shortened("a" * 80 + "b" * 80, 40) == f"{'a' * 30} [… 120 characters left out …] {'b' * 10}"
    assert shortened("a" * 40, 40) == "a" * 40


def test_prose_becomes_one_line() -> None:
    assert one_line("a\n\n  b\tc ") == "a b c"


@pytest.mark.parametrize(
    ("request_", "answer", "said"),
    [
        (
            {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]},
            {"message": {"role": "assistant", "content": "Hello"}},
            [("System", "Be brief."), ("User", "Hi"), ("Answered", "Hello")],
        ),
        (
            {"prompt": "def f(", "suffix": "return"},
            {"response": "x):"},
            [("Prompt", "def f("), ("Suffix", "return"), ("Answered", "x):")],
        ),
        (
            {"messages": [{"role": "user", "content": [{"text": "What is it?"}, {"type": "image_url"}]}]},
            {"choices": [{"message": {"content": "A cat", "reasoning": "ears"}}]},
            [("User", "What is it?"), ("Thought", "ears"), ("Answered", "A cat")],
        ),
        (
            {"prompt": "Hi"},
            {"message": {"content": "", "thinking": "hm", "tool_calls": None}},
            [("Prompt", "Hi"), ("Thought", "hm"), ("Answered", "(nothing)")],
        ),
        (
            {"prompt": "Hi"},
            {"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}}]},
            [("Prompt", "Hi"), ("Called", "f({})")],
        ),
        ({"input": ["a", "b"]}, {"embeddings": [[0.1]]}, [("Input", "a\nb")]),
    ],
    ids=["chat", "generate", "v1 in parts", "thought until the end", "called on v1", "embedded"],
)  # fmt: skip
def test_question_and_answer_are_found_on_every_route(
    request_: dict[str, Any], answer: dict[str, Any], said: list[tuple[str, str]]
) -> None:
    assert list(shown(request_, answer).said) == said


@pytest.mark.parametrize(
    "answer",
    [{"message": []}, {"message": {"content": 7}}, {"choices": [[]]}, {"choices": {}}, {"message": {"tool_calls": "x"}},
     {"message": {"tool_calls": [{"function": "f"}]}}, {"message": {"tool_calls": {"a": 1}}}],
    ids=str,
)  # fmt: skip
def test_answer_of_no_known_shape_is_shown_as_it_is(answer: dict[str, Any]) -> None:
    assert json.loads(shown({}, answer).answer) == answer


def test_answer_that_never_came_is_told_by_its_error() -> None:
    evidence = shown({"prompt": "Hi"}, None, status=0, error="timed out after 60 s")

    assert evidence.status == "no answer"
    assert evidence.said == (("Prompt", "Hi"), ("Error", "timed out after 60 s"))
    assert evidence.answer == ""


def test_pictures_vectors_and_nests_are_cut_with_a_word_about_the_rest() -> None:
    deep: Any = "end"
    for _ in range(30):
        deep = [deep]
    request = {
        "images": ["iVBORw0KGgo" * 100], "endless": "a" * 5000, "url": "data:image/png;base64,iVBO",
        "vector": [0.5] * 1000, "deep": deep, "big": 10**30, "keys": {str(n): n for n in range(50)},
        "text": "word " * 200,
    }  # fmt: skip

    told = json.loads(shown(request, None).request)

    assert told["images"] == ["[a picture, 1,100 characters]"]
    assert told["url"] == "[a picture, 26 characters]"
    assert told["endless"].startswith("aaaa")
    assert told["vector"][-1] == "[988 more]"
    assert "[deeper]" in json.dumps(told["deep"])
    assert told["big"] == "[a number of 100 bits]"
    assert told["keys"]["…"] == "[10 keys more]"
    assert "700 characters left out" in told["text"]


def test_no_request_and_no_answer_is_shown_at_length() -> None:
    evidence = shown({str(n): {str(m): "word " * 50 for m in range(40)} for n in range(40)}, None)

    assert len(evidence.request) < 6100


def test_pass_shows_one_exchange_and_a_failure_several() -> None:
    ten = tuple(exchange(f"question {n}", "answer") for n in range(10))

    passed = exchanges_of(result("a", "a", exchanges=ten))
    failed = exchanges_of(result("a", "a", "fail", "why", exchanges=ten))

    assert (len(passed.shown), passed.more) == (1, 9)
    assert (len(failed.shown), failed.more) == (5, 5)


def test_failure_shows_the_questions_that_were_lost_first() -> None:
    ten = tuple(exchange(f"question {n}", "answer") for n in range(10))
    won = tuple(n not in (4, 8) for n in range(10))

    told = exchanges_of(result("a", "a", "fail", "why", exchanges=ten, won=won))

    assert [dict(one.said)["User"] for one in told.shown] == [f"question {n}" for n in (4, 8, 0, 1, 2)]
