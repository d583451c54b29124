"""What a rule costs in a stack of recipes, as ratios measured in one run on one machine.

    python benchmarks/recipes.py            the real thing, about five minutes
    python benchmarks/recipes.py --quick    few and small recipes: does it still run?

Two stacks are written: recipes beside each other, whose rules all name models; and recipes that extend each other, with
patterns, rules that replace one of the recipe below, and `disable`. Each is loaded, planned with, explained, and linted
as what one recipe on top of it extends, in fresh processes at four sizes in turn. What one rule costs has to stay what
it is, however many there are. Nothing here fails because something is slow; it fails when something does not work.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

MODELS = ("llama3.1:8b", "llama3.2:3b", "llama3.3:70b", "team-3-3:8b", "team-3-10:8b")
DEEP = 5
"""Recipes of a chain that extend each other."""
STEEPEST = 1.3
"""What a rule may cost at the largest size, as a multiple of what it costs at the smallest."""
LOOK = """\
import json, sys, time
from llamaexit.planning.explain import boundless, explain
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.planner import Planner
from llamaexit.recipes.load import load_library
roots, models = json.load(sys.stdin)
options = PlanOptions(models=tuple(models), lineage=dict.fromkeys(models, "meta"))
load_library(roots[:1])  # imports what every further one needs, too
marks = [time.perf_counter()]
library = load_library(roots)
marks.append(time.perf_counter())
plan = Planner(library).plan(boundless(), options)
marks.append(time.perf_counter())
explain(library, models[0])
marks.append(time.perf_counter())
rules = sum(recipe.rules for recipe in library.loaded if not recipe.builtin)
seconds = [after - before for before, after in zip(marks, marks[1:])]
print(json.dumps([rules, [one.target.rule for one in plan.decisions if one.target], seconds]))
"""
LINT = """\
import datetime, json, sys, time
from llamaexit.recipes.lint.run import lint_recipes
roots, _ = json.load(sys.stdin)
lint_recipes(["builtin:fallback"], today=datetime.date(2026, 1, 1))  # imports
started = time.perf_counter()
linted = lint_recipes(roots, today=datetime.date(2026, 1, 1))
seconds = time.perf_counter() - started
print(json.dumps([linted.count("error"), [finding.rule for finding in linted.findings], [seconds]]))
"""
Stack = Callable[[Path, int, int], list[str]]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args(arguments).quick
    counts, rules, repeats = ((5, 10), 20, 1) if quick else ((10, 25, 50, 100), 1000, 3)
    stacks: dict[str, Stack] = {"beside each other": beside, "extending each other": extending}
    with tempfile.TemporaryDirectory(prefix="llamaexit-recipes-") as name:
        for what, stack in stacks.items():
            roots = {count: stack(Path(name) / f"{what}-{count}", count, rules) for count in counts}
            for step, seconds in measured(roots, rules, repeats).items():
                show(f"{step}, {what}", {n: taken / n / rules for n, taken in seconds.items()}, quick, "recipes")
        sizes = [count * rules // 25 for count in counts]
        files = {size: crowded(Path(name) / "crowded", size) for size in sizes}
        taken = {size: statistics.median(linted([files[size]], repeats)) for size in sizes}
        show("lint, one crowded recipe", {size: taken[size] / size for size in sizes}, quick, "rules")


def measured(roots: dict[int, list[str]], rules: int, repeats: int) -> dict[str, dict[int, float]]:
    """Seconds of each step at each size, the median of several processes."""
    taken: dict[int, list[list[float]]] = {count: [] for count in roots}
    lint = {}
    for _ in range(repeats):
        for count, named in roots.items():
            loaded, winners, seconds = run(LOOK, named)
            if loaded != count * rules or not any(rule.startswith("team-") for rule in winners):
                raise SystemExit(f"{loaded} rules of {count * rules} were loaded, and {winners} won")
            taken[count].append(seconds)
    for count, named in roots.items():
        top = Path(named[0]).with_name("team-top.toml")
        extends = json.dumps([Path(root).name for root in named])
        written(top, [f"extends = {extends}"], [rule("top", "llama3.1:8b", 0)])
        lint[count] = statistics.median(linted([str(top)], repeats))
    steps = {"load": 0, "plan": 1, "explain": 2}
    figures = {
        step: {n: statistics.median(run[i] for run in runs) for n, runs in taken.items()} for step, i in steps.items()
    }
    return {**figures, "lint": lint}


def linted(roots: list[str], repeats: int) -> list[float]:
    """Seconds for linting some recipes."""
    found = [run(LINT, roots) for _ in range(repeats)]
    if any(errors or "no-examples" not in rules for errors, rules, _ in found):
        raise SystemExit(f"lint found {found[0][:2]}")
    return [seconds[0] for _, _, seconds in found]


def run(program: str, roots: list[str]) -> tuple[int, list[str], list[float]]:
    """What a program in a process of its own prints about some recipes."""
    environment = {key: value for key, value in os.environ.items() if key in ("PATH", "SYSTEMROOT", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps([roots, MODELS]), env=environment, capture_output=True,
        encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    count, names, seconds = json.loads(done.stdout)
    return count, names, seconds


# Recipes -------------------------------------------------------------------------------------------------------------


def beside(folder: Path, count: int, rules: int) -> list[str]:
    """Recipes that have nothing to do with each other."""
    return [file(folder, n, [], [rule(f"rule-{i}", f"team-{n}-{i}:8b", i) for i in range(rules)]) for n in range(count)]


def extending(folder: Path, count: int, rules: int) -> list[str]:
    """Chains of recipes, each with patterns, rules of the one below replaced, and some of them disabled."""
    roots = []
    for n in range(count):
        lowest = n % DEEP == 0
        below = f"team-{n - 1:03}"
        head = [] if lowest else [f'extends = ["{below}.toml"]', f'disable = ["{below}/rule-3", "{below}/rule-5*"]']
        body = []
        for i in range(rules):
            name = f"team-{n}-{i}*" if i % 10 == 0 else f"team-{n}-{i}:8b"
            body.append(rule(f"{below}/rule-{i + 1}" if i % 10 == 1 and not lowest else f"rule-{i}", name, i))
        path = file(folder, n, head, body)
        if n % DEEP == DEEP - 1 or n == count - 1:
            roots.append(path)
    return roots


def crowded(folder: Path, rules: int) -> str:
    """One recipe whose rules are all about the same: half of them patterns that begin alike."""
    body = [rule(f"rule-{i}", f"*team-{i}*" if i % 2 else f"team-{i}:8b", 0) for i in range(rules)]
    return file(folder, rules, [], body)


def rule(key: str, match: str, number: int) -> str:
    use = ("chat", "tools", "code", "fim")[number % 4]
    best = '{ model = "qwen3:8b", why = "tried by the team with prompts of its own", accept-loss = ["context"] }'
    targets = f'targets = [{best}, {{ model = "qwen3:4b" }}]'
    if use == "fim":
        targets = 'targets = [{ model = "qwen2.5-coder:7b" }]'
    return f'[[rules]]\nid = "{key}"\nuse = "{use}"\nmatch = ["{match}"]\n{targets}\n'


def file(folder: Path, number: int, head: list[str], body: list[str]) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / f"team-{number:03}.toml"
    written(path, head, body)
    return str(path)


def written(path: Path, head: list[str], body: list[str]) -> None:
    path.write_text("\n".join(["schema = 1", f'name = "{path.stem}"', *head, "", *body]), "utf-8")


# Telling -------------------------------------------------------------------------------------------------------------


def show(what: str, per_rule: dict[int, float], quick: bool, sizes: str) -> None:
    """Microseconds for a rule at each size, and the largest size against the smallest."""
    told = ", ".join(f"{seconds * 1e6:.1f} µs at {n:,}" for n, seconds in per_rule.items())
    *_, last = per_rule.values()
    ratio = last / next(iter(per_rule.values()))
    target = "" if quick else f"   [≤ {STEEPEST} ×  {'kept' if ratio <= STEEPEST else 'MISSED'}]"
    print(f"{what:<30} a rule: {told} {sizes}; {ratio:.2f} ×{target}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
