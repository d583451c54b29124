"""What a migration relies on when it changes a real Ollama. What the tests need is told in `real_ollama`.

They hold the stand-in to account, too: whatever is true here has to be true there.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llamaexit.ollama.changes import Changes, Creation, Progress
from llamaexit.ollama.failures import Refused
from llamaexit.ollama.inference import Inference
from llamaexit.ollama.parameters import parse_parameters
from llamaexit.ollama.pull_failures import PullError
from real_ollama import (
    ADDRESS,
    OURS,
    RealOllama,
    at_registry,
    eventually,
    needs_registry,
    registry_manifest,
    text_digest,
    weights,
)

pytestmark = needs_registry

LLAMA = "llama3.1:8b"
QWEN = "qwen3:8b"
SLOW = "slow:14b"
SMALL = {"temperature": 0, "num_predict": 8, "num_ctx": 512}
"""Options that make an answer quick."""
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def ollama() -> Iterator[RealOllama]:
    server = RealOllama(ADDRESS)
    try:
        yield server
    finally:
        server.clean()


@pytest.fixture
def changes() -> Iterator[Changes]:
    with Changes(ADDRESS, timeout=60) as changes:
        yield changes


@pytest.fixture
def inference() -> Iterator[Inference]:
    inference = Inference(ADDRESS)
    yield inference
    inference.close()


def unique_system() -> str:
    """A system prompt nobody else has, so that its layer belongs to the models of one test alone."""
    return f"You are bot {secrets.token_hex(8)}."


def test_pulled_name_has_the_digest_of_the_manifest_at_the_registry(ollama: RealOllama, changes: Changes) -> None:
    name = ollama.own(at_registry(QWEN))
    changes.pull(name)
    assert ollama.tags()[name] == hashlib.sha256(registry_manifest(QWEN)).hexdigest()


def test_pull_of_what_is_there_already_succeeds_and_changes_nothing(ollama: RealOllama, changes: Changes) -> None:
    name = ollama.install(QWEN)
    before = ollama.tags()[name]
    seen: list[Progress] = []
    changes.pull(name, seen.append)
    assert seen[-1].status == "success"
    assert all(event.completed == event.total for event in seen if event.digest is not None)
    assert ollama.tags()[name] == before


def test_pull_of_a_name_the_registry_lacks_is_an_error_in_a_good_answer(ollama: RealOllama, changes: Changes) -> None:
    name = ollama.own(at_registry("nothing-of-this-name:1b"))
    status, answer = ollama.ask("POST", "/api/pull", {"model": name, "insecure": True})
    assert status == 200 and b'"error":"pull model manifest: file does not exist"' in answer
    with pytest.raises(PullError) as error:
        changes.pull(name)
    assert error.value.kind == "missing" and name not in ollama.tags()


def test_cancelled_pull_is_no_model_and_the_next_one_goes_on_where_it_ended(
    ollama: RealOllama, changes: Changes
) -> None:
    name, layer = ollama.own(at_registry(SLOW)), weights(SLOW)
    seen: list[Progress] = []
    with pytest.raises(PullError) as error:
        changes.pull(name, seen.append, cancelled=lambda: any(event.completed > 2**22 for event in seen))
    fetched = max(event.completed for event in seen if event.digest == layer)
    assert error.value.kind == "cancelled"
    assert name not in ollama.tags() and not ollama.has_blob(layer)
    again: list[Progress] = []
    changes.pull(name, again.append)
    assert next(event.completed for event in again if event.digest == layer) >= fetched
    assert name in ollama.tags() and ollama.has_blob(layer)


def test_copy_means_the_same_and_takes_no_room(ollama: RealOllama, changes: Changes) -> None:
    source, copy = ollama.install(LLAMA), ollama.own(f"{OURS}/copy:v1")
    folder = ollama.blobs(source)
    before = _sizes(folder)
    changes.copy(source, copy)
    tags = ollama.tags()
    assert tags[copy] == tags[source]
    assert _sizes(folder) == before


def _sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in folder.iterdir()}


def test_longest_backup_name_is_taken(ollama: RealOllama, changes: Changes) -> None:
    source = ollama.install(LLAMA)
    digest = ollama.tags()[source]
    backup = ollama.own(f"{OURS}/{digest}:latest")
    changes.copy(source, backup)
    assert ollama.tags()[backup] == digest


def test_copy_of_what_is_not_there_is_refused(ollama: RealOllama, changes: Changes) -> None:
    with pytest.raises(Refused) as error:
        changes.copy(f"{OURS}/nothing:v1", ollama.own(f"{OURS}/copy:v1"))
    assert error.value.status == 404


class TestPullOverATagThatHasMoved:
    """The name means a model that the registry no longer has under it: here, one that was built under that name."""

    @pytest.fixture
    def system(self) -> str:
        return unique_system()

    @pytest.fixture
    def name(self, ollama: RealOllama, changes: Changes, system: str) -> str:
        base, name = ollama.install(LLAMA), ollama.own(at_registry(QWEN))
        changes.create(Creation(name, base, system=system))
        return name

    def test_backup_keeps_the_old_layers_and_brings_the_old_model_back(
        self, ollama: RealOllama, changes: Changes, name: str, system: str
    ) -> None:
        old, backup = ollama.tags()[name], ollama.own(f"{OURS}/backup:v1")
        changes.copy(name, backup)
        changes.pull(name)
        tags = ollama.tags()
        assert tags[name] != old and tags[backup] == old
        assert ollama.has_blob(text_digest(system))
        changes.copy(backup, name)
        assert ollama.tags()[name] == old
        assert ollama.show(name)["system"] == system

    def test_old_layers_are_gone_without_one(
        self, ollama: RealOllama, changes: Changes, name: str, system: str
    ) -> None:
        assert ollama.has_blob(text_digest(system))
        changes.pull(name)
        assert not ollama.has_blob(text_digest(system))


def test_delete_leaves_the_layers_that_others_share(ollama: RealOllama, changes: Changes) -> None:
    base, system = ollama.install(LLAMA), unique_system()
    first, second = ollama.own(f"{OURS}/first:v1"), ollama.own(f"{OURS}/second:v1")
    for name in (first, second):
        changes.create(Creation(name, base, system=system))
    changes.delete(first)
    assert first not in ollama.tags() and ollama.has_blob(text_digest(system))
    changes.delete(second)
    assert not ollama.has_blob(text_digest(system)) and ollama.has_blob(weights(LLAMA))


def test_copy_over_a_name_leaves_the_layers_it_had(ollama: RealOllama, changes: Changes) -> None:
    base, system = ollama.install(LLAMA), unique_system()
    bot = ollama.own(f"{OURS}/bot:v1")
    changes.create(Creation(bot, base, system=system))
    changes.copy(base, bot)
    assert ollama.tags()[bot] == ollama.tags()[base]
    assert ollama.has_blob(text_digest(system))


class TestStructuredCreate:
    @pytest.fixture
    def base(self, ollama: RealOllama) -> str:
        return ollama.install(LLAMA)

    def creation(self, name: str, base: str) -> Creation:
        return Creation(
            name,
            base,
            system="You are Ada. <b>é</b>",
            parameters={"num_ctx": 2048, "temperature": 0.3, "seed": 123456789, "stop": ["END", '"']},
            messages=({"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello, <team>."}),
        )

    def test_carries_system_messages_and_parameters(self, ollama: RealOllama, changes: Changes, base: str) -> None:
        bot = ollama.own(f"{OURS}/bot:v1")
        asked = self.creation(bot, base)
        changes.create(asked)
        shown = ollama.show(bot)
        assert shown["system"] == asked.system
        assert [*asked.messages] == shown["messages"]
        assert parse_parameters(shown["parameters"]).items() >= asked.parameters.items()
        assert shown["details"]["parent_model"] == base

    def test_says_over_the_base_only_what_it_is_told(self, ollama: RealOllama, changes: Changes, base: str) -> None:
        bot = ollama.own(f"{OURS}/bot:v1")
        changes.create(Creation(bot, base, parameters={"num_ctx": 2048}))
        below, shown = ollama.show(base), ollama.show(bot)
        expected = {**parse_parameters(below["parameters"]), "num_ctx": 2048}
        assert parse_parameters(shown["parameters"]) == expected
        assert shown["template"] == below["template"] and shown["license"] == below["license"]

    def test_gives_the_same_digest_for_the_same_request(self, ollama: RealOllama, changes: Changes, base: str) -> None:
        first, second = ollama.own(f"{OURS}/first:v1"), ollama.own(f"{OURS}/second:v1")
        for name in (first, second, first):
            changes.create(self.creation(name, base))
        tags = ollama.tags()
        assert tags[first] == tags[second] != tags[base]

    def test_looks_its_base_up_by_the_very_spelling_and_pulls_what_it_does_not_find(
        self, ollama: RealOllama, changes: Changes, base: str
    ) -> None:
        bot = ollama.own(f"{OURS}/bot:v1")
        with pytest.raises(Refused) as error:
            changes.create(Creation(bot, base.upper()))
        assert error.value.reason.startswith("pull model manifest: ")
        assert bot not in ollama.tags()


class TestNamesInAnotherCase:
    def test_are_the_same_model(self, ollama: RealOllama) -> None:
        name = ollama.install(LLAMA)
        assert ollama.show(name.upper())["details"] == ollama.show(name)["details"]

    def test_are_written_over_and_keep_their_spelling(self, ollama: RealOllama, changes: Changes) -> None:
        source, other = ollama.install(LLAMA), ollama.install(QWEN)
        name = ollama.own(f"{OURS}/Bot:v1")
        changes.copy(source, name)
        changes.copy(other, name.lower())
        tags = ollama.tags()
        assert tags[name] == tags[other] and name.lower() not in tags

    def test_are_deleted(self, ollama: RealOllama, changes: Changes) -> None:
        source, name = ollama.install(LLAMA), ollama.own(f"{OURS}/bot:v1")
        changes.copy(source, name)
        changes.delete(name.upper())
        assert name not in ollama.tags()


def test_empty_manifest_is_not_listed_cannot_be_deleted_and_is_healed_by_a_copy(
    ollama: RealOllama, changes: Changes
) -> None:
    """What a server leaves that dies while it writes a manifest."""
    source, name = ollama.install(LLAMA), ollama.own(f"{OURS}/torn:v1")
    changes.copy(source, name)
    manifest = ollama.blobs(source).parent / "manifests" / "registry.ollama.ai" / OURS / "torn" / "v1"
    content = manifest.read_bytes()
    manifest.write_bytes(b"")
    try:
        assert name not in ollama.tags()
        with pytest.raises(Refused) as error:
            changes.delete(name)
        assert error.value.status == 500
        changes.copy(source, name)
        assert ollama.tags()[name] == ollama.tags()[source]
    finally:
        manifest.write_bytes(content)


@pytest.mark.parametrize("streamed", [False, True], ids=["in one piece", "streamed"])
@pytest.mark.parametrize("model", [LLAMA, QWEN])
@pytest.mark.parametrize(
    ("path", "request_"),
    [
        pytest.param("/api/chat", {"messages": HELLO, "options": SMALL}, id="chat"),
        pytest.param("/api/generate", {"prompt": "Hello", "options": SMALL}, id="generate"),
        pytest.param("/v1/chat/completions", {"messages": HELLO, "max_tokens": 8, "temperature": 0}, id="v1"),
    ],
)
def test_models_answer_on_every_door(
    ollama: RealOllama, inference: Inference, path: str, request_: dict[str, Any], model: str, streamed: bool
) -> None:
    name = ollama.install(model)
    reply = inference.ask(path, {"model": name, "stream": streamed, **request_}, seconds=60)
    assert (reply.status, reply.error) == (200, None)
    bodies = [chunk.body for chunk in reply.chunks] if streamed else [reply.body or {}]
    assert "".join(_text(body) for body in bodies)
    assert _ending(bodies) in ("stop", "length")


def _text(body: dict[str, Any]) -> str:
    choice = (body.get("choices") or [{}])[0]
    message = body.get("message") or choice.get("message") or choice.get("delta") or {}
    return str(body.get("response") or message.get("content") or "")


def _ending(bodies: list[dict[str, Any]]) -> str | None:
    found = (body.get("done_reason") or (body.get("choices") or [{}])[0].get("finish_reason") for body in bodies)
    return next((reason for reason in found if reason), None)


@pytest.mark.parametrize(
    ("path", "nothing"),
    [pytest.param("/api/chat", {"messages": []}, id="chat"), pytest.param("/api/generate", {}, id="generate")],
)
def test_asked_nothing_a_model_is_loaded_with_its_context_and_unloaded_again(
    ollama: RealOllama, inference: Inference, path: str, nothing: dict[str, Any]
) -> None:
    name = ollama.install(QWEN)
    digest = ollama.tags()[name]
    request = {"model": name, "stream": False, **nothing}
    loaded = inference.ask(path, {**request, "options": {"num_ctx": 512}}, seconds=60)
    assert loaded.body is not None and (loaded.body["done"], loaded.body["done_reason"]) == (True, "load")
    assert ollama.loaded()[digest]["context_length"] == 512
    unloaded = inference.ask(path, {**request, "keep_alive": 0}, seconds=60)
    assert unloaded.body is not None and unloaded.body["done_reason"] == "unload"
    assert eventually(lambda: digest not in ollama.loaded())


def test_deleted_model_is_out_of_memory_too(ollama: RealOllama, changes: Changes, inference: Inference) -> None:
    name = ollama.install(QWEN)
    digest = ollama.tags()[name]
    inference.ask("/api/chat", {"model": name, "messages": [], "stream": False}, seconds=60)
    assert digest in ollama.loaded()
    changes.delete(name)
    assert eventually(lambda: digest not in ollama.loaded())


def test_old_model_of_a_name_that_is_copied_over_stays_in_memory_until_its_backup_is_unloaded(
    ollama: RealOllama, changes: Changes, inference: Inference
) -> None:
    old, new = ollama.install(LLAMA), ollama.install(QWEN)
    name, backup = ollama.own(f"{OURS}/bot:v1"), ollama.own(f"{OURS}/backup:v1")
    changes.copy(old, name)
    changes.copy(old, backup)
    digest = ollama.tags()[name]
    unloading = {"messages": [], "keep_alive": 0, "stream": False}
    inference.ask("/api/chat", {"model": name, "messages": [], "stream": False}, seconds=60)
    changes.copy(new, name)
    inference.ask("/api/chat", {"model": name, **unloading}, seconds=60)
    assert ollama.loaded()[digest]["name"] == name
    inference.ask("/api/chat", {"model": backup, **unloading}, seconds=60)
    assert eventually(lambda: digest not in ollama.loaded())


class TestContext:
    @pytest.fixture
    def request_(self, ollama: RealOllama) -> dict[str, Any]:
        return {"model": ollama.install(LLAMA), "raw": True, "stream": False, "options": {**SMALL, "num_predict": 1}}

    def test_prompt_that_fits_is_counted_in_full(self, inference: Inference, request_: dict[str, Any]) -> None:
        replies = [
            inference.ask("/api/generate", {**request_, "prompt": " x" * words}, seconds=60) for words in (10, 20, 30)
        ]
        counts = [(reply.body or {})["prompt_eval_count"] for reply in replies]
        assert counts[1] - counts[0] == counts[2] - counts[1] > 0

    def test_prompt_that_does_not_fit_is_cut_and_counts_as_what_is_left(
        self, inference: Inference, request_: dict[str, Any]
    ) -> None:
        reply = inference.ask("/api/generate", {**request_, "prompt": " x" * 2000}, seconds=60)
        assert reply.status == 200 and 0 < (reply.body or {})["prompt_eval_count"] < SMALL["num_ctx"]

    def test_prompt_that_does_not_fit_is_refused_where_nothing_may_be_cut(
        self, inference: Inference, request_: dict[str, Any]
    ) -> None:
        request = {**request_, "prompt": " x" * 2000, "truncate": False, "shift": False}
        reply = inference.ask("/api/generate", request, seconds=60)
        assert reply.status == 400 and "context" in (reply.error or "")
