"""`llamaexit recipe lint`: what it prints in each form, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

WRONG = """schema = 1
name = "wrong"
verison = "1"

[[rules]]
id = "a"
use = "tools"
match = ["llama3.1"]
targets = [{ model = "qwen2.5:7b", caveats = ["CONTEXT"] }]
"""
WARNED = """schema = 1
name = "warned"

[policy]
min-context = 8192
"""
FINE = 'schema = 1\nname = "fine"\n'
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "$schema": {"type": "string", "format": "uri"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {"driver": {"$ref": "#/definitions/driver"}},
                    },
                    "results": {"type": "array", "items": {"$ref": "#/definitions/result"}},
                },
            },
        },
    },
    "definitions": {
        "text": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "driver": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string"},
                "semanticVersion": {"type": "string"},
                "rules": {
                    "type": "array",
                    "uniqueItems": True,
                    "items": {
                        "type": "object",
                        "required": ["id"],
                        "additionalProperties": False,
                        "properties": {
                            "id": {"type": "string"},
                            "shortDescription": {"$ref": "#/definitions/text"},
                            "fullDescription": {"$ref": "#/definitions/text"},
                            "defaultConfiguration": {
                                "type": "object",
                                "properties": {"level": {"$ref": "#/definitions/level"}},
                            },
                        },
                    },
                },
            },
        },
        "result": {
            "type": "object",
            "required": ["message", "ruleId"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"$ref": "#/definitions/level"},
                "message": {"$ref": "#/definitions/text"},
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["physicalLocation"],
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "required": ["artifactLocation"],
                                "properties": {
                                    "artifactLocation": {
                                        "type": "object",
                                        "properties": {"uri": {"type": "string", "format": "uri-reference"}},
                                    },
                                    "region": {
                                        "type": "object",
                                        "properties": {
                                            "startLine": {"type": "integer", "minimum": 1},
                                            "startColumn": {"type": "integer", "minimum": 1},
                                        },
                                    },
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}
"""What SARIF 2.1.0 asks of the parts we write; property names are closed here so that none is misspelled."""


@pytest.fixture
def files(isolated) -> Path:
    """The working directory, with a recipe that is wrong, one with a warning, and one with nothing to find."""
    here = Path.cwd()
    for name, text in (("wrong", WRONG), ("warned", WARNED), ("fine", FINE)):
        (here / f"{name}.toml").write_text(text)
    return here


def test_findings_are_listed_with_place_severity_and_rule(run, files) -> None:
    outcome = run("recipe", "lint", "wrong.toml")
    assert outcome.code == 1
    assert outcome.stdout.splitlines() == [
        "wrong.toml:1:1: warning no-examples",
        "  has no example of what it decides",
        "wrong.toml:3:1: error unknown-key",
        "  verison: unknown key; did you mean 'version'?",
        "wrong.toml:8:10: warning only-latest",
        "  rules[0].match[0]: means llama3.1:latest only; llama3.1:* is every tag",
        "wrong.toml:9:14: error weak-target",
        "  rules[0].targets[0].model: Ollama lists qwen2.5:7b as working poorly for tools",
    ]
    assert outcome.stderr.startswith("llamaexit: 2 errors and 2 warnings in wrong.toml — ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["fine.toml"], 0),
        (["fine.toml", "--strict"], 0),
        (["warned.toml"], 0),
        (["warned.toml", "--strict"], 1),
        (["wrong.toml"], 1),
        (["fine.toml", "wrong.toml"], 1),
        (["wrong.toml", "--select", "no-examples"], 0),
        (["wrong.toml", "--ignore", "unknown-key,weak-target"], 0),
        (["wrong.toml", "--ignore", "unknown-key", "--ignore", "weak-*"], 0),
        (["missing.toml"], 1),
        (["wrong.toml", "--select", "nope"], 2),
        (["wrong.toml", "--format", "xml"], 2),
        (["wrong.toml", "--format", "sarif", "--json"], 2),
        (["builtin:replace-chat", "--ignore", "stale-facts"], 0),
        (["builtin:nope"], 1),
    ],
)
def test_errors_fail_and_warnings_only_when_that_is_asked_for(run, files, arguments, code) -> None:
    for form in ([], ["--format", "json"]):
        if "--format" not in arguments:
            assert run("recipe", "lint", *arguments, *form).code == code
    assert run("recipe", "lint", *arguments).code == code


def test_warnings_alone_are_counted_and_nothing_is_complained_about(run, files) -> None:
    outcome = run("recipe", "lint", "warned.toml")
    assert outcome.stdout.endswith("1 warning in warned.toml\n")
    assert outcome.stderr == ""


def test_nothing_found_is_said(run, files) -> None:
    assert run("recipe", "lint", "fine.toml", "warned.toml", "--ignore", "no-*").stdout == "2 recipes, nothing found.\n"


def test_without_a_file_ones_own_recipes_are_linted(run, files, isolated) -> None:
    (files / "llamaexit.toml").write_text(WARNED)
    own = isolated / ".config" / "llamaexit"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text(FINE.replace("fine", "mine"))
    data = run("recipe", "lint", "--json").envelope["data"]
    assert [Path(file).name for file in data["files"]] == ["mine.toml", "llamaexit.toml"]


def test_without_any_recipe_of_ones_own_a_file_is_asked_for(run, files) -> None:
    outcome = run("recipe", "lint")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "there is no recipe of your own to lint — name a file" in outcome.stderr


@pytest.mark.parametrize("form", [["--json"], ["--format", "json"]], ids=["--json", "--format json"])
def test_json_is_one_envelope(run, files, form) -> None:
    envelope = run("recipe", "lint", "wrong.toml", *form).envelope
    assert (envelope["exit_code"], [error["code"] for error in envelope["errors"]]) == (1, ["lint"])
    assert (envelope["data"]["errors"], envelope["data"]["warnings"]) == (2, 2)
    assert envelope["data"]["findings"][1] == {
        "rule": "unknown-key",
        "severity": "error",
        "file": "wrong.toml",
        "line": 3,
        "column": 1,
        "key": "verison",
        "text": "unknown key; did you mean 'version'?",
    }


def test_what_fails_before_linting_is_json_too_where_that_was_asked_for(run, files) -> None:
    assert run("recipe", "lint", "wrong.toml", "--format", "json", "--select", "nope").envelope["exit_code"] == 2


def test_annotations_for_github_are_one_line_each_with_signs_escaped(run, files) -> None:
    (files / "odd, 100%.toml").write_text(WRONG)
    lines = run("recipe", "lint", "odd, 100%.toml", "--format", "github").stdout.splitlines()
    assert len(lines) == 4
    assert lines[1] == (
        "::error file=odd%2C 100%25.toml,line=3,col=1,title=unknown-key::verison: unknown key; did you mean 'version'?"
    )


def test_sarif_is_valid_and_says_the_same(run, files) -> None:
    outcome = run("recipe", "lint", "wrong.toml", "fine.toml", "--format", "sarif")
    assert outcome.code == 1
    log = json.loads(outcome.stdout)
    jsonschema.Draft7Validator(SARIF, format_checker=jsonschema.FormatChecker()).validate(log)
    (run_of_ours,) = log["runs"]
    rules, results = run_of_ours["tool"]["driver"]["rules"], run_of_ours["results"]
    assert [(one["ruleId"], one["level"]) for one in results] == [
        ("no-examples", "warning"),
        ("unknown-key", "error"),
        ("only-latest", "warning"),
        ("weak-target", "error"),
    ]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in results)
    place = results[1]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "wrong.toml"}, "region": {"startLine": 3, "startColumn": 1}}


def test_sarif_names_files_relative_to_where_it_runs(run, files, tmp_path) -> None:
    (files / "sub dir").mkdir()
    (files / "sub dir" / "a.toml").write_text(WRONG)
    outside = tmp_path / "b.toml"
    outside.write_text(WRONG)
    inside = str(files / "sub dir" / "a.toml")
    log = json.loads(run("recipe", "lint", inside, str(outside), "missing.toml", "--format", "sarif").stdout)
    places = [one["locations"][0]["physicalLocation"] for one in log["runs"][0]["results"]]
    assert {place["artifactLocation"]["uri"] for place in places} == {
        "sub%20dir/a.toml",
        outside.resolve().as_uri(),
        "missing.toml",
    }
    assert any("region" not in place for place in places)


def test_findings_wrap_below_their_place_and_the_place_stays_whole(run, files, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = run("recipe", "lint", "wrong.toml").stdout.splitlines()
    assert "wrong.toml:9:14: error weak-target" in lines
    assert all(len(line) <= 40 for line in lines)
