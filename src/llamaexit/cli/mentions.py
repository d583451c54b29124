"""Models that a command line mentions: none may be a slip of the keyboard that changes nothing without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.errors import UsageError
from llamaexit.planning.rules import means
from llamaexit.recipes.names import name_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llamaexit.planning.options import PlanOptions
    from llamaexit.planning.plan import Plan
    from llamaexit.snapshot import Snapshot


class Mentions:
    """The names and patterns after `--only`, `--skip`, `--lineage` and `--use`, less those that meant a model so far.

    One plan is enough for a command about one machine; for many machines each mention has to mean a model on one.
    """

    def __init__(self, options: PlanOptions) -> None:
        self._named = options.models
        self._patterns = [("--only", text) for text in options.only] + [("--skip", text) for text in options.skip]
        self._answered = list(options.lineage)
        self._used = list(options.uses)
        self._planned: dict[str, None] = {}

    def met(self, snapshot: Snapshot, plan: Plan) -> None:
        """Take note of the models of one machine and of its plan."""
        here = self._named or tuple(model.name for model in snapshot.models)
        known = {name_key(name) for name in (*here, *(model.name for model in snapshot.models))}
        planned = [*(decision.source.model for decision in plan.decisions), *(asked.name for asked in plan.asked)]
        self._planned.update(dict.fromkeys(planned))
        self._patterns = [(option, text) for option, text in self._patterns if not any(means(text, n) for n in here)]
        self._answered = [name for name in self._answered if name_key(name) not in known]
        self._used = _without(self._used, planned)

    def unmet(self) -> UsageError | None:
        """What is wrong with the first mention that meant nothing."""
        if self._patterns:
            option, text = self._patterns[0]
            return UsageError(f"{option}: no model here matches {text!r}", hint=_LIST)
        if self._answered:
            return UsageError(f"--lineage: no model here is called {self._answered[0]}", hint=_LIST)
        if self._used:
            return nothing_about("--use", self._used[0], self._planned)
        return None


_LIST = "llamaexit inspect lists them all"


def nothing_about(option: str, name: str, planned: Iterable[str]) -> UsageError:
    """The error for a name that a plan says nothing about, with the nearest name of the plan."""
    from difflib import get_close_matches

    near = get_close_matches(name_key(name), list(planned), n=1)
    hint = f"did you mean {near[0]}?" if near else "--only and --skip may leave it out"
    return UsageError(f"{option}: the plan says nothing about {name}", hint=hint)


def _without(names: list[str], met: Iterable[str]) -> list[str]:
    keys = {name_key(name) for name in met}
    return [name for name in names if name_key(name) not in keys]
