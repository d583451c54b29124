"""Which names there are in Ollama and what they mean, asked anew before and after every change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llamaexit.ollama.described import read_tag
from llamaexit.ollama.names import Name

if TYPE_CHECKING:
    from llamaexit.ollama.server import Server


class Names:
    """Installed names with the digests of their manifests (64 hex digits), looked up as Ollama does: without case."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._entries = {_key(name): (name, digest) for name, digest in digests.items()}

    def digest(self, name: str) -> str | None:
        """What a name means; None when there is no such name."""
        entry = self._entries.get(_key(name))
        return entry[1] if entry is not None else None

    def spelled(self, name: str) -> str:
        """The name as it is installed, which is how Ollama wants it in `from` (it does not fold case there)."""
        entry = self._entries.get(_key(name))
        return entry[0] if entry is not None else name

    def all(self) -> dict[str, str]:
        """Every installed name with its digest."""
        return dict(self._entries.values())


def look(server: Server) -> Names:
    """Ask the server for its names. Raises OllamaError."""
    tags = (read_tag(entry) for entry in server.tags())
    return Names({tag.name: tag.digest for tag in tags if tag.name and tag.digest})


def _key(name: str) -> str:
    try:
        return Name.parse(name).key
    except ValueError:
        return name.strip().lower()
