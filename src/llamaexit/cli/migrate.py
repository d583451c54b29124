"""`llamaexit migrate`: carry a plan out, or show what that would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.options import (
    Context,
    Debug,
    Host,
    Json,
    Lineages,
    Locked,
    Only,
    Patience,
    Recipes,
    Skip,
    Suites,
    Thinking,
    Uses,
    Yes,
)

if TYPE_CHECKING:
    from llamaexit.cli.answer import Result


def migrate(
    plan: Annotated[
        Path | None, typer.Argument(metavar="PLAN", help="A file that `plan --out` wrote. Default: plan now.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Carry it out, after asking.")] = False,
    stage: Annotated[bool, typer.Option("--stage", help="Pull and test only; `resume` switches later.")] = False,
    only: Only = None,
    skip: Skip = None,
    no_pull: Annotated[
        bool, typer.Option("--no-pull", help="Download nothing: every target has to be installed already.")
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Go on with the other models when one fails.")
    ] = False,
    alias: Annotated[
        list[str] | None,
        typer.Option(
            "--alias", metavar="NAME=ROLE", help="Let NAME mean the new model for a use, or for an old model."
        ),
    ] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Let the names of the old library models mean the new ones.")
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="MODEL", help="Switch this old model whatever its tests say."),
    ] = None,
    suite: Suites = "quick",
    timeout: Patience = None,
    stall_timeout: Annotated[
        str, typer.Option("--stall-timeout", metavar="SECONDS", help="How long a download may stand still.")
    ] = "120",
    yes: Yes = False,
    use: Uses = None,
    context: Context = None,
    lineage: Lineages = None,
    thinking: Thinking = None,
    recipes: Recipes = None,
    locked: Locked = None,
    host: Host = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Replace the Llama models here: pull, test, and only then switch. Without --apply, show the steps."""

    from llamaexit.cli.answer import Style, answer

    def migrated() -> Result:
        from llamaexit.cli import values
        from llamaexit.cli.migrate_request import Planning, Request, run_migrate

        return run_migrate(
            Request(
                file=plan,
                planning=Planning(use or [], context, lineage or [], thinking, recipes or [], locked),
                options=values.migration_options(
                    stage=stage, only=only, skip=skip, pull=not no_pull, keep_going=keep_going, alias=alias,
                    take_over=take_over, accept=accept, suite=suite, timeout=timeout, stall_timeout=stall_timeout,
                ),
                host=host, apply=apply, yes=yes, as_json=as_json, command=values.command_again(),
            )
        )  # fmt: skip

    answer("migrate", Style(as_json, debug), migrated)
