"""What a run could not measure, and why: what nobody should take for tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llamaexit.report import amounts, outcome, words
from llamaexit.report.evidence import one_line

if TYPE_CHECKING:
    from llamaexit.migration.record import Run, Tested
    from llamaexit.planning.plan import Decision
    from llamaexit.smoke.model import SuiteResult


def unmeasured(run: Run) -> Iterator[tuple[str, tuple[str, ...]]]:
    """For each replacement that lacks something: its source, and what is lacking, one line each."""
    for decision, _, test in outcome.replacements(run):
        source = decision.source.model
        if test is None:
            yield source, (_never_tested(run),)
        elif lines := tuple(_lacking(decision, test)):
            yield source, lines


def _never_tested(run: Run) -> str:
    if run.options.suite == "none":
        return "The new model was not tested at all: --suite none was asked for."
    return "The new model was not tested: the run did not come that far."


def _lacking(decision: Decision, test: Tested) -> Iterator[str]:
    if test.old is None:
        why = "it was not put to the tests" if decision.source.installed else "it is not installed here"
        yield f"{test.source} has no results to compare with: {why}."
    for name, suite in ((test.source, test.old), (test.target, test.new)):
        if suite is not None:
            yield from _of_suite(name, suite)
    if test.new is None:
        yield f"{test.target} has no results."
    for measured in test.comparison.figures:
        missing = [
            name
            for name, value, suite in (
                (test.source, measured.old, test.old), (test.target, measured.new, test.new),
            )
            if value is None and suite is not None and suite.failed_to_load is None
        ]  # fmt: skip
        if missing:
            yield f"{one_line(amounts.title(measured.name))}: not measured for {words.listed(missing)}."


def _of_suite(name: str, suite: SuiteResult) -> Iterator[str]:
    if suite.failed_to_load is not None:
        yield f"{name} did not load: {one_line(suite.failed_to_load)}."
        return
    if suite.residency is None:
        yield f"What memory {name} takes: Ollama did not say."
    reasons: dict[tuple[str, str], list[str]] = {}
    for result in suite.results:
        if result.outcome in ("skip", "error"):
            reasons.setdefault((result.outcome, one_line(result.reason)), []).append(one_line(result.title))
    for (what, reason), titles in reasons.items():
        verb = "not asked" if what == "skip" else "could not be asked"
        yield f"{name}, {verb}: {words.listed(titles)}{f' ({reason})' if reason else ''}."
