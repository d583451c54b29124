"""Promises the project makes about itself that no single module can keep."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
HEAVY = ("httpx", "ollama", "psutil", "pydantic", "pynvml", "rich", "tomllib", "urllib.request")


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_dependency_has_one_lower_bound_and_no_upper_one(text: str) -> None:
    operators = [specifier.operator for specifier in Requirement(text).specifier]

    assert operators == [">="]


@pytest.mark.parametrize("module", ["llamaexit.cli.app", "llamaexit.planning.planner", "llamaexit.ollama.inventory"])
def test_importing_a_module_leaves_the_slow_packages_alone(module: str) -> None:
    # Typer itself may bring rich along, so only what comes on top of it counts.
    code = f"import sys, typer; before = set(sys.modules); import {module}; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert sorted(set(loaded) & set(HEAVY)) == []


def test_actions_are_pinned_to_a_commit_and_name_their_version() -> None:
    used = [
        line.strip()
        for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
        for line in path.read_text("utf-8").splitlines()
        if "uses:" in line and "uses: ./" not in line
    ]

    assert used
    assert [line for line in used if not re.fullmatch(r"(- )?uses: [\w./-]+@[0-9a-f]{40} # v[0-9.]+", line)] == []
