"""What a server of some version has, and what it does not have yet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """The version of a server. The default is new enough for everything."""

    version: str = "0.33.0-rc2"

    def since(self, *release: int) -> bool:
        """Whether this version contains `release`. A version that is none (`0.0.0`) is a build of today."""
        digits = [part.partition("-")[0] for part in self.version.split(".")]
        mine = tuple(int(part) for part in digits if part.isdigit())
        return mine >= release or not any(mine)
