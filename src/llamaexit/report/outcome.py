"""What came of a run, in words. No colours, no layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llamaexit.recipes.names import name_key
from llamaexit.report import words

if TYPE_CHECKING:
    from llamaexit.migration.record import Change, Run, RunState, RunSummary, Tested
    from llamaexit.planning.plan import Decision, TargetChoice
    from llamaexit.smoke.model import Outcome, VerdictWord

Tone = Literal["good", "warn", "bad", "plain"]

OUTCOMES: dict[Outcome | None, str] = {
    "pass": "passed", "warn": "noted", "fail": "failed", "skip": "not asked", "error": "error", None: "not tested",
}  # fmt: skip
"""How a check went. None: it was not among those of this model."""

_VERDICTS: dict[VerdictWord, tuple[str, Tone]] = {
    "go": ("Go", "good"),
    "no-go": ("No-go", "bad"),
    "not-enough-evidence": ("Not enough evidence", "warn"),
    "error": ("Could not be tested", "bad"),
}
_STATES: dict[RunState, tuple[str, Tone]] = {
    "unfinished": ("Not finished", "warn"),
    "staged": ("Staged", "plain"),
    "failed": ("Stopped", "bad"),
    "committed": ("Done", "good"),
    "rolling-back": ("Rollback not finished", "bad"),
    "rolled-back": ("Rolled back", "plain"),
}


@dataclass(frozen=True, slots=True)
class Badge:
    """An outcome in a word or two, and how good it is."""

    text: str
    tone: Tone


def state(run: Run | RunSummary) -> Badge:
    """How far a run came."""
    text, tone = _STATES[run.state]
    if run.state == "committed" and run.failure is not None:
        return Badge("Done in part", "warn")
    if run.state == "rolled-back" and (run.failure is not None or getattr(run, "conflicts", False)):
        return Badge("Rolled back in part", "warn")
    return Badge(text, tone)


def verdict(test: Tested | None) -> Badge:
    """What the smoke tests of a replacement came to; None: there were none."""
    if test is None:
        return Badge("Not tested", "plain")
    badge = judged(test.comparison.verdict)
    if test.accepted and test.comparison.verdict != "go":
        return Badge(f"{badge.text}, accepted", "warn")
    return badge


def judged(word: VerdictWord) -> Badge:
    """A verdict by itself, whether or not it was accepted."""
    return Badge(*_VERDICTS[word])


def moved(run: Run) -> tuple[Change, ...]:
    """Names that were there, or were asked for, and mean something else now. A target that is new here is none."""
    return tuple(change for change in run.changes if change.what != "pulled")


def headline(run: Run) -> str:
    """What came of a run, in one sentence."""
    names = [change.name for change in moved(run)]
    switched = f"{words.listed(names)} mean{'s' if len(names) == 1 else ''} a new model"
    nothing = "no name means anything else than before"
    match run.state:
        case "committed" if names:
            return f"{state(run).text}: {switched} now."
        case "committed":
            beside = words.listed(dict.fromkeys(change.target for change in run.changes))
            return f"{state(run).text}: {beside or 'the new models'} installed beside the old; {nothing}."
        case "staged":
            return f"Pulled and tested, not switched, as asked: {nothing}."
        case "failed" | "unfinished" if names:
            return f"Stopped half-way: {switched} already, the rest is as it was."
        case "failed":
            return f"Stopped before anything was switched: {nothing}."
        case "unfinished":
            return f"Not finished, and nothing was switched yet: {nothing}."
        case "rolling-back":
            return f"The rollback did not end: {switched if names else nothing}."
        case _ if run.conflicts:
            return f"Undone, except for {words.listed(name for name, _ in run.conflicts)}, which somebody else changed."
        case _ if names:
            return f"Undone in part: {switched} still."
        case _:
            return f"Undone: {nothing}."


def change(item: Change) -> str:
    """What happened to a name."""
    match item.what:
        case "pulled":
            return "pulled, new here"
        case "updated":
            return "pulled over an older build"
        case "rebuilt":
            return f"built again on {item.target}"
        case "alias":
            return f"alias of {item.target}"
        case "taken-over":
            return f"taken over by {item.target}"


def replacements(run: Run) -> Iterator[tuple[Decision, TargetChoice, Tested | None]]:
    """What the run was to carry out, with the tests of each; decisions it left out are not among them."""
    left_out = {name_key(source) for source, _ in run.left_out}
    tests = {name_key(test.source): test for test in run.tests}
    for decision in run.plan.decisions:
        key = name_key(decision.source.model)
        if decision.target is not None and (key in tests or key not in left_out):
            yield decision, decision.target, tests.get(key)


def tested_as(suite: str) -> str:
    """Which smoke tests were asked for."""
    return "none" if suite == "none" else f"the {suite} suite"
