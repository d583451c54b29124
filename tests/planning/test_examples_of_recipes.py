"""Examples in recipes: the machine they make, and where a plan departs from what they expect."""

from __future__ import annotations

from typing import Any

import pytest

from llamaexit.planning.examples import Tried, run_example, snapshot_of
from llamaexit.planning.planner import Planner
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library
from llamaexit.recipes.model import Example, ExampleModel, Expected, Host
from llamaexit.units import GIB

HOST = Host(ram="32GiB", vram=("12GiB",), ollama="0.33.0")


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


@pytest.fixture(scope="module")
def planner(library: Library) -> Planner:
    return Planner(library)


def expecting(action: str, **more: Any) -> Expected:
    return Expected(action, **more)  # type: ignore[arg-type]


def tried(planner: Planner, model: ExampleModel, host: Host = HOST, **more: Any) -> Tried:
    (found,) = run_example(Example("an example", host, (model,), **more), planner)
    return found


def test_the_host_of_an_example_is_all_there_is(library: Library) -> None:
    host = Host(ram="64GiB", gpu=("RTX 4090",), disk="20GB", ollama="0.30.0", os="windows")
    snapshot = snapshot_of(Example("x", host, ()), library)
    machine = snapshot.machine
    assert (machine.ram.total, machine.system.os) == (64 * GIB, "windows")
    assert [(gpu.name, gpu.free) for gpu in machine.gpus] == [("RTX 4090", 24 * GIB)]
    assert machine.disk is not None and machine.disk.free == 20_000_000_000
    assert (snapshot.ollama.version, snapshot.ollama.problems) == ("0.30.0", ())


def test_a_host_without_a_card_has_none(library: Library) -> None:
    assert snapshot_of(Example("x", Host(ram="8GiB"), ()), library).machine.gpus == ()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param(
            ExampleModel("llama3.1:8b", expecting("replace", target="qwen3:4b-instruct"), uses=("chat",)),
            "qwen3:4b-instruct",
            id="a Llama under its own name",
        ),
        pytest.param(
            ExampleModel("team-bot", expecting("replace", rule="chat/llama3.1:8b"), parent="llama3.1:8b"),
            "qwen3:4b-instruct",
            id="a model built on one",
        ),
        pytest.param(ExampleModel("mistral:7b", expecting("keep", reason="not Llama")), None, id="what is not Llama"),
        pytest.param(ExampleModel("deepseek-r1:8b", expecting("keep")), None, id="a name that holds no Llama today"),
        pytest.param(
            ExampleModel("deepseek-r1:8b", expecting("replace"), digest="28f8fd6cdc67"),
            "qwen3:8b",
            id="the Llama that used to have the name",
        ),
        pytest.param(ExampleModel("mystery", expecting("blocked", reason="cannot tell")), None, id="nobody knows what"),
        pytest.param(
            ExampleModel(
                "mystery", expecting("replace"), lineage="meta", parameters="8.0B", capabilities=("completion",)
            ),
            "qwen3:4b-instruct",
            id="somebody has said what it is",
        ),
        pytest.param(
            ExampleModel("claude-opus-4", expecting("closed", reason="without published weights")),
            None,
            id="closed weights",
        ),
    ],
)
def test_a_plan_that_does_what_is_expected_differs_in_nothing(
    planner: Planner, model: ExampleModel, expected: str | None
) -> None:
    found = tried(planner, model)
    assert found.differences == ()
    target = getattr(found.decision, "target", None)
    assert (target.model if target is not None else None) == expected


@pytest.mark.parametrize(
    ("model", "differences"),
    [
        pytest.param(
            ExampleModel("llama3.1:8b", expecting("keep"), uses=("chat",)),
            [("action", "keep", "replace with qwen3:4b-instruct: never thinks, holds 256K tokens")],
            id="replaced instead of kept",
        ),
        pytest.param(
            ExampleModel("mistral:7b", expecting("replace", target="qwen3:8b")),
            [("action", "replace with qwen3:8b", "keep: not Llama")],
            id="kept instead of replaced",
        ),
        pytest.param(
            ExampleModel("llama3.1:8b", expecting("replace", target="qwen3:8b", rule="x", reason="zebra"), ("chat",)),
            [
                ("target", "qwen3:8b", "qwen3:4b-instruct"),
                ("rule", "x", "replace-chat/chat/llama3.1:8b"),
                ("reason", "zebra", "never thinks"),
            ],
            id="another target, rule and reason",
        ),
        pytest.param(
            ExampleModel(
                "llama3.1:8b",
                expecting(
                    "replace", rejected={"qwen3:8b": "memory", "qwen3:4b-instruct": "policy", "gemma3:4b": "pin"}
                ),
                uses=("chat",),
            ),
            [
                ("rejected.qwen3:8b", "memory", "thinking"),
                ("rejected.qwen3:4b-instruct", "policy", "it was taken"),
                ("rejected.gemma3:4b", "pin", "it did not come into question"),
            ],
            id="rejected for other reasons, or not at all",
        ),
        pytest.param(
            ExampleModel("claude-opus-4", expecting("replace")),
            [("action", "replace", "closed: ")],
            id="asked for and not to be had",
        ),
        pytest.param(
            ExampleModel("claude-opus-4", expecting("closed", reason="of Meta")),
            [("reason", "of Meta", "")],
            id="not to be had for another reason",
        ),
    ],
)
def test_a_plan_that_departs_from_an_example_is_told_where(
    planner: Planner, model: ExampleModel, differences: list[tuple[str, str, str]]
) -> None:
    found = tried(planner, model).differences
    assert [(one.key, one.expected) for one in found] == [(key, expected) for key, expected, _ in differences]
    for one, (_, _, got) in zip(found, differences, strict=True):
        assert one.got.startswith(got)


def test_what_a_user_asks_for_is_part_of_an_example(planner: Planner) -> None:
    model = ExampleModel("llama3.1:8b", expecting("replace", target="qwen3:8b"), uses=("chat",))
    assert tried(planner, model).differences != ()
    assert tried(planner, model, thinking="allow").differences == ()
    tools = ExampleModel("llama3.1:8b", expecting("replace", target="qwen3:8b"), uses=("tools",))
    assert tried(planner, tools, thinking="allow").differences == ()
    long = ExampleModel("llama3.1:8b", expecting("replace", rejected={"qwen3:8b": "context"}), uses=("tools",))
    assert tried(planner, long, context=65536).differences == ()


def test_the_context_a_model_is_set_to_counts(planner: Planner) -> None:
    long = ExampleModel("bot", expecting("replace", rejected={"qwen3:8b": "context"}), ("tools",), parent="llama3.1:8b")
    assert tried(planner, long).differences != ()
    set_to = ExampleModel(
        "bot", expecting("replace", rejected={"qwen3:8b": "context"}), ("tools",), parent="llama3.1:8b", num_ctx=65536
    )
    assert tried(planner, set_to).differences == ()


def test_models_of_an_example_do_not_share_weights_because_of_their_names(planner: Planner) -> None:
    models = (
        ExampleModel("assistant-one", expecting("replace"), parent="llama3.1:8b"),
        ExampleModel("assistant-two", expecting("keep"), parent="mistral:7b"),
        ExampleModel("hf.co/Acme/Bot-GGUF:Q4_K_M", expecting("blocked")),
    )
    assert [one.differences for one in run_example(Example("x", HOST, models), planner)] == [(), (), ()]
