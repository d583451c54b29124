"""Asking models: whatever happens is an answer, with its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from llamaexit.ollama.connection import Connection
from llamaexit.ollama.inference import Inference
from standin import Model, Standin, Store, faults, gguf
from standin.behaviour import Said, Traits, Turn
from standin.faults import Fault
from standin.handler import NDJSON, SSE, Handler

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


def test_models_in_memory_of_a_server_that_is_gone_are_none() -> None:
    assert Inference("http://127.0.0.1:1").loaded() == []


@pytest.mark.parametrize("streamed", [False, True], ids=["in one piece", "streamed"])
def test_interruption_passes_through_and_closes_the_connection(
    streamed: bool, server: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with Inference(server.url) as inference:
        inference.ask("/api/chat", {**CHAT, "stream": False}, seconds=5)
        with monkeypatch.context() as patched:
            patched.setattr("http.client.HTTPResponse.read1", interrupted)
            with pytest.raises(KeyboardInterrupt):
                inference.ask("/api/chat", {**CHAT, "stream": streamed}, seconds=5)
        assert inference.ask("/api/chat", {**CHAT, "stream": False}, seconds=5).status == 200
        assert server.connections == 2


def test_key_and_our_own_name_are_sent(server: Standin) -> None:
    with Inference(server.url, api_key="secret") as inference:
        inference.ask("/api/chat", {**CHAT, "stream": False}, seconds=5)
    sent = server.asked("/api/chat")[0].headers
    assert sent["Authorization"] == "Bearer secret"
    assert sent["User-Agent"].startswith("llamaexit/")


def test_native_route_streams_unless_it_is_told_not_to(server: Standin) -> None:
    assert len(ask(server, "/api/chat", CHAT).chunks) > 1


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_connection_is_kept_after_a_stream(path: str, server: Standin) -> None:
    with Inference(server.url) as inference:
        for _ in range(3):
            assert inference.ask(path, {**CHAT, "stream": True}, seconds=5).error is None
    assert server.connections == 1


def writing(*writes: bytes | float, media_type: str = NDJSON, ended: bool = True) -> Fault:
    """Answer in these pieces, each its own packet; a number is a pause in seconds. ended: properly."""

    def fault(handler: Handler) -> None:
        handler.begin(media_type)
        for write in writes:
            if isinstance(write, bytes):
                handler.send(write)
            else:
                handler.standin.stopping.wait(write)
        if ended:
            handler.end()
        handler.close_connection = not ended

    return fault


ONE, TWO = b'{"message":{"content":"a"},"done":false}\n', b'{"message":{"content":"b"},"done":true}\n'
EVENT, DONE = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n', b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((ONE, TWO), id="one in each packet"),
        pytest.param((ONE + TWO,), id="both in one packet"),
        pytest.param((ONE[:9], ONE[9:] + TWO[:20], TWO[20:]), id="anyhow"),
        pytest.param((ONE, TWO[:-1]), id="without the last line end"),
        pytest.param((ONE.replace(b"\n", b"\r\n\r\n"), TWO), id="with empty lines between them"),
    ],
)
def test_pieces_are_told_apart_when_they_come(pieces: tuple[bytes, ...], server: Standin) -> None:
    server.break_(writing(*pieces), "/api/chat")
    reply = ask(server, "/api/chat", CHAT)
    assert [chunk.body["message"]["content"] for chunk in reply.chunks] == ["a", "b"]
    assert reply.error is None


def test_times_are_those_since_the_request_was_sent(server: Standin) -> None:
    server.break_(writing(ONE, 0.5, TWO), "/api/chat")
    first, second = ask(server, "/api/chat", CHAT).chunks
    assert 0 < first.seconds < 0.45
    assert second.seconds >= 0.5


def test_connecting_is_no_part_of_the_time(server: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = Connection.connect

    def slowly(connection: Connection) -> None:
        time.sleep(0.5)
        connect(connection)

    monkeypatch.setattr(Connection, "connect", slowly)
    reply = ask(server, "/api/chat", {**CHAT, "stream": True})
    assert reply.error is None
    assert reply.chunks[0].seconds < 0.45 and reply.seconds < 0.45


def test_time_that_is_over_in_the_middle_keeps_what_came_before(server: Standin) -> None:
    ended = threading.Event()
    server.break_(writing(ONE, 30.0), "/api/chat")
    server.watch(lambda _, request, phase: ended.set() if phase == "answered" else None)
    reply = ask(server, "/api/chat", CHAT, seconds=0.6)
    assert (reply.status, reply.timed_out, len(reply.chunks)) == (200, True, 1)
    assert reply.error == "not answered within 0.6 s"
    assert 0.55 <= reply.seconds < 5  # clocks need not agree to the millisecond


def test_model_stops_writing_for_somebody_who_left(server: Standin) -> None:
    stopped = threading.Event()
    server.behaviours["m:latest"] = Scripted(Said(tuple(f"{n} " for n in range(2000)), seconds_per_token=0.02))
    server.watch(lambda _, request, phase: stopped.set() if phase == "answered" else None)
    reply = ask(server, "/api/chat", CHAT, seconds=0.6)
    assert reply.timed_out and 0 < len(reply.chunks) < 40
    assert stopped.wait(10)


@pytest.mark.parametrize(
    ("fault", "path", "said"),
    [
        pytest.param(
            writing(ONE, b'{"error":"model runner\\nhas stopped"}\n'), "/api/chat", "model runner has stopped",
            id="an error line",
        ),
        pytest.param(
            writing(EVENT, b'data: {"error":{"message":"no room","type":"api_error"}}\n\n', media_type=SSE),
            "/v1/chat/completions", "no room", id="an error event",
        ),
        pytest.param(
            writing(EVENT, b'{"error":"no room"}\n', media_type=SSE), "/v1/chat/completions", "no room",
            id="an error between events",
        ),
        pytest.param(
            writing(b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"no room"}}\n\n',
                    media_type=SSE), "/v1/messages", "no room", id="an error as Anthropic has it",
        ),
        pytest.param(writing(ONE, b"<html>\n"), "/api/chat", "no JSON: <html>", id="a line that is no JSON"),
        pytest.param(writing(b"[1]\n"), "/api/chat", "no JSON: [1]", id="a line of another shape"),
        pytest.param(writing(ONE), "/api/chat", "broke off before the answer was done", id="a stream without its end"),
        pytest.param(
            writing(EVENT, media_type=SSE), "/v1/chat/completions", "broke off before the answer was done",
            id="events without their end",
        ),
        pytest.param(writing(ONE, ended=False), "/api/chat", "broke off in the middle", id="a cut between two lines"),
        pytest.param(
            writing(ONE, b'{"mess', ended=False), "/api/chat", "broke off in the middle", id="a cut within a line"
        ),
    ],
)  # fmt: skip
def test_stream_goes_wrong_with(fault: Fault, path: str, said: str, server: Standin) -> None:
    server.break_(fault, path)
    reply = ask(server, path, {**CHAT, "stream": True})
    assert reply.status == 200 and reply.error is not None and said in reply.error
    assert reply.error.isprintable()
    assert not reply.timed_out


@pytest.mark.parametrize(
    ("pieces", "path"),
    [
        pytest.param((EVENT, DONE), "/v1/chat/completions", id="of OpenAI"),
        pytest.param((b": keep alive\n\n", EVENT, DONE), "/v1/chat/completions", id="with comments"),
        pytest.param((b'event: message_stop\ndata: {"type":"message_stop"}\n\n',), "/v1/messages", id="of Anthropic"),
    ],
)
def test_events_end_well(pieces: tuple[bytes, ...], path: str, server: Standin) -> None:
    server.break_(writing(*pieces, media_type=SSE), path)
    reply = ask(server, path, {**CHAT, "stream": True})
    assert reply.error is None
    assert len(reply.chunks) == 1


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        pytest.param(
            faults.answer(503, '{"error":"server busy, please try again.  maximum pending requests exceeded"}', "x/y"),
            503, "server busy, please try again. maximum pending requests exceeded", id="an error of Ollama's",
        ),
        pytest.param(faults.answer(404, "404 page not found"), 404, "answered 404 with no JSON: 404 page not found",
                     id="plain text"),
        pytest.param(faults.bad_gateway, 502, "answered 502 with a web page, which is no JSON", id="a web page"),
        pytest.param(faults.answer(500, '{"detail":"?"}', "application/json"), 500, "answered 500 without a reason",
                     id="JSON without an error"),
        pytest.param(faults.answer(500, '{"error":{"code":500}}', "application/json"), 500, '{"code": 500}',
                     id="an error without a message"),
        pytest.param(faults.forbidden, 403, "answered 403 with no JSON", id="nothing"),
        pytest.param(faults.answer(308, Location="https://h/"), 308, "answered 308, sending on to https://h/",
                     id="a redirect, which is not followed"),
        pytest.param(faults.cut, 200, "the answer broke off in the middle", id="half an answer"),
        pytest.param(faults.reset, 200, "the answer broke off in the middle", id="a connection reset in the middle"),
        pytest.param(faults.drop, 0, "the connection was closed without an answer", id="a connection closed"),
        pytest.param(faults.garbage, 0, "what answers does not speak HTTP", id="something that is not HTTP"),
        pytest.param(faults.answer(200, "[1]", "application/json"), 200, "answered 200 with no JSON: [1]",
                     id="JSON of another shape"),
    ],
)  # fmt: skip
def test_error_is(fault: Fault, status: int, said: str, server: Standin) -> None:
    server.break_(fault, "/api/chat")
    reply = ask(server, "/api/chat", {**CHAT, "stream": False})
    assert (reply.status, reply.error) == (status, said)


def test_answer_without_end_is_cut_at_the_limit(server: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamaexit.ollama.wire.MAX_ANSWER", 1024**2)
    server.break_(faults.endless, "/api/chat")
    reply = ask(server, "/api/chat", {**CHAT, "stream": False})
    assert reply.error is not None and "more than 1 MiB" in reply.error


def test_answer_in_drops_ends_when_the_time_is_over(server: Standin) -> None:
    server.break_(faults.drip_body, "/api/chat")
    reply = ask(server, "/api/chat", {**CHAT, "stream": False}, seconds=0.3)
    assert reply.timed_out and reply.status == 200
    assert reply.seconds < 2
