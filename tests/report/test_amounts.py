from __future__ import annotations

import pytest

from llamaexit.report import amounts
from llamaexit.smoke.model import Measured


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (41.24, "tokens/s", "41.2 tokens/s"),
        (1480.4, "tokens/s", "1,480 tokens/s"),
        (1e12, "tokens/s", "1e+12 tokens/s"),
        (0.0312, "seconds", "31 ms"),
        (0.62, "seconds", "0.62 s"),
        (9.96, "seconds", "10 s"),
        (402.0, "seconds", "7 min"),
        (0.0, "seconds", "0 s"),
        (7_086_696_038.0, "bytes", "6.6 GiB"),
        (0.8, "share", "80%"),
        (3.0, "", "3"),
        (None, "seconds", "not measured"),
    ],
)
def test_figures_have_three_digits_at_most_and_their_unit(value: float | None, unit: str, text: str) -> None:
    assert amounts.figure(value, unit) == text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("tokens_per_second", "speed of answers"),
        ("first_content_seconds", "time to the first word"),
        ("prompt_tokens_per_second", "prompt speed"),
        ("second_turn_seconds", "second turn"),
        ("gpu_share", "on the GPU"),
        ("memory", "memory"),
        ("something", "something"),
    ],
)
def test_name_of_a_figure_leaves_out_the_unit(name: str, title: str) -> None:
    assert amounts.title(name) == title


@pytest.mark.parametrize(
    ("better", "text"),
    [("new", "1.4 × the old, better"), ("old", "1.4 × the old, worse"), (None, "1.4 × the old")],
)
def test_comparison_says_which_is_better_off_where_that_is_clear(better: str | None, text: str) -> None:
    assert amounts.ratio(Measured("a", "", 1.0, 1.42, 1.42, better)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-25T07:46:15Z", "2026-11-25 07:46:15 UTC"),
        ("2026-11-25T07:46:15.123+00:00", "2026-11-25 07:46:15 UTC"),
        ("2026-11-25T08:46:15+01:00", "2026-11-25 07:46:15 UTC"),
        ("yesterday", "yesterday"),
        (None, ""),
    ],
)
def test_moment_is_told_in_utc(text: str | None, shown: str) -> None:
    assert amounts.moment(text) == shown


def test_time_between_two_moments_needs_both() -> None:
    assert amounts.lasted("2026-11-25T07:46:15Z", "2026-11-25T07:56:02Z") == "10 min"
    assert amounts.lasted("2026-11-25T07:46:15Z", None) == ""
    assert amounts.lasted("2026-11-25T07:46:15Z", "2026-11-25T07:56:02") == ""
