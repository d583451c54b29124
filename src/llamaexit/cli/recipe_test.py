"""Carrying out `llamaexit recipe test`: the examples of several recipes, each with what it extends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from llamaexit.cli.answer import Problem, Result
from llamaexit.errors import FAILED

if TYPE_CHECKING:
    from llamaexit.recipes.load import Stack
    from llamaexit.report.recipe_test import TestedRecipe


def run_tests(files: Sequence[str], *, verbose: bool, locked: bool | None = None, as_json: bool = False) -> Result:
    """Try the examples of recipes.

    locked: as `--locked` says it. as_json: nobody is asked about sources that are not allowed. Raises RecipeError with
    every problem of all recipes that are wrong.
    """
    from llamaexit.cli.access import Access
    from llamaexit.recipes.load import load_stack
    from llamaexit.recipes.problems import refuse
    from llamaexit.report.recipe_test import counted, print_tested, test_document

    sources = Access(as_json=as_json, locked=locked, at_work=True)
    stacks = [(file, load_stack(file, sources=sources)) for file in files]
    problems = dict.fromkeys(problem for _, stack in stacks for problem in stack.problems)
    if problems:
        raise refuse(tuple(problems))
    tested = tuple(_tested(file, stack) for file, stack in stacks)
    failed = any(recipe.failed for recipe in tested)
    return Result(
        test_document(tested),
        partial(print_tested, tested, verbose=verbose),
        exit_code=FAILED if failed else 0,
        problems=(Problem("example", counted(tested), "llamaexit recipe explain says which rules apply"),)
        if failed
        else (),
    )


def _tested(file: str, stack: Stack) -> TestedRecipe:
    from llamaexit.planning.examples import run_examples
    from llamaexit.report.recipe_test import TestedRecipe

    return TestedRecipe(file, run_examples(stack), stack.library)
