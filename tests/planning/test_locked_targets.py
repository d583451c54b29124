"""Targets that a lock holds to one build: what a plan expects, and what it turns down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from planning_cases import installed, snapshot
from test_golden_decisions import LLAMA31

from llamaexit.planning.options import PlanOptions, RemoteFacts
from llamaexit.planning.plan import Decision, Plan
from llamaexit.planning.planner import make_plan
from llamaexit.recipes.library import Layer, Library
from llamaexit.recipes.model import Choice, Policy, Recipe, Rule
from llamaexit.recipes.pack import load_pack

TARGET = "qwen3:14b"
LOCKED = "ab" * 32
OTHER = "cd" * 32
SIZE = 9_276_198_565


def library(locked: str | None = LOCKED, pin: str | None = None) -> Library:
    """A team's rule for llama3.1:8b, its target held to a build."""
    rule = Rule(id="ours", use="chat", match=("llama3.1:8b",), targets=(Choice(TARGET, why="because"),))
    policy = Policy(pins={TARGET: pin}) if pin is not None else None
    recipe = Recipe(schema=1, name="acme", rules=(rule,), policy=policy, disable=("*",))
    layer = Layer(recipe, "acme.toml", (1,))
    return Library(load_pack(), [layer], {TARGET: locked} if locked is not None else None)


def plan(found: Library, *here: Any, registry: str | None = None) -> Plan:
    """The plan for llama3.1:8b beside what is here. registry: the digest that the registry gives the target now."""
    remote = {TARGET: RemoteFacts(registry, SIZE)} if registry is not None else {}
    options = PlanOptions(models=(LLAMA31.name,), everything=True, thinking="allow", remote=remote)
    return make_plan(snapshot("an RTX 4090", LLAMA31, *here), found, options)


def decided(*arguments: Any, **options: Any) -> Decision:
    (decision,) = plan(*arguments, **options).decisions
    return decision


def test_expects_the_locked_build_whatever_the_catalogue_says() -> None:
    decision = decided(library())
    assert decision.target is not None
    assert (decision.target.digest, decision.target.installed) == (LOCKED, False)


def test_expects_the_catalogue_without_a_lock() -> None:
    decision = decided(library(None))
    assert decision.target is not None and decision.target.digest not in (None, LOCKED)


def test_takes_the_locked_build_from_the_registry() -> None:
    target = decided(library(), registry=LOCKED).target
    assert target is not None and target.digest == LOCKED


def test_turns_down_another_build_in_the_registry() -> None:
    decision = decided(library(), registry=OTHER)
    assert (decision.action, decision.target) == ("blocked", None)
    (rejected,) = decision.rejected
    assert (rejected.because, rejected.policy) == ("pin", "")
    assert rejected.text == f"its digest is {OTHER[:12]}, and it is locked to {LOCKED[:12]}"
    assert decision.hint is not None and decision.hint.startswith("llamaexit recipe update")


def test_locked_build_that_is_here_will_do_when_the_tag_has_moved_on() -> None:
    found = plan(library(), installed(TARGET, digest=LOCKED, size=SIZE), registry=OTHER)
    target = found.decisions[0].target
    assert target is not None
    assert (target.digest, target.installed, target.download.missing) == (LOCKED, True, 0)


def test_another_build_that_is_here_is_no_reason_to_take_it() -> None:
    found = plan(library(), installed(TARGET, digest=OTHER, size=SIZE))
    target = found.decisions[0].target
    assert target is not None
    assert (target.digest, target.installed) == (LOCKED, False)
    assert target.download.missing > 0
    assert found.names[TARGET] == OTHER  # what is there now has to be there still when it is carried out


def test_llama_under_the_name_of_a_locked_target_is_not_overwritten() -> None:
    llama = replace(LLAMA31, name=TARGET, digest=OTHER)
    decision = decided(library(), llama)
    assert [one.because for one in decision.rejected] == ["lineage"]


@pytest.mark.parametrize(
    ("registry", "action"),
    [pytest.param(LOCKED, "replace", id="begins like it"), pytest.param(OTHER, "blocked", id="begins otherwise")],
)
def test_digest_that_a_recipe_states_in_short_is_compared_as_far_as_it_goes(registry: str, action: str) -> None:
    assert decided(library(LOCKED[:12]), registry=registry).action == action


def test_plan_says_which_targets_are_locked() -> None:
    assert f"locked by digest: {TARGET}" in plan(library()).basis.policy
    assert not any(line.startswith("locked") for line in plan(library(None)).basis.policy)


def test_targets_that_are_not_in_the_lock_are_as_before() -> None:
    with_lock, without = library(), library(None)
    with_lock.locked = {"qwen3:30b": OTHER}
    assert decided(with_lock).target == decided(without).target


def test_pin_of_a_policy_is_expected_in_full_where_the_catalogue_has_its_beginning() -> None:
    target = decided(library(None)).target
    assert target is not None and target.digest is not None
    pin = target.digest.ljust(64, "0")
    assert pin != target.digest
    pinned = decided(library(None, pin=f"sha256:{pin}")).target
    assert pinned is not None and pinned.digest == pin
