"""After all that was asked it is still in memory, and as much of it on the GPU as at first (`/api/ps`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.checks.load_residency import ALL_USES, SAME

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench


def run(bench: Bench) -> Finding:
    before, after = bench.residency, bench.ps()
    if after is None:
        return Finding("warn", "it is no longer in memory: another model may have taken its place")
    figures = {"gpu_share": after.gpu_share, "memory_bytes": float(after.size)}
    if before is not None and after.gpu_share < before.gpu_share - SAME:
        reason = f"{after.gpu_share:.0%} of it is on the GPU, {before.gpu_share:.0%} was at first"
        return Finding("fail", reason, "no-fit", figures=figures)
    return Finding("pass", figures=figures)


CHECK = Check("load.after", "stays in memory while it works", run, uses=ALL_USES, reads=1, writes=1)
