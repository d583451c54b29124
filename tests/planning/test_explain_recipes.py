"""What recipes alone say about a model: winners, losers, where each stands, and what keeps a rule out."""

from __future__ import annotations

from pathlib import Path

import pytest
from planning_cases import card, machine, snapshot

from llamaexit.planning.explain import Explanation, explain, matched_by
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.planner import make_plan
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library
from llamaexit.recipes.model import Rule

BASE = """schema = 1
name = "platform"

[policy]
deny-vendors = ["DeepSeek"]
min-gpu-share = 1.0

[[rules]]
id = "chat"
use = "chat"
match = ["llama3*"]
targets = [{ model = "qwen3:14b" }]

[[rules]]
id = "old"
use = "chat"
match = ["llama3.1:8b"]
targets = [{ model = "qwen3:1.7b" }]
"""
TEAM = """schema = 1
name = "team"
extends = ["base.toml"]
disable = ["fallback/*", "platform/old"]

[[rules]]
id = "platform/chat"
use = "chat"
match = ["llama3*"]
accept-loss = ["tools"]
targets = [
  { model = "deepseek-r1:32b" },
  { model = "qwen3:30b-instruct", why = "never thinks" },
  { model = "qwen3:8b" },
]
"""


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A recipe that extends another one, replaces one of its rules, and disables others."""
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "team.toml").write_text(TEAM)
    return tmp_path / "team.toml"


@pytest.fixture
def found(team: Path) -> Explanation:
    return explain(load_library([team]), "llama3.1:8b")


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


def test_rules_come_with_their_place_and_with_what_makes_them_apply(found: Explanation) -> None:
    assert [(one.bound.key, one.bound.recipe, one.bound.line, one.how) for one in found.rules] == [
        ("platform/chat", "team", 6, "llama3* means llama3.1:8b"),
        ("replace-chat/chat/llama3.1:8b", "replace-chat", found.rules[1].bound.line, "names llama3.1:8b"),
    ]


def test_every_target_is_told_what_came_of_it(found: Explanation) -> None:
    assert [(one.model, one.because, one.policy) for one in found.rules[0].candidates] == [
        ("deepseek-r1:32b", "policy", "deny-vendors"),
        ("qwen3:30b-instruct", "chosen", ""),
        ("qwen3:8b", "ranked-lower", ""),
    ]
    assert found.rules[1].candidates[0].because == "earlier"


def test_rules_that_were_replaced_or_disabled_are_told_with_who_did_it_and_where(found: Explanation) -> None:
    told = [
        (one.bound.key, one.how, one.recipe, Path(one.file).name, one.line)
        for one in found.overruled
        if one.bound.recipe == "platform"
    ]
    assert told == [
        ("platform/chat", "replaced", "team", "team.toml", 6),
        ("platform/old", "disabled", "team", "team.toml", 4),
    ]


def test_overruled_rules_about_other_models_and_uses_are_left_out(found: Explanation) -> None:
    assert {one.bound.rule.use for one in found.overruled} == {"chat"}
    builtin = [one.bound.key for one in found.overruled if one.bound.recipe == "fallback"]
    assert builtin == ["fallback/chat/5-10b"]


def test_policy_is_told_key_by_key_with_what_each_cuts(found: Explanation) -> None:
    assert [(one.key, one.recipe, Path(one.file).name, one.line, one.cuts) for one in found.policy] == [
        ("deny-vendors", "platform", "base.toml", 5, ("deepseek-r1:32b",)),
        ("min-gpu-share", "platform", "base.toml", 6, ()),
    ]


def test_policy_tells_what_it_cuts_also_where_something_else_is_told_first(tmp_path: Path) -> None:
    text = BASE.replace('"qwen3:14b"', '"deepseek-r1:8b"')  # it has no tools, which the source has
    (tmp_path / "base.toml").write_text(text)
    found = explain(load_library([tmp_path / "base.toml"]), "llama3.1:8b")
    candidate = next(one for rule in found.rules for one in rule.candidates if one.model == "deepseek-r1:8b")
    assert (candidate.because, candidate.policy) == ("capability", "")
    assert [one.cuts for one in found.policy] == [("deepseek-r1:8b",), ()]


def test_recipes_are_told_with_who_extends_whom(found: Explanation) -> None:
    assert [(one.name, one.named, one.extends) for one in found.recipes] == [
        ("team", "command-line", ("platform",)),
        ("platform", "", ()),
    ]


def test_a_recipe_says_where_it_was_found(tmp_path: Path) -> None:
    for name in ("user/mine", "here/llamaexit"):
        path = tmp_path / f"{name}.toml"
        path.parent.mkdir()
        path.write_text(f'schema = 1\nname = "{path.stem}"\nextends = ["builtin:fallback"]\n')
    found = explain(load_library(project=tmp_path / "here", user=tmp_path / "user"), "llama3.1:8b")
    assert [(one.name, one.named, one.extends) for one in found.recipes] == [
        ("llamaexit", "project", ("fallback",)),
        ("mine", "user", ("fallback",)),
    ]


def test_uses_that_are_given_are_explained_instead_of_the_assumed_ones(library: Library) -> None:
    uses = {one.bound.rule.use for one in explain(library, "llama3.1:8b", ("tools", "code")).rules}
    assert uses == {"tools", "code"}


def test_a_model_nobody_knows_is_explained_as_if_it_were_llama(library: Library) -> None:
    found = explain(library, "team-bot")
    assert found.assumed
    assert found.decision is not None and found.decision.action == "replace"


@pytest.mark.parametrize(
    ("model", "near"),
    [
        ("lama3.1:8b", "llama3.1:8b"),
        ("codelama:7b", "codellama:7b"),
        ("team-bot:8b", None),
        ("llama3.1:team", None),
        ("llama3.1:8b", None),
    ],
    ids=["a misspelled Llama", "another misspelled model", "a name of one's own", "a tag of one's own", "a known name"],
)
def test_a_model_that_is_nearly_called_like_a_known_one_is_asked_about(
    library: Library, model: str, near: str | None
) -> None:
    assert explain(library, model).near == near


def test_a_model_that_is_no_llama_is_kept_and_its_rules_choose_nothing(library: Library) -> None:
    found = explain(library, "mistral:7b")
    assert found.decision is not None and found.decision.action == "keep"
    assert {one.because for applied in found.rules for one in applied.candidates} <= {"open", "earlier"}


def test_a_model_that_cannot_be_run_here_is_answered_as_a_plan_answers(library: Library) -> None:
    found = explain(library, "claude-opus-4")
    assert found.decision is None and found.asked is not None
    assert found.rules == found.overruled == ()


@pytest.mark.parametrize("name", ["llama3.1:8b", "llama3.3:70b", "codellama:34b", "llama3.2-vision:11b", "llama2:7b"])
def test_a_machine_with_room_for_everything_gets_what_is_explained(library: Library, name: str) -> None:
    explained = explain(library, name).decision
    huge = machine(4096, *(card("H200", 141, index=number) for number in range(8)), disk=None)
    options = PlanOptions(models=(name,), context=4096)
    (planned,) = make_plan(snapshot(huge), library, options).decisions
    assert explained is not None and explained.target is not None and planned.target is not None
    assert explained.target.model == planned.target.model


@pytest.mark.parametrize(
    ("facts", "names", "words"),
    [
        ({"match": ("LLAMA3.1:8B",)}, ("llama3.1:8b",), "names llama3.1:8b"),
        ({"match": ("llama3.1:8b",)}, ("team-bot:latest", "llama3.1:8b"), "names llama3.1:8b"),
        ({"match": ("a*", "b*", "c")}, ("bot:latest",), "a* or b* means bot:latest"),
        ({}, ("x",), "is for every Llama model"),
        ({"generation": ("llama2", "llama3")}, ("x",), "is for every llama2 or llama3"),
        ({"min_parameters": 5.0}, ("x",), "is for every Llama model from 5 billion parameters"),
        ({"max_parameters": 9.5}, ("x",), "is for every Llama model below 9.5 billion parameters"),
        (
            {"generation": ("llama2",), "min_parameters": 5.0, "max_parameters": 10.0},
            ("x",),
            "is for every llama2 from 5 to 10 billion parameters",
        ),
    ],
)
def test_why_a_rule_applies_is_told_in_words(facts: dict[str, object], names: tuple[str, ...], words: str) -> None:
    assert matched_by(Rule("x", "chat", **facts), names) == words  # type: ignore[arg-type]


def test_recipes_of_one_rule_replaced_twice_are_both_told(tmp_path: Path) -> None:
    rule = '[[rules]]\nid = "{}"\nuse = "chat"\nmatch = ["llama3.1:8b"]\ntargets = [{{ model = "qwen3:8b" }}]\n'
    paths = []
    for name, rule_id in (("a", "x"), ("b", "a/x"), ("c", "a/x")):
        paths.append(tmp_path / f"{name}.toml")
        paths[-1].write_text(f'schema = 1\nname = "{name}"\n' + rule.format(rule_id))
    found = explain(load_library(paths), "llama3.1:8b")
    own = [(one.bound.recipe, one.recipe) for one in found.overruled if one.bound.precedence]
    assert own == [("b", "c"), ("a", "b")]
