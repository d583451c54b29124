"""Exceptions in the policy: what they let pass, what they never lift, and what a plan says of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from planning_cases import snapshot
from test_golden_decisions import LLAMA31

from llamaexit.planning.explain import explain
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Decision
from llamaexit.planning.planner import make_plan
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library

WHY = "SEC-142, security board"
CHINA = 'deny-origins = ["China"]\n'


def excepting(*names: str, why: str = WHY) -> str:
    return "[policy.exceptions]\n" + "".join(f'"{name}" = "{why}"\n' for name in names)


@pytest.fixture
def library_of(tmp_path: Path):
    """A library of recipes of one's own, each given as the text of its policy, the weakest first."""

    def made(*policies: str) -> Library:
        paths = []
        for number, text in enumerate(policies):
            path = tmp_path / f"r{number}.toml"
            path.write_text(f'schema = 1\nname = "r{number}"\n[policy]\n{text}', encoding="utf-8")
            paths.append(path)
        return load_library(paths)

    return made


def decided(library: Library, uses: Sequence[str] = ("chat",)) -> Decision:
    options = PlanOptions(models=("llama3.1:8b",), uses={"llama3.1:8b": tuple(uses)}, everything=True)  # type: ignore[dict-item]
    (decision,) = make_plan(snapshot("an RTX 4090", LLAMA31), library, options).decisions
    return decision


def taken(decision: Decision) -> str | None:
    return decision.target.model if decision.target is not None else None


def test_without_an_exception_nothing_of_a_denied_origin_is_taken(library_of) -> None:
    decision = decided(library_of(CHINA))
    assert decision.action == "blocked"
    assert {one.policy for one in decision.rejected} == {"deny-origins"}
    assert decision.hint == "the recipe that denies it would have to change, or to make an exception"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("qwen3:4b-instruct", id="its name"),
        pytest.param("Qwen3:4B-Instruct", id="its name in capitals"),
        pytest.param("qwen3:4b-ins*", id="a pattern"),
    ],
)
def test_an_exception_lets_its_target_pass_and_no_other(library_of, name) -> None:
    decision = decided(library_of(CHINA + excepting(name)))
    assert taken(decision) == "qwen3:4b-instruct"
    assert {one.because for one in decision.rejected} == {"policy"}


@pytest.mark.parametrize(
    "denial",
    ['deny-origins = ["China"]', 'deny-vendors = ["Alibaba*"]', 'deny-families = ["qwen"]', 'deny-models = ["qwen*"]'],
)
def test_an_exception_lifts_every_kind_of_denial(library_of, denial) -> None:
    assert taken(decided(library_of(f"{denial}\n{excepting('qwen3:4b-instruct')}"))) == "qwen3:4b-instruct"


@pytest.mark.parametrize(
    ("limit", "because"),
    [
        pytest.param('licences-allowed = ["MIT"]', "licence", id="a licence"),
        pytest.param('max-download = "1GB"', "download", id="a size"),
        pytest.param("min-context = 500000", "context", id="a context"),
    ],
)
def test_an_exception_lifts_nothing_but_denials(library_of, limit, because) -> None:
    decision = decided(library_of(f"{CHINA}{limit}\n{excepting('qwen3:4b-instruct')}"))
    assert decision.action == "blocked"
    assert {one.because for one in decision.rejected if one.model == "qwen3:4b-instruct"} == {because}


def test_a_stronger_recipe_makes_an_exception_to_what_a_weaker_one_denies(library_of) -> None:
    assert taken(decided(library_of(CHINA, excepting("qwen3:8b")))) == "qwen3:8b"


def test_a_weaker_recipe_lifts_nothing_of_a_stronger_one(library_of) -> None:
    assert decided(library_of(excepting("qwen3:8b"), CHINA)).action == "blocked"


def test_whoever_denies_anew_takes_weaker_exceptions_back(library_of) -> None:
    both = library_of(CHINA + excepting("qwen3:8b"), 'deny-models = ["qwen3:8b"]\n')
    assert decided(both).action == "blocked"


def test_exceptions_of_several_recipes_hold_side_by_side(library_of) -> None:
    library = library_of(CHINA + excepting("qwen3:4b-instruct"), excepting("qwen3:8b", why="LAB-7"))
    assert {one.model for one in decided(library).rejected if one.because == "policy"}.isdisjoint(
        {"qwen3:4b-instruct", "qwen3:8b"}
    )
    assert library.policy.in_words() == (
        "countries of origin denied: China (r0)",
        f"allowed all the same: qwen3:4b-instruct ({WHY}); qwen3:8b (LAB-7) (r0, r1)",
    )


def test_the_reason_of_the_strongest_recipe_is_the_one_that_is_told(library_of) -> None:
    library = library_of(CHINA + excepting("qwen3:8b"), excepting("QWEN3:8b", why="LAB-7."))
    decision = decided(library)
    assert decision.target is not None
    said = [caveat.text for caveat in decision.target.caveats if caveat.code == "EXCEPTION"]
    assert said == ["Allowed only by an exception of the recipe r1: LAB-7."]


def test_a_target_that_nothing_denies_is_not_said_to_be_an_exception(library_of) -> None:
    decision = decided(library_of('deny-vendors = ["DeepSeek"]\n' + excepting("qwen3:4b-instruct")))
    assert decision.target is not None
    assert "EXCEPTION" not in {caveat.code for caveat in decision.target.caveats}


def test_an_explanation_names_what_only_an_exception_lets_pass(library_of) -> None:
    found = explain(library_of(CHINA + excepting("qwen3:4b-instruct")), "llama3.1:8b", ("chat",))
    by_key = {one.key: one for one in found.policy}
    assert by_key["exceptions"].passes == ("qwen3:4b-instruct",)
    assert by_key["exceptions"].line == 5
    assert "qwen3:4b-instruct" not in by_key["deny-origins"].cuts
    assert "qwen3:8b" in by_key["deny-origins"].cuts


def test_an_origin_that_is_not_known_can_be_denied(library_of, tmp_path) -> None:
    team = tmp_path / "own.toml"
    team.write_text(
        'schema = 1\nname = "own"\n[[models]]\nname = "acme/bot:7b"\nfamily = "acme"\nvendor = "ACME"\n',
        encoding="utf-8",
    )
    own = load_library([team])
    found = own.target("acme/bot:7b")
    assert found is not None
    target = found[0]
    denied = library_of('deny-origins = ["not known"]\n').policy.refusal(target, (target.name,), own.licence)
    assert denied is not None and denied.text == "origin not known is denied by r0"
    assert library_of(CHINA).policy.refusal(target, (target.name,), own.licence) is None
