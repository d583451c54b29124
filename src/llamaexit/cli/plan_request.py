"""Carrying out one `llamaexit plan`: gather facts, make the plan, hand it over in the form that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from llamaexit.cli.answer import Problem, Result
from llamaexit.cli.gather import Where, library_with, snapshot_here
from llamaexit.errors import PENDING, OllamaError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.hardware import Overrides
    from llamaexit.planning.options import PlanOptions
    from llamaexit.planning.plan import Decision, Plan
    from llamaexit.recipes.library import Library
    from llamaexit.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Request:
    """One command line of `plan`, understood. `snapshot` is a file, a directory, or None for this machine.

    command: the command line as it was typed, which the next commands build on.
    """

    options: PlanOptions
    where: Where
    overrides: Overrides
    recipes: list[Path] | None = None
    snapshot: Path | None = None
    online: bool = False
    out: Path | None = None
    check: bool = False
    explain: str | None = None
    markdown: bool = False
    as_json: bool = False
    verbose: bool = False
    command: str = "llamaexit plan"


def run_plan(request: Request) -> Result:
    """Plan for this machine, for a saved snapshot, or for a directory of them."""
    _refuse_contradictions(request)
    library = library_with(request.recipes)
    if request.snapshot is not None and request.snapshot.is_dir():
        from llamaexit.cli.batch import plan_directory

        return plan_directory(request.snapshot, library, request)
    plan, problems = _make(request, library, _snapshot(request))
    if request.out is not None:
        _save(plan, request.out)
    code = PENDING if request.check and plan.pending else 0
    return Result(plan, _text(plan, library, request), exit_code=code, problems=problems)


def _make(request: Request, library: Library, snapshot: Snapshot) -> tuple[Plan, tuple[Problem, ...]]:
    from llamaexit.planning.planner import Planner

    planner = Planner(library)
    if not request.online:
        return planner.plan(snapshot, request.options), ()
    from llamaexit.cli.online import plan_online, registry_here

    asked = plan_online(planner, snapshot, request.options, registry_here(request.where.timeout))
    return asked.plan, asked.problems


def _snapshot(request: Request) -> Snapshot:
    if request.snapshot is None:
        snapshot = snapshot_here(request.where, request.overrides)
        if snapshot.ollama.source == "none" and not request.options.models:
            _refuse_to_guess(snapshot)
        return snapshot
    from llamaexit.documents import SnapshotReader
    from llamaexit.hardware import override

    snapshot = SnapshotReader().load(request.snapshot)
    return replace(snapshot, machine=override(snapshot.machine, request.overrides))


def _refuse_to_guess(snapshot: Snapshot) -> NoReturn:
    """Nothing is known about installed models: that is not the same as having none."""
    why = "; ".join(snapshot.ollama.problems) or f"nothing answers at {snapshot.ollama.url}"
    raise OllamaError(f"cannot tell which models are installed: {why}", hint="or name some: llamaexit plan llama3.1:8b")


def _refuse_contradictions(request: Request) -> None:
    if request.as_json and request.markdown:
        raise UsageError("--json and --markdown exclude each other")
    if request.snapshot is None:
        return
    if request.where.host is not None or request.where.store is not None:
        raise UsageError("--snapshot is another machine: --host and --store look at this one")
    if request.snapshot.is_dir() and (request.out or request.explain or request.markdown):
        raise UsageError(
            "--out, --explain and --markdown are about one plan, and --snapshot names a directory",
            hint="use --json for all of them",
        )


def _save(plan: Plan, path: Path) -> None:
    from llamaexit.cli.output import write_file
    from llamaexit.jsonable import dump

    write_file(path, dump(plan, indent=2) + b"\n")


def _text(plan: Plan, library: Library, request: Request) -> Callable[[Console], None] | str:
    if request.markdown:
        from llamaexit.report.markdown import plan_markdown

        return plan_markdown(plan)
    decision = _explained(plan, request.explain)

    def show(console: Console) -> None:
        if decision is not None:
            from llamaexit.report.explain import print_explanation

            print_explanation(plan, decision, console, places=_places(decision, library))
        else:
            from llamaexit.report.plan import print_plan

            print_plan(plan, console, verbose=request.verbose, saved_as=request.out, command=request.command)

    return show


def _explained(plan: Plan, model: str | None) -> Decision | None:
    """The decision `--explain` asks for; None when the plan itself is the answer, as it is for what cannot run here."""
    from llamaexit.recipes.names import name_key

    if model is None or any(name_key(asked.name) == name_key(model) for asked in plan.asked):
        return None
    found = next((d for d in plan.decisions if name_key(d.source.model) == name_key(model)), None)
    if found is None:
        raise UsageError(f"--explain: the plan says nothing about {model}", hint="--only and --skip may leave it out")
    return found


def _places(decision: Decision, library: Library) -> dict[str, str]:
    rules = {rejected.rule for rejected in decision.rejected}
    if decision.target is not None:
        rules.add(decision.target.rule)
    bound = {rule: library.rule(rule) for rule in rules}
    return {rule: f"{found.recipe}, {found.file}:{found.line}" for rule, found in bound.items() if found is not None}
