"""The stand-in answers as the real server did, request by recorded request."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from standin import Model, Standin, Store
from standin.store import Resident

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings" / "ollama-0.33.0-rc2"

BEFORE = {"llama3.1:8b", "llama3.2:3b", "mistral:7b", "qwen2.5-coder:7b", "qwen3:8b", "team-bot:latest"}
"""The models the recorded server had at first; two more were pulled on the way."""

COVERED = {
    "blob-head-present",
    "ps-empty-or-loaded",
    "ps-loaded",
    "root",
    "show-bad-json",
    "show-bot2",
    "show-empty",
    "show-invalid-name",
    "show-llama3.1_8b",
    "show-missing",
    "show-mistral_7b",
    "show-qwen2.5-coder_7b",
    "show-qwen3_8b",
    "show-team-bot",
    "show-verbose",
    "tags",
    "tags-after",
    "unknown-path",
    "v1-models",
    "version",
    "wrong-verb",
}

RUNS_MODELS = "the stand-in cannot run models yet"
WRITES = "the stand-in only has the reading half yet"
NOT_COVERED = {
    **dict.fromkeys(
        [
            "chat", "chat-format-schema", "chat-image-unsupported", "chat-missing", "chat-stream",
            "chat-think-unsupported", "chat-tools-unsupported", "chat-unload", "embed-chat-model", "embed-missing",
            "generate", "generate-load-only", "generate-raw-bad-option-type", "generate-stream",
            "generate-suffix-unsupported", "generate-too-long-no-truncate", "generate-too-long-truncated", "v1-chat",
            "v1-chat-missing", "v1-chat-stream",
        ],
        RUNS_MODELS,
    ),
    **dict.fromkeys(
        [
            "copy", "copy-invalid", "copy-missing", "copy-over-existing", "create-derived", "create-from-missing",
            "create-over-existing", "create-with-adapter-missing-blob", "delete", "delete-bot2", "delete-invalid",
            "delete-missing", "pull", "pull-again", "pull-flaky", "pull-invalid-name", "pull-missing",
            "pull-needs-insecure", "pull-not-streamed-missing", "pull-registry-unreachable", "pull-too-old",
        ],
        WRITES,
    ),
}  # fmt: skip

PASSING = {"modified_at", "created"}
"""Keys whose value is a time of writing, which a copy of the store does not keep."""
UNORDERED_LISTS = {"models", "data", "capabilities"}
"""Sorted by time with ties at random, or in the order of a Go map."""
UNORDERED_LINES = {"parameters", "modelfile"}


def test_every_recording_is_covered_or_says_why_not() -> None:
    recorded = {path.stem for path in RECORDINGS.glob("*.json")}
    assert COVERED.isdisjoint(NOT_COVERED)
    assert recorded == COVERED | set(NOT_COVERED)
    assert all(NOT_COVERED.values())


@pytest.fixture
def recorded_server(store: Path) -> Any:
    content = Store.from_directory(store)
    content.path = "/srv/ollama/models"
    with Standin(content) as server:
        yield server


def prepare(case: str, server: Standin, expected: Any) -> None:
    """Bring the store into the state the real one was in."""
    store = server.store
    if case != "tags-after":
        store.manifests = {name: entry for name, entry in store.manifests.items() if name.short in BEFORE}
    if case == "show-bot2":
        store.add(
            Model(
                "bot2",
                parent="qwen3:8b",
                system="You are Ada.",
                parameters={"num_ctx": 8192, "temperature": 0.3},
                messages=(("user", "hi"), ("assistant", "hello")),
            )
        )
    if case.startswith("ps-"):
        store.resident = [
            Resident(m["name"], m["size"], m["size_vram"], m["context_length"], m["expires_at"])
            for m in expected["models"]
        ]


@pytest.mark.parametrize("case", sorted(COVERED))
def test_standin_answers_like_the_recorded_server(case: str, recorded_server: Standin) -> None:
    recording = json.loads((RECORDINGS / f"{case}.json").read_text(encoding="utf-8"))
    expected = recording["response"]
    prepare(case, recorded_server, expected.get("json"))

    status, headers, text = send(recorded_server, recording["request"])

    assert status == expected["status"]
    assert headers["Content-Type"] == expected["headers"]["Content-Type"]
    if "json" in expected:
        assert comparable(json.loads(text)) == comparable(expected["json"])
    else:
        assert text == expected["text"]


def test_json_is_escaped_as_go_escapes_it(recorded_server: Standin) -> None:
    _, _, text = send(recorded_server, {"method": "POST", "path": "/api/show", "body": {"model": "team-bot"}})
    assert "<" not in text
    assert r"\u003c|eot_id|\u003e" in text


def send(server: Standin, request: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
    body = request.get("raw", json.dumps(request["body"]) if "body" in request else None)
    try:
        connection.request(request["method"], request["path"], body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


def comparable(value: Any, key: str = "") -> Any:
    """`value` without times, and with the order taken out where the real server has none."""
    if isinstance(value, dict):
        return {name: comparable(item, name) for name, item in value.items() if name not in PASSING}
    if isinstance(value, list):
        items = [comparable(item) for item in value]
        return sorted(items, key=json.dumps) if key in UNORDERED_LISTS else items
    return sorted(value.splitlines()) if key in UNORDERED_LINES and isinstance(value, str) else value
