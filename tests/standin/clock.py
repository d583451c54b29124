"""The stand-in's idea of what time it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class Clock:
    """Wall time, which a test can move forward: blobs grow old and models in memory expire without waiting."""

    ahead: int = 0
    """Nanoseconds."""

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns() + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += int(seconds * 10**9)


def rfc3339(nanoseconds: int) -> str:
    """A time as Go writes it: as many digits of the second as are needed."""
    seconds, rest = divmod(nanoseconds, 10**9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"
