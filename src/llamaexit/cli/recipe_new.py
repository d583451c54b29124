"""Carrying out `llamaexit recipe new`: look at the machine, write a recipe to start from, say what to do with it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.cli.answer import Result
from llamaexit.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.cli.gather import Where
    from llamaexit.planning.starter import Starter

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STDOUT = Path("-")


@dataclass(frozen=True, slots=True)
class NewRequest:
    """One command line of `recipe new`. out: None or `-` for standard output."""

    name: str
    out: Path | None
    where: Where


def run_new(request: NewRequest) -> Result:
    """Write a recipe to start from. Raises UsageError for a name no recipe can have."""
    from llamaexit import __version__
    from llamaexit.cli.gather import snapshot_from
    from llamaexit.hardware import Overrides
    from llamaexit.planning.starter import starter
    from llamaexit.recipes.pack import load_pack

    pack = load_pack()
    if not _NAME.fullmatch(request.name):
        raise UsageError(f"--name: {request.name!r} is no name for a recipe", hint="letters, digits, dots and hyphens")
    if request.name in pack.recipe_files:
        raise UsageError(f"--name: {request.name!r} is the name of a built-in recipe", hint="choose another one")
    snapshot = snapshot_from(request.where, Overrides())
    made = starter(snapshot, pack, name=request.name, version=__version__, today=dt.date.today())
    if request.out is None or request.out == _STDOUT:
        return Result({"recipe": made.text, "models": made.models, "file": None}, made.text)
    from llamaexit.cli.output import write_new

    write_new(request.out, made.text)
    answer = {"recipe": made.text, "models": made.models, "file": str(request.out)}
    return Result(answer, partial(_written, made, request.out))


def _written(made: Starter, out: Path, console: Console) -> None:
    import shlex

    from llamaexit.planning.starter import SCHEMA_FILE
    from llamaexit.report import words
    from llamaexit.report.layout import Page

    page = Page(console)
    rules = f"rules for {words.counted(made.models, 'model')}" if made.models else "no rule: there is no Llama here"
    page.line(f"{out} is written, with {rules}.")
    file, schema = shlex.quote(str(out)), shlex.quote(str(out.parent / SCHEMA_FILE))
    page.command("Next", f"llamaexit recipe lint {file}")
    page.command("", f"llamaexit recipe test {file}")
    page.row("Editor", f"llamaexit schema recipe > {schema}", indent=0)
