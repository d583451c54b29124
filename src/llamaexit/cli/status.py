"""`llamaexit status`: is everything still as migrations left it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.options import Debug, Host, Json

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.cli.answer import Result


def status(
    check: Annotated[bool, typer.Option("--check", help="Exit with 3 when something wants looking after.")] = False,
    host: Host = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell what became of migrations: names somebody changed since, runs not at their end, backups. Changes nothing."""

    from llamaexit.cli.answer import Style, answer

    def found() -> Result:
        from llamaexit.cli.answer import Problem, Result
        from llamaexit.cli.place import place_of
        from llamaexit.errors import PENDING
        from llamaexit.migration.status import status

        now = status(place_of(host))

        def show(console: Console) -> None:
            from llamaexit.report.status import print_status

            print_status(now, console)

        if now.unanswered is not None:
            failure = now.unanswered
            problem = Problem(failure.code, failure.message, failure.hint)
            return Result(now, show, exit_code=failure.exit_code, problems=(problem,))
        return Result(now, show, exit_code=PENDING if check and not now.clean else 0)

    answer("status", Style(as_json, debug), found)
