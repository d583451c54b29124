"""The stand-in answers as the real server did, request by recorded request.

What a model said is data here, as is how its tokenizer counts: both are told to the stand-in before it is asked. The
texts, statuses, headers, order of events and counters around it are its own.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from standin import Model, Registry, Said, Standin, Store, Traits, Turn
from standin.store import Resident

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings" / "ollama-0.33.0-rc2"

REGISTRY = "localhost:5999"
"""A registry on loopback that speaks http only."""
BOT2 = Model(
    "bot2",
    parent="qwen3:8b",
    system="You are Ada.",
    parameters={"num_ctx": 8192, "temperature": 0.3},
    messages=(("user", "hi"), ("assistant", "hello")),
)
FRAMING = {"llama3.1:8b": (12, 9), "qwen3:8b": (10, 8)}
"""Tokens the chat templates of the recorded models put before the answer and around a message: they have one for each
byte, and one for each special token."""
RESIDENT = Traits(size=6511655, gpu_share=146800 / 6511655)
"""What the runner of the recorded llama3.1:8b reported, on a machine without a GPU."""

SHORTENED = {"create-from-missing"}
"""Recordings whose text lost the address of a name server, which its recorded length still counts."""
PASSING = {"modified_at", "created", "id", "created_at", "expires_at"}
"""Keys whose value is a time or drawn at random."""
MEASURED = {"total_duration", "load_duration", "prompt_eval_duration", "eval_duration", "context"}
"""Keys whose value depends on the machine or on the numbers of tokens: the type is compared."""
UNORDERED_LISTS = {"models", "data", "capabilities"}
"""Sorted by time with ties at random, or in the order of a Go map."""
UNORDERED_LINES = {"parameters", "modelfile"}


@dataclass(frozen=True)
class Recorded:
    """A model that says what it said then."""

    said: Said
    traits: Traits

    def say(self, turn: Turn) -> Said:
        return self.said


@pytest.fixture
def recorded_server(store: Path) -> Any:
    content = Store.from_directory(store)
    content.path = "/srv/ollama/models"
    registry = Registry(content=Store.from_directory(store), hosts={REGISTRY}, plain=True)
    registry.content.manifests = {name: entry for name, entry in content.manifests.items() if name.host == REGISTRY}
    registry.publish(Model(f"{REGISTRY}/library/too-old:8b", requires="0.99.0"))
    with Standin(content, registry=registry) as server:
        yield server


def prepare(case: str, server: Standin, recording: dict[str, Any]) -> None:
    """Bring the server into the state the real one was in, by its own API where that is how it came about."""
    store, expected = server.store, recording["response"]
    if case not in ("tags-after", "pull-again"):
        pulled = ["qwen3:4b"] if case == "pull-flaky" else []
        for name in [name for name in store.manifests if name.host == REGISTRY and name.short not in pulled]:
            if name.short.rpartition("/")[2] not in pulled:
                delete(server, name.short)
    if case in ("show-bot2", "create-over-existing", "delete-bot2"):
        store.add(BOT2)
    if case in ("copy-over-existing", "delete"):
        post(server, "/api/copy", {"source": "llama3.1:8b", "destination": "llamaexit-keep/test:v1"})
    if case == "ps-empty-or-loaded":
        store.resident = [
            Resident(m["name"], m["size"], m["size_vram"], m["context_length"], m["expires_at"])
            for m in expected["json"]["models"]
        ]
    if case == "ps-loaded":
        server.behaviours["llama3.1:8b"] = Recorded(Said(), RESIDENT)
        post(server, "/api/generate", {"model": "llama3.1:8b"})
    model = recording["request"].get("body", {}).get("model")
    if model in FRAMING:
        traits = Traits(tokens=lambda text: [chr(byte) for byte in text.encode()], framing=FRAMING[model])
        server.behaviours[model] = Recorded(what_was_said(expected), traits)


def what_was_said(response: dict[str, Any]) -> Said:
    """The pieces of a recorded answer, how many tokens they were, and how they ended."""
    pieces: list[str] = []
    last: dict[str, Any] = {}
    for last in [*response.get("lines", ()), *events(response.get("sse", "")), response.get("json") or {}]:
        choice = (last.get("choices") or [{}])[0]
        message = last.get("message") or choice.get("message") or choice.get("delta") or last
        pieces.append(message.get("content") or message.get("response") or "")
        last = last if "choices" not in last else {**last, "done_reason": choice.get("finish_reason")}
        if last.get("done_reason"):
            break
    tokens = last.get("eval_count") or (last.get("usage") or {}).get("completion_tokens")
    content = tuple(piece for piece in pieces if piece)
    return Said(content, tokens=tokens, done_reason=last.get("done_reason"))


def events(sse: str) -> list[dict[str, Any]]:
    return [json.loads(event.removeprefix("data: ")) for event in sse.split("\n\n") if event.startswith("data: {")]


@pytest.mark.parametrize("case", sorted(path.stem for path in RECORDINGS.glob("*.json")))
def test_standin_answers_like_the_recorded_server(case: str, recorded_server: Standin) -> None:
    recording = json.loads((RECORDINGS / f"{case}.json").read_text(encoding="utf-8"))
    expected = recording["response"]
    prepare(case, recorded_server, recording)

    status, headers, text = send(recorded_server, recording["request"])

    assert status == expected["status"]
    assert headers.get("Content-Type") == expected["headers"].get("Content-Type")
    assert headers.get("Transfer-Encoding") == expected["headers"].get("Transfer-Encoding")
    if case not in SHORTENED and not contains_passing(expected):
        assert headers.get("Content-Length") == expected["headers"].get("Content-Length")
    if "json" in expected:
        assert comparable(json.loads(text)) == comparable(expected["json"])
    elif "lines" in expected:
        assert [comparable(json.loads(line)) for line in text.splitlines()] == comparable(expected["lines"])
    elif "sse" in expected:
        assert comparable(events(text)) == comparable(events(expected["sse"]))
        assert text.endswith("\n\ndata: [DONE]\n\n")
    else:
        assert text == expected["text"]


def test_json_is_escaped_as_go_escapes_it(recorded_server: Standin) -> None:
    _, _, text = send(recorded_server, {"method": "POST", "path": "/api/show", "body": {"model": "team-bot"}})
    assert "<" not in text
    assert r"\u003c|eot_id|\u003e" in text


def test_derived_model_is_made_of_the_very_blobs_the_recorded_server_made(recorded_server: Standin) -> None:
    store = recorded_server.store
    before = store.manifests[store.named("team-bot")].digest
    parameters = {"num_ctx": 8192, "stop": ["<|eot_id|>", "END"], "temperature": 0.3}
    body = {
        "model": "again",
        "from": "llama3.1:8b",
        "system": "You are Ada, the ACME helper.",
        "parameters": parameters,
    }

    post(recorded_server, "/api/create", body)

    assert store.manifests[store.named("again")].digest == before


def test_create_from_a_missing_base_leaves_the_config_the_recorded_server_left(recorded_server: Standin) -> None:
    orphan = "sha256:6118c38e56910d6af964f842c21300229a4186f0c177f122fd4997be6286446d"
    recorded_server.store.remove_blob(orphan)

    post(recorded_server, "/api/create", {"model": "bot3", "from": "nope/missing-model:1b", "stream": False})

    assert orphan in recorded_server.store.blobs


def post(server: Standin, path: str, body: dict[str, Any]) -> None:
    send(server, {"method": "POST", "path": path, "body": body})


def delete(server: Standin, name: str) -> None:
    send(server, {"method": "DELETE", "path": "/api/delete", "body": {"model": name}})


def send(server: Standin, request: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
    body = request.get("raw", json.dumps(request["body"]) if "body" in request else None)
    try:
        connection.request(request["method"], request["path"], body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


def contains_passing(value: Any) -> bool:
    """Whether the length of the answer is a matter of chance."""
    if isinstance(value, dict):
        return bool(value.keys() & (PASSING | MEASURED)) or any(contains_passing(item) for item in value.values())
    return isinstance(value, list) and any(contains_passing(item) for item in value)


def comparable(value: Any, key: str = "") -> Any:
    """`value` without times, with kinds for measurements, and with the order taken out where the server has none."""
    if key in MEASURED:
        return type(value).__name__ if value else value
    if isinstance(value, dict):
        return {name: comparable(item, name) for name, item in value.items() if name not in PASSING}
    if isinstance(value, list):
        items = [comparable(item) for item in value]
        return sorted(items, key=json.dumps) if key in UNORDERED_LISTS else items
    return sorted(value.splitlines()) if key in UNORDERED_LINES and isinstance(value, str) else value
