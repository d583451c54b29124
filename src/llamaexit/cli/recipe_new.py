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
    from llamaexit.recipes.pack import Pack

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STDOUT = Path("-")
_TEAM = "team"


@dataclass(frozen=True, slots=True)
class NewRequest:
    """One command line of `recipe new`.

    name: None for that of the example, or else `team`. out: None or `-` for standard output. example: the name of an
    example to start from, instead of the machine.
    """

    name: str | None
    out: Path | None
    where: Where
    example: str | None = None


def run_new(request: NewRequest) -> Result:
    """Write a recipe to start from. Raises UsageError for a name no recipe can have, and for an unknown example."""
    from llamaexit.recipes.pack import load_pack
    from llamaexit.report import words

    pack = load_pack()
    name = request.name
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(
            f"--name: {name!r} is no name for a recipe", hint="letters, digits, dots, hyphens and underscores"
        )
    if name in pack.recipe_files:
        raise UsageError(f"--name: {name!r} is the name of a built-in recipe", hint="choose another one")
    if request.example is not None:
        text, models = _example(request, request.example), 0
        told = f"from the example {request.example}"
    else:
        made = _for_a_machine(request, pack)
        text, models = made.text, made.models
        rules = f"rules for {words.counted(models, 'model')}" if models else "no rule: there is no Llama here"
        told = f"with {rules}"
    answer = {"recipe": text, "models": models, "example": request.example, "file": None}
    if request.out is None or request.out == _STDOUT:
        return Result(answer, text)
    from llamaexit.cli.output import write_new

    write_new(request.out, text)
    return Result({**answer, "file": str(request.out)}, partial(_written, told, request.out))


def _for_a_machine(request: NewRequest, pack: Pack) -> Starter:
    """A recipe for this machine, or for that of a snapshot. Raises OllamaError where nobody knows its models."""
    from llamaexit import __version__
    from llamaexit.cli.gather import refuse_to_guess, snapshot_from
    from llamaexit.hardware import Overrides
    from llamaexit.planning.starter import starter

    snapshot = snapshot_from(request.where, Overrides())
    if snapshot.ollama.source == "none" and not snapshot.models:
        refuse_to_guess(snapshot, otherwise=", or begin with a snapshot (--snapshot) or an example (--from)")
    return starter(snapshot, pack, name=request.name or _TEAM, version=__version__, today=dt.date.today())


def _example(request: NewRequest, example: str) -> str:
    """The text of an example, under the name that is asked for."""
    from llamaexit.cli.gather import Where
    from llamaexit.recipes.pack import example_recipes
    from llamaexit.recipes.problems import did_you_mean

    if request.where != Where(timeout=request.where.timeout):
        raise UsageError("--from is an example: --host, --store and --snapshot are about a machine")
    known = example_recipes()
    if example not in known:
        near = did_you_mean(example, known)
        raise UsageError(f"--from: there is no example {example!r}{near}", hint=f"there are {', '.join(known)}")
    text = known[example].read_text(encoding="utf-8")
    return text.replace(f'\nname = "{example}"\n', f'\nname = "{request.name}"\n', 1) if request.name else text


def _written(told: str, out: Path, console: Console) -> None:
    import shlex

    from llamaexit.planning.starter import SCHEMA_FILE
    from llamaexit.report.layout import Page

    page = Page(console)
    page.line(f"{out} is written, {told}.")
    file, schema = shlex.quote(str(out)), shlex.quote(str(out.parent / SCHEMA_FILE))
    page.command("Next", f"llamaexit recipe lint {file}")
    page.command("", f"llamaexit recipe test {file}")
    page.row("Editor", f"llamaexit schema recipe > {schema}", indent=0)
