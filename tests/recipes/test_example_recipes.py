"""The recipes that teams start from: in order, and leading to what they promise. And that every recipe shows both."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from planning_cases import MACHINES, server

from llamaexit.documents import SnapshotReader
from llamaexit.planning.examples import run_examples
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Decision, Plan
from llamaexit.planning.planner import make_plan
from llamaexit.recipes.examples import is_negative
from llamaexit.recipes.formatting import format_recipe
from llamaexit.recipes.lint.run import lint_recipes
from llamaexit.recipes.load import load_library, load_stack
from llamaexit.recipes.model import Recipe, Use
from llamaexit.recipes.needs import NEVER_AUTOMATIC
from llamaexit.recipes.pack import example_recipes, load_pack, recipe_folder
from llamaexit.snapshot import Snapshot

WORKSTATION = Path(__file__).resolve().parents[2] / "docs" / "examples" / "workstation.json"
TODAY = dt.date(2026, 11, 25)
PERMISSIVE, ORIGIN, LAPTOPS = "permissive-licences-only", "no-chinese-origin", "laptop-fleet"
EXAMPLES = example_recipes()
each_example = pytest.mark.parametrize("path", EXAMPLES.values(), ids=EXAMPLES)
each_builtin = pytest.mark.parametrize("file", sorted(recipe_folder().glob("*.toml")), ids=lambda path: path.stem)


def recipe_of(path: Path) -> Recipe:
    entry = load_stack(path).entry
    assert entry is not None
    return entry.recipe


# -- in order ---------------------------------------------------------------------------------------------------------


def test_there_are_the_examples_that_the_docs_speak_of() -> None:
    assert sorted(EXAMPLES) == sorted((PERMISSIVE, ORIGIN, LAPTOPS))


@each_example
def test_an_example_gives_lint_nothing_to_find(path: Path) -> None:
    assert [str(finding.problem) for finding in lint_recipes([str(path)], today=TODAY).findings] == []


@each_example
def test_an_example_decides_as_it_says(path: Path) -> None:
    tried = run_examples(load_stack(path))
    assert tried
    assert [(one.title, model.model.name, model.differences) for one in tried for model in one.models] == [
        (one.title, model.model.name, ()) for one in tried for model in one.models
    ]


@each_example
def test_an_example_shows_what_it_does_and_what_it_must_not_do(path: Path) -> None:
    expected = [model.expect for example in recipe_of(path).examples for model in example.models]
    assert {one.action for one in expected} >= {"replace", "keep", "blocked"}
    assert any(one.rejected for one in expected)


@each_example
def test_an_example_is_written_as_fmt_writes_it(path: Path) -> None:
    text = path.read_text("utf-8")
    assert format_recipe(text, str(path)) == text


@each_example
def test_an_example_begins_with_the_line_for_editors_and_says_that_it_is_one(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == "#:schema ./llamaexit-recipe.schema.json"
    assert "# An example to start from, none of the built-in recipes" in "\n".join(lines[:10])
    assert max(map(len, lines)) <= 250


@each_example
def test_an_example_is_called_like_its_file_and_is_none_of_the_builtin_recipes(path: Path) -> None:
    assert recipe_of(path).name == path.stem
    assert path.stem not in load_pack().recipe_files
    assert path.stem not in {recipe.name for recipe in load_library().loaded}


# -- leading to what they promise -------------------------------------------------------------------------------------


def on(where: str) -> Snapshot:
    return Snapshot(MACHINES[where], server())


@pytest.fixture(scope="module")
def plan_for() -> Callable[..., dict[str, Decision]]:
    """What a plan with an example decides about models on a machine, by their names."""

    def planned(example: str, snapshot: Snapshot, *models: str, use: Use | None = None) -> dict[str, Decision]:
        uses = dict.fromkeys(models, (use,)) if use is not None else {}
        plan: Plan = make_plan(
            snapshot, load_library([EXAMPLES[example]]), PlanOptions(models=models, uses=uses, everything=True)
        )
        return {decision.source.model: decision for decision in plan.decisions}

    return planned


def outcome(decision: Decision) -> str:
    """The target, or what is done instead."""
    return decision.target.model if decision.target is not None else decision.action


def outcomes(decisions: dict[str, Decision]) -> dict[str, str]:
    return {model: outcome(decision) for model, decision in decisions.items()}


def reasons(decision: Decision) -> dict[str, str]:
    """Why each target is passed over that is, for more than its rank."""
    return {one.model: one.because for one in decision.rejected if one.because != "ranked-lower"}


def licences(decisions: dict[str, Decision]) -> set[str]:
    return {one.target.licence.new for one in decisions.values() if one.target is not None}


LLAMAS = ("llama3.2:3b", "llama3.1:8b", "llama2:13b", "codellama:7b", "llama3.2-vision:11b", "llama3.3:70b")


@pytest.mark.parametrize("where", ["an 8 GB laptop without a GPU", "an RTX 3060 12 GB", "two RTX 3090", "a 64 GB Mac"])
def test_permissive_licences_are_the_only_ones_planned_on_any_machine(plan_for, where: str) -> None:
    decisions = plan_for(PERMISSIVE, on(where), *LLAMAS)
    assert "replace" in {decision.action for decision in decisions.values()}
    assert licences(decisions) <= {"Apache-2.0", "MIT", "MIT-on-Apache-2.0"}


def test_permissive_licences_leave_most_of_a_workstation_its_successors(plan_for) -> None:
    assert outcomes(plan_for(PERMISSIVE, SnapshotReader().load(WORKSTATION))) == {
        "llama3.1:8b": "qwen3:4b-instruct",
        "team-bot:latest": "qwen3:4b-instruct",
        "llama3.2-vision:11b": "qwen3-vl:8b-instruct",
        "deepseek-r1:8b": "qwen3:8b",
    }


def test_permissive_licences_cut_the_deepseek_licence_and_take_the_next(plan_for) -> None:
    (decision,) = plan_for(PERMISSIVE, on("an RTX 4090"), "codellama:13b-code", use="fim").values()
    assert outcome(decision) == "qwen2.5-coder:7b-base"
    assert reasons(decision) == {"deepseek-coder-v2:16b": "licence"}


def test_without_chinese_origin_nothing_made_in_china_is_planned_anywhere(plan_for) -> None:
    library = load_library([EXAMPLES[ORIGIN]])
    for where in MACHINES:
        for decision in plan_for(ORIGIN, on(where), *LLAMAS).values():
            if decision.target is not None:
                found = library.target(decision.target.model)
                assert found is not None and found[0].country in ("United States", "France")


def test_without_chinese_origin_a_workstation_gets_models_of_other_origin(plan_for) -> None:
    assert outcomes(plan_for(ORIGIN, SnapshotReader().load(WORKSTATION))) == {
        "llama3.1:8b": "granite4.1:8b",
        "team-bot:latest": "granite4.1:8b",
        "llama3.2-vision:11b": "mistral-small3.2:24b",
        "deepseek-r1:8b": "granite4.1:8b",
    }


def test_without_chinese_origin_what_nobody_else_can_do_is_blocked_and_says_by_what(plan_for) -> None:
    (decision,) = plan_for(ORIGIN, on("an RTX 4090"), "codellama:7b-code", use="fim").values()
    assert outcome(decision) == "blocked"
    assert set(reasons(decision).values()) == {"policy"}
    number = len(decision.rejected)
    assert decision.reason == (
        f"no target passes; all {number} for one reason: origin China is denied by no-chinese-origin"
    )
    assert decision.hint == "the recipe that denies it would have to change, or to make an exception"


def test_without_chinese_origin_and_without_the_rules_nothing_would_be_left(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('schema = 1\nname = "policy"\n[policy]\ndeny-origins = ["China"]\n', encoding="utf-8")
    plan = make_plan(on("two RTX 3090"), load_library([policy]), PlanOptions(models=LLAMAS))
    assert {decision.action for decision in plan.decisions} == {"blocked"}


def test_without_chinese_origin_larger_machines_get_mistral_for_pictures_and_large_models(plan_for) -> None:
    assert outcomes(plan_for(ORIGIN, on("an RTX 4090"), "llama3.2-vision:11b", "llama3.3:70b", "llama3.1:8b")) == {
        "llama3.2-vision:11b": "mistral-small3.2:24b",
        "llama3.3:70b": "mistral-small3.2:24b",
        "llama3.1:8b": "granite4.1:8b",
    }


def test_the_exception_in_the_comments_lets_one_model_pass_and_says_why(tmp_path: Path) -> None:
    text = EXAMPLES[ORIGIN].read_text("utf-8")
    shown = [line for line in text.splitlines() if line.startswith(("# [policy.exceptions]", '# "qwen2.5-coder'))]
    assert len(shown) == 2
    for line in shown:
        text = text.replace(line, line.removeprefix("# "))
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    assert tomllib.loads(text)["policy"]["exceptions"].keys() == {"qwen2.5-coder:7b-base"}
    options = PlanOptions(models=("codellama:7b-code", "codellama:7b"), uses={"codellama:7b-code": ("fim",)})
    plan = make_plan(on("an RTX 3060 12 GB"), load_library([own]), options)
    decisions = {decision.source.model: decision for decision in plan.decisions}
    assert outcomes(decisions) == {"codellama:7b-code": "qwen2.5-coder:7b-base", "codellama:7b": "granite4.1:8b"}
    target = decisions["codellama:7b-code"].target
    assert target is not None
    assert [one.text for one in target.caveats if one.code == "EXCEPTION"] == [
        "Allowed only by an exception of the recipe no-chinese-origin: SEC-142: completion in the editor on machines "
        "without network; security board, 2026-11-02."
    ]
    assert [str(finding.problem) for finding in lint_recipes([str(own)], today=TODAY).findings] == []


@pytest.mark.parametrize(
    ("where", "code", "vision"),
    [
        pytest.param("a 16 GB laptop without a GPU", "qwen2.5-coder:7b", "qwen3-vl:8b-instruct", id="16 GB"),
        pytest.param("an 8 GB laptop without a GPU", "qwen2.5-coder:7b", "qwen3-vl:4b-instruct", id="8 GB"),
        pytest.param("a 16 GB Mac", "qwen2.5-coder:7b", "qwen3-vl:8b-instruct", id="a 16 GB Mac"),
        pytest.param("a 2 GB board", "qwen2.5:1.5b", "blocked", id="no laptop at all"),
    ],
)
def test_a_laptop_gets_what_fits_its_memory(plan_for, where: str, code: str, vision: str) -> None:
    assert outcomes(plan_for(LAPTOPS, on(where), "codellama:7b", "llama3.2-vision:11b")) == {
        "codellama:7b": code,
        "llama3.2-vision:11b": vision,
    }


@pytest.mark.parametrize("where", ["an 8 GB laptop without a GPU", "an RTX 4060 8 GB", "a 16 GB Mac", "an RTX 4090"])
def test_a_laptop_never_gets_a_large_download_a_short_context_or_thinking(plan_for, where: str) -> None:
    decisions = plan_for(LAPTOPS, on(where), *LLAMAS)
    targets = [decision.target for decision in decisions.values() if decision.target is not None]
    assert targets
    for target in targets:
        assert target.download.missing <= 7_000_000_000
        assert target.fit is not None and target.fit.context >= 8192
        assert target.thinking.default is False


# -- every recipe shows both ------------------------------------------------------------------------------------------


@each_builtin
def test_a_builtin_recipe_shows_what_it_replaces_unless_that_is_never_done(file: Path) -> None:
    recipe = recipe_of(file)
    expected = [model.expect for example in recipe.examples for model in example.models]
    if any(rule.use not in NEVER_AUTOMATIC for rule in recipe.rules):
        assert "replace" in {one.action for one in expected}
    if recipe.rules or recipe.models or recipe.origins or recipe.closed:
        assert any(map(is_negative, expected))
