"""`llamaexit history`: all runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.cli.options import Debug, Json

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.cli.answer import Result


def history(as_json: Json = False, debug: Debug = False) -> None:
    """List the migrations of this user, the newest first."""

    from llamaexit.cli.answer import Style, answer

    def listed() -> Result:
        from llamaexit.cli.answer import Result
        from llamaexit.cli.place import state
        from llamaexit.migration.runs import history

        runs = history(state())

        def show(console: Console) -> None:
            from llamaexit.report.history import print_history

            print_history(runs, console)

        return Result({"runs": runs}, show)

    answer("history", Style(as_json, debug), listed)
