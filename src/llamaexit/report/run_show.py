"""Everything about one run, for a terminal: steps, tests with their evidence, names, backups, ways on and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report.blocking import plain
from llamaexit.report.checks import TABLE, print_checks
from llamaexit.report.layout import Page
from llamaexit.report.run import DIGITS, TONES, print_blocking, print_ways, title
from llamaexit.report.run_view import view

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.record import Run
    from llamaexit.report.run_view import Replacement, StepRow, View

_STATE = {"failed": "red", "begun": "yellow", "left out": "dim", "not begun": "dim"}

_SHORT = {"Why it is Llama": "Why Llama", "Why this one": "Why this"}


def print_whole_run(run: Run, console: Console) -> None:
    """Print a run as its journal tells it."""
    page, it = Page(console), view(run)
    page.line(Text(it.headline, style=f"bold {TONES[it.state.tone]}".rstrip()))
    if it.failure is not None:
        page.row("Stopped by", plain(it.failure[0]), "red", indent=0)
        page.row("", plain(it.failure[1]) or (), indent=0)
    page.blank()
    for label, value in it.facts:
        page.row(label, plain(value), indent=0)
    page.row("Asked for", dict(it.basis).get("Asked for", ()), indent=0)
    page.blank()
    _steps(page, it.steps)
    tests = {test.source: test for test in run.tests}
    for replacement in it.replacements:
        page.blank()
        _replacement(page, replacement)
        if replacement.source in tests:
            print_blocking(page, tests[replacement.source])
    page.blank()
    _names(page, it)
    page.items("Left out", [f"{source}: {plain(why)}" for source, why in it.left_out], indent=0)
    page.items("Left alone", [plain(why) for _, why in it.conflicts], "yellow", indent=0)
    for _, lines in it.unmeasured:
        page.items("Not known", [plain(line) for line in lines], indent=0)
    for edit in it.edits:
        page.items("In clients", [f"{edit.name}:", *map(plain, edit.lines)], indent=0)
    page.blank()
    print_ways(page, run, whole=True)


def _steps(page: Page, steps: tuple[StepRow, ...]) -> None:
    if page.width < TABLE:
        for step in steps:
            page.row(step.state, step.title, _STATE.get(step.state, ""), indent=0)
            page.row("", plain(step.detail) or (), "dim", indent=0)
        return
    rows: list[list[str | Text]] = [
        [
            str(step.number),
            step.title,
            Text(step.state, style=_STATE.get(step.state, "")),
            step.took,
            plain(step.detail),
        ]
        for step in steps
    ]
    page.table(("", "STEP", "STATE", "TOOK", "FOUND"), rows, right=(0, 3), wrap=(4, 1))


def _replacement(page: Page, it: Replacement) -> None:
    page.line(title(it.source, it.target, it.verdict))
    page.row("Verdict", plain(it.reason))
    page.row("Proof", plain(it.proof) or ())
    page.row("Baseline", plain(it.baseline) or ())
    for label, lines in it.about:
        page.items(_SHORT.get(label, label), lines)
    for figure in it.figures:
        compared = f", {figure.compared}" if figure.compared else ""
        page.row("Figure", f"{figure.title}: {figure.old} before, {figure.new} now{compared}")
    print_checks(page, [(row.title, row.old, row.new, row.meaning) for row in it.rows])


def _names(page: Page, it: View) -> None:
    for name in it.names:
        before = f"{name.before[:DIGITS]} before, " if name.before else "not there before, "
        page.row("Name", f"{name.name}: {name.what}; {before}{name.after[:DIGITS]} now", indent=0)
    for of, backup in it.backups:
        page.row("Backup", f"of {of}: {backup}", indent=0)
