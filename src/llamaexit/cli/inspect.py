"""`llamaexit inspect`: the machine, its Ollama and its models, as a plan sees them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.options import Debug, GpuNames, Host, Json, Locked, Ram, Recipes, Store, Timeout, Verbose, Vram

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.cli.answer import Result


def inspect(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="Names or patterns of models to list. Default: all."),
    ] = None,
    recipes: Recipes = None,
    locked: Locked = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the snapshot to a file; - prints it.")
    ] = None,
    host: Host = None,
    store: Store = None,
    timeout: Timeout = "5",
    snapshot: Annotated[
        Path | None,
        typer.Option(
            "--snapshot", metavar="FILE", rich_help_panel="Another machine", help="Show a saved snapshot instead."
        ),
    ] = None,
    vram: Vram = None,
    ram: Ram = None,
    gpu: GpuNames = None,
    as_json: Json = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Show this machine, its Ollama, and which of its models are Llama. Changes nothing."""

    from llamaexit.cli.answer import Style, answer

    def inspected() -> Result:
        from llamaexit.cli import values
        from llamaexit.cli.answer import Result
        from llamaexit.cli.gather import Where, assessed, snapshot_from
        from llamaexit.jsonable import dump

        to_stdout = values.is_stdout(out, as_json=as_json)
        patterns = values.patterns_of(models, "MODEL")
        where = Where(host, store, values.timeout_of(timeout), snapshot)
        taken = snapshot_from(where, values.overrides_of(vram, ram, gpu))
        found = assessed(taken, recipes, patterns, locked=locked, as_json=as_json)
        if out is not None:
            from llamaexit.cli.output import write_document

            document = dump(found, indent=2) + b"\n"
            if to_stdout:
                return Result(found, document)
            write_document(out, document, found.schema)
        place = {"--host": host, "--store": store, "--snapshot": snapshot, "--vram": vram, "--ram": ram, "--gpu": gpu}
        following = {**place, "--recipe": recipes, **values.locked_again(locked), "--only": patterns}
        if out is not None:
            following = {"--snapshot": out, "--recipe": recipes, **values.locked_again(locked)}

        def show(console: Console) -> None:
            from llamaexit.report.inspect import print_snapshot

            print_snapshot(
                found, console, saved_as=out, verbose=verbose, following=values.command_with("plan", following)
            )

        return Result(found, show)

    answer("inspect", Style(as_json, debug), inspected)
