"""Results of smoke tests, written down by hand."""

from __future__ import annotations

from typing import Any

from llamaexit.smoke.model import CheckResult, Outcome, Residency, Subject, SuiteResult

SUBJECT = Subject("m:1b", "d" * 64, ("chat",), ("completion",), 4096)


def check(id: str, outcome: Outcome = "pass", reason: str = "", **more: Any) -> CheckResult:
    """What one check found; one that is no pass has a reason and a kind of fault unless others are given."""
    faults = {"fail": "wrong", "error": "broken"}
    facts: dict[str, Any] = {"fault": faults.get(outcome, ""), **more}
    return CheckResult(id, f"does {id}", outcome, reason=reason or ("" if outcome == "pass" else "why"), **facts)


def suite(*results: CheckResult, **more: Any) -> SuiteResult:
    """The results of one model."""
    facts: dict[str, Any] = {"subject": SUBJECT, "residency": Residency(1000, 1000, 4096), **more}
    subject = facts.pop("subject")
    return SuiteResult(subject, "quick", 1, "2026-11-25T09:00:00Z", 10.0, results, **facts)
