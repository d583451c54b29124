"""Deadlines and budgets follow what was measured, within limits."""

from __future__ import annotations

import pytest

from llamaexit.smoke.answer import Answer
from llamaexit.smoke.pace import CEILING, FLOOR, Pace


def measured(*, reads: float, writes: float, tokens: int = 100, prompt_tokens: int = 100) -> Answer:
    return Answer(
        "x", tokens=tokens, prompt_tokens=prompt_tokens, answer_seconds=tokens / writes,
        prompt_seconds=prompt_tokens / reads,
    )  # fmt: skip


def paced(*, load: float = 0.0, reads: float = 1000, writes: float = 50) -> Pace:
    pace = Pace()
    pace.load_seconds = load
    pace.learn(measured(reads=reads, writes=writes))
    return pace


def test_loading_is_waited_for_as_long_as_anything() -> None:
    assert Pace().deadline(10, 10) == CEILING


def test_a_deadline_is_twice_what_loading_reading_and_writing_take() -> None:
    assert paced(load=5, reads=100, writes=10).deadline(500, 200) == pytest.approx(2 * (5 + 5 + 20))


def test_a_fast_model_is_waited_for_long_enough_all_the_same() -> None:
    assert paced().deadline(100, 50) == FLOOR


def test_a_slow_model_is_not_waited_for_without_end() -> None:
    assert paced(writes=1).deadline(100, 400) == CEILING


def test_a_limit_of_the_user_is_the_limit() -> None:
    pace = Pace(7.5)
    assert (pace.deadline(10**6, 10**6), pace.budget("quick")) == (7.5, float("inf"))


def test_the_slowest_measurement_counts_since_a_cached_prompt_looks_fast() -> None:
    pace = paced(reads=100, writes=10)
    pace.learn(measured(reads=90_000, writes=50))
    assert (pace.reads, pace.writes) == (100, 10)


def test_a_few_tokens_measure_nothing() -> None:
    pace = Pace()
    pace.learn(measured(reads=1, writes=1, tokens=3, prompt_tokens=31))
    assert (pace.reads, pace.writes) == (None, None)


def test_an_answer_without_counters_measures_nothing() -> None:
    pace = Pace()
    pace.learn(Answer("x"))
    assert (pace.reads, pace.writes) == (None, None)


@pytest.mark.parametrize(
    ("writes", "seconds"),
    [
        pytest.param(90, 180, id="a fast card gets no less"),
        pytest.param(30, 180, id="the reference"),
        pytest.param(10, 540, id="a third of the speed, three times the time"),
        pytest.param(1, 1800, id="half an hour at most"),
    ],
)
def test_the_time_for_a_quick_suite_grows_as_the_model_is_slow(writes: float, seconds: float) -> None:
    assert paced(writes=writes).budget("quick") == pytest.approx(seconds)


def test_a_full_suite_gets_more_time_than_a_quick_one() -> None:
    assert paced().budget("full") == 4 * paced().budget("quick")
