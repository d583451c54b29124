"""Runs of a migration in a process of their own, which is killed (SIGKILL) at one exact point.

The process is forked from a server that has everything imported, so that thousands of cases stay affordable. Points are
counted on the outside for requests (the stand-in sees them) and on the inside for records of the journal.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llamaexit.migration import engine, journal, undo
from llamaexit.migration.options import MigrationOptions, Place
from llamaexit.planning.planfile import load_plan

When = Literal["before", "torn", "after"]
"""Around a journal record: before anything of it is written, with half of it written, after it is on the disk."""
PAUSES = (0.05, 0.1, 0.2)
"""Seconds between tries while the server does not answer, instead of the patience people get."""


@dataclass(frozen=True)
class Act:
    """What the process does: carry out the plan, go on with a run, or undo it."""

    kind: Literal["migrate", "resume", "rollback"]
    plan: Path
    options: MigrationOptions
    host: str
    state: Path
    run: str = ""
    purge: bool = False

    def do(self) -> Any:
        place = Place(self.host, self.state, timeout=10)
        if self.kind == "migrate":
            return engine.migrate(load_plan(self.plan), self.options, place, pauses=PAUSES)
        if self.kind == "resume":
            return engine.resume(self.run, place, pauses=PAUSES)
        return undo.roll_back(self.run, place, purge=self.purge, pauses=PAUSES)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _count_writes(kill_at: int | None, when: When, written: Any) -> None:
    write = journal._write

    def counted(file: int, line: bytes) -> None:
        written.value += 1
        if written.value == kill_at and when == "before":
            _die()
        if written.value == kill_at and when == "torn":
            write(file, line[: len(line) // 2])
            os.fsync(file)
            _die()
        write(file, line)
        if written.value == kill_at:
            os.fsync(file)
            _die()

    journal._write = counted


def _child(act: Act, kill_at: int | None, when: When, written: Any, said: Path | None) -> None:
    os.environ["NO_PROXY"] = "*"
    if said is not None:
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    _count_writes(kill_at, when, written)
    run = act.do()
    sys.exit(run.failure.exit_code if run.failure is not None else 0)


class Processes:
    """Starts processes that carry acts out."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["killing", "llamaexit.ollama.changes", "ollama", "pydantic"])

    def start(
        self, act: Act, *, kill_at_write: int | None = None, when: When = "after", said: Path | None = None
    ) -> tuple[Any, Any]:
        """A running process, and the count of its journal records. It exits as the command line would.

        said: a file for what it writes to standard error.
        """
        written = self._context.Value("i", 0)
        process = self._context.Process(target=_child, args=(act, kill_at_write, when, written, said), daemon=True)
        process.start()
        return process, written
