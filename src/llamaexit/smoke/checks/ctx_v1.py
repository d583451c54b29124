"""On /v1, where no client can ask for a context, it still reads a prompt that fills the planned one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.checks.ctx_window import USES
from llamaexit.smoke.window import read_whole

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench


def run(bench: Bench) -> Finding:
    return read_whole(bench, "ctx.v1", lambda text, tokens: bench.v1(text, max_tokens=tokens))


CHECK = Check(
    "ctx.v1", "reads all of a long prompt on /v1", run, uses=USES, suites=("full",), reads=6500, writes=30, route="v1"
)
