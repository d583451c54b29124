"""A recipe to start from: clean, true to the machine it was written on, and in the one form recipes are written in."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
KNOWN = sorted(load_pack().origin_names)
OWN_NAMES = [
    "bot:latest",
    "team/bot.v2:q4",
    "hf.co/acme/Bot-GGUF:Q4_K_M",
    "registry.acme.io:5000/team/bot:v1",
    "BOT:Latest",
]
ODD_NAMES = ['the "bot":latest', "o'brien:latest", "日本語:latest", "a\\b:latest", "x\x7f:latest", "bot*:latest"]


@st.composite
def models_of_all_kinds(draw: st.DrawFn) -> InstalledModel:
    """A model of the library, or one somebody made of it, under whatever name."""
    return installed(
        draw(st.sampled_from([*KNOWN, "llama3.1:8b", "LLAMA3.1:8B", *OWN_NAMES, *ODD_NAMES])),
        digest=draw(st.sampled_from([None, "ab" * 32, LLAMA31.digest, LLAMA_OF_R1.digest])),
        parent=draw(st.sampled_from([None, "gone:7b", "llama3.1:8b", *KNOWN])),
        capabilities=draw(
            st.sampled_from([None, (), ("completion",), ("completion", "tools", "vision"), ("embedding",)])
        ),
        parameter_size=draw(st.sampled_from(["", "8.0B", "137M", "many"])),
        parameters=draw(st.sampled_from([{}, {"num_ctx": 131_072}, {"num_ctx": "8192"}])),
        problem=draw(st.sampled_from([None, None, "the weights are missing"])),
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Some machine, some version of Ollama, and models that differ in name, as far as a server tells names apart."""
    models = draw(st.lists(models_of_all_kinds(), max_size=6, unique_by=lambda model: model.name))
    facts = snapshot(draw(st.sampled_from(sorted(MACHINES))), *models)
    version = draw(st.sampled_from([None, "0.0.0", "from source", "0.12.3-rc1", "0.33.0"]))
    return replace(facts, ollama=replace(facts.ollama, version=version))


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


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=snapshots())
def test_a_new_recipe_is_clean_whatever_is_installed(facts: Snapshot, tmp_path: Path) -> None:
    accepted(made(facts).text, tmp_path)


def test_several_names_for_one_model_share_a_rule(tmp_path: Path) -> None:
    renamed = replace(LLAMA31, name="LLAMA3.1:8B", digest="ab" * 32, lineage=None)
    moved = [replace(LLAMA_OF_R1, name=f"deepseek-r1:{tag}") for tag in ("8b", "latest")]
    found = made(snapshot("an RTX 4090", LLAMA31, renamed, *moved))
    recipe = accepted(found.text, tmp_path)
    assert [rule["match"] for rule in recipe["rules"]] == [  # type: ignore[attr-defined]
        ["deepseek-r1:8b-llama-distill-q4_K_M"],
        ["llama3.1:8b"],
    ]
    assert found.models == 3
    assert "\n# deepseek-r1:8b: " in found.text and "\n# deepseek-r1:latest: " in found.text


@pytest.mark.parametrize("version", [None, "", "0.0.0", "from source"])
def test_a_version_that_says_nothing_is_left_out_of_the_example(version: str | None, tmp_path: Path) -> None:
    facts = snapshot("an RTX 4090", LLAMA31)
    recipe = accepted(made(replace(facts, ollama=replace(facts.ollama, version=version))).text, tmp_path)
    assert "ollama" not in recipe["examples"][0]["host"]  # type: ignore[index]


def test_a_name_that_no_recipe_could_give_gets_no_rule(tmp_path: Path) -> None:
    found = made(snapshot("an RTX 4090", LLAMA31, replace(TEAM_BOT, name='the "bot":latest')))
    assert [rule["match"] for rule in accepted(found.text, tmp_path)["rules"]] == [["llama3.1:8b"]]  # type: ignore[attr-defined]


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
