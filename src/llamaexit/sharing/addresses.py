"""The grammar of references to recipes that lie elsewhere. Pure: nothing is looked up, nothing is contacted.

A reference travels in recipes and on command lines, and ends in the arguments of git and in requests. So it has one
spelling, it is compared part by part, and whatever could be read in two ways is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from llamaexit.recipes.sources import Unresolved, shown_reference

MOST_CHARACTERS = 2000
"""The length of a reference. Nobody writes a longer one by hand."""

_GIT_SCHEMES = ("git+https", "git+ssh", "git+file", "git+http")
_WEB_SCHEMES = ("https", "http")
_PORTS = {"https": 443, "http": 80, "ssh": 22}
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_REV = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]{0,249}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = re.compile(r"sha256=([0-9A-Fa-f]{64})")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IN_PARTS = "!$&'()+,;=:~"
"""What stands in a part of a path as it is, beside letters, digits and `-._`."""


@dataclass(frozen=True, slots=True)
class GitAddress:
    """A file in a git repository, at a revision.

    scheme: `git+https`, `git+ssh`, `git+file` or `git+http`. url: what git is given. rev: a branch, a tag or a commit.
    path: the file in the repository, posix.
    """

    scheme: str
    url: str
    rev: str
    path: str

    @property
    def spelled(self) -> str:
        """The whole reference in its one spelling: for locks, messages and comparisons."""
        return f"{self.source}@{self.rev}#{self.path}"

    @property
    def source(self) -> str:
        """The repository: what trust is given to."""
        return f"git+{self.url}"

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit by its full id, which always means the same."""
        return _COMMIT.fullmatch(self.rev) is not None

    @property
    def on_this_machine(self) -> bool:
        """Whether fetching it stays on this machine."""
        return self.scheme == "git+file" or _leads_here(self.url)


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A file on a web server, with the SHA-256 of its bytes in lower-case hex."""

    url: str
    sha256: str

    @property
    def spelled(self) -> str:
        """The whole reference in its one spelling."""
        return f"{self.url}#sha256={self.sha256}"

    @property
    def source(self) -> str:
        """What trust is given to: the address of the file."""
        return self.url

    @property
    def pinned(self) -> bool:
        """Always: the hash decides what it means."""
        return True

    @property
    def on_this_machine(self) -> bool:
        """Whether fetching it stays on this machine."""
        return _leads_here(self.url)


Address = GitAddress | WebAddress


def is_commit(text: str) -> bool:
    """Whether a text is the full id of a git object: SHA-1 or SHA-256 in lower-case hex."""
    return _COMMIT.fullmatch(text) is not None


def parse_address(reference: str) -> Address:
    """The address that a reference spells. Raises Unresolved with the reason why it spells none."""
    if len(reference) > MOST_CHARACTERS:
        _refuse(f"{reference[:40]!r}… is longer than {MOST_CHARACTERS:,} characters")
    scheme, found, rest = reference.partition("://")
    scheme = scheme.lower()
    if not found or scheme not in (*_GIT_SCHEMES, *_WEB_SCHEMES):
        _refuse(_no_scheme(reference))
    if " " in reference or not reference.isprintable():
        _refuse(f"{_shown(reference)}: spaces and control characters are not allowed")
    rest, hashed, fragment = rest.partition("#")
    if "?" in rest or "?" in fragment:
        _refuse(f"{_shown(reference)}: a query (after ?) is not allowed; such things carry tokens")
    if scheme in _WEB_SCHEMES:
        return _web(scheme, rest, fragment if hashed else None)
    return _git(scheme, rest, fragment if hashed else None, reference)


def tree_path(path: str) -> str:
    """A path in a repository, checked: posix, relative, no part of it empty, `.` or `..`, and the file ends in .toml.

    Raises Unresolved.
    """
    if not path:
        _refuse("names no file of the repository: write #PATH.toml at its end")
    if "\\" in path or path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
        _refuse(f"{path[:80]!r} has to be a path in the repository: relative, with /, and without empty parts, . or ..")
    if path.startswith("-"):
        _refuse(f"{path[:80]!r} starts with a dash")
    if "#" in path:
        _refuse(f"{path[:80]!r}: there is a second # in it")
    if not path.endswith(".toml"):
        _refuse(f"{path[:80]!r} does not end in .toml")
    return path


def _git(scheme: str, rest: str, path: str | None, reference: str) -> GitAddress:
    if "/" not in rest:
        _refuse(f"{_shown(reference)}: names a host, and no repository there")
    place, at, rev = rest.rpartition("@")
    if not at or "/" not in place:  # the @ of a login
        _refuse(f"{_shown(reference)}: names no revision; write @BRANCH, @TAG or @COMMIT after the repository")
    if not rev:
        _refuse(f"{_shown(reference)}: the revision after @ is empty")
    transport = scheme.removeprefix("git+")
    if transport == "file":
        url = "file://" + _file_path(place)
    else:
        url = _location(transport, place, login_allowed=transport == "ssh")
    return GitAddress(scheme, url, _revision(rev), tree_path(path or ""))


def _web(scheme: str, rest: str, fragment: str | None) -> WebAddress:
    url = _location(scheme, rest)
    if fragment is None:
        _refuse(f"names no hash: write #sha256=… at its end; curl -fsS {url} | sha256sum tells it")
    hashed = _SHA256.fullmatch(fragment)
    if hashed is None:
        meant = f"; for a file in a git repository write git+{scheme}://…" if fragment.endswith(".toml") else ""
        _refuse(f"{fragment[:80]!r} after # has to be sha256= and 64 hexadecimal digits{meant}")
    return WebAddress(url, hashed[1].lower())


def _revision(rev: str) -> str:
    if rev.startswith("-"):
        _refuse(f"revision {rev[:80]!r} starts with a dash")
    parts = rev.split("/")
    odd = any(not part or part[0] == "." or part.endswith((".", ".lock")) for part in parts)
    if odd or ".." in rev or _REV.fullmatch(rev) is None:
        _refuse(f"revision {rev[:80]!r} is no name of a branch or tag, and no commit")
    lowered = rev.lower()
    return lowered if is_commit(lowered) else rev


def _location(transport: str, place: str, *, login_allowed: bool = False) -> str:
    """`transport://host[:port]/path` in its one spelling."""
    authority, slash, path = place.partition("/")
    login, at, machine = authority.rpartition("@")
    if at and not (login_allowed and login == "git"):
        _refuse("user and password do not belong in an address" + ("; only git@ does" if login_allowed else ""))
    host, port = _host_and_port(machine, transport)
    if transport == "http" and not _is_loopback(host):
        _refuse(f"http:// is not encrypted, and {host} is not this machine; use https://")
    if not slash or not path:
        _refuse(f"names nothing at {host}")
    if transport != "https" and path.startswith("-"):
        _refuse(f"{path[:80]!r} starts with a dash")
    return f"{transport}://{login + at}{host}{port}/{_parts(path)}"


def _host_and_port(machine: str, transport: str) -> tuple[str, str]:
    if machine.startswith("["):
        inner, closed, port = machine[1:].partition("]")
        host, colon = f"[{_ipv6(inner)}]", port[:1]
        port = port[1:]
        if not closed or colon not in ("", ":"):
            _refuse(f"{machine[:80]!r} is no host")
    else:
        name, colon, port = machine.partition(":")
        host = _host(name)
    if not colon:
        return host, ""
    if _PORT.fullmatch(port) is None or int(port) > 65535:
        _refuse(f"{port[:20]!r} is no port")
    return host, "" if int(port) == _PORTS[transport] else f":{port}"


def _host(name: str) -> str:
    import ipaddress

    name = name.lower()
    if not name:
        _refuse("names no host")
    if not name.isascii():
        _refuse(f"host {name[:80]!r} is not written in ASCII (an international name starts with xn--)")
    labels = name.split(".")
    if name.startswith("-"):
        _refuse(f"host {name[:80]!r} starts with a dash")
    if len(name) > 253 or any(_LABEL.fullmatch(label) is None for label in labels):
        _refuse(f"{name[:80]!r} is no host")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:  # 127.1, 0x7f000001 and others, which resolvers take for addresses
            _refuse(f"{name[:80]!r} is no address of four numbers")
    return name


def _ipv6(text: str) -> str:
    import ipaddress

    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        _refuse(f"{text[:80]!r} is no IPv6 address")
    if address.scope_id is not None or address.ipv4_mapped is not None:
        _refuse(f"{text[:80]!r}: no zones and no IPv4 inside of IPv6")
    return address.compressed


def _file_path(place: str) -> str:
    if not place.startswith("/"):
        _refuse(f"{place[:80]!r}: git+file:// is followed by an absolute path, git+file:///PATH")
    if place.startswith("/~"):
        _refuse(f"{place[:80]!r}: ~ means nothing there; write the whole path")
    return "/" + _parts(place[1:])


def _parts(path: str) -> str:
    """The parts of the path of a URL, each decoded, checked and encoded again."""
    from urllib.parse import quote, unquote

    spelled: list[str] = []
    for part in path.split("/"):
        if _PERCENT.search(part):
            _refuse(f"{part[:80]!r}: % has to be followed by two hexadecimal digits")
        try:
            plain = unquote(part, errors="strict")
        except UnicodeDecodeError:
            _refuse(f"{part[:80]!r} is not UTF-8")
        if plain in ("", ".", "..") or "/" in plain or "\\" in plain or not plain.isprintable():
            _refuse(f"{path[:80]!r} has to be a plain path: without empty parts, ., .. or backslashes, however written")
        spelled.append(quote(plain, safe=_IN_PARTS))
    return "/".join(spelled)


def _no_scheme(reference: str) -> str:
    if reference.startswith("git@"):
        return f"{_shown(reference)}: write it as git+ssh://git@HOST/PATH.git@REV#PATH.toml"
    return (
        f"{_shown(reference)}: recipes come from git+https://, git+ssh://, git+file:// or https://, from relative "
        "paths, and from builtin:NAME"
    )


def _leads_here(url: str) -> bool:
    machine = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    host = machine.partition("]")[0] + "]" if machine.startswith("[") else machine.partition(":")[0]
    return _is_loopback(host)


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(reference: str) -> str:
    return repr(shown_reference(reference))


def _refuse(reason: str) -> NoReturn:
    raise Unresolved(reason)
