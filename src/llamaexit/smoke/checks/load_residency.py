"""It loads, with the context it is to have, and lies where the plan said it would (`/api/ps`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from llamaexit.recipes.model import Use
from llamaexit.smoke.check import Check, Finding

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

ALL_USES = frozenset(get_args(Use))
SAME = 0.02
"""By how much the part on the GPU may differ from what the plan reckoned."""


def run(bench: Bench) -> Finding:
    bench.load()
    residency = bench.residency
    figures = {"load_seconds": bench.pace.load_seconds or 0.0}
    if residency is None:
        return Finding("warn", "Ollama does not list it among the models in memory", figures=figures)
    figures |= {"memory_bytes": float(residency.size), "gpu_share": residency.gpu_share}
    wanted = bench.subject.context
    if residency.context is not None and residency.context < wanted:
        reason = f"it runs with {residency.context:,} tokens of context, {wanted:,} were asked for"
        return Finding("fail", reason, "wrong", figures=figures)
    planned = bench.subject.gpu_share
    if planned is not None and residency.gpu_share < planned - SAME:
        reason = f"{residency.gpu_share:.0%} of it is on the GPU, the plan reckoned with {planned:.0%}"
        return Finding("warn", reason, figures=figures)
    return Finding("pass", figures=figures)


CHECK = Check("load.residency", "loads and stays in memory", run, uses=ALL_USES, reads=1, writes=1)
