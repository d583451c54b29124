"""Carrying out one `llamaexit retire`: show what would be deleted, ask, and delete it."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

from llamaexit.cli import values
from llamaexit.cli.answer import Result
from llamaexit.cli.confirm import confirm
from llamaexit.cli.place import TIMEOUT, place_of
from llamaexit.cli.talk import tell
from llamaexit.cli.watching import watching
from llamaexit.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console


def run_retire(
    *, older_than: dt.timedelta, dry_run: bool, force: bool, yes: bool, host: str | None, as_json: bool
) -> Result:
    """Delete old models, or only show which."""
    if dry_run and yes:
        raise UsageError("--yes answers what --dry-run does not ask", hint="leave one of them out")
    from llamaexit.migration.retire import retirable, retire
    from llamaexit.ollama.inventory import take_inventory

    place = place_of(host)
    _, models = take_inventory(host=place.host, timeout=TIMEOUT, environ=os.environ)
    going = retirable(place, models, older_than=older_than, available=_in_its_registry, force=force)

    def show(console: Console) -> None:
        from llamaexit.report.retire import print_retirement

        print_retirement(going, console, force=force, command=values.command_again() if dry_run else None)

    if dry_run or not going.going:
        return Result({"retirement": going, "retired": None}, show)
    if not as_json:
        tell(show)
    confirm("Delete them?", yes=yes, as_json=as_json)
    with watching(as_json=as_json) as listener:
        done = retire(going, place, listener)

    def show_done(console: Console) -> None:
        from llamaexit.report.retire import print_retired

        print_retired(going, done, console)

    return Result({"retirement": going, "retired": done}, show_done)


def _in_its_registry(name: str) -> str | None:
    """The digest a name has in its registry now; None when it is not there. Raises RegistryError."""
    from llamaexit.cli.online import registry_here
    from llamaexit.ollama.names import Name
    from llamaexit.ollama.registry import NoSuchModel

    try:
        return registry_here(TIMEOUT, afresh=True).manifest(Name.parse(name)).digest
    except NoSuchModel:
        return None
