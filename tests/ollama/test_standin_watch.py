"""Standing beside every request, so that a test can kill its client at a known point; and the stand-in as a process."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from standin import Model, Registry, Request, Standin, Store, faults, gguf
from standin.client import ask, digests, names, opened, post, pull
from standin.requests import Phase

Start = Callable[..., Standin]

TESTS = Path(__file__).parents[1]
NEW = Model("new:1b", weights=gguf.llama("qwen3", layers=2))


@pytest.fixture
def server(start_standin: Start) -> Standin:
    return start_standin(Store.of(Model("a:1")), registry=Registry(NEW))


def test_watch_sees_the_state_of_each_phase(server: Standin) -> None:
    seen: list[tuple[int, str, Phase, bool]] = []
    server.watch(lambda number, request, phase: seen.append((number, request.path, phase, "b:1" in known(server))))

    post(server, "/api/copy", source="a:1", destination="b:1")
    ask(server, "GET", "/api/version")
    server.until_idle()

    assert [entry for entry in seen if entry[1] == "/api/copy"] == [
        (1, "/api/copy", "arrived", False),
        (1, "/api/copy", "done", True),
        (1, "/api/copy", "answered", True),
    ]
    assert [entry[2] for entry in seen if entry[0] == 2] == ["arrived", "done", "answered"]


@pytest.mark.parametrize(
    ("path", "body", "made"),
    [("/api/pull", {"model": "new:1b"}, "new:1b"), ("/api/create", {"model": "bot:1", "from": "a:1"}, "bot:1")],
)
def test_stream_is_done_before_its_last_line(path: str, body: dict[str, Any], made: str, server: Standin) -> None:
    at: dict[Phase, bool] = {}
    lines: list[bytes] = []
    before: list[bytes] = []

    def look(number: int, request: Request, phase: Phase) -> None:
        at[phase] = made in known(server)
        if phase == "done":
            time.sleep(0.05)
            before.extend(lines)

    server.watch(look)
    with opened(server, "POST", path, body) as response:
        for line in response:
            lines.append(line)
    server.until_idle()

    assert at == {"arrived": False, "done": True, "answered": True}
    assert before
    assert [line for line in lines if b"success" in line] and not [line for line in before if b"success" in line]


def test_answers_of_faults_are_watched_as_well(server: Standin) -> None:
    phases: list[Phase] = []
    server.watch(lambda number, request, phase: phases.append(phase))
    server.break_(faults.server_error, "/api/copy")

    post(server, "/api/copy", source="a:1", destination="b:1")
    server.until_idle()

    assert phases == ["arrived", "done", "answered"]


def test_answer_may_be_lost_after_the_work_is_done(server: Standin) -> None:
    server.break_(faults.lose_answer, "/api/copy", model="b:1", times=1)

    with pytest.raises(http.client.RemoteDisconnected):
        post(server, "/api/copy", source="a:1", destination="b:1")

    assert "b:1" in names(server)
    assert post(server, "/api/copy", source="a:1", destination="b:1")[0] == 200


@pytest.mark.parametrize(("phase", "copied"), [("arrived", False), ("done", True)])
def test_restart_from_a_watch_ends_the_request_that_is_watched(phase: Phase, copied: bool, server: Standin) -> None:
    server.watch(lambda number, request, at: server.restart() if (number, at) == (1, phase) else None)

    with pytest.raises((http.client.HTTPException, OSError)):
        post(server, "/api/copy", source="a:1", destination="b:1")

    assert ("b:1" in names(server)) == copied


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("phase", ["arrived", "done"])
def test_client_can_be_killed_at_a_point_of_its_pull(phase: Phase, server: Standin) -> None:
    """What the crash tests of a migration build on."""
    code = f"import urllib.request as u; u.urlopen('{server.url}/api/pull', b'{{\"model\": \"new:1b\"}}').read()"
    client = subprocess.Popen([sys.executable, "-c", code])

    def kill(number: int, request: Request, at: Phase) -> None:
        if at == phase:
            client.send_signal(signal.SIGKILL)
            client.wait()

    server.watch(kill)
    assert client.wait(timeout=20) == -signal.SIGKILL
    server.until_idle()

    assert ("new:1b" in names(server)) == (phase == "done")
    assert pull(server, "new:1b")[-1] == {"status": "success"}


class TestProcess:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return Store.of(Model("a:1")).write_to(tmp_path / "models")

    @pytest.fixture
    def process(self, root: Path, tmp_path: Path) -> Iterator[str]:
        """The address of a stand-in of its own."""
        registry = Store.of(NEW).write_to(tmp_path / "registry")
        command = [sys.executable, "-m", "standin", str(root), "--registry", str(registry)]
        with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            yield running.stdout.readline().strip()
            running.terminate()

    def test_changes_its_directory(self, process: str, root: Path) -> None:
        connection = http.client.HTTPConnection(process.removeprefix("http://"), timeout=10)
        try:
            for path, body in (
                ("/api/copy", '{"source": "a:1", "destination": "b:1"}'),
                ("/api/pull", '{"model": "new:1b"}'),
            ):
                connection.request("POST", path, body)
                assert connection.getresponse().read() is not None
        finally:
            connection.close()

        assert {name.short for name in Store.from_directory(root).manifests} == {"a:1", "b:1", "new:1b"}


def known(server: Standin) -> set[str]:
    """Names in the store, without asking for them."""
    return {name.short for name in server.store.manifests}


def test_digest_of_a_pulled_model_is_that_of_the_registry(server: Standin) -> None:
    assert server.registry is not None
    pull(server, "new:1b")

    assert digests(server)["new:1b"] == server.registry.digest("new:1b")
