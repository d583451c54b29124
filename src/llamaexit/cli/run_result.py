"""How a command answers that carried out, resumed or undid a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.cli.answer import Problem, Result
from llamaexit.errors import INTERRUPTED

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.record import Failure, Run


def run_result(run: Run) -> Result:
    """The run as data, its end in words, and the exit code of what stopped it, if anything did."""

    def show(console: Console) -> None:
        from llamaexit.report.run import print_run

        print_run(run, console)

    if run.failure is None:
        return Result(run, show)
    return Result(run, show, exit_code=run.failure.exit_code, problems=(_problem(run, run.failure),))


def _problem(run: Run, failure: Failure) -> Problem:
    if failure.exit_code != INTERRUPTED:
        return Problem(failure.code, failure.message, failure.hint)
    from llamaexit.report.outcome import moved
    from llamaexit.report.words import listed

    names = listed(change.name for change in moved(run))
    done = f"{names} switched already" if names else "nothing was switched"
    return Problem(failure.code, f"interrupted; {done}", f"go on with {failure.hint}")
