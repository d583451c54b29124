"""A suite from loading to letting go: in which order, when it ends early, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from llamaexit.recipes.model import Expect, SmokeCheck
from llamaexit.smoke.model import CheckResult, SuiteResult
from llamaexit.smoke.runner import checks_for, run_suite
from llamaexit.smoke.verdict import compare
from smoke_cases import NAME, SEED, SUBJECT, THINKER, Place, Scripted, installed, outcomes, reply, said, suite_of
from standin import brains, faults
from standin.behaviour import Echo
from standin.brains_tools import AGENT as QWEN
from standin.brains_tools import OLD_AGENT as LLAMA

OWN = (
    SmokeCheck("greets", Expect(contains="That depends"), ask="How do you greet people?"),
    SmokeCheck("old-client", Expect(contains="That depends"), ask="How do you greet people?", route="v1"),
)


def ids(result: SuiteResult) -> list[str]:
    return [one.id for one in result.results]


def test_a_good_model_passes_every_check_of_the_quick_suite() -> None:
    result = suite_of(LLAMA)
    told = outcomes(result)
    assert told.pop("perf.turn2") == "warn"  # the stand-in remembers no prompts
    assert set(told.values()) == {"pass"}
    assert result.failed_to_load is None
    assert (result.suite, result.seed) == ("quick", SEED)
    assert result.residency is not None
    assert result.residency.gpu_share == 1.0


def test_loading_comes_first_then_sanity_and_v1_comes_last() -> None:
    order = ids(suite_of(LLAMA, suite="full", options={"own": OWN}))
    assert order[:2] == ["load.residency", "sane.text"]
    after = order.index("load.after")
    assert order[after - 1] == "own.greets"
    assert {"think.off.v1", "stream.v1", "json.v1", "own.old-client"} <= set(order[after + 1 :])
    assert all("v1" in check or check == "own.old-client" for check in order[after + 1 :])


def test_the_full_suite_asks_all_that_the_quick_one_asks_and_more() -> None:
    quick, full = ids(suite_of(LLAMA)), ids(suite_of(LLAMA, suite="full"))
    assert set(quick) < set(full)
    assert {"json.naive", "json.mode", "reason.mini", "persona"} <= set(full) - set(quick)


def test_no_suite_asks_nothing_and_loads_nothing() -> None:
    with installed(LLAMA) as place:
        result = run_suite(place.subject, place.inference, suite="none", own=OWN, seed=SEED)
        assert (result.results, result.failed_to_load) == ((), None)
        assert place.standin.log == []


def test_checks_go_by_use() -> None:
    def chosen(*uses: str) -> set[str]:
        return {check.id for check in checks_for(replace(SUBJECT, uses=uses), "full")}  # type: ignore[arg-type]

    assert "think.on" in chosen("reasoning") - chosen("chat")
    assert "chat.midsystem" in chosen("tools") - chosen("chat")
    assert {"load.residency", "sane.text", "perf.rate", "load.after"} <= chosen("fim")
    assert chosen("fim").isdisjoint({"think.naive", "system.obey", "json.schema", "lang.stay"})
    assert {"load.residency", "load.after"} <= chosen("embedding")
    assert chosen("embedding").isdisjoint({"sane.text", "perf.rate", "stop.clean"})


def test_the_model_is_let_go_when_all_is_asked() -> None:
    with installed(LLAMA) as place:
        run_suite(place.subject, place.inference, suite="quick", seed=SEED)
        assert place.standin.store.resident == []


@pytest.mark.parametrize(
    ("brain", "fault", "reason"),
    [
        pytest.param(brains.too_large(LLAMA), "no-fit", "more system memory (19.3 GiB)", id="too large"),
        pytest.param(
            LLAMA.but(load_error="llama-server process has terminated: unknown model architecture: 'qwen35moe'"),
            "too-old", "qwen35moe", id="the server is too old",
        ),
        pytest.param(
            LLAMA.but(load_error="llama-server process has terminated: exit status 1"), "broken", "exit status 1",
            id="the runner dies",
        ),
    ],
)  # fmt: skip
def test_a_model_that_does_not_load_is_asked_nothing(brain: brains.Brain, fault: str, reason: str) -> None:
    result = suite_of(brain)
    assert ids(result) == ["load.residency"]
    assert (result.fault, result.residency) == (fault, None)
    assert result.failed_to_load is not None
    assert reason in result.failed_to_load
    assert compare(None, result).verdict == "no-go"


def test_a_model_that_is_gone_is_an_error() -> None:
    with installed(LLAMA) as place:
        gone = replace(place.subject, name="gone:1b")
        result = run_suite(gone, place.inference, suite="quick", seed=SEED)
    assert (result.fault, outcomes(result)) == ("broken", {"load.residency": "error"})
    assert compare(None, result).verdict == "error"


def test_a_model_with_less_context_than_planned_is_asked_all_the_same() -> None:
    result = suite_of(LLAMA, context=65_536)
    told = outcomes(result)
    assert (told["load.residency"], told["sane.text"], result.failed_to_load) == ("fail", "pass", None)


def test_a_server_that_goes_away_in_the_middle_is_an_error_not_a_verdict_on_the_model() -> None:
    with installed(LLAMA) as place:
        place.standin.break_(faults.bad_gateway, "/api/chat", after=6)
        result = run_suite(place.subject, place.inference, suite="quick", seed=SEED)
    assert outcomes(result)["think.naive"] == "pass"
    assert outcomes(result)["stop.clean"] == "error"
    assert compare(None, result).verdict == "error"


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that goes on by so much with every look at it."""
    looks = count()
    return lambda: next(looks) * seconds


def clocked(place: Place, seconds: float, **options: Any) -> SuiteResult:
    """A suite in which every look at the clock takes so long."""
    return run_suite(place.subject, place.inference, suite="quick", seed=SEED, clock=ticking(seconds), **options)


def test_what_does_not_fit_into_the_time_is_left_out_and_said_so() -> None:
    with installed(LLAMA) as place:
        result = clocked(place, 6.0)
    told = outcomes(result)
    assert told["think.naive"] == "pass"
    assert told["think.off.v1"] == "skip"
    skipped = result.result("think.off.v1")
    assert skipped is not None
    assert (skipped.fault, skipped.reason) == ("budget", "the time for the tests, 180 seconds, was used up")
    assert compare(None, result).verdict == "not-enough-evidence"


def test_one_more_load_is_reckoned_with_before_the_first_question_on_v1_and_none_after_it() -> None:
    left: dict[str, float | None] = {}

    def began(check: str, title: str, number: int, of: int, seconds_left: float | None) -> None:
        left[check] = seconds_left

    with installed(LLAMA) as place:

        class Slow:
            def ask(self, path: str, request: dict[str, Any], *, seconds: float) -> Any:
                answer = place.inference.ask(path, request, seconds=seconds)
                loads = path == "/api/generate" and "prompt" not in request
                return replace(answer, seconds=1000.0) if loads else answer

            def loaded(self) -> list[dict[str, Any]]:
                return place.inference.loaded()

        run_suite(place.subject, Slow(), suite="quick", seed=SEED, began=began, answer_seconds=30.0)
    first, second = [left[check] for check in left if check.endswith(".v1")][:2]
    assert first is not None
    assert second is not None
    assert first > 1000 > second


def test_time_is_no_matter_where_somebody_set_how_long_to_wait_for_an_answer() -> None:
    with installed(LLAMA) as place:
        result = clocked(place, 60.0, answer_seconds=30.0)
    assert "skip" not in outcomes(result).values()


def test_questions_of_a_recipe_are_put_whatever_the_time() -> None:
    with installed(LLAMA) as place:
        told = outcomes(clocked(place, 30.0, own=OWN))
    assert (told["own.greets"], told["own.old-client"]) == ("pass", "pass")
    assert "skip" in told.values()


def test_results_of_a_recipe_are_marked() -> None:
    result = suite_of(LLAMA, options={"own": OWN})
    assert [one.id for one in result.results if one.own] == ["own.greets", "own.old-client"]


def test_a_check_that_does_not_concern_the_model_is_left_out_with_the_reason() -> None:
    result = suite_of(LLAMA, uses=("reasoning",)).result("think.on")
    assert result is not None
    assert (result.outcome, result.fault, result.reason, result.exchanges) == ("skip", "", "it does not think", ())


def test_when_nothing_answers_in_time_any_more_the_rest_is_left_out() -> None:
    class Hanging(Scripted):
        def ask(self, path: str, request: dict[str, Any], *, seconds: float) -> Any:
            answer = super().ask(path, request, seconds=seconds)
            return answer if len(self.asked) <= 3 else reply(None, 0, error="no answer", timed_out=True)

    load = reply({"done": True, "done_reason": "load", "response": ""})
    words = [bench_word(number) for number in range(2)]
    inference = Hanging([load, said(words[0]), said(words[1])])
    result = run_suite(SUBJECT, inference, suite="quick", seed=SEED)
    told = [(one.outcome, one.fault) for one in result.results]
    assert told[1] == ("pass", "")
    assert told[2:5] == [("error", "timeout")] * 3
    assert set(told[5:]) == {("skip", "timeout")}
    assert compare(None, result).verdict == "not-enough-evidence"


def bench_word(number: int) -> str:
    """The word the sanity check asks for."""
    from llamaexit.smoke.bench import Bench
    from llamaexit.smoke.pace import Pace

    return Bench(SUBJECT, Scripted([]), Pace(), suite="quick", seed=SEED).word(f"sane {number}")


def test_both_models_are_asked_the_very_same_questions() -> None:
    def questions(result: SuiteResult) -> list[Any]:
        found = []
        for one in result.results:
            for exchange in one.exchanges:
                asked = dict(exchange.request)
                for switch in ("think", "reasoning_effort"):
                    asked.pop(switch, None)
                if one.id != "perf.turn2":  # its second question holds the first answer
                    found.append((one.id, exchange.path, asked))
        return found

    old, new = suite_of(LLAMA, suite="full"), suite_of(QWEN, suite="full", thinks=True)
    assert questions(old) == questions(new)
    assert questions(old) != questions(suite_of(LLAMA, suite="full", options={"seed": 2}))


def test_every_result_has_its_evidence() -> None:
    result = suite_of(LLAMA, suite="full")
    assert [one.id for one in result.results if not one.exchanges] == ["load.after"]
    assert all(exchange.answer for one in result.results for exchange in one.exchanges)


def test_a_listener_hears_of_every_check_before_and_after() -> None:
    heard: list[Any] = []

    def began(check: str, title: str, number: int, of: int, seconds_left: float | None) -> None:
        heard.append((check, number, of, seconds_left))

    def ended(result: CheckResult) -> None:
        heard.append(result.id)

    result = suite_of(LLAMA, options={"began": began, "ended": ended})
    begun = heard[::2]
    assert heard[1::2] == ids(result) == [check for check, *_ in begun]
    assert [number for _, number, *_ in begun] == list(range(1, len(begun) + 1))
    assert {of for _, _, of, _ in begun} == {len(begun)}
    assert begun[0][3] is None  # nothing was measured yet
    left = [seconds for *_, seconds in begun if seconds is not None]
    assert len(left) >= len(begun) - 3
    assert left == sorted(left, reverse=True)


def test_an_interrupt_leaves_at_once_and_asks_nothing_more() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    inference = Scripted([said("x")], then=interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_suite(SUBJECT, inference, suite="quick", seed=SEED)
    assert len(inference.asked) == 1


@pytest.mark.parametrize("version", ["0.5.7", "0.9.6", "0.12.4", "0.24.1", "0.33.0"])
def test_a_good_model_passes_on_every_server(version: str) -> None:
    told = outcomes(suite_of(LLAMA, suite="full", version=version))
    del told["perf.turn2"]
    assert set(told.values()) == {"pass"}


def test_a_thinking_model_on_a_server_that_cannot_stop_it_leaks() -> None:
    told = outcomes(suite_of(QWEN.but(brains.thinks_anyway), thinks=True, version="0.8.0"))
    assert {told[check] for check in ("think.naive", "think.off.chat", "think.off.generate", "think.off.v1")} == {
        "fail"
    }
    assert told["sane.text"] == "pass"


def test_an_echo_is_no_model() -> None:
    """What repeats its question has the word in it, and fails what it is asked for."""
    told = outcomes(suite_of(Echo()))
    assert told["sane.text"] == "pass"
    assert "fail" in (told["json.schema"], told["system.obey"])


VERDICTS: list[tuple[str, Any, dict[str, Any], str, str]] = [
    ("a good Qwen", QWEN, {"thinks": True}, "go", ""),
    ("one that leaks its reasoning", LLAMA.but(brains.leaks_thinking), {}, "no-go", "thinking"),
    ("one that leaks the end of its reasoning", LLAMA.but(brains.leaks_the_end_of_thinking), {}, "no-go", "thinking"),
    ("one that spends all on thinking", QWEN.but(brains.spends_all_on_thinking), {"thinks": True}, "no-go", "thinking"),
    ("one that breaks JSON", LLAMA.but(brains.breaks_json_about("club")), {}, "no-go", "JSON"),
    ("one that reasons inside JSON", LLAMA.but(brains.reasons_inside_json), {}, "no-go", "JSON"),
    ("one that never stops", LLAMA.but(brains.never_stops), {}, "no-go", "plain text"),
    ("a slow one", brains.slow(LLAMA), {}, "no-go", "fast enough"),
    ("one half on the CPU", brains.half_on_the_cpu(LLAMA), {}, "no-go", "loads"),
    ("one that is too large", brains.too_large(LLAMA), {}, "no-go", "could not be loaded"),
    ("one that writes garbage", LLAMA.but(brains.writes_garbage), {}, "no-go", "plain text"),
    ("one that answers in Chinese", LLAMA.but(brains.mixes_in_chinese), {}, "no-go", "language"),
    ("one that ignores the system prompt", LLAMA.but(brains.ignores_the_system_prompt), {}, "no-go", "system prompt"),
]


@pytest.fixture(scope="module")
def llama() -> SuiteResult:
    """The results of the old model."""
    return suite_of(LLAMA)


@pytest.mark.parametrize(
    ("brain", "facts", "verdict", "reason"), [case[1:] for case in VERDICTS], ids=[case[0] for case in VERDICTS]
)
def test_the_verdict_on_a_replacement_of_a_good_llama(
    brain: Any, facts: dict[str, Any], verdict: str, reason: str, llama: SuiteResult
) -> None:
    comparison = compare(llama, suite_of(brain, **facts))
    assert comparison.verdict == verdict, comparison.reason
    assert reason in comparison.reason


def test_what_the_old_model_could_not_do_either_does_not_stop_a_switch() -> None:
    bad = LLAMA.but(brains.breaks_json_about("club"), brains.ignores_the_system_prompt)
    comparison = compare(suite_of(bad), suite_of(bad))
    assert comparison.verdict == "go"
    told = {row.id: row.meaning for row in comparison.rows}
    assert told["json.schema"].startswith("neither does it")


def test_a_check_asks_the_model_by_its_name_and_a_thinker_without_a_digest_is_found_by_it() -> None:
    models = [{"name": NAME, "digest": "e" * 64, "size": 10, "size_vram": 10}, {"name": "x", "digest": "f" * 64}]
    load = reply({"done": True, "done_reason": "load", "response": ""})
    inference = Scripted([load, said("x")], models=models)
    result = run_suite(
        replace(THINKER, digest=None), inference, suite="quick", seed=SEED, clock=iter(range(10**6)).__next__
    )
    assert result.residency is not None
    assert result.residency.size == 10
    assert {request["model"] for request in inference.asked} == {NAME}
