"""Pulls from the stand-in: events, resuming, moved tags, and all the ways they end badly."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from standin import Model, Pace, Registry, Standin, Store, gguf, pull_faults
from standin.client import ask, digests, names, opened, post, pull
from standin.pull_faults import PullFault

Start = Callable[..., Standin]

QWEN = Model("qwen3:8b", weights=gguf.llama("qwen3"), licences=("Apache License Version 2.0",))
OTHER = Model("qwen3:4b", weights=QWEN.weights, system="Another.")
MOVED = Model("qwen3:8b", weights=gguf.llama("qwen3", layers=2), licences=QWEN.licences)
SLOW = Pace(bytes_per_second=500_000, tick=0.02)
"""The weights take about 0.3 seconds."""


@pytest.fixture
def registry() -> Registry:
    return Registry(QWEN, OTHER)


@pytest.fixture
def server(registry: Registry, start_standin: Start) -> Standin:
    return start_standin(Store.of(Model("llama3.1:8b")), registry=registry)


def weights(registry: Registry, name: str = "qwen3:8b") -> dict[str, Any]:
    entry = registry.content.manifests[Store.named(name)]
    return next(iter(registry.content.layers(entry, "model")))


def progress(lines: list[dict[str, Any]], digest: str) -> list[int]:
    """`completed` of every event of a layer; 0 where it is left out."""
    return [line.get("completed", 0) for line in lines if line.get("digest") == digest]


def test_pull_tells_each_step_and_installs_what_the_registry_has(server: Standin, registry: Registry) -> None:
    lines = pull(server, "qwen3:8b")

    assert [line["status"] for line in lines] == [
        "pulling manifest",
        f"pulling {weights(registry)['digest'][7:19]}",
        "verifying sha256 digest",
        "writing manifest",
        "success",
    ]
    assert digests(server)["qwen3:8b"] == registry.digest("qwen3:8b")


def test_progress_grows_and_leaves_completed_out_while_it_is_zero(server: Standin, registry: Registry) -> None:
    server.pace = SLOW

    lines = pull(server, "qwen3:8b")

    events = [line for line in lines if line.get("digest") == weights(registry)["digest"]]
    assert "completed" not in events[0]
    assert all(event["total"] == weights(registry)["size"] for event in events)
    completed = progress(lines, weights(registry)["digest"])
    assert len(set(completed)) > 3
    assert completed == sorted(completed)


def test_layers_that_are_there_are_told_once_and_complete(server: Standin, registry: Registry) -> None:
    server.pace = SLOW
    pull(server, "qwen3:8b")

    lines = pull(server, "qwen3:4b")

    assert progress(lines, weights(registry)["digest"]) == [weights(registry)["size"]]


def test_answer_without_a_stream_is_the_last_line(server: Standin) -> None:
    assert post(server, "/api/pull", model="qwen3:8b", stream=False) == (200, {"status": "success"})


def test_name_is_spelled_as_an_unrelated_model_spells_it(registry: Registry, start_standin: Start) -> None:
    server = start_standin(Store.of(Model("Alias:8B")), registry=registry)

    assert pull(server, "qwen3:8b")[-1] == {"error": "pull model manifest: file does not exist"}


class TestMovedTag:
    def test_is_replaced_and_the_layers_only_it_used_are_deleted(self, server: Standin, registry: Registry) -> None:
        pull(server, "qwen3:8b")
        old = weights(registry)["digest"]
        registry.publish(MOVED)

        lines = pull(server, "qwen3:8b")

        assert lines[-2:] == [{"status": "removing unused layers"}, {"status": "success"}]
        assert digests(server)["qwen3:8b"] == registry.digest("qwen3:8b")
        assert old not in server.store.blobs

    def test_leaves_the_layers_of_a_copy_which_brings_the_old_model_back(
        self, server: Standin, registry: Registry
    ) -> None:
        pull(server, "qwen3:8b")
        before = digests(server)["qwen3:8b"]
        post(server, "/api/copy", source="qwen3:8b", destination="keep/old:1")
        registry.publish(MOVED)
        pull(server, "qwen3:8b")

        post(server, "/api/copy", source="keep/old:1", destination="qwen3:8b")

        assert digests(server)["qwen3:8b"] == before
        assert post(server, "/api/show", model="qwen3:8b")[0] == 200

    def test_keeps_the_old_layers_where_nothing_is_pruned(self, server: Standin, registry: Registry) -> None:
        server.prune = False
        pull(server, "qwen3:8b")
        old = weights(registry)["digest"]
        registry.publish(MOVED)

        lines = pull(server, "qwen3:8b")

        assert {"status": "removing unused layers"} not in lines
        assert old in server.store.blobs

    def test_means_nothing_once_it_is_withdrawn(self, server: Standin, registry: Registry) -> None:
        registry.withdraw("qwen3:8b")

        assert pull(server, "qwen3:8b")[-1] == {"error": pull_faults.MISSING}


class TestInterrupted:
    def test_client_that_leaves_ends_the_download_and_what_came_stays(
        self, server: Standin, registry: Registry
    ) -> None:
        digest = weights(registry)["digest"]
        server.pace = SLOW

        leave_after(server, "qwen3:8b", events=4)
        server.until_idle()

        came = server.store.partials[digest].completed
        assert 0 < came < weights(registry)["size"]
        assert "qwen3:8b" not in names(server)
        assert progress(pull(server, "qwen3:8b"), digest)[0] >= came

    def test_download_is_gone_on_with_under_another_name(self, server: Standin, registry: Registry) -> None:
        digest = weights(registry)["digest"]
        server.break_pull(pull_faults.fail(pull_faults.MAX_RETRIES, layer=0))
        pull(server, "qwen3:8b")
        server.pace = SLOW

        assert progress(pull(server, "qwen3:4b"), digest)[0] >= weights(registry)["size"] // 2

    def test_two_pulls_of_one_layer_share_it(self, server: Standin, registry: Registry) -> None:
        server.pace = SLOW
        begun = time.monotonic()
        threads = [threading.Thread(target=pull, args=(server, name)) for name in ("qwen3:8b", "qwen3:4b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert {"qwen3:8b", "qwen3:4b"} <= names(server)
        assert time.monotonic() - begun < 1.8 * weights(registry)["size"] / 500_000

    def test_pull_goes_on_when_another_that_shares_the_layer_leaves(self, server: Standin) -> None:
        server.pace = SLOW
        other = threading.Thread(target=leave_after, args=(server, "qwen3:4b"), kwargs={"events": 3})
        other.start()

        assert pull(server, "qwen3:8b")[-1] == {"status": "success"}
        other.join()
        assert "qwen3:4b" not in names(server)

    def test_restart_ends_it_and_it_can_be_gone_on_with(self, server: Standin, registry: Registry) -> None:
        server.pace = SLOW
        with opened(server, "POST", "/api/pull", {"model": "qwen3:8b"}) as response:
            for _ in range(4):
                response.readline()
            server.restart()
            with pytest.raises((OSError, http.client.HTTPException)):
                response.read()
        server.until_idle()

        assert server.store.partials[weights(registry)["digest"]].completed > 0
        assert pull(server, "qwen3:8b")[-1] == {"status": "success"}


class TestFault:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(pull_faults.MISSING, id="no such model"),
            pytest.param(pull_faults.NEEDS_NEWER_OLLAMA, id="server too old"),
            pytest.param(pull_faults.REGISTRY_FAILED, id="registry failed"),
            pytest.param(pull_faults.NO_NETWORK, id="no network"),
            pytest.param(pull_faults.BAD_CERTIFICATE, id="certificate not trusted"),
            pytest.param(pull_faults.BAD_PROXY, id="proxy not there"),
            pytest.param(pull_faults.PROXY_WANTS_LOGIN, id="proxy wants a login"),
            pytest.param(pull_faults.UNAUTHORIZED, id="private model"),
            pytest.param(pull_faults.NO_KEY, id="server without a key"),
        ],
    )
    def test_before_the_manifest_is_a_line_of_a_good_answer(self, text: str, server: Standin) -> None:
        server.break_pull(pull_faults.fail(text))

        assert post(server, "/api/pull", model="qwen3:8b") == (200, [{"status": "pulling manifest"}, {"error": text}])

    @pytest.mark.parametrize("text", [pull_faults.MAX_RETRIES, pull_faults.LAYER_MISSING, pull_faults.NO_LOCATION])
    def test_in_a_layer_is_a_line_and_keeps_what_came(self, text: str, server: Standin, registry: Registry) -> None:
        server.break_pull(pull_faults.fail(text, layer=0))

        lines = pull(server, "qwen3:8b")

        assert lines[-1] == {"error": text}
        assert progress(lines, weights(registry)["digest"]) == [weights(registry)["size"] // 2]
        assert server.store.partials[weights(registry)["digest"]].completed == weights(registry)["size"] // 2

    def test_without_a_stream_has_a_status_of_its_own(self, server: Standin) -> None:
        server.break_pull(pull_faults.fail(pull_faults.UNAUTHORIZED))

        assert post(server, "/api/pull", model="qwen3:8b", stream=False) == (500, {"error": pull_faults.UNAUTHORIZED})

    def test_strikes_once_and_only_the_model_it_is_for(self, server: Standin) -> None:
        server.break_pull(pull_faults.fail(pull_faults.UNAUTHORIZED), model="qwen3:4b")

        assert pull(server, "qwen3:8b")[-1] == {"status": "success"}
        assert pull(server, "qwen3:4b")[-1] == {"error": pull_faults.UNAUTHORIZED}
        assert pull(server, "qwen3:4b")[-1] == {"status": "success"}

    @pytest.mark.parametrize("fault", [pull_faults.cut(), pull_faults.cut_before_success()])
    def test_cut_breaks_the_answer_off(self, fault: PullFault, server: Standin) -> None:
        server.break_pull(fault)

        with (
            opened(server, "POST", "/api/pull", {"model": "qwen3:8b"}) as response,
            pytest.raises(http.client.IncompleteRead) as broken,
        ):
            response.read()

        assert b"success" not in broken.value.partial
        assert ("qwen3:8b" in names(server)) == fault.written

    @pytest.mark.parametrize("fault", [pull_faults.end(), pull_faults.end_before_success()])
    def test_end_looks_complete_and_is_not_success(self, fault: PullFault, server: Standin) -> None:
        server.break_pull(fault)

        lines = pull(server, "qwen3:8b")

        assert not any(line.get("status") == "success" or "error" in line for line in lines)
        assert ("qwen3:8b" in names(server)) == fault.written

    def test_stall_goes_on_telling_and_does_not_move(self, server: Standin, registry: Registry) -> None:
        server.pace = Pace(tick=0.01)
        server.break_pull(pull_faults.stall(seconds=0.15))

        completed = progress(pull(server, "qwen3:8b"), weights(registry)["digest"])

        assert completed.count(weights(registry)["size"] // 2) > 5
        assert "qwen3:8b" in names(server)

    def test_silence_sends_nothing_and_ends_when_the_client_leaves(self, server: Standin, registry: Registry) -> None:
        server.break_pull(pull_faults.silence())
        with opened(server, "POST", "/api/pull", {"model": "qwen3:8b"}) as response:
            response.readline()
            response.readline()
            response.fp.raw._sock.settimeout(0.2)  # type: ignore[union-attr]
            with pytest.raises(TimeoutError):
                response.readline()

        server.until_idle()
        assert server.store.partials[weights(registry)["digest"]].completed > 0

    def test_mismatch_deletes_the_blob(self, server: Standin, registry: Registry) -> None:
        server.break_pull(pull_faults.mismatch())

        error = pull(server, "qwen3:8b")[-1]["error"]

        digest = weights(registry)["digest"]
        assert error.startswith(f"digest mismatch, file must be downloaded again: want {digest}, got sha256:")
        assert digest not in server.store.blobs
        assert pull(server, "qwen3:8b")[-1] == {"status": "success"}

    def test_hollow_success_installs_nothing_and_does_not_heal(self, server: Standin) -> None:
        server.break_pull(pull_faults.hollow())

        assert pull(server, "qwen3:8b")[-1] == {"status": "success"}
        assert "qwen3:8b" not in names(server)
        assert pull(server, "qwen3:8b")[-1] == {"status": "success"}
        assert "qwen3:8b" not in names(server), "blobs that are there are trusted by their name"


class TestRefusal:
    def test_model_that_needs_a_newer_server_is_not_handed_out(self, server: Standin, registry: Registry) -> None:
        registry.publish(Model("new:1b", requires="0.34.0"))

        assert pull(server, "new:1b")[-1] == {"error": pull_faults.NEEDS_NEWER_OLLAMA}
        server.version = "0.34.0"
        assert pull(server, "new:1b")[-1] == {"status": "success"}

    @pytest.mark.parametrize(
        ("name", "insecure", "reason"),
        [
            ("qwen3:8b", False, 'Get "https://registry.ollama.ai/v2/library/qwen3/manifests/8b": '
             "dial tcp: lookup registry.ollama.ai: no such host"),
            ("hf.co/a/b:Q4_K_M", False, 'Get "https://hf.co/v2/a/b/manifests/Q4_K_M": '
             "dial tcp: lookup hf.co: no such host"),
            ("localhost:1/a/b:c", True, 'Get "http://localhost:1/v2/a/b/manifests/c": '
             "dial tcp 127.0.0.1:1: connect: connection refused"),
        ],
    )  # fmt: skip
    def test_without_a_network_says_where_it_could_not_get(
        self, name: str, insecure: bool, reason: str, server: Standin
    ) -> None:
        server.registry = None

        assert pull(server, name, insecure=insecure)[-1] == {"error": f"pull model manifest: {reason}"}

    @pytest.mark.parametrize("name", ["", "bad name", "model@sha256:00"])
    def test_invalid_name_has_a_status_of_its_own(self, name: str, server: Standin) -> None:
        assert post(server, "/api/pull", model=name) == (400, {"error": "invalid model name"})


class TestFullDisk:
    def test_is_noticed_only_when_it_is_full(self, server: Standin, registry: Registry) -> None:
        digest, size = weights(registry)["digest"], weights(registry)["size"]
        server.disk_free = size // 3

        error = pull(server, "qwen3:8b")[-1]["error"]

        path = f"/srv/ollama/models/blobs/{digest.replace(':', '-')}-partial"
        assert error == f"write {path}: no space left on device"
        assert server.store.partials[digest].completed == size // 3
        assert server.disk_free == 0

    def test_download_is_gone_on_with_once_there_is_room(self, server: Standin) -> None:
        server.disk_free = 1000
        pull(server, "qwen3:8b")
        ask(server, "DELETE", "/api/delete", {"model": "llama3.1:8b"})

        assert pull(server, "qwen3:8b")[-1] == {"status": "success"}


def leave_after(server: Standin, name: str, *, events: int) -> None:
    """Start a pull, read some lines, and close the connection."""
    with opened(server, "POST", "/api/pull", {"model": name}) as response:
        for _ in range(events):
            json.loads(response.readline())
