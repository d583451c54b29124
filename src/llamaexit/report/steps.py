"""What carrying out a plan would do, before anything is done: stage, test, switch, what stays, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from llamaexit.recipes.names import name_key
from llamaexit.report import words
from llamaexit.report.blocking import plain
from llamaexit.report.layout import LABEL, Page
from llamaexit.report.overview import print_overview
from llamaexit.units import gb

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.events import Phase
    from llamaexit.migration.options import MigrationOptions
    from llamaexit.migration.steps import Job, PlannedStep, Preview
    from llamaexit.planning.plan import Decision, Plan

_TABLE = 64
_PHASES: dict[Phase, tuple[str, str]] = {
    "stage": ("Stage", "nobody notices: every name means what it meant"),
    "test": ("Test", "the old model first, then the new one with the same questions"),
    "switch": ("Switch", "takes seconds, and only begins once everything above went well"),
}
_LEFT = {"stage": "left to llamaexit resume, which you asked for with --stage"}


def print_steps(
    plan: Plan,
    steps: Preview,
    options: MigrationOptions,
    console: Console,
    *,
    origin: str,
    notes: Sequence[str] = (),
    command: str | None = None,
) -> None:
    """Print the steps of a migration.

    origin: where the plan came from. notes: what else to know about it. command: the one that carries it out; None when
    that is about to be asked.
    """
    page = Page(console)
    page.row("Machine", plan.basis.machine, indent=0)
    page.row("Ollama", plan.basis.ollama.removeprefix("Ollama "), indent=0)
    page.row("Plan", f"{plan.plan_id[:12]}, {origin}", indent=0)
    for note in notes:
        page.row("Note", note, "yellow", indent=0)
    page.blank()
    page.line(_headline(steps), "bold")
    if steps.jobs:
        if page.width >= _TABLE:
            page.blank()
            print_overview(page, [job.decision for job in steps.jobs])
        page.blank()
        _phases(page, steps, options)
        page.blank()
        _effects(page, plan, steps, options)
    page.items("In clients", [*_in_clients(steps)], indent=0)
    page.items("To decide", [*_to_decide(plan, steps)], "yellow", indent=0)
    page.items("Left out", [*_left_out(plan, steps)], indent=0)
    for job in steps.jobs:
        for line in words.pressing(job.decision):
            page.row("Mind", f"{job.source}: {line}", "yellow", indent=0)
    for warning in plan.warnings:
        page.row("Warning", plain(warning), "yellow", indent=0)
    page.blank()
    page.line("Nothing has been changed.")
    if command is not None and steps.jobs:
        page.command("Next", command)


def _headline(steps: Preview) -> str:
    left = f", {len(steps.left_out)} left out" if steps.left_out else ""
    if not steps.jobs:
        return f"Nothing to migrate{left}."
    return f"{words.counted(len(steps.jobs), 'model')} to migrate{left}."


def _phases(page: Page, steps: Preview, options: MigrationOptions) -> None:
    downloads = {name_key(job.target.model): job for job in steps.jobs}
    for phase, (label, meaning) in _PHASES.items():
        titles = [_title(step, downloads) for step in steps.steps if step.phase == phase]
        if not titles:
            page.row(label, _without(phase, steps, options), "dim", indent=0)
            continue
        page.row(label, meaning, "dim", indent=0)
        for title in titles:
            page.line(f"- {title}", indent=LABEL, hang=2)


def _without(phase: Phase, steps: Preview, options: MigrationOptions) -> str:
    """What a phase without steps means."""
    if phase == "switch":
        return _LEFT["stage"] if options.stage else "nothing: the new models are there beside the old ones"
    return "nothing: no tests, as you asked with --suite none" if phase == "test" else "nothing to fetch"


def _title(step: PlannedStep, downloads: dict[str, Job]) -> str:
    job = downloads.get(name_key(step.name))
    if step.kind != "pull" or job is None or job.target.installed:
        return step.title
    item = job.target.download
    if not item.size:
        return f"{step.title}, of a size not known"
    return f"{step.title}, {'' if item.exact else 'about '}{gb(item.missing)}"


def _effects(page: Page, plan: Plan, steps: Preview, options: MigrationOptions) -> None:
    """What is downloaded, which names change, which stay, and the way back."""
    page.row("Download", [*_download(plan, steps, options)], indent=0)
    changing = dict.fromkeys(step.name for step in steps.steps if step.kind == "switch")
    page.row("Changes", ", ".join(changing) or "no name that is there now", indent=0)
    keys = {name_key(name) for name in changing}
    staying = [job.source for job in steps.jobs if job.decision.source.installed and name_key(job.source) not in keys]
    stays = f"{', '.join(staying)}: point clients at the new names" if staying else ""
    page.row("Stays", [*filter(None, [stays]), "no old model is deleted"], indent=0)
    if changing:
        page.row("Go back", "llamaexit rollback: each name is kept under a backup name first, at no disk", indent=0)
    else:
        page.row("Go back", "llamaexit rollback --purge removes what was pulled", indent=0)


def _download(plan: Plan, steps: Preview, options: MigrationOptions) -> Iterator[str]:
    """Bytes to fetch, each target once, against what is free."""
    wanted = {name_key(job.target.model): job.target for job in steps.jobs if not job.target.installed}
    if not wanted:
        yield "nothing, every target is installed"
        return
    if not options.pull:
        yield f"nothing, with --no-pull: {', '.join(target.model for target in wanted.values())} has to be there"
        return
    items = [target.download for target in wanted.values()]
    unknown = [target.model for target in wanted.values() if not target.download.size]
    about = "" if all(item.exact for item in items) else "about "
    more = f" and {', '.join(unknown)}, of a size not known" if unknown else ""
    free = f"; {gb(plan.totals.disk_free)} of disk are free" if plan.totals.disk_free is not None else ""
    yield f"{about}{gb(sum(item.missing for item in items))}{more}{free}"


def _in_clients(steps: Preview) -> Iterator[str]:
    """What changes for those who use the models, each thing once."""
    told: set[str] = set()
    for job in steps.jobs:
        for caveat in (*job.target.caveats, *job.decision.caveats):
            if caveat.code not in words.PRESSING and caveat.text not in told:
                told.add(caveat.text)
                yield caveat.text


def _to_decide(plan: Plan, steps: Preview) -> Iterator[str]:
    """What the migration leaves to a person, with the next step."""
    left = {name_key(source): why for source, why in steps.left_out}
    for decision in plan.decisions:
        why = left.get(name_key(decision.source.model))
        if why is not None and _needs_a_person(decision, why):
            hint = f" ({decision.hint})" if decision.hint else ""
            yield f"{decision.source.model}: {plain(why)}{hint}"


def _left_out(plan: Plan, steps: Preview) -> Iterator[str]:
    """What the options leave out."""
    decisions = {name_key(decision.source.model): decision for decision in plan.decisions}
    for source, why in steps.left_out:
        if not _needs_a_person(decisions[name_key(source)], why):
            yield f"{source}: {plain(why)}"


def _needs_a_person(decision: Decision, why: str) -> bool:
    """Whether it was the plan that left a model out, rather than an option."""
    return why == decision.reason or why.startswith("a person")
