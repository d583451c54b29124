"""The verdict: only what the old model could do and the new one cannot stops a switch."""

from __future__ import annotations

import pytest
from smoke_results import SUBJECT, check, suite

from llamaexit.smoke.model import CheckResult, Outcome, Row, SuiteResult
from llamaexit.smoke.verdict import compare

FINE = check("sane.text", won=(True, True))


def row(old: CheckResult | None, new: CheckResult) -> Row:
    """The row of one check, in a comparison where all else is well."""
    before = suite(FINE, *([old] if old is not None else []))
    return compare(before, suite(FINE, new)).rows[1]


@pytest.mark.parametrize(
    ("old", "new", "blocks"),
    [
        ("pass", "pass", False), ("pass", "warn", False), ("pass", "fail", True),
        ("warn", "pass", False), ("warn", "warn", False), ("warn", "fail", True),
        ("fail", "pass", False), ("fail", "warn", False), ("fail", "fail", False),
        ("skip", "pass", False), ("skip", "fail", False),
        ("error", "pass", False), ("error", "fail", True),
        (None, "pass", False), (None, "fail", True),
    ],
)  # fmt: skip
def test_what_blocks(old: Outcome | None, new: Outcome, blocks: bool) -> None:
    found = row(check("stop.clean", old) if old else None, check("stop.clean", new))
    assert (found.old, found.new, found.blocks) == (old, new, blocks)
    verdict = compare(suite(FINE, *([check("stop.clean", old)] if old else [])), suite(FINE, check("stop.clean", new)))
    assert verdict.verdict == ("no-go" if blocks else "go")


def test_the_old_model_ran_out_of_time_so_the_new_one_has_to_pass_by_itself() -> None:
    assert row(check("stop.clean", "skip", fault="budget"), check("stop.clean", "fail")).blocks


def test_a_check_that_does_not_concern_the_old_model_does_not_block() -> None:
    found = row(check("think.on", "skip", "it does not think"), check("think.on", "fail", "it never answers"))
    assert not found.blocks
    assert found.meaning == "asked of the new model only: it never answers"


@pytest.mark.parametrize(
    ("old", "new", "meaning"),
    [
        ("pass", "fail", "the old model does it, the new one does not: why"),
        ("fail", "fail", "neither does it: why"),
        ("fail", "pass", "the new model does it, the old one did not"),
        ("pass", "warn", "why"),
        ("pass", "pass", ""),
        (None, "fail", "the new model does not: why"),
    ],
)
def test_what_a_row_says(old: Outcome | None, new: Outcome, meaning: str) -> None:
    assert row(check("stop.clean", old) if old else None, check("stop.clean", new)).meaning == meaning


def test_a_model_that_writes_no_plain_text_is_never_a_go_whatever_the_old_one_did() -> None:
    rest = check("stop.clean", "skip", "not asked", fault="wrong")
    bad = suite(check("sane.text", "fail", "an empty answer"), rest)
    comparison = compare(bad, bad)
    assert (comparison.verdict, comparison.reason) == ("no-go", "does sane.text: an empty answer")
    assert [found.blocks for found in comparison.rows] == [True, False]


def test_no_go_names_the_first_reason_and_counts_the_others() -> None:
    old = suite(FINE, check("a"), check("b"))
    new = suite(FINE, check("a", "fail", "one"), check("b", "fail", "two"))
    assert compare(old, new).reason == "does a (and 1 more): the old model does it, the new one does not: one"


def verdict(new: SuiteResult, old: SuiteResult | None = None) -> tuple[str, str]:
    comparison = compare(old, new)
    return comparison.verdict, comparison.reason


def test_all_well() -> None:
    same = suite(FINE, check("a"))
    assert verdict(same, same) == ("go", "does all that the old one did")


@pytest.mark.parametrize(
    ("remarks", "told"), [(1, "with one remark"), (2, "with 2 remarks")], ids=["one remark", "two remarks"]
)
def test_remarks_are_counted(remarks: int, told: str) -> None:
    warned = [check(f"c{number}", "warn") for number in range(remarks)]
    assert verdict(suite(FINE, *warned), suite(FINE, *warned)) == ("go", f"does all that the old one did, {told}")


def test_without_an_old_model_the_new_one_passes_by_itself() -> None:
    assert verdict(suite(FINE)) == ("go", "passes by itself")
    assert verdict(suite(FINE, check("a", "fail")))[0] == "no-go"


@pytest.mark.parametrize(
    ("outcome", "fault", "word"),
    [
        pytest.param("skip", "budget", "not-enough-evidence", id="no time was left"),
        pytest.param("error", "timeout", "not-enough-evidence", id="no answer in time"),
        pytest.param("error", "broken", "error", id="the server failed"),
        pytest.param("skip", "broken", "error", id="not asked after the server failed"),
        pytest.param("skip", "", "go", id="it does not concern the model"),
    ],
)
def test_what_could_not_be_asked(outcome: Outcome, fault: str, word: str) -> None:
    new = suite(FINE, check("stop.clean", outcome, fault=fault))
    assert verdict(new, suite(FINE, check("stop.clean")))[0] == word


def test_what_the_old_model_failed_need_not_be_known_of_the_new_one() -> None:
    new = suite(FINE, check("stop.clean", "skip", fault="budget"))
    assert verdict(new, suite(FINE, check("stop.clean", "fail")))[0] == "go"


def test_a_check_that_never_stops_a_switch_does_not_stop_it_by_lacking_either() -> None:
    new = suite(FINE, check("perf.turn2", "skip", fault="budget"))
    assert verdict(new, suite(FINE, check("perf.turn2")))[0] == "go"


def test_what_is_known_to_be_worse_counts_more_than_what_is_not_known() -> None:
    new = suite(FINE, check("a", "fail"), check("b", "error"), check("c", "skip", fault="budget"))
    assert verdict(new, suite(FINE, check("a"), check("b"), check("c")))[0] == "no-go"


def test_a_server_that_failed_counts_more_than_time_that_ran_out() -> None:
    new = suite(FINE, check("b", "skip", fault="budget"), check("c", "error"))
    assert verdict(new, suite(FINE, check("b"), check("c"))) == ("error", "does c: why")


def test_nothing_asked_is_no_evidence() -> None:
    assert verdict(suite()) == ("not-enough-evidence", "nothing was asked")


@pytest.mark.parametrize(
    ("outcome", "fault", "word"),
    [
        ("fail", "no-fit", "no-go"), ("fail", "too-old", "no-go"), ("fail", "unsupported", "no-go"),
        ("fail", "broken", "no-go"), ("error", "broken", "error"), ("error", "timeout", "not-enough-evidence"),
    ],
)  # fmt: skip
def test_a_new_model_that_does_not_load(outcome: Outcome, fault: str, word: str) -> None:
    load = check("load.residency", outcome, "more memory than there is", fault=fault)
    new = suite(load, failed_to_load="more memory than there is", fault=fault, residency=None)
    assert verdict(new, suite(FINE)) == (word, "it could not be loaded: more memory than there is")


def test_an_old_model_that_does_not_load_is_no_baseline() -> None:
    old = suite(check("load.residency", "fail"), failed_to_load="too large", fault="no-fit")
    comparison = compare(old, suite(FINE, check("a", "fail")))
    assert comparison.verdict == "no-go"
    assert comparison.rows[1].old is None
    assert comparison.baseline == "The old model could not be loaded (too large), so the new one had to pass by itself."


def test_the_baseline_is_named() -> None:
    assert compare(None, suite(FINE)).baseline.startswith("The old model was not tested")
    assert compare(suite(FINE), suite(FINE)).baseline.startswith("The old model was tested first")


def measured(check_id: str, old: dict[str, float], new: dict[str, float], **subject: object) -> Row:
    """The row of a check whose figures are these."""
    from dataclasses import replace

    about = replace(SUBJECT, **subject)  # type: ignore[arg-type]
    before = suite(FINE, check(check_id, figures=old))
    return compare(before, suite(FINE, check(check_id, figures=new), subject=about)).rows[1]


@pytest.mark.parametrize(
    ("new", "outcome", "blocks"),
    [(70.0, "pass", False), (69.0, "warn", False), (40.0, "warn", False), (39.0, "fail", True), (150.0, "pass", False)],
)
@pytest.mark.parametrize("figure", ["tokens_per_second", "prompt_tokens_per_second"])
def test_a_slower_model(figure: str, new: float, outcome: Outcome, blocks: bool) -> None:
    found = measured("perf.rate", {figure: 100.0}, {figure: new})
    assert (found.new, found.blocks) == (outcome, blocks)
    assert (f"at {new:.0f}% of the old speed" in found.meaning) == (outcome != "pass")


def test_the_slower_of_reading_and_writing_counts() -> None:
    old = {"tokens_per_second": 100.0, "prompt_tokens_per_second": 1000.0}
    found = measured("perf.rate", old, {"tokens_per_second": 60.0, "prompt_tokens_per_second": 300.0})
    assert (found.blocks, found.meaning) == (True, "it reads at 30% of the old speed")


def test_speed_that_was_not_measured_does_not_block() -> None:
    assert measured("perf.rate", {}, {"tokens_per_second": 1.0}).new == "pass"
    assert measured("perf.rate", {"tokens_per_second": 100.0}, {}).new == "pass"


@pytest.mark.parametrize(
    ("old", "new", "thinks", "outcome", "blocks"),
    [
        pytest.param(0.5, 1.5, False, "pass", False, id="three times as long"),
        pytest.param(0.5, 1.6, False, "fail", True, id="more than three times as long"),
        pytest.param(0.5, 1.6, True, "warn", False, id="as it thinks, which was known"),
        pytest.param(0.5, 1.6, None, "fail", True, id="nobody knew that it thinks"),
        pytest.param(0.1, 0.5, False, "pass", False, id="half a second is soon enough"),
        pytest.param(0.1, 0.51, False, "fail", True, id="more than half a second is not"),
    ],
)
def test_a_later_first_word(old: float, new: float, thinks: bool | None, outcome: Outcome, blocks: bool) -> None:
    name = "first_content_seconds"
    found = measured("perf.useful", {name: old}, {name: new}, thinks=thinks)
    assert (found.new, found.blocks) == (outcome, blocks)


@pytest.mark.parametrize(
    ("old", "new", "outcome", "blocks"),
    [
        pytest.param(1.0, 1.0, "pass", False, id="all of both"),
        pytest.param(1.0, 0.996, "pass", False, id="nearly all"),
        pytest.param(1.0, 0.99, "fail", True, id="no longer all of it"),
        pytest.param(0.99, 0.975, "pass", False, id="hardly less"),
        pytest.param(0.6, 0.57, "warn", False, id="less of what was not all"),
        pytest.param(0.0, 0.0, "pass", False, id="no GPU at all"),
        pytest.param(0.5, 1.0, "pass", False, id="more than before"),
    ],
)
@pytest.mark.parametrize("check_id", ["load.residency", "load.after"])
def test_less_on_the_gpu(check_id: str, old: float, new: float, outcome: Outcome, blocks: bool) -> None:
    found = measured(check_id, {"gpu_share": old}, {"gpu_share": new})
    assert (found.new, found.blocks) == (outcome, blocks)


def test_a_share_nobody_told_is_not_judged() -> None:
    assert measured("load.residency", {}, {"gpu_share": 0.1}).new == "pass"
    assert measured("load.residency", {"gpu_share": 1.0}, {}).new == "pass"


@pytest.mark.parametrize(("tokens", "outcome"), [(350.0, "pass"), (351.0, "warn")], ids=["three times and 50", "more"])
@pytest.mark.parametrize("check_id", ["think.naive", "think.off.chat", "think.off.generate", "think.off.v1"])
def test_many_more_words(check_id: str, tokens: float, outcome: Outcome) -> None:
    found = measured(check_id, {"answer_tokens": 100.0}, {"answer_tokens": tokens})
    assert (found.new, found.blocks) == (outcome, False)


@pytest.mark.parametrize(
    ("right", "blocks"), [(9, False), (7, False), (6, True)], ids=["same", "two less", "three less"]
)
def test_fewer_sums(right: int, blocks: bool) -> None:
    old = suite(FINE, check("reason.mini", won=(True,) * 9 + (False,)))
    outcome: Outcome = "pass" if right >= 7 else "warn"
    new = suite(FINE, check("reason.mini", outcome, won=(True,) * right + (False,) * (10 - right)))
    assert compare(old, new).rows[1].blocks is blocks


def test_a_remark_of_the_check_itself_is_kept_beside_that_of_the_comparison() -> None:
    before = suite(FINE, check("think.naive", figures={"answer_tokens": 10.0}))
    after = suite(FINE, check("think.naive", "warn", "it thinks", figures={"answer_tokens": 500.0}))
    found = compare(before, after).rows[1]
    assert found.meaning == "it thinks; it takes 500 tokens for what took the old one 10"


def test_figures_stand_side_by_side_with_their_units() -> None:
    old = suite(
        check("load.residency", figures={"load_seconds": 2.0, "memory_bytes": 5e9, "gpu_share": 1.0}),
        check("perf.rate", figures={"tokens_per_second": 40.0, "prompt_tokens_per_second": 800.0}),
        check("perf.useful", figures={"first_content_seconds": 0.4}),
    )  # fmt: skip
    new = suite(
        check("load.residency", figures={"load_seconds": 4.0, "memory_bytes": 6e9, "gpu_share": 0.5}),
        check("perf.rate", figures={"tokens_per_second": 60.0, "prompt_tokens_per_second": 810.0}),
        check("perf.turn2", figures={"second_turn_seconds": 0.2, "first_turn_seconds": 9.0}),
        check("load.after", figures={"gpu_share": 0.1}),
    )  # fmt: skip
    found = {one.name: (one.unit, one.old, one.new, one.ratio, one.better) for one in compare(old, new).figures}
    assert found == {
        "tokens_per_second": ("tokens/s", 40.0, 60.0, 1.5, "new"),
        "prompt_tokens_per_second": ("tokens/s", 800.0, 810.0, pytest.approx(1.0125), None),
        "first_content_seconds": ("seconds", 0.4, None, None, None),
        "second_turn_seconds": ("seconds", None, 0.2, None, None),
        "gpu_share": ("share", 1.0, 0.5, None, "old"),
        "memory": ("bytes", 5e9, 6e9, 1.2, None),
        "load_seconds": ("seconds", 2.0, 4.0, 2.0, None),
    }


@pytest.mark.parametrize(("new", "better"), [(0.2, "new"), (0.41, None), (0.8, "old")])
def test_of_a_wait_the_shorter_is_better(new: float, better: str | None) -> None:
    old = suite(check("perf.useful", figures={"first_content_seconds": 0.4}))
    (figure,) = compare(old, suite(check("perf.useful", figures={"first_content_seconds": new}))).figures
    assert figure.better == better


def test_without_an_old_model_figures_stand_alone() -> None:
    (figure,) = compare(None, suite(check("perf.rate", figures={"tokens_per_second": 40.0}))).figures
    assert (figure.old, figure.new, figure.ratio) == (None, 40.0, None)
