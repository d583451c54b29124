"""Carrying out one `llamaexit smoke`: find the models, put the tests to them, and judge."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llamaexit.cli.answer import Problem, Result
from llamaexit.cli.gather import Where, library_with, refuse_to_guess, snapshot_from
from llamaexit.cli.watching import watching
from llamaexit.errors import FAILED, UsageError
from llamaexit.report.blocking import plain

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.migration.events import Listener
    from llamaexit.ollama.inference import Inference
    from llamaexit.planning.trial import Trial
    from llamaexit.recipes.model import Use
    from llamaexit.smoke.model import CheckResult, Comparison, Subject, Suite, SuiteResult

_ANSWER_TIMEOUT = 30.0
"""Seconds to wait for a call that loads no model."""


@dataclass(frozen=True, slots=True)
class Request:
    """One command line of `smoke`, understood. `uses`: empty where they follow from the models."""

    target: str
    against: str | None
    suite: Suite
    uses: tuple[Use, ...]
    context: int | None
    answer_seconds: float | None
    recipes: list[str] | None
    locked: bool | None
    host: str | None
    as_json: bool


def run_smoke(request: Request) -> Result:
    """Test a model, and the one it is to replace before it."""
    from llamaexit.hardware import Overrides
    from llamaexit.ollama.inference import Inference
    from llamaexit.planning.trial import trial

    if request.suite == "none":
        raise UsageError("--suite none asks for no tests", hint="say quick or full")
    snapshot = snapshot_from(Where(request.host, timeout=_ANSWER_TIMEOUT), Overrides())
    if snapshot.ollama.source != "server" or snapshot.ollama.url is None:
        refuse_to_guess(snapshot)
    library = library_with(request.recipes, locked=request.locked, as_json=request.as_json, to_plan=False)
    asked = trial(snapshot, library, request.target, request.against, request.uses, request.context)
    api_key = os.environ.get("OLLAMA_API_KEY") or None
    with Inference(snapshot.ollama.url, api_key=api_key) as inference, watching(as_json=request.as_json) as listener:
        old, new, comparison = _judged(request, asked, inference, listener)

    def show(console: Console) -> None:
        from llamaexit.report.smoke import print_smoke

        print_smoke(asked.use, old, new, comparison, console)

    problems = () if comparison.verdict == "go" else (_problem(new, comparison),)
    data = {"verdict": comparison.verdict, "comparison": comparison, "old": old, "new": new}
    return Result(data, show, exit_code=FAILED if problems else 0, problems=problems)


def _judged(
    request: Request, asked: Trial, inference: Inference, listener: Listener
) -> tuple[SuiteResult | None, SuiteResult, Comparison]:
    from llamaexit.migration.events import Judged, StepChanged
    from llamaexit.migration.testing import new_seed
    from llamaexit.smoke.verdict import compare

    seed, begun = new_seed(), time.monotonic()
    title = f"test {asked.new.name}" + (f" against {asked.old.name}" if asked.old is not None else "")
    listener(StepChanged(1, 1, "test", title, "begun"))
    old = _put(request, asked, asked.old, "old", seed, inference, listener) if asked.old is not None else None
    new = _put(request, asked, asked.new, "new", seed, inference, listener, old)
    comparison = compare(old, new)
    listener(Judged(asked.old.name if asked.old is not None else "", asked.new.name, comparison))
    seconds = round(time.monotonic() - begun, 3)
    listener(StepChanged(1, 1, "test", title, "done", comparison.reason, seconds))
    return old, new, comparison


def _put(
    request: Request,
    asked: Trial,
    subject: Subject,
    role: Literal["old", "new"],
    seed: int,
    inference: Inference,
    listener: Listener,
    old: SuiteResult | None = None,
) -> SuiteResult:
    from llamaexit.migration.events import CheckBegan, CheckEnded
    from llamaexit.smoke.runner import run_suite

    def began(check: str, title: str, number: int, of: int, seconds_left: float | None) -> None:
        listener(CheckBegan(subject.name, role, check, title, number, of, seconds_left))

    def ended(result: CheckResult) -> None:
        listener(CheckEnded(subject.name, role, result))

    return run_suite(
        subject, inference, suite=request.suite, own=asked.own, seed=seed, began=began, ended=ended,
        answer_seconds=request.answer_seconds, old=old,
    )  # fmt: skip


def _problem(new: SuiteResult, comparison: Comparison) -> Problem:
    more = comparison.verdict == "not-enough-evidence" and new.suite != "full"
    hint = "--suite full asks more" if more else None
    return Problem(comparison.verdict, f"{new.subject.name}: {plain(comparison.reason)}", hint)
