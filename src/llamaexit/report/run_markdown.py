"""The report of a run in Markdown, for an issue or a chat: the same as the page, in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from llamaexit.report import amounts, outcome
from llamaexit.report.markdown_text import block, code, plain

if TYPE_CHECKING:
    from llamaexit.report.advice import Command
    from llamaexit.report.run_view import Proof, Replacement, Side, View


def markdown_lines(view: View) -> Iterator[str]:
    """The report, line by line."""
    yield f"# Off Llama: run {code(view.run)}"
    yield ""
    yield f"**{plain(view.headline)}**"
    yield ""
    if view.failure:
        message, hint = view.failure
        yield f"> {plain(message)}"
        if hint:
            yield ">"
            yield f"> Next: {plain(hint)}"
        yield ""
    yield from _bullets(view.facts)
    yield from _overview(view)
    if view.left_out:
        yield from _section("Not migrated")
        yield from (f"- {code(source)}: {plain(why)}" for source, why in view.left_out)
    yield from _todo(view)
    for part in view.replacements:
        yield from _replacement(part)
    if view.unmeasured:
        yield from _section("What was not measured")
        for source, lines in view.unmeasured:
            yield f"- {code(source)}"
            yield from (f"  - {plain(line)}" for line in lines)
    yield from _names(view)
    yield from _steps(view)
    yield from _decided(view)
    yield ""
    yield f"Written by llamaexit {plain(view.version)} from the journal of the run."


def _overview(view: View) -> Iterator[str]:
    if not view.overview:
        return
    yield from _section("Replacements")
    yield "Figures are old → new, as measured here."
    yield ""
    yield from _table(
        (("Model", ""), ("Verdict", ""), ("Speed", ":"), ("First word", ":"), ("Memory", ":"), ("Licence", "")),
        (
            (
                f"{code(row.source)} → {code(row.target)}", plain(row.verdict.text), plain(row.speed or "–"),
                plain(row.first or "–"), plain(row.memory or "–"), plain(row.licence),
            )
            for row in view.overview
        ),
    )  # fmt: skip


def _todo(view: View) -> Iterator[str]:
    yield from _section("What to do now")
    if view.following:
        yield "### Go on"
        yield ""
        yield from _commands(view.following)
        yield ""
    if view.edits:
        yield "### Edit in clients"
        yield ""
        for edit in view.edits:
            yield f"- {code(edit.name)}"
            yield from (f"  - {plain(line)}" for line in edit.lines)
        yield ""
    yield "### Go back"
    yield ""
    if view.way_back:
        yield from _commands(view.way_back)
        yield ""
    if view.back_note:
        yield plain(view.back_note)
    if view.by_hand:
        yield ""
        yield "Without llamaexit, the same names by hand:"
        yield ""
        yield from _commands(view.by_hand)


def _replacement(part: Replacement) -> Iterator[str]:
    yield from _section(f"{code(part.source)} → {code(part.target)}")
    yield f"**{plain(part.verdict.text)}.** {plain(part.reason)}"
    for text in (part.baseline, part.proof):
        if text:
            yield ""
            yield plain(text)
    if part.rows:
        yield ""
        yield "### Checks"
        yield ""
        yield from _table(
            (("Check", ""), ("Old", ""), ("New", ""), ("What it means", "")),
            (
                (
                    plain(row.title), outcome.OUTCOMES[row.old], outcome.OUTCOMES[row.new],
                    plain(row.meaning) + (" **(stops the switch)**" if row.blocks else ""),
                )
                for row in part.rows
            ),
        )  # fmt: skip
    if part.figures:
        yield ""
        yield "### Figures"
        yield ""
        yield from _table(
            (("Measured", ""), ("Old", ":"), ("New", ":"), ("Compared", "")),
            ((plain(row.title), plain(row.old), plain(row.new), plain(row.compared)) for row in part.figures),
        )
    for chart in part.charts:
        if chart.title.startswith("Memory"):
            yield ""
            yield f"{chart.title}, {chart.note}: {plain(chart.text)}."
    yield ""
    yield "### Why this replacement"
    yield ""
    for label, lines in part.about:
        if len(lines) == 1:
            yield from _bullets(((label, lines[0]),))
        else:
            yield f"- **{label}:**"
            yield from (f"  - {plain(line)}" for line in lines)
    if part.evidence:
        yield ""
        yield "### Evidence"
        for proof in part.evidence:
            yield from _proof(proof)


def _proof(proof: Proof) -> Iterator[str]:
    yield ""
    yield f"#### {plain(proof.title)}" + (" (stops the switch)" if proof.blocks else "")
    if proof.blocks:
        yield ""
        yield plain(proof.meaning)
    for side in proof.sides:
        yield from _side(side)


def _side(side: Side) -> Iterator[str]:
    yield ""
    yield f"**{plain(side.label)}:** {outcome.OUTCOMES[side.outcome]}" + (
        f": {plain(side.reason)}" if side.reason else ""
    )
    for exchange in side.exchanges.shown:
        for label, text in exchange.said:
            yield ""
            yield f"{plain(label)}:"
            yield ""
            yield from block(text)
        yield ""
        yield f"{plain(exchange.path)}, {exchange.status}, {amounts.seconds(exchange.seconds)}. Request:"
        yield ""
        yield from block(exchange.request)
        if exchange.answer:
            yield ""
            yield "Answer:"
            yield ""
            yield from block(exchange.answer)
    if side.exchanges.more:
        yield ""
        yield f"and {side.exchanges.more} more in the files of the run"
    if not side.exchanges.shown:
        yield ""
        yield "no request was sent for it"


def _names(view: View) -> Iterator[str]:
    yield from _section("Names")
    if view.names:
        yield from _table(
            (("Name", ""), ("Before", ""), ("After", ""), ("What happened", "")),
            (
                (
                    code(row.name), code(row.before[:12]) if row.before else "was not there", code(row.after[:12]),
                    plain(row.what),
                )
                for row in view.names
            ),
        )  # fmt: skip
    else:
        yield "Every name means what it meant before the run."
    if view.backups:
        yield ""
        yield "### Backups"
        yield ""
        yield "Old models that are kept alive. They take the disk the old models took, and no more."
        yield ""
        yield from (f"- {code(of)}: {code(name)}" for of, name in view.backups)
    if view.conflicts:
        yield ""
        yield "### Left as somebody else made them"
        yield ""
        yield from (f"- {code(name)}: {plain(text)}" for name, text in view.conflicts)


def _steps(view: View) -> Iterator[str]:
    if not view.steps:
        return
    yield from _section("What happened")
    yield from _table(
        (("#", ":"), ("Step", ""), ("Phase", ""), ("How it ended", ""), ("Took", ":"), ("Found", "")),
        (
            (str(row.number), plain(row.title), row.phase, row.state, row.took or "–", plain(row.detail))
            for row in view.steps
        ),
    )  # fmt: skip


def _decided(view: View) -> Iterator[str]:
    yield from _section("What was decided")
    yield from _bullets(view.basis)
    if view.decided:
        yield ""
        yield from _table(
            (("Model", ""), ("Use", ""), ("Becomes", ""), ("Why", "")),
            ((code(row.source), plain(row.use), plain(row.outcome), plain(row.reason)) for row in view.decided),
        )


def _section(title: str) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""


def _bullets(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from (f"- **{label}:** {plain(text)}" for label, text in pairs if text)


def _commands(items: Iterable[Command]) -> Iterator[str]:
    yield from (f"- {code(item.text)}: {plain(item.does)}" for item in items)


def _table(columns: tuple[tuple[str, str], ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table; a colon beside a heading puts its column to the right. Cells are escaped already."""
    yield f"| {' | '.join(title for title, _ in columns)} |"
    yield f"|{'|'.join(f'---{side}' for _, side in columns)}|"
    yield from (f"| {' | '.join(cells)} |" for cells in rows)
