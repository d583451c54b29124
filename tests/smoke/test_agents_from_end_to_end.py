"""Whole suites put to an old and a new model that agents use, and what the verdict makes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from putting import EVERYTHING, NAME, SEED, server_of

from llamaexit.ollama.inference import Inference
from llamaexit.recipes.model import Call, Expect, SmokeCheck, Tool
from llamaexit.smoke.model import Comparison, Subject, Suite, SuiteResult
from llamaexit.smoke.runner import run_suite
from llamaexit.smoke.verdict import compare
from standin import Behaviour
from standin.brains import only_when
from standin.brains_tools import (
    AGENT,
    OLD_AGENT,
    gives_arguments_as_text,
    remembers_only_the_end,
    talks_instead_of_calling,
    writes_calls_as_json,
    writes_calls_as_xml,
)

ORDER = SmokeCheck(
    id="order",
    ask="Where is order 4711?",
    tools=(Tool("get_order", "Look up an order", {"type": "object", "properties": {"id": {"type": "string"}}}),),
    expect=Expect(tool=Call("get_order", {"id": "4711"})),
)
LLAMA_CAN, QWEN_CAN = ("completion", "tools"), EVERYTHING


def results_of(
    model: Behaviour, suite: Suite = "quick", *, can: tuple[str, ...] = QWEN_CAN, old: SuiteResult | None = None
) -> SuiteResult:
    """All that a suite finds out about a model for agents, with a question from a recipe among it."""
    with server_of(model, can=can, num_ctx=8192) as server, Inference(server.url) as inference:
        subject = Subject(NAME, None, ("tools",), can, 8192, "thinking" in can, ollama_version=server.version)
        return run_suite(subject, inference, suite=suite, own=(ORDER,), seed=SEED, old=old)


def judged(new: Behaviour, old: Behaviour = OLD_AGENT, suite: Suite = "quick") -> Comparison:
    before = results_of(old, suite, can=LLAMA_CAN)
    return compare(before, results_of(new, suite, old=before))


@pytest.mark.parametrize("suite", ["quick", "full"])
def test_a_good_agent_may_take_the_place_of_another(suite: Suite) -> None:
    verdict = judged(AGENT, suite=suite)
    assert verdict.verdict == "go", verdict.reason
    asked = {row.id for row in verdict.rows}
    assert {"tools.single", "tools.v1", "ctx.window", "own.order"} <= asked
    assert ("tools.diverse" in asked) is (suite == "full")
    assert [row for row in verdict.rows if row.id.startswith(("tools.", "ctx.", "own.")) and row.new != "pass"] == []


@pytest.mark.parametrize(
    ("new", "stopped_by"),
    [
        pytest.param(AGENT.but(writes_calls_as_json), "tools.single", id="calls as JSON in the text"),
        pytest.param(AGENT.but(writes_calls_as_xml), "tools.stream", id="calls as XML in the text"),
        pytest.param(AGENT.but(gives_arguments_as_text), "tools.v1", id="arguments as text"),
        pytest.param(AGENT.but(talks_instead_of_calling), "tools.choice", id="no calls"),
        pytest.param(AGENT.can(remembers_only_the_end), "ctx.window", id="a short memory"),
        pytest.param(
            AGENT.but(only_when(lambda turn: "order" in turn.last, talks_instead_of_calling)), "own.order",
            id="only what a recipe asks is wrong",
        ),
    ],
)  # fmt: skip
def test_an_agent_that_cannot_do_what_the_old_one_did_is_stopped(new: Behaviour, stopped_by: str) -> None:
    verdict = judged(new)
    assert verdict.verdict == "no-go"
    row = next(row for row in verdict.rows if row.id == stopped_by)
    assert row.blocks and (row.old, row.new) == ("pass", "fail")


def test_what_the_old_model_could_not_do_either_stops_nothing() -> None:
    verdict = judged(AGENT.but(writes_calls_as_json), old=OLD_AGENT.but(writes_calls_as_json))
    assert verdict.verdict == "go", verdict.reason
    assert next(row for row in verdict.rows if row.id == "tools.single").meaning.startswith("neither")


def test_a_recipe_may_only_want_to_be_told() -> None:
    told = replace(ORDER, level="warn")
    bad = AGENT.but(only_when(lambda turn: "order" in turn.last, talks_instead_of_calling))
    with server_of(bad, can=QWEN_CAN, num_ctx=8192) as server, Inference(server.url) as inference:
        subject = Subject(NAME, None, ("tools",), QWEN_CAN, 8192, True, ollama_version=server.version)
        result = run_suite(subject, inference, suite="quick", own=(told,), seed=SEED)
    found = result.result("own.order")
    assert found is not None and (found.outcome, found.own) == ("warn", True)
    assert compare(None, result).verdict == "go"
