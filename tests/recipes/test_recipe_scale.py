"""Twice as many rules cost twice as many steps, whatever is done with them. Calls are counted, and not time."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

import pytest

from llamaexit.planning.explain import boundless, explain
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.planner import Planner
from llamaexit.recipes.library import Library
from llamaexit.recipes.lint.run import lint_recipes
from llamaexit.recipes.load import load_library
from llamaexit.recipes.names import name_key

RULES = 10
OPTIONS = PlanOptions(models=("llama3.1:8b", "team-3-3:8b"), lineage={"team-3-3:8b": "meta"})
Roots = list[Path]


def calls(work: Callable[[], object]) -> int:
    """How many functions a piece of work calls, those written in C among them."""
    count = 0

    def noted(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    name_key.cache_clear()
    before = sys.getprofile()
    sys.setprofile(noted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def rule(key: str, match: str, target: str = "qwen3:8b", more: str = "") -> str:
    return f'[[rules]]\nid = "{key}"\nuse = "chat"\nmatch = ["{match}"]\ntargets = [{{ model = "{target}" }}]\n{more}\n'


def stack(folder: Path, count: int) -> Roots:
    """Recipes in pairs, the upper one with patterns, a rule that replaces one below, and `disable`."""
    roots = []
    for n in range(count):
        below = f"team-{n - 1}"
        head = f'schema = 1\nname = "team-{n}"\n'
        rules = [rule(f"r{i}", f"team-{n}-{i}:8b" if i % 3 else f"team-{n}-{i}*") for i in range(RULES)]
        if n % 2:
            head += f'extends = ["{below}.toml"]\ndisable = ["{below}/r3", "{below}/r5*", "{below}/nothing-*"]\n'
            rules.append(rule(f"{below}/r1", "llama3.1:8b"))
        path = folder / f"team-{n}.toml"
        path.write_text(head + "".join(rules))
        roots += [path] if n % 2 else []
    return roots


def with_all(act: Callable[[Library], object]) -> Callable[[Roots], Callable[[], object]]:
    """Work with a library that has been loaded before."""
    return lambda roots: partial(act, load_library(roots))


STEPS = {
    "loading": lambda roots: lambda: load_library(roots),
    "planning": with_all(lambda library: Planner(library).plan(boundless(), OPTIONS)),
    "explaining": with_all(lambda library: explain(library, "llama3.1:8b")),
    "finding rules by name": with_all(lambda library: [library.rule(head.key) for head in library.rule_heads]),
    "finding models by name": with_all(
        lambda library: [library.origin(name) for head in library.rule_heads for name in head.match]
    ),
    "linting each": lambda roots: lambda: lint_recipes([str(root) for root in roots], today=dt.date(2026, 1, 1)),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_twice_as_many_recipes_cost_twice_as_many_steps(
    tmp_path: Path, step: Callable[[Roots], Callable[[], object]]
) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir(), many.mkdir()
    step(stack(few, 2))()  # what only the first time needs
    less, more = calls(step(stack(few, 40))), calls(step(stack(many, 80)))
    assert more < 2.2 * less


CROWDED = {
    "about one model": lambda i, n: rule(f"r{i}", "llama3.1:8b", ("qwen3:8b", "qwen3:14b")[i % 2]),
    "with patterns that begin alike": lambda i, n: rule(f"r{i}", f"*bot-{i}*", ("qwen3:8b", "qwen3:14b")[i % 2]),
    "with patterns that begin otherwise": lambda i, n: rule(f"r{i}", f"bot-{i}-*", ("qwen3:8b", "qwen3:14b")[i % 2]),
    "with patterns without stars": lambda i, n: rule(f"r{i}", f"bot-{i}?", ("qwen3:8b", "qwen3:14b")[i % 2]),
    "one after another": lambda i, n: rule(f"r{i}", f"bot-{i}:8b", more=f'deprecated = {{ replaced-by = "r{i + 1}" }}'),
    "in a circle": lambda i, n: rule(f"r{i}", f"bot-{i}:8b", f"bot-{(i + 1) % n}:8b"),
    "with patterns in a circle": lambda i, n: rule(f"r{i}", f"bot-{i}:*", f"bot-{(i + 1) % n}:8b"),
    "with patterns that end alike in a circle": lambda i, n: rule(f"r{i}", f"*bot-{i}:8b", f"bot-{(i + 1) % n}:8b"),
    "replaced by what is not there": lambda i, n: rule(
        f"r{i}", f"bot-{i}:8b", more='deprecated = { replaced-by = "x" }'
    ),
    "that replace what is not there": lambda i, n: rule(f"fallback/x{i}", f"lama{i}:8b"),
}


@pytest.mark.parametrize("written", CROWDED.values(), ids=CROWDED)
def test_linting_twice_as_many_rules_costs_twice_as_many_steps(
    tmp_path: Path, written: Callable[[int, int], str]
) -> None:
    def lint(count: int) -> Callable[[], object]:
        path = tmp_path / f"{count}.toml"
        rules = "".join(written(i, count) for i in range(count))
        path.write_text(f'schema = 1\nname = "team"\n{rules}')
        return lambda: lint_recipes([str(path)], today=dt.date(2026, 1, 1))

    lint(2)()
    # beyond the number of rules that one is compared with, and of near names that are looked for
    assert calls(lint(1200)) < 2.4 * calls(lint(600))
