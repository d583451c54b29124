"""One keep-alive HTTP connection whose requests end at a deadline, whatever the other side does.

`http.client` takes a timeout for each read; a server that sends one byte every few seconds never runs into it. Here the
connection reads through a stream that looks at the time left before every read.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from typing import Any


class Deadline:
    """The moment at which a request has to be over.

    With `alive`, running out of time first asks it whether the server still works on the request (it raises when not)
    and then grants another `seconds`, until `limit` seconds have passed in all. Without it, `restart` grants them.
    """

    def __init__(
        self, seconds: float, *, alive: Callable[[], object] | None = None, limit: float | None = None
    ) -> None:
        now = time.monotonic()
        self._seconds = seconds
        self._alive = alive
        self._until = now + seconds
        self._last = now + (seconds if limit is None else limit)

    def left(self) -> float:
        """Seconds left, always above 0. Raises TimeoutError when there are none."""
        left = self._until - time.monotonic()
        if left > 0:
            return left
        self.extend()
        return max(self._until - time.monotonic(), 0.001)

    def extend(self) -> None:
        """Grant more time, or raise TimeoutError."""
        if self._alive is None or time.monotonic() >= self._last:
            raise TimeoutError("deadline passed")
        self._alive()
        self.restart()

    def restart(self) -> None:
        """Grant another `seconds` from now on, because something came."""
        self._until = min(time.monotonic() + self._seconds, self._last)


class _TimedReader(io.RawIOBase):
    """The receiving side of a socket under a deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._socket = sock
        self._deadline = deadline
        # keeps the socket open while the answer is read, though http.client may close its side before
        self._held = sock.makefile("rb", buffering=0)

    def close(self) -> None:
        if not self.closed:
            self._held.close()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            self._socket.settimeout(self._deadline.left())
            try:
                return self._socket.recv_into(buffer)
            except TimeoutError:
                self._deadline.extend()


class _TimedSocket:
    """What `http.client` needs of a socket: sending, and a file to read the answer from."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.deadline: Deadline | None = None

    def sendall(self, data: Any) -> None:
        assert self.deadline is not None
        self.socket.settimeout(self.deadline.left())
        self.socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb" and self.deadline is not None
        return io.BufferedReader(_TimedReader(self.socket, self.deadline))

    def close(self) -> None:
        self.socket.close()


class Connection(http.client.HTTPConnection):
    """A connection to one server. `start` has to be called before each request.

    sent: `time.monotonic()` when the last piece of a request was handed to the socket.
    """

    def __init__(self, host: str, port: int, *, tls: bool) -> None:
        super().__init__(host, port)
        self._tls = tls
        self.default_port = 443 if tls else 80
        self.deadline = Deadline(0)
        self.sent = 0.0

    def connect(self) -> None:
        """Try each address of the host until one answers or the deadline passes."""
        failure: OSError | None = None
        for family, kind, protocol, _, address in _addresses(self.host, self.port, self.deadline):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self.deadline.left())
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls:
                    sock = self._encrypted(sock)
            except BaseException as error:
                sock.close()
                if not isinstance(error, OSError) or isinstance(error, TimeoutError):
                    raise
                failure = error
                continue
            self.sock: Any = _TimedSocket(sock)
            return
        raise failure or OSError(f"{self.host} has no address")

    def _encrypted(self, sock: socket.socket) -> socket.socket:
        import ssl

        return ssl.create_default_context().wrap_socket(sock, server_hostname=self.host)

    def start(self, deadline: Deadline) -> None:
        """Put the next request under `deadline`."""
        self.deadline = deadline
        if self.sock is not None:
            self.sock.deadline = deadline

    def send(self, data: Any) -> None:
        """Send, connecting first when needed."""
        if self.sock is None:
            self.connect()
        self.sock.deadline = self.deadline
        self.sent = time.monotonic()
        self.sock.sendall(data)


def _addresses(host: str, port: int, deadline: Deadline) -> list[Any]:
    """Socket addresses of `host`. The system's resolver knows no timeout, so it runs in a thread we can leave."""

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that IDNA cannot encode
            failed.append(error)

    found: list[Any] = []
    failed: list[Exception] = []
    if host == "localhost" or _is_address(host):
        look_up()
        # Ollama listens on 127.0.0.1 unless told otherwise, and Windows takes two seconds to refuse on ::1
        found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    else:
        thread = threading.Thread(target=look_up, name="look-up", daemon=True)
        thread.start()
        thread.join(deadline.left())
        if thread.is_alive():
            raise TimeoutError(f"looking up {host}")
    if failed:
        raise OSError(f"{host} is not a known host") from failed[0]
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
