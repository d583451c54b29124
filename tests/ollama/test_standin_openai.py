"""The stand-in's `/v1` routes: what OpenAI's clients send and get."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from standin import Model, Said, Standin, Store, ToolCall, Traits, Turn, gguf
from standin.client import Answer, ask, opened, post

Start = Callable[..., Standin]

NATIVE = gguf.llama(
    "qwen3vl", extra={"tokenizer.chat_template": "tools <think></think>", "qwen3vl.vision.block_count": 1}
)
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
HI = [{"role": "user", "content": "hi"}]


@dataclass
class Says:
    """A model that says one thing, and remembers what it was asked."""

    said: Said
    traits: Traits = field(default_factory=Traits)
    asked: list[Turn] = field(default_factory=list)

    def say(self, turn: Turn) -> Said:
        self.asked.append(turn)
        return self.said


@pytest.fixture
def server(start_standin: Start) -> Standin:
    return start_standin(Store.of(Model("all:1b", weights=NATIVE), Model("plain:1b")))


def says(server: Standin, name: str, *args: Any, **said: Any) -> Says:
    server.behaviours[name] = behaviour = Says(Said(*args, **said))
    return behaviour


def chat(server: Standin, model: str, messages: list[dict[str, Any]] = HI, **body: Any) -> Answer:
    return post(server, "/v1/chat/completions", **{"model": model, "messages": messages} | body)


def events(server: Standin, path: str, **body: Any) -> list[Any]:
    """The events of a stream; the text of the one that is no JSON."""
    with opened(server, "POST", path, body | {"stream": True}) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        text = response.read().decode()
    sent = [event.removeprefix("data: ") for event in text.split("\n\n") if event]
    return [json.loads(event) if event.startswith("{") else event for event in sent]


class TestChat:
    def test_answers_whole_unless_a_stream_is_asked_for(self, server: Standin) -> None:
        says(server, "all:1b", ("yes",), "hmm", tokens=9)

        status, answer = chat(server, "all:1b")

        assert status == 200
        assert answer["object"] == "chat.completion"
        assert answer["choices"] == [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "yes", "reasoning": "hmm"},
                "finish_reason": "stop",
            }
        ]
        prompt = answer["usage"]["prompt_tokens"]
        assert answer["usage"] == {"prompt_tokens": prompt, "completion_tokens": 9, "total_tokens": prompt + 9}

    def test_stream_has_the_role_once_reasoning_first_and_its_finish_apart(self, server: Standin) -> None:
        says(server, "all:1b", ("yes",), "hmm")

        sent = events(server, "/v1/chat/completions", model="all:1b", messages=HI)

        assert [event["choices"][0]["delta"] for event in sent[:-1]] == [
            {"role": "assistant", "content": "", "reasoning": "hmm"},
            {"content": "yes"},
            {},
        ]
        assert [event["choices"][0]["finish_reason"] for event in sent[:-1]] == [None, None, "stop"]
        assert sent[-1] == "[DONE]"
        assert len({event["id"] for event in sent[:-1]}) == 1

    def test_stream_counts_tokens_when_asked_to(self, server: Standin) -> None:
        says(server, "all:1b", ("yes",), tokens=1)

        sent = events(
            server, "/v1/chat/completions", model="all:1b", messages=HI, stream_options={"include_usage": True}
        )

        assert sent[-2]["choices"] == []
        assert sent[-2]["usage"]["completion_tokens"] == 1

    @pytest.mark.parametrize(
        ("asked", "resolved"),
        [
            ({}, True), ({"think": False}, True), ({"reasoning_effort": "none"}, False),
            ({"reasoning": {"effort": "none"}}, False), ({"reasoning_effort": "minimal"}, "low"),
            ({"reasoning_effort": "ultra"}, "max"), ({"reasoning_effort": "high"}, "high"),
        ],
    )  # fmt: skip
    def test_thinks_as_reasoning_effort_says_and_does_not_hear_think(
        self, asked: dict[str, Any], resolved: Any, server: Standin
    ) -> None:
        behaviour = says(server, "all:1b")

        chat(server, "all:1b", **asked)

        assert behaviour.asked[0].think == resolved

    def test_temperature_is_one_whatever_is_stored(self, server: Standin) -> None:
        server.store.add(Model("cold:1b", parent="all:1b", parameters={"temperature": 0.1, "top_p": 0.2, "top_k": 3}))
        behaviour = says(server, "cold:1b")

        chat(server, "cold:1b")
        chat(server, "cold:1b", temperature=0)

        options = [turn.options for turn in behaviour.asked]
        assert [(o["temperature"], o["top_p"], o["top_k"]) for o in options] == [(1.0, 1.0, 3), (0.0, 1.0, 3)]

    @pytest.mark.parametrize("stop", ["b", ["b"]])
    def test_ends_at_max_tokens_or_a_stop_string(self, stop: Any, server: Standin) -> None:
        says(server, "all:1b", ("a", "b", "c"))

        by_stop = chat(server, "all:1b", stop=stop)[1]["choices"][0]
        by_length = chat(server, "all:1b", max_tokens=2)[1]["choices"][0]

        assert (by_stop["message"]["content"], by_stop["finish_reason"]) == ("a", "stop")
        assert (by_length["message"]["content"], by_length["finish_reason"]) == ("ab", "length")

    @pytest.mark.parametrize(
        ("wanted", "seen"),
        [({"type": "json_object"}, "json"), ({"type": "text"}, None),
         ({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}, {"type": "object"})],
    )  # fmt: skip
    def test_response_format_reaches_the_model(self, wanted: dict[str, Any], seen: Any, server: Standin) -> None:
        behaviour = says(server, "all:1b")

        chat(server, "all:1b", response_format=wanted)

        assert behaviour.asked[0].format == seen

    def test_content_in_parts_becomes_a_message_for_each(self, server: Standin) -> None:
        behaviour = says(server, "all:1b")
        picture = "data:image/png;base64," + base64.b64encode(b"png").decode()
        parts = [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": picture}}]

        chat(server, "all:1b", [{"role": "user", "content": parts}])

        assert [message["content"] for message in behaviour.asked[0].messages] == ["what?", ""]
        assert behaviour.asked[0].images == (b"png",)

    def test_no_context_can_be_asked_for(self, server: Standin) -> None:
        behaviour = says(server, "all:1b")

        chat(server, "all:1b", options={"num_ctx": 8})

        assert behaviour.asked[0].options["num_ctx"] == server.num_ctx


class TestTools:
    def test_arguments_are_a_text_and_the_finish_says_so(self, server: Standin) -> None:
        says(server, "all:1b", "", tool_calls=(ToolCall("weather", {"city": "Bonn"}),))

        choice = chat(server, "all:1b", tools=[TOOL])[1]["choices"][0]
        sent = events(server, "/v1/chat/completions", model="all:1b", messages=HI, tools=[TOOL])

        (call,) = choice["message"]["tool_calls"]
        assert call["function"] == {"name": "weather", "arguments": '{"city":"Bonn"}'}
        assert (call["type"], call["index"], choice["finish_reason"]) == ("function", 0, "tool_calls")
        assert sent[0]["choices"][0]["delta"]["tool_calls"][0]["function"] == call["function"]
        assert sent[-2]["choices"][0]["finish_reason"] == "tool_calls"

    def test_results_are_named_after_their_call(self, server: Standin) -> None:
        behaviour = says(server, "all:1b")
        call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bonn"}'}}
        history = [
            *HI,
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "sun", "tool_call_id": "call_1"},
        ]

        chat(server, "all:1b", history, tools=[TOOL])

        *_, made, result = behaviour.asked[0].messages
        assert made["tool_calls"][0]["function"]["arguments"] == {"city": "Bonn"}
        assert (result["role"], result["tool_name"], result["content"]) == ("tool", "weather", "sun")


class TestCompletions:
    def test_give_a_text_and_no_reasoning(self, server: Standin) -> None:
        says(server, "all:1b", ("yes",), "hmm")

        answer = post(server, "/v1/completions", model="all:1b", prompt="hi")[1]

        assert answer["object"] == "text_completion"
        assert answer["choices"] == [{"text": "yes", "index": 0, "finish_reason": "stop"}]

    def test_stream_ends_with_the_finish_on_an_empty_text(self, server: Standin) -> None:
        says(server, "plain:1b", ("a", "b"))

        sent = events(server, "/v1/completions", model="plain:1b", prompt="hi")

        choices = [event["choices"][0] for event in sent[:-1]]
        assert [(choice["text"], choice["finish_reason"]) for choice in choices] == [
            ("a", None), ("b", None), ("", "stop"),
        ]  # fmt: skip
        assert sent[-1] == "[DONE]"

    def test_suffix_reaches_a_model_that_can_insert(self, server: Standin) -> None:
        server.store.add(Model("fim:1b", template="{{ .Prompt }}{{ .Suffix }}"))
        behaviour = says(server, "fim:1b")

        post(server, "/v1/completions", model="fim:1b", prompt="a", suffix="b")

        assert (behaviour.asked[0].prompt, behaviour.asked[0].suffix) == ("a", "b")


class TestRefusal:
    @pytest.mark.parametrize(
        ("body", "status", "message", "kind"),
        [
            ({"model": "nope", "messages": HI}, 404, "model 'nope' not found", "not_found_error"),
            ({"model": "plain:1b", "messages": []}, 400, "[] is too short - 'messages'", "invalid_request_error"),
            ({"model": "plain:1b", "messages": HI, "tools": [TOOL]}, 400,
             "registry.ollama.ai/library/plain:1b does not support tools", "invalid_request_error"),
            ({"model": "plain:1b", "messages": HI, "reasoning_effort": "high"}, 400,
             '"plain:1b" does not support thinking', "invalid_request_error"),
            ({"model": "plain:1b", "messages": HI, "reasoning_effort": "off"}, 400,
             'invalid reasoning value: "off" (must be "minimal", "low", "medium", "high", "xhigh", "ultra", "max", '
             'or "none")', "invalid_request_error"),
            ({"model": "plain:1b", "messages": [{"role": "user", "content": None}]}, 400,
             "invalid message content type: <nil>", "invalid_request_error"),
        ],
    )  # fmt: skip
    def test_is_an_object(self, body: dict[str, Any], status: int, message: str, kind: str, server: Standin) -> None:
        error = {"message": message, "type": kind, "param": None, "code": None}

        assert post(server, "/v1/chat/completions", **body) == (status, {"error": error})

    def test_of_the_runner_is_no_fault_of_the_request(self, server: Standin) -> None:
        says(server, "plain:1b", error="an error was encountered while running the model: x")

        assert chat(server, "plain:1b")[1]["error"]["type"] == "api_error"

    def test_in_a_stream_is_an_end_without_done(self, server: Standin) -> None:
        says(server, "plain:1b", ("a",), error="x")

        sent = events(server, "/v1/chat/completions", model="plain:1b", messages=HI)

        assert [event["choices"][0]["delta"]["content"] for event in sent] == ["a"]


class TestModels:
    def test_are_found_one_by_one(self, server: Standin) -> None:
        status, answer = ask(server, "GET", "/v1/models/plain:1b")

        assert (status, answer["id"], answer["owned_by"]) == (200, "plain:1b", "library")
        assert ask(server, "GET", "/v1/models/nope")[1]["error"]["type"] == "not_found_error"
