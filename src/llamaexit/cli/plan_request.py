"""Carrying out one `llamaexit plan`: gather facts, make the plan, hand it over in the form that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.cli.answer import Problem, Result
from llamaexit.cli.gather import Where, library_with, refuse_to_guess, snapshot_from
from llamaexit.cli.mentions import Mentions, nothing_about
from llamaexit.errors import PENDING, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.hardware import Overrides
    from llamaexit.planning.options import PlanOptions
    from llamaexit.planning.plan import Decision, Plan
    from llamaexit.recipes.library import Library
    from llamaexit.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Request:
    """One command line of `plan`, understood.

    where.snapshot: a file, a directory of them, or None for this machine. to_stdout: the bare plan is printed.
    command: the command line as it was typed, which the next commands build on; inspect: the one that looks at the
    same machine; migrate: the one that carries the plan out, None where that is for another machine.
    """

    options: PlanOptions
    where: Where
    overrides: Overrides
    recipes: list[str] | None = None
    locked: bool | None = None
    online: bool = False
    out: Path | None = None
    check: bool = False
    explain: str | None = None
    markdown: bool = False
    as_json: bool = False
    verbose: bool = False
    to_stdout: bool = False
    command: str = "llamaexit plan"
    inspect: str = "llamaexit inspect"
    migrate: str | None = None


def run_plan(request: Request) -> Result:
    """Plan for this machine, for a saved snapshot, or for a directory of them."""
    _refuse_contradictions(request)
    library = library_with(request.recipes, locked=request.locked, as_json=request.as_json)
    saved = request.where.snapshot
    if saved is not None and saved.is_dir():
        from llamaexit.cli.batch import plan_directory

        return plan_directory(saved, library, request)
    snapshot = _snapshot(request)
    plan, problems = _make(request, library, snapshot)
    mentions = Mentions(request.options)
    mentions.met(snapshot, plan)
    if (unmet := mentions.unmet()) is not None:
        raise unmet
    code = PENDING if request.check and plan.unfinished else 0
    return Result(plan, _text(plan, snapshot, library, request), exit_code=code, problems=problems)


def _make(request: Request, library: Library, snapshot: Snapshot) -> tuple[Plan, tuple[Problem, ...]]:
    from llamaexit.planning.planner import Planner

    planner = Planner(library)
    if not request.online:
        return planner.plan(snapshot, request.options), ()
    from llamaexit.cli.online import plan_online, registry_here

    asked = plan_online(planner, snapshot, request.options, registry_here(request.where.timeout))
    return asked.plan, asked.problems


def _snapshot(request: Request) -> Snapshot:
    snapshot = snapshot_from(request.where, request.overrides)
    if request.where.snapshot is None and snapshot.ollama.source == "none" and not request.options.models:
        refuse_to_guess(snapshot, otherwise=", or name models: llamaexit plan llama3.1:8b")
    return snapshot


def _refuse_contradictions(request: Request) -> None:
    if request.as_json and request.markdown:
        raise UsageError("--json and --markdown exclude each other")
    saved = request.where.snapshot
    if saved is not None and saved.is_dir() and (request.out or request.explain or request.markdown):
        raise UsageError(
            "--out, --explain and --markdown are about one plan, and --snapshot names a directory",
            hint="use --json for all of them",
        )


def _text(
    plan: Plan, snapshot: Snapshot, library: Library, request: Request
) -> Callable[[Console], None] | str | bytes:
    decision = _explained(plan, request.explain)
    if request.out is not None:
        from llamaexit.cli.output import write_document
        from llamaexit.jsonable import dump

        document = dump(plan, indent=2) + b"\n"
        if request.to_stdout:
            return document
        write_document(request.out, document, plan.schema)
    if request.markdown:
        from llamaexit.report.markdown import plan_markdown

        return plan_markdown(plan)
    broken = any(model.problem for model in snapshot.models)

    def show(console: Console) -> None:
        if decision is not None:
            from llamaexit.report.explain import print_explanation

            print_explanation(plan, decision, console, places=_places(decision, library))
        else:
            from llamaexit.report.plan import print_plan

            print_plan(
                plan,
                console,
                verbose=request.verbose,
                saved_as=request.out,
                command=request.command,
                migrate=request.migrate,
                inspect=request.inspect if broken else None,
            )

    return show


def _explained(plan: Plan, model: str | None) -> Decision | None:
    """The decision `--explain` asks for; None when the plan itself is the answer, as it is for what cannot run here."""
    from llamaexit.recipes.names import name_key

    if model is None or any(name_key(asked.name) == name_key(model) for asked in plan.asked):
        return None
    found = next((d for d in plan.decisions if name_key(d.source.model) == name_key(model)), None)
    if found is None:
        raise nothing_about("--explain", model, [d.source.model for d in plan.decisions])
    return found


def _places(decision: Decision, library: Library) -> dict[str, str]:
    rules = {rejected.rule for rejected in decision.rejected}
    if decision.target is not None:
        rules.add(decision.target.rule)
    bound = {rule: library.rule(rule) for rule in rules}
    return {rule: f"{found.recipe}, {found.file}:{found.line}" for rule, found in bound.items() if found is not None}
