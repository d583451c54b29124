"""What was measured of two models, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from llamaexit.smoke.model import Measured

if TYPE_CHECKING:
    from llamaexit.smoke.model import SuiteResult

_MORE_IS_BETTER = ("tokens_per_second", "prompt_tokens_per_second")
_LESS_IS_BETTER = ("first_content_seconds", "second_turn_seconds")
_NEITHER = ("memory_bytes", "load_seconds")
_SAME = 0.05
"""By how much two measurements differ without either model being better off."""


def measured(old: SuiteResult | None, new: SuiteResult) -> Iterator[Measured]:
    """Every figure that was measured of either model, the most telling ones first."""
    before, after = _figures(old), _figures(new)
    for name in (*_MORE_IS_BETTER, *_LESS_IS_BETTER, "gpu_share", *_NEITHER):
        if name not in before and name not in after:
            continue
        ratio = ratio_of(before.get(name), after.get(name))
        # a model is better off with more of it on the GPU, but by how many times says nothing
        yield Measured(
            name.removesuffix("_bytes"),
            _unit(name),
            before.get(name),
            after.get(name),
            None if name == "gpu_share" else ratio,
            _better(name, ratio),
        )


def ratio_of(old: float | None, new: float | None) -> float | None:
    """New divided by old, where there are both and the old one is more than nothing."""
    return new / old if old and new is not None else None


def _better(name: str, ratio: float | None) -> Literal["old", "new"] | None:
    if ratio is None or abs(ratio - 1) <= _SAME or name in _NEITHER:
        return None
    return "old" if (ratio > 1) == (name in _LESS_IS_BETTER) else "new"


def _figures(suite: SuiteResult | None) -> dict[str, float]:
    """The figures of a suite; where two checks measured the same, that of the first."""
    found: dict[str, float] = {}
    for result in suite.results if suite is not None else ():
        found = {**result.figures, **found}
    return found


def _unit(name: str) -> str:
    if name.endswith("tokens_per_second"):
        return "tokens/s"
    return name.rpartition("_")[2]
