"""Put one suite of checks to one model: load it, see that it is sane, ask, let it go."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llamaexit.smoke.asking import Inference, Unanswered
from llamaexit.smoke.bench import Bench
from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.model import CheckResult, Exchange, SuiteResult
from llamaexit.smoke.pace import Pace

if TYPE_CHECKING:
    from llamaexit.recipes.model import SmokeCheck
    from llamaexit.smoke.model import Fault, Subject, Suite

Began = Callable[[str, str, int, int, float | None], None]
"""Hears of a check before it is put: its id and title, its number of how many, and the seconds probably left."""
Ended = Callable[[CheckResult], None]
"""Hears what a check found."""

SANE = "sane.text"
"""The check after whose failure no other says anything."""
_HANGING = 3
"""Checks in a row without an answer in time, after which none is to be expected."""
_OVERHEAD = 0.5
"""Seconds a check takes beside the work of the model."""


def run_suite(
    subject: Subject,
    inference: Inference,
    *,
    suite: Suite,
    own: Sequence[SmokeCheck] = (),
    seed: int,
    began: Began | None = None,
    ended: Ended | None = None,
    answer_seconds: float | None = None,
    old: SuiteResult | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> SuiteResult:
    """Put the checks of a suite to one model. What goes wrong is in the result; only ^C is raised.

    seed: the same seed gives the same questions. answer_seconds: the longest wait for one answer, which also lifts the
    limit on the whole. old: the results of the model it is to replace.
    """
    started_at = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    begun = clock()
    bench = Bench(subject, inference, Pace(answer_seconds), suite=suite, seed=seed, old=old, clock=clock)
    asked = checks_for(subject, suite, own)
    run = _Run(bench, asked, began, ended, clock)
    run.through()
    if bench.loaded:
        bench.unload()
    stopped = run.results[-1] if run.results and not bench.loaded else None
    return SuiteResult(
        subject=subject,
        suite=suite,
        seed=seed,
        started_at=started_at,
        seconds=round(clock() - begun, 3),
        results=tuple(run.results),
        residency=bench.residency,
        failed_to_load=stopped.reason if stopped is not None else None,
        fault=stopped.fault if stopped is not None else "",
    )


def put(check: Check, bench: Bench, clock: Callable[[], float] = time.monotonic) -> CheckResult:
    """Put one check to a model. What goes wrong is in the result."""
    begun = clock()
    try:
        finding = check.run(bench)
    except Unanswered as error:
        finding = Finding(error.outcome, error.reason, error.fault)
    if check.advisory and finding.outcome in ("fail", "error"):
        finding = replace(finding, outcome="warn")
    return _result(check, finding, bench.clear(), clock() - begun)


def checks_for(subject: Subject, suite: Suite, own: Sequence[SmokeCheck] = ()) -> tuple[Check, ...]:
    """The checks for a model, in the order they are put. Those of a recipe come after the native ones of ours.

    /v1 has no way to set the context, so Ollama may load the model anew: what is asked there goes last.
    """
    from llamaexit.smoke.registry import CHECKS

    chosen = [check for check in CHECKS if check.applies(subject, suite)]
    if own and suite != "none":
        from llamaexit.smoke.own import as_check

        chosen += map(as_check, own)
    return tuple(sorted(chosen, key=_place))


def _place(check: Check) -> int:
    if check.route == "v1":
        return 3
    return 2 if check.id == "load.after" else int(check.own)


def _result(check: Check, finding: Finding, exchanges: tuple[Exchange, ...] = (), seconds: float = 0.0) -> CheckResult:
    return CheckResult(
        id=check.id,
        title=check.title,
        outcome=finding.outcome,
        fault=finding.fault,
        reason=finding.reason,
        won=finding.won,
        figures={name: round(value, 4) for name, value in finding.figures.items()},
        exchanges=exchanges,
        seconds=round(seconds, 3),
        own=check.own,
    )


class _Run:
    """Going through the checks of one model."""

    def __init__(
        self,
        bench: Bench,
        checks: Sequence[Check],
        began: Began | None,
        ended: Ended | None,
        clock: Callable[[], float],
    ) -> None:
        self.results: list[CheckResult] = []
        self._bench = bench
        self._checks = checks
        self._began = began
        self._ended = ended
        self._clock = clock
        self._loaded_at: float | None = None
        self._on_v1 = False

    def through(self) -> None:
        """Put all of them, or as many as make sense."""
        for number, check in enumerate(self._checks):
            if self._began is not None:
                left = self._expected(self._checks[number:]) if self._bench.pace.writes is not None else None
                self._began(check.id, check.title, number + 1, len(self._checks), left)
            result = self._skipped(check) or put(check, self._bench, self._clock)
            self._on_v1 = self._on_v1 or (check.route == "v1" and result.outcome != "skip")
            self._note(result)
            if not self._bench.loaded:
                return
            if self._loaded_at is None:
                self._loaded_at = self._clock()
            hangs = all(r.fault == "timeout" for r in self.results[-_HANGING:]) and len(self.results) >= _HANGING
            if hangs or (check.id == SANE and result.outcome in ("fail", "error")):
                return self._leave_out(self._checks[number + 1 :], result)

    def _skipped(self, check: Check) -> CheckResult | None:
        """The result of a check that is not put, which says why; None when it is put."""
        if check.lacks is not None and (lacking := check.lacks(self._bench.subject)):
            return _result(check, Finding("skip", lacking))
        if check.own or self._loaded_at is None:
            return None
        budget = self._bench.pace.budget(self._bench.suite)
        if self._clock() - self._loaded_at + self._expected((check,)) <= budget:
            return None
        return _result(check, Finding("skip", f"the time for the tests, {budget:.0f} seconds, was used up", "budget"))

    def _expected(self, checks: Sequence[Check]) -> float:
        """Seconds these checks will probably take. The first on /v1 may have the model loaded once more."""
        pace = self._bench.pace
        anew = not self._on_v1 and any(check.route == "v1" for check in checks)
        loading = pace.load_seconds or 0.0 if anew else 0.0
        return loading + sum(pace.expected(check.reads, check.writes) + _OVERHEAD for check in checks)

    def _leave_out(self, checks: Sequence[Check], because: CheckResult) -> None:
        fault: Fault = because.fault or "broken"
        for check in checks:
            self._note(_result(check, Finding("skip", f"not asked after this failed: {because.title}", fault)))

    def _note(self, result: CheckResult) -> None:
        self.results.append(result)
        if self._ended is not None:
            self._ended(result)
