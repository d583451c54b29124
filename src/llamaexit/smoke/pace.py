"""How long a model may take: deadlines and the time for a whole suite, from what was measured of it so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer
    from llamaexit.smoke.model import Suite

FLOOR, CEILING = 20.0, 300.0
"""Seconds any single answer is waited for, at least and at most."""
_SLACK = 2.0
_UNKNOWN_READS, _UNKNOWN_WRITES = 20.0, 2.0
"""Tokens a second before anything was measured: those of a small model on an old processor."""
_FEW_READ, _FEW_WRITTEN = 32, 4
"""Tokens below which a measurement says nothing."""
_REFERENCE = 30.0
"""Tokens a second of a model of 8 billion parameters on a graphics card of the middle range."""
_BUDGETS: dict[Suite, tuple[float, float]] = {"quick": (180.0, 1800.0), "full": (720.0, 7200.0), "none": (0.0, 0.0)}
"""Seconds for a suite at that speed, twice what it usually takes, and the most it gets on a slower machine."""


class Pace:
    """What was measured of one model. answer_seconds: a limit for every answer that somebody set, in place of ours."""

    def __init__(self, answer_seconds: float | None = None) -> None:
        self.load_seconds: float | None = None
        self.reads: float | None = None
        self.writes: float | None = None
        self._fixed = answer_seconds

    @property
    def fixed(self) -> bool:
        """Whether somebody set how long an answer may take."""
        return self._fixed is not None

    def learn(self, answer: Answer) -> None:
        """Take the counters of an answer in. The slowest counts, since tokens found in the cache look fast."""
        reads, writes = answer.prompt_tokens_per_second, answer.tokens_per_second
        if reads is not None and (answer.prompt_tokens or 0) >= _FEW_READ:
            self.reads = min(reads, self.reads or reads)
        if writes is not None and (answer.tokens or 0) >= _FEW_WRITTEN:
            self.writes = min(writes, self.writes or writes)

    def expected(self, reads: int, writes: int) -> float:
        """Seconds that reading and writing so many tokens will probably take."""
        return reads / (self.reads or _UNKNOWN_READS) + writes / (self.writes or _UNKNOWN_WRITES)

    def deadline(self, reads: int, writes: int) -> float:
        """Seconds to wait for one answer at most: twice what it should take, loading included, within limits."""
        if self._fixed is not None:
            return self._fixed
        if self.load_seconds is None:
            return CEILING
        return min(max(_SLACK * (self.load_seconds + self.expected(reads, writes)), FLOOR), CEILING)

    def budget(self, suite: Suite) -> float:
        """Seconds for a whole suite once the model is loaded; without end where somebody set how long to wait."""
        if self._fixed is not None:
            return float("inf")
        usual, most = _BUDGETS[suite]
        return min(usual * max(1.0, _REFERENCE / (self.writes or _UNKNOWN_WRITES)), most)
