"""Which models the stand-in has in memory, as `/api/ps` shows it, and who has to wait or is turned away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from standin import Model, Said, Standin, Store, Traits, Turn, gguf
from standin.client import ask, loaded, opened, post

Start = Callable[..., Standin]


@dataclass(frozen=True)
class Loads:
    """A model of which only the loading matters."""

    traits: Traits = field(default_factory=Traits)
    said: Said = field(default_factory=Said)

    def say(self, turn: Turn) -> Said:
        return self.said


def model(name: str, layers: int, **rest: Any) -> Model:
    return Model(name, weights=gguf.llama("llama", layers=layers, context=8192), **rest)


@pytest.fixture
def server(start_standin: Start) -> Standin:
    return start_standin(
        Store.of(model("a:1", 1), model("b:1", 2), model("c:1", 3), Model("bot:1", parent="a:1", system="Ada."),
                 Model("wide:1", parent="a:1", parameters={"num_ctx": 8192}))
    )  # fmt: skip


def load(server: Standin, name: str, **body: Any) -> None:
    status, answer = post(server, "/api/generate", model=name, **body)
    assert status == 200, answer


def later(call: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_model_is_listed_with_what_its_traits_say(server: Standin) -> None:
    server.behaviours["a:1"] = Loads(Traits(size=1000, gpu_share=0.25))

    load(server, "a:1")

    entry = loaded(server)["a:1"]
    assert (entry["size"], entry["size_vram"], entry["context_length"]) == (1000, 250, 4096)


def test_size_grows_with_the_context(server: Standin) -> None:
    load(server, "a:1", options={"num_ctx": 1024})
    small = loaded(server)["a:1"]["size"]
    load(server, "a:1", options={"num_ctx": 8192})

    # 7168 more positions, keys and values in 16 bits, one layer of 2 heads of 16
    assert loaded(server)["a:1"]["size"] - small == 7168 * 2 * 2 * 2 * 16


def test_model_is_not_listed_while_it_loads(server: Standin) -> None:
    server.behaviours["a:1"] = Loads(Traits(load_seconds=0.3))
    thread = later(lambda: load(server, "a:1"))
    time.sleep(0.1)

    assert loaded(server) == {}
    thread.join()
    assert set(loaded(server)) == {"a:1"}


def test_loading_is_told_in_the_answer_once(server: Standin) -> None:
    server.behaviours["a:1"] = Loads(Traits(load_seconds=0.1), Said("x"))
    body = {"model": "a:1", "prompt": "hi", "stream": False}

    first, second = (post(server, "/api/generate", **body)[1]["load_duration"] for _ in range(2))

    assert first >= 100_000_000 > second


def test_client_that_leaves_while_a_model_loads_ends_the_loading(server: Standin) -> None:
    server.behaviours["a:1"] = Loads(Traits(load_seconds=5))
    with pytest.raises(TimeoutError), opened(server, "POST", "/api/generate", {"model": "a:1"}, timeout=0.2):
        pass

    server.behaviours["a:1"] = Loads()
    begun = time.monotonic()
    load(server, "b:1")
    assert time.monotonic() - begun < 2
    assert set(loaded(server)) == {"b:1"}


class TestRunner:
    def test_is_shared_by_names_of_the_same_weights_and_keeps_the_first(self, server: Standin) -> None:
        load(server, "a:1")
        load(server, "bot:1")

        assert set(loaded(server)) == {"a:1"}

    def test_is_replaced_for_another_context(self, server: Standin) -> None:
        load(server, "a:1")
        load(server, "wide:1")

        assert [(name, entry["context_length"]) for name, entry in loaded(server).items()] == [("wide:1", 8192)]

    def test_serves_whoever_asked_for_no_context_when_nobody_did(self, server: Standin) -> None:
        load(server, "a:1")
        server.num_ctx = 2048
        load(server, "a:1")

        assert loaded(server)["a:1"]["context_length"] == 4096

    def test_has_no_more_context_than_its_model_was_trained_for(self, server: Standin) -> None:
        load(server, "a:1", options={"num_ctx": 100_000})

        assert loaded(server)["a:1"]["context_length"] == 8192

    def test_goes_on_under_its_old_digest_when_the_name_means_another_model(self, server: Standin) -> None:
        load(server, "a:1")
        before = loaded(server)["a:1"]["digest"]

        post(server, "/api/copy", source="b:1", destination="a:1")

        assert loaded(server)["a:1"]["digest"] == before
        load(server, "a:1")
        _, listed = ask(server, "GET", "/api/ps")
        assert [entry["name"] for entry in listed["models"]] == ["a:1", "a:1"]
        assert len({entry["digest"] for entry in listed["models"]} - {before}) == 1


class TestKeepAlive:
    @pytest.mark.parametrize(
        ("keep_alive", "seconds"), [(None, 300), ("10m", 600), (90, 90), ("1h30m", 5400)],
        ids=["default", "duration", "number", "compound"],
    )  # fmt: skip
    def test_ends_after_the_last_request(self, keep_alive: Any, seconds: int, server: Standin) -> None:
        load(server, "a:1", keep_alive=keep_alive)

        server.clock.advance(seconds - 5)
        assert set(loaded(server)) == {"a:1"}
        server.clock.advance(10)
        assert loaded(server) == {}

    def test_of_less_than_zero_is_for_ever(self, server: Standin) -> None:
        load(server, "a:1", keep_alive=-1)

        assert loaded(server)["a:1"]["expires_at"].startswith("231")

    def test_of_zero_unloads_after_the_answer(self, server: Standin) -> None:
        post(server, "/api/generate", model="a:1", prompt="hi", keep_alive=0)

        assert loaded(server) == {}

    def test_of_zero_without_a_prompt_unloads_and_needs_nothing_loaded(self, server: Standin) -> None:
        load(server, "a:1")

        answers = [post(server, "/api/generate", model="a:1", keep_alive=0)[1]["done_reason"] for _ in range(2)]

        assert answers == ["unload", "unload"]
        assert loaded(server) == {}

    def test_unloading_may_take_a_while_to_be_seen(self, server: Standin) -> None:
        server.runners.unload_seconds = 60
        load(server, "a:1")

        post(server, "/api/chat", model="a:1", keep_alive=0)

        assert set(loaded(server)) == {"a:1"}
        server.clock.advance(61)
        assert loaded(server) == {}

    def test_unloading_is_not_heard_by_a_model_that_loads(self, server: Standin) -> None:
        server.behaviours["a:1"] = Loads(Traits(load_seconds=0.3))
        thread = later(lambda: load(server, "a:1"))
        time.sleep(0.1)

        post(server, "/api/generate", model="a:1", keep_alive=0)

        thread.join()
        assert set(loaded(server)) == {"a:1"}


class TestRoom:
    def test_for_one_more_model_is_made_by_the_one_that_expires_first(self, server: Standin) -> None:
        server.runners.max_loaded = 2
        load(server, "a:1", keep_alive="20m")
        load(server, "b:1")

        load(server, "c:1")

        assert set(loaded(server)) == {"a:1", "c:1"}

    def test_in_memory_is_counted_in_bytes(self, server: Standin) -> None:
        server.runners.memory = 2500
        for name in ("a:1", "b:1", "c:1"):
            server.behaviours[name] = Loads(Traits(size=1000))
            load(server, name)

        assert set(loaded(server)) == {"b:1", "c:1"}

    def test_is_not_made_by_a_model_that_is_busy(self, server: Standin) -> None:
        server.runners.max_loaded = 1
        server.behaviours["a:1"] = Loads(said=Said(tuple("abcd"), seconds_per_token=0.1))
        thread = later(lambda: post(server, "/api/generate", model="a:1", prompt="hi"))
        time.sleep(0.1)
        begun = time.monotonic()

        load(server, "b:1")

        assert time.monotonic() - begun > 0.2
        thread.join()


class TestQueue:
    def test_answers_one_request_of_a_model_after_the_other(self, server: Standin) -> None:
        server.behaviours["a:1"] = Loads(said=Said(tuple("abc"), seconds_per_token=0.05))
        begun = time.monotonic()
        threads = [later(lambda: post(server, "/api/generate", model="a:1", prompt="hi")) for _ in range(2)]
        for thread in threads:
            thread.join()

        assert time.monotonic() - begun >= 0.3

    def test_that_is_full_turns_away(self, server: Standin) -> None:
        server.runners.max_queue = 0

        status, answer = post(server, "/api/generate", model="a:1", prompt="hi")

        error = "server busy, please try again.  maximum pending requests exceeded"
        assert (status, answer) == (503, {"error": error})


class TestFailedLoad:
    def test_has_the_words_of_the_runner_and_leaves_nothing(self, server: Standin) -> None:
        text = "llama-server process has terminated: exit status 1: cudaMalloc failed: out of memory"
        server.behaviours["a:1"] = Loads(Traits(load_error=text))

        assert post(server, "/api/chat", model="a:1") == (500, {"error": text})
        assert loaded(server) == {}

    def test_advises_to_pull_again_when_the_model_cannot_be_read(self, server: Standin) -> None:
        server.behaviours["a:1"] = Loads(Traits(load_error="failed to load model"))

        error = post(server, "/api/chat", model="a:1")[1]["error"]
        assert error.endswith("try updating it by running `ollama pull a:1`")

    def test_of_weights_that_vanished_is_a_missing_model(self, server: Standin) -> None:
        load(server, "a:1", keep_alive=0)
        server.store.remove_blob(
            next(digest for digest, blob in server.store.blobs.items() if is_weights(server, digest))
        )

        answer = post(server, "/api/chat", model="a:1")

        assert answer == (404, {"error": 'model "a:1" not found, try pulling it first'})


def is_weights(server: Standin, digest: str) -> bool:
    """Whether they are those of a:1."""
    return digest in server.store.digests(server.store.manifests[Store.named("a:1")]) and (
        server.store.blobs[digest].data[:4] == b"GGUF"
    )
