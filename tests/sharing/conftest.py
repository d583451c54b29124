from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from git_repository import GitRepository, GitServer

from llamaexit.recipes.pack import load_pack
from llamaexit.recipes.sources import LocalSources
from llamaexit.sharing.remote import NO_PINS, OPEN_GATE, RemoteSources

Finder = Callable[..., RemoteSources]


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """The folder whose repositories are served."""
    return tmp_path / "served"


@pytest.fixture
def make_repository(served: Path) -> Callable[[str], GitRepository]:
    """Make a repository: `make_repository("team.git")`."""
    return lambda name, **options: GitRepository(served / name, **options)


@pytest.fixture
def git_server(served: Path) -> Iterator[GitServer]:
    """Serves what `make_repository` makes."""
    with GitServer(served) as server:
        yield server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The folder for what is fetched; it is not there yet."""
    return tmp_path / "cache"


@pytest.fixture
def finder(cache: Path) -> Finder:
    """A new finder of recipes, as each run of the tool has one: `finder(offline=True)`."""

    def make(**options: Any) -> RemoteSources:
        local = LocalSources(load_pack().recipe_files)
        return RemoteSources(local, cache, **{"gate": OPEN_GATE, "pins": NO_PINS, **options})

    return make
