"""Carrying out one `llamaexit rollback`: show what it will do, ask, and hand it to the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.cli.confirm import confirm
from llamaexit.cli.place import place_of_run, run_of
from llamaexit.cli.run_result import run_result
from llamaexit.cli.talk import tell
from llamaexit.cli.watching import watching

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.cli.answer import Result


def run_rollback(text: str | None, *, purge: bool, yes: bool, host: str | None, as_json: bool) -> Result:
    """Undo a run. Where there is nothing to undo, nobody is asked."""
    from llamaexit.migration.journal import read_records
    from llamaexit.migration.runs import journal_of
    from llamaexit.migration.undo import roll_back, undoings

    run = run_of(text)
    place = place_of_run(run, host)
    todo = undoings(read_records(journal_of(place.state, run.id)), purge=purge)

    def show(console: Console) -> None:
        from llamaexit.report.undoing import print_undoing

        print_undoing(run, todo, console)

    if todo:
        if not as_json:
            tell(show)
        confirm("Undo it?", yes=yes, as_json=as_json)
    with watching(as_json=as_json) as listener:
        ended = roll_back(run.id, place, listener, purge=purge)
    return run_result(ended)
