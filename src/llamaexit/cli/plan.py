"""`llamaexit plan`: what should replace each Llama model here, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.options import (
    Context,
    Debug,
    GpuNames,
    Host,
    Json,
    Lineages,
    Locked,
    Only,
    Ram,
    Recipes,
    Skip,
    Store,
    Thinking,
    Timeout,
    Uses,
    Verbose,
    Vram,
)

if TYPE_CHECKING:
    from llamaexit.cli.answer import Result


def plan(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="Models to plan for, installed or not. Default: every Llama found."),
    ] = None,
    use: Uses = None,
    context: Context = None,
    only: Only = None,
    skip: Skip = None,
    lineage: Lineages = None,
    thinking: Thinking = None,
    recipes: Recipes = None,
    locked: Locked = None,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="MODEL", help="Every candidate for one model, and why not.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the plan to a file; - prints it.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 3 while Llama models are in use.")] = False,
    host: Host = None,
    store: Store = None,
    timeout: Timeout = "5",
    online: Annotated[
        bool, typer.Option("--online", rich_help_panel="Where to look", help="Ask the registry for exact sizes.")
    ] = False,
    snapshot: Annotated[
        Path | None,
        typer.Option(
            "--snapshot", metavar="FILE|DIR", rich_help_panel="Another machine", help="Plan for saved snapshots."
        ),
    ] = None,
    vram: Vram = None,
    ram: Ram = None,
    gpu: GpuNames = None,
    bandwidth: Annotated[
        str | None,
        typer.Option(
            "--bandwidth",
            metavar="RATE",
            rich_help_panel="Another machine",
            help="For the time of the download: 100Mbit or 12MB/s.",
        ),
    ] = None,
    as_json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", rich_help_panel="Output", help="Answer in Markdown, for an issue or a chat.")
    ] = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Show what should replace each Llama model on this machine, and why. Changes nothing."""

    from llamaexit.cli.answer import Style, answer

    def planned() -> Result:
        from llamaexit.cli import values
        from llamaexit.cli.gather import Where
        from llamaexit.cli.plan_request import Request, run_plan

        place = {
            "--host": host, "--store": store, "--snapshot": snapshot, "--vram": vram, "--ram": ram, "--gpu": gpu,
            "--recipe": recipes, **values.locked_again(locked),
        }  # fmt: skip
        here = not (models or snapshot or store or vram or ram or gpu)
        now = {
            "--use": use, "--context": context, "--only": only, "--skip": skip, "--lineage": lineage,
            "--thinking": thinking, "--recipe": recipes, **values.locked_again(locked), "--host": host,
        }  # fmt: skip
        return run_plan(
            Request(
                options=values.plan_options(
                    models=models or [], use=use, context=context, only=only, skip=skip, lineage=lineage,
                    thinking=thinking,
                    bandwidth=bandwidth, explain=explain,
                ),
                where=Where(host, store, values.timeout_of(timeout), snapshot),
                overrides=values.overrides_of(vram, ram, gpu),
                recipes=recipes, locked=locked, online=online, out=out, check=check, explain=explain,
                markdown=markdown, as_json=as_json, verbose=verbose,
                to_stdout=values.is_stdout(out, as_json=as_json, other=markdown or explain is not None),
                command=values.command_again(), inspect=values.command_with("inspect", place),
                migrate=values.migration_of(out, now, here=here),
            )
        )  # fmt: skip

    answer("plan", Style(as_json, debug), planned)
