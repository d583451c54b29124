"""Names of models and digests of blobs, after types/model/name.go."""

from __future__ import annotations

import re
from typing import NamedTuple

_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAME = re.compile(
    r"(?:(?:[a-z]+://)?(?:(?P<host>[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349})/)?(?P<namespace>[A-Za-z0-9_][A-Za-z0-9_-]{0,79})/)?"
    rf"(?P<model>{_PART})(?::(?P<tag>{_PART}))?"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def is_digest(text: str) -> bool:
    """`sha256:` and 64 hex digits."""
    return _DIGEST.fullmatch(text) is not None


class Name(NamedTuple):
    """The four parts of a name."""

    host: str
    namespace: str
    model: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Name | None:
        """None for what Ollama calls an invalid model name."""
        match = _NAME.fullmatch(text.strip())
        if match is None:
            return None
        host, namespace, model, tag = match.group("host", "namespace", "model", "tag")
        return cls(host or "registry.ollama.ai", namespace or "library", model, tag or "latest")

    @property
    def full(self) -> str:
        """All four parts."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def short(self) -> str:
        """As Ollama displays it."""
        if self.host.lower() != "registry.ollama.ai":
            return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"
        return (
            f"{self.model}:{self.tag}"
            if self.namespace.lower() == "library"
            else f"{self.namespace}/{self.model}:{self.tag}"
        )
