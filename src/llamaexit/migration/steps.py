"""From a plan to the steps that carry it out. Pure: the same plan and options give the same steps.

Everything is staged before anything is switched: whatever can fail does so while every name still means what it meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from llamaexit.errors import UsageError
from llamaexit.migration.events import Phase
from llamaexit.migration.options import MigrationOptions
from llamaexit.ollama.names import Name
from llamaexit.planning.plan import Decision, Plan, TargetChoice
from llamaexit.planning.rules import means
from llamaexit.planning.sources import is_ours
from llamaexit.recipes.names import name_key

Kind = Literal["backup", "pull", "build", "test", "switch", "tidy"]
Switching = Literal["rebuilt", "alias", "taken-over"]


@dataclass(frozen=True, slots=True)
class Job:
    """One replacement that is to be carried out. `number` counts from 1 and names what is prepared for it."""

    number: int
    decision: Decision
    target: TargetChoice

    @property
    def source(self) -> str:
        """The name of the old model."""
        return self.decision.source.model

    @property
    def rebuilt(self) -> bool:
        """Whether the old model is the user's own and is built again on the target, under its own name."""
        return self.decision.rebuild is not None


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step. `name`: the name in Ollama it is about. `decision`: the source it serves, None for several.

    number: of the job it belongs to. what: for a switch, how the name changes.
    """

    id: str
    title: str
    phase: Phase
    kind: Kind
    name: str
    decision: str | None = None
    number: int = 0
    what: Switching | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What carrying out a plan would do, and which sources it leaves out, each with the reason."""

    steps: tuple[PlannedStep, ...]
    jobs: tuple[Job, ...]
    left_out: tuple[tuple[str, str], ...]

    def switches(self, job: Job) -> tuple[PlannedStep, ...]:
        """What changes names for one replacement."""
        return tuple(step for step in self.steps if step.kind == "switch" and step.number == job.number)


def preview(plan: Plan, options: MigrationOptions) -> Preview:
    """The steps of a plan. Raises UsageError for options that cannot be meant."""
    jobs, left_out = _selection(plan, options)
    _refuse_patterns(plan, options)
    switches = [*_switches(jobs, options)]
    _refuse_clashes(plan, switches)
    steps: list[PlannedStep] = []
    steps += _backups(plan, jobs, switches)
    seen: set[str] = set()
    for job in jobs:
        key = name_key(job.target.model)
        if key not in seen:
            seen.add(key)
            steps.append(_pull(job))
        if job.rebuilt:
            title = f"prepare {job.source} on {job.target.model}, under a name of ours"
            steps.append(
                PlannedStep(f"build {job.source}", title, "stage", "build", job.source, job.source, job.number)
            )
        if options.suite != "none":
            steps.append(_test(job))
    if not options.stage:
        steps += switches
        if any(job.rebuilt for job in jobs):
            title = "remove the names the new models were prepared under"
            steps.append(PlannedStep("tidy", title, "switch", "tidy", ""))
    return Preview(tuple(steps), tuple(jobs), tuple(left_out))


def _selection(plan: Plan, options: MigrationOptions) -> tuple[list[Job], list[tuple[str, str]]]:
    jobs: list[Job] = []
    left_out: list[tuple[str, str]] = []
    for decision in plan.decisions:
        source = decision.source.model
        if decision.action == "keep":
            continue
        if options.only and not any(means(pattern, source) for pattern in options.only):
            left_out.append((source, "not among --only"))
        elif any(means(pattern, source) for pattern in options.skip):
            left_out.append((source, "left out with --skip"))
        elif decision.target is None:
            left_out.append((source, decision.reason))
        elif not decision.automatic and not any(name_key(pattern) == name_key(source) for pattern in options.only):
            left_out.append((source, f"a person has to confirm it: name it with --only {source}"))
        else:
            jobs.append(Job(len(jobs) + 1, decision, decision.target))
    return jobs, left_out


def _refuse_patterns(plan: Plan, options: MigrationOptions) -> None:
    sources = [decision.source.model for decision in plan.decisions]
    for option, patterns in (("--only", options.only), ("--skip", options.skip), ("--accept", options.accept)):
        for pattern in patterns:
            if not any(means(pattern, source) for source in sources):
                raise UsageError(f"{option} {pattern}: the plan has no such model", hint=_known(sources))


def _known(sources: Iterable[str]) -> str:
    return f"it has {', '.join(sources) or 'none at all'}"


def _pull(job: Job) -> PlannedStep:
    model = job.target.model
    title = f"check that {model} is there" if job.target.installed else f"pull {model}"
    return PlannedStep(f"pull {model}", title, "stage", "pull", model, job.source, job.number)


def _test(job: Job) -> PlannedStep:
    against = f" against {job.source}" if job.decision.source.installed else ""
    what = f"the new {job.source}" if job.rebuilt else job.target.model
    return PlannedStep(
        f"test {job.source}", f"test {what}{against}", "test", "test", job.target.model, job.source, job.number
    )


def _switches(jobs: list[Job], options: MigrationOptions) -> Iterator[PlannedStep]:
    for job in jobs:
        if job.rebuilt:
            yield _switch(job, job.source, f"let {job.source} mean the one built on {job.target.model}", "rebuilt")
        elif options.take_over and job.decision.source.installed:
            yield _switch(job, job.source, f"let {job.source} mean {job.target.model}", "taken-over")
    for alias, role in options.aliases.items():
        name = _alias(alias)
        job = _serving(role, jobs, alias)
        meaning = (
            f"the new {job.source}" if job.rebuilt and name_key(role) == name_key(job.source) else job.target.model
        )
        yield _switch(job, name, f"let {name} mean {meaning}", "alias")


def _switch(job: Job, name: str, title: str, what: Switching) -> PlannedStep:
    return PlannedStep(f"switch {name}", title, "switch", "switch", name, job.source, job.number, what)


def _alias(text: str) -> str:
    name = Name.parse(text)
    if name.cloud:
        raise UsageError(
            f"--alias {text}: Ollama sends requests for such a name to its cloud", hint="choose another name"
        )
    if is_ours(name.short):
        raise UsageError(f"--alias {text}: that namespace is for backups", hint="choose another name")
    return name.short


def _serving(role: str, jobs: list[Job], alias: str) -> Job:
    """The replacement an alias stands for: that of a source, or the one whose first use it is."""
    named = [job for job in jobs if name_key(job.source) == name_key(role)]
    found = named or [job for job in jobs if job.decision.use.uses[:1] == (role,)]
    found = found or [job for job in jobs if role in job.decision.use.uses]
    targets = {name_key(job.target.model) for job in found}
    roles = dict.fromkeys([*(use for job in jobs for use in job.decision.use.uses), *(job.source for job in jobs)])
    if not found:
        raise UsageError(f"--alias {alias}={role}: nothing here serves {role!r}", hint=f"one of {', '.join(roles)}")
    if len(targets) > 1:
        raise UsageError(
            f"--alias {alias}={role}: several models serve {role}: {', '.join(job.source for job in found)}",
            hint="name the old model instead of the use",
        )
    return found[0]


def _refuse_clashes(plan: Plan, switches: list[PlannedStep]) -> None:
    """One name cannot come to mean two things, nor a target something else than itself."""
    targets = {name_key(d.target.model) for d in plan.decisions if d.target is not None}
    seen: dict[str, PlannedStep] = {}
    for step in switches:
        key = name_key(step.name)
        if key in targets:
            raise UsageError(f"--alias {step.name}: that is a model the plan pulls", hint="choose another name")
        if key in seen:
            raise UsageError(f"{step.name} would be switched twice", hint="choose another name for --alias")
        seen[key] = step


def _backups(plan: Plan, jobs: list[Job], switches: list[PlannedStep]) -> Iterator[PlannedStep]:
    """A backup for every name that is there and will be written to. Aliases are looked at when the run begins."""
    there = {name_key(name) for name, digest in plan.names.items() if digest is not None}
    updated = [job.target.model for job in jobs if name_key(job.target.model) in there and _moves(plan, job)]
    unknown = [step.name for step in switches if step.what == "alias"]
    known = [step.name for step in switches if name_key(step.name) in there]
    done: set[str] = set()
    for name in [*known, *updated, *unknown]:
        if name_key(name) not in done:
            done.add(name_key(name))
            yield PlannedStep(f"backup {name}", f"keep the present {name} under a backup name", "stage", "backup", name)


def _moves(plan: Plan, job: Job) -> bool:
    """Whether pulling a target replaces another build of it that is installed."""
    here = next((d for name, d in plan.names.items() if name_key(name) == name_key(job.target.model)), None)
    wanted = job.target.digest
    return here is not None and wanted is not None and not here.startswith(wanted)
