"""`llamaexit recipe new` and `recipe fmt`: what they write, what they leave alone, and how they end."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from folders import written

SNAPSHOT = str(Path(__file__).resolve().parents[2] / "docs" / "examples" / "workstation.json")
UNTIDY = 'name = "team" # ours\nschema = 1\nrequires_ollama = ">=0.30"\n'
TIDY = 'schema = 1\nname = "team"  # ours\nrequires-ollama = ">=0.30"\n'


@pytest.fixture
def here(isolated) -> Path:
    """The working directory, with a tidy and an untidy recipe."""
    Path("untidy.toml").write_text(UNTIDY)
    Path("tidy.toml").write_text(TIDY)
    return Path.cwd()


def test_a_new_recipe_is_printed_and_nothing_is_written(run, here) -> None:
    before = sorted(here.iterdir())
    outcome = run("recipe", "new", "--snapshot", SNAPSHOT)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("#:schema ./llamaexit-recipe.schema.json\n")
    assert 'id = "chat/llama3.1:8b"' in outcome.stdout
    assert sorted(here.iterdir()) == before


def test_a_new_recipe_passes_lint_test_and_fmt(run, here) -> None:
    assert run("recipe", "new", "--snapshot", SNAPSHOT, "--out", "new.toml").code == 0
    assert run("recipe", "lint", "new.toml", "--strict").stdout == "1 recipe, nothing found.\n"
    assert run("recipe", "test", "new.toml").stdout == "1 example in new.toml, all as expected\n"
    assert run("recipe", "fmt", "--check", "new.toml").code == 0
    assert run("plan", "--snapshot", SNAPSHOT, "--recipe", "new.toml").code == 0


def test_what_to_do_with_a_new_recipe_is_said(run, here) -> None:
    outcome = run("recipe", "new", "--snapshot", SNAPSHOT, "--out", "my recipe.toml")
    assert outcome.stdout.splitlines() == [
        "my recipe.toml is written, with rules for 4 models.",
        "Next        llamaexit recipe lint 'my recipe.toml'",
        "            llamaexit recipe test 'my recipe.toml'",
        "Editor      llamaexit schema recipe > llamaexit-recipe.schema.json",
    ]


def test_without_ollama_no_recipe_claims_that_there_is_no_llama(run, here) -> None:
    outcome = run("recipe", "new", "--out", "new.toml")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "cannot tell which models are installed" in outcome.stderr and "--snapshot" in outcome.stderr
    assert not Path("new.toml").exists()
    assert run("recipe", "new", "--json").envelope["errors"][0]["code"] == "ollama"


def test_a_machine_without_models_gets_a_recipe_too(run, here) -> None:
    empty = json.loads(Path(SNAPSHOT).read_text(encoding="utf-8")) | {"models": []}
    Path("empty.json").write_text(json.dumps(empty), encoding="utf-8")
    outcome = run("recipe", "new", "--snapshot", "empty.json", "--out", "new.toml")
    assert outcome.code == 0
    assert "no rule: there is no Llama here" in outcome.stdout
    assert run("recipe", "lint", "new.toml", "--strict").code == 0
    assert run("recipe", "test", "new.toml").code == 0


def test_a_new_recipe_takes_the_place_of_nothing(run, here) -> None:
    outcome = run("recipe", "new", "--snapshot", SNAPSHOT, "--out", "tidy.toml")
    assert (outcome.code, outcome.stdout) == (4, "")
    assert "tidy.toml is there already" in outcome.stderr
    assert Path("tidy.toml").read_text() == TIDY
    Path("empty.toml").touch()
    assert run("recipe", "new", "--snapshot", SNAPSHOT, "--out", "empty.toml").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--name", "two words"), "no name for a recipe"),
        (("--name", "fallback"), "name of a built-in recipe"),
        (("--snapshot", "missing.json"), "missing.json: no such file"),
        (("--snapshot", SNAPSHOT, "--out", "nowhere/new.toml"), "cannot write nowhere/new.toml"),
        (("--snapshot", SNAPSHOT, "--out", "."), "it is a directory"),
        (("--timeout", "soon"), "--timeout"),
    ],
)
def test_a_new_recipe_that_cannot_be_is_refused_in_one_line(run, here, arguments, said) -> None:
    outcome = run("recipe", "new", *arguments)
    assert outcome.code != 0 and outcome.stdout == ""
    assert said in outcome.stderr and outcome.stderr.count("\n") == 1


def test_a_new_recipe_is_the_same_in_json(run, here) -> None:
    data = run("recipe", "new", "--snapshot", SNAPSHOT, "--json").envelope["data"]
    assert (data["models"], data["file"]) == (4, None)
    assert data["recipe"] == run("recipe", "new", "--snapshot", SNAPSHOT).stdout


def test_formatting_rewrites_what_is_untidy_and_nothing_else(run, here) -> None:
    before = written(Path("tidy.toml"))
    outcome = run("recipe", "fmt", "untidy.toml", "tidy.toml")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout == "formatted  untidy.toml\n1 recipe already as it should be\n"
    assert Path("untidy.toml").read_text() == TIDY
    assert written(Path("tidy.toml")) == before
    assert run("recipe", "fmt", "untidy.toml", "tidy.toml").stdout == "2 recipes already as they should be\n"


def test_checking_writes_nothing_and_says_that_there_is_work(run, here) -> None:
    outcome = run("recipe", "fmt", "--check", "untidy.toml", "tidy.toml")
    assert outcome.code == 3
    assert outcome.stdout == "would be formatted  untidy.toml\n1 recipe already as it should be\n"
    assert Path("untidy.toml").read_text() == UNTIDY
    envelope = run("recipe", "fmt", "--check", "untidy.toml", "tidy.toml", "--json").envelope
    assert (envelope["status"], envelope["exit_code"]) == ("success", 3)
    assert [one["changed"] for one in envelope["data"]["files"]] == [True, False]
    assert run("recipe", "fmt", "--check", "tidy.toml").code == 0


def test_nothing_is_written_when_one_of_the_files_is_no_toml(run, here) -> None:
    Path("broken.toml").write_text("a = = 1\n")
    outcome = run("recipe", "fmt", "untidy.toml", "broken.toml")
    assert outcome.code == 4
    assert "broken.toml:1:5: is not TOML" in outcome.stderr
    assert Path("untidy.toml").read_text() == UNTIDY


@pytest.mark.parametrize(
    ("file", "code"),
    [("missing.toml", 4), (".", 4), ("builtin:fallback", 2)],
    ids=["a missing file", "a folder", "a built-in recipe"],
)
def test_what_cannot_be_formatted_is_refused(run, here, file, code) -> None:
    outcome = run("recipe", "fmt", file)
    assert (outcome.code, outcome.stdout) == (code, "")


def test_lines_of_windows_stay_lines_of_windows(run, here) -> None:
    Path("w.toml").write_bytes(UNTIDY.replace("\n", "\r\n").encode())
    assert run("recipe", "fmt", "w.toml").code == 0
    assert Path("w.toml").read_bytes() == TIDY.replace("\n", "\r\n").encode()
    assert run("recipe", "fmt", "--check", "w.toml").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_file_keeps_its_permissions_and_a_link_its_target(run, here) -> None:
    untidy = Path("untidy.toml")
    untidy.chmod(0o640)
    Path("link.toml").symlink_to("untidy.toml")
    assert run("recipe", "fmt", "link.toml").code == 0
    assert stat.S_IMODE(untidy.stat().st_mode) == 0o640
    assert Path("link.toml").is_symlink() and untidy.read_text() == TIDY


EXAMPLES = ("laptop-fleet", "no-chinese-origin", "permissive-licences-only")


def test_an_example_is_a_start_that_passes_lint_test_and_fmt(run, here) -> None:
    for example in EXAMPLES:
        file = f"{example}.toml"
        assert run("recipe", "new", "--from", example, "--name", "ours", "--out", file).code == 0
        assert run("recipe", "lint", "--strict", "--ignore", "stale-facts", file).stdout == "1 recipe, nothing found.\n"
        assert run("recipe", "test", file).stdout.endswith("all as expected\n")
        assert run("recipe", "fmt", "--check", file).code == 0
        assert run("recipe", "list", "--recipe", file, "--json").envelope["data"]["recipes"][0]["name"] == "ours"


def test_an_example_keeps_its_name_unless_another_is_given(run, here) -> None:
    plain = run("recipe", "new", "--from", "laptop-fleet").stdout
    named = run("recipe", "new", "--from", "laptop-fleet", "--name", "our-laptops").stdout
    assert plain.replace('name = "laptop-fleet"', 'name = "our-laptops"') == named != plain


def test_what_to_do_with_an_example_is_said(run, here) -> None:
    outcome = run("recipe", "new", "--from", "laptop-fleet", "--out", "llamaexit.toml")
    assert outcome.stdout.splitlines() == [
        "llamaexit.toml is written, from the example laptop-fleet.",
        "Next        llamaexit recipe lint llamaexit.toml",
        "            llamaexit recipe test llamaexit.toml",
        "Editor      llamaexit schema recipe > llamaexit-recipe.schema.json",
    ]
    data = run("recipe", "new", "--from", "laptop-fleet", "--json").envelope["data"]
    assert (data["example"], data["file"]) == ("laptop-fleet", None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ("--from", "laptop-flet"), "there is no example 'laptop-flet'; did you mean", id="a misspelled one"
        ),
        pytest.param(("--from", "../sources"), "there is no example", id="a path"),
        pytest.param(("--from", "replace-chat"), "there is no example", id="a built-in recipe"),
        pytest.param(("--from", "laptop-fleet", "--snapshot", SNAPSHOT), "are about a machine", id="with a machine"),
        pytest.param(("--from", "laptop-fleet", "--name", "fallback"), "name of a built-in recipe", id="a taken name"),
        pytest.param(("--from", "laptop-fleet", "--out", "tidy.toml"), "is there already", id="over another file"),
    ],
)
def test_an_example_that_cannot_be_is_refused_in_one_line(run, here, arguments, said) -> None:
    outcome = run("recipe", "new", *arguments)
    assert outcome.code != 0 and outcome.stdout == ""
    assert said in outcome.stderr and outcome.stderr.count("\n") == 1


def test_every_example_is_named_in_the_help(run, here) -> None:
    told = " ".join(run("recipe", "new", "--help").stdout.replace("│", " ").split())
    assert [example for example in EXAMPLES if example not in told] == []
