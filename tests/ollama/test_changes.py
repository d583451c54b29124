"""Pull, create, copy and delete against a server with Ollama's store semantics."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from llamaexit.errors import OllamaError
from llamaexit.ollama.changes import Changes, Creation, Progress
from llamaexit.ollama.failures import BadAnswer, Refused, Unreachable
from llamaexit.ollama.inference import Inference
from llamaexit.ollama.pull_failures import PullError
from llamaexit.ollama.server import Server
from standin import Model, Pace, Registry, Standin, Store, faults, gguf, pull_faults

LLAMA = Model("llama3.1:8b", weights=gguf.llama(), template="{{ .Prompt }}", parameters={"stop": ["<|eot_id|>"]})
QWEN = Model("qwen3:8b", weights=gguf.llama("qwen3"), template="{{ .Prompt }}!")


@pytest.fixture
def server() -> Iterator[Standin]:
    with Standin(Store.of(LLAMA), registry=Registry(QWEN)) as standin:
        yield standin


@pytest.fixture
def changes(server: Standin) -> Iterator[Changes]:
    with Changes(server.url, timeout=5, stall_timeout=0.4) as made:
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
    server: Standin, changes: Changes, fault: pull_faults.PullFault, kind: str, retryable: bool
) -> None:
    server.break_pull(fault)
    with pytest.raises(PullError) as failed:
        changes.pull("qwen3:8b")
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


def test_patience_grows_with_what_there_is_to_verify() -> None:
    from llamaexit.ollama.changes import VERIFY_RATE, _Watch

    watch = _Watch(0.0)
    watch.see(Progress("pulling", "sha256:a", VERIFY_RATE * 60, 0))
    time.sleep(0.01)
    assert not watch.patient()
    watch.see(Progress("verifying sha256 digest"))
    time.sleep(0.01)
    assert watch.patient()


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


def test_key_is_sent(server: Standin) -> None:
    with Changes(server.url, api_key="secret") as changes:
        changes.copy("llama3.1:8b", "x")
    headers = {key.lower(): value for key, value in server.asked("/api/copy")[0].headers.items()}
    assert headers["authorization"] == "Bearer secret"


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
