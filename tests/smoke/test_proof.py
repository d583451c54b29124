"""What a number of prompts proves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smoke_results import check, suite

from llamaexit.smoke.proof import most_failures, proof, sign_test


@pytest.mark.parametrize(
    ("prompts", "percent"), [(3, 63), (5, 45), (10, 26), (14, 19), (30, 9.5), (60, 4.9)], ids=lambda value: str(value)
)
def test_without_a_failure_the_bound_is_the_one_of_the_tables(prompts: int, percent: float) -> None:
    assert 100 * most_failures(prompts) == pytest.approx(percent, abs=0.5 if percent > 10 else 0.05)


@given(prompts=st.integers(1, 200))
def test_without_a_failure_the_bound_has_a_short_formula(prompts: int) -> None:
    assert most_failures(prompts) == pytest.approx(1 - 0.05 ** (1 / prompts), abs=1e-8)


@pytest.mark.parametrize(
    ("failed", "prompts", "bound"),
    [
        pytest.param(1, 10, 0.3942, id="one of ten"),
        pytest.param(2, 20, 0.2826, id="two of twenty"),
        pytest.param(5, 50, 0.1989, id="five of fifty"),
        pytest.param(3, 3, 1.0, id="all of them"),
    ],
)
def test_with_failures_the_bound_is_that_of_clopper_and_pearson(failed: int, prompts: int, bound: float) -> None:
    assert most_failures(prompts, failed) == pytest.approx(bound, abs=2e-4)


@given(prompts=st.integers(1, 60), data=st.data())
def test_the_bound_lies_above_what_was_seen_and_grows_with_it(prompts: int, data: st.DataObject) -> None:
    failed = data.draw(st.integers(0, prompts))
    bound = most_failures(prompts, failed)
    assert failed / prompts < bound + 1e-9
    assert bound <= most_failures(prompts, min(failed + 1, prompts)) + 1e-9


@pytest.mark.parametrize(
    ("losses", "wins"), [(5, 0), (7, 1), (9, 2), (10, 3), (12, 4), (13, 5), (15, 6)], ids=lambda value: str(value)
)
def test_the_sign_test_calls_a_regression_from_these_numbers_on(losses: int, wins: int) -> None:
    assert sign_test(losses, wins) <= 0.05
    assert sign_test(losses - 1, wins) > 0.05


def test_five_losses_without_a_win_come_by_chance_once_in_32() -> None:
    assert sign_test(5, 0) == 1 / 32


def test_as_many_losses_as_wins_prove_nothing() -> None:
    assert sign_test(4, 4) > 0.5


def test_the_proof_says_what_the_prompts_prove_and_how_both_models_did() -> None:
    old = suite(check("a", won=(True,) * 9 + (False,)), check("b", won=(True, True)))
    new = suite(check("a", won=(True,) * 10), check("b", won=(True, False)))
    assert proof(old, new) == (
        "11 of 12 different prompts went well: with 95% confidence, no more than 34% of such prompts go wrong."
        " Of 12 prompts put to both, the new model lost 1 that the old one won, and won 1 that the old one lost:"
        " no difference shown (sign test, p = 0.75)."
    )


def test_without_a_failure_the_proof_says_so() -> None:
    same = suite(check("a", won=(True,) * 30))
    assert proof(same, same) == (
        "All 30 different prompts went well: with 95% confidence, no more than 9.5% of such prompts go wrong."
        " Both models did the same on each of 30 prompts."
    )


def test_many_losses_are_more_than_chance_explains() -> None:
    told = proof(suite(check("a", won=(True,) * 6)), suite(check("a", won=(False,) * 5 + (True,))))
    assert "lost 5 that the old one won, and won 0" in told
    assert "worse than chance explains (sign test, p = 0.031)" in told


def test_without_an_old_model_there_is_nothing_to_compare() -> None:
    assert "Both" not in proof(None, suite(check("a", won=(True,) * 3)))
    assert proof(None, suite(check("a", won=(True,)))).startswith("One prompt was counted, and it went well: ")


def test_checks_that_put_other_numbers_of_prompts_are_not_compared() -> None:
    told = proof(suite(check("a", won=(True, True))), suite(check("a", won=(True,))))
    assert "both" not in told.lower()


def test_nothing_was_counted() -> None:
    assert proof(None, suite(check("perf.rate"))) == ""
