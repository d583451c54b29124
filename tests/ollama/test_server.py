from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from llamaexit.errors import OllamaError
from llamaexit.ollama import server as server_module
from llamaexit.ollama import wire
from llamaexit.ollama.failures import (
    BadAnswer,
    Forbidden,
    NotOllama,
    Refused,
    TimedOut,
    TooLarge,
    TooOld,
    Unauthorized,
    Unreachable,
)
from llamaexit.ollama.server import Server
from standin import Model, Standin, Store, faults
from standin.faults import Fault

Start = Callable[..., Standin]
SHORT = 0.25
"""Seconds: the timeout of the tests that run into it."""


@pytest.fixture
def connect() -> Iterator[Callable[..., Server]]:
    opened: list[Server] = []

    def connect(standin: Standin | str, **options: object) -> Server:
        url = standin if isinstance(standin, str) else standin.url
        opened.append(Server(url, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield connect
    for server in opened:
        server.close()


Connect = Callable[..., Server]


def test_version_tags_show_and_ps_are_handed_out_as_they_came(standin: Standin, connect: Connect) -> None:
    server = connect(standin)
    assert server.version() == "0.33.0-rc2"
    assert {tag["name"] for tag in server.tags()} >= {"llama3.1:8b", "team-bot:latest"}
    assert server.show("team-bot")["system"] == "You are Ada, the ACME helper."
    assert server.ps() == []


def test_verbose_show_has_the_arrays(standin: Standin, connect: Connect) -> None:
    server = connect(standin)
    assert server.show("llama3.1:8b")["model_info"]["tokenizer.ggml.tokens"] is None
    assert len(server.show("llama3.1:8b", verbose=True)["model_info"]["tokenizer.ggml.tokens"]) == 260


def test_name_in_another_case_is_found(standin: Standin, connect: Connect) -> None:
    assert connect(standin).show("LLAMA3.1:8B")["details"]["family"] == "llama"


def test_blob_is_present_or_not(standin: Standin, connect: Connect) -> None:
    server = connect(standin)
    present = next(iter(standin.store.blobs))
    assert server.has_blob(present)
    assert not server.has_blob("sha256:" + "0" * 64)
    with pytest.raises(OllamaError):
        server.has_blob("nonsense")


def test_null_instead_of_models_means_none(start_standin: Start, connect: Connect) -> None:
    standin = start_standin()
    standin.break_(faults.answer(200, '{"models":null}', "application/json"), "/api/tags")
    assert connect(standin).tags() == []


def test_one_connection_serves_request_after_request(standin: Standin, connect: Connect) -> None:
    server = connect(standin)
    for _ in range(5):
        server.version()
    assert standin.connections == 1


def test_kept_connection_that_the_server_closed_is_replaced(standin: Standin, connect: Connect) -> None:
    server = connect(standin)
    server.version()
    standin.end_connections()
    assert server.version() == "0.33.0-rc2"


def test_answer_that_ends_with_the_connection_is_read_whole(start_standin: Start, connect: Connect) -> None:
    standin = start_standin()
    standin.break_(faults.answer(200, '{"version":"0.5.0"}', "application/json", Connection="close"))
    server = connect(standin)
    assert [server.version(), server.version()] == ["0.5.0", "0.5.0"]


def test_key_is_sent_as_bearer_token_and_origin_never(standin: Standin, connect: Connect) -> None:
    connect(standin, api_key="sesame").version()
    connect(standin).version()
    with_key, without = standin.log
    assert with_key.headers["Authorization"] == "Bearer sesame"
    assert "Authorization" not in without.headers
    assert "Origin" not in with_key.headers


def test_proxy_of_the_environment_is_not_used(
    standin: Standin, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert connect(standin).version()


def test_path_of_the_base_url_goes_before_every_route(start_standin: Start, connect: Connect) -> None:
    standin = start_standin()
    with pytest.raises(NotOllama):
        connect(f"{standin.url}/ollama").version()
    assert standin.log[0].path == "/ollama/api/version"


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        pytest.param(faults.web_page, NotOllama, "web page", id="web page"),
        pytest.param(faults.not_json, NotOllama, "not an Ollama", id="plain text"),
        pytest.param(faults.answer(200, "[]", "application/json"), BadAnswer, "shape", id="JSON of another shape"),
        pytest.param(faults.answer(200, "{}", "application/json"), NotOllama, "no version", id="no version in it"),
        pytest.param(
            faults.answer(200, '{"version":7}', "application/json"), NotOllama, "no version", id="odd version"
        ),
        pytest.param(
            faults.answer(200, "[" * 100_000, "application/json"), NotOllama, "not an Ollama", id="deeply nested JSON"
        ),
        pytest.param(faults.unknown_route, NotOllama, "404", id="plain 404"),
        pytest.param(faults.llama_server, NotOllama, "llama-server", id="llama-server"),
        pytest.param(faults.forbidden, Forbidden, "403", id="403"),
        pytest.param(faults.unauthorized, Unauthorized, "401", id="401"),
        pytest.param(faults.bad_gateway, Unreachable, "proxy", id="proxy without its server"),
        pytest.param(faults.answer(308, Location="https://h/"), NotOllama, "https://h/", id="redirect"),
        pytest.param(faults.garbage, NotOllama, "does not speak HTTP", id="not HTTP"),
        pytest.param(faults.drop, Unreachable, "closed without an answer", id="connection closed"),
        pytest.param(faults.cut, BadAnswer, "broke off", id="half an answer"),
        pytest.param(faults.reset, BadAnswer, "broke off", id="connection reset in the middle"),
        pytest.param(faults.server_error, NotOllama, "500", id="500"),
    ],
)
def test_what_is_not_a_working_ollama_is_told_in_one_line_with_the_next_step(
    fault: Fault, kind: type[OllamaError], words: str, start_standin: Start, connect: Connect
) -> None:
    standin = start_standin()
    standin.break_(fault)
    with pytest.raises(kind, match=words) as caught:
        connect(standin).version()
    assert type(caught.value) is kind
    assert standin.url in caught.value.message
    assert caught.value.message.isprintable()
    assert caught.value.hint


def test_each_kind_of_failure_has_a_code_of_its_own() -> None:
    kinds = OllamaError.__subclasses__()
    assert len({kind.code for kind in kinds} | {OllamaError.code}) == len(kinds) + 1


def test_nothing_listening_names_the_ways_on(connect: Connect) -> None:
    with pytest.raises(Unreachable, match="connection refused") as caught:
        connect("http://127.0.0.1:1").version()
    assert caught.value.hint is not None
    for way in ("ollama serve", "systemctl status ollama", "--store DIR", "--host"):
        assert way in caught.value.hint


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example", "a..example"])
def test_unknown_host_is_unreachable(host: str, connect: Connect) -> None:
    with pytest.raises(Unreachable, match="not a known host"):
        connect(f"http://{host}").version()


def test_name_no_host_can_have_is_unreachable(connect: Connect) -> None:
    with pytest.raises(Unreachable, match="no host can have such a name"):
        connect(f"http://{'ü' * 70}.example").version()


class TestTls:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def server(self, authority: trustme.CA, start_standin: Start, tmp_path: Path) -> Standin:
        certificate = tmp_path / "server.pem"
        authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        return start_standin(Store.of(Model("llama3.1:8b")), certificate=certificate)

    def test_is_spoken_with_a_server_whose_certificate_is_trusted(
        self,
        authority: trustme.CA,
        server: Standin,
        connect: Connect,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        trusted = tmp_path / "authority.pem"
        authority.cert_pem.write_to_path(trusted)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert server.url.startswith("https://")
        assert [tag["name"] for tag in connect(server).tags()] == ["llama3.1:8b"]

    def test_fails_in_one_line_when_it_is_not_trusted(self, server: Standin, connect: Connect) -> None:
        with pytest.raises(Unreachable, match="certificate is not accepted: unable to get local issuer") as caught:
            connect(server).version()
        assert caught.value.message.isprintable()


def test_plain_http_server_asked_for_tls_is_one_line(standin: Standin, connect: Connect) -> None:
    with pytest.raises(Unreachable, match="TLS failed"):
        connect(standin.url.replace("http", "https")).version()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.hang, id="no answer"),
        pytest.param(faults.drip, id="header in drops"),
        pytest.param(faults.drip_body, id="body in drops"),
    ],
)
def test_slow_server_ends_at_the_timeout(fault: Fault, start_standin: Start, connect: Connect) -> None:
    standin = start_standin()
    standin.break_(fault)
    started = time.monotonic()
    with pytest.raises(TimedOut, match="did not answer within") as caught:
        connect(standin, timeout=SHORT).version()
    assert SHORT <= time.monotonic() - started < SHORT + 2
    assert caught.value.hint is not None
    assert "--timeout" in caught.value.hint


def test_connection_that_is_never_accepted_ends_at_the_timeout(connect: Connect) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), pytest.raises((TimedOut, Unreachable)):
            connect(f"http://127.0.0.1:{port}", timeout=SHORT).version()


def test_name_lookup_that_hangs_ends_at_the_timeout(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(10) and [])
    try:
        with pytest.raises(TimedOut):
            connect("http://slow.example", timeout=SHORT).version()
    finally:
        released.set()


def test_answer_without_end_is_cut_at_the_limit(
    start_standin: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER", 1024**2)
    standin = start_standin()
    standin.break_(faults.endless)
    with pytest.raises(TooLarge, match="more than 1 MiB"):
        connect(standin).version()


def test_route_an_old_server_does_not_know_asks_for_an_update(start_standin: Start, connect: Connect) -> None:
    standin = start_standin(version="0.1.20")
    standin.break_(faults.unknown_route, "/api/ps")
    with pytest.raises(TooOld, match=r"Ollama 0\.1\.20 .* does not know /api/ps"):
        connect(standin).ps()


def test_route_that_is_missing_elsewhere_is_not_blamed_on_age(start_standin: Start, connect: Connect) -> None:
    standin = start_standin()
    standin.break_(faults.unknown_route)
    with pytest.raises(NotOllama):
        connect(standin).ps()


def test_refusal_keeps_status_and_reason(standin: Standin, connect: Connect) -> None:
    with pytest.raises(Refused) as caught:
        connect(standin).show("nope:1b")
    assert caught.value.status == 404
    assert caught.value.reason == "model 'nope:1b' not found"


def test_reason_with_control_characters_stays_on_one_line(start_standin: Start, connect: Connect) -> None:
    standin = start_standin()
    standin.break_(faults.answer(500, '{"error":"a\\nb\\u001b[31mc"}', "application/json"), "/api/show")
    with pytest.raises(Refused) as caught:
        connect(standin).show("x")
    assert caught.value.message.isprintable()


def test_foreign_host_header_is_refused_by_the_guard(standin: Standin, connect: Connect) -> None:
    server = connect(standin)
    server._wire.headers["Host"] = "models.example.com"
    with pytest.raises(Forbidden) as caught:
        server.version()
    assert caught.value.hint is not None
    assert "Host: localhost" in caught.value.hint


class TestTagsOfAServerThatJustStarted:
    def test_are_waited_for_while_it_answers_its_version(self, start_standin: Start, connect: Connect) -> None:
        standin = start_standin(Store.of(Model("llama3.1:8b")))
        standin.break_(faults.slow(3 * SHORT), "/api/tags")
        server = connect(standin, timeout=SHORT)
        server.version()
        assert [tag["name"] for tag in server.tags()] == ["llama3.1:8b"]

    def test_are_not_waited_for_when_it_hangs_altogether(self, start_standin: Start, connect: Connect) -> None:
        standin = start_standin()
        server = connect(standin, timeout=SHORT)
        server.version()
        standin.break_(faults.hang)
        started = time.monotonic()
        with pytest.raises(TimedOut):
            server.tags()
        assert time.monotonic() - started < 2 * SHORT + 2

    def test_are_not_waited_for_without_end(
        self, start_standin: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server_module, "TAGS_PATIENCE", 3 * SHORT)
        standin = start_standin()
        standin.break_(faults.hang, "/api/tags")
        server = connect(standin, timeout=SHORT)
        server.version()
        with pytest.raises(TimedOut, match="/api/tags"):
            server.tags()

    def test_are_not_waited_for_when_nobody_knows_that_it_is_ollama(
        self, start_standin: Start, connect: Connect
    ) -> None:
        standin = start_standin()
        standin.break_(faults.hang, "/api/tags")
        started = time.monotonic()
        with pytest.raises(TimedOut):
            connect(standin, timeout=SHORT).tags()
        assert time.monotonic() - started < SHORT + 2


def test_requests_from_many_threads_do_not_mix(start_standin: Start, connect: Connect) -> None:
    names = [f"m{index}:latest" for index in range(12)]
    standin = start_standin(Store.of(*(Model(name, system=f"I am {name}") for name in names)))
    server = connect(standin)
    said: dict[str, str] = {}

    def ask(name: str) -> None:
        for _ in range(3):
            said[name] = server.show(name)["system"]

    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == {name: f"I am {name}" for name in names}


def test_server_of_http_1_0_is_understood(connect: Connect) -> None:
    class Old(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"version":"0.9.0"}')

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Old) as old:
        thread = threading.Thread(target=old.handle_request)
        thread.start()
        assert connect(f"http://127.0.0.1:{old.server_port}").version() == "0.9.0"
        thread.join()
