"""Checks that measure: where the model lies, how fast it is, how soon it answers, how well it does sums."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.ollama.inference import Reply
from llamaexit.smoke.checks import load_after, load_residency, perf_rate, perf_turn2, perf_useful, reason_mini
from llamaexit.smoke.model import CheckResult, Residency
from llamaexit.smoke.runner import put
from smoke_cases import NAME, SUBJECT, found, installed, reply, said, scripted_bench, streamed
from standin import brains
from standin.behaviour import Said
from standin.brains import LLAMA, QWEN, Brain, only_when


def loaded(brain: Brain, **facts: object) -> CheckResult:
    """What loading a model finds, without loading it before."""
    with installed(brain, **facts) as place:  # type: ignore[arg-type]
        return put(load_residency.CHECK, place.bench())


def test_a_model_that_loads_as_planned_passes() -> None:
    result = loaded(LLAMA, gpu_share=1.0)
    assert (result.outcome, result.figures["gpu_share"]) == ("pass", 1.0)
    assert result.figures["memory_bytes"] > 0
    assert result.figures["load_seconds"] > 0


def test_less_on_the_gpu_than_planned_is_worth_a_word() -> None:
    result = loaded(brains.half_on_the_cpu(LLAMA), gpu_share=1.0)
    assert (result.outcome, result.figures["gpu_share"]) == ("warn", 0.5)
    assert result.reason == "50% of it is on the GPU, the plan reckoned with 100%"


def test_as_much_on_the_gpu_as_planned_passes() -> None:
    assert loaded(LLAMA.but(gpu_share=0.49), gpu_share=0.5).outcome == "pass"


def test_without_a_gpu_nothing_is_missing() -> None:
    assert loaded(LLAMA.but(gpu_share=0.0), gpu_share=0.0).outcome == "pass"


def test_less_context_than_asked_for_is_a_failure() -> None:
    result = loaded(LLAMA, context=65_536)
    assert (result.outcome, result.fault) == ("fail", "wrong")
    assert result.reason == "it runs with 40,960 tokens of context, 65,536 were asked for"


def test_a_server_that_does_not_tell_the_context_passes() -> None:
    assert loaded(LLAMA, version="0.9.6").outcome == "pass"


def test_a_model_that_is_too_large_does_not_load() -> None:
    result = loaded(brains.too_large(LLAMA))
    assert (result.outcome, result.fault) == ("fail", "no-fit")
    assert "19.3 GiB" in result.reason


def test_a_model_nobody_lists_is_worth_a_word() -> None:
    bench, _ = scripted_bench(reply({"done": True, "done_reason": "load", "response": ""}))
    assert load_residency.run(bench).outcome == "warn"


def after(share: float | None, before: float = 1.0) -> CheckResult:
    models = [] if share is None else [{"name": NAME, "digest": "d" * 64, "size": 1000, "size_vram": int(share * 1000)}]
    bench, _ = scripted_bench(said(""), models=models)
    bench.residency = Residency(1000, int(before * 1000), 4096)
    return put(load_after.CHECK, bench)


@pytest.mark.parametrize(
    ("share", "outcome"),
    [
        pytest.param(1.0, "pass", id="all as before"),
        pytest.param(0.985, "pass", id="nearly as before"),
        pytest.param(0.97, "fail", id="less than before"),
        pytest.param(None, "warn", id="somebody else loaded a model"),
    ],
)
def test_where_the_model_lies_in_the_end(share: float | None, outcome: str) -> None:
    assert after(share).outcome == outcome


def test_speed_is_what_ollama_counted() -> None:
    result = found(perf_rate.CHECK, LLAMA.but(tokens_per_second=37.5, prompt_tokens_per_second=900.0))
    assert result.outcome == "pass"
    assert result.figures["tokens_per_second"] == pytest.approx(37.5, rel=0.01)
    assert result.figures["prompt_tokens_per_second"] == pytest.approx(900, rel=0.01)


def counted(tokens: int, seconds: float, prompt: int = 400, prompt_seconds: float = 0.5) -> Reply:
    body = {
        "response": "x", "done": True, "done_reason": "length", "eval_count": tokens,
        "eval_duration": int(seconds * 1e9), "prompt_eval_count": prompt,
        "prompt_eval_duration": int(prompt_seconds * 1e9),
    }  # fmt: skip
    return reply(body)


def test_speed_is_the_median_of_three() -> None:
    bench, _ = scripted_bench(counted(200, 4), counted(200, 20), counted(200, 5))
    assert perf_rate.run(bench).figures["tokens_per_second"] == 40


def test_an_answer_of_a_few_tokens_measures_nothing() -> None:
    bench, _ = scripted_bench(counted(15, 0.001))
    finding = perf_rate.run(bench)
    assert (finding.outcome, finding.figures) == ("warn", {})


def test_speed_is_measured_on_prompts_that_differ_from_the_first_word_on() -> None:
    result = found(perf_rate.CHECK, LLAMA)
    openings = {exchange.request["prompt"][:20] for exchange in result.exchanges}
    assert len(openings) == 3


def content(seconds: float, text: str = "Eight.", thinking_for: float = 0.0) -> Reply:
    thoughts = [(thinking_for / 2, {"message": {"content": "", "thinking": "Well…"}})] if thinking_for else []
    return streamed(
        *thoughts, (seconds, {"message": {"content": text}, "done": False}),
        (seconds + 1, {"message": {"content": ""}, "done": True, "done_reason": "stop"}),
    )  # fmt: skip


def test_the_wait_for_an_answer_is_the_median_of_three_and_ends_with_thinking() -> None:
    bench, inference = scripted_bench(content(0.2), content(9.0, thinking_for=8), content(0.4))
    finding = perf_useful.run(bench)
    assert (finding.outcome, finding.figures) == ("pass", {"first_content_seconds": 0.4})
    assert all(request["stream"] and "think" not in request for request in inference.asked)


def test_an_answer_that_never_begins_is_a_failure() -> None:
    result = found(perf_useful.CHECK, QWEN.but(brains.spends_all_on_thinking), thinks=True)
    assert (result.outcome, result.figures) == ("fail", {})
    assert "no word of an answer within 512 tokens" in result.reason


def turns(first: float | None, second: float | None) -> CheckResult:
    replies = []
    for seconds in (first, second):
        counters = {} if seconds is None else {"prompt_eval_duration": int(seconds * 1e9), "prompt_eval_count": 2000}
        replies.append(said("About a town.", **counters))
    bench, inference = scripted_bench(*replies)
    result = put(perf_turn2.CHECK, bench)
    assert [len(request["messages"]) for request in inference.asked] == [1, 3]
    return result


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        pytest.param(4.0, 0.1, "pass", id="the first turn is remembered"),
        pytest.param(4.0, 2.0, "pass", id="half of it is read again"),
        pytest.param(4.0, 2.1, "warn", id="more than half is read again"),
        pytest.param(0.2, 0.2, "pass", id="all of it, and nobody notices"),
        pytest.param(None, None, "warn", id="nobody counts"),
    ],
)
def test_what_the_second_turn_reads_again(first: float | None, second: float | None, outcome: str) -> None:
    result = turns(first, second)
    assert result.outcome == outcome
    if second is not None:
        assert result.figures["second_turn_seconds"] == second


def test_the_second_turn_never_stops_a_switch() -> None:
    result = found(perf_turn2.CHECK, LLAMA.but(brains.breaks_down("something is wrong")))
    assert (result.outcome, result.fault) == ("warn", "broken")


def test_a_good_model_does_sums() -> None:
    result = found(reason_mini.CHECK, LLAMA)
    assert (result.outcome, sum(result.won), result.cases) == ("pass", 10, 10)


def wrong_in(*words: str) -> Brain:
    return LLAMA.but(
        only_when(
            lambda turn: any(word in turn.last for word in words), lambda turn, said: replace(said, content="7000")
        )
    )


SUBJECTS = ("eggs", "stamps", "bus", "friends", "path", "tables", "tank", "cakes", "seats", "Tim")


@pytest.mark.parametrize(
    ("wrong", "outcome"),
    [
        pytest.param(3, "pass", id="seven of ten are right"),
        pytest.param(4, "warn", id="six are right"),
        pytest.param(7, "warn", id="three are right"),
        pytest.param(8, "fail", id="two are right"),
    ],
)
def test_how_many_sums_have_to_be_right(wrong: int, outcome: str) -> None:
    result = found(reason_mini.CHECK, wrong_in(*SUBJECTS[:wrong]))
    assert (result.outcome, result.won.count(False)) == (outcome, wrong)


def test_a_number_at_the_end_of_an_explanation_counts() -> None:
    explains = LLAMA.but(lambda turn, said: replace(said, content=f"First 6 x 7, then 3 less: **{said.content}**."))
    assert found(reason_mini.CHECK, explains).outcome == "pass"


def test_an_answer_without_a_number_is_wrong() -> None:
    result = found(reason_mini.CHECK, LLAMA.but(lambda turn, said: Said("Many.")))
    assert result.outcome == "fail"
    assert "an answer without a number" in result.reason


def test_the_sums_are_others_in_every_run_and_none_is_below_zero() -> None:
    for seed in range(300):
        bench, _ = scripted_bench(said("x"), subject=SUBJECT)
        bench.seed = seed
        questions = reason_mini.questions(bench.random("reason.mini"))
        assert len(questions) == 10
        assert all(right >= 0 for _, right in questions)
