"""`llamaexit smoke`: the tests alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.options import Context, Debug, Host, Json, Locked, Patience, Recipes, Suites

if TYPE_CHECKING:
    from llamaexit.cli.answer import Result


def smoke(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The installed model to test.")],
    against: Annotated[
        str | None, typer.Option("--against", metavar="OLD", help="The installed model it is to replace.")
    ] = None,
    suite: Suites = "quick",
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="USE[,USE]", help="What it is to serve. Default: what OLD serves."),
    ] = None,
    context: Context = None,
    timeout: Patience = None,
    recipes: Recipes = None,
    locked: Locked = None,
    host: Host = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Ask a model what the tests of a migration ask, and compare it with the one it is to replace. Changes nothing."""

    from llamaexit.cli.answer import Style, answer

    def tested() -> Result:
        from llamaexit.cli import values
        from llamaexit.cli.smoke_request import Request, run_smoke

        return run_smoke(
            Request(
                target=target, against=against, suite=values.suite_of(suite),
                uses=values.uses_of([f"{target}={one}" for one in use or ()], []).get(target, ()),
                context=values.context_of(context),
                answer_seconds=None if timeout is None else values.timeout_of(timeout),
                recipes=recipes, locked=locked, host=host, as_json=as_json,
            )
        )  # fmt: skip

    answer("smoke", Style(as_json, debug), tested)
