"""`llamaexit recipe`: what the recipes say."""

from __future__ import annotations

from typing import Annotated

import typer

from llamaexit.cli.options import Debug, Json, Recipes

recipe = typer.Typer(help="Look at the recipes: policy, rules and facts.", no_args_is_help=False)


@recipe.command("list")
def list_recipes(recipes: Recipes = None, as_json: Json = False, debug: Debug = False) -> None:
    """List the recipes in force, strongest first."""

    from llamaexit.cli.answer import Result, Style, answer

    def listed() -> Result:
        from llamaexit.cli.gather import library_with
        from llamaexit.report.recipes import print_list

        library = library_with(recipes)
        return Result(data={"recipes": library.loaded}, text=lambda console: print_list(library, console))

    answer("recipe list", Style(as_json, debug), listed)


@recipe.command("show")
def show_recipe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A recipe, as `recipe list` names it.")],
    recipes: Recipes = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show one recipe: its policy, its rules with their targets, and how many facts it carries."""

    from llamaexit.cli.answer import Result, Style, answer

    def shown() -> Result:
        from llamaexit.cli.gather import library_with

        raise NotImplementedError(name, library_with(recipes))

    answer("recipe show", Style(as_json, debug), shown)
