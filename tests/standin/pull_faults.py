"""What can go wrong with a pull, and where: given to `Standin.break_pull`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from standin.registry import TOO_OLD

PREFIX = "pull model manifest: "
MISSING = PREFIX + "file does not exist"
NEEDS_NEWER_OLLAMA = PREFIX + TOO_OLD
REGISTRY_FAILED = PREFIX + "500: internal server error"
NO_NETWORK = (
    PREFIX + 'Get "https://registry.ollama.ai/v2/library/x/manifests/latest": '
    "dial tcp: lookup registry.ollama.ai: no such host"
)
BAD_CERTIFICATE = (
    PREFIX + 'Get "https://registry.ollama.ai/v2/library/x/manifests/latest": '
    "tls: failed to verify certificate: x509: certificate signed by unknown authority"
)
BAD_PROXY = (
    PREFIX + 'Get "https://registry.ollama.ai/v2/library/x/manifests/latest": '
    "proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused"
)
PROXY_WANTS_LOGIN = (
    PREFIX + 'Get "https://registry.ollama.ai/v2/library/x/manifests/latest": Proxy Authentication Required'
)
UNAUTHORIZED = PREFIX + "unauthorized: access denied"
NO_KEY = PREFIX + "open /usr/share/ollama/.ollama/id_ed25519: no such file or directory"
LAYER_MISSING = "file does not exist"
MAX_RETRIES = "max retries exceeded: unexpected EOF"
NO_LOCATION = "http: no Location header in response"


class Effect(Enum):
    """What happens."""

    FAIL = auto()
    """An error line inside the answer of status 200."""
    CUT = auto()
    """The connection ends in the middle of the answer."""
    END = auto()
    """The answer ends properly, without `success` and without an error."""
    STALL = auto()
    """Progress goes on being reported, and does not grow."""
    SILENCE = auto()
    """Nothing more is sent, and the connection stays."""
    MISMATCH = auto()
    """A layer is not what its digest says; its blob is deleted."""
    HOLLOW = auto()
    """The config that was stored is unreadable: `success`, and no such model in the list."""


@dataclass(frozen=True)
class PullFault:
    """An effect, and when it strikes: `share` of the way through layer number `layer` (the config comes last), or, with
    `layer` None, before the manifest is fetched. For END and CUT, `written` waits until the model is installed."""

    effect: Effect
    layer: int | None = None
    share: float = 0.5
    text: str = ""
    written: bool = False
    seconds: float | None = None


def fail(text: str, *, layer: int | None = None, share: float = 0.5) -> PullFault:
    """One of the texts above (or any other): before the manifest, or in the middle of a layer."""
    return PullFault(Effect.FAIL, layer, share, text)


def cut(layer: int = 0, share: float = 0.5) -> PullFault:
    """The connection breaks in the middle of a layer."""
    return PullFault(Effect.CUT, layer, share)


def cut_before_success() -> PullFault:
    """The connection breaks when the model is installed and `success` was not said yet."""
    return PullFault(Effect.CUT, written=True)


def end(layer: int = 0, share: float = 0.5) -> PullFault:
    """The stream ends in the middle of a layer as if it were complete."""
    return PullFault(Effect.END, layer, share)


def end_before_success() -> PullFault:
    """The model is installed, and the stream ends without `success`."""
    return PullFault(Effect.END, written=True)


def stall(layer: int = 0, share: float = 0.5, seconds: float | None = None) -> PullFault:
    """Events go on and `completed` does not grow, for `seconds` (until the client leaves)."""
    return PullFault(Effect.STALL, layer, share, seconds=seconds)


def silence(layer: int = 0, share: float = 0.5, seconds: float | None = None) -> PullFault:
    """No events at all, for `seconds` (until the client leaves)."""
    return PullFault(Effect.SILENCE, layer, share, seconds=seconds)


def mismatch(layer: int = 0) -> PullFault:
    """What arrived for a layer has another digest."""
    return PullFault(Effect.MISMATCH, layer)


def hollow() -> PullFault:
    """`success`, although the model cannot be read: an unreadable config that is trusted by its name from now on."""
    return PullFault(Effect.HOLLOW)
