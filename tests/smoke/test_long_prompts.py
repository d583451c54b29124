"""Long prompts: read whole, cut in silence by the server, read and not remembered, refused."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from putting import EVERYTHING, put

from llamaexit.smoke.checks import ctx_refuse, ctx_v1, ctx_window
from llamaexit.smoke.long_text import measured, prompt
from standin.brains import breaks_down, only_when
from standin.brains_tools import OLD_AGENT, finds_codes, remembers_only_the_end


def sent_and_read(found: Any) -> tuple[float, float]:
    figures = found.result.figures
    return figures["context_sent_tokens"], figures["context_read_tokens"]


def test_a_prompt_of_three_quarters_of_the_context_is_read_to_the_token() -> None:
    found = put(ctx_window.CHECK, OLD_AGENT, context=8192)
    assert (found.result.outcome, found.result.reason, found.result.won) == ("pass", "", (True,))
    sent, read = sent_and_read(found)
    assert sent == read
    assert 0.74 * 8192 < sent <= 0.75 * 8192


def test_tokens_are_counted_by_the_model_itself_before_the_long_prompt_is_sent() -> None:
    bodies = put(ctx_window.CHECK, OLD_AGENT, context=8192).requests("/api/chat")
    assert [body["options"]["num_predict"] for body in bodies] == [1, 1, 64]
    assert {body["options"]["num_ctx"] for body in bodies} == {8192}
    lengths = [len(body["messages"][0]["content"]) for body in bodies]
    assert lengths[0] < lengths[1] < lengths[2] / 3


def test_a_model_that_was_trained_on_less_context_than_planned_has_its_prompt_cut() -> None:
    found = put(ctx_window.CHECK, OLD_AGENT, context=8192, trained=4096)
    assert (found.result.outcome, found.result.fault, found.result.won) == ("fail", "wrong", (False,))
    assert re.fullmatch(
        r"it was sent 6,1\d\d tokens and read 2,\d\d\d: the rest was cut off without a word", found.result.reason
    )


def test_a_cut_is_told_by_the_count_even_when_both_codes_are_guessed() -> None:
    def guesses(turn: Any) -> str:
        return " ".join(re.findall(r"code is (\w+)\.", turn.last)) or "none"

    result = put(ctx_window.CHECK, OLD_AGENT.can(guesses), context=8192, trained=4096).result
    assert result.outcome == "fail"
    assert "was cut off" in result.reason


@pytest.mark.parametrize(
    ("skill", "where"),
    [
        pytest.param(remembers_only_the_end, "the beginning", id="forgets the beginning"),
        pytest.param(lambda turn: "I see no codes.", "both ends", id="forgets everything"),
        pytest.param(lambda turn: (finds_codes(turn) or "").split(" and ")[0], "the end", id="stops in between"),
    ],
)
def test_a_prompt_that_is_read_and_not_remembered_fails(skill: Any, where: str) -> None:
    found = put(ctx_window.CHECK, OLD_AGENT.can(skill), context=8192)
    assert found.result.outcome == "fail"
    assert found.result.reason.endswith(f"tokens it does not find what stands at {where}")
    sent, read = sent_and_read(found)
    assert sent == read


def test_a_model_that_thinks_whatever_it_is_told_gets_the_room_for_it() -> None:
    at_length = OLD_AGENT.but(lambda turn, said: replace(said, thinking="Let me see. " * 60))
    found = put(ctx_window.CHECK, at_length, context=8192, can=EVERYTHING)
    assert (found.result.outcome, found.result.reason) == ("pass", "")
    assert [body["options"]["num_predict"] for body in found.requests("/api/chat")] == [1, 1, 64, 64 + 1024]


def test_a_model_on_the_processor_is_tried_with_what_8192_tokens_of_context_hold() -> None:
    found = put(ctx_window.CHECK, OLD_AGENT.but(gpu_share=0.0), context=32768)
    assert found.result.outcome == "pass"
    sent, _ = sent_and_read(found)
    assert 0.73 * 8192 < sent <= 0.75 * 8192
    assert found.result.reason == f"tried with {sent:,.0f} tokens only: more takes this machine long to read"


def test_a_model_that_reads_slowly_is_tried_with_what_it_reads_in_a_minute() -> None:
    found = put(ctx_window.CHECK, OLD_AGENT.but(prompt_tokens_per_second=100.0), context=32768)
    sent, _ = sent_and_read(found)
    assert 5900 < sent <= 6000


def test_no_model_is_tried_with_less_than_what_ollamas_smallest_default_cuts() -> None:
    found = put(ctx_window.CHECK, OLD_AGENT.but(prompt_tokens_per_second=30.0), context=32768)
    sent, _ = sent_and_read(found)
    assert 4900 < sent <= 5000


def test_a_model_that_breaks_down_over_a_long_prompt_fails() -> None:
    long_only = only_when(lambda turn: turn.prompt_tokens > 3000, breaks_down("the model runner has stopped"))
    result = put(ctx_window.CHECK, OLD_AGENT.but(long_only), context=8192).result
    assert (result.outcome, result.fault) == ("fail", "broken")
    assert "the model runner has stopped" in result.reason


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        pytest.param(
            {"tokens": lambda text: ["x"] * 50},
            "its tokens cannot be counted: 64 more lines are counted as 0 more tokens", id="the same for every prompt",
        ),
        pytest.param(
            {"tokens": lambda text: [], "framing": (0, 0)},
            "the server does not tell how many tokens of the prompt it read", id="nothing at all",
        ),
    ],
)  # fmt: skip
def test_a_server_whose_counts_say_nothing_leaves_the_question_open(traits: dict[str, Any], reason: str) -> None:
    result = put(ctx_window.CHECK, OLD_AGENT.but(**traits), context=8192).result
    assert (result.outcome, result.fault, result.reason) == ("error", "broken", reason)


def test_on_v1_the_default_context_of_the_server_counts() -> None:
    cut = put(ctx_v1.CHECK, OLD_AGENT, context=8192, num_ctx=4096)
    assert cut.result.outcome == "fail"
    assert "was cut off" in cut.result.reason
    whole = put(ctx_v1.CHECK, OLD_AGENT, context=8192, num_ctx=8192)
    assert (whole.result.outcome, whole.result.won) == ("pass", (True,))
    sent, read = sent_and_read(whole)
    assert sent == read > 6000


def test_on_v1_no_client_can_ask_for_a_context_and_none_is_asked_for() -> None:
    for body in put(ctx_v1.CHECK, OLD_AGENT, num_ctx=8192).requests("/v1/chat/completions"):
        assert "options" not in body


def test_a_prompt_that_is_too_long_is_refused_when_told_not_to_cut() -> None:
    found = put(ctx_refuse.CHECK, OLD_AGENT)
    assert (found.result.outcome, found.result.reason) == ("pass", "")
    (body,) = found.requests("/api/chat")
    assert (body["truncate"], body["shift"]) == (False, False)
    assert len(body["messages"][0]["content"].split()) >= 4096


def test_a_server_that_cuts_although_told_not_to_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # as one does that is older than the two settings
    monkeypatch.setattr("llamaexit.ollama.inference.Inference.ask", _without("truncate", "shift"))
    result = put(ctx_refuse.CHECK, OLD_AGENT).result
    assert result.outcome == "warn"
    assert re.fullmatch(
        r"told not to cut a prompt longer than its 4,096 tokens, it answers and reads [\d,]+ tokens", result.reason
    )


def _without(*keys: str) -> Any:
    from llamaexit.ollama.inference import Inference

    ask = Inference.ask

    def older(self: Inference, path: str, request: dict[str, Any], *, seconds: float) -> Any:
        known = {key: value for key, value in request.items() if key not in keys}
        return ask(self, path, known, seconds=seconds)

    return older


def test_another_failure_than_a_refusal_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamaexit.ollama.inference.Inference.ask", _without("truncate", "shift"))
    result = put(ctx_refuse.CHECK, OLD_AGENT.but(breaks_down("the model runner has stopped"))).result
    assert (result.outcome, result.fault) == ("warn", "broken")
    assert "the model runner has stopped" in result.reason


def test_a_context_that_takes_minutes_to_read_is_not_filled_for_that() -> None:
    found = put(ctx_refuse.CHECK, OLD_AGENT, context=65536)
    assert (found.result.outcome, found.result.reason) == ("skip", "only asked up to 32,768 tokens of context")
    assert found.requests("/api/chat") == []


def test_a_measure_says_what_any_number_of_lines_comes_to() -> None:
    measure = measured(lambda text: len(text.split()) + 17, "BAFEDI", "KOLIMA")
    for lines in (0, 9, 400):
        assert measure.tokens(lines) == len(prompt("BAFEDI", "KOLIMA", lines).split()) + 17
    assert measure.tokens(measure.lines(3000)) <= 3000 < measure.tokens(measure.lines(3000) + 1)


def test_a_model_that_counts_every_prompt_alike_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="64 more lines are counted as 0 more tokens"):
        measured(lambda text: 100, "BAFEDI", "KOLIMA")
