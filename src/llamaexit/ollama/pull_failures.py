"""What can go wrong with a pull, told from the text Ollama gives.

Ollama downloads on its own: network, proxy, TLS and disk are the server's, not ours, and so is the wording. Its texts
are those of server/images.go and server/download.go, with Go's network errors behind them.
"""

from __future__ import annotations

import re
from typing import Literal

from llamaexit.errors import OllamaError
from llamaexit.ollama.texts import printable

PullKind = Literal[
    "too-old", "missing", "name", "disk-full", "network", "tls", "proxy", "unauthorized", "digest", "stalled", "cut",
    "cancelled", "insecure", "no-key", "other",
]  # fmt: skip
_PASSING: frozenset[PullKind] = frozenset({"network", "stalled", "cut", "digest"})


class PullError(OllamaError):
    """A pull did not succeed. `retryable`: asking again may help, and what was downloaded is kept."""

    code = "pull"

    def __init__(self, kind: PullKind, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.retryable = kind in _PASSING


_SIGNS: dict[PullKind, str] = {
    "too-old": r"\b412\b.*newer version|requires a newer version",
    "disk-full": r"no space left on device|not enough space on the disk|disk quota exceeded",
    "name": r"invalid model name",
    "no-key": r"id_ed25519: no such file",
    "insecure": r"http response to https client|insecure protocol http|first record does not look like a tls",
    "proxy": r"proxyconnect|proxy authentication required|\b407\b",
    "tls": r"x509:|tls: |certificate",
    "unauthorized": r"unauthorized|access denied|realm host",
    "digest": r"digest mismatch",
    "missing": r"file does not exist",
    "network": r"max retries exceeded|dial tcp|no such host|timeout|connection re|broken pipe|\beof\b"
    r"|network is unreachable|no route to host|server misbehaving|\b50[0234]\b|stream error",
}
"""What tells the kinds apart, the most telling first: a full disk may come behind `max retries exceeded`."""


def failure_in(text: str, model: str, version: str | None) -> PullError:
    """What an error text of a pull means. `version` is that of the server, None when it is not known."""
    reason = " ".join(printable(text).split())
    kind: PullKind = next((kind for kind, sign in _SIGNS.items() if re.search(sign, reason, re.IGNORECASE)), "other")
    return PullError(kind, _message(kind, model, reason, version), hint=_HINTS.get(kind))


_HINTS: dict[PullKind, str] = {
    "too-old": "upgrade Ollama (https://ollama.com/download), or plan again for the version that is there",
    "missing": "check the name at https://ollama.com/library, and plan again",
    "disk-full": "free some disk where Ollama keeps its models; what was downloaded is kept",
    "network": "check the network of the machine Ollama runs on; what was downloaded is kept",
    "tls": "its CA has to be in the trust store of the machine Ollama runs on",
    "proxy": "HTTPS_PROXY has to be set right for the Ollama server, not here",
    "unauthorized": "the key of the Ollama server (~/.ollama/id_ed25519.pub) has to be known to the registry",
    "digest": "pull it again: Ollama has thrown the damaged file away",
    "insecure": "plain http is only used to a registry on the machine of Ollama itself: put TLS in front of this one",
    "no-key": "start Ollama once as the user it runs as, which makes its key",
    "stalled": "check the network of the machine Ollama runs on; what was downloaded is kept",
    "cut": "the server may have been restarted; what was downloaded is kept",
}


def _message(kind: PullKind, model: str, reason: str, version: str | None) -> str:
    match kind:
        case "too-old":
            return f"{model} needs a newer Ollama than {version or 'the one there'}"
        case "missing":
            return f"{model} is not in its registry"
        case "name":
            return f"Ollama does not take {model!r} for a model name"
        case "disk-full":
            return f"the disk of the model store is full: {model} could not be written"
        case "network":
            return f"Ollama cannot reach the registry for {model}: {reason}"
        case "tls":
            return f"Ollama does not trust the certificate of the registry of {model}: {reason}"
        case "proxy":
            return f"the proxy of the Ollama server does not let {model} through: {reason}"
        case "unauthorized":
            return f"the registry does not give {model} to this Ollama: {reason}"
        case "digest":
            return f"a file of {model} was damaged on the way: {reason}"
        case "insecure":
            return f"the registry of {model} does not speak TLS"
        case "no-key":
            return f"Ollama has no key to ask the registry for {model} with"
        case _:
            return f"{model} was not pulled: {reason}"
