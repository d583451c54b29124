"""What keeps a replacement from being switched to: which check, what was asked, what was answered, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llamaexit.report.evidence import exchanges_of, one_line, visible

if TYPE_CHECKING:
    from llamaexit.migration.record import Tested
    from llamaexit.smoke.model import CheckResult, Exchange

_ASKED = ("User", "Prompt", "Input")
_ANSWERED = ("Error", "Called", "Answered")


@dataclass(frozen=True, slots=True)
class Blocking:
    """One reason. asked, answered: of the first exchange that went wrong; empty where nothing was asked."""

    title: str
    reason: str
    asked: str = ""
    answered: str = ""


def blocking(test: Tested) -> Iterator[Blocking]:
    """Why a verdict is not a go: what blocks the switch; where nothing does, what could not be asked or failed."""
    if test.comparison.verdict == "go" or test.new is None:
        return
    if test.new.failed_to_load is not None:
        yield Blocking(f"{test.target} does not load", plain(test.new.failed_to_load))
        return
    rows = [row for row in test.comparison.rows if row.blocks]
    rows = rows or [row for row in test.comparison.rows if row.new in ("fail", "error")]
    for row in rows:
        result = test.new.result(row.id)
        if result is None:
            yield Blocking(plain(row.title), plain(row.meaning))
            continue
        asked, answered = _exchange(result)
        yield Blocking(plain(row.title), plain(result.reason or row.meaning), asked, answered)


def _exchange(result: CheckResult) -> tuple[str, str]:
    """Question and answer that show what is wrong."""
    wrong = _first_wrong(result)
    if wrong is None:
        return "", ""
    (shown,) = exchanges_of(replace(result, exchanges=(wrong,))).shown
    said = dict(shown.said)
    asked = next((said[label] for label in _ASKED if label in said), "")
    answered = next((said[label] for label in _ANSWERED if label in said), "" if shown.answer else shown.status)
    return plain(asked), plain(answered)


def _first_wrong(result: CheckResult) -> Exchange | None:
    """The exchange of the first prompt that was lost, where each prompt took one; the last of all otherwise."""
    if len(result.won) == len(result.exchanges) and False in result.won:
        return result.exchanges[result.won.index(False)]
    return result.exchanges[-1] if result.exchanges else None


def plain(text: str) -> str:
    """A text of a stranger on one line, with nothing in it that works unseen."""
    return visible(one_line(text))
