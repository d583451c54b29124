"""Starting: version, help, no arguments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llamaexit import __version__

COMMANDS = (
    "inspect", "plan", "migrate", "smoke", "resume", "rollback", "history", "show", "report", "status", "retire",
)  # fmt: skip


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "plan"]])
def test_version_is_printed(run, arguments) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, f"llamaexit {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []], ids=["--help", "-h", "no arguments"])
def test_help_lists_the_commands(run, arguments) -> None:
    outcome = run(*arguments)
    assert outcome.code == 0
    listed = [line.split()[1] for line in outcome.stdout.split("Commands")[1].splitlines() if line[2:3].isalpha()]
    assert listed == [*COMMANDS, "schema", "recipe"]


def test_group_without_a_command_shows_its_help(run) -> None:
    outcome = run("recipe")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert all(command in outcome.stdout for command in ("list", "show"))


def test_help_shows_no_python_types(run) -> None:
    assert all(word not in run("plan", "--help").stdout for word in ("<bool>", "<list", "<str>"))


@pytest.mark.parametrize(
    "command", [*([name] for name in COMMANDS), ["recipe", "list"], ["recipe", "show"], ["schema"]], ids=" ".join
)
def test_every_command_has_help(run, command) -> None:
    outcome = run(*command, "-h")
    assert outcome.code == 0
    assert "Usage: llamaexit" in outcome.stdout


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["plan", "--help"], ["migrate", "--help"]])
def test_start_imports_nothing_heavy(arguments) -> None:
    heavy = {
        "pydantic", "pydantic_core", "psutil", "httpx", "ollama", "pynvml", "tomllib", "platformdirs", "filelock",
        "jinja2",
    }  # fmt: skip
    code = (
        "import sys; from llamaexit.__main__ import main; main(sys.argv[1:]);"
        f"sys.stderr.write(' '.join(sorted({heavy} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr == ""


_FETCHING = frozenset(
    {
        "llamaexit.sharing.remote", "llamaexit.sharing.git", "llamaexit.sharing.web", "llamaexit.sharing.cache",
        "httpx", "filelock", "tomlkit",
    }
)  # fmt: skip
"""What only fetching recipes and writing settings need."""


@pytest.mark.parametrize(
    ("recipe", "absent"),
    [
        (None, _FETCHING | {"llamaexit.sharing.addresses", "llamaexit.sharing.trust", "tomllib", "pydantic"}),
        ('schema = 1\nname = "mine"\n', _FETCHING),
    ],
    ids=["no recipe of one's own", "a recipe of this folder"],
)
def test_plan_without_recipes_from_elsewhere_imports_nothing_to_fetch_them(recipe, absent) -> None:
    if recipe is not None:
        Path("llamaexit.toml").write_text(recipe)
    code = (
        "import sys; from llamaexit.__main__ import main;"
        "code = main(['plan', 'llama3.1:8b', '--vram', '24GiB', '--ram', '64GiB']);"
        f"sys.stderr.write(' '.join([str(code), *sorted({set(absent)} & set(sys.modules))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "0"
