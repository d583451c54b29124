"""What a number of prompts proves. The figures are exact, for small numbers, too: nothing here is an approximation."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamaexit.smoke.model import CheckResult, SuiteResult

SIGNIFICANT = 0.05


def most_failures(prompts: int, failed: int = 0) -> float:
    """The share of all such prompts that go wrong, at most, with 95 % confidence, when `failed` of `prompts` did.

    The one-sided bound of Clopper and Pearson: the share at which so few failures would be seen once in twenty times.
    """
    if failed >= prompts:
        return 1.0
    low, high = failed / prompts, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(failed, prompts, middle) > SIGNIFICANT else (low, middle)
    return high


def sign_test(losses: int, wins: int) -> float:
    """How often chance alone would give so many losses or more among losses and wins, if both were as likely."""
    pairs = losses + wins
    return sum(comb(pairs, count) for count in range(losses, pairs + 1)) / 2.0**pairs


def proof(old: SuiteResult | None, new: SuiteResult) -> str:
    """What the prompts of a suite prove about a model, by itself and beside the old one, in plain sentences."""
    won = [case for result in new.results for case in result.won]
    if not won:
        return ""
    pairs = [pair for result in new.results for pair in _pairs(old, result)]
    return " ".join(filter(None, (_alone(len(won), won.count(False)), _beside(pairs))))


def _alone(prompts: int, lost: int) -> str:
    bound = most_failures(prompts, lost)
    told = f"{bound:.0%}" if bound >= 0.0995 else f"{bound:.1%}"
    if prompts == 1:
        went = "One prompt was counted, and it went " + ("wrong" if lost else "well")
    elif lost:
        went = f"{prompts - lost} of {prompts} different prompts went well"
    else:
        went = f"All {prompts} different prompts went well"
    return f"{went}: with 95% confidence, no more than {told} of such prompts go wrong."


def _beside(pairs: list[tuple[bool, bool]]) -> str:
    if not pairs:
        return ""
    losses, wins = pairs.count((True, False)), pairs.count((False, True))
    if not losses and not wins:
        return f"Both models did the same on each of {len(pairs)} prompts."
    chance = sign_test(losses, wins)
    shown = "worse than chance explains" if chance <= SIGNIFICANT else "no difference shown"
    return (
        f"Of {len(pairs)} prompts put to both, the new model lost {losses} that the old one won, and won {wins} that"
        f" the old one lost: {shown} (sign test, p = {chance:.2g})."
    )


def _pairs(old: SuiteResult | None, result: CheckResult) -> Iterator[tuple[bool, bool]]:
    before = old.result(result.id) if old is not None else None
    if before is not None and before.cases == result.cases:
        yield from zip(before.won, result.won, strict=True)


def _at_most(failed: int, prompts: int, share: float) -> float:
    """Probability of no more than `failed` failures when each prompt fails with this probability."""
    return sum(comb(prompts, count) * share**count * (1.0 - share) ** (prompts - count) for count in range(failed + 1))
