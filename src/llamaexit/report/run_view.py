"""What the report of a run shows, as plain data in the order it is read; the page and the Markdown are made from this.

Everything here comes from the run alone: the same run gives the same view, at any time and on any machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.report import advice, amounts, outcome, words
from llamaexit.report.advice import Edit
from llamaexit.report.charts import BarChart, Matrix, Value, bar_chart, matrix
from llamaexit.report.evidence import Exchanges, exchanges_of, one_line
from llamaexit.report.unmeasured import unmeasured
from llamaexit.units import gib

if TYPE_CHECKING:
    from llamaexit.migration.record import Failure, Run, Tested
    from llamaexit.planning.plan import Decision, TargetChoice
    from llamaexit.report.advice import Command
    from llamaexit.report.outcome import Badge
    from llamaexit.smoke.model import Comparison, Measured, Outcome, Row, SuiteResult

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """One replacement in the first table."""

    anchor: str
    source: str
    target: str
    verdict: Badge
    speed: str
    first: str
    memory: str
    licence: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check, old beside new. `anchor`: where its evidence is, empty where there is none."""

    title: str
    old: Outcome | None
    new: Outcome | None
    meaning: str
    blocks: bool
    anchor: str


@dataclass(frozen=True, slots=True)
class Side:
    """One model's part in the evidence of a check."""

    label: str
    outcome: Outcome
    reason: str
    exchanges: Exchanges


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence of one check. meaning: what the verdict makes of it. `plain`: both models simply passed."""

    anchor: str
    check: str
    title: str
    meaning: str
    blocks: bool
    plain: bool
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of both models, in words."""

    title: str
    old: str
    new: str
    compared: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """Everything about one replacement. about: labelled lines from the plan; `charts` are empty without any figure."""

    anchor: str
    source: str
    target: str
    verdict: Badge
    reason: str
    proof: str
    baseline: str
    charts: tuple[BarChart, ...]
    matrix: Matrix | None
    rows: tuple[CheckRow, ...]
    figures: tuple[FigureRow, ...]
    evidence: tuple[Proof, ...]
    about: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class NameRow:
    """A name that means something else than before. Digests in full; empty where the name was not there."""

    name: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of the run."""

    number: int
    title: str
    phase: str
    state: str
    took: str
    detail: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What the plan decided about one model."""

    source: str
    use: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """The whole report."""

    run: str
    state: Badge
    headline: str
    failure: tuple[str, str] | None
    facts: Pairs
    overview: tuple[Overview, ...]
    left_out: Pairs
    following: tuple[Command, ...]
    edits: tuple[Edit, ...]
    way_back: tuple[Command, ...]
    by_hand: tuple[Command, ...]
    back_note: str
    replacements: tuple[Replacement, ...]
    names: tuple[NameRow, ...]
    backups: tuple[tuple[str, str], ...]
    conflicts: Pairs
    steps: tuple[StepRow, ...]
    basis: Pairs
    decided: tuple[Decided, ...]
    unmeasured: tuple[tuple[str, tuple[str, ...]], ...]
    version: str


def view(run: Run) -> View:
    """The report of a run."""
    edits = advice.client_edits(run)
    advised = {edit.name for edit in edits}
    replaced = tuple(
        _replacement(f"r{number}", decision, target, test, advised=decision.source.model in advised)
        for number, (decision, target, test) in enumerate(outcome.replacements(run), 1)
    )
    return View(
        run=run.id,
        state=outcome.state(run),
        headline=outcome.headline(run),
        failure=_failure(run.failure),
        facts=tuple((label, one_line(text)) for label, text in _facts(run)),
        overview=tuple(_overview(run, replaced)),
        left_out=tuple((source, one_line(why)) for source, why in run.left_out),
        following=advice.next_commands(run),
        edits=tuple(_once_each(edits)),
        way_back=advice.way_back(run),
        by_hand=advice.by_hand(run),
        back_note=advice.back_note(run),
        replacements=replaced,
        names=tuple(
            NameRow(change.name, outcome.change(change), change.before or "", change.after) for change in run.changes
        ),
        backups=tuple((backup.of, backup.name) for backup in run.backups),
        conflicts=tuple((name, one_line(text)) for name, text in run.conflicts),
        steps=tuple(
            StepRow(
                number, one_line(step.title), step.phase, _STEPS[step.state],
                "" if step.seconds is None else amounts.seconds(step.seconds), one_line(step.detail),
            )
            for number, step in enumerate(run.steps, 1)
        ),
        basis=tuple((label, one_line(text)) for label, text in _basis(run)),
        decided=tuple(map(_decided, run.plan.decisions)),
        unmeasured=tuple(unmeasured(run)),
        version=run.llamaexit_version,
    )  # fmt: skip


_CELL = 40
"""Characters of a figure with its unit."""
_STEPS = {"waiting": "not begun", "begun": "begun", "done": "done", "failed": "failed", "left-out": "left out"}


def _failure(failure: Failure | None) -> tuple[str, str] | None:
    return None if failure is None else (one_line(failure.message), one_line(failure.hint or ""))


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    yield "Run", run.id
    yield "Began", amounts.moment(run.began_at)
    if run.ended_at:
        span = amounts.lasted(run.began_at, run.ended_at)
        yield "Ended", amounts.moment(run.ended_at) + (f", {span} later" if span else "")
    else:
        yield "Ended", "not yet"
    yield "Ollama", f"{run.ollama_version or 'version not known'} at {run.host}"
    yield "Machine", run.plan.basis.machine
    yield "Tests", outcome.tested_as(run.options.suite)
    yield "Plan", run.plan.plan_id[:12]


def _basis(run: Run) -> Iterator[tuple[str, str]]:
    basis = run.plan.basis
    yield "Plan", run.plan.plan_id
    yield "Machine", basis.machine
    yield "Ollama", basis.ollama.removeprefix("Ollama ")
    yield "Recipes", ", ".join(basis.recipes) or "none"
    if basis.facts_checked:
        yield "Facts checked", basis.facts_checked
    if basis.policy:
        yield "Policy", "; ".join(basis.policy)
    if basis.overrides:
        yield "As stated, not measured", "; ".join(basis.overrides)
    if options := tuple(_options(run)):
        yield "Asked for", ", ".join(options)


def _once_each(edits: tuple[Edit, ...]) -> Iterator[Edit]:
    """The edits without what was said for another model already, which is named in its place."""
    told: dict[str, str] = {}
    for edit in edits:
        lines = [line for line in edit.lines if told.setdefault(line, edit.name) == edit.name]
        others = dict.fromkeys(told[line] for line in edit.lines if told[line] != edit.name)
        if others:
            lines.append(f"Otherwise as for {words.listed(others)}.")
        yield Edit(edit.name, tuple(lines))


def _options(run: Run) -> Iterator[str]:
    """What was asked for on the command line, as it is typed there."""
    options = run.options
    if options.stage:
        yield "--stage"
    for name, patterns in (("--only", options.only), ("--skip", options.skip), ("--accept", options.accept)):
        yield from (f"{name} {pattern}" for pattern in patterns)
    if not options.pull:
        yield "--no-pull"
    if options.keep_going:
        yield "--keep-going"
    yield from (f"--alias {name}={role}" for name, role in options.aliases.items())
    if options.take_over:
        yield "--take-over"


def _decided(decision: Decision) -> Decided:
    target = decision.target
    return Decided(
        decision.source.model,
        ", ".join(decision.use.uses),
        target.model if target is not None else {"keep": "kept"}.get(decision.action, decision.action),
        one_line(decision.reason),
    )


def _overview(run: Run, replaced: tuple[Replacement, ...]) -> Iterator[Overview]:
    for (_, target, test), shown in zip(outcome.replacements(run), replaced, strict=True):
        comparison = test.comparison if test is not None else None
        yield Overview(
            shown.anchor,
            shown.source,
            shown.target,
            shown.verdict,
            _pair(_measured(comparison, SPEED)),
            _pair(_measured(comparison, FIRST)),
            _memory_pair(test),
            f"{target.licence.old} → {target.licence.new}",
        )


def _replacement(
    anchor: str, decision: Decision, target: TargetChoice, test: Tested | None, *, advised: bool
) -> Replacement:
    rows: tuple[CheckRow, ...] = ()
    evidence: tuple[Proof, ...] = ()
    comparison = test.comparison if test is not None else None
    if test is not None:
        evidence = tuple(_proofs(anchor, test))
        anchors = {proof.check: proof.anchor for proof in evidence}
        rows = tuple(_row(row, anchors.get(row.id, "")) for row in test.comparison.rows)
    return Replacement(
        anchor=anchor,
        source=decision.source.model,
        target=target.model,
        verdict=outcome.verdict(test),
        reason=one_line(comparison.reason) if comparison else "No smoke tests were put to these two models.",
        proof=one_line(comparison.proof) if comparison else "",
        baseline=one_line(comparison.baseline) if comparison else "",
        charts=tuple(_charts(test)) if test is not None else (),
        matrix=_matrix(rows) if rows else None,
        rows=rows,
        figures=tuple(map(_figure, comparison.figures)) if comparison else (),
        evidence=evidence,
        about=tuple(_about(decision, target, test, advised=advised)),
    )


def _row(row: Row, anchor: str) -> CheckRow:
    return CheckRow(one_line(row.title), row.old, row.new, one_line(row.meaning), row.blocks, anchor)


def _matrix(rows: tuple[CheckRow, ...]) -> Matrix:
    counts = []
    for label, outcomes in (("old", [row.old for row in rows]), ("new", [row.new for row in rows])):
        told = [f"{outcomes.count(key)} {text}" for key, text in outcome.OUTCOMES.items() if key in outcomes]
        counts.append(f"{label}: {', '.join(told)}")
    return matrix(((row.title, row.old, row.new) for row in rows), "; ".join(counts), outcome.OUTCOMES)


def _proofs(anchor: str, test: Tested) -> Iterator[Proof]:
    """The evidence of every check, in the order of the rows, those that block or differ before the plain passes."""
    sides: dict[str, list[Side]] = {}
    titles: dict[str, str] = {}
    for role, suite in (("Old", test.old), ("New", test.new)):
        for result in suite.results if suite is not None else ():
            titles[result.id] = one_line(result.title)
            label = f"{role}: {_shown_name(suite, test)}"
            sides.setdefault(result.id, []).append(
                Side(label, result.outcome, one_line(result.reason), exchanges_of(result))
            )
    rows = {row.id: row for row in test.comparison.rows}
    order = {check: number for number, check in enumerate(rows)}
    proofs: list[Proof] = []
    for number, (check, several) in enumerate(sorted(sides.items(), key=lambda item: order.get(item[0], len(order)))):
        row = rows.get(check)
        # a check that was passed may weigh against a model all the same, beside how the old one did
        plain = all(side.outcome == "pass" for side in several) and (row is None or row.new in ("pass", None))
        anchored = f"{anchor}-{_slug(check, number)}"
        meaning, blocks = (one_line(row.meaning), row.blocks) if row is not None else ("", False)
        proofs.append(Proof(anchored, check, titles[check], meaning, blocks, plain, tuple(several)))
    yield from sorted(proofs, key=lambda proof: (not proof.blocks, proof.plain))


def _slug(text: str, number: int) -> str:
    """An anchor that is safe in any document; the number keeps two checks apart that differ in signs only."""
    return f"{number}-{re.sub('[^a-z0-9]+', '-', text.lower())[:40].strip('-')}"


def _shown_name(suite: SuiteResult | None, test: Tested) -> str:
    """The model as people know it, rather than by the name it was prepared under."""
    if suite is None or suite is test.old:
        return test.source
    return f"{test.source} on {test.target}" if suite.subject.name.startswith("llamaexit-stage/") else test.target


SPEED = ("tokens_per_second",)
FIRST = ("first_content_seconds", "first_content")


def _measured(comparison: Comparison | None, names: tuple[str, ...]) -> Measured | None:
    """The figure that goes by one of these names."""
    for measured in comparison.figures if comparison is not None else ():
        if re.sub("[^a-z0-9]+", "_", measured.name.lower()).strip("_") in names:
            return measured
    return None


def _pair(measured: Measured | None) -> str:
    """Old and new figure in one cell, the unit once."""
    if measured is None or (measured.old is None and measured.new is None):
        return ""
    new = _amount(measured.new, measured.unit)
    if measured.old is None:
        return new
    return _joined(_amount(measured.old, measured.unit), new)


def _memory_pair(test: Tested | None) -> str:
    old, new = (None, None) if test is None else (_size(test.old), _size(test.new))
    if new is None:
        return ""
    return gib(new) if old is None else _joined(gib(old), gib(new))


def _amount(value: float | None, unit: str) -> str:
    return one_line(amounts.figure(value, unit), _CELL)


def _joined(old: str, new: str) -> str:
    unit = new.rpartition(" ")[2]
    return f"{old.removesuffix(f' {unit}') if unit else old} → {new}"


def _size(suite: SuiteResult | None) -> int | None:
    return suite.residency.size if suite is not None and suite.residency is not None else None


def _figure(measured: Measured) -> FigureRow:
    return FigureRow(
        one_line(amounts.title(measured.name)),
        _amount(measured.old, measured.unit),
        _amount(measured.new, measured.unit),
        amounts.ratio(measured),
    )


def _charts(test: Tested) -> Iterator[BarChart]:
    for title, note, names in (
        ("Speed", "more is better", SPEED),
        ("First word", "less is better", FIRST),
    ):
        measured = _measured(test.comparison, names)
        if measured is not None and (measured.old is not None or measured.new is not None):
            yield bar_chart(
                title, note, [_value("old", measured.old, measured.unit), _value("new", measured.new, measured.unit)]
            )
    if _size(test.old) is not None or _size(test.new) is not None:
        values = [_memory("old", test.old), _memory("new", test.new)]
        kinds = {kind for value in values for kind, amount in value.amounts if amount}
        in_ram = any(kind.startswith("ram") for kind in kinds)
        legend = (("gpu", "on the GPU"), ("ram", "in main memory")) if in_ram else ()
        yield bar_chart("Memory", "once loaded", values, legend)


def _value(label: str, amount: float | None, unit: str) -> Value:
    return Value(label, () if amount is None else ((label, max(0.0, amount)),), _amount(amount, unit))


def _memory(label: str, suite: SuiteResult | None) -> Value:
    residency = suite.residency if suite is not None else None
    if residency is None:
        return Value(label, (), "not measured")
    on_gpu = min(residency.size, residency.size_vram)
    share = "" if residency.size_vram >= residency.size else f", {words.percent(residency.gpu_share)} GPU"
    return Value(label, ((label, on_gpu), (f"{label} ram", residency.size - on_gpu)), gib(residency.size) + share)


def _about(
    decision: Decision, target: TargetChoice, test: Tested | None, *, advised: bool
) -> Iterator[tuple[str, tuple[str, ...]]]:
    source = decision.source
    yield "Why it is Llama", (one_line(words.lineage(source.lineage)),)
    yield "Use", (f"{', '.join(decision.use.uses)} ({one_line(decision.use.text)})",)
    yield "Why this one", (one_line(decision.reason),)
    if passed := words.better_ranked(decision):
        yield "Passed over", tuple(f"{model}: {one_line(why)}" for model, why in passed)
    yield "Licence", (one_line(target.licence.text or words.licence(target.licence)),)
    yield "Memory", tuple(_memory_lines(target, test))
    if decision.rebuild is not None:
        carries = words.listed(decision.rebuild.carries) or "nothing of its own"
        drops = decision.rebuild.drops
        yield "Rebuilt", (f"keeps {carries}", *((f"leaves behind {words.listed(drops)}",) if drops else ()))
    if not advised and (caveats := (*target.caveats, *decision.caveats)):
        yield "To know", tuple(one_line(caveat.text) for caveat in caveats)


def _memory_lines(target: TargetChoice, test: Tested | None) -> Iterator[str]:
    """What was reckoned before, and what Ollama said once the model was loaded."""
    fit = target.fit
    if fit is None:
        yield "could not be reckoned beforehand"
    else:
        yield f"reckoned: {gib(fit.unloaded.ps.expected)} at {fit.context} tokens, {words.placed(fit.unloaded)}"
    residency = test.new.residency if test is not None and test.new is not None else None
    if residency is not None:
        context = f" at {residency.context} tokens" if residency.context else ""
        yield f"measured: {gib(residency.size)}{context}, {words.percent(residency.gpu_share)} on the GPU"
