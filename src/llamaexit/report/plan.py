"""A plan for reading in a terminal: what comes of it first, then each model, then what it costs."""

from __future__ import annotations

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
_STYLE = {"replace": "green", "blocked": "yellow", "keep": "cyan"}


def print_plan(
    plan: Plan,
    console: Console,
    *,
    verbose: bool = False,
    saved_as: Path | None = None,
    command: str = "llamaexit plan",
) -> None:
    """Print a plan. `command` is the command line that made it, for the next commands to build on."""
    page = Page(console)
    print_basis(page, plan.basis)
    page.blank()
    page.line(words.headline(plan), "bold")
    if page.width >= _WIDE and len(plan.decisions) > 1:
        page.blank()
        _overview(page, plan)
    told: dict[str, Decision] = {}
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
    _closing(page, plan, saved_as, command)


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


def print_decision(
    page: Page, decision: Decision, *, verbose: bool, told: dict[str, Decision] | None = None, losers: bool = True
) -> None:
    """One model: the decision, and what a person needs to agree or to disagree with it.

    told: decisions that were printed, by target; what is the same as there is not said again. losers: with the
    candidates that were passed over.
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
        twin = told.setdefault(decision.target.model, decision) if told is not None else decision
        print_target(page, decision, decision.target, verbose=verbose, twin=twin)
    if losers:
        _passed_over(page, decision, verbose)
    page.items("Happens", decision.happens if verbose else ())
    _custom(page, decision)
    if decision.derived:
        page.row("Built on it", ", ".join(decision.derived))
    if not decision.automatic and decision.action == "replace":
        page.row("Automatic", "no, a person has to confirm this one", "yellow")


def print_target(
    page: Page, decision: Decision, target: TargetChoice, *, verbose: bool, twin: Decision | None = None
) -> None:
    """The chosen target with what was reckoned for it. twin: an earlier decision for the same target."""
    page.row("Why this", decision.reason)
    if target.fit is None:
        page.row("Memory", "cannot be reckoned: nothing is known about its size")
    else:
        page.row("Memory", words.memory(target.fit, decision.source.fit))
    if twin is not None and twin is not decision and _about_target(twin) == _about_target(decision):
        page.row("Otherwise", f"as for {twin.source.model}: download, licence, Ollama, thinking, changes, figures")
        return
    if target.fit is not None:
        page.row("", words.reckoned(target.fit), "dim")
    page.row("Download", words.download(target.download, target.installed))
    page.row("Licence", target.licence.text)
    page.row("Ollama", words.version(target.version), "yellow" if target.version.enough is False else "")
    page.row("Thinks", words.thinking(target.thinking))
    page.items("Changes", [caveat.text for caveat in (*target.caveats, *decision.caveats)])
    _figures(page, target, verbose)
    if target.unverified:
        page.row("Unsure", words.unconfirmed(target), "yellow")
    if verbose:
        page.row("Rule", f"{target.rule} of {target.recipe}" + (f", as {target.role}" if target.role else ""))
        page.row("Confidence", target.confidence or ())
        page.row("Digest", target.digest or "not known")


def _about_target(decision: Decision) -> tuple[object, ...]:
    """What is told about a target whichever model it replaces; equal for two decisions means not worth repeating."""
    target = decision.target
    assert target is not None
    return (
        target.download, target.licence, target.version, target.thinking, target.caveats, decision.caveats,
        target.evidence, target.counter_evidence, target.unverified,
        target.fit and (target.fit.basis, target.fit.context_source),
    )  # fmt: skip


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


def _figures(page: Page, target: TargetChoice, verbose: bool) -> None:
    if verbose:
        page.items("Figures", [words.figure_in_full(row) for row in target.evidence])
        page.items("Against", [words.figure_in_full(row) for row in target.counter_evidence])
        return
    rows = list(target.evidence[:_FIGURES])
    rows += [row for row in (*target.evidence, *target.counter_evidence) if row.favours == "old" and row not in rows][
        :1
    ]
    page.items("Figures", [words.figure(row) for row in rows] or ["none published for this pair"])


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


def _closing(page: Page, plan: Plan, saved_as: Path | None, command: str) -> None:
    page.line(
        "Nothing has been changed." if saved_as is None else f"Plan written to {saved_as}. Nothing else was changed."
    )
    first = next((d for d in plan.decisions if d.action == "replace"), None)
    if first is None:
        return
    if saved_as is None:
        page.row("Next", f"{command} --out plan.json", "bold", indent=0)
    page.row("" if saved_as is None else "Next", f"{command} --explain {first.source.model}", "bold", indent=0)
