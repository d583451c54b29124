"""Carrying out one `llamaexit migrate`: get the plan, show its steps, ask, and hand it to the engine."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.cli.answer import Problem, Result
from llamaexit.errors import RegistryError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.options import MigrationOptions
    from llamaexit.planning.options import PlanOptions
    from llamaexit.planning.plan import Plan
    from llamaexit.planning.planner import Planner
    from llamaexit.snapshot import Snapshot

_ANSWER_TIMEOUT = 5.0
"""Seconds to wait for the server or the registry while planning."""


@dataclass(frozen=True, slots=True)
class Planning:
    """Options that only mean something where the plan is made now."""

    use: list[str]
    context: str | None
    lineage: list[str]
    thinking: str | None
    recipes: list[str]
    locked: bool | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One command line of `migrate`, understood. `file`: the plan, or None to make one. `command`: as it was typed."""

    file: Path | None
    planning: Planning
    options: MigrationOptions
    host: str | None = None
    apply: bool = False
    yes: bool = False
    as_json: bool = False
    command: str = "llamaexit migrate"


@dataclass(frozen=True, slots=True)
class Made:
    """A plan, where it came from, and what to know about it."""

    plan: Plan
    origin: str
    notes: tuple[str, ...] = ()


def run_migrate(request: Request) -> Result:
    """Show the steps of a plan, or carry them out."""
    _refuse_contradictions(request)
    from llamaexit.migration.steps import preview

    made = _from_file(request.file) if request.file is not None else _plan_now(request)
    options = request.options if request.file is not None else _less_what_the_plan_knows(request.options, made.plan)
    steps = preview(made.plan, options)

    def show(console: Console) -> None:
        from llamaexit.report.steps import print_steps

        following = None if request.apply else f"{request.command} --apply"
        print_steps(made.plan, steps, options, console, origin=made.origin, notes=made.notes, command=following)

    if not request.apply or not steps.jobs:
        document = {"plan": made.plan, "steps": steps.steps, "left_out": steps.left_out, "notes": made.notes}
        return Result(document, show)
    if not request.as_json:
        from llamaexit.cli.talk import tell

        tell(show)
    return _carry_out(request, made.plan, options)


def _less_what_the_plan_knows(options: MigrationOptions, plan: Plan) -> MigrationOptions:
    """Options for a plan that was made with `--only` and `--skip`. Naming a model also confirms it, so names stay."""
    from llamaexit.planning.rules import means

    sources = [decision.source.model for decision in plan.decisions]
    only = tuple(pattern for pattern in options.only if any(means(pattern, source) for source in sources))
    return replace(options, only=only, skip=())


def _carry_out(request: Request, plan: Plan, options: MigrationOptions) -> Result:
    from llamaexit.cli.confirm import confirm
    from llamaexit.cli.place import place_of
    from llamaexit.cli.run_result import run_result
    from llamaexit.cli.watching import watching
    from llamaexit.migration.engine import migrate

    if request.file is not None:
        from llamaexit.cli.access import allow_targets, hold_to_lock

        # recipes were asked about when the plan was made, perhaps by somebody else and elsewhere
        targets = [decision.target for decision in plan.decisions if decision.target is not None]
        hold_to_lock([(target.model, target.digest) for target in targets], str(request.file))
        allow_targets([target.model for target in targets], str(request.file), as_json=request.as_json)
    place = place_of(request.host, plan.basis.store)
    confirm("Go on?", yes=request.yes, as_json=request.as_json)
    with watching(as_json=request.as_json) as listener:
        run = migrate(plan, options, place, listener)
    return run_result(run)


def _from_file(path: Path) -> Made:
    from llamaexit.planning.planfile import load_plan

    return Made(load_plan(path), f"from {path}")


def _plan_now(request: Request) -> Made:
    """A plan for the models of this machine, with what the registry says where it can be asked."""
    from llamaexit.cli.gather import Where, library_with, refuse_to_guess, snapshot_from
    from llamaexit.cli.mentions import Mentions
    from llamaexit.hardware import Overrides
    from llamaexit.planning.planner import Planner

    options = _plan_options(request)
    given = request.planning
    planner = Planner(library_with(given.recipes, locked=given.locked, as_json=request.as_json))
    snapshot = snapshot_from(Where(request.host, timeout=_ANSWER_TIMEOUT), Overrides())
    if snapshot.ollama.source == "none":
        refuse_to_guess(snapshot)
    made = _made_by(planner, snapshot, options, online=request.options.pull)
    mentions = Mentions(options)
    mentions.met(snapshot, made.plan)
    if (unmet := mentions.unmet()) is not None:
        raise unmet
    return made


def _plan_options(request: Request) -> PlanOptions:
    from llamaexit.cli import values

    given, options = request.planning, request.options
    return values.plan_options(
        models=[], use=given.use, context=given.context, only=[*options.only], skip=[*options.skip],
        lineage=given.lineage, thinking=given.thinking, bandwidth=None, explain=None,
    )  # fmt: skip


def _made_by(planner: Planner, snapshot: Snapshot, options: PlanOptions, *, online: bool) -> Made:
    if not online:
        return Made(planner.plan(snapshot, options), "made now, without asking the registry")
    from llamaexit.cli.online import plan_online, registry_here

    try:
        asked = plan_online(planner, snapshot, options, registry_here(_ANSWER_TIMEOUT, afresh=True))
    except RegistryError as error:
        note = f"{error.message}: sizes and digests are those of the catalogue"
        return Made(planner.plan(snapshot, options), "made now, from the catalogue", (note,))
    return Made(asked.plan, "made now, with the registry's sizes and digests", tuple(map(_words, asked.problems)))


def _words(problem: Problem) -> str:
    return problem.message


def _refuse_contradictions(request: Request) -> None:
    options = request.options
    if request.file is not None:
        given = next(
            (field.name for field in fields(Planning) if getattr(request.planning, field.name) not in (None, [])), None
        )
        if given is not None:
            name = {"recipes": "recipe"}.get(given, given)
            if request.planning.locked is False and given == "locked":
                name = "no-locked"
            raise UsageError(
                f"--{name} is for planning, and {request.file} is a plan already",
                hint=f"leave one of them out, or plan again: llamaexit plan --{name} … --out {request.file}",
            )
    if request.yes and not request.apply:
        raise UsageError("--yes answers what only --apply asks", hint="add --apply, or leave --yes out")
    if options.accept and options.suite == "none":
        raise UsageError("--accept is about what tests say, and --suite none asks for no tests")
