"""`llamaexit resume`: go on with a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.cli.options import Debug, Host, Json, RunId

if TYPE_CHECKING:
    from llamaexit.cli.answer import Result


def resume(run: RunId = None, host: Host = None, as_json: Json = False, debug: Debug = False) -> None:
    """Go on with a migration that was interrupted, failed, or staged. What is done already is not done again."""

    from llamaexit.cli.answer import Style, answer

    def resumed() -> Result:
        from llamaexit.cli.place import place_of_run, run_of
        from llamaexit.cli.run_result import run_result
        from llamaexit.cli.watching import watching
        from llamaexit.migration.engine import resume

        found = run_of(run)
        place = place_of_run(found, host)
        with watching(as_json=as_json) as listener:
            ended = resume(found.id, place, listener)
        return run_result(ended)

    answer("resume", Style(as_json, debug), resumed)
