"""It ends its answers by itself, without going round in circles, and keeps to stop strings of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import plainly
from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.texts import repeats

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

BUDGET = 400
_LIST = "Name five fruits, one on each line. Write nothing else."
_PAST_THE_END = (
    "Write the numbers from one to five as words, one on each line. After them write END on a line of its own, and"
    " after that the numbers from six to ten."
)
_STOP = "END"


def run(bench: Bench) -> Finding:
    tally = Tally()
    tally.add(lambda: _by_itself(bench))
    tally.add(lambda: _at_the_stop(bench))
    return tally.finding()


def _by_itself(bench: Bench) -> str:
    answer = bench.chat(_LIST, max_tokens=BUDGET)
    return repeats(answer.text) or plainly(answer)


def _at_the_stop(bench: Bench) -> str:
    answer = bench.chat(_PAST_THE_END, max_tokens=BUDGET, options={"stop": [_STOP]})
    if _STOP in answer.text:
        return f"it goes on past the stop string {_STOP}"
    return repeats(answer.text) or plainly(answer)


CHECK = Check("stop.clean", "stops by itself", run, reads=120, writes=50)
