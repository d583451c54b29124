"""What the tests of one model found, by itself or beside the one it is to replace, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.migration.record import Tested
from llamaexit.report import amounts, outcome, words
from llamaexit.report.blocking import plain
from llamaexit.report.checks import print_checks
from llamaexit.report.layout import Page
from llamaexit.report.run import TONES, figures, noted, print_blocking, title

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.planning.plan import UseDecision
    from llamaexit.smoke.model import Comparison, SuiteResult


def print_smoke(
    use: UseDecision, old: SuiteResult | None, new: SuiteResult, comparison: Comparison, console: Console
) -> None:
    """Print verdict, figures and every check."""
    page, badge = Page(console), outcome.judged(comparison.verdict)
    name = new.subject.name
    test = Tested(old.subject.name if old is not None else "", name, old, new, comparison)
    if old is not None:
        page.line(title(old.subject.name, name, badge))
    else:
        page.line(Text.assemble((name, "bold"), (f"  {badge.text}", TONES[badge.tone])))
    page.row("Verdict", plain(comparison.reason))
    print_blocking(page, test)
    page.row("Proof", plain(comparison.proof) or ())
    page.row("Baseline", plain(comparison.baseline) or ())
    page.row("Use", f"{', '.join(use.uses)} ({use.text})")
    seconds = new.seconds + (old.seconds if old is not None else 0.0)
    asked = words.counted(len(new.results), "check")
    page.row("Asked", f"{asked} of the {new.suite} suite at {new.subject.context} tokens, {amounts.seconds(seconds)}")
    for label, lines in figures(comparison, old, new):
        page.items(label, lines)
    page.items("To know", [*noted(test)])
    page.blank()
    rows = [(row.title, row.old, row.new, row.meaning) for row in comparison.rows]
    print_checks(page, rows, alone=old is None)
    page.blank()
    page.line("Nothing has been changed.")
