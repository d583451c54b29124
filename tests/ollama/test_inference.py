"""Asking models: whatever happens is an answer, with its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from llamaexit.ollama.inference import Inference
from standin import Model, Standin, Store, faults, gguf
from standin.behaviour import Said, Traits, Turn

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


class Scripted:
    """A model that says one thing."""

    traits = Traits()

    def __init__(self, said: Said) -> None:
        self.said = said

    def say(self, turn: Turn) -> Said:
        return self.said


@pytest.fixture
def server() -> Iterator[Standin]:
    with Standin(Store.of(Model("m:latest", weights=gguf.llama(), template="{{ .Prompt }}"))) as standin:
        standin.behaviours["m:latest"] = Scripted(Said(("Good ", "day", ".")))
        yield standin


def ask(server: Standin, path: str, request: dict[str, Any], seconds: float = 5) -> Any:
    with Inference(server.url) as inference:
        return inference.ask(path, request, seconds=seconds)


def test_answer_in_one_piece(server: Standin) -> None:
    reply = ask(server, "/api/chat", {**CHAT, "stream": False})
    assert (reply.status, reply.error, reply.chunks) == (200, None, ())
    assert reply.body["message"]["content"] == "Good day."
    assert 0 < reply.seconds < 5


def test_answer_in_pieces_with_the_time_of_each(server: Standin) -> None:
    reply = ask(server, "/api/chat", {**CHAT, "stream": True})
    assert "".join(chunk.body["message"]["content"] for chunk in reply.chunks) == "Good day."
    assert reply.body is not None and reply.body["done"] is True
    times = [chunk.seconds for chunk in reply.chunks]
    assert times == sorted(times) and times[-1] <= reply.seconds


def test_events_of_the_other_door(server: Standin) -> None:
    reply = ask(server, "/v1/chat/completions", {**CHAT, "stream": True})
    said = [chunk.body["choices"][0]["delta"].get("content") or "" for chunk in reply.chunks if chunk.body["choices"]]
    assert "".join(said) == "Good day."
    assert reply.error is None


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param("/api/chat", "model 'nope' not found", id="on the native door"),
        pytest.param("/v1/chat/completions", "not found", id="on the other door"),
    ],
)
def test_error_of_the_server_is_an_answer(server: Standin, path: str, said: str) -> None:
    reply = ask(server, path, {**CHAT, "model": "nope", "stream": False})
    assert reply.status == 404 and said in reply.error


def test_error_in_the_middle_of_a_stream_keeps_what_came_before(server: Standin) -> None:
    server.behaviours["m:latest"] = Scripted(Said(("Good ", "day"), error="model runner has unexpectedly stopped"))
    reply = ask(server, "/api/chat", {**CHAT, "stream": True})
    assert reply.status == 200 and "unexpectedly stopped" in reply.error
    assert reply.chunks[0].body["message"]["content"] == "Good "


def test_stream_that_breaks_off_keeps_what_came_before(server: Standin) -> None:
    server.behaviours["m:latest"] = Scripted(Said(("Good ", "day", "."), cut=2))
    reply = ask(server, "/api/chat", {**CHAT, "stream": True})
    assert reply.error is not None and "broke off" in reply.error
    assert len(reply.chunks) >= 1


def test_answer_that_does_not_come_in_time(server: Standin) -> None:
    server.break_(faults.hang, "/api/chat")
    reply = ask(server, "/api/chat", {**CHAT, "stream": False}, seconds=0.3)
    assert reply.timed_out and reply.status == 0
    assert reply.seconds < 2


def test_server_that_is_gone(server: Standin) -> None:
    reply = Inference("http://127.0.0.1:1").ask("/api/chat", CHAT, seconds=2)
    assert (reply.status, reply.error, reply.timed_out) == (0, "connection refused", False)


def test_answer_that_is_no_json(server: Standin) -> None:
    server.break_(faults.web_page, "/api/chat")
    reply = ask(server, "/api/chat", {**CHAT, "stream": False})
    assert reply.body is None and "no JSON" in reply.error


def test_connection_is_kept_and_made_again_when_the_server_closed_it(server: Standin) -> None:
    with Inference(server.url) as inference:
        for _ in range(3):
            assert inference.ask("/api/chat", {**CHAT, "stream": False}, seconds=5).status == 200
        assert server.connections == 1
        server.end_connections()
        assert inference.ask("/api/chat", {**CHAT, "stream": False}, seconds=5).status == 200


def test_models_in_memory(server: Standin) -> None:
    with Inference(server.url) as inference:
        assert inference.loaded() == []
        inference.ask("/api/chat", {**CHAT, "stream": False}, seconds=5)
        assert [model["name"] for model in inference.loaded()] == ["m:latest"]


def test_interruption_passes_through_and_closes_the_connection(
    server: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with Inference(server.url) as inference:
        inference.ask("/api/chat", {**CHAT, "stream": False}, seconds=5)
        with monkeypatch.context() as patched:
            patched.setattr("http.client.HTTPResponse.read", interrupted)
            with pytest.raises(KeyboardInterrupt):
                inference.ask("/api/chat", {**CHAT, "stream": False}, seconds=5)
        assert inference.ask("/api/chat", {**CHAT, "stream": False}, seconds=5).status == 200
        assert server.connections == 2
