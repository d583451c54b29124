"""Small, bounded HTTP GETs to registries and what they redirect to.

HTTPS only, except to this machine. Redirects are followed by hand, nothing secret is ever sent, every request ends at
a deadline and every answer has a size limit. Proxies are taken from the environment as `urllib` does.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from llamaexit.ollama.connection import Connection, Deadline
from llamaexit.ollama.texts import printable

MAX_REDIRECTS = 5
SLOWEST = 32 << 10
"""Bytes a second; an answer that comes slower than this counts as stuck."""
_REDIRECTS = (301, 302, 303, 307, 308)
_PIECE = 64 << 10


class WebError(Exception):
    """Why an address could not be asked, as half a sentence. `unreachable`: nothing answered there."""

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that is no redirect. `url` is where it came from in the end; header names are in lower case."""

    url: str
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address means this machine."""
    if not host:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def asked_plainly(registry: str) -> bool:
    """Whether a registry (`host`, `host:port`) is asked over plain http: one on this machine is, all others are not."""
    return is_loopback(registry.rpartition(":")[0] or registry)


def get(
    url: str, headers: dict[str, str], *, timeout: float, limit: int, only: int | None = None, follow: bool = True
) -> Answer:
    """GET `url`, following redirects; without `follow` an answer that is a redirect is the answer.

    timeout: seconds for each request, and beyond that as many as `limit` bytes take at the SLOWEST. limit: bytes of
    the longest body. only: the one status whose body is wanted; no other body is read. Raises WebError.
    """
    origin = urlsplit(url)
    for _ in range(MAX_REDIRECTS + 1):
        address = _checked(url, origin)
        try:
            answer = _get(address, url, headers, Deadline(timeout + limit / SLOWEST), limit, only)
        except TimeoutError as error:
            raise WebError(f"{address.hostname} did not answer in time", unreachable=True) from error
        except OSError as error:
            raise WebError(f"{address.hostname} cannot be reached: {_reason(error)}", unreachable=True) from error
        except (http.client.HTTPException, ValueError) as error:
            raise WebError(f"{address.hostname} does not answer as a web server should") from error
        location = answer.headers.get("location")
        # where a range is wanted, Ollama's client takes the Location of a 200 for a redirect, too (server/download.go)
        if not follow or location is None or answer.status not in (_REDIRECTS if only is None else (*_REDIRECTS, 200)):
            return answer
        url = _joined(url, location, origin)
    raise WebError(f"{origin.hostname} redirects more than {MAX_REDIRECTS} times")


def _joined(url: str, location: str, origin: SplitResult) -> str:
    try:
        joined = urljoin(url, location)
        _ = urlsplit(joined).port
    except ValueError:
        raise WebError(f"{origin.hostname} redirects to an address that is none") from None
    return joined


def _checked(url: str, origin: SplitResult) -> SplitResult:
    """The parts of an address that may be asked."""
    address = urlsplit(url)
    shown = printable(f"{address.scheme}://{address.hostname}")
    if not address.hostname or address.scheme not in ("http", "https"):
        raise WebError(f"{origin.hostname} redirects to {shown}, which is no web address")
    if is_loopback(address.hostname) and not is_loopback(origin.hostname):
        raise WebError(f"{origin.hostname} redirects to this very machine ({shown}), which is not followed")
    if address.scheme != "https" and not is_loopback(address.hostname):
        raise WebError(f"{shown} is not encrypted, and only HTTPS is used")
    return address


def _get(
    address: SplitResult, url: str, headers: dict[str, str], deadline: Deadline, limit: int, only: int | None
) -> Answer:
    connection = _connection(address)
    connection.start(deadline)
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        connection.request("GET", target, headers={"Host": address.netloc.rpartition("@")[2], **headers})
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        wanted = response.status not in _REDIRECTS if only is None else response.status == only
        body = _body(response, limit, address.hostname) if wanted else b""
        return Answer(url, response.status, body, names)
    finally:
        connection.close()


def _body(response: http.client.HTTPResponse, limit: int, host: str | None) -> bytes:
    if response.length is not None and response.length > limit:
        raise WebError(f"{host} answers with {response.length} bytes, more than the {limit} expected")
    pieces: list[bytes] = []
    size = 0
    while piece := response.read(_PIECE):
        size += len(piece)
        if size > limit:
            raise WebError(f"{host} answers with more than the {limit} bytes expected")
        pieces.append(piece)
    if response.length:
        raise WebError(f"{host} broke off in the middle of its answer", unreachable=True)
    return b"".join(pieces)


def _connection(address: SplitResult) -> Connection:
    host, tls = address.hostname or "", address.scheme == "https"
    port = address.port or (443 if tls else 80)
    if is_loopback(host):
        return Connection(host, port, tls=tls)
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return Connection(host, port, tls=tls)
    return _Tunnel(proxy, host, port)


class _Tunnel(Connection):
    """A TLS connection through an HTTP proxy."""

    def __init__(self, proxy: str, host: str, port: int) -> None:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WebError(f"the proxy {printable(parts.scheme)}://{printable(parts.hostname or '')} is of no use here")
        tls = parts.scheme == "https"
        super().__init__(parts.hostname, parts.port or (443 if tls else 80), tls=tls)
        self._target = (host, port)
        self._login = ""
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._login = f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n"

    def connect(self) -> None:
        """Connect to the proxy, have it connect us through, and speak TLS with the other end."""
        import ssl

        super().connect()
        host, port = self._target
        self.sock.deadline = self.deadline
        self.sock.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{self._login}\r\n".encode())
        response = http.client.HTTPResponse(self.sock, method="CONNECT")
        response.begin()
        response.close()
        if response.status != 200:
            raise OSError(f"the proxy {self.host} answers {response.status}")
        self.sock.socket.settimeout(self.deadline.left())
        context = ssl.create_default_context()
        self.sock.socket = context.wrap_socket(self.sock.socket, server_hostname=host)


def _reason(error: OSError) -> str:
    verify = getattr(error, "verify_message", None)  # ssl.SSLCertVerificationError
    if verify:
        return f"its TLS certificate is not accepted ({verify})"
    return printable(str(error.strerror or error)).lower()
