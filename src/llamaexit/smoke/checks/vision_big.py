"""It takes a picture of four megapixels without falling over: some models need more memory the larger a picture is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.checks.vision_read import misread
from llamaexit.smoke.drawing import Picture

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_EDGE = 2048
_MOSTLY = 0.5


def run(bench: Bench) -> Finding:
    before = bench.residency
    if before is not None and before.gpu_share < _MOSTLY:
        return Finding("skip", "only asked of models on a GPU: on a processor it takes minutes")
    word = bench.word("vision.big")
    problem = misread(bench, Picture(word, _EDGE, _EDGE, dot=30))
    after = bench.ps()
    if after is None:
        return Finding("fail", "after the picture it is no longer in memory", "no-fit", (False,))
    if before is not None and after.gpu_share < before.gpu_share - 0.02:
        reason = f"after the picture {after.gpu_share:.0%} of it is on the GPU, before it was {before.gpu_share:.0%}"
        return Finding("fail", reason, "no-fit", (False,))
    if problem:
        # reading is the business of vision.read; a large picture is scaled down until its letters are small
        return Finding("warn", problem, "wrong", (False,))
    return Finding("pass", won=(True,))


CHECK = Check(
    "vision.big", "survives a large picture", run, uses=frozenset({"vision"}), suites=("full",), reads=6000, writes=20
)
