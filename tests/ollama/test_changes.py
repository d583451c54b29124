"""Pull, create, copy and delete against a server with Ollama's store semantics."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from llamaexit.errors import OllamaError
from llamaexit.ollama.changes import Changes, Creation, Progress
from llamaexit.ollama.failures import (
    BadAnswer,
    Forbidden,
    NotOllama,
    Refused,
    TimedOut,
    TooOld,
    Unauthorized,
    Unreachable,
)
from llamaexit.ollama.inference import Inference
from llamaexit.ollama.pull_failures import PullError
from llamaexit.ollama.server import Server
from standin import Model, Pace, Registry, Standin, Store, faults, gguf, pull_faults
from standin.faults import Fault
from standin.handler import Handler

LLAMA = Model("llama3.1:8b", weights=gguf.llama(), template="{{ .Prompt }}", parameters={"stop": ["<|eot_id|>"]})
QWEN = Model("qwen3:8b", weights=gguf.llama("qwen3"), template="{{ .Prompt }}!")


@pytest.fixture
def server() -> Iterator[Standin]:
    with Standin(Store.of(LLAMA), registry=Registry(QWEN)) as standin:
        yield standin


@pytest.fixture
def changes(server: Standin) -> Iterator[Changes]:
    with Changes(server.url, timeout=10, stall_timeout=10) as made:
        yield made


@pytest.fixture
def impatient(server: Standin) -> Iterator[Changes]:
    with Changes(server.url, timeout=10, stall_timeout=0.4) as made:
        yield made


def names(server: Standin) -> dict[str, str]:
    return {name.short: entry.digest for name, entry in server.store.manifests.items()}


def test_pull_brings_the_very_manifest_of_the_registry(server: Standin, changes: Changes) -> None:
    seen: list[Progress] = []
    changes.pull("qwen3:8b", seen.append)
    assert server.registry is not None
    assert names(server)["qwen3:8b"] == server.registry.digest("qwen3:8b")
    assert seen[0].status == "pulling manifest" and seen[-1].status == "success"
    assert all(event.total for event in seen if event.digest)


@pytest.mark.parametrize(
    ("fault", "kind", "retryable"),
    [
        pytest.param(pull_faults.fail(pull_faults.MISSING), "missing", False, id="a name the registry does not have"),
        pytest.param(
            pull_faults.fail(pull_faults.NEEDS_NEWER_OLLAMA), "too-old", False, id="an Ollama that is too old"
        ),
        pytest.param(pull_faults.fail(pull_faults.NO_NETWORK), "network", True, id="no network"),
        pytest.param(pull_faults.fail(pull_faults.BAD_CERTIFICATE), "tls", False, id="a certificate nobody knows"),
        pytest.param(pull_faults.fail(pull_faults.BAD_PROXY), "proxy", False, id="a proxy that is down"),
        pytest.param(
            pull_faults.fail(pull_faults.MAX_RETRIES, layer=0), "network", True, id="retries used up in a layer"
        ),
        pytest.param(pull_faults.mismatch(), "digest", True, id="a layer that was damaged"),
        pytest.param(pull_faults.cut(), "cut", True, id="a connection that breaks in the middle"),
        pytest.param(pull_faults.end(), "cut", True, id="a stream that ends in the middle"),
        pytest.param(pull_faults.end_before_success(), "cut", True, id="a stream that ends before success"),
        pytest.param(pull_faults.stall(), "stalled", True, id="progress that does not grow"),
        pytest.param(pull_faults.silence(), "stalled", True, id="no word any more"),
    ],
)
def test_only_success_counts(
    server: Standin, impatient: Changes, fault: pull_faults.PullFault, kind: str, retryable: bool
) -> None:
    server.break_pull(fault)
    with pytest.raises(PullError) as failed:
        impatient.pull("qwen3:8b")
    assert (failed.value.kind, failed.value.retryable) == (kind, retryable), failed.value.message
    assert "qwen3:8b" in failed.value.message


def test_version_that_is_too_old_is_named(server: Standin, changes: Changes) -> None:
    server.break_pull(pull_faults.fail(pull_faults.NEEDS_NEWER_OLLAMA))
    with pytest.raises(PullError, match=r"needs a newer Ollama than 0\.33\.0-rc2"):
        changes.pull("qwen3:8b")


def test_second_pull_goes_on_where_the_first_was_cut(server: Standin, changes: Changes) -> None:
    server.break_pull(pull_faults.cut(layer=0, share=0.5))
    with pytest.raises(PullError):
        changes.pull("qwen3:8b")
    seen: list[Progress] = []
    changes.pull("qwen3:8b", seen.append)
    first = next(event for event in seen if event.digest)
    assert first.completed >= (first.total or 0) // 2
    assert "qwen3:8b" in names(server)


@pytest.mark.parametrize("fault", [pull_faults.silence(), pull_faults.stall()], ids=["silent server", "busy server"])
def test_cancelling_ends_the_pull_at_once(server: Standin, fault: pull_faults.PullFault) -> None:
    server.break_pull(fault)
    asked = threading.Event()
    threading.Timer(0.3, asked.set).start()
    begun = time.monotonic()
    with pytest.raises(PullError) as failed, Changes(server.url, stall_timeout=30) as patient:
        patient.pull("qwen3:8b", cancelled=asked.is_set)
    assert failed.value.kind == "cancelled" and not failed.value.retryable
    assert time.monotonic() - begun < 3
    assert "qwen3:8b" not in names(server)


class TestLeavingAPullEarly:
    """The server stops, and what has arrived stays for the next pull."""

    @pytest.fixture
    def server(self) -> Iterator[Standin]:
        registry = Registry(QWEN)
        size = sum(blob.size for blob in registry.content.blobs.values())
        with Standin(Store.of(LLAMA), registry=registry, pace=Pace(bytes_per_second=size / 20, tick=0.02)) as standin:
            yield standin

    @pytest.fixture
    def ended(self, server: Standin) -> threading.Event:
        ended = threading.Event()
        server.watch(lambda _, request, phase: ended.set() if phase == "answered" else None)
        return ended

    @pytest.mark.parametrize("way", [KeyboardInterrupt, RuntimeError], ids=["by ^C", "by an error of the listener"])
    def test_stops_the_server(self, way: type[BaseException], server: Standin, ended: threading.Event) -> None:
        def interrupt(event: Progress) -> None:
            if event.completed:
                raise way

        with Changes(server.url) as changes, pytest.raises(way):
            changes.pull("qwen3:8b", interrupt)
        assert ended.wait(5)
        assert "qwen3:8b" not in names(server)
        assert any(partial.completed for partial in server.store.partials.values())

    def test_between_two_events_takes_no_time(self, server: Standin, ended: threading.Event) -> None:
        seen: list[Progress] = []
        with Changes(server.url) as changes, pytest.raises(PullError) as stopped:
            changes.pull("qwen3:8b", seen.append, cancelled=lambda: any(event.completed for event in seen))
        assert stopped.value.kind == "cancelled"
        assert [bool(event.completed) for event in seen].index(True) == len(seen) - 1
        assert ended.wait(5)


def test_slow_pull_that_moves_is_not_stalled(server: Standin) -> None:
    assert server.registry is not None
    size = sum(blob.size for blob in server.registry.content.blobs.values())
    server.pace = Pace(bytes_per_second=size / 1.5, tick=0.05)
    with Changes(server.url, stall_timeout=0.5) as changes:
        changes.pull("qwen3:8b")
    assert "qwen3:8b" in names(server)


def test_server_that_is_gone_is_a_cut_pull() -> None:
    with pytest.raises(PullError) as failed, Changes("http://127.0.0.1:1", timeout=2) as changes:
        changes.pull("qwen3:8b")
    assert failed.value.kind == "cut" and "127.0.0.1:1" in failed.value.message


def test_copy_gives_the_same_digest_and_overwrites(server: Standin, changes: Changes) -> None:
    changes.copy("llama3.1:8b", "llamaexit-keep/abc:latest")
    assert names(server)["llamaexit-keep/abc:latest"] == names(server)["llama3.1:8b"]


def test_copy_of_what_is_not_there_is_refused(changes: Changes) -> None:
    with pytest.raises(Refused, match="not found") as failed:
        changes.copy("nope", "x")
    assert failed.value.status == 404


def test_create_carries_what_was_given(server: Standin, changes: Changes) -> None:
    messages = ({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"})
    changes.create(Creation("bot", "llama3.1:8b", "Be brief.", {"num_ctx": 8192, "stop": ["END"]}, messages))
    with Server(server.url) as reader:
        show = reader.show("bot")
    assert show["system"] == "Be brief."
    assert show["messages"] == list(messages)
    assert "8192" in show["parameters"] and "END" in show["parameters"]


@pytest.mark.parametrize(
    ("creation", "said"),
    [
        pytest.param(Creation("bad name", "llama3.1:8b"), "invalid model name", id="a name that is none"),
        pytest.param(
            Creation("bot", "nope:1b"), "file does not exist", id="a base that is not there and cannot be pulled"
        ),
    ],
)
def test_create_that_fails_says_why(changes: Changes, creation: Creation, said: str) -> None:
    with pytest.raises(OllamaError, match=said):
        changes.create(creation)


def test_create_that_ends_without_success_is_an_error(server: Standin, changes: Changes) -> None:
    server.break_(faults.answer(200, '{"status":"writing manifest"}\n', "application/x-ndjson"), "/api/create")
    with pytest.raises(BadAnswer, match="without success"):
        changes.create(Creation("bot", "llama3.1:8b"))


def test_delete_removes_the_name(server: Standin, changes: Changes) -> None:
    changes.delete("llama3.1:8b")
    assert names(server) == {}


def test_deleting_a_loaded_model_unloads_it_first(server: Standin, changes: Changes) -> None:
    with Inference(server.url) as inference:
        inference.ask("/api/generate", {"model": "llama3.1:8b", "stream": False}, seconds=5)
    server.log.clear()
    changes.delete("llama3.1:8b")
    assert [request.path for request in server.log] == ["/api/ps", "/api/generate", "/api/delete"]


def test_deleting_a_name_leaves_its_weights_in_memory_when_they_are_there_under_another(
    server: Standin, changes: Changes
) -> None:
    changes.copy("llama3.1:8b", "llamaexit-keep/abc")
    with Inference(server.url) as inference:
        inference.ask("/api/generate", {"model": "llama3.1:8b", "stream": False}, seconds=5)
        changes.delete("llamaexit-keep/abc")
        assert [model["name"] for model in inference.loaded()] == ["llama3.1:8b"]


def test_loaded_model_is_known_by_any_spelling_of_its_name(server: Standin, changes: Changes) -> None:
    with Inference(server.url) as inference:
        inference.ask("/api/generate", {"model": "llama3.1:8b", "stream": False}, seconds=5)
        changes.delete("registry.ollama.ai/library/Llama3.1:8B")
        assert inference.loaded() == []


def test_model_that_cannot_be_unloaded_is_deleted_all_the_same(server: Standin, changes: Changes) -> None:
    with Inference(server.url) as inference:
        inference.ask("/api/generate", {"model": "llama3.1:8b", "stream": False}, seconds=5)
    server.break_(faults.server_error, "/api/generate")
    changes.delete("llama3.1:8b")
    assert names(server) == {}


def test_unloading_takes_a_model_out_of_memory(server: Standin, changes: Changes) -> None:
    with Inference(server.url) as inference:
        inference.ask("/api/generate", {"model": "llama3.1:8b", "stream": False}, seconds=5)
        changes.unload("llama3.1:8b")
        assert inference.loaded() == []


def test_unloading_what_is_not_there_is_refused(changes: Changes) -> None:
    with pytest.raises(Refused, match="would not unload nope: model 'nope' not found") as failed:
        changes.unload("nope")
    assert failed.value.status == 404


def test_delete_of_what_is_not_there_is_refused(changes: Changes) -> None:
    with pytest.raises(Refused, match="not found"):
        changes.delete("nope")


def test_server_that_is_gone_is_unreachable() -> None:
    with pytest.raises(Unreachable), Changes("http://127.0.0.1:1", timeout=2) as changes:
        changes.copy("a", "b")


def test_proxies_of_the_environment_are_not_asked(
    server: Standin, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    changes.copy("llama3.1:8b", "x")
    assert "x:latest" in names(server)


def headers_of(server: Standin, path: str) -> dict[str, str]:
    (request,) = server.asked(path)
    return {key.lower(): value for key, value in request.headers.items()}


@pytest.mark.parametrize("way", ["copy", "pull"])
def test_key_and_our_own_name_are_sent(way: str, server: Standin) -> None:
    with Changes(server.url, api_key="secret") as changes:
        changes.copy("llama3.1:8b", "x") if way == "copy" else changes.pull("qwen3:8b")
    sent = headers_of(server, f"/api/{way}")
    assert sent["authorization"] == "Bearer secret"
    assert sent["user-agent"].startswith("llamaexit/")
    assert "origin" not in sent


def test_key_of_the_environment_is_for_the_caller_to_pass_on(
    server: Standin, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "secret")
    changes.copy("llama3.1:8b", "x")
    assert "authorization" not in headers_of(server, "/api/copy")


def test_address_of_the_environment_is_not_asked(
    server: Standin, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
    changes.copy("llama3.1:8b", "x")
    assert "x:latest" in names(server)


def test_path_of_the_base_url_goes_before_every_route(server: Standin) -> None:
    with pytest.raises(OllamaError), Changes(f"{server.url}/ollama") as changes:
        changes.copy("llama3.1:8b", "x")
    assert server.log[0].path == "/ollama/api/copy"


def test_server_behind_tls_is_trusted_as_the_system_trusts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, certificate, trusted = trustme.CA(), tmp_path / "server.pem", tmp_path / "authority.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    authority.cert_pem.write_to_path(trusted)
    with Standin(Store.of(LLAMA), certificate=certificate) as server, Changes(server.url) as changes:
        with pytest.raises(Unreachable, match="certificate is not accepted"):
            changes.copy("llama3.1:8b", "x")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        changes.copy("llama3.1:8b", "x")
        assert "x:latest" in names(server)


ODD = [
    pytest.param(faults.web_page, BadAnswer, id="a web page"),
    pytest.param(faults.answer(200, "[1]\n", "application/x-ndjson"), BadAnswer, id="JSON of another shape"),
    pytest.param(
        faults.answer(200, '{"status":"x","total":"y"}\n', "application/x-ndjson"), BadAnswer, id="odd figures"
    ),
    pytest.param(faults.answer(308, Location="https://h/"), NotOllama, id="a redirect, which is not followed"),
    pytest.param(faults.garbage, NotOllama, id="something that is not HTTP"),
    pytest.param(faults.bad_gateway, Unreachable, id="a proxy without its server"),
    pytest.param(faults.unauthorized, Unauthorized, id="a proxy that wants a key"),
    pytest.param(faults.forbidden, Forbidden, id="the guard against foreign host names"),
    pytest.param(faults.unknown_route, TooOld, id="a server without the route"),
    pytest.param(faults.drop, Unreachable, id="a connection closed without an answer"),
    pytest.param(faults.cut, BadAnswer, id="half an answer"),
    pytest.param(faults.server_error, Refused, id="an error of the server"),
    pytest.param(faults.hang, TimedOut, id="no answer"),
]


@pytest.mark.parametrize(("fault", "kind"), ODD)
def test_create_tells_what_answers_in_the_words_of_every_request(
    fault: Fault, kind: type[OllamaError], server: Standin
) -> None:
    server.break_(fault, "/api/create")
    with pytest.raises(kind) as failed, Changes(server.url, timeout=0.3) as changes:
        changes.create(Creation("bot", "llama3.1:8b"))
    assert type(failed.value) is kind
    assert failed.value.message.isprintable()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(faults.web_page, "cut", id="a web page"),
        pytest.param(faults.garbage, "cut", id="something that is not HTTP"),
        pytest.param(faults.bad_gateway, "cut", id="a proxy without its server"),
        pytest.param(faults.drop, "cut", id="a connection closed without an answer"),
        pytest.param(faults.hang, "stalled", id="no answer"),
        pytest.param(
            faults.answer(400, '{"error":"invalid model name"}', "application/json"), "name", id="a refusal at once"
        ),
    ],
)
def test_pull_that_does_not_begin_is_a_failed_pull(
    fault: Fault, kind: str, server: Standin, impatient: Changes
) -> None:
    server.break_(fault, "/api/pull")
    with pytest.raises(PullError) as failed:
        impatient.pull("qwen3:8b")
    assert failed.value.kind == kind
    assert "qwen3:8b" in failed.value.message
    assert kind != "cut" or "could not begin: " in failed.value.message


def test_create_goes_on_as_long_as_events_come(server: Standin) -> None:
    def slowly(handler: Handler) -> None:
        for number in range(6):
            handler.send_line({"status": f"writing {number}" if number < 5 else "success"})
            time.sleep(0.1)
        handler.end()

    server.break_(slowly, "/api/create")
    heard: list[Progress] = []
    with Changes(server.url, timeout=0.3) as changes:
        changes.create(Creation("bot", "llama3.1:8b"), heard.append)
    assert [event.status for event in heard] == [*(f"writing {number}" for number in range(5)), "success"]


def test_create_does_not_let_a_base_be_pulled(server: Standin, changes: Changes) -> None:
    server.pace = Pace(bytes_per_second=100, tick=0.02)
    with pytest.raises(Refused, match="would not build bot on qwen3:8b: qwen3:8b is not installed"):
        changes.create(Creation("bot", "qwen3:8b"))
    assert set(names(server)) == {"llama3.1:8b"}


def test_nothing_that_is_left_out_is_sent_of_a_creation(server: Standin, changes: Changes) -> None:
    changes.create(Creation("bot", "llama3.1:8b"))
    assert server.asked("/api/create")[0].body == {"model": "bot", "from": "llama3.1:8b", "stream": True}


def test_success_of_a_model_that_cannot_be_read_is_still_only_success(server: Standin, changes: Changes) -> None:
    server.break_pull(pull_faults.hollow())
    changes.pull("qwen3:8b")
    with Server(server.url) as reader:
        assert "qwen3:8b" not in {tag["name"] for tag in reader.tags()}


def test_old_name_keeps_its_case(server: Standin, changes: Changes) -> None:
    assert server.registry is not None
    server.registry.publish(replace(QWEN, name="Qwen3:8B"))
    changes.copy("LLAMA3.1:8B", "Copy")
    assert "Copy:latest" in names(server)
