"""Its vectors can stand beside those of the old model. With hardly any pair of models they can."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench
    from llamaexit.smoke.model import SuiteResult

Vector = Sequence[float]

ID = "embed.compat"
SAME = 0.99
"""Cosine from which two vectors of one text count as the same."""
_TEXTS = (
    "The invoice has to be paid within thirty days.",
    "Payment of the bill is due in a month.",
    "Volcanoes form where plates of the crust drift apart.",
)
"""Two that mean about the same, and one that means something else."""


def run(bench: Bench) -> Finding:
    vectors = bench.embed(_TEXTS)
    if problem := unfit(vectors):
        return Finding("fail", problem, "wrong")
    figures = {"dimensions": float(len(vectors[0]))}
    near, far = cosine(vectors[0], vectors[1]), cosine(vectors[0], vectors[2])
    if near <= far:
        reason = f"sentences that mean the same are no closer ({near:.2f}) than others ({far:.2f})"
        return Finding("fail", reason, "wrong", figures=figures)
    if bench.old is None:
        return Finding("pass", figures=figures)
    old = vectors_of(bench.old)
    if old is None:
        return Finding("warn", "there are no vectors of the old model to compare with", figures=figures)
    return _beside(old, vectors, figures)


def _beside(old: Sequence[Vector], new: Sequence[Vector], figures: dict[str, float]) -> Finding:
    before, after = len(old[0]), len(new[0])
    if before != after:
        reason = f"vectors have {after:,} numbers, those of the old model {before:,}: everything has to be indexed anew"
        return Finding("fail", reason, "wrong", figures=figures)
    least = min(map(cosine, old, new))
    figures = {**figures, "cosine_with_old": least}
    if least < SAME:
        reason = (
            f"vectors of one text point elsewhere than those of the old model (cosine {least:.2f}), though they are as"
            " long: no error will tell, and everything has to be indexed anew"
        )
        return Finding("fail", reason, "wrong", figures=figures)
    return Finding("pass", figures=figures)


def vectors_of(result: SuiteResult) -> tuple[Vector, ...] | None:
    """The vectors an earlier run of this check kept as evidence."""
    check = result.result(ID)
    answer = check.exchanges[0].answer if check is not None and check.exchanges else None
    vectors = answer.get("embeddings") if answer is not None else None
    if not isinstance(vectors, (list, tuple)) or len(vectors) != len(_TEXTS) or unfit(vectors):
        return None
    return tuple(vectors)


def unfit(vectors: Sequence[Vector]) -> str:
    """Why vectors are none, in words; nothing when they are."""
    if len(vectors) != len(_TEXTS):
        return f"{len(vectors)} vectors for {len(_TEXTS)} texts"
    numbers = [number for vector in vectors for number in vector]
    if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
        return "vectors with something in them that is no number"
    if len({len(vector) for vector in vectors}) > 1:
        return "vectors of different lengths"
    return "" if all(map(any, vectors)) else "a vector of nothing but zeros"


def cosine(one: Vector, other: Vector) -> float:
    """How far two vectors point the same way, -1 to 1."""
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))


CHECK = Check(ID, "gives the vectors of the old model", run, uses=frozenset({"embedding"}), reads=60, writes=1)
