"""How a run ended, for a terminal: what changed, how old and new compare, what to edit in clients, how to go back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report import advice, amounts, outcome, words
from llamaexit.report.blocking import blocking, plain
from llamaexit.report.layout import INDENT, LABEL, Page
from llamaexit.report.overview import ARROW
from llamaexit.units import gib

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.record import Change, Run, Tested
    from llamaexit.planning.plan import Decision, TargetChoice
    from llamaexit.report.outcome import Badge, Tone
    from llamaexit.smoke.model import Comparison, Measured, SuiteResult

TONES: dict[Tone, str] = {"good": "green", "warn": "yellow", "bad": "red", "plain": ""}
DIGITS = 12
"""Hex digits of a digest that are enough to tell builds apart."""
_LABELS = {"tokens_per_second": "Speed", "first_content_seconds": "First word"}
"""Figures that have a line of their own; the others share one."""
_RESIDENCY = ("memory", "gpu_share")
"""Figures that the line about memory tells together, as Ollama gave them."""
_REPLY = 110
"""Characters of a question or an answer that fit on one line of a wide terminal."""


def print_run(run: Run, console: Console) -> None:
    """Print how a run ended. What stopped it, if anything did, is told beside this by whoever ran it."""
    page = Page(console)
    page.line(outcome.headline(run), f"bold {TONES[outcome.state(run).tone]}".rstrip())
    page.row("Run", ", ".join(filter(None, (run.id, amounts.lasted(run.began_at, run.ended_at)))), indent=0)
    told: dict[str, str] = {}
    edits = {edit.name: edit.lines for edit in advice.client_edits(run)}
    for decision, target, test in outcome.replacements(run):
        page.blank()
        _replacement(page, decision, target, test, edits.get(decision.source.model, ()), told)
    page.blank()
    moved = outcome.moved(run)
    others = [change for change in run.changes if change not in moved]
    page.items("Names", [changed(change) for change in (*moved, *others)], indent=0)
    page.items("Left out", [f"{source}: {plain(why)}" for source, why in run.left_out], indent=0)
    page.items("Left alone", [plain(why) for _, why in run.conflicts], "yellow", indent=0)
    if run.changes or run.left_out or run.conflicts:
        page.blank()
    print_ways(page, run)


def print_ways(page: Page, run: Run, *, whole: bool = False) -> None:
    """How to go on with a run, how to undo it, and where to read more. `whole`: everything was told above."""
    for number, command in enumerate(advice.next_commands(run)):
        _command(page, "" if number else "Next", command.text, command.does)
    for number, command in enumerate(advice.way_back(run)):
        _command(page, "" if number else "Go back", command.text, command.does)
    page.row("", advice.back_note(run) or (), "dim", indent=0)
    for command in advice.by_hand(run) if whole else ():
        page.command("By hand", command.text)
    if run.state == "committed":
        _command(
            page, "Later", "llamaexit retire", "deletes old models that can be pulled again, and nothing else does"
        )
    if not whole:
        page.command("More", f"llamaexit show {run.id}")
    page.command("As a page" if whole else "", f"llamaexit report {run.id} --html --out run.html")


def _command(page: Page, label: str, command: str, does: str) -> None:
    page.command(label, command)
    page.row("", does, "dim", indent=0)


def title(source: str, target: str, badge: Badge) -> Text:
    """Old and new model, and what came of it."""
    line = Text(source, style="bold").append(ARROW, style="dim").append(target, style="bold")
    return line.append(f"  {badge.text}", style=TONES[badge.tone])


def changed(change: Change) -> str:
    """A name, what it meant before, and what it means now."""
    before = change.before[:DIGITS] + ARROW if change.before else ""
    return f"{change.name}: {before}{change.after[:DIGITS]}, {outcome.change(change)}"


def _replacement(
    page: Page,
    decision: Decision,
    target: TargetChoice,
    test: Tested | None,
    edits: Sequence[str],
    told: dict[str, str],
) -> None:
    source = decision.source.model
    page.line(title(source, target.model, outcome.verdict(test)))
    if test is not None:
        comparison = test.comparison
        page.row("Verdict", plain(comparison.reason))
        print_blocking(page, test)
        page.row("Proof", _once(plain(comparison.proof), source, told))
        for label, lines in figures(comparison, test.old, test.new):
            page.items(label, lines)
        page.items("To know", [*noted(test)])
    page.items("In clients", [*_new_in(edits, source, told)])


def print_blocking(page: Page, test: Tested) -> None:
    """What is in the way of a switch: the check, the question and the answer."""
    room = min(page.width - INDENT - LABEL, _REPLY)
    for reason in blocking(test):
        page.row("Failed", f"{reason.title}: {reason.reason}", "red")
        page.row("  asked", _cut(reason.asked, room) or ())
        page.row("  answered", _cut(reason.answered, room) or ())


def figures(
    comparison: Comparison, old: SuiteResult | None, new: SuiteResult | None
) -> Iterator[tuple[str, list[str]]]:
    """Measured figures, old and new, by label."""
    others: list[str] = []
    memory = _memory(old, new)
    for measured in comparison.figures:
        if (measured.old is None and measured.new is None) or (memory and measured.name in _RESIDENCY):
            continue
        if measured.name in _LABELS:
            yield _LABELS[measured.name], [_old_and_new(measured)]
        else:
            others.append(f"{plain(amounts.title(measured.name))}: {_old_and_new(measured)}")
    if memory:
        yield "Memory", [memory]
    yield "Figures", others


def _old_and_new(measured: Measured) -> str:
    old, new = (amounts.figure(value, measured.unit) for value in (measured.old, measured.new))
    pair = new if measured.old is None else joined(old, new)
    return ", ".join(filter(None, (pair, amounts.ratio(measured))))


def joined(old: str, new: str) -> str:
    """Old and new figure, the unit once."""
    unit = new.rpartition(" ")[2]
    return f"{old.removesuffix(f' {unit}') if unit else old}{ARROW}{new}"


def _memory(old: SuiteResult | None, new: SuiteResult | None) -> str:
    """What Ollama says the loaded models take, and how much of the new one lies on the GPU."""
    before = old.residency if old is not None else None
    after = new.residency if new is not None else None
    if after is None:
        return ""
    size = gib(after.size) if before is None else joined(gib(before.size), gib(after.size))
    share = words.percent(after.gpu_share)
    if before is not None and words.percent(before.gpu_share) != share:
        share = f"{words.percent(before.gpu_share)}{ARROW}{share}"
    return f"{size}, {share} on the GPU, as Ollama says"


def noted(test: Tested) -> Iterator[str]:
    """What does not stop the switch and is worth knowing: warnings of the new model, and faults the old one had too."""
    for row in test.comparison.rows:
        if row.blocks or row.new not in ("warn", "fail", "error") or test.new is None:
            continue
        result = test.new.result(row.id)
        why = (result.reason if result is not None else "") or row.meaning
        too = "; so does the old model" if row.old == row.new == "fail" else ""
        yield f"{plain(row.title)}: {plain(why)}{too}"


def _once(text: str, source: str, told: dict[str, str]) -> str | tuple[()]:
    """A text, or nothing where it was told already."""
    if not text or text in told:
        return ()
    told[text] = source
    return text


def _new_in(lines: Iterable[str], source: str, told: dict[str, str]) -> Iterator[str]:
    """The lines that were not told for another model, which is named in their place."""
    others: dict[str, None] = {}
    for line in lines:
        if told.setdefault(line, source) == source:
            yield plain(line)
        else:
            others[told[line]] = None
    if others:
        yield f"otherwise as for {words.listed(others)}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 2].rstrip() + " …"
