"""Which model is tested, against which, for what, with how much context."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from migration_cases import bot, library, llama
from planning_cases import installed, snapshot

from llamaexit.errors import UsageError
from llamaexit.planning.trial import trial
from llamaexit.recipes.library import Layer, Library
from llamaexit.recipes.model import Choice, Expect, Recipe, Rule, SmokeCheck
from llamaexit.recipes.pack import load_pack

QWEN = {
    "metadata": {"general.architecture": "qwen3"},
    "capabilities": ("completion", "tools", "thinking"),
    "size": 5_225_388_164,
    "context_length": 40_960,
    "parameter_size": "8.2B",
    "quantization": "Q4_K_M",
}


def qwen(name: str = "qwen3:8b", **facts: Any) -> Any:
    return installed(name, **{**QWEN, **facts})


HERE = snapshot("an RTX 4090", llama(), bot(), qwen())


def test_uses_are_those_of_the_old_model() -> None:
    found = trial(HERE, library(), "qwen3:8b", "llama3.1:8b", (), None)
    assert found.old is not None
    assert found.new.uses == found.old.uses == library().uses("llama3.1:8b")
    assert found.use.source == "catalogue"


def test_uses_that_are_given_count() -> None:
    found = trial(HERE, library(), "qwen3:8b", "llama3.1:8b", ("tools",), None)
    assert (found.new.uses, found.use.source) == (("tools",), "given")


def test_uses_of_a_model_alone_follow_from_what_it_can_do() -> None:
    seeing = snapshot("an RTX 4090", qwen("mystery:1b", capabilities=("completion", "vision")))
    assert trial(seeing, library(), "mystery:1b", None, (), None).new.uses == ("vision",)


@pytest.mark.parametrize(
    ("context", "tokens"),
    [pytest.param(8192, 8192, id="as asked for"), pytest.param(None, 32768, id="what Ollama gives it here")],
)
def test_context_is_the_same_for_both_models(context: int | None, tokens: int) -> None:
    found = trial(HERE, library(), "qwen3:8b", "llama3.1:8b", (), context)
    assert found.old is not None
    assert (found.new.context, found.old.context) == (tokens, tokens)


def test_context_of_the_old_model_is_no_longer_than_it_was_trained_for() -> None:
    short = snapshot("an RTX 4090", llama("llama2:7b", context_length=4096), qwen())
    found = trial(short, library(), "qwen3:8b", "llama2:7b", (), 16384)
    assert found.old is not None
    assert (found.new.context, found.old.context) == (16384, 4096)


def test_context_of_a_model_nothing_is_known_about_is_the_smallest_default() -> None:
    unknown = snapshot("an RTX 4090", installed("odd:latest", size=0, metadata={}, capabilities=None))
    found = trial(unknown, library(), "odd", None, (), None).new
    assert (found.context, found.gpu_share, found.thinks) == (4096, None, None)


def test_subject_knows_what_the_checks_need() -> None:
    found = trial(HERE, library(), "qwen3:8b", "team-bot", ("chat",), 8192)
    assert found.old is not None
    assert (found.new.thinks, found.new.architecture, found.new.capabilities) == (True, "qwen3", QWEN["capabilities"])
    assert found.new.digest == HERE.models[2].digest and found.new.ollama_version == HERE.ollama.version
    assert found.new.gpu_share == 1.0
    assert (found.old.name, found.old.system, found.old.thinks) == ("team-bot:latest", True, False)


def test_thinking_by_default_is_that_of_the_catalogue() -> None:
    here = snapshot("an RTX 4090", qwen("qwen3:4b-instruct", capabilities=("completion", "tools", "thinking")))
    assert trial(here, library(), "qwen3:4b-instruct", None, (), 8192).new.thinks is False


def own(rule_id: str, use: str, *targets: str) -> Rule:
    """A rule with a question of its own."""
    return Rule(
        id=rule_id,
        use=use,  # type: ignore[arg-type]
        match=("llama3.1:8b",),
        targets=tuple(Choice(target) for target in targets),
        smoke=(SmokeCheck(id=rule_id, ask="Say hello.", expect=Expect()),),
    )


def test_questions_of_recipes_are_those_for_this_model_and_use() -> None:
    rules = (own("a", "chat", "qwen3:8b"), own("b", "tools", "qwen3:8b"), own("c", "chat", "qwen3:14b"))
    team = Library(load_pack(), [Layer(Recipe(schema=1, name="team", rules=rules), "team.toml", (1, 2, 3))])
    found = trial(HERE, team, "QWEN3:8b", "llama3.1:8b", ("chat", "rag"), 8192)
    assert [check.id for check in found.own] == ["a"]


@pytest.mark.parametrize(
    ("target", "against", "said"),
    [
        pytest.param("qwen3:9b", None, "qwen3:9b is not installed here", id="a target that is not here"),
        pytest.param("qwen3:8b", "llama9", "llama9 is not installed here", id="an old model that is not here"),
        pytest.param("far:cloud", None, "runs at https://ollama.com, not here", id="a model of a cloud"),
        pytest.param("broken", None, "broken:latest cannot be tested: its weights are missing", id="a broken model"),
    ],
)
def test_what_cannot_be_tested_here_is_refused(target: str, against: str | None, said: str) -> None:
    odd = (qwen("far:cloud", remote="https://ollama.com"), qwen("broken:latest", problem="its weights are missing"))
    with pytest.raises(UsageError, match=said):
        trial(replace(HERE, models=(*HERE.models, *odd)), library(), target, against, (), None)
