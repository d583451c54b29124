"""What a check is, and what it says. A check puts its questions through a `Bench` and judges the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from llamaexit.recipes.model import Use
from llamaexit.smoke.asking import Unanswered

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench
    from llamaexit.smoke.model import Fault, Outcome, Subject, Suite

Case = TypeVar("Case")

TEXT_USES = frozenset(get_args(Use)) - {"embedding", "guard"}
"""Uses whose models write text."""
CHAT_USES = TEXT_USES - {"fim", "text"}
"""Uses whose models were taught to answer, not only to go on with a text."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. The fields are those of `CheckResult`; evidence, id and times are added by the runner."""

    outcome: Outcome
    reason: str = ""
    fault: Fault = ""
    won: tuple[bool, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    title: what a model that passes does (`keeps to a JSON schema`). run: puts the questions and judges; it may raise
    Unanswered. uses: it is put to models of any of these. writes, reads: tokens that all its questions together will
    usually take. route: on `v1` the context cannot be set, so that Ollama may load the model anew: those go last.
    lacks: says why a model cannot be asked, or nothing. advisory: whatever it finds, it does not stop a switch. own: it
    comes from a recipe, and is put whatever the time.
    """

    id: str
    title: str
    run: Callable[[Bench], Finding]
    uses: frozenset[Use] = CHAT_USES
    suites: tuple[Suite, ...] = ("quick", "full")
    writes: int = 100
    reads: int = 100
    route: Literal["native", "v1"] = "native"
    lacks: Callable[[Subject], str] | None = None
    advisory: bool = False
    own: bool = False

    def applies(self, subject: Subject, suite: Suite) -> bool:
        """Whether it is put to a model of these uses in this suite."""
        return suite in self.suites and not self.uses.isdisjoint(subject.uses)


class Tally:
    """How several questions of one check went, one by one.

    A question that is answered with an error counts as lost, since many failures hang on the very words of a prompt.
    One that could not be put, or whose error would meet all others, ends the check.
    """

    def __init__(self) -> None:
        self.won: list[bool] = []
        self.problems: list[str] = []
        self.faults: list[Fault] = []
        self.figures: dict[str, float] = {}

    def each(self, cases: Iterable[Case], ask: Callable[[Case], str]) -> Tally:
        """Put one question for each case. `ask` says what is wrong with the answer, or nothing. Raises Unanswered."""
        for case in cases:
            self.add(lambda case=case: ask(case))  # type: ignore[misc]
        return self

    def add(self, ask: Callable[[], str]) -> None:
        """Put one question. Raises Unanswered."""
        try:
            problem, fault = ask(), "wrong"
        except Unanswered as error:
            if error.outcome == "error" or error.lasting:
                raise
            problem, fault = error.reason, error.fault
        self.won.append(not problem)
        if problem:
            self.problems.append(problem)
            self.faults.append(fault)  # type: ignore[arg-type]

    def finding(self, *, may_lose: int = 0) -> Finding:
        """`pass` when all went well, `warn` when no more than `may_lose` did not, `fail` otherwise."""
        lost = len(self.problems)
        if not lost:
            return Finding("pass", won=tuple(self.won), figures=self.figures)
        count = f"{lost} of {len(self.won)} answers: " if len(self.won) > 1 else ""
        outcome: Outcome = "warn" if lost <= may_lose else "fail"
        return Finding(outcome, f"{count}{self.problems[0]}", self.faults[0], tuple(self.won), self.figures)
