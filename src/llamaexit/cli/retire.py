"""`llamaexit retire`: delete old models that nobody needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.options import Debug, Host, Json, Yes

if TYPE_CHECKING:
    from llamaexit.cli.answer import Result


def retire(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="How long ago they were replaced at least: 14d, 36h.")
    ] = "14d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted, and delete nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Delete what is too young, or could not be pulled again, too.")
    ] = False,
    yes: Yes = False,
    host: Host = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Delete old models that were replaced. Shows the bytes that really become free, and asks."""

    from llamaexit.cli.answer import Style, answer

    def retired() -> Result:
        from llamaexit.cli import values
        from llamaexit.cli.retire_request import run_retire

        return run_retire(
            older_than=values.age_of(older_than), dry_run=dry_run, force=force, yes=yes, host=host, as_json=as_json
        )

    answer("retire", Style(as_json, debug), retired)
