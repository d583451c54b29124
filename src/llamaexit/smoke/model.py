"""What a smoke test is about and what it found. Plain data: `runner` makes it, `verdict` judges it, `report` shows it.

Sizes are bytes, contexts are tokens, times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from llamaexit.recipes.model import Use

Suite = Literal["quick", "full", "none"]
Outcome = Literal["pass", "warn", "fail", "skip", "error"]
"""warn: worth knowing, never blocks. skip: not asked, `reason` says why. error: the question could not be put."""
Fault = Literal["", "unsupported", "too-old", "no-fit", "timeout", "wrong", "broken", "budget"]
"""What kind of failure: no such capability; server too old; not enough memory; too slow; a bad answer; server or
connection failed; the time for the suite was used up."""
VerdictWord = Literal["go", "no-go", "not-enough-evidence", "error"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One installed model, as it is to be tested.

    digest: that of its manifest, 64 hex digits. context: tokens asked for with num_ctx in every native request.
    thinks: whether it reasons unless told not to (None: not known). gpu_share: what its plan reckoned, 0 to 1.
    """

    name: str
    digest: str | None
    uses: tuple[Use, ...]
    capabilities: tuple[str, ...] | None
    context: int
    thinks: bool | None = None
    ollama_version: str | None = None
    architecture: str = ""
    gpu_share: float | None = None
    system: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back: the evidence of a result. `answer` is the body, or the merged stream."""

    path: str
    request: dict[str, Any]
    status: int
    answer: dict[str, Any] | None
    error: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found about one model.

    reason: one line, in words, for every outcome but a plain pass. figures: measured numbers by name, with the unit
    at the end of the name (`tokens_per_second`, `first_content_seconds`). cases: how many different prompts were put
    and how many went well; each entry of `won` is one prompt, so that two models can be compared pair by pair.
    """

    id: str
    title: str
    outcome: Outcome
    fault: Fault = ""
    reason: str = ""
    won: tuple[bool, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    exchanges: tuple[Exchange, ...] = ()
    seconds: float = 0.0
    own: bool = False

    @property
    def cases(self) -> int:
        """Different prompts that were put."""
        return len(self.won)


@dataclass(frozen=True, slots=True)
class Residency:
    """What `/api/ps` says once the model is loaded."""

    size: int
    size_vram: int
    context: int | None

    @property
    def gpu_share(self) -> float:
        """Part of the model that lies in GPU memory, 0 to 1."""
        return self.size_vram / self.size if self.size else 0.0


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """All checks of one model. `failed_to_load`: why it could not be asked at all, or None."""

    subject: Subject
    suite: Suite
    seed: int
    started_at: str
    seconds: float
    results: tuple[CheckResult, ...]
    residency: Residency | None = None
    failed_to_load: str | None = None
    fault: Fault = ""

    def result(self, check: str) -> CheckResult | None:
        """The result of one check, None when it was not among them."""
        return next((result for result in self.results if result.id == check), None)


@dataclass(frozen=True, slots=True)
class Row:
    """One check, old beside new. `meaning`: what the difference is, in one line; `blocks`: it stops the switch."""

    id: str
    title: str
    old: Outcome | None
    new: Outcome | None
    meaning: str = ""
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of both models. `ratio`: new divided by old. `better`: which one is better off, None for neither."""

    name: str
    unit: str
    old: float | None
    new: float | None
    ratio: float | None
    better: Literal["old", "new"] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict on a replacement, and how it was reached.

    proof: what the number of prompts proves, and the sign test over all pairs, in one or two sentences.
    """

    verdict: VerdictWord
    reason: str
    rows: tuple[Row, ...] = ()
    figures: tuple[Measured, ...] = ()
    proof: str = ""
    baseline: str = ""
