"""A recipe to start from: clean, true to the machine it was written on, and in the one form recipes are written in."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from planning_cases import MACHINES, installed, machine, snapshot
from test_golden_decisions import LLAMA31, LLAMA_OF_R1, TEAM_BOT

from llamaexit.planning.examples import run_examples
from llamaexit.planning.starter import Starter, starter
from llamaexit.recipes.formatting import format_recipe
from llamaexit.recipes.lint.run import lint_recipes
from llamaexit.recipes.load import load_stack
from llamaexit.recipes.pack import load_pack
from llamaexit.snapshot import Gpu, InstalledModel, Snapshot
from llamaexit.units import GIB

TODAY = dt.date(2026, 11, 25)
GUARD = installed("llama-guard3:8b")
EMBEDDER = installed("nomic-embed-text:latest")
MISTRAL = installed("mistral:7b")
QUOTED = replace(TEAM_BOT, name="hf.co/acme/support-gguf:Q4_K_M", digest="ab" * 32, parent=None)


def made(facts: Snapshot, name: str = "team") -> Starter:
    return starter(facts, load_pack(), name=name, version="0.1.0", today=TODAY)


def accepted(text: str, tmp_path: Path) -> dict[str, object]:
    """The recipe, when lint finds nothing in it, its examples are met, and there is nothing to format."""
    path = tmp_path / "new.toml"
    path.write_text(text, encoding="utf-8")
    assert [str(finding.problem) for finding in lint_recipes([str(path)], today=TODAY).findings] == []
    tried = run_examples(load_stack(path))
    assert tried and all(example.as_expected for example in tried)
    assert format_recipe(text, "new.toml") == text
    return tomllib.loads(text)


@pytest.mark.parametrize("where", list(MACHINES))
@pytest.mark.parametrize(
    "models",
    [
        pytest.param((), id="nothing installed"),
        pytest.param((LLAMA31,), id="a Llama"),
        pytest.param((LLAMA31, TEAM_BOT, GUARD, MISTRAL, EMBEDDER), id="several"),
        pytest.param((LLAMA_OF_R1,), id="a Llama whose name holds other weights by now"),
    ],
)
def test_a_new_recipe_passes_what_it_is_told_to_pass(
    where: str, models: tuple[InstalledModel, ...], tmp_path: Path
) -> None:
    accepted(made(snapshot(where, *models)).text, tmp_path)


def test_every_model_that_is_replaced_gets_a_rule_with_its_target(tmp_path: Path) -> None:
    found = made(snapshot("an RTX 4090", LLAMA31, TEAM_BOT, GUARD, MISTRAL))
    recipe = accepted(found.text, tmp_path)
    rules = recipe["rules"]
    assert isinstance(rules, list)
    assert [(rule["id"], rule["use"], rule["match"]) for rule in rules] == [
        ("chat/llama3.1:8b", "chat", ["llama3.1:8b"]),
        ("chat/team-bot:latest", "chat", ["team-bot:latest"]),
    ]
    assert found.models == 2
    assert all(rule["targets"][0]["model"] and rule["targets"][0]["why"] for rule in rules)


def test_examples_say_what_is_decided_and_what_is_left_alone(tmp_path: Path) -> None:
    recipe = accepted(made(snapshot("an RTX 4090", LLAMA31, TEAM_BOT)).text, tmp_path)
    (example,) = recipe["examples"]  # type: ignore[misc]
    assert example["host"]["vram"] == ["24GiB"]
    assert [(model["name"], model["expect"]["action"]) for model in example["models"]] == [
        ("llama3.1:8b", "replace"),
        ("team-bot:latest", "replace"),
        ("mistral:7b", "keep"),
    ]
    assert example["models"][1]["parent"] == "llama3.1:8b"


def test_a_name_that_holds_other_weights_by_now_is_told_by_its_digest(tmp_path: Path) -> None:
    recipe = accepted(made(snapshot("an RTX 4090", LLAMA_OF_R1)).text, tmp_path)
    rules, (example,) = recipe["rules"], recipe["examples"]  # type: ignore[misc]
    assert rules[0]["match"] == ["deepseek-r1:8b-llama-distill-q4_K_M"]  # type: ignore[index]
    assert example["models"][0]["digest"] == "28f8fd6cdc67"


def test_a_model_nobody_knows_is_described(tmp_path: Path) -> None:
    recipe = accepted(made(snapshot("an RTX 4090", QUOTED)).text, tmp_path)
    (example,) = recipe["examples"]  # type: ignore[misc]
    assert example["models"][0]["name"] == "hf.co/acme/support-gguf:Q4_K_M"


def test_without_a_llama_a_rule_is_shown_and_none_is_made(tmp_path: Path) -> None:
    found = made(snapshot("an RTX 4090", MISTRAL))
    recipe = accepted(found.text, tmp_path)
    assert "rules" not in recipe and found.models == 0
    assert "# [[rules]]" in found.text


def test_the_policy_is_shown_and_not_in_force(tmp_path: Path) -> None:
    text = made(snapshot("an RTX 4090")).text
    assert accepted(text, tmp_path)["policy"] == {}
    shown = [line.removeprefix("# ") for line in text.split("[policy]\n")[1].split("\n\n")[0].splitlines()]
    (tmp_path / "all.toml").write_text('schema = 1\nname = "all"\n[policy]\n' + "\n".join(shown), encoding="utf-8")
    assert load_stack(tmp_path / "all.toml").problems == ()


def test_a_recipe_named_like_a_use_does_not_repeat_it_in_its_rules(tmp_path: Path) -> None:
    recipe = accepted(made(snapshot("an RTX 4090", LLAMA31), name="chat").text, tmp_path)
    assert recipe["rules"][0]["id"] == "llama3.1:8b"  # type: ignore[index]


@pytest.mark.parametrize(
    ("gpus", "host"),
    [
        ((), {"ram": "32GiB"}),
        (
            (Gpu(0, "nvidia", "none", "discrete", 8 * GIB, 8 * GIB),),
            {"ram": "32GiB", "vram": ["8GiB"]},
        ),
        (
            (Gpu(0, "intel", "A card nobody knows", "discrete", 7 * GIB + 512, 7 * GIB),),
            {"ram": "32GiB", "gpu": ["A card nobody knows"], "vram": ["7168MiB"]},
        ),
        ((Gpu(0, "amd", "an iGPU", "integrated", None, None, shares_ram=True),), {"ram": "32GiB"}),
    ],
    ids=["no card", "a card whose name means no card", "a card nobody knows", "a card that does not tell its memory"],
)
def test_the_machine_is_described_as_examples_describe_machines(
    gpus: tuple[Gpu, ...], host: dict[str, object], tmp_path: Path
) -> None:
    recipe = accepted(made(snapshot(machine(32, *gpus), LLAMA31)).text, tmp_path)
    (example,) = recipe["examples"]  # type: ignore[misc]
    assert example["host"] == {**host, "ollama": "0.33.0"}
