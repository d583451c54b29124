"""`llamaexit recipe`: what the recipes say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.light import LightCommand, LightGroup
from llamaexit.cli.options import Debug, Json, Recipes

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.cli.answer import Result

recipe = typer.Typer(cls=LightGroup, help="Look at the recipes: policy, rules and facts.")


@recipe.command("list", cls=LightCommand)
def list_recipes(recipes: Recipes = None, as_json: Json = False, debug: Debug = False) -> None:
    """List the recipes in force, those that win first, and the policy they come to."""
    from llamaexit.cli.answer import Result, Style, answer

    def found() -> Result:
        from llamaexit.cli.gather import library_with
        from llamaexit.report.documents import list_document

        library = library_with(recipes)

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
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show a recipe: where it stands, and its rules with their targets in order."""
    from llamaexit.cli.answer import Style, answer

    def found() -> Result:
        from llamaexit.cli.gather import library_with
        from llamaexit.cli.recipe_show import find

        return find(library_with(recipes), name)

    answer("recipe show", Style(as_json, debug), found)


@recipe.command("explain", cls=LightCommand)
def explain_recipes(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model you have, or might have.")],
    use: Annotated[
        list[str] | None, typer.Option("--use", metavar="USE[,USE]", help="What it serves: chat, tools, code, fim …")
    ] = None,
    recipes: Recipes = None,
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

        explanation = explain(library_with(recipes), model, uses_of(use, [model]).get(model, ()))

        def show(console: Console) -> None:
            from llamaexit.report.recipe_explain import print_recipe_explanation

            print_recipe_explanation(explanation, console)

        return Result(explanation_document(explanation), show)

    answer("recipe explain", Style(as_json, debug), found)
