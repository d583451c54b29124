"""Recipes written for one test, and the built-in library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llamaexit.errors import RecipeError
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library

HEADER = 'schema = 1\nname = "{name}"\n'
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def library() -> Library:
    """The built-in recipes."""
    return load_library()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a recipe file: its name, then TOML lines that follow the schema and name every recipe has."""

    def written(name: str, *lines: str, folder: str = "") -> Path:
        path = tmp_path / folder / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER.format(name=name) + "\n".join(lines) + "\n", encoding="utf-8")
        return path

    return written


@pytest.fixture
def problems(tmp_path: Path) -> Callable[..., list[str]]:
    """What is wrong with a recipe file, without the folder of the test in it; empty when it loads."""

    def found(*paths: Path) -> list[str]:
        try:
            load_library(paths)
        except RecipeError as error:
            return [problem.replace(f"{tmp_path}/", "").replace(f"{tmp_path}\\", "") for problem in error.problems]
        return []

    return found
