"""`llamaexit show`: everything about one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.cli.options import Debug, Json, RunId

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.cli.answer import Result


def show(run: RunId = None, as_json: Json = False, debug: Debug = False) -> None:
    """Show one migration: its steps, what was tested and answered, names, backups, and the way back."""

    from llamaexit.cli.answer import Style, answer

    def shown() -> Result:
        from llamaexit.cli.answer import Result
        from llamaexit.cli.place import run_of

        found = run_of(run)

        def print_it(console: Console) -> None:
            from llamaexit.report.run_show import print_whole_run

            print_whole_run(found, console)

        return Result(found, print_it)

    answer("show", Style(as_json, debug), shown)
