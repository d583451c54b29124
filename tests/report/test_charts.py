from __future__ import annotations

import pytest

from llamaexit.report.charts import CELL, PER_BAND, WIDTH, Value, bar_chart, matrix
from llamaexit.report.outcome import OUTCOMES


def test_longest_bar_leaves_room_for_its_figure() -> None:
    chart = bar_chart("Speed", "", [Value("old", (("old", 1.0),), "1"), Value("new", (("new", 1e9),), "1e9")])

    ends = [part.x + part.width for bar in chart.bars for part in bar.parts]
    assert max(ends) < WIDTH - 100


def test_small_figure_beside_a_large_one_is_still_to_be_seen() -> None:
    chart = bar_chart("Speed", "", [Value("old", (("old", 1e-9),), "~0"), Value("new", (("new", 1.0),), "1")])

    assert chart.bars[0].parts[0].width >= 1


@pytest.mark.parametrize("values", [[], [Value("old", (), "not measured")], [Value("old", (("old", 0.0),), "0 s")]])
def test_nothing_to_draw_draws_no_bar(values: list[Value]) -> None:
    chart = bar_chart("Speed", "", values)

    assert [bar.parts for bar in chart.bars] == [()] * len(values)


def test_parts_of_a_bar_touch() -> None:
    chart = bar_chart("Memory", "", [Value("new", (("new", 3.0), ("new ram", 1.0)), "4 GiB")])

    first, second = chart.bars[0].parts
    assert first.x + first.width == pytest.approx(second.x, abs=0.11)


def test_matrix_goes_on_below_when_a_band_is_full() -> None:
    drawn = matrix([(f"check {n}", "pass", "fail") for n in range(PER_BAND + 1)], "", OUTCOMES)

    assert [text for text, _ in drawn.labels] == ["old", "new", "old", "new"]
    assert len({(cell.x, cell.y) for cell in drawn.cells}) == 2 * (PER_BAND + 1)
    assert max(cell.x for cell in drawn.cells) + CELL == drawn.width <= WIDTH
    assert max(cell.y for cell in drawn.cells) + CELL == drawn.height


def test_mark_says_which_check_of_which_model_it_is() -> None:
    drawn = matrix([("calls a tool", None, "fail")], "", OUTCOMES)

    assert [cell.text for cell in drawn.cells] == ["calls a tool, old: not tested", "calls a tool, new: failed"]
