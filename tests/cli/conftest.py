"""Running a command line in this process, or as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from folders import files_below
from llamaexit.__main__ import main


@dataclass(frozen=True)
class Outcome:
    """What a command said and how it ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def envelope(self) -> dict[str, Any]:
        """Standard output as the one JSON document it has to be."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command line in this process."""

    def run_it(*arguments: str) -> Outcome:
        capfd.readouterr()
        code = main(arguments)
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run_it


@pytest.fixture
def surroundings(isolated: Path) -> Callable[[], object]:
    """What a refused command has to leave as it is, for comparing before and after."""
    return lambda: files_below(isolated)


@pytest.fixture
def refused(run: Callable[..., Outcome], surroundings: Callable[[], object]) -> Callable[..., str]:
    """Run a command that has to be refused with one line and change nothing; returns the line."""

    def run_it(*arguments: str, code: int = 4) -> str:
        before = surroundings()
        outcome = run(*arguments)
        assert (outcome.code, outcome.stdout) == (code, ""), outcome.stderr
        assert surroundings() == before
        (line,) = outcome.stderr.splitlines()
        assert line.isprintable()
        return line.removeprefix("llamaexit: ")

    return run_it


@pytest.fixture
def spawn() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run a command line as a process of its own; `env` changes the environment, None removes a variable."""

    def spawn_it(
        *arguments: str, env: Mapping[str, str | None] | None = None, **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, **(env or {})}
        clean = {name: value for name, value in environment.items() if value is not None}
        return subprocess.run(
            [sys.executable, "-m", "llamaexit", *arguments],
            capture_output=True,
            env=clean,
            timeout=60,
            check=False,
            **more,
        )

    return spawn_it
