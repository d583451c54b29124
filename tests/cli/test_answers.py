"""The envelope, the error lines and the exit codes: the same for every command."""

from __future__ import annotations

import sys

import pytest
import typer

from llamaexit import __version__
from llamaexit.cli.answer import Problem, Result, Stream, Style, answer
from llamaexit.errors import DocumentError, OllamaError, RecipeError

KEYS = ["llamaexit", "command", "status", "exit_code", "data", "errors"]


JSON = Style(as_json=True)


def answered(body, style=JSON) -> int:
    """The exit code with which a command of this body leaves."""
    with pytest.raises(typer.Exit) as left:
        answer("plan", style, body)
    return left.value.exit_code


def failing(error):
    """A command body that fails with `error`."""

    def body() -> Result:
        raise error

    return body


def read_json(capfd):
    import json

    return json.loads(capfd.readouterr().out)


def test_success_is_one_envelope_with_exactly_these_keys(capfd) -> None:
    assert answered(lambda: Result({"a": 1}, "text\n")) == 0
    document = read_json(capfd)
    assert list(document) == KEYS
    assert document == {
        "llamaexit": __version__, "command": "plan", "status": "success", "exit_code": 0,
        "data": {"a": 1}, "errors": [],
    }  # fmt: skip


def test_pending_work_is_a_success_with_code_3(capfd) -> None:
    assert answered(lambda: Result({}, "", exit_code=3)) == 3
    assert (read_json(capfd)["status"]) == "success"


def test_data_beside_problems_is_partial(capfd) -> None:
    assert answered(lambda: Result([1], "", exit_code=1, problems=(Problem("store", "half of it"),))) == 1
    document = read_json(capfd)
    assert document["status"] == "partial"
    assert document["errors"] == [{"code": "store", "message": "half of it", "hint": None}]


@pytest.mark.parametrize(
    ("error", "code", "entry"),
    [
        pytest.param(
            OllamaError("no answer", hint="start it"),
            1,
            {"code": "ollama", "message": "no answer", "hint": "start it"},
            id="an expected failure says what to do next",
        ),
        pytest.param(
            DocumentError("x.json: not JSON"),
            4,
            {"code": "document", "message": "x.json: not JSON", "hint": None},
            id="a refused document leaves with 4",
        ),
        pytest.param(
            KeyboardInterrupt(),
            130,
            {"code": "interrupted", "message": "interrupted, nothing was changed", "hint": None},
            id="an interruption leaves with 130",
        ),
    ],
)
def test_failure_in_json_is_an_envelope_without_data(capfd, error, code, entry) -> None:
    assert answered(failing(error)) == code
    document = read_json(capfd)
    assert list(document) == KEYS
    assert (document["status"], document["exit_code"], document["data"]) == ("error", code, None)
    assert document["errors"] == [entry]


def test_unexpected_exception_is_reported_as_internal_without_traceback(capfd) -> None:
    assert answered(failing(ZeroDivisionError("division\nby zero"))) == 1
    out, err = capfd.readouterr()
    assert '"code":"internal","message":"unexpected ZeroDivisionError: division by zero"' in out
    assert "--debug" in out
    assert err == ""


def test_debug_adds_the_traceback_on_stderr_and_leaves_stdout_pure(capfd) -> None:
    assert answered(failing(ZeroDivisionError("oops")), Style(as_json=True, debug=True)) == 1
    out, err = capfd.readouterr()
    assert out.count("\n") == 1
    assert "Traceback" in err and "ZeroDivisionError: oops" in err


def test_failure_in_text_is_one_line_on_stderr(capfd) -> None:
    assert answered(failing(OllamaError("no answer", hint="start it")), Style()) == 1
    out, err = capfd.readouterr()
    assert (out, err) == ("", "llamaexit: no answer — start it\n")


def test_recipe_with_several_problems_names_each(capfd) -> None:
    error = RecipeError("team.toml: 2 problems", problems=("team.toml:3: unknown key 'polcy'", "team.toml:9: no model"))
    assert answered(failing(error)) == 4
    assert [entry["message"] for entry in read_json(capfd)["errors"]] == [
        "team.toml:3: unknown key 'polcy'", "team.toml:9: no model",
    ]  # fmt: skip


def test_streamed_data_ends_in_the_same_envelope(capfd) -> None:
    problems: list[Problem] = []

    def pieces():
        yield b'{"plans":['
        problems.append(Problem("document", "b.json: no snapshot"))
        yield b"1]}"

    stream = Stream(pieces(), lambda: tuple(problems), lambda: 4 if problems else 0)
    assert answered(lambda: Result(stream, "")) == 4
    document = read_json(capfd)
    assert sorted(document) == sorted(KEYS)
    assert (document["data"], document["status"], document["exit_code"]) == ({"plans": [1]}, "partial", 4)


def test_json_on_a_terminal_is_indented(capfd, monkeypatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    answered(lambda: Result({"a": 1}, ""))
    assert '\n  "data": {\n    "a": 1' in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "help_of"),
    [
        (["plna"], ""),
        (["plan", "--jsno"], "plan "),
        (["plan", "--context"], "plan "),
        (["recipe", "lnit"], "recipe "),
        (["recipe", "lint", "--fromat", "text"], "recipe lint "),
        (["recipe", "explain", "llama3.1:8b", "--use"], "recipe explain "),
    ],
)
def test_a_wrong_command_line_leads_to_the_help_of_the_command_it_was_meant_for(run, arguments, help_of) -> None:
    assert run(*arguments).stderr.endswith(f" — see llamaexit {help_of}--help\n")


@pytest.mark.parametrize(
    ("arguments", "command", "said"),
    [
        pytest.param(["plan", "--jsno"], "plan", "no such option: --jsno", id="an option that does not exist"),
        pytest.param(
            ["plan", "--context"], "plan", "'--context' requires an argument", id="an option without its value"
        ),
        pytest.param(
            ["plan", "--timeout", "soon"],
            "plan",
            "'soon' is not a number of seconds",
            id="a word where a number belongs",
        ),
        pytest.param(["plna"], None, "no such command 'plna'", id="a command that does not exist"),
        pytest.param(["recipe", "shwo"], "recipe", "no such command 'shwo'", id="a subcommand that does not exist"),
        pytest.param(["schema"], "schema", "DOCUMENT", id="a schema of nothing"),
        pytest.param(["recipe", "show"], "recipe show", "NAME", id="an argument that is missing"),
        pytest.param(
            ["recipe", "lint", "--fromat", "text"], "recipe lint", "--fromat", id="an option that no subcommand has"
        ),
    ],
)
def test_wrong_command_line_is_one_line_or_one_envelope_and_code_2(run, arguments, command, said) -> None:
    text = run(*arguments)
    assert (text.code, text.stdout) == (2, "")
    assert text.stderr.startswith("llamaexit: ") and text.stderr.count("\n") == 1
    assert said.lower() in text.stderr.lower()

    first, *rest = arguments  # an option without its value would take --json for it
    answer = run(first, "--json", *rest) if first == "plan" else run(*arguments, "--json")
    assert answer.code == 2
    assert (answer.envelope["command"], answer.envelope["status"]) == (command, "error")
    assert answer.envelope["errors"][0]["code"] == "usage"
    assert answer.stderr == ""
