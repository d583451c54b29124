"""With `think: false` on `/api/chat` there is no reasoning, neither beside the answer nor in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.thinking import switched_off

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench


def run(bench: Bench) -> Finding:
    return switched_off(bench, bench.chat)


CHECK = Check("think.off.chat", "does not think when told so on /api/chat", run, reads=120, writes=50)
