"""`llamaexit recipe`: what the recipes say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.light import LightCommand, LightGroup
from llamaexit.cli.options import Debug, Host, Json, Locked, Recipes, Store, Timeout, Verbose

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.cli.answer import Result

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE",
        help="Recipes: files, addresses, or builtin:NAME. Default: that of this folder and those in your own.",
    ),
]
OwnFiles = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE", help="Recipe files. Default: that of this folder and those in your own."),
]
ToLock = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE", help="Recipes beside llamaexit.toml, files or addresses. Default: those that are locked."
    ),
]
CooldownDays = Annotated[
    int | None,
    typer.Option(
        "--cooldown-days", metavar="N", help="Days a commit has to be old before it is locked. Default: your settings."
    ),
]

recipe = typer.Typer(cls=LightGroup, help="Look at the recipes, check them and write them.")


@recipe.command("list", cls=LightCommand)
def list_recipes(recipes: Recipes = None, locked: Locked = None, as_json: Json = False, debug: Debug = False) -> None:
    """List the recipes in force, those that win first, and the policy they come to."""
    from llamaexit.cli.answer import Result, Style, answer

    def found() -> Result:
        from llamaexit.cli.gather import library_with
        from llamaexit.report.documents import list_document

        library = library_with(recipes, locked=locked, as_json=as_json, to_plan=False)

        def show(console: Console) -> None:
            from llamaexit.report.recipes import print_recipes

            print_recipes(library, console)

        return Result(list_document(library), show)

    answer("recipe list", Style(as_json, debug), found)


@recipe.command("show", cls=LightCommand)
def show_recipe(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A recipe as `recipe list` names it, or the id of a rule.")
    ],
    recipes: Recipes = None,
    locked: Locked = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show a recipe: where it stands, and its rules with their targets in order."""
    from llamaexit.cli.answer import Style, answer

    def found() -> Result:
        from llamaexit.cli.gather import library_with
        from llamaexit.cli.recipe_show import find

        return find(library_with(recipes, locked=locked, as_json=as_json, to_plan=False), name)

    answer("recipe show", Style(as_json, debug), found)


@recipe.command("explain", cls=LightCommand)
def explain_recipes(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model you have, or might have.")],
    use: Annotated[
        list[str] | None, typer.Option("--use", metavar="USE[,USE]", help="What it serves: chat, tools, code, fim …")
    ] = None,
    recipes: Recipes = None,
    locked: Locked = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say which rule wins for a model, which lose and to whom, and what the policy cuts. Needs no Ollama."""
    from llamaexit.cli.answer import Result, Style, answer

    def found() -> Result:
        from llamaexit.cli.gather import library_with
        from llamaexit.cli.values import uses_of
        from llamaexit.planning.explain import explain
        from llamaexit.report.recipe_explain import explanation_document

        library = library_with(recipes, locked=locked, as_json=as_json, to_plan=False)
        explanation = explain(library, model, uses_of(use, [model]).get(model, ()))

        def show(console: Console) -> None:
            from llamaexit.report.recipe_explain import print_recipe_explanation

            print_recipe_explanation(explanation, console)

        return Result(explanation_document(explanation), show)

    answer("recipe explain", Style(as_json, debug), found)


@recipe.command("lint", cls=LightCommand)
def lint_recipes(
    files: Files = None,
    form: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", rich_help_panel="Output", help="text, json, github or sarif."),
    ] = "text",
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="RULE", help="Only these rules; patterns such as *-target.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="RULE", help="Not these rules; repeat for several.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings, too.")] = False,
    locked: Locked = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say everything that is wrong with recipes, and what is probably not meant. Exits with 1 on errors."""
    from llamaexit.cli.answer import Style, answer

    def found() -> Result:
        from llamaexit.cli.gather import recipes_of_ones_own
        from llamaexit.cli.recipe_lint import LintRequest, form_of, ids_of, run_lint

        named = recipes_of_ones_own(files, "lint")
        return run_lint(LintRequest(named, form_of(form, as_json), ids_of(select), ids_of(ignore), strict, locked))

    answer("recipe lint", Style(as_json or form == "json", debug), found)


@recipe.command("test", cls=LightCommand)
def test_recipes(
    files: Files = None, locked: Locked = None, as_json: Json = False, verbose: Verbose = False, debug: Debug = False
) -> None:
    """Try the examples of recipes: does a plan decide as they expect? Needs no Ollama and no GPU."""
    from llamaexit.cli.answer import Style, answer

    def found() -> Result:
        from llamaexit.cli.gather import recipes_of_ones_own
        from llamaexit.cli.recipe_test import run_tests

        return run_tests(recipes_of_ones_own(files, "test"), verbose=verbose, locked=locked, as_json=as_json)

    answer("recipe test", Style(as_json, debug), found)


@recipe.command("new", cls=LightCommand)
def new_recipe(
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What the recipe is called. Default: team.")
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="EXAMPLE",
            help="Start from laptop-fleet, no-chinese-origin or permissive-licences-only instead.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it to a file that is not there yet.")
    ] = None,
    host: Host = None,
    store: Store = None,
    timeout: Timeout = "5",
    snapshot: Annotated[
        Path | None,
        typer.Option("--snapshot", metavar="FILE", rich_help_panel="Another machine", help="Write it for a snapshot."),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a recipe to start from: what the plan for this machine proposes, with comments and examples."""
    from llamaexit.cli.answer import Style, answer

    def made() -> Result:
        from llamaexit.cli.gather import Where
        from llamaexit.cli.recipe_new import NewRequest, run_new
        from llamaexit.cli.values import timeout_of

        return run_new(NewRequest(name, out, Where(host, store, timeout_of(timeout), snapshot), example))

    answer("recipe new", Style(as_json, debug), made)


@recipe.command("fmt", cls=LightCommand)
def format_recipes(
    files: OwnFiles = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 3 when a file would change.")
    ] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Put recipes into one form: order and spelling of keys, empty lines. Comments are kept."""
    from llamaexit.cli.answer import Style, answer

    def formatted() -> Result:
        from llamaexit.cli.gather import recipes_of_ones_own
        from llamaexit.cli.recipe_fmt import run_fmt

        return run_fmt(recipes_of_ones_own(files, "format"), check=check)

    answer("recipe fmt", Style(as_json, debug), formatted)


@recipe.command("lock", cls=LightCommand)
def lock_recipes(
    files: ToLock = None, cooldown_days: CooldownDays = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Write llamaexit.lock: the commits of recipes, and the builds of their targets. What is locked stays as it is."""
    from llamaexit.cli.answer import Style, answer

    def locked() -> Result:
        from llamaexit.cli.recipe_lock import LockRequest, run_lock

        return run_lock(LockRequest(tuple(files or ()), cooldown_days, as_json))

    answer("recipe lock", Style(as_json, debug), locked)


@recipe.command("update", cls=LightCommand)
def update_recipes(
    files: ToLock = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 3 when something would change.")
    ] = False,
    cooldown_days: CooldownDays = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what locked recipes and their targets are now, rule by rule, and lock that."""
    from llamaexit.cli.answer import Style, answer

    def updated() -> Result:
        from llamaexit.cli.recipe_lock import LockRequest
        from llamaexit.cli.recipe_update import run_update

        return run_update(LockRequest(tuple(files or ()), cooldown_days, as_json), check=check)

    answer("recipe update", Style(as_json, debug), updated)


@recipe.command("allow", cls=LightCommand)
def allow_recipes(
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE|REGISTRY", help="Such as git+https://HOST/TEAM/*, or hf.co/OWNER."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take back what you allowed.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="Show what is allowed, and by which file.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Allow recipes to be fetched from a source, or to name models of a registry. Only your settings can."""
    from llamaexit.cli.answer import Style, answer

    def allowed() -> Result:
        from llamaexit.cli.recipe_allow import AllowRequest, run_allow

        return run_allow(AllowRequest(tuple(named or ()), remove, listing))

    answer("recipe allow", Style(as_json, debug), allowed)
