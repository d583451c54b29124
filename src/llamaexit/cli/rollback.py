"""`llamaexit rollback`: undo a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.options import Debug, Host, Json, RunId, Yes

if TYPE_CHECKING:
    from llamaexit.cli.answer import Result


def rollback(
    run: RunId = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="Delete what the run downloaded, and its backups, too.")
    ] = False,
    yes: Yes = False,
    host: Host = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Undo a migration: every name means again what it meant before. Names that others changed since are left alone."""

    from llamaexit.cli.answer import Style, answer

    def undone() -> Result:
        from llamaexit.cli.rollback_request import run_rollback

        return run_rollback(run, purge=purge, yes=yes, host=host, as_json=as_json)

    answer("rollback", Style(as_json, debug), undone)
