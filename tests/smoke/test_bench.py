"""Every question goes out with the same settings, and what came back is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.smoke.asking import Unanswered
from llamaexit.smoke.bench import Bench
from llamaexit.smoke.model import Subject
from llamaexit.smoke.pace import CEILING, Pace
from smoke_cases import (
    NAME,
    SUBJECT,
    THINKER,
    Scripted,
    installed,
    reply,
    said,
    scripted_bench,
    streamed,
)
from standin import Model
from standin.behaviour import Echo


def asked(subject: Subject, route: str, **more: object) -> dict[str, object]:
    """The request that a bench sends for one question."""
    bench, inference = scripted_bench(said("x"), subject=subject)
    getattr(bench, route)("Hello.", **more)
    return inference.asked[0]


@pytest.mark.parametrize("route", ["chat", "generate"])
def test_a_native_request_says_all_that_could_change_the_answer(route: str) -> None:
    request = asked(SUBJECT, route, max_tokens=48)
    assert request["options"] == {"num_ctx": 4096, "num_predict": 48, "temperature": 0, "seed": 42}
    assert request["keep_alive"] == "5m"
    assert request["stream"] is False


def test_a_request_of_v1_says_all_that_could_change_the_answer() -> None:
    request = asked(SUBJECT, "v1", max_tokens=48)
    assert request == {
        "model": NAME, "messages": [{"role": "user", "content": "Hello."}], "stream": False, "temperature": 0,
        "seed": 42, "max_tokens": 48,
    }  # fmt: skip


def test_a_check_can_leave_sampling_to_the_model_and_set_other_options() -> None:
    request = asked(SUBJECT, "chat", options={"temperature": None, "stop": ["END"]})
    assert request["options"] == {"num_ctx": 4096, "num_predict": 256, "seed": 42, "stop": ["END"]}


def test_what_else_a_check_gives_goes_into_the_request() -> None:
    assert asked(SUBJECT, "generate", suffix="x")["suffix"] == "x"
    assert asked(SUBJECT, "chat", format="json")["format"] == "json"
    assert asked(SUBJECT, "v1", tool_choice="auto")["tool_choice"] == "auto"


@pytest.mark.parametrize(
    ("subject", "think"),
    [
        pytest.param(THINKER, False, id="one that thinks is told not to"),
        pytest.param(SUBJECT, None, id="one that cannot think is not told: 0.12.4 refuses that"),
        pytest.param(replace(THINKER, ollama_version="0.8.9"), None, id="before 0.9 there was no such field"),
        pytest.param(replace(THINKER, ollama_version="0.9.0"), False, id="since 0.9 there is"),
        pytest.param(replace(THINKER, ollama_version=None), False, id="a server that does not tell is taken to be new"),
        pytest.param(replace(SUBJECT, capabilities=None, thinks=None), False, id="one nobody knows may think"),
        pytest.param(replace(SUBJECT, capabilities=None, thinks=False), None, id="one that is known not to"),
    ],
)
def test_thinking_is_switched_off_where_there_is_a_switch(subject: Subject, think: bool | None) -> None:
    assert asked(subject, "chat").get("think") is think
    assert asked(subject, "v1").get("reasoning_effort") == (None if think is None else "none")


def test_a_client_that_knows_nothing_of_thinking_says_nothing_of_it() -> None:
    assert "think" not in asked(THINKER, "chat", think="default")
    assert "reasoning_effort" not in asked(THINKER, "v1", think="default")


def test_thinking_can_be_asked_for() -> None:
    assert asked(THINKER, "chat", think=True)["think"] is True
    assert asked(THINKER, "v1", think=True)["reasoning_effort"] == "medium"


@pytest.mark.parametrize("version", ["0.8.0", "0.9.0", "0.12.3", "0.12.4", "0.12.5", "0.33.0"])
@pytest.mark.parametrize("thinks", [True, False], ids=["thinks", "cannot think"])
def test_no_version_of_ollama_refuses_the_switch(version: str, thinks: bool) -> None:
    capabilities = ("completion", "thinking") if thinks else ("completion",)
    with installed(Echo(), thinks=thinks, version=version, capabilities=capabilities) as place:
        bench = place.bench()
        assert bench.chat("Hello.").text.endswith("You said: Hello.")
        assert bench.v1("Hello.").text.endswith("You said: Hello.")


def test_the_old_and_the_new_model_get_the_same_words() -> None:
    old, _ = scripted_bench(said("x"))
    new, _ = scripted_bench(said("x"), subject=replace(THINKER, name="other:1b"))
    assert [old.word(str(n)) for n in range(5)] == [new.word(str(n)) for n in range(5)]


def test_every_word_is_another_one_and_so_is_every_run() -> None:
    bench, inference = scripted_bench(said("x"))
    words = {bench.word(str(number)) for number in range(50)}
    assert len(words) == 50
    assert all(len(word) == 6 and word.isupper() and word.isascii() for word in words)
    assert Bench(SUBJECT, inference, Pace(), suite="full", seed=1).word("0") not in words


def test_questions_and_answers_are_kept_as_evidence() -> None:
    bench, _ = scripted_bench(said("Hello, you."))
    bench.chat("Hello.")
    (exchange,) = bench.clear()
    assert (exchange.path, exchange.status, exchange.error) == ("/api/chat", 200, None)
    assert exchange.request["messages"] == [{"role": "user", "content": "Hello."}]
    assert exchange.answer is not None
    assert exchange.answer["message"]["content"] == "Hello, you."
    assert bench.clear() == ()


def test_a_stream_is_kept_as_the_answer_it_makes() -> None:
    bench, _ = scripted_bench(
        streamed((0.1, {"message": {"content": "Hel"}}), (0.2, {"message": {"content": "lo"}, "done": True}))
    )
    answer = bench.chat("Hello.", stream=True)
    (exchange,) = bench.clear()
    assert exchange.answer is not None
    assert exchange.answer["message"]["content"] == answer.text == "Hello"


def test_a_failure_is_kept_as_evidence_too() -> None:
    bench, _ = scripted_bench(reply({"error": "does not support tools"}, 400, error="does not support tools"))
    with pytest.raises(Unanswered):
        bench.chat("Hello.")
    (exchange,) = bench.clear()
    assert (exchange.status, exchange.error) == (400, "does not support tools")


def test_long_texts_pictures_and_token_ids_are_not_kept_whole() -> None:
    image = "iVBOR" + "A" * 9000
    bench, _ = scripted_bench(reply({"response": "y" * 9000, "context": [1, 2, 3], "done": True}))
    bench.generate("x" * 9000, images=[image])
    (exchange,) = bench.clear()
    assert exchange.answer is not None
    assert exchange.request["prompt"].startswith("xxx")
    assert exchange.request["prompt"].endswith("xxx")
    assert "5,000 characters left out" in exchange.request["prompt"]
    assert "5,000 characters left out" in exchange.answer["response"]
    assert "context" not in exchange.answer
    (picture,) = exchange.request["images"]
    assert picture.startswith("[a picture, 9,005 characters of base64")


def test_a_picture_in_a_part_of_a_message_is_not_kept_whole() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9000}}
    bench, _ = scripted_bench(said("x"))
    bench.v1([{"role": "user", "content": [part]}])
    (exchange,) = bench.clear()
    (kept,) = exchange.request["messages"][0]["content"]
    assert kept["image_url"]["url"].startswith("[a picture")


def test_the_context_of_the_plan_is_kept_in_a_request_while_that_of_an_answer_is_not() -> None:
    bench, _ = scripted_bench(said("x"))
    bench.chat("Hello.")
    (exchange,) = bench.clear()
    assert exchange.request["options"]["num_ctx"] == 4096


def test_how_long_an_answer_is_waited_for_follows_what_it_may_take() -> None:
    counted = said("x", eval_count=100, eval_duration=10 * 10**9, prompt_eval_count=100, prompt_eval_duration=10**9)
    bench, inference = scripted_bench(counted)
    bench.chat("Hello.")
    bench.pace.load_seconds = 1.0
    bench.chat("Hello.", max_tokens=500)
    bench.chat("Hello.", seconds=3)
    first, second, third = inference.waits
    assert (first, third) == (CEILING, 3)
    assert 2 * (1 + 500 / 10) < second < 2 * (1 + 500 / 10 + 2)


def test_a_picture_adds_to_the_wait_by_what_it_means_not_by_its_bytes() -> None:
    counted = said("x", eval_count=100, eval_duration=10**9, prompt_eval_count=100, prompt_eval_duration=10**9)
    bench, inference = scripted_bench(counted)
    bench.chat("Hello.")
    bench.pace.load_seconds = 1.0
    bench.chat([{"role": "user", "content": "Hello.", "images": ["A" * 10**6]}])
    assert 2 * 1500 / 100 < inference.waits[1] < 2 * 2000 / 100


def test_vectors_come_from_the_embedding_route() -> None:
    bench, inference = scripted_bench(reply({"embeddings": [[0.1, 0.2], [0.3, 0.4]]}))
    assert bench.embed(["a", "b"]) == ((0.1, 0.2), (0.3, 0.4))
    assert inference.asked[0]["input"] == ["a", "b"]


def test_an_answer_without_vectors_is_a_failure() -> None:
    bench, _ = scripted_bench(reply({"embeddings": None}))
    with pytest.raises(Unanswered, match="without embeddings"):
        bench.embed(["a"])


LISTED = {"name": NAME, "digest": "d" * 64, "size": 100, "size_vram": 80, "context_length": 4096}


def test_the_place_in_memory_is_found_by_digest_not_by_name() -> None:
    models = [{**LISTED, "digest": "e" * 64, "size": 5}, {**LISTED, "name": "alias:latest"}]
    bench, _ = scripted_bench(said(""), models=models)
    residency = bench.ps()
    assert residency is not None
    assert (residency.size, residency.gpu_share, residency.context) == (100, 0.8, 4096)


def test_the_same_weights_under_another_name_are_what_was_just_loaded() -> None:
    """Ollama keeps one runner for the weights and lists it under the name, and the digest, that loaded it first."""
    other = {**LISTED, "name": "team-bot:latest", "digest": "e" * 64}
    bench, _ = scripted_bench(said(""), models=[other])
    assert bench.ps() is not None


def test_of_two_strangers_in_memory_neither_is_taken_for_the_model() -> None:
    strangers = [{**LISTED, "digest": digit * 64} for digit in "ef"]
    bench, _ = scripted_bench(said(""), models=strangers)
    assert bench.ps() is None


def test_an_old_server_does_not_tell_the_context() -> None:
    bench, _ = scripted_bench(said(""), models=[{key: LISTED[key] for key in ("name", "digest", "size", "size_vram")}])
    residency = bench.ps()
    assert residency is not None
    assert residency.context is None


def test_a_model_that_only_embeds_is_loaded_by_embedding() -> None:
    subject = replace(SUBJECT, uses=("embedding",), capabilities=("embedding",))
    bench, inference = scripted_bench(reply({"embeddings": [[1.0]]}), subject=subject)
    bench.load()
    assert bench.loaded
    assert "input" in inference.asked[0]


def test_a_load_that_is_not_confirmed_is_an_error() -> None:
    bench, _ = scripted_bench(reply({"response": "", "done": False}))
    with pytest.raises(Unanswered, match="not confirmed"):
        bench.load()
    assert not bench.loaded


def test_loading_asks_for_the_context_of_the_plan_and_takes_the_time() -> None:
    with installed(Echo(), context=8192) as place:
        bench = place.bench()
        bench.load()
        assert bench.residency is not None
        assert bench.residency.context == 8192
        assert bench.pace.load_seconds is not None
        assert bench.pace.load_seconds > 0


def test_unloading_waits_until_the_model_is_gone() -> None:
    with installed(Echo()) as place:
        bench = place.bench()
        bench.load()
        assert bench.unload()
        assert place.standin.store.resident == []


def test_unloading_gives_up_on_a_model_that_stays() -> None:
    bench, inference = scripted_bench(said(""), models=[LISTED])
    bench.load()
    slept: list[float] = []
    assert not bench.unload(patience=0.01, pause=slept.append)
    assert inference.asked[-1]["keep_alive"] == 0


def test_unloading_leaves_other_models_alone() -> None:
    with installed(Echo()) as place:
        place.standin.store.add(Model("other:1b", parameters={"temperature": 0.1}))
        bench = place.bench()
        other = Bench(
            replace(place.subject, name="other:1b", digest=None), place.inference, Pace(), suite="full", seed=1
        )
        other.load()
        bench.load()
        bench.unload()
        assert [resident.name for resident in place.standin.store.resident] == ["other:1b"]


def test_an_interrupt_passes_through() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    inference = Scripted([said("x")], then=interrupt)
    bench = Bench(SUBJECT, inference, Pace(), suite="full", seed=1)
    with pytest.raises(KeyboardInterrupt):
        bench.chat("Hello.")


CUT = streamed((0.1, {"message": {"content": "Some"}, "done": False}))
BROKEN_OFF = replace(CUT, error="the stream broke off before the answer was done")


def test_an_answer_that_broke_off_once_is_asked_for_again() -> None:
    bench, _ = scripted_bench(BROKEN_OFF, said("Whole."))
    assert bench.chat("Hello.", stream=True).text == "Whole."
    assert [exchange.error for exchange in bench.clear()] == [BROKEN_OFF.error, None]


def test_an_answer_that_breaks_off_every_time_is_the_fault_of_the_model() -> None:
    bench, inference = scripted_bench(BROKEN_OFF)
    with pytest.raises(Unanswered) as failure:
        bench.chat("Hello.", stream=True)
    assert (failure.value.outcome, failure.value.fault, failure.value.lasting) == ("fail", "broken", False)
    assert len(inference.asked) == 2


def test_a_server_that_is_gone_after_an_answer_broke_off_is_an_error() -> None:
    bench, _ = scripted_bench(BROKEN_OFF, reply(None, 0, error="connection refused"))
    with pytest.raises(Unanswered, match="connection refused") as failure:
        bench.chat("Hello.", stream=True)
    assert failure.value.outcome == "error"
