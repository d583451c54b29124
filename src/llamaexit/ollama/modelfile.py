"""What the `modelfile` text of `/api/show` gives away and no other field does: where the blobs lie, and adapters.

The text is printed for people and does not survive being parsed back (server/images.go `Model.String`), so only the
lines before TEMPLATE are read: FROM, ADAPTER and further FROMs, each with one absolute path as the server sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FILE = re.compile(r"(?P<store>.*)[\\/]blobs[\\/]sha256[-:](?P<hex>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Modelfile:
    """weights_digest: 64 hex digits. store: the directory above `blobs`, on the server's machine. None: not told.

    projectors: FROM lines after the first one, or after the adapters: separate vision and audio encoders.
    """

    weights_digest: str | None = None
    store: str | None = None
    projectors: int = 0
    adapter: bool = False

    @property
    def weights_path(self) -> str | None:
        """The file with the weights, as the server sees it."""
        if self.store is None:
            return None
        separator = "\\" if "\\" in self.store and "/" not in self.store else "/"
        return separator.join((self.store, "blobs", f"sha256-{self.weights_digest}"))


def read_modelfile(text: str) -> Modelfile:
    """Read the head of a Modelfile that the server generated."""
    sources: list[str] = []
    adapter = False
    for line in text.splitlines():
        command, _, rest = line.partition(" ")
        if command == "FROM":
            sources.append(rest.strip())
        elif command == "ADAPTER":
            adapter = True
        elif command == "TEMPLATE":
            break
    file = _FILE.fullmatch(sources[0]) if sources else None
    return Modelfile(
        weights_digest=file["hex"] if file else None,
        store=file["store"] if file else None,
        projectors=max(len(sources) - 1, 0),
        adapter=adapter,
    )
