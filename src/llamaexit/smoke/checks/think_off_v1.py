"""With `reasoning_effort: "none"` on `/v1` there is no reasoning. It is the only switch there: `think` is ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.thinking import switched_off

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench


def run(bench: Bench) -> Finding:
    return switched_off(bench, bench.v1)


CHECK = Check("think.off.v1", "does not think when told so on /v1", run, reads=120, writes=50, route="v1")
