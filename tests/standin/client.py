"""Asking a stand-in without any of the code it is there to test."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from standin.server import Standin

Answer = tuple[int, Any]


@contextmanager
def opened(
    standin: Standin, method: str, path: str, body: Any = None, *, timeout: float = 10
) -> Iterator[http.client.HTTPResponse]:
    """The answer to one request as it arrives; leaving the block closes the connection."""
    connection = http.client.HTTPConnection(standin.url.removeprefix("http://"), timeout=timeout)
    try:
        sent = body if isinstance(body, bytes | None) else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": "application/json"})
        yield connection.getresponse()
    finally:
        connection.close()


def ask(standin: Standin, method: str, path: str, body: Any = None) -> Answer:
    """Status, and the JSON of the answer: a list where it has lines; the text of what is no JSON, None for nothing."""
    with opened(standin, method, path, body) as response:
        text = response.read().decode()
        kind = response.headers.get("Content-Type") or ""
    if kind.startswith("application/x-ndjson"):
        return response.status, [json.loads(line) for line in text.splitlines()]
    return response.status, (json.loads(text) if "json" in kind and text else text or None)


def post(standin: Standin, path: str, **body: Any) -> Answer:
    """POST a JSON object."""
    return ask(standin, "POST", path, body)


def pull(standin: Standin, model: str, **body: Any) -> list[dict[str, Any]]:
    """The lines of a pull."""
    _, lines = post(standin, "/api/pull", model=model, **body)
    assert isinstance(lines, list)
    return lines


def names(standin: Standin) -> set[str]:
    """What `/api/tags` lists."""
    return set(digests(standin))


def digests(standin: Standin) -> dict[str, str]:
    """What `/api/tags` says each name is."""
    _, listed = ask(standin, "GET", "/api/tags")
    return {model["name"]: model["digest"] for model in listed["models"]}


def loaded(standin: Standin) -> dict[str, dict[str, Any]]:
    """What `/api/ps` lists, by name."""
    _, listed = ask(standin, "GET", "/api/ps")
    return {model["name"]: model for model in listed["models"]}
