"""Answers mean the same from every route, streamed or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamaexit.ollama.inference import Chunk
from llamaexit.smoke.answer import Answer, Called, merged, read


def chunks(*bodies: dict[str, Any]) -> list[Chunk]:
    return [Chunk(0.1 * number, body) for number, body in enumerate(bodies, 1)]


def native(content: str = "", thinking: str = "", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, "thinking": thinking}, "done": False, **more}


def openai(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def test_an_answer_of_chat_has_text_thinking_and_counters() -> None:
    body = {
        "message": {"role": "assistant", "content": "Green.", "thinking": "Grass…"},
        "done": True, "done_reason": "stop",
        "prompt_eval_count": 20, "prompt_eval_duration": 500_000_000, "eval_count": 10, "eval_duration": 250_000_000,
    }  # fmt: skip
    answer = read(body, seconds=1.5)
    assert (answer.text, answer.thinking, answer.finish, answer.seconds) == ("Green.", "Grass…", "stop", 1.5)
    assert (answer.tokens_per_second, answer.prompt_tokens_per_second) == (40.0, 40.0)


def test_an_answer_of_generate_has_text_and_thinking() -> None:
    answer = read({"response": "Green.", "thinking": "Grass…", "done": True, "done_reason": "length"}, seconds=1)
    assert (answer.text, answer.thinking, answer.finish) == ("Green.", "Grass…", "length")


def test_an_answer_of_v1_has_text_reasoning_and_usage() -> None:
    message = {"role": "assistant", "content": "Green.", "reasoning": "Grass…"}
    body = {
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30},
    }
    answer = read(body, seconds=1)
    assert (answer.text, answer.thinking, answer.finish) == ("Green.", "Grass…", "stop")
    assert (answer.prompt_tokens, answer.tokens, answer.tokens_per_second) == (20, 10, None)


def test_calls_are_read_as_they_come_object_or_text() -> None:
    native_call = {"function": {"index": 0, "name": "get_weather", "arguments": {"city": "Oslo"}}}
    v1_call = {"id": "call_1", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}
    chat = read({"message": {"content": "", "tool_calls": [native_call]}, "done": True}, seconds=1)
    v1 = read({"choices": [{"message": {"tool_calls": [v1_call]}, "finish_reason": "tool_calls"}]}, seconds=1)
    assert chat.calls == (Called("get_weather", {"city": "Oslo"}),)
    assert v1.calls == (Called("get_weather", '{"city":"Oslo"}'),)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing at all"),
        pytest.param({"message": None, "done": True}, id="no message"),
        pytest.param({"message": {"content": ["x"], "tool_calls": "x"}, "done": True}, id="values of other kinds"),
        pytest.param({"choices": []}, id="no choices"),
        pytest.param({"choices": [None], "usage": 3}, id="a choice that is none"),
    ],
)
def test_a_body_that_is_no_answer_reads_as_an_empty_one(body: dict[str, Any]) -> None:
    answer = read(body, seconds=1)
    assert (answer.text, answer.calls, answer.tokens) == ("", (), None)


def test_an_answer_without_done_broke_off() -> None:
    """As when Ollama's guard against repetition struck: HTTP 200, `done` false, no reason."""
    assert read({"message": {"content": "the the the"}, "done": False}, seconds=1).finish == ""


def test_an_answer_without_a_reason_to_end_stopped() -> None:
    assert read({"response": "x", "done": True}, seconds=1).finish == "stop"


def test_a_stream_of_chat_becomes_one_body() -> None:
    pieces = chunks(
        native(thinking="Gra"),
        native(thinking="ss"),
        native("Gre"),
        native("en."),
        native(done=True, done_reason="stop", eval_count=4),
    )
    body = merged(pieces)
    assert body["message"] == {"role": "assistant", "content": "Green.", "thinking": "Grass"}
    assert (body["done_reason"], body["eval_count"]) == ("stop", 4)


def test_the_first_content_of_a_stream_is_not_its_reasoning() -> None:
    pieces = chunks(native(thinking="Gra"), native(), native("Green."), native(done=True))
    answer = read(merged(pieces), seconds=1, chunks=pieces)
    assert answer.first_content == pytest.approx(0.3)


def test_a_stream_without_content_has_no_first_content() -> None:
    pieces = chunks(native(thinking="Gra"), native(done=True, done_reason="length"))
    assert read(merged(pieces), seconds=1, chunks=pieces).first_content is None


def test_a_stream_of_generate_becomes_one_body() -> None:
    pieces = chunks(
        {"response": "", "thinking": "Grass", "done": False}, {"response": "Gre", "done": False},
        {"response": "en.", "done": False}, {"response": "", "done": True, "done_reason": "stop"},
    )  # fmt: skip
    answer = read(merged(pieces), seconds=1, chunks=pieces)
    assert (answer.text, answer.thinking, answer.finish, answer.first_content) == ("Green.", "Grass", "stop", 0.2)


def test_a_stream_of_v1_becomes_one_body() -> None:
    pieces = chunks(
        openai(role="assistant", reasoning="Grass"), openai(content="Gre"), openai(content="en."), openai("stop"),
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    )  # fmt: skip
    answer = read(merged(pieces), seconds=1, chunks=pieces)
    assert (answer.text, answer.thinking, answer.finish, answer.tokens) == ("Green.", "Grass", "stop", 2)


def test_calls_in_a_stream_of_v1_are_put_together_by_their_index() -> None:
    def call(index: int, name: str | None, arguments: str) -> dict[str, Any]:
        return openai(tool_calls=[{"index": index, "function": {"name": name, "arguments": arguments}}])

    pieces = chunks(call(0, "a", '{"x":'), call(0, None, "1}"), call(1, "b", "{}"), openai("tool_calls"))
    answer = read(merged(pieces), seconds=1)
    assert answer.calls == (Called("a", '{"x":1}'), Called("b", "{}"))
    assert answer.finish == "tool_calls"


def test_two_whole_calls_with_one_index_stay_two() -> None:
    """Ollama's /v1 gave every call of a stream the index 0 for a while."""
    whole = [{"index": 0, "function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    pieces = chunks(openai(tool_calls=whole[:1]), openai(tool_calls=whole[1:]), openai("tool_calls"))
    assert [call.name for call in read(merged(pieces), seconds=1).calls] == ["a", "b"]


def test_nothing_streamed_is_no_body() -> None:
    assert merged([]) == {}


@pytest.mark.parametrize("route", ["chat", "generate", "v1-chat"])
def test_a_recorded_stream_reads_like_the_recorded_answer(route: str, recordings: Path) -> None:
    whole = json.loads((recordings / f"{route}.json").read_text("utf-8"))["response"]["json"]
    response = json.loads((recordings / f"{route}-stream.json").read_text("utf-8"))["response"]
    lines = response.get("lines") or [
        json.loads(line.removeprefix("data: ")) for line in response["sse"].splitlines() if line.startswith("data: {")
    ]
    streamed = read(merged(chunks(*lines)), seconds=1, chunks=chunks(*lines))
    plain = read(whole, seconds=1)
    assert isinstance(plain, Answer)
    assert plain.text.startswith(streamed.text) if route == "v1-chat" else streamed.text
    assert streamed.finish == plain.finish
    assert streamed.first_content == pytest.approx(0.1)
