"""What copying, deleting, creating and restarting does to the stand-in's store."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from standin import Model, Registry, Standin, Store, gguf
from standin.client import Answer, ask, digests, names, post, pull

Start = Callable[..., Standin]

LLAMA = Model("llama3.1:8b", system="Meta.", parameters={"stop": ["<|eot_id|>"], "num_ctx": 2048}, licences=("META",))
QWEN = Model("qwen3:8b", weights=gguf.llama("qwen3"))
HOUR = 3600


@pytest.fixture
def server(start_standin: Start) -> Standin:
    return start_standin(Store.of(LLAMA, QWEN))


def copy(server: Standin, source: str, destination: str) -> Answer:
    return post(server, "/api/copy", source=source, destination=destination)


def delete(server: Standin, name: str) -> Answer:
    return ask(server, "DELETE", "/api/delete", {"model": name})


def create(server: Standin, model: str, **body: Any) -> list[dict[str, Any]]:
    status, lines = post(server, "/api/create", model=model, **body)
    assert status == 200, lines
    return list(lines)


def show(server: Standin, name: str) -> dict[str, Any]:
    status, shown = post(server, "/api/show", model=name)
    assert status == 200, shown
    return dict(shown)


def parameters(server: Standin, name: str) -> list[str]:
    return sorted(" ".join(line.split()) for line in show(server, name)["parameters"].splitlines())


def weights(server: Standin, name: str) -> str:
    store = server.store
    return str(next(iter(store.layers(store.manifests[store.named(name)], "model")))["digest"])


class TestCopy:
    def test_is_the_same_model_under_a_newer_date(self, server: Standin) -> None:
        server.clock.advance(60)

        assert copy(server, "llama3.1:8b", "keep/a:1") == (200, None)

        assert digests(server)["keep/a:1"] == digests(server)["llama3.1:8b"]
        _, listed = ask(server, "GET", "/api/tags")
        assert listed["models"][0]["name"] == "keep/a:1", "the newest comes first"

    def test_overwrites_and_leaves_the_old_blobs_until_a_restart(self, server: Standin) -> None:
        old = weights(server, "llama3.1:8b")

        copy(server, "qwen3:8b", "llama3.1:8b")

        assert digests(server)["llama3.1:8b"] == digests(server)["qwen3:8b"]
        assert old in server.store.blobs
        server.clock.advance(2 * HOUR)
        server.restart()
        assert old not in server.store.blobs

    def test_writes_over_a_name_that_differs_in_case_only(self, server: Standin) -> None:
        copy(server, "QWEN3:8b", "LLAMA3.1:8B")

        assert digests(server)["llama3.1:8b"] == digests(server)["qwen3:8b"]
        assert names(server) == {"llama3.1:8b", "qwen3:8b"}

    def test_onto_itself_changes_nothing(self, server: Standin) -> None:
        before = server.store.manifests[Store.named("qwen3:8b")].modified

        assert copy(server, "qwen3:8b", "qwen3:8b") == (200, None)
        assert server.store.manifests[Store.named("qwen3:8b")].modified == before

    @pytest.mark.parametrize(
        ("source", "destination", "answer"),
        [
            pytest.param("nope", "x", (404, 'model "nope" not found'), id="missing source"),
            pytest.param("", "x", (400, 'source "" is invalid'), id="no source"),
            pytest.param("qwen3:8b", "bad name", (400, 'destination "bad name" is invalid'), id="bad destination"),
            pytest.param("qwen3:8b", "a" * 81, (400, f'destination "{"a" * 81}" is invalid'), id="name too long"),
        ],
    )
    def test_is_refused(self, source: str, destination: str, answer: tuple[int, str], server: Standin) -> None:
        assert copy(server, source, destination) == (answer[0], {"error": answer[1]})


class TestDelete:
    def test_takes_only_the_blobs_nobody_else_uses(self, server: Standin) -> None:
        copy(server, "qwen3:8b", "keep/q:1")
        llama, qwen = weights(server, "llama3.1:8b"), weights(server, "qwen3:8b")

        assert delete(server, "qwen3:8b") == (200, None)
        assert delete(server, "llama3.1:8b") == (200, None)

        assert names(server) == {"keep/q:1"}
        assert qwen in server.store.blobs
        assert llama not in server.store.blobs

    def test_takes_blobs_that_only_a_corrupt_manifest_uses(self, server: Standin) -> None:
        copy(server, "qwen3:8b", "keep/q:1")
        server.store.manifests[Store.named("keep/q:1")].data = b'{"layers":'

        delete(server, "qwen3:8b")

        assert list(server.store.manifests) == [Store.named("llama3.1:8b"), Store.named("keep/q:1")]
        assert post(server, "/api/show", model="llama3.1:8b")[0] == 200
        assert len([blob for blob in server.store.blobs.values() if blob.data[:4] == b"GGUF"]) == 1

    def test_leaves_the_model_in_memory_where_nobody_can_unload_it(self, server: Standin) -> None:
        post(server, "/api/generate", model="qwen3:8b")

        delete(server, "qwen3:8b")

        _, listed = ask(server, "GET", "/api/ps")
        assert [model["name"] for model in listed["models"]] == ["qwen3:8b"]
        status, answer = post(server, "/api/generate", model="qwen3:8b", keep_alive=0)
        assert (status, answer) == (404, {"error": "model 'qwen3:8b' not found"})

    @pytest.mark.parametrize(
        ("name", "answer"),
        [("nope", (404, "model 'nope' not found")), ("", (400, "model is required")),
         ("bad name", (400, 'name "bad name" is invalid'))],
    )  # fmt: skip
    def test_is_refused(self, name: str, answer: tuple[int, str], server: Standin) -> None:
        assert delete(server, name) == (answer[0], {"error": answer[1]})


class TestTruncatedManifest:
    @pytest.fixture
    def server(self, server: Standin) -> Standin:
        server.store.truncate("keep/half:1")
        return server

    def test_is_not_listed_and_cannot_be_deleted(self, server: Standin) -> None:
        assert "keep/half:1" not in names(server)
        assert delete(server, "keep/half:1") == (500, {"error": "EOF"})

    def test_is_healed_by_a_copy_over_it(self, server: Standin) -> None:
        copy(server, "qwen3:8b", "keep/half:1")

        assert digests(server)["keep/half:1"] == digests(server)["qwen3:8b"]
        assert delete(server, "keep/half:1") == (200, None)

    def test_is_healed_by_a_pull(self, server: Standin) -> None:
        server.registry = Registry(Model("keep/half:1", weights=gguf.llama("qwen3", layers=2)))

        assert pull(server, "keep/half:1")[-1] == {"status": "success"}
        assert "keep/half:1" in names(server)

    def test_keeps_a_restart_from_deleting_anything(self, server: Standin) -> None:
        copy(server, "qwen3:8b", "llama3.1:8b")
        before = set(server.store.blobs)
        server.clock.advance(2 * HOUR)

        server.restart()

        assert set(server.store.blobs) == before

    def test_spells_no_name(self, server: Standin) -> None:
        copy(server, "qwen3:8b", "KEEP/HALF:1")

        assert "KEEP/HALF:1" in names(server)


class TestCreate:
    def test_inherits_what_is_not_said_and_merges_parameters_key_by_key(self, server: Standin) -> None:
        create(server, "bot", **{"from": "llama3.1:8b"}, parameters={"num_ctx": 8192, "seed": 1}, license="MINE")

        shown = show(server, "bot")
        assert shown["system"] == "Meta."
        assert shown["license"] == "META\nMINE"
        assert parameters(server, "bot") == ["num_ctx 8192", "seed 1", 'stop "<|eot_id|>"']
        assert shown["details"]["parent_model"] == "llama3.1:8b"
        assert weights(server, "bot") == weights(server, "llama3.1:8b")

    @pytest.mark.parametrize("nothing", [{}, {"system": "", "template": "", "messages": [], "parameters": {}}])
    def test_cannot_be_told_to_drop_a_text(self, nothing: dict[str, Any], server: Standin) -> None:
        create(server, "base", **{"from": "llama3.1:8b"}, messages=[{"role": "user", "content": "hi"}])

        create(server, "bot", **{"from": "base"}, **nothing)

        assert show(server, "bot")["system"] == "Meta."
        assert show(server, "bot")["messages"] == [{"role": "user", "content": "hi"}]

    def test_replaces_messages_and_system(self, server: Standin) -> None:
        create(server, "base", **{"from": "llama3.1:8b"}, messages=[{"role": "user", "content": "old"}])

        create(server, "bot", **{"from": "base"}, system="New.", messages=[{"role": "User", "content": "new"}])

        assert show(server, "bot")["system"] == "New."
        assert show(server, "bot")["messages"] == [{"role": "user", "content": "new"}]

    def test_tells_which_layers_are_new(self, server: Standin) -> None:
        body = {"from": "qwen3:8b", "system": "Ada."}
        new = "sha256:" + hashlib.sha256(b"Ada.").hexdigest()

        assert [line["status"] for line in create(server, "one", **body)] == [
            f"using existing layer {weights(server, 'qwen3:8b')}",
            f"creating new layer {new}",
            "writing manifest",
            "success",
        ]
        assert f"using existing layer {new}" in [line["status"] for line in create(server, "two", **body)]
        assert digests(server)["one:latest"] == digests(server)["two:latest"], "equal content is the same model"

    def test_onto_itself_changes_the_parent_to_itself(self, server: Standin) -> None:
        create(server, "bot", **{"from": "qwen3:8b"}, system="One.")

        create(server, "bot", **{"from": "bot"}, system="Two.")

        assert show(server, "bot")["system"] == "Two."
        assert show(server, "bot")["details"]["parent_model"] == "bot:latest"
        assert "sha256:" + hashlib.sha256(b"One.").hexdigest() not in server.store.blobs

    def test_over_a_name_in_another_case_replaces_that_and_prunes_it(self, server: Standin) -> None:
        old = weights(server, "llama3.1:8b")

        create(server, "LLAMA3.1:8b", **{"from": "qwen3:8b"})

        assert names(server) == {"llama3.1:8b", "qwen3:8b"}
        assert old not in server.store.blobs

    def test_pulls_a_base_that_is_not_there(self, server: Standin) -> None:
        server.registry = Registry(Model("new:1b", weights=gguf.llama("qwen3", layers=2)))

        lines = create(server, "bot", **{"from": "new:1b"})

        assert lines[0] == {"status": "pulling manifest"}
        assert [line for line in lines if line["status"] == "success"] == [{"status": "success"}] * 2
        assert {"bot:latest", "new:1b"} <= names(server)

    def test_does_not_know_its_base_in_another_case(self, server: Standin) -> None:
        answer = post(server, "/api/create", model="bot", **{"from": "QWEN3:8b"}, stream=False)

        assert answer[0] == 500
        assert answer[1]["error"].startswith('pull model manifest: Get "https://registry.ollama.ai/v2/library/QWEN3/')

    def test_stores_a_parameter_of_the_wrong_type_and_fails_when_it_is_used(self, server: Standin) -> None:
        create(server, "bot", **{"from": "qwen3:8b"}, parameters={"num_ctx": "big"})

        status, answer = post(server, "/api/chat", model="bot", messages=[{"role": "user", "content": "hi"}])
        assert (status, answer) == (500, {"error": 'option "num_ctx" must be of type integer'})

    def test_keeps_what_the_base_requires(self, server: Standin) -> None:
        server.store.add(Model("new", requires="0.30.0", parser="qwen3.5", renderer="qwen3.5"))

        create(server, "bot", **{"from": "new"})

        assert show(server, "bot")["requires"] == "0.30.0"
        assert "PARSER qwen3.5" in show(server, "bot")["modelfile"]

    def test_builds_on_an_uploaded_file(self, server: Standin) -> None:
        header, size = gguf.write(gguf.llama("gemma3"))
        data = header.ljust(size, b"\0")
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        ask(server, "POST", f"/api/blobs/{digest}", data)

        assert create(server, "own", files={"model.gguf": digest})[0] == {"status": "parsing GGUF"}
        assert show(server, "own")["details"]["family"] == "gemma3"

    @pytest.mark.parametrize(
        ("body", "answer"),
        [
            pytest.param({"model": "b"}, (400, "neither 'from' or 'files' was specified"), id="no base"),
            pytest.param({"model": "bad name", "from": "qwen3:8b"}, (400, "invalid model name"), id="bad name"),
            pytest.param({"model": "b", "from": "bad name"}, (400, "invalid model name"), id="bad base"),
            pytest.param({"model": "b", "files": {"../x": "sha256:0"}}, (400, "file path must be relative"), id="path"),
            pytest.param({"model": "b", "files": {"x": ""}}, (400, "invalid digest format"), id="no digest"),
            pytest.param({"model": "b", "files": {}}, (400, "no files provided to convert"), id="no files"),
        ],
    )
    def test_is_refused(self, body: dict[str, Any], answer: tuple[int, str], server: Standin) -> None:
        assert post(server, "/api/create", **body) == (answer[0], {"error": answer[1]})


class TestBlobs:
    DATA = b"some bytes"
    DIGEST = "sha256:" + hashlib.sha256(DATA).hexdigest()

    def test_are_stored_once(self, server: Standin) -> None:
        statuses = [ask(server, "POST", f"/api/blobs/{self.DIGEST}", self.DATA)[0] for _ in range(2)]

        assert statuses == [201, 200]
        assert ask(server, "HEAD", f"/api/blobs/{self.DIGEST}")[0] == 200

    def test_under_a_wrong_digest_are_refused_and_stay_under_the_right_one(self, server: Standin) -> None:
        wrong = "sha256:" + 64 * "0"

        status, answer = ask(server, "POST", f"/api/blobs/{wrong}", self.DATA)

        assert (status, answer) == (400, {"error": f'digest mismatch, expected "{wrong}", got "{self.DIGEST}"'})
        assert self.DIGEST in server.store.blobs

    def test_need_a_digest_for_a_name(self, server: Standin) -> None:
        assert ask(server, "POST", "/api/blobs/sha256:1", b"x") == (400, {"error": "invalid digest format"})


class TestRestart:
    def test_deletes_what_nobody_uses_once_it_is_an_hour_old(self, server: Standin) -> None:
        orphan = server.store.blob(b"nobody's")

        server.clock.advance(HOUR - 60)
        server.restart()
        assert orphan in server.store.blobs
        server.clock.advance(120)
        server.restart()
        assert orphan not in server.store.blobs
        assert names(server) == {"llama3.1:8b", "qwen3:8b"}

    def test_deletes_at_once_before_0_21(self, server: Standin) -> None:
        server.version = "0.20.0"
        orphan = server.store.blob(b"nobody's")

        server.restart()

        assert orphan not in server.store.blobs

    @pytest.mark.parametrize("keeping", ["restart without prune", "OLLAMA_NOPRUNE"])
    def test_keeps_everything_when_told_to(self, keeping: str, server: Standin) -> None:
        orphan = server.store.blob(b"nobody's")
        server.clock.advance(2 * HOUR)
        server.prune = keeping != "OLLAMA_NOPRUNE"

        server.restart(prune=keeping == "OLLAMA_NOPRUNE")

        assert orphan in server.store.blobs

    def test_deletes_old_partial_downloads(self, server: Standin) -> None:
        server.registry = Registry(Model("new:1b", weights=gguf.llama("qwen3", layers=2)))
        server.disk_free = 1000
        pull(server, "new:1b")
        assert server.store.partials

        server.restart()
        assert server.store.partials
        server.clock.advance(2 * HOUR)
        server.restart()
        assert not server.store.partials
        assert server.disk_free == 1000

    def test_empties_the_memory_and_keeps_the_address(self, server: Standin) -> None:
        post(server, "/api/generate", model="qwen3:8b")
        url = server.url

        server.restart()

        assert server.url == url
        assert ask(server, "GET", "/api/ps") == (200, {"models": []})

    def test_may_leave_nobody_listening_for_a_while(self, server: Standin) -> None:
        url = server.url
        thread = threading.Thread(target=server.restart, kwargs={"down": 0.3})
        thread.start()
        time.sleep(0.15)

        with pytest.raises(OSError):
            ask(server, "GET", "/api/version")
        thread.join()
        assert server.url == url
        assert names(server) == {"llama3.1:8b", "qwen3:8b"}


class TestOnDisk:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path / "models"

    @pytest.fixture
    def server(self, root: Path, start_standin: Start) -> Standin:
        store = Store.of(LLAMA, QWEN)
        store.write_to(root, follow=True)
        return start_standin(store, registry=Registry(Model("new:1b", weights=gguf.llama("qwen3", layers=2))))

    def test_directory_is_what_the_store_is_after_every_change(self, server: Standin, root: Path) -> None:
        copy(server, "qwen3:8b", "keep/q:1")
        create(server, "bot", **{"from": "llama3.1:8b"}, system="Ada.")
        pull(server, "new:1b")
        delete(server, "llama3.1:8b")
        delete(server, "bot")

        again = Store.from_directory(root)
        assert {name: entry.digest for name, entry in again.manifests.items()} == {
            name: entry.digest for name, entry in server.store.manifests.items()
        }
        assert {digest: blob.size for digest, blob in again.blobs.items()} == {
            digest: blob.size for digest, blob in server.store.blobs.items()
        }
        assert not (root / "manifests" / "registry.ollama.ai" / "library" / "bot").exists()

    def test_partial_download_is_found_again(self, server: Standin, root: Path) -> None:
        server.disk_free = 1000
        pull(server, "new:1b")

        (again,) = Store.from_directory(root).partials.values()
        assert again.completed == 1000
        assert again.total == gguf.write(gguf.llama("qwen3", layers=2))[1]
        server.clock.advance(2 * HOUR)
        server.restart()
        assert not [path for path in (root / "blobs").iterdir() if "partial" in path.name]

    def test_truncated_manifest_is_a_file_of_no_bytes(self, server: Standin, root: Path) -> None:
        server.store.truncate("qwen3:8b")

        assert (root / "manifests" / "registry.ollama.ai" / "library" / "qwen3" / "8b").read_bytes() == b""


class TestShowCache:
    """From 0.23.2 on what was shown once is shown again, even when the files are gone."""

    def lose_weights(self, server: Standin) -> None:
        server.store.remove_blob(weights(server, "qwen3:8b"))

    def test_hides_that_a_blob_is_missing(self, server: Standin) -> None:
        show(server, "qwen3:8b")
        self.lose_weights(server)

        assert post(server, "/api/show", model="qwen3:8b")[0] == 200
        assert post(server, "/api/show", model="qwen3:8b", verbose=True)[0] == 404, "kept for each kind of question"
        server.restart()
        assert post(server, "/api/show", model="qwen3:8b")[0] == 404

    def test_is_not_there_before(self, server: Standin) -> None:
        server.version = "0.23.1"
        show(server, "qwen3:8b")
        self.lose_weights(server)

        assert post(server, "/api/show", model="qwen3:8b")[0] == 404


def test_manifest_of_a_created_model_is_what_go_writes(server: Standin) -> None:
    create(server, "bot", **{"from": "qwen3:8b"}, parameters={"top_p": 1.0, "num_ctx": 4096})

    data = server.store.manifests[Store.named("bot")].data
    params = next(iter(server.store.layers(server.store.manifests[Store.named("bot")], "params")))
    assert data.endswith(b"}\n")
    assert list(json.loads(data)) == ["schemaVersion", "mediaType", "config", "layers"]
    assert server.store.blobs[params["digest"]].data == b'{"num_ctx":4096,"top_p":1}\n'
