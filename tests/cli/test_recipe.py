"""`llamaexit recipe` and `llamaexit schema`."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

TEAM = """
schema = 1
name = "team"
version = "3"
summary = "What our team runs"

[policy]
deny-models = ["qwen3:4b*"]

[[rules]]
id = "chat"
use = "chat"
match = ["llama3.1:8b"]

[[rules.targets]]
model = "qwen3:8b"
role = "ours"
why = "we have tested it"
"""


@pytest.fixture
def team(tmp_path):
    """Arguments that name a recipe of one's own."""
    file = tmp_path / "team.toml"
    file.write_text(TEAM)
    return ("--recipe", str(file))


def test_recipes_are_listed_with_what_they_hold(run) -> None:
    outcome = run("recipe", "list")
    assert outcome.code == 0
    assert "0 recipes of your own" in outcome.stdout
    assert "replace-chat" in outcome.stdout and "Policy" in outcome.stdout


def test_own_recipe_comes_first_and_its_policy_is_told(run, team) -> None:
    text = run("recipe", "list", *team).stdout
    assert "1 recipe of your own" in text
    assert text.index("team") < text.index("replace-chat")
    assert "models denied: qwen3:4b* (team)" in text
    data = run("recipe", "list", *team, "--json").envelope["data"]
    assert sorted(data) == ["policy", "recipes", "warnings"]
    assert data["recipes"][0]["name"] == "team"
    assert data["policy"]["deny_models"] == {"value": ["qwen3:4b*"], "recipe": "team"}


def test_recipe_that_only_extends_is_listed_with_what_and_without_a_version_it_does_not_state(run) -> None:
    Path("team.toml").write_text(TEAM)
    Path("llamaexit.toml").write_text('schema = 1\nname = "shop"\nextends = ["team.toml"]\n')
    row = next(line for line in run("recipe", "list").stdout.splitlines() if line.startswith("  shop "))
    assert row.split(maxsplit=1) == ["shop", "what it extends: team"]
    assert run("recipe", "show", "shop").stdout.splitlines()[0] == "shop"
    assert "shop (llamaexit.toml)" in run("plan", "llama3.1:8b").stdout


def test_recipe_is_shown_with_its_rules(run, team) -> None:
    outcome = run("recipe", "show", "team", *team)
    assert outcome.code == 0
    assert "team/chat" in outcome.stdout
    assert "qwen3:8b (ours): we have tested it" in outcome.stdout


def test_recipe_is_shown_with_its_own_policy_even_where_a_stronger_one_decides(run, team, tmp_path) -> None:
    stronger = tmp_path / "stronger.toml"
    stronger.write_text('schema = 1\nname = "stronger"\n[policy]\ndeny-models = []\n')
    both = (*team, "--recipe", str(stronger))
    assert "  Policy      models denied: qwen3:4b*\n" in run("recipe", "show", "team", *both).stdout
    assert run("recipe", "show", "team", *both, "--json").envelope["data"]["policy"] == {"deny-models": ["qwen3:4b*"]}
    assert "Policy" not in run("recipe", "show", "replace-chat").stdout


def test_rule_is_shown_with_the_recipe_where_its_key_does_not_say_it(run, tmp_path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(TEAM.replace('id = "chat"', 'id = "replace-chat/chat/llama3.1:8b"'))
    text = run("recipe", "show", "team", "--recipe", str(file)).stdout
    assert "replace-chat/chat/llama3.1:8b team, " in " ".join(text.split())
    assert " replace-chat, " not in run("recipe", "show", "replace-chat/chat/llama3.2:3b").stdout


def test_rule_for_a_kind_of_model_says_so(run) -> None:
    text = run("recipe", "show", "fallback/chat/5-10b").stdout
    assert "For         every Llama model from 5 to 10 billion parameters" in text


def test_rule_is_shown_with_what_its_smoke_tests_expect(run, tmp_path) -> None:
    file = tmp_path / "team.toml"
    smoke = '[[rules.smoke]]\nid = "q"\nask = "?"\nlevel = "warn"\nexpect = {{ {} }}\n'
    file.write_text(TEAM + smoke.format('contains = "x", max-seconds = 3'))
    text = run("recipe", "show", "team", "--recipe", str(file)).stdout
    assert "q (/chat, only told): contains, max-seconds" in text


def test_rule_is_found_by_its_id(run) -> None:
    data = run("recipe", "show", "chat/llama3.1:8b", "--json").envelope["data"]
    assert data["name"] == "replace-chat"
    assert [bound["rule"]["id"] for bound in data["rules"]] == ["chat/llama3.1:8b"]
    assert data["rules"][0]["line"] > 0


def test_rule_that_a_person_has_to_decide_says_so(run) -> None:
    assert "By hand     Decide with whoever answers for" in run("recipe", "show", "replace-medical").stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [("replace-chta", "did you mean replace-chat"), ("zzz", "see llamaexit recipe list")],
    ids=["a slip of the keyboard", "nothing like it"],
)
def test_name_that_is_no_recipe_gets_a_hint(run, name, said) -> None:
    outcome = run("recipe", "show", name)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr


@pytest.mark.parametrize("document", ["plan", "snapshot", "recipe"])
def test_schema_is_a_valid_schema_with_id_title_and_version(run, document) -> None:
    outcome = run("schema", document)
    assert outcome.code == 0
    made = json.loads(outcome.stdout)
    jsonschema.validators.validator_for(made).check_schema(made)
    assert made["$id"] == f"urn:llamaexit:{document}:1"
    assert made["title"] == f"llamaexit {document}"
    assert made["version"]


def test_schema_of_a_document_that_does_not_exist_names_those_that_do(run) -> None:
    outcome = run("schema", "journal")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr == "llamaexit: there is no document 'journal' — there are plan, snapshot, recipe\n"


def test_schema_of_recipes_spells_keys_as_toml_does(run) -> None:
    text = run("schema", "recipe").stdout
    assert '"min-ollama"' in text and '"min_ollama"' not in text


def test_schema_of_plans_spells_keys_as_the_plan_does(run) -> None:
    text = run("schema", "plan").stdout
    assert '"old_model"' in text and '"old-model"' not in text


def test_explanation_tells_winner_losers_and_where_each_stands(run, team, tmp_path) -> None:
    outcome = run("recipe", "explain", "llama3.1:8b", *team)
    assert outcome.code == 0
    lines = outcome.stdout.splitlines()
    assert lines[0] == "llama3.1:8b → qwen3:8b"
    text = " ".join(outcome.stdout.split())
    assert f"Rule team/chat, {tmp_path / 'team.toml'}:10".replace(" ", "") in text.replace(" ", "")
    assert "qwen3:4b-instruct policy: denied by team" in text
    assert f"{tmp_path / 'team.toml'}:8".replace(" ", "") in text.replace(" ", "")
    assert "named with --recipe" in text


def test_explanation_is_the_same_in_json(run, team) -> None:
    data = run("recipe", "explain", "llama3.1:8b", *team, "--json").envelope["data"]
    assert (data["model"], data["action"], data["target"]) == ("llama3.1:8b", "replace", "qwen3:8b")
    assert [rule["key"] for rule in data["rules"]][:2] == ["team/chat", "replace-chat/chat/llama3.1:8b"]
    assert data["rules"][0]["candidates"][0] == {
        "model": "qwen3:8b",
        "role": "ours",
        "because": "chosen",
        "text": "we have tested it",
        "policy": "",
    }
    assert data["policy"][0]["cuts"] == ["qwen3:4b-instruct"]


def test_explanation_for_another_use_is_about_that_use(run) -> None:
    data = run("recipe", "explain", "llama3.1:8b", "--use", "tools,code", "--json").envelope["data"]
    assert data["uses"] == ["tools", "code"]


def test_explanation_asks_whether_a_known_model_is_meant(run) -> None:
    assert "Help        did you mean llama3.1:8b?\n" in run("recipe", "explain", "lama3.1:8b").stdout
    assert run("recipe", "explain", "lama3.1:8b", "--json").envelope["data"]["did_you_mean"] == "llama3.1:8b"
    assert "did you mean" not in run("recipe", "explain", "team-bot").stdout


def test_explanation_of_a_closed_model_names_what_can_be_run(run) -> None:
    outcome = run("recipe", "explain", "claude-opus-4")
    assert outcome.code == 0
    assert outcome.stdout.startswith("claude-opus-4 is Claude by Anthropic\n")
    data = run("recipe", "explain", "claude-opus-4", "--json").envelope["data"]
    assert data["action"] == "closed" and data["nearest"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("a b",), "not a model name"), (("llama3.1:8b", "--use", "chatt"), "there is no use 'chatt'")],
    ids=["no name", "no use"],
)
def test_explanation_of_what_cannot_be_meant_is_refused(run, arguments, said) -> None:
    outcome = run("recipe", "explain", *arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr


@pytest.mark.parametrize("width", ["40", "80", "140"])
def test_explanation_fits_the_terminal(run, team, monkeypatch, width) -> None:
    monkeypatch.setenv("COLUMNS", width)
    lines = run("recipe", "explain", "llama3.1:8b", *team).stdout.splitlines()
    assert max(map(len, lines)) <= int(width)
