"""A plan for reading in a terminal: what comes of it first, then each model, then what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report import figures, words
from llamaexit.report.layout import INDENT, Page
from llamaexit.report.overview import ARROW, OUTCOME, STYLE, print_overview

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.planning.plan import Asked, Basis, Decision, Plan, TargetChoice

_TABLE = 72
"""Columns from which on there is a table of all decisions."""
_FIGURES = 2
_PASSED_OVER = 3
_IN_A_SENTENCE = {
    "Download": "download", "Licence": "licence", "Ollama": "Ollama version", "Thinks": "thinking",
    "Figures": "figures", "Against": "figures against it", "Unsure": "what is unsure",
}  # fmt: skip


def print_plan(
    plan: Plan,
    console: Console,
    *,
    verbose: bool = False,
    saved_as: Path | None = None,
    command: str = "llamaexit plan",
    migrate: str | None = None,
    inspect: str | None = None,
) -> None:
    """Print a plan.

    command: the command line that made it, which the next commands build on. migrate: the command that carries it out;
    None for another machine. inspect: the command that shows what is wrong with models here, if something is.
    """
    page = Page(console)
    print_basis(page, plan.basis)
    page.blank()
    page.line(words.headline(plan), "bold")
    if page.width >= _TABLE and len(plan.decisions) > 1 and plan.pending:
        page.blank()
        print_overview(page, plan.decisions)
    told = Told()
    for decision in plan.decisions:
        page.blank()
        print_decision(page, decision, verbose=verbose, told=None if verbose else told)
    for asked in plan.asked:
        page.blank()
        _asked(page, asked)
    if plan.pending:
        page.blank()
        page.row("Total", words.totals(plan.totals, beside=words.old_are_here(plan)), indent=0)
    _remarks(page, plan)
    page.blank()
    _closing(page, plan, saved_as, command, migrate, inspect)


def print_basis(page: Page, basis: Basis) -> None:
    """What the plan was made from."""
    page.row("Machine", basis.machine, indent=0)
    page.row("Ollama", basis.ollama.removeprefix("Ollama "), indent=0)
    checked = f"; facts checked {basis.facts_checked}" if basis.facts_checked else ""
    page.row("Recipes", f"{', '.join(basis.recipes) or 'none'}{checked}", indent=0)
    if basis.policy:
        page.row("Policy", basis.policy, indent=0)
    if basis.overrides:
        page.row("As stated", "; ".join(basis.overrides), indent=0)


@dataclass(slots=True)
class Told:
    """What a plan has said so far, so that nothing is said twice: decisions by target, caveats and notes by text."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)


def print_decision(
    page: Page, decision: Decision, *, verbose: bool, told: Told | None = None, more_follows: bool = False
) -> None:
    """One model: the decision, and what a person needs to agree or to disagree with it.

    told: what need not be said again. more_follows: evidence and candidates are listed elsewhere.
    """
    page.line(_title(decision))
    for line in words.pressing(decision):
        page.line(line, "yellow", indent=INDENT)
    source = decision.source
    if decision.action == "keep":
        page.row("Why kept", decision.reason)
        return
    if source.lineage.verdict == "meta":
        _lineage(page, decision, verbose and not more_follows)
    if decision.target is None:
        page.row("Why not", decision.reason)
        page.row("Next step", decision.hint or ())
        page.row("Could be", ", ".join(words.still_open(decision)) or ())
    else:
        page.row("Use", f"{', '.join(decision.use.uses)} ({decision.use.text})")
        _target(page, decision, decision.target, verbose, told or Told())
    if not more_follows:
        _passed_over(page, decision, verbose)
    page.items("Happens", decision.happens if verbose else ())
    _custom(page, decision)
    if decision.derived:
        page.row("Built on it", ", ".join(decision.derived))


def _target(page: Page, decision: Decision, target: TargetChoice, verbose: bool, told: Told) -> None:
    page.row("Why this", decision.reason)
    if target.fit is None:
        page.row("Memory", "cannot be reckoned: nothing is known about its size")
    else:
        page.row("Memory", words.memory(target.fit, decision.source.fit))
        page.row("", [line for line in words.reckoned(target.fit) if line not in told.texts], "dim")
        told.texts.update(target.fit.notes)
    _changes(page, decision, target, told)
    twin = told.decisions.setdefault(target.model, decision)
    before = _facts(twin.target, verbose) if twin is not decision and twin.target is not None else {}
    facts = _facts(target, verbose)
    for label, lines in facts.items():
        if lines != before.get(label):
            page.items(label, lines, "yellow" if label == "Unsure" else "")
    same = [_IN_A_SENTENCE[label] for label, lines in facts.items() if lines and lines == before.get(label)]
    if same:
        page.row("Otherwise", f"as for {twin.source.model}: {', '.join(same)}")
    if verbose:
        page.row("Rule", _rule(target) + (f", as {target.role}" if target.role else ""))
        page.row("Confidence", target.confidence or ())
        page.row("Digest", target.digest or "not known")


def _rule(target: TargetChoice) -> str:
    """The rule by its key, and the recipe where it is another than the one the key names."""
    return target.rule if target.rule.startswith(f"{target.recipe}/") else f"{target.rule} of {target.recipe}"


def _facts(target: TargetChoice, verbose: bool) -> dict[str, list[str]]:
    """What is true of a target whichever model it replaces, by label."""
    return {
        "Download": [words.download(target.download, target.installed)],
        "Licence": [target.licence.text if verbose else words.licence(target.licence)],
        "Ollama": [words.version(target.version)],
        "Thinks": [words.thinking(target.thinking, brief=not verbose and _told_how(target))],
        **_figures(target, verbose),
        "Unsure": [words.unconfirmed(target)] if target.unverified else [],
    }


def _told_how(target: TargetChoice) -> bool:
    """Whether the caveats say already how to keep it from thinking."""
    return any(caveat.code == "THINK_DEFAULT" for caveat in target.caveats)


def _changes(page: Page, decision: Decision, target: TargetChoice, told: Told) -> None:
    caveats = [caveat for caveat in (*target.caveats, *decision.caveats) if caveat.code not in words.PRESSING]
    lines = [caveat.text for caveat in caveats if caveat.text not in told.texts]
    known = [caveat.code.lower().replace("_", " ") for caveat in caveats if caveat.text in told.texts]
    if known:
        lines.append(f"as above: {', '.join(known)}")
    page.items("Changes", lines)
    told.texts.update(lines)


def _title(decision: Decision) -> Text:
    style = STYLE[decision.action]
    title = Text(decision.source.model, style="bold")
    if decision.target is not None:
        title.append(ARROW, style="dim").append(decision.target.model, style=f"bold {style}")
    else:
        title.append("  ").append(OUTCOME[decision.action], style=style)
    if not decision.source.installed:
        title.append("  not installed here", style="dim")
    return title


def _lineage(page: Page, decision: Decision, verbose: bool) -> None:
    facts = decision.source.lineage
    shown = facts.evidence if verbose else facts.evidence[:1]
    page.row("Why Llama", [item.text for item in shown] or words.lineage(facts))


def _figures(target: TargetChoice, verbose: bool) -> dict[str, list[str]]:
    if verbose:
        return {
            "Figures": [figures.in_full(row, target.model) for row in target.evidence],
            "Against": [figures.in_full(row, target.model) for row in target.counter_evidence],
        }
    rows = [figures.brief(row, target.model) for row in figures.worth_showing(target, _FIGURES)]
    return {"Figures": rows or ["none published for this pair"]}


def _passed_over(page: Page, decision: Decision, verbose: bool) -> None:
    passed = words.better_ranked(decision)
    shown = passed if verbose else passed[:_PASSED_OVER]
    lines = [f"{model}: {why}" for model, why in shown]
    if len(passed) > len(shown):
        lines.append(f"and {len(passed) - len(shown)} more (--explain {decision.source.model})")
    page.items("Passed over", lines)


def _custom(page: Page, decision: Decision) -> None:
    if decision.rebuild is None:
        return
    page.row("Rebuilt", f"under its own name; keeps {words.listed(decision.rebuild.carries) or 'nothing of its own'}")
    page.row("", f"leaves behind {words.listed(decision.rebuild.drops)}" if decision.rebuild.drops else ())


def _asked(page: Page, asked: Asked) -> None:
    page.line(Text(asked.name, style="bold").append("  cannot run here", style="yellow"))
    page.row("What it is", asked.what)
    page.row("Why not", asked.why)
    page.row("Nearest", ", ".join(asked.nearest) or "nothing that loads on this machine")
    page.row("Too large", ", ".join(asked.too_large) or ())


def _remarks(page: Page, plan: Plan) -> None:
    notes = (*plan.notes, *words.other_use(plan.decisions))
    if notes or plan.warnings:
        page.blank()
    for note in notes:
        page.row("Note", note, indent=0)
    for warning in plan.warnings:
        page.row("Warning", warning, "yellow", indent=0)


def _closing(
    page: Page, plan: Plan, saved_as: Path | None, command: str, migrate: str | None, inspect: str | None
) -> None:
    page.line(
        "Nothing has been changed." if saved_as is None else f"Plan written to {saved_as}. Nothing else was changed."
    )
    commands = [] if inspect is None else [inspect]
    first = next((d for d in plan.decisions if d.action == "replace"), None)
    if first is not None:
        commands += [migrate] if migrate is not None else []
        commands += [f"{command} --out plan.json"] if saved_as is None else []
        commands.append(f"{command} --explain {first.source.model}")
    for number, text in enumerate(commands):
        page.command("" if number else "Next", text)
