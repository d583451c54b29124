"""What can go wrong with a pull, told from the text Ollama gives.

Ollama downloads on its own: network, proxy, certificates and disk are those of the machine it runs on, and so is the
wording. Its texts are those of server/images.go, server/download.go and server/auth.go, with Go's network errors (and
what a registry says itself) behind them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from llamaexit.errors import OllamaError
from llamaexit.ollama.names import BadName, Name
from llamaexit.ollama.wire import one_line

PullKind = Literal[
    "too-old", "missing", "name", "disk-full", "network", "tls", "proxy", "unauthorized", "digest", "stalled", "cut",
    "cancelled", "insecure", "no-key", "other",
]  # fmt: skip
_PASSING: frozenset[PullKind] = frozenset({"network", "stalled", "cut", "digest"})
_LONGEST = 300
"""Characters of somebody else's text that are repeated: a registry may answer with a whole web page."""
KEPT = "what has arrived is kept, and the next pull goes on from there"


class PullError(OllamaError):
    """A pull did not succeed. `retryable`: asking again may help, and goes on where this one ended."""

    code = "pull"

    def __init__(self, kind: PullKind, message: str, *, hint: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.retryable = kind in _PASSING if retryable is None else retryable


@dataclass(frozen=True, slots=True)
class _Sign:
    """How a kind of failure is recognised, and what is said of it.

    says: with `{model}`, `{registry}` (the host that was asked), `{version}` (of the server) and `{reason}` (its text,
    without what the message says anyway). passing: which texts are worth another try; None leaves that to the kind.
    """

    kind: PullKind
    pattern: str
    says: str
    hint: str | None = None
    passing: str | None = None


_THERE = "HTTPS_PROXY of the Ollama server (not of this command; with systemd: systemctl edit ollama)"

_SIGNS = (
    _Sign(
        "too-old", r"newer version of ollama.*pre-release",
        "{model} needs a newer Ollama than {version}",
        "a pre-release may have to do (https://github.com/ollama/ollama/releases), or plan again for the version that"
        " is there",
    ),
    _Sign(
        "too-old", r"manifest: 412\b|\b412\b.*newer version|newer version of ollama",
        "{model} needs a newer Ollama than {version}",
        "update Ollama (https://ollama.com/download), or plan again for the version that is there",
    ),
    _Sign(
        "disk-full", r"no space left on device|not enough space on the disk|disk quota exceeded",
        "the disk of Ollama's model store is full: {model} could not be written",
        f"make room where Ollama keeps its models; {KEPT}",
    ),
    _Sign(
        "no-key", r"id_ed25519",
        "Ollama has no key to ask {registry} for {model} with: {reason}",
        "restart Ollama, which makes its key when it starts; the account it runs as must have a home it can write to",
    ),
    _Sign(
        "other", r"permission denied|read-only file system|access is denied|input/output error",
        "Ollama cannot write {model} into its model store: {reason}",
        "the account that Ollama runs as has to be able to write where OLLAMA_MODELS of the server points",
    ),
    _Sign(
        "name", r"invalid model name",
        "Ollama does not take {model!r} for the name of a model",
        "names have the form [host/][namespace/]model[:tag]",
    ),
    _Sign(
        "insecure", r"http response to https client|insecure protocol http|first record does not look like a tls",
        "{registry} does not speak TLS, so Ollama does not pull {model} from it",
        "put TLS in front of that registry, or pull once by hand: ollama pull --insecure {model}",
    ),
    _Sign(
        "proxy", r"proxyconnect|socks connect|proxy authentication required|\b407\b",
        "the proxy of the Ollama server cannot be used to ask {registry} for {model}: {reason}",
        f"this is the {_THERE}: set it right, with the login if it wants one, and restart Ollama",
        passing=r"timeout|connection reset|\beof\b",
    ),
    _Sign(
        # Go gives the status text of a proxy that refuses CONNECT, and nothing else
        "proxy", r'(?:get|head) "https://[^"]*": (?:forbidden|bad gateway|service unavailable|gateway timeout'
        r"|too many requests|internal server error|not found|bad request|method not allowed|not allowed)$",
        "the proxy of the Ollama server does not let it through to {registry} for {model}: {reason}",
        f"allow {{registry}} in the proxy, or set another one: this is the {_THERE}",
        passing=r"bad gateway|service unavailable|gateway timeout|too many requests|internal server error",
    ),
    _Sign(
        "proxy", r"invalid character '<' looking for beginning of value",
        "something between Ollama and {registry} answers with a web page in place of {model}",
        f"a sign-in page or a filter of the network Ollama is in; if it needs a proxy, set {_THERE}",
    ),
    _Sign(
        "network", r"tls handshake timeout|bad record mac",
        "Ollama does not reach {registry} for {model}: {reason}",
        f"check the network of the machine Ollama runs on; if it needs a proxy, set {_THERE}",
    ),
    _Sign(
        "tls", r"x509:|\btls: |certificate",
        "Ollama does not trust who answers for {registry} when it asks for {model}: {reason}",
        "a proxy that reads along needs its CA in the trust store of the machine Ollama runs on, whose clock has to be"
        f" right, and Ollama a restart; if another proxy is to be used, set {_THERE}",
    ),
    _Sign(
        "unauthorized", r"unauthorized|access denied|access to the resource is denied|realm host|manifest: 40[13]\b",
        "{registry} does not give {model} to this Ollama: {reason}",
        "for a private model, the key of the account the server runs as (.ollama/id_ed25519.pub in its home) has to be"
        " known to the registry; a gated one has to be asked for there",
    ),
    _Sign(
        "digest", r"digest mismatch",
        "a file of {model} was damaged on its way here, and Ollama has thrown it away",
        "pull it again; when it happens twice, something between Ollama and its registry changes what passes",
    ),
    _Sign(
        "missing", r"manifest: file does not exist|model ['\"].*['\"] not found",
        "there is no {model} at {registry}",
        "check the name and the tag at https://ollama.com/library, and plan again",
    ),
    _Sign(
        "missing", r"file does not exist",
        "{registry} lacks a file of {model}",
        "nothing here can mend that: choose another tag, or try again another day",
    ),
    _Sign(
        "cut", r"context canceled",
        "the download of {model} was given up by the Ollama server",
        f"the server may be shutting down; {KEPT}",
    ),
    _Sign(
        "other", r"no location header",
        "{registry} is a kind of registry that Ollama cannot pull {model} from: it does not redirect to its files",
    ),
    _Sign(
        "other", r"requires mlx support",
        "{model} is in a format that runs on MLX only, which the machine Ollama runs on does not have",
        "choose a tag in GGUF",
    ),
    _Sign(
        "network", r"manifest: (?:408|425|429|5\d\d)\b|unexpected status code (?:408|425|429|5\d\d)\b",
        "{registry} is in trouble and does not give {model}: {reason}",
        f"try again later; {KEPT}",
    ),
    _Sign("other", r"manifest: [34]\d\d\b|unexpected status code", "{registry} does not give {model}: {reason}"),
    _Sign(
        "network",
        r"max retries exceeded|(?:dial|read|write) (?:tcp|udp)|lookup .* on |no such host|server misbehaving"
        r"|name resolution|time(?:d )?out|deadline exceeded|connection (?:re|aborted|timed)|broken pipe|\beof\b"
        r"|network is (?:unreachable|down)|no route to host|host is (?:down|unreachable)|stream error|http2: |goaway"
        r"|use of closed network connection|server closed idle connection|transport connection broken|malformed http"
        r"|wsarecv|wsasend|connectex|forcibly closed|actively refused|did not properly respond",
        "Ollama does not reach {registry} for {model}: {reason}",
        f"check the network of the machine Ollama runs on; if it needs a proxy, set {_THERE}; {KEPT}",
    ),
)  # fmt: skip
"""The most telling first: what a full disk or a proxy says comes with words of the network around it."""

_ASKED = re.compile(r'\b(?:Get|Head|Post) "?(?P<url>[a-z]+://[^\s"]+)"?: ')
_WRAPPING = re.compile(r"^(?:pull model manifest: |max retries exceeded: )+")


def failure_in(text: str, model: str, version: str | None) -> PullError:
    """What an error text of a pull means. `version` is that of the server, None when it is not known."""
    told = one_line(text)
    sign = next((sign for sign in _SIGNS if re.search(sign.pattern, told, re.IGNORECASE)), None)
    if sign is None:
        return PullError("other", f"Ollama could not pull {model}: {_shortened(told) or 'it gives no reason'}")
    words = {
        "model": model,
        "registry": _asked(told) or _registry_of(model),
        "version": version or "the one there",
        "reason": _shortened(told),
    }
    passing = None if sign.passing is None else bool(re.search(sign.passing, told, re.IGNORECASE))
    hint = sign.hint.format(**words) if sign.hint is not None else None
    return PullError(sign.kind, sign.says.format(**words), hint=hint, retryable=passing)


def _asked(text: str) -> str | None:
    """The host of the address in a text. Files come from another one than the registry, which a firewall must know."""
    asked = _ASKED.search(text)
    return asked["url"].partition("://")[2].partition("/")[0] if asked else None


def _registry_of(model: str) -> str:
    try:
        return Name.parse(model).host
    except BadName:
        return "the registry"


def _shortened(text: str) -> str:
    """The end of a text that tells something: without addresses, which are long and may be signed."""
    told = _ASKED.sub("", _WRAPPING.sub("", text)).strip()
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"
