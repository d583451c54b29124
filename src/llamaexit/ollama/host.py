"""Where the Ollama server is: what a value of OLLAMA_HOST (or `--host`) means.

Follows Ollama's envconfig/config.go `Host`, except where that gives an address nobody can connect to: an address to
listen on is mapped to loopback, and text that is no address at all is an error instead of a failing lookup.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from llamaexit.errors import UsageError

DEFAULT_PORT = 11434
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[\w.-]+")
_PATH = re.compile(r"[!-~]*")
_HINT = "give OLLAMA_HOST or --host as HOST, HOST:PORT or a URL such as http://127.0.0.1:11434"


@dataclass(frozen=True, slots=True)
class Host:
    """An address to connect to. `path` is empty or starts with `/`; `note` tells what was changed or ignored.

    bad_port: what stood where the port belongs and is none, in place of which the default was taken.
    """

    scheme: str
    name: str
    port: int
    path: str = ""
    note: str | None = None
    bad_port: str | None = None

    @property
    def url(self) -> str:
        """The base URL, port always there: `http://127.0.0.1:11434`, `https://example.com:443/ollama`."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"{self.scheme}://{name}:{self.port}{self.path}"

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine as far as its address tells."""
        address = _address(self.name)
        if address is not None:
            return address.is_loopback
        return self.name.lower().rstrip(".") == "localhost" or self.name.lower().endswith(".localhost")


def stated(value: str) -> Host:
    """The address that `--host` means: as `resolve` has it, but a port that is none is an error.

    Ollama takes its default port for a bad one, which is no help to somebody who has just typed it.
    """
    host = resolve(value)
    if host.bad_port is not None:
        raise UsageError(f"--host: {host.bad_port!r} is not a port, which is a number up to 65535", hint=_HINT)
    return host


def resolve(value: str | None) -> Host:
    """The address that `value` means; None and blank mean `http://127.0.0.1:11434`.

    Raises UsageError for a value with user name and password, for a scheme that is not http or https, and for text
    that cannot be an address.
    """
    text = (value or "").strip().strip("\"'").strip()
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest, default_port = "http", text, DEFAULT_PORT
        if text == "ollama.com":
            scheme, default_port = "https", _PORTS["https"]
    else:
        scheme = scheme.lower()
        default_port = _PORTS.get(scheme, DEFAULT_PORT)
    authority, _, path = rest.partition("/")
    if "@" in authority:
        # the password must not be repeated on a terminal or in a log
        raise UsageError(
            "the Ollama address holds a user name or password, which Ollama does not support",
            hint="leave the part before @ out; use OLLAMA_API_KEY for a server that wants a key",
        )
    if scheme not in _PORTS:
        raise UsageError(f"{text!r} is not the address of an Ollama server: it speaks http or https", hint=_HINT)
    name, port_text = _split(authority)
    port, note = _port(port_text, default_port)
    bad_port = port_text if note is not None else None
    if (name and _address(name) is None and not _HOST.fullmatch(name)) or not _PATH.fullmatch(path):
        raise UsageError(f"{text!r} is not the address of an Ollama server", hint=_HINT)
    if not name:
        name = "127.0.0.1"
    elif (address := _address(name)) is not None and address.is_unspecified:
        loopback = "127.0.0.1" if address.version == 4 else "::1"
        listening = f"{name} is an address to listen on; connecting to {loopback}"
        name, note = loopback, f"{listening}; {note}" if note else listening
    return Host(scheme, name, port, f"/{path}".rstrip("/"), note, bad_port)


def _split(authority: str) -> tuple[str, str | None]:
    """Host and port text as Go's net.SplitHostPort and its fallback in Ollama give them; None: no port was written."""
    if authority.startswith("["):
        name, bracket, after = authority[1:].partition("]")
        if bracket and (not after or after.startswith(":")):
            return name, after[1:] if after else None
    elif authority.count(":") == 1:
        name, _, port = authority.partition(":")
        return name, port
    return authority, None


def _port(text: str | None, default: int) -> tuple[int, str | None]:
    if text is None:
        return default, None
    # Go's ParseInt takes a sign but neither blanks nor underscores, which int() would let through
    if re.fullmatch(r"[+-]?[0-9]{1,10}", text) and 0 <= int(text) <= 65535:
        return int(text), None
    return default, f"{text!r} is not a port; using {default}, as Ollama does"


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
