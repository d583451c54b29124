"""HTTPS through the proxy that the environment names, with a certificate that is looked at."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from llamaexit.ollama.web import WebError, get

HOST = "registry.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An authority that nobody but these tests trusts, and a certificate for HOST from it, with its key."""
    folder = tmp_path_factory.mktemp("certificate")
    trusted, made = folder / "authority.pem", folder / "server.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(trusted)
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(made)
    return trusted, made


@pytest.fixture
def secure_port(certificate: tuple[Path, Path]) -> Iterator[int]:
    """The port of a web server that speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{self.headers['Host']} {self.path} {self.headers.get('Proxy-Authorization')}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1])
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


class Proxy:
    """Takes one CONNECT and passes bytes on to `port`, or answers with `status`."""

    def __init__(self, port: int, status: int = 200) -> None:
        self.lines: list[str] = []
        self._port = port
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, self._listener:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += client.recv(4096)
            self.lines = request.decode().splitlines()
            client.sendall(f"HTTP/1.1 {self._status} Whatever\r\n\r\n".encode())
            if self._status != 200:
                return
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                threads = [
                    threading.Thread(target=_pump, args=ends, daemon=True)
                    for ends in ((client, server), (server, client))
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_goes_through_the_proxy_and_checks_the_certificate(
    secure_port: int, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy(secure_port)
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:p%40ss@127.0.0.1:{proxy.port}")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    answer = get(f"https://{HOST}/v2/x?y=1", {}, timeout=5, limit=1000)
    # the login is for the proxy alone
    assert answer.body == f"{HOST} /v2/x?y=1 None".encode()
    login = base64.b64encode(b"ada:p@ss").decode()
    assert proxy.lines[0] == f"CONNECT {HOST}:443 HTTP/1.1"
    assert f"Proxy-Authorization: Basic {login}" in proxy.lines


def test_a_certificate_nobody_vouches_for_is_refused(secure_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{Proxy(secure_port).port}")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(WebError, match="its TLS certificate is not accepted"):
        get(f"https://{HOST}/v2/x", {}, timeout=5, limit=1000)


def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{Proxy(0, status=407).port}")
    with pytest.raises(WebError, match=r"the proxy 127\.0\.0\.1 answers 407"):
        get(f"https://{HOST}/v2/x", {}, timeout=5, limit=1000)


def test_no_proxy_is_used_for_hosts_that_are_exempt(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        raise OSError("no network in tests")

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", HOST)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(WebError):
        get(f"https://{HOST}/v2/x", {}, timeout=5, limit=1000)
    assert asked == [HOST]
