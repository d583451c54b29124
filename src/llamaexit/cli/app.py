"""The Typer application: the list of commands, and one answer for command lines that cannot be understood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from llamaexit import __version__
from llamaexit.cli.history import history
from llamaexit.cli.inspect import inspect
from llamaexit.cli.light import LightCommand, LightGroup
from llamaexit.cli.migrate import migrate
from llamaexit.cli.options import TYPED
from llamaexit.cli.plan import plan
from llamaexit.cli.recipe import recipe
from llamaexit.cli.report import report
from llamaexit.cli.resume import resume
from llamaexit.cli.retire import retire
from llamaexit.cli.rollback import rollback
from llamaexit.cli.schema import schema
from llamaexit.cli.show import show
from llamaexit.cli.smoke import smoke
from llamaexit.cli.status import status

app = typer.Typer(
    name="llamaexit",
    cls=LightGroup,
    help="Get off Llama models, safely, on your own machine.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"llamaexit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


for _command in (inspect, plan, migrate, smoke, resume, rollback, history, show, report, status, retire):
    app.command(cls=LightCommand)(_command)
app.add_typer(recipe, name="recipe")
app.command(cls=LightCommand)(schema)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Commands report their own failures; here are Typer's.

    A group without a command prints its help.
    """
    TYPED.set(tuple(arguments))
    alone = list(arguments) in ([], ["recipe"])
    try:
        code: Any = app([*arguments, *(["--help"] if alone else [])], prog_name="llamaexit", standalone_mode=False)
    except Exception as error:
        # Which class a usage error has depends on the Typer release (0.26 and later carry their own click), the
        # two attributes that make one do not.
        if not (hasattr(error, "format_message") and hasattr(error, "exit_code")):
            raise
        from llamaexit.cli.answer import Style, answer_usage_error

        return answer_usage_error(_command_of(error), error.format_message(), Style(as_json="--json" in arguments))
    return code if isinstance(code, int) else 0


def _command_of(error: Exception) -> str | None:
    """The command that a usage error is about, with the group it is in; None where none was found."""
    path: str = getattr(getattr(error, "ctx", None), "command_path", "")
    return path.partition(" ")[2] or None
