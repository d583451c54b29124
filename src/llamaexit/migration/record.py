"""A run as its journal tells it: what was to be done, what was done, tested and changed. Read-only plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llamaexit.migration.options import MigrationOptions
from llamaexit.planning.plan import Plan
from llamaexit.smoke.model import Comparison, SuiteResult

RunState = Literal["unfinished", "staged", "failed", "committed", "rolling-back", "rolled-back"]
"""unfinished: at work, interrupted or killed. staged: stopped before the switch, as asked. failed: stopped by a failure
or a verdict; resume goes on. committed: done. rolling-back: a rollback began and did not end. rolled-back: undone."""
StepState = Literal["waiting", "begun", "done", "failed", "left-out"]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step. `detail`: what was done or why not. `seconds`: how long it took."""

    id: str
    title: str
    phase: str
    state: StepState
    detail: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One name that means something else than before the run. Digests are 64 hex digits; None: the name was not there.

    what: `pulled` (a target that is new here), `updated` (a target that was pulled over an older build), `rebuilt`
    (a custom model on its new base), `alias`, `taken-over`.
    """

    name: str
    before: str | None
    after: str
    what: Literal["pulled", "updated", "rebuilt", "alias", "taken-over"]
    target: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Backup:
    """An old model kept alive under a name of ours."""

    name: str
    of: str
    digest: str


@dataclass(frozen=True, slots=True)
class Tested:
    """The smoke tests of one replacement: old results (None: not installed, or not asked for), new ones, verdict."""

    source: str
    target: str
    old: SuiteResult | None
    new: SuiteResult | None
    comparison: Comparison
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run stopped: a stable code, one line, the next step, and what the command that hit it exits with."""

    code: str
    message: str
    hint: str | None = None
    exit_code: int = 1


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the history. Times are RFC 3339, UTC. `models`: source and target of each replacement."""

    id: str
    state: RunState
    host: str
    began_at: str
    ended_at: str | None
    models: tuple[tuple[str, str], ...]
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run.

    left_out: sources of the plan that were not migrated, with the reason. conflicts: names that somebody else changed,
    left as they are.
    """

    id: str
    state: RunState
    host: str
    ollama_version: str | None
    llamaexit_version: str
    began_at: str
    ended_at: str | None
    plan: Plan
    options: MigrationOptions
    steps: tuple[StepRecord, ...]
    tests: tuple[Tested, ...]
    changes: tuple[Change, ...]
    backups: tuple[Backup, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    conflicts: tuple[tuple[str, str], ...] = ()
    failure: Failure | None = None

    @property
    def summary(self) -> RunSummary:
        """The run in one line."""
        chosen = {test.source: test.target for test in self.tests}
        models = tuple(
            (d.source.model, d.target.model)
            for d in self.plan.decisions
            if d.target is not None and (d.source.model in chosen or d.source.model not in dict(self.left_out))
        )
        return RunSummary(self.id, self.state, self.host, self.began_at, self.ended_at, models, self.failure)
