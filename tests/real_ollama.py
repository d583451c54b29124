"""A real Ollama, and a registry it can pull from, for the tests marked `ollama` that change something.

LLAMAEXIT_TEST_OLLAMA is the address of the server, LLAMAEXIT_TEST_REGISTRY what stands before the names of models in
the registry, such as `127.0.0.1:5555/library`. Where either is missing, tests skip.

The registry is one that Ollama itself can pull from over plain http (its blob answers have to name another host, see
server/download.go), on the machine of the server, with these models, as tiny as you like and of any weights that Ollama
can run:

- `llama3.1:8b`: architecture `llama`, with layers for a licence, a template and parameters (`stop` among them)
- `qwen3:8b`: architecture `qwen3` and other weights
- `slow:14b`: one layer of at least 16 MiB that takes at least two seconds to arrive

Where the first two can repeat a word they are asked to, and else give different answers, migrations are also run with
smoke tests; else those runs are skipped.

The server has to prune (no OLLAMA_NOPRUNE). What tests install they delete again; names that are there already are not
touched, and make the tests that would need them skip.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ADDRESS = os.environ.get("LLAMAEXIT_TEST_OLLAMA", "")
REGISTRY = os.environ.get("LLAMAEXIT_TEST_REGISTRY", "").rstrip("/")
OURS = "llamaexit-test"
"""The namespace of every name that tests make up."""

needs_registry = [
    pytest.mark.ollama,
    pytest.mark.skipif(not ADDRESS, reason="LLAMAEXIT_TEST_OLLAMA does not give the address of an Ollama server"),
    pytest.mark.skipif(not REGISTRY, reason="LLAMAEXIT_TEST_REGISTRY does not say what that server can pull from"),
]


def at_registry(name: str) -> str:
    """The name under which the server pulls a model of the registry."""
    return f"{REGISTRY}/{name}"


def registry_manifest(name: str) -> bytes:
    """The manifest of a model, byte for byte as the registry gives it."""
    host, namespace = REGISTRY.rsplit("/", 1)
    model, tag = name.split(":")
    with closing(http.client.HTTPConnection(host, timeout=10)) as connection:
        connection.request("GET", f"/v2/{namespace}/{model}/manifests/{tag}")
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, f"{REGISTRY} answers {response.status} when asked about {name}"
        return body


def weights(name: str) -> str:
    """`sha256:…` of the weights of a model in the registry."""
    layers = json.loads(registry_manifest(name))["layers"]
    return next(str(layer["digest"]) for layer in layers if layer["mediaType"] == "application/vnd.ollama.image.model")


def text_digest(text: str) -> str:
    """`sha256:…` of the layer Ollama makes of a text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class RealOllama:
    """Plain requests to the server, past everything that is tested."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        self.url = f"http://{parts.netloc}"
        self._host = parts.netloc
        self._made: list[str] = []

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        with closing(http.client.HTTPConnection(self._host, timeout=120)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, response.read()

    def json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The JSON of an answer that has to be a good one."""
        status, answer = self.ask(method, path, body)
        assert status == 200, f"{path} answered {status}: {answer[:300]!r}"
        found: dict[str, Any] = json.loads(answer)
        return found

    def tags(self) -> dict[str, str]:
        """Installed names and the digests of their manifests."""
        return {tag["name"]: tag["digest"] for tag in self.json("GET", "/api/tags")["models"]}

    def show(self, name: str) -> dict[str, Any]:
        return self.json("POST", "/api/show", {"model": name})

    def loaded(self) -> dict[str, dict[str, Any]]:
        """The models in memory, by the digest of their manifests."""
        return {model["digest"]: model for model in self.json("GET", "/api/ps")["models"]}

    def has_blob(self, digest: str) -> bool:
        return self.ask("HEAD", f"/api/blobs/{digest}")[0] == 200

    def copy(self, source: str, destination: str) -> None:
        assert self.ask("POST", "/api/copy", {"source": source, "destination": destination}) == (200, b"")

    def pull(self, name: str) -> list[dict[str, Any]]:
        """Pull a model of the registry; the events."""
        status, answer = self.ask("POST", "/api/pull", {"model": at_registry(name), "insecure": True})
        events = [json.loads(line) for line in answer.splitlines()]
        assert status == 200 and events[-1] == {"status": "success"}, events[-1]
        return events

    @contextmanager
    def pulling(self, name: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a pull as they come; leaving closes the connection, as a client does that gives up."""
        with closing(http.client.HTTPConnection(self._host, timeout=120)) as connection:
            connection.request("POST", "/api/pull", json.dumps({"model": at_registry(name), "insecure": True}))
            with closing(connection.getresponse()) as response:
                yield (json.loads(line) for line in iter(response.readline, b""))

    def own(self, name: str) -> str:
        """A name a test is about to make, which will be deleted when it ends. Skips when it is there already."""
        full = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
        if full.lower() not in (made.lower() for made in self._made):
            if full.lower() in (found.lower() for found in self.tags()):
                pytest.skip(f"{full} is installed already, and not by this test")
            self._made.append(full)
        return full

    def adopt(self, name: str) -> None:
        """A name that came about because of a test, to be deleted with those it made itself."""
        self._made.append(name)

    def install(self, name: str) -> str:
        """A model of the registry, pulled for this test; its name on the server."""
        full = self.own(at_registry(name))
        self.pull(name)
        return full

    def clean(self) -> None:
        """Delete what was made, and take it out of memory first: without a name nobody could."""
        there = {name.lower(): name for name in self.tags()}
        for made in self._made:
            if (name := there.get(made.lower())) is not None:
                self.ask("POST", "/api/generate", {"model": name, "keep_alive": 0})
                self.ask("DELETE", "/api/delete", {"model": name})
        self._made.clear()

    def blobs(self, name: str) -> Path:
        """The folder of blobs of the server's store. Skips when the store cannot be seen from here."""
        line = next(line for line in self.show(name)["modelfile"].splitlines() if line.startswith("FROM "))
        folder = Path(line.removeprefix("FROM ")).parent
        if not folder.is_dir():
            pytest.skip(f"{folder}, where the server keeps its models, cannot be seen from here")
        return folder


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether something becomes true within some seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
