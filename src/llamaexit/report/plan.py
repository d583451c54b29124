"""A plan for reading in a terminal: what comes of it first, then each model, then what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report import words
from llamaexit.report.layout import Page
from llamaexit.units import gb, gib

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.planning.plan import Asked, Basis, Decision, Plan, TargetChoice

ARROW = " → "
_WIDE = 120
_FIGURES = 2
_PASSED_OVER = 3
_IN_A_SENTENCE = {
    "Download": "download", "Licence": "licence", "Ollama": "Ollama version", "Thinks": "thinking",
    "Figures": "figures", "Against": "figures against it", "Unsure": "what is unsure",
}  # fmt: skip
_STYLE = {"replace": "green", "blocked": "yellow", "keep": "cyan"}


def print_plan(
    plan: Plan,
    console: Console,
    *,
    verbose: bool = False,
    saved_as: Path | None = None,
    command: str = "llamaexit plan",
    inspect: str | None = None,
) -> None:
    """Print a plan.

    command: the command line that made it, which the next commands build on. inspect: the command that shows what is
    wrong with models here, if something is.
    """
    page = Page(console)
    print_basis(page, plan.basis)
    page.blank()
    page.line(words.headline(plan), "bold")
    if page.width >= _WIDE and len(plan.decisions) > 1:
        page.blank()
        _overview(page, plan)
    told = Told()
    for decision in plan.decisions:
        page.blank()
        print_decision(page, decision, verbose=verbose, told=None if verbose else told)
    for asked in plan.asked:
        page.blank()
        _asked(page, asked)
    if plan.pending:
        page.blank()
        page.row("Total", words.totals(plan.totals), indent=0)
    _remarks(page, plan)
    page.blank()
    _closing(page, plan, saved_as, command, inspect)


def print_basis(page: Page, basis: Basis) -> None:
    """What the plan was made from."""
    page.row("Machine", basis.machine, indent=0)
    page.row("Ollama", basis.ollama.removeprefix("Ollama "), indent=0)
    checked = f"; facts checked {basis.facts_checked}" if basis.facts_checked else ""
    page.row("Recipes", f"{', '.join(basis.recipes) or 'none'}{checked}", indent=0)
    if basis.policy:
        page.row("Policy", basis.policy, indent=0)
    if basis.overrides:
        page.row("As stated", ", ".join(basis.overrides), indent=0)


@dataclass(slots=True)
class Told:
    """What a plan has said so far, so that nothing is said twice: decisions by target, and caveats by text."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    caveats: set[str] = field(default_factory=set)


def print_decision(
    page: Page, decision: Decision, *, verbose: bool, told: Told | None = None, losers: bool = True
) -> None:
    """One model: the decision, and what a person needs to agree or to disagree with it.

    told: what need not be said again. losers: with the candidates that were passed over.
    """
    page.line(_title(decision))
    source = decision.source
    if decision.action == "keep":
        page.row("Why kept", decision.reason)
        return
    if source.lineage.verdict == "meta":
        _lineage(page, decision, verbose)
    if decision.target is None:
        page.row("Why not", decision.reason)
        page.row("Next step", decision.hint or ())
        page.row("Could be", ", ".join(decision.proposals) or ())
    else:
        page.row("Use", f"{', '.join(decision.use.uses)} ({decision.use.text})")
        _target(page, decision, decision.target, verbose, told or Told())
    if losers:
        _passed_over(page, decision, verbose)
    page.items("Happens", decision.happens if verbose else ())
    _custom(page, decision)
    if decision.derived:
        page.row("Built on it", ", ".join(decision.derived))
    if not decision.automatic and decision.action == "replace":
        page.row("Automatic", "no, a person has to confirm this one", "yellow")


def _target(page: Page, decision: Decision, target: TargetChoice, verbose: bool, told: Told) -> None:
    page.row("Why this", decision.reason)
    if target.fit is None:
        page.row("Memory", "cannot be reckoned: nothing is known about its size")
    else:
        page.row("Memory", words.memory(target.fit, decision.source.fit))
        page.row("", words.reckoned(target.fit), "dim")
    _changes(page, decision, target, told)
    twin = told.decisions.setdefault(target.model, decision)
    before = _facts(twin.target, verbose) if twin is not decision and twin.target is not None else {}
    facts = _facts(target, verbose)
    for label, lines in facts.items():
        if lines != before.get(label):
            page.items(label, lines, "yellow" if label == "Unsure" or _too_old(label, target) else "")
    same = [_IN_A_SENTENCE[label] for label, lines in facts.items() if lines and lines == before.get(label)]
    if same:
        page.row("Otherwise", f"as for {twin.source.model}: {', '.join(same)}")
    if verbose:
        page.row("Rule", f"{target.rule} of {target.recipe}" + (f", as {target.role}" if target.role else ""))
        page.row("Confidence", target.confidence or ())
        page.row("Digest", target.digest or "not known")


def _facts(target: TargetChoice, verbose: bool) -> dict[str, list[str]]:
    """What is true of a target whichever model it replaces, by label."""
    return {
        "Download": [words.download(target.download, target.installed)],
        "Licence": [target.licence.text],
        "Ollama": [words.version(target.version)],
        "Thinks": [words.thinking(target.thinking)],
        **_figures(target, verbose),
        "Unsure": [words.unconfirmed(target)] if target.unverified else [],
    }


def _too_old(label: str, target: TargetChoice) -> bool:
    return label == "Ollama" and target.version.enough is False


def _changes(page: Page, decision: Decision, target: TargetChoice, told: Told) -> None:
    caveats = (*target.caveats, *decision.caveats)
    lines = [caveat.text for caveat in caveats if caveat.text not in told.caveats]
    known = [caveat.code.lower().replace("_", " ") for caveat in caveats if caveat.text in told.caveats]
    if known:
        lines.append(f"as above: {', '.join(known)}")
    page.items("Changes", lines)
    told.caveats.update(lines)


def _title(decision: Decision) -> Text:
    style = _STYLE[decision.action]
    title = Text(decision.source.model, style="bold")
    if decision.target is not None:
        title.append(ARROW, style="dim").append(decision.target.model, style=f"bold {style}")
    else:
        title.append("  ").append({"blocked": "blocked", "keep": "kept"}[decision.action], style=style)
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
            "Figures": [words.figure_in_full(row) for row in target.evidence],
            "Against": [words.figure_in_full(row) for row in target.counter_evidence],
        }
    rows = list(target.evidence[:_FIGURES])
    against = [row for row in (*target.evidence, *target.counter_evidence) if row.favours == "old" and row not in rows]
    return {"Figures": [words.figure(row) for row in (*rows, *against[:1])] or ["none published for this pair"]}


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


def _overview(page: Page, plan: Plan) -> None:
    head = ("MODEL", "USE", "BECOMES", "MEMORY", "ON GPU", "DOWNLOAD", "LICENCE")
    page.table(head, [_overview_row(decision) for decision in plan.decisions], right=(3, 4, 5))


def _overview_row(decision: Decision) -> list[str | Text]:
    target, style = decision.target, _STYLE[decision.action]
    name: str | Text = decision.source.model
    if target is None:
        outcome = {"blocked": "blocked", "keep": "kept"}[decision.action]
        return [name, ", ".join(decision.use.uses), Text(outcome, style=style), "", "", "", ""]
    old, new = decision.source.fit, target.fit
    before = f"{gib(old.true_size.expected)}{ARROW}" if old is not None else ""
    return [
        name,
        ", ".join(decision.use.uses),
        Text(target.model, style=style),
        f"{before}{gib(new.true_size.expected)}" if new is not None else "not known",
        words.percent(new.unloaded.gpu_share) if new is not None else "",
        "none" if target.installed else gb(target.download.missing) if target.download.size else "not known",
        f"{target.licence.old}{ARROW}{target.licence.new}",
    ]


def _asked(page: Page, asked: Asked) -> None:
    page.line(Text(asked.name, style="bold").append("  cannot run here", style="yellow"))
    page.row("What it is", asked.what)
    page.row("Why not", asked.why)
    page.row("Nearest", ", ".join(asked.nearest) or ())


def _remarks(page: Page, plan: Plan) -> None:
    if plan.notes or plan.warnings:
        page.blank()
    for note in plan.notes:
        page.row("Note", note, indent=0)
    for warning in plan.warnings:
        page.row("Warning", warning, "yellow", indent=0)


def _closing(page: Page, plan: Plan, saved_as: Path | None, command: str, inspect: str | None) -> None:
    page.line(
        "Nothing has been changed." if saved_as is None else f"Plan written to {saved_as}. Nothing else was changed."
    )
    commands = [] if inspect is None else [inspect]
    first = next((d for d in plan.decisions if d.action == "replace"), None)
    if first is not None:
        commands += [f"{command} --out plan.json"] if saved_as is None else []
        commands.append(f"{command} --explain {first.source.model}")
    for number, text in enumerate(commands):
        page.command("" if number else "Next", text)
