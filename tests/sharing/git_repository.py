"""Repositories that tests make with the real git, and what serves them: the disk, and git's own HTTP backend."""

from __future__ import annotations

import http.server
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

WRITTEN = "2026-11-02T09:00:00Z"
"""When the commits of tests are made, unless they say otherwise."""


class GitRepository:
    """A repository in a folder. Files are written straight into commits; nothing is checked out."""

    def __init__(self, folder: Path, *, sha256: bool = False) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", *(["--object-format=sha256"] if sha256 else []))

    @property
    def url(self) -> str:
        """Its address on this machine, without revision and path."""
        return f"git+{self.folder.as_uri()}"

    def commit(self, files: Mapping[str, str | bytes | None], *, at: str = WRITTEN) -> str:
        """Write files, or remove those that are None, and commit on the current branch. Returns the commit."""
        for name, content in files.items():
            path = self.folder / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "recipes", at=at)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        """Put a branch where the current one is."""
        self.git("branch", "-f", name)

    def tag(self, name: str, *, annotated: bool = False) -> None:
        """Put a tag on the current commit."""
        self.git("tag", "-f", *(["-a", "-m", "release"] if annotated else []), name)

    def git(self, *arguments: str, at: str = WRITTEN, stdin: bytes = b"") -> str:
        """Run git there, with no settings but these. Returns what it said."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Team",
            "GIT_AUTHOR_EMAIL": "team@example.com",
            "GIT_COMMITTER_NAME": "Team",
            "GIT_COMMITTER_EMAIL": "team@example.com",
            "GIT_AUTHOR_DATE": at,
            "GIT_COMMITTER_DATE": at,
        }
        if os.name == "nt":
            environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, input=stdin, capture_output=True, check=True
        )
        return done.stdout.decode().strip()


Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class GitServer:
    """Serves all repositories in a folder by `git http-backend` on the loopback address.

    requests: what was asked, `METHOD PATH` each. headers: those of the newest request. answer: answers instead of
    git's backend, to be redirecting, hanging or hostile.
    """

    def __init__(self, folder: Path, *, certificate: Path | None = None) -> None:
        """certificate: key and chain, for a server that speaks TLS."""
        self.folder = folder
        self.requests: list[str] = []
        self.headers: dict[str, str] = {}
        self.answer: Answer | None = None
        served = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.requests.append(f"{self.command} {self.path}")
                served.headers = {name.lower(): value for name, value in self.headers.items()}
                (served.answer or served._backend)(self)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self.port: int = self._server.server_address[1]
        self.stopping = threading.Event()

    def __enter__(self) -> GitServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, name: str, host: str = "127.0.0.1") -> str:
        """The address of a repository, without revision and path."""
        return f"git+{self.web(name, host)}"

    def web(self, name: str, host: str = "127.0.0.1") -> str:
        """The address of a file."""
        return f"{self._scheme}://{host}:{self.port}/{name}"

    def _backend(self, request: http.server.BaseHTTPRequestHandler) -> None:
        address = urlsplit(request.path)
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if request.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = _chunks(request)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.partition(": ") for line in head.decode().split("\r\n") if line]
        status = next((value for name, _, value in headers if name == "Status"), "200 OK")
        request.send_response(int(status.split()[0]))
        for name, _, value in headers:
            if name != "Status":
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def _chunks(request: http.server.BaseHTTPRequestHandler) -> bytes:
    body = b""
    while size := int(request.rfile.readline(), 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


def answering(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
    """Answers every request alike."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def hanging(server: GitServer) -> Answer:
    """Takes requests and says nothing until the server stops."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        server.stopping.wait(30)

    return answer


def endless(server: GitServer, start: bytes, piece: bytes, content_type: str) -> Answer:
    """Never stops answering."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", content_type)
        request.end_headers()
        request.wfile.write(start)
        while not server.stopping.is_set():
            request.wfile.write(piece)

    return answer
