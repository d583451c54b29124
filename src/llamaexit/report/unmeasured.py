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
    for decision, target, test in outcome.replacements(run):
        source = decision.source.model
        if test is None:
            name = f"The new {source}" if decision.rebuild is not None else target.model
            yield source, (_never_tested(run, name),)
        elif lines := tuple(_lacking(decision, test)):
            yield source, lines


def _never_tested(run: Run, name: str) -> str:
    if run.options.suite == "none":
        return f"{name} was not tested at all: --suite none was asked for."
    return f"{name} was not tested: the run did not come that far."


def _lacking(decision: Decision, test: Tested) -> Iterator[str]:
    if test.old is None:
        why = "it was not put to the tests" if decision.source.installed else "it is not installed here"
        yield f"{test.source} has no results to compare with: {why}."
    if test.new is None:
        yield f"{test.target} has no results."
    suites = [(name, suite) for name, suite in ((test.source, test.old), (test.target, test.new)) if suite is not None]
    for name, suite in suites:
        if suite.failed_to_load is not None:
            yield f"{name} did not load: {one_line(suite.failed_to_load)}."
        elif suite.residency is None:
            yield f"What memory {name} takes: Ollama did not say."
    yield from _never_answered(suites)
    yield from _without_figure(test)


def _never_answered(suites: list[tuple[str, SuiteResult]]) -> Iterator[str]:
    """Checks that were not asked, or could not be: those of one reason and of the same models together."""
    models: dict[tuple[str, str, str], list[str]] = {}
    for name, suite in suites:
        for result in suite.results if suite.failed_to_load is None else ():
            if result.outcome in ("skip", "error"):
                models.setdefault((result.outcome, one_line(result.reason), one_line(result.title)), []).append(name)
    titles: dict[tuple[str, str, str], list[str]] = {}
    for (what, reason, title), names in models.items():
        titles.setdefault((what, reason, words.listed(names)), []).append(title)
    for (what, reason, listed), several in titles.items():
        verb = "Not asked of" if what == "skip" else "Could not be asked of"
        yield f"{verb} {listed}: {words.listed(several)}{f' ({reason})' if reason else ''}."


def _without_figure(test: Tested) -> Iterator[str]:
    """Figures that one of two models lacks although it was loaded."""
    for measured in test.comparison.figures:
        pairs = ((test.source, measured.old, test.old), (test.target, measured.new, test.new))
        missing = [
            name for name, value, suite in pairs if value is None and suite is not None and suite.failed_to_load is None
        ]
        if missing:
            yield f"Not measured for {words.listed(missing)}: {one_line(amounts.title(measured.name))}."
