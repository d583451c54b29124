"""`llamaexit recipe test`: the examples of recipes, ours among them, and what is said where a plan departs from one."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamaexit.recipes.pack import recipe_folder

TEAM = """schema = 1
name = "team"

[[rules]]
id = "bots"
use = "chat"
match = ["support-*"]
targets = [{{ model = "qwen3:14b" }}]

[[examples]]
title = "bots move to what we have tested"
host = {{ ram = "64GiB", gpu = ["RTX 4090"] }}
thinking = "allow"

[[examples.models]]
name = "support-bot"
parent = "llama3.1:8b"
expect = {{ action = "replace", target = "{target}" }}

[[examples.models]]
name = "mistral:7b"
expect = {{ action = "keep" }}
"""


@pytest.fixture
def team(isolated):
    """Write the team's recipe with the target its example expects."""

    def written(target: str = "qwen3:14b") -> str:
        Path("team.toml").write_text(TEAM.format(target=target))
        return "team.toml"

    return written


def test_examples_that_are_met_are_counted(run, team) -> None:
    outcome = run("recipe", "test", team())
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "1 example in team.toml, all as expected\n", "")


def test_an_example_that_is_not_met_shows_expected_and_got_with_line_and_rule(run, team) -> None:
    outcome = run("recipe", "test", team("qwen3:8b"))
    assert outcome.code == 1
    assert outcome.stdout.splitlines() == [
        "not as expected  bots move to what we have tested",
        "  team.toml:15  support-bot",
        "    target      expected qwen3:8b",
        "                got qwen3:14b",
        "    By rule     team/bots, team.toml:4",
    ]
    assert outcome.stderr.startswith("llamaexit: 1 of 1 example in team.toml not as expected — ")


def test_every_example_is_shown_when_that_is_asked_for(run, team) -> None:
    text = run("recipe", "test", team(), "--verbose").stdout
    assert "ok  bots move to what we have tested" in text
    assert "Decided     replace with qwen3:14b" in text and "Decided     keep: not Llama: " in text


def test_the_answer_is_the_same_in_json(run, team) -> None:
    envelope = run("recipe", "test", team("qwen3:8b"), "--json").envelope
    assert (envelope["exit_code"], envelope["errors"][0]["code"]) == (1, "example")
    data = envelope["data"]
    assert (data["examples"], data["failed"]) == (1, 1)
    bot, mistral = data["recipes"][0]["examples"][0]["models"]
    assert bot["differences"] == [{"key": "target", "expected": "qwen3:8b", "got": "qwen3:14b"}]
    assert bot["rule"] == {"key": "team/bots", "file": "team.toml", "line": 4}
    assert (mistral["action"], mistral["target"], mistral["rule"], mistral["differences"]) == ("keep", None, None, [])


def test_a_recipe_is_tested_without_the_other_recipes_of_its_user(run, team) -> None:
    """What lies in the user's folder or in the project would make the examples of a team fail on one machine only."""
    Path("llamaexit.toml").write_text('schema = 1\nname = "here"\n[policy]\ndeny-models = ["qwen3:14b"]\n')
    assert run("recipe", "test", team()).code == 0


def test_a_recipe_is_tested_with_what_it_extends(run, team) -> None:
    team()
    Path("above.toml").write_text(
        TEAM.format(target="qwen3:14b").replace('"team"', '"above"').split("[[rules]]")[0]
        + 'extends = ["team.toml"]\n[policy]\ndeny-models = ["qwen3:14b"]\n'
        + '[[examples]]\ntitle = "t"\nhost = { ram = "64GiB" }\n'
        + 'models = [{ name = "support-bot", parent = "llama3.1:8b", '
        + 'expect = { action = "replace", rejected = { "qwen3:14b" = "policy" } } }]\n'
    )
    assert run("recipe", "test", "above.toml").code == 0


def test_a_recipe_without_examples_is_named_and_fails_nothing(run, isolated) -> None:
    Path("bare.toml").write_text('schema = 1\nname = "bare"\n')
    outcome = run("recipe", "test", "bare.toml")
    assert (outcome.code, outcome.stdout) == (0, "no examples in bare.toml\n")
    Path("also.toml").write_text('schema = 1\nname = "also"\n')
    several = run("recipe", "test", "bare.toml", "also.toml", "builtin:replace-chat").stdout.splitlines()
    assert several[:2] == ["bare.toml  has no examples", "also.toml  has no examples"]
    assert several[2].endswith("in 3 recipes, all as expected")


def test_a_recipe_that_is_wrong_is_refused_with_every_problem(run, isolated) -> None:
    Path("wrong.toml").write_text('schema = 1\nname = "wrong"\na = 1\nb = 2\n')
    outcome = run("recipe", "test", "wrong.toml")
    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.splitlines() == [
        "llamaexit: wrong.toml:3:1: a: unknown key",
        "llamaexit: wrong.toml:4:1: b: unknown key",
    ]


def test_what_is_wrong_with_several_recipes_is_told_at_once(run, team) -> None:
    Path("wrong.toml").write_text('schema = 1\nname = "wrong"\na = 1\n')
    outcome = run("recipe", "test", "wrong.toml", team(), "missing.toml")
    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.splitlines() == [
        "llamaexit: wrong.toml:3:1: a: unknown key",
        "llamaexit: missing.toml: there is no such file",
    ]


def test_without_any_recipe_of_ones_own_a_file_is_asked_for(run, isolated) -> None:
    outcome = run("recipe", "test")
    assert outcome.code == 2
    assert "there is no recipe of your own to test" in outcome.stderr


@pytest.mark.parametrize("path", sorted(recipe_folder().glob("*.toml")), ids=lambda path: path.stem)
def test_builtin_recipes_do_what_their_examples_expect(run, path) -> None:
    data = run("recipe", "test", str(path), "--json").envelope["data"]
    (recipe,) = data["recipes"]
    models = [model for example in recipe["examples"] for model in example["models"]]
    assert [model for model in models if model["differences"]] == []
    # tables of texts decide nothing
    assert bool(models) is (path.stem not in ("caveats", "licences", "sources"))


@pytest.mark.parametrize("width", ["40", "80", "140"])
def test_what_departs_fits_the_terminal(run, team, monkeypatch, width) -> None:
    monkeypatch.setenv("COLUMNS", width)
    lines = run("recipe", "test", team("qwen3:8b")).stdout.splitlines()
    assert max(map(len, lines)) <= int(width)
