"""What the stand-in does around a model on Ollama's own routes: framing, limits, thinking, tools, errors."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import ollama
from standin import Model, Said, Standin, Store, ToolCall, Traits, Turn, gguf
from standin.client import Answer, ask, opened, post

Start = Callable[..., Standin]

GO_TEMPLATE = "{{ .Prompt }}{{ .Tools }}{{ .Suffix }}{{ .Thinking }}"
NATIVE = gguf.llama("qwen3", extra={"tokenizer.chat_template": "tools <think></think>"})
VISION = gguf.llama("qwen3vl", extra={"qwen3vl.vision.block_count": 1})
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
PICTURE = base64.b64encode(b"a picture").decode()
HI = [{"role": "user", "content": "hi"}]
WORDS = [{"role": role, "content": " ".join([role] * 10)} for role in ("system", "user", "assistant")]
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}, "of": {"enum": ["a"]}}}


@dataclass
class Says:
    """A model that says one thing, and remembers what it was asked."""

    said: Said
    traits: Traits = field(default_factory=lambda: Traits(tokens=str.split, framing=(0, 0)))
    asked: list[Turn] = field(default_factory=list)

    def say(self, turn: Turn) -> Said:
        self.asked.append(turn)
        return self.said


@pytest.fixture
def server(start_standin: Start) -> Standin:
    return start_standin(
        Store.of(
            Model("plain:1b"),
            Model("all:1b", template=GO_TEMPLATE, weights=gguf.llama("llama", layers=2)),
            Model("native:1b", weights=NATIVE),
            Model("parsed:1b", weights=gguf.llama("qwen35"), template="{{ .Prompt }}", parser="qwen3.5"),
            Model("vision:1b", weights=VISION),
            Model("embed:1b", weights=gguf.llama("bert", extra={"bert.pooling_type": 1})),
            Model("bot:1b", parent="plain:1b", system="Be Ada.", parameters={"num_ctx": 64, "stop": ["END"]},
                  messages=(("user", "before"), ("assistant", "after"))),
        )
    )  # fmt: skip


def says(server: Standin, name: str, *args: Any, traits: Traits | None = None, **said: Any) -> Says:
    behaviour = Says(Said(*args, **said)) if traits is None else Says(Said(*args, **said), traits)
    server.behaviours[name] = behaviour
    return behaviour


def chat(server: Standin, model: str, messages: list[dict[str, Any]] = HI, **body: Any) -> Answer:
    return post(server, "/api/chat", **{"model": model, "messages": messages, "stream": False} | body)


def generate(server: Standin, model: str, prompt: str = "hi", **body: Any) -> Answer:
    return post(server, "/api/generate", **{"model": model, "prompt": prompt, "stream": False} | body)


class TestFraming:
    def test_stream_has_one_line_for_each_token_and_one_for_the_end(self, server: Standin) -> None:
        says(server, "plain:1b", ("one", " two"))

        _, lines = chat(server, "plain:1b", stream=True)

        assert [line["message"] for line in lines] == [
            {"role": "assistant", "content": content} for content in ("one", " two", "")
        ]
        assert [line["done"] for line in lines] == [False, False, True]
        assert all("eval_count" not in line and "done_reason" not in line for line in lines[:-1])
        assert lines[-1]["done_reason"] == "stop"

    def test_counters_are_nanoseconds_that_follow_from_the_speed_of_the_model(self, server: Standin) -> None:
        traits = Traits(tokens=str.split, framing=(1, 2), tokens_per_second=4, prompt_tokens_per_second=100)
        says(server, "plain:1b", ("one", " two"), traits=traits)

        _, answer = chat(server, "plain:1b", [{"role": "user", "content": "a b c"}])

        assert (answer["prompt_eval_count"], answer["prompt_eval_duration"]) == (6, 60_000_000)
        assert (answer["eval_count"], answer["eval_duration"]) == (2, 500_000_000)
        assert answer["total_duration"] == 560_000_000 + answer["load_duration"]

    def test_generate_gives_numbers_for_its_tokens_except_in_raw_mode(self, server: Standin) -> None:
        says(server, "plain:1b", "one two")

        assert len(generate(server, "plain:1b", "a b")[1]["context"]) == 3
        assert "context" not in generate(server, "plain:1b", raw=True)[1]

    @pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
    def test_request_without_words_loads(self, path: str, server: Standin) -> None:
        _, answer = post(server, path, model="plain:1b")

        assert (answer["done"], answer["done_reason"]) == (True, "load")
        assert not [key for key in answer if "duration" in key]

    def test_answer_names_the_model_as_it_was_asked_for(self, server: Standin) -> None:
        assert chat(server, "PLAIN:1b")[1]["model"] == "PLAIN:1b"


class TestStoredTexts:
    def test_go_before_what_is_sent(self, server: Standin) -> None:
        behaviour = says(server, "bot:1b")

        chat(server, "bot:1b")

        assert [(message["role"], message["content"]) for message in behaviour.asked[0].messages] == [
            ("system", "Be Ada."), ("user", "before"), ("assistant", "after"), ("user", "hi"),
        ]  # fmt: skip

    def test_system_text_gives_way_to_a_first_system_message(self, server: Standin) -> None:
        behaviour = says(server, "bot:1b")

        chat(server, "bot:1b", [{"role": "System", "content": "Be Bob."}, *HI])

        assert behaviour.asked[0].system == "Be Bob."

    def test_system_text_stays_when_the_system_message_comes_later(self, server: Standin) -> None:
        behaviour = says(server, "bot:1b")

        chat(server, "bot:1b", [*HI, {"role": "system", "content": "Be Bob."}])

        assert behaviour.asked[0].system == "Be Ada.\nBe Bob."

    def test_generate_takes_the_system_text_it_is_sent(self, server: Standin) -> None:
        behaviour = says(server, "bot:1b")

        generate(server, "bot:1b")
        generate(server, "bot:1b", system="Be Bob.")

        assert [turn.system for turn in behaviour.asked] == ["Be Ada.", "Be Bob."]
        assert [message["content"] for message in behaviour.asked[0].messages][1:] == ["before", "after", "hi"]

    def test_options_are_those_of_the_request_over_stored_over_default(self, server: Standin) -> None:
        behaviour = says(server, "bot:1b")

        chat(server, "bot:1b", options={"num_ctx": 32, "seed": 7, "unknown": 1})

        options = behaviour.asked[0].options
        assert (options["num_ctx"], options["stop"], options["top_k"], behaviour.asked[0].seed) == (32, ["END"], 40, 7)
        assert "unknown" not in options

    def test_seed_differs_from_request_to_request_unless_it_is_given(self, server: Standin) -> None:
        behaviour = says(server, "plain:1b")
        for _ in range(3):
            chat(server, "plain:1b")

        assert len({turn.seed for turn in behaviour.asked}) == 3

    @pytest.mark.parametrize(("version", "penalty"), [("0.32.9", 1.1), ("0.32.10", 1.0)])
    def test_default_repeat_penalty_changed(self, version: str, penalty: float, server: Standin) -> None:
        server.version = version
        behaviour = says(server, "plain:1b")
        chat(server, "plain:1b")

        assert behaviour.asked[0].options["repeat_penalty"] == penalty


class TestEnd:
    def test_comes_at_num_predict(self, server: Standin) -> None:
        says(server, "plain:1b", ("a", " b", " c"))

        _, answer = chat(server, "plain:1b", options={"num_predict": 2})

        assert (answer["message"]["content"], answer["done_reason"], answer["eval_count"]) == ("a b", "length", 2)

    def test_comes_at_a_stop_string_though_it_is_cut_by_tokens(self, server: Standin) -> None:
        says(server, "bot:1b", ("a", " E", "N", "D b"))

        _, answer = chat(server, "bot:1b")

        assert (answer["message"]["content"], answer["done_reason"]) == ("a ", "stop")

    def test_beginning_of_a_stop_string_is_not_swallowed(self, server: Standin) -> None:
        says(server, "bot:1b", ("a", " E", "N", " b E"))

        assert chat(server, "bot:1b")[1]["message"]["content"] == "a EN b E"

    def test_of_what_never_ends_is_ten_contexts_off(self, server: Standin) -> None:
        says(server, "plain:1b", ("a", " b"), endless=True)

        _, answer = chat(server, "plain:1b", options={"num_ctx": 8})

        assert (answer["done_reason"], answer["eval_count"]) == ("length", 80)

    def test_is_at_the_context_without_shifting(self, server: Standin) -> None:
        says(server, "plain:1b", ("a", " b"), endless=True)

        _, answer = chat(server, "plain:1b", options={"num_ctx": 8}, shift=False)

        assert (answer["done_reason"], answer["eval_count"]) == ("length", 7)

    def test_comes_without_a_reason_when_one_token_is_repeated(self, server: Standin) -> None:
        says(server, "plain:1b", (" a",), endless=True)

        _, answer = chat(server, "plain:1b")
        _, lines = chat(server, "plain:1b", stream=True)

        assert (answer["done"], "done_reason" in answer, "eval_count" in answer) == (False, False, False)
        assert not lines[-1]["done"]

    def test_may_be_left_out_by_a_runner_that_dies(self, server: Standin) -> None:
        says(server, "plain:1b", ("a", " b"), unfinished=True)

        assert [line["done"] for line in chat(server, "plain:1b", stream=True)[1]] == [False, False]


class TestPromptThatIsTooLong:
    def test_loses_its_oldest_messages_but_no_system_message(self, server: Standin) -> None:
        behaviour = says(server, "plain:1b")

        _, answer = chat(server, "plain:1b", [*WORDS, *HI], options={"num_ctx": 24})

        assert [message["role"] for message in behaviour.asked[0].messages] == ["system", "assistant", "user"]
        assert behaviour.asked[0].truncated
        assert answer["prompt_eval_count"] == 21

    def test_is_cut_when_its_last_message_alone_is_too_long(self, server: Standin) -> None:
        behaviour = says(server, "all:1b")

        _, answer = chat(server, "all:1b", [{"role": "user", "content": "x " * 100}], options={"num_ctx": 64})

        # num_keep is 4, and half of the other 60 are freed
        assert answer["prompt_eval_count"] == 34
        assert behaviour.asked[0].truncated

    def test_is_refused_by_a_runner_with_a_template_of_its_own(self, server: Standin) -> None:
        status, answer = chat(server, "native:1b", [{"role": "user", "content": "x " * 100}], options={"num_ctx": 64})

        assert status == 400
        assert json.loads(answer["error"])["error"]["type"] == "exceed_context_size_error"

    def test_is_refused_when_it_may_not_be_cut(self, server: Standin) -> None:
        says(server, "plain:1b")

        status, answer = generate(server, "plain:1b", "x " * 100, options={"num_ctx": 64}, truncate=False)

        error = json.loads(answer["error"])["error"]
        assert (status, error["n_prompt_tokens"], error["n_ctx"]) == (400, 100, 64)

    def test_is_refused_when_the_context_may_not_be_shifted(self, server: Standin) -> None:
        status, answer = generate(server, "plain:1b", "x " * 100, options={"num_ctx": 64}, shift=False)

        assert status == 400
        assert answer["error"].startswith("the prompt is longer than the context length currently available")

    def test_is_refused_in_other_words_before_0_30(self, server: Standin) -> None:
        server.version = "0.24.0"

        answer = generate(server, "plain:1b", "x " * 100, options={"num_ctx": 64}, truncate=False)

        assert answer == (400, {"error": "the input length exceeds the context length"})

    def test_is_measured_by_the_context_of_the_request_the_model_and_the_server(self, server: Standin) -> None:
        server.num_ctx = 128
        behaviour = says(server, "bot:1b")
        plain = says(server, "plain:1b")
        chat(server, "bot:1b", [{"role": "user", "content": "x " * 70}])
        chat(server, "bot:1b", [{"role": "user", "content": "x " * 70}], options={"num_ctx": 100})
        chat(server, "plain:1b", [{"role": "user", "content": "x " * 100}])

        assert [turn.truncated for turn in behaviour.asked] == [True, False]
        assert [turn.truncated for turn in plain.asked] == [False]


class TestThinking:
    def test_is_on_when_nothing_is_said_and_kept_apart(self, server: Standin) -> None:
        behaviour = says(server, "native:1b", ("yes",), "hmm so")

        _, answer = chat(server, "native:1b")

        assert behaviour.asked[0].think is True
        assert answer["message"] == {"role": "assistant", "content": "yes", "thinking": "hmmso"}

    def test_comes_first_in_a_stream(self, server: Standin) -> None:
        says(server, "all:1b", ("yes",), "hmm so")

        _, lines = chat(server, "all:1b", stream=True)

        assert [line["message"].get("thinking") for line in lines] == ["hmm", "so", None, None]

    def test_uses_up_num_predict(self, server: Standin) -> None:
        says(server, "native:1b", ("yes",), "a b c d")

        _, answer = chat(server, "native:1b", options={"num_predict": 3})

        assert answer["message"] == {"role": "assistant", "content": "", "thinking": "abc"}
        assert answer["done_reason"] == "length"

    @pytest.mark.parametrize(
        ("model", "content", "thinking"),
        [("all:1b", "<think>hmm</think>yes", None), ("native:1b", "yes", "hmm"), ("parsed:1b", "yes", "hmm")],
        ids=["leaks from a Go template", "is split off by the runner", "is split off by a parser"],
    )
    def test_that_goes_on_though_it_was_switched_off(
        self, model: str, content: str, thinking: str | None, server: Standin
    ) -> None:
        says(server, model, ("yes",), "hmm")

        _, answer = chat(server, model, think=False)

        assert (answer["message"]["content"], answer["message"].get("thinking")) == (content, thinking)

    @pytest.mark.parametrize(
        ("version", "asked", "resolved"),
        [
            ("0.12.3", None, None), ("0.12.4", None, True), ("0.33.0", None, True), ("0.33.0", False, False),
            ("0.33.0", "low", "low"), ("0.8.0", True, None),
        ],
    )  # fmt: skip
    def test_depends_on_the_version(self, version: str, asked: Any, resolved: Any, server: Standin) -> None:
        server.version = version
        behaviour = says(server, "all:1b")

        chat(server, "all:1b", think=asked)

        assert behaviour.asked[0].think == resolved

    @pytest.mark.parametrize(
        ("version", "think", "refused"),
        [("0.33.0", True, True), ("0.33.0", "high", True), ("0.33.0", False, False), ("0.12.5", False, False),
         ("0.12.4", False, True), ("0.9.0", True, True), ("0.8.0", True, False)],
    )  # fmt: skip
    def test_of_a_model_that_cannot(self, version: str, think: Any, refused: bool, server: Standin) -> None:
        server.version = version

        status, answer = chat(server, "plain:1b", think=think)

        assert status == (400 if refused else 200)
        assert answer.get("error") == ('"plain:1b" does not support thinking' if refused else None)

    def test_takes_only_the_levels_there_are(self, server: Standin) -> None:
        error = 'invalid think value: "hig" (must be "high", "medium", "low", "max", true, or false)'

        assert chat(server, "native:1b", think="hig") == (400, {"error": error})


class TestTools:
    CALL = ToolCall("weather", {"city": "Bonn <3"})

    def test_calls_are_objects_with_an_id(self, server: Standin) -> None:
        says(server, "native:1b", "", tool_calls=(self.CALL,))

        _, answer = chat(server, "native:1b", tools=[TOOL])

        (call,) = answer["message"]["tool_calls"]
        assert call["id"].startswith("call_")
        assert call["function"] == {"index": 0, "name": "weather", "arguments": {"city": "Bonn <3"}}
        assert answer["done_reason"] == "stop"

    @pytest.mark.parametrize(
        ("model", "where"), [("native:1b", [False, True]), ("all:1b", [False, True, False])],
        ids=["the runner: with the last line", "a Go template: in a line of their own"],
    )  # fmt: skip
    def test_place_of_calls_in_a_stream(self, model: str, where: list[bool], server: Standin) -> None:
        says(server, model, ("well",), tool_calls=(self.CALL,))

        _, lines = chat(server, model, tools=[TOOL], stream=True)

        assert ["tool_calls" in line["message"] for line in lines] == where

    def test_results_come_back_to_the_model(self, server: Standin) -> None:
        behaviour = says(server, "native:1b")
        result = {"role": "tool", "content": "sun", "tool_name": "weather"}

        chat(server, "native:1b", [*HI, result], tools=[TOOL])

        assert behaviour.asked[0].messages[-1] == result
        assert behaviour.asked[0].tools == (TOOL,)

    def test_are_lost_when_num_predict_comes_first(self, server: Standin) -> None:
        says(server, "native:1b", ("a", "b"), tool_calls=(self.CALL,))

        _, answer = chat(server, "native:1b", tools=[TOOL], options={"num_predict": 1})

        assert "tool_calls" not in answer["message"]


class TestFormat:
    @pytest.mark.parametrize(("form", "content"), [("json", {}), (SCHEMA, {"n": 0, "of": "a"})])
    def test_is_kept_by_the_model_that_only_repeats(self, form: Any, content: Any, server: Standin) -> None:
        assert json.loads(chat(server, "plain:1b", format=form)[1]["message"]["content"]) == content

    @pytest.mark.parametrize(("form", "seen"), [("", None), (None, None), ("json", "json"), (SCHEMA, SCHEMA)])
    def test_is_told_to_the_model(self, form: Any, seen: Any, server: Standin) -> None:
        behaviour = says(server, "plain:1b")

        chat(server, "plain:1b", format=form)

        assert behaviour.asked[0].format == seen

    def test_that_is_none_is_refused(self, server: Standin) -> None:
        error = r'invalid format: "\"yaml\""; expected "json" or a valid JSON Schema object'

        assert chat(server, "plain:1b", format="yaml") == (500, {"error": error})


class TestRefusal:
    @pytest.mark.parametrize(
        ("path", "body", "status", "error"),
        [
            pytest.param("/api/chat", {}, 400, "model is required", id="chat without a model"),
            pytest.param("/api/generate", {}, 404, "model '' not found", id="generate without a model"),
            pytest.param("/api/chat", {"model": "bad name"}, 400, "invalid model name", id="invalid name"),
            pytest.param("/api/chat", {"model": "nope"}, 404, "model 'nope' not found", id="missing model"),
            pytest.param("/api/chat", {"model": "plain:1b", "messages": HI, "tools": [TOOL]}, 400,
                         "registry.ollama.ai/library/plain:1b does not support tools", id="no tools"),
            pytest.param("/api/generate", {"model": "plain:1b", "prompt": "a", "suffix": "b"}, 400,
                         "registry.ollama.ai/library/plain:1b does not support insert", id="no insert"),
            pytest.param("/api/chat", {"model": "embed:1b", "messages": HI}, 400,
                         '"embed:1b" does not support chat', id="embedding model in chat"),
            pytest.param("/api/generate", {"model": "embed:1b", "prompt": "a"}, 400,
                         '"embed:1b" does not support generate', id="embedding model in generate"),
            pytest.param("/api/generate", {"model": "plain:1b", "prompt": "a", "raw": True, "system": "b"}, 400,
                         "raw mode does not support template, system, or context", id="raw with a system text"),
            pytest.param("/api/chat", {"model": "plain:1b", "keep_alive": "xx"}, 400,
                         'time: invalid duration "xx"', id="keep_alive without a number"),
            pytest.param("/api/chat", {"model": "plain:1b", "keep_alive": "5"}, 400,
                         'time: missing unit in duration "5"', id="keep_alive without a unit"),
            pytest.param("/api/chat", {"model": "plain:1b", "messages": HI, "options": {"temperature": "hot"}}, 500,
                         'option "temperature" must be of type float32', id="float option"),
            pytest.param("/api/chat", {"model": "plain:1b", "messages": HI, "options": {"stop": "END"}}, 500,
                         'option "stop" must be of type array', id="list option"),
            pytest.param("/api/chat", {"model": "plain:1b", "messages": HI, "top_logprobs": 21}, 400,
                         "top_logprobs must be between 0 and 20", id="too many logprobs"),
        ],
    )  # fmt: skip
    def test_has_ollamas_words(self, path: str, body: dict[str, Any], status: int, error: str, server: Standin) -> None:
        assert post(server, path, **body) == (status, {"error": error})

    def test_of_a_cloud_model_nobody_signed_in_for(self, server: Standin) -> None:
        server.store.add(Model("big:cloud", remote=("https://ollama.com:443", "big")))

        status, answer = chat(server, "big:cloud")

        assert (status, answer["error"]) == (401, "unauthorized")
        assert answer["signin_url"].startswith("https://ollama.com/connect")

    def test_of_a_model_without_weights_outlives_their_return(self, server: Standin) -> None:
        store = server.store
        digest = next(iter(store.layers(store.manifests[store.named("vision:1b")], "model")))["digest"]
        weights = store.blobs[digest]
        store.remove_blob(digest)
        refused = (400, {"error": '"vision:1b" does not support chat'})
        assert chat(server, "vision:1b") == refused

        store.keep(digest, weights)
        assert chat(server, "vision:1b") == refused, "remembered from 0.32.15 on"
        post(server, "/api/copy", source="vision:1b", destination="fresh:1b")
        assert chat(server, "fresh:1b")[0] == 200
        server.restart()
        assert chat(server, "vision:1b")[0] == 200


class TestImages:
    def test_are_shown_to_a_model_that_sees(self, server: Standin) -> None:
        behaviour = says(server, "vision:1b")

        chat(server, "vision:1b", [{"role": "user", "content": "what?", "images": [PICTURE]}])
        generate(server, "vision:1b", images=[PICTURE])

        assert [turn.images for turn in behaviour.asked] == [(b"a picture",)] * 2
        assert behaviour.asked[0].messages == ({"role": "user", "content": "what?"},)

    @pytest.mark.parametrize(
        ("version", "text"), [("0.33.0", "image input is not supported"), ("0.24.0", "missing data")]
    )
    def test_fail_the_runner_of_one_that_does_not(self, version: str, text: str, server: Standin) -> None:
        server.version = version

        status, answer = generate(server, "plain:1b", images=[PICTURE])

        assert status == 500
        assert text in answer["error"]


class TestRawAndSuffix:
    def test_reach_the_model_without_messages(self, server: Standin) -> None:
        behaviour = says(server, "all:1b")

        generate(server, "all:1b", "def f(", suffix="return x")
        generate(server, "all:1b", "<|im_start|>", raw=True)

        assert [(turn.prompt, turn.suffix, turn.raw, turn.messages) for turn in behaviour.asked] == [
            ("def f(", "return x", False, ()),
            ("<|im_start|>", None, True, ()),
        ]


class TestFailingRunner:
    def test_before_the_first_token_has_a_status(self, server: Standin) -> None:
        says(server, "plain:1b", error="model runner has unexpectedly stopped", status=500)

        assert chat(server, "plain:1b", stream=True) == (500, {"error": "model runner has unexpectedly stopped"})

    def test_after_it_is_a_line_of_the_stream(self, server: Standin) -> None:
        says(server, "plain:1b", ("a",), error="XML syntax error")

        assert chat(server, "plain:1b", stream=True)[1][1:] == [{"error": "XML syntax error"}]
        assert chat(server, "plain:1b") == (500, {"error": "XML syntax error"})

    @pytest.mark.parametrize("stream", [True, False])
    def test_may_take_the_connection_along(self, stream: bool, server: Standin) -> None:
        says(server, "plain:1b", ("a", " b", " c"), cut=2)
        body = {"model": "plain:1b", "messages": HI, "stream": stream}

        with (
            pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected)),
            opened(server, "POST", "/api/chat", body) as response,
        ):
            response.read()

    def test_that_is_slow_makes_the_client_wait(self, server: Standin) -> None:
        says(server, "plain:1b", ("a", " b", " c"), seconds_per_token=0.05)

        _, answer = chat(server, "plain:1b")

        assert answer["total_duration"] >= 150_000_000


def test_behaviour_may_belong_to_weights_and_then_is_that_of_copies_and_derived_models(server: Standin) -> None:
    _, shown = post(server, "/api/show", model="plain:1b")
    digest = shown["modelfile"].partition("blobs/")[2].partition("\n")[0].replace("-", ":", 1)
    server.behaviours[digest] = Says(Said(("Hello.",)))
    post(server, "/api/copy", source="plain:1b", destination="keep/p:1")

    assert [chat(server, name)[1]["message"]["content"] for name in ("plain:1b", "keep/p:1", "bot:1b")] == [
        "Hello."
    ] * 3


def test_model_nobody_told_what_to_say_repeats(server: Standin) -> None:
    assert chat(server, "plain:1b")[1]["message"]["content"] == "You said: hi"
    assert ask(server, "GET", "/api/version") == (200, {"version": "0.33.0-rc2"})


def test_official_client_chats_with_tools_and_thinking(server: Standin) -> None:
    says(server, "native:1b", ("well",), "hmm", tool_calls=(ToolCall("weather", {"city": "Bonn"}),))
    client = ollama.Client(host=server.url, timeout=5)
    try:
        answer = client.chat("native:1b", [{"role": "user", "content": "hi"}], tools=[TOOL])
        pieces = list(client.chat("native:1b", [{"role": "user", "content": "hi"}], stream=True))
    finally:
        client._client.close()

    assert answer.message.thinking == "hmm"
    assert answer.message.tool_calls is not None
    assert answer.message.tool_calls[0].function.arguments == {"city": "Bonn"}
    assert "".join(piece.message.content or "" for piece in pieces) == "well"
