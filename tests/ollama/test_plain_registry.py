"""Which registries are pulled from over plain http: those on the machine of Ollama, and no others."""

from __future__ import annotations

import pytest

from llamaexit.ollama.changes import Changes
from llamaexit.ollama.pull_failures import PullError
from llamaexit.ollama.web import asked_plainly
from standin import Model, Registry, Standin


@pytest.mark.parametrize(
    ("host", "plainly"),
    [
        pytest.param("localhost:5000", True, id="this machine by name"),
        pytest.param("127.0.0.1:5000", True, id="this machine by address"),
        pytest.param("localhost", True, id="this machine without a port"),
        pytest.param("registry.ollama.ai", False, id="Ollama's own registry"),
        pytest.param("10.0.0.5:5000", False, id="another machine of a private network"),
        pytest.param("localhost.example.org:5000", False, id="a name that only begins like this machine's"),
    ],
)
def test_only_registries_on_this_machine_are_asked_plainly(host: str, plainly: bool) -> None:
    assert asked_plainly(host) is plainly


@pytest.mark.parametrize(
    ("name", "insecure"),
    [
        pytest.param("localhost:5000/library/qwen3:8b", True, id="registry on this machine"),
        pytest.param("qwen3:8b", False, id="Ollama's own registry"),
        pytest.param("registry.example.org/library/qwen3:8b", False, id="registry somewhere else"),
    ],
)
def test_pull_says_insecure_only_of_registries_on_this_machine(name: str, insecure: bool) -> None:
    host = name.split("/")[0] if "/" in name else "registry.ollama.ai"
    registry = Registry(Model(name), hosts=(host,), plain=insecure)
    with Standin(registry=registry) as server, Changes(server.url, timeout=5) as changes:
        changes.pull(name)
        assert server.asked("/api/pull")[0].body.get("insecure", False) is insecure


def test_registry_elsewhere_without_tls_is_refused_and_says_why() -> None:
    name = "registry.example.org/library/qwen3:8b"
    registry = Registry(Model(name), hosts=("registry.example.org",), plain=True)
    with Standin(registry=registry) as server, Changes(server.url, timeout=5) as changes:
        with pytest.raises(PullError) as error:
            changes.pull(name)
        assert error.value.kind == "insecure" and not error.value.retryable
