"""`llamaexit recipe` and `llamaexit schema`."""

from __future__ import annotations

import json

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
id = "team/chat"
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


def test_recipe_is_shown_with_its_rules(run, team) -> None:
    outcome = run("recipe", "show", "team", *team)
    assert outcome.code == 0
    assert "team/chat" in outcome.stdout
    assert "qwen3:8b (ours): we have tested it" in outcome.stdout


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
    jsonschema.Draft202012Validator.check_schema(made)
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
