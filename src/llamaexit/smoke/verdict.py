"""The verdict on a replacement: what the old model could do and the new one cannot stops it, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llamaexit.smoke.beside import beside
from llamaexit.smoke.measured import measured
from llamaexit.smoke.model import Comparison, Row
from llamaexit.smoke.proof import proof
from llamaexit.smoke.registry import ADVISORY
from llamaexit.smoke.runner import SANE

if TYPE_CHECKING:
    from llamaexit.smoke.model import CheckResult, SuiteResult, VerdictWord


def compare(old: SuiteResult | None, new: SuiteResult) -> Comparison:
    """Judge a new model by its results and by those of the old one, which may be missing."""
    baseline = old if old is not None and old.failed_to_load is None else None
    rows = tuple(_row(result, baseline, new) for result in new.results)
    verdict, reason = _verdict(rows, baseline, new)
    return Comparison(
        verdict, reason, rows, tuple(measured(baseline, new)), proof(baseline, new), baseline=_baseline(old)
    )


def _baseline(old: SuiteResult | None) -> str:
    if old is None:
        return "The old model was not tested, so the new one had to pass by itself."
    if old.failed_to_load is not None:
        return f"The old model could not be loaded ({old.failed_to_load}), so the new one had to pass by itself."
    return "The old model was tested first, with the same questions."


def _row(result: CheckResult, old: SuiteResult | None, new: SuiteResult) -> Row:
    before = old.result(result.id) if old is not None else None
    row = Row(result.id, result.title, before.outcome if before else None, result.outcome, result.reason)
    if result.outcome == "fail":
        return _failed(row, before)
    if before is None or result.outcome not in ("pass", "warn"):
        return row
    if before.outcome == "fail" and result.outcome == "pass":
        row = replace(row, meaning="the new model does it, the old one did not")
    return beside(row, before, result, new.subject)


def _failed(row: Row, before: CheckResult | None) -> Row:
    """A check the new model failed. It blocks unless the old one failed it, too, or never was to be asked."""
    if row.id == SANE:
        # whatever the old one did: what writes no plain text replaces nothing, and could not be asked anything else
        return replace(row, blocks=True)
    if before is None or _says_nothing(before):
        return replace(row, meaning=f"the new model does not: {row.meaning}", blocks=True)
    match before.outcome:
        case "skip":
            return replace(row, meaning=f"asked of the new model only: {row.meaning}")
        case "fail":
            return replace(row, meaning=f"neither does it: {row.meaning}")
    return replace(row, meaning=f"the old model does it, the new one does not: {row.meaning}", blocks=True)


def _says_nothing(result: CheckResult) -> bool:
    """Whether a check was to be put to a model and could not be."""
    return result.outcome == "error" or (result.outcome == "skip" and result.fault != "")


def _verdict(rows: tuple[Row, ...], old: SuiteResult | None, new: SuiteResult) -> tuple[VerdictWord, str]:
    if new.failed_to_load is not None:
        refused = any(row.new == "fail" for row in rows)
        return "no-go" if refused else _of(new.fault), f"it could not be loaded: {new.failed_to_load}"
    if blocking := [row for row in rows if row.blocks]:
        return "no-go", _told(blocking)
    unasked = [
        (row, result.fault)
        for row, result in zip(rows, new.results, strict=True)
        if _says_nothing(result) and row.id not in ADVISORY
    ]
    if broken := [row for row, fault in unasked if _of(fault) == "error"]:
        return "error", _told(broken)
    if lacking := [row for row, _ in unasked if row.old != "fail"]:
        return "not-enough-evidence", _told(lacking)
    if not any(row.new in ("pass", "warn") for row in rows):
        return "not-enough-evidence", "nothing was asked"
    remarks = sum(row.new == "warn" for row in rows)
    told = "" if not remarks else ", with one remark" if remarks == 1 else f", with {remarks} remarks"
    return "go", f"does all that the old one did{told}" if old is not None else f"passes by itself{told}"


def _of(fault: str) -> VerdictWord:
    return "not-enough-evidence" if fault in ("timeout", "budget") else "error"


def _told(rows: list[Row]) -> str:
    """The first of some rows, and how many there are more."""
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return f"{rows[0].title}{more}: {rows[0].meaning}"
