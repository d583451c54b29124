"""The hooks for pre-commit: commands that exist, for files people would name so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
HOOKS = [dict(re.findall(r"^(?:- |  )(\w+): (.*)$", block, re.M)) for block in re.split(r"(?m)^(?=- id)", MANIFEST)[1:]]


def test_recipes_can_be_linted_tested_and_formatted() -> None:
    assert [hook["id"] for hook in HOOKS] == [
        "llamaexit-recipe-lint", "llamaexit-recipe-test", "llamaexit-recipe-fmt",
    ]  # fmt: skip


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hook_runs_a_command_that_takes_files(hook: dict[str, str]) -> None:
    commands = (ROOT / "docs/reference/commands.md").read_text("utf-8")
    assert f"## `{hook['entry']}`" in commands
    assert f"{hook['entry']} [FILE...] [OPTIONS]" in commands
    assert (hook["language"], hook["types"]) == ("python", "[toml]")


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
@pytest.mark.parametrize(
    ("file", "taken"),
    [
        ("llamaexit.toml", True),
        ("deploy/llamaexit.toml", True),
        ("llamaexit-team.toml", True),
        ("llamaexit.team.toml", True),
        ("pyproject.toml", False),
        ("llamaexit/config.toml", False),
        ("myllamaexit.toml", False),
        ("llamaexit.lock", False),
    ],
)
def test_hook_takes_files_that_are_named_like_recipes(hook: dict[str, str], file: str, taken: bool) -> None:
    assert bool(re.search(hook["files"], file)) is taken
