"""What a team's own rules may and may not bring about."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from planning_cases import MACHINES, installed, machine, server, snapshot
from test_golden_decisions import LLAMA31, TEAM_BOT, builtin

from llamaexit.ollama.failures import NO_SERVER
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Decision, UseDecision
from llamaexit.planning.planner import Planner, describe_machine, describe_ollama, make_plan
from llamaexit.planning.rules import means
from llamaexit.planning.uses import stated_needs
from llamaexit.recipes.library import Layer, Library
from llamaexit.recipes.load import load_library
from llamaexit.recipes.model import Choice, Deprecation, Policy, Recipe, Rule, Target
from llamaexit.recipes.pack import load_pack
from llamaexit.snapshot import InstalledModel, OllamaFacts
from llamaexit.units import GIB


def library_of(*rules: Rule, policy: Policy | None = None) -> Library:
    recipe = Recipe(schema=1, name="acme", rules=rules, policy=policy)
    return Library(load_pack(), [Layer(recipe, "acme.toml", tuple(range(1, len(rules) + 1)))])


def rule(target: str, *, use: str = "chat", caveats: tuple[str, ...] = (), **facts: object) -> Rule:
    return Rule(
        id="ours",
        use=use,  # type: ignore[arg-type]
        match=("llama3.1:8b",),
        targets=(Choice(target, why="because", caveats=caveats),),
        **facts,  # type: ignore[arg-type]
    )


def decided(
    library: Library, model: InstalledModel = LLAMA31, where: str = "an RTX 4090", **options: object
) -> Decision:
    plan = make_plan(
        snapshot(where, model),
        library,
        PlanOptions(models=(model.name,), everything=True, **options),  # type: ignore[arg-type]
    )
    (decision,) = plan.decisions
    return decision


@pytest.mark.parametrize(
    ("target", "because"),
    [
        pytest.param("deepseek-r1:70b", "lineage", id="a Llama with another name"),
        pytest.param("deepseek-v3.1:671b-cloud", "cloud", id="somebody else's server"),
        pytest.param("acme/unheard-of:7b", "unknown-model", id="a model nobody describes"),
        pytest.param("deepseek-v3.1:671b", "memory", id="a model for a rack of machines"),
    ],
)
def test_a_target_that_cannot_be_is_passed_over_even_when_a_team_names_it(target: str, because: str) -> None:
    decision = decided(library_of(rule(target)))
    assert decision.rejected[0].model == target
    assert decision.rejected[0].because == because
    assert decision.rejected[0].rule == "acme/ours"
    assert decision.target is not None and decision.target.model != target


def test_a_target_of_the_team_that_thinks_is_taken_before_one_of_a_weaker_recipe_that_does_not() -> None:
    decision = decided(library_of(rule("qwen3:14b")))
    assert decision.target is not None and decision.target.model == "qwen3:14b"
    assert "THINK_DEFAULT" in [caveat.code for caveat in decision.target.caveats]
    quiet = next(one for one in decision.rejected if one.model == "qwen3:4b-instruct")
    assert quiet.because == "ranked-lower" and "but acme comes first (--thinking avoid)" in quiet.text


def test_of_the_targets_of_a_team_one_that_does_not_think_is_taken_first() -> None:
    ours = replace(rule("qwen3:14b"), targets=(Choice("qwen3:14b"), Choice("qwen3:30b-instruct")))
    decision = decided(library_of(ours))
    assert decision.target is not None and decision.target.model == "qwen3:30b-instruct"
    assert decided(library_of(rule("qwen3:14b")), thinking="avoid").target.model == "qwen3:4b-instruct"  # type: ignore[union-attr]


def test_a_caveat_that_tools_do_not_work_counts_against_a_use_of_tools() -> None:
    decision = decided(library_of(rule("qwen3:14b", use="tools", caveats=("NO_TOOLS",))))
    assert decision.rejected[0].because == "capability"


def test_the_same_caveat_does_not_count_where_tools_are_not_used() -> None:
    bare = replace(LLAMA31, capabilities=("completion",))
    decision = decided(library_of(rule("qwen3:14b", caveats=("NO_TOOLS",))), bare, thinking="allow")
    assert decision.target is not None and decision.target.model == "qwen3:14b"


def test_a_model_that_cannot_stop_thinking_is_said_to_be_one() -> None:
    library = library_of(rule("qwen3:4b"))
    decision = decided(library, thinking="allow")
    assert decision.target is not None and decision.target.model == "qwen3:4b"
    codes = [caveat.code for caveat in decision.target.caveats]
    assert "THINK_ONLY" in codes and "THINK_DEFAULT" not in codes


@pytest.mark.parametrize(
    ("conditions", "applies"),
    [
        pytest.param({"generation": ("llama3.1",)}, True, id="of the generation"),
        pytest.param({"generation": ("llama2",)}, False, id="of another generation"),
        pytest.param({"min_parameters": 5.0, "max_parameters": 10.0}, True, id="of the size"),
        pytest.param({"min_parameters": 10.0}, False, id="too small"),
        pytest.param({"max_parameters": 5.0}, False, id="too large"),
        pytest.param({"generation": ("llama3.1",), "max_parameters": 5.0}, False, id="of the generation, too large"),
    ],
)
def test_a_rule_applies_where_all_it_says_about_the_source_is_true(
    conditions: dict[str, object], applies: bool
) -> None:
    decision = decided(library_of(rule("qwen3:14b", **conditions)), thinking="allow")
    assert decision.target is not None
    assert (decision.target.rule == "acme/ours") is applies


def test_a_rule_whose_conditions_do_not_hold_says_nothing_about_the_use_either() -> None:
    library = library_of(rule("qwen3:14b", use="code", max_parameters=5.0))
    assert decided(library).use.source == "catalogue"


def losing(loss: tuple[str, ...], *, on_choice: bool = False, holds: int = 131072, **options: object) -> Decision:
    """A team gives llama3.1:8b, which has tools and 128K, a target without tools that holds so many tokens."""
    poor = Target(
        "acme/poor:1b", "acme", "ACME", capabilities=("completion",), context=holds, size=10**9, parameters=1.0
    )
    made = replace(
        rule("acme/poor:1b"),
        targets=(Choice("acme/poor:1b", why="because", accept_loss=loss if on_choice else ()),),  # type: ignore[arg-type]
        accept_loss=() if on_choice else loss,  # type: ignore[arg-type]
    )
    recipe = Recipe(schema=1, name="acme", rules=(made,), models=(poor,))
    return decided(Library(load_pack(), [Layer(recipe, "acme.toml", (1,))]), **options)  # type: ignore[arg-type]


def poor(decision: Decision) -> bool:
    return decision.target is not None and decision.target.model == "acme/poor:1b"


@pytest.mark.parametrize("on_choice", [True, False], ids=["on the target", "on the rule"])
def test_a_team_may_accept_that_a_target_lacks_tools(on_choice: bool) -> None:
    assert losing((), on_choice=on_choice).rejected[0].because == "capability"
    decision = losing(("tools",), on_choice=on_choice)
    assert poor(decision)
    assert decision.target is not None
    (loss,) = [caveat.text for caveat in decision.target.caveats if caveat.code == "LOSS"]
    assert loss == "Has less than the old model, which the recipe acme accepts: no tools."
    assert "tools" not in decision.target.uses


def test_accepting_to_lose_one_thing_is_not_accepting_to_lose_another() -> None:
    assert not poor(losing(("vision", "context")))


def test_what_was_said_to_be_the_use_is_never_given_away() -> None:
    assert not poor(losing(("tools",), uses={"llama3.1:8b": ("tools",)}))
    assert poor(losing(("tools",), uses={"llama3.1:8b": ("chat",)}))


def test_what_every_use_needs_is_never_given_away() -> None:
    assert stated_needs(UseDecision(("vision",), "catalogue", "")) == {"vision"}
    assert stated_needs(UseDecision(("chat", "vision"), "catalogue", "")) == frozenset()
    assert stated_needs(UseDecision(("chat", "vision"), "recipe", "")) == {"vision"}


def test_a_team_may_accept_a_shorter_context() -> None:
    bot = replace(TEAM_BOT, name="llama3.1:8b", parameters={"num_ctx": 65536})
    assert losing(("tools",), model=bot, holds=8192).rejected[0].because == "context"
    decision = losing(("tools", "context"), model=bot, holds=8192)
    assert poor(decision)
    assert decision.target is not None and decision.target.fit is not None
    assert (decision.target.fit.context, decision.target.set_context) == (8192, 8192)
    texts = {caveat.code: caveat.text for caveat in decision.target.caveats}
    assert texts["LOSS"].endswith("no tools; 8192 tokens of context, 65536 are used.")
    assert texts.keys().isdisjoint({"CONTEXT", "SET_CONTEXT"})


def test_a_context_somebody_asked_for_is_never_given_away() -> None:
    assert not poor(losing(("tools", "context"), holds=8192, context=16384))
    assert poor(losing(("tools", "context"), holds=8192, context=8192))


def test_a_plan_warns_of_the_rules_on_their_way_out_that_it_rests_on() -> None:
    gone = Deprecation(until=dt.date(2026, 11, 1), replaced_by="acme/new")
    used = rule("qwen3:14b", deprecated=gone)
    unused = replace(used, id="other", match=("mistral:7b",))
    library = library_of(used, unused)
    options = PlanOptions(models=("llama3.1:8b",), thinking="allow", today=dt.date(2026, 11, 25))
    warnings = make_plan(snapshot("an RTX 4090", LLAMA31), library, options).warnings
    assert [w for w in warnings if "deprecated" in w] == [
        "rule acme/ours (acme.toml:1) is deprecated and was to be gone by 2026-11-01; acme/new takes its place"
    ]


def test_a_plan_warns_of_recipes_on_their_way_out() -> None:
    recipe = Recipe(schema=1, name="acme", deprecated=Deprecation(reason="Nobody keeps it up."))
    library = Library(load_pack(), [Layer(recipe, "acme.toml", ())])
    warnings = make_plan(snapshot("an RTX 4090", LLAMA31), library, PlanOptions()).warnings
    assert "recipe acme (acme.toml) is deprecated: Nobody keeps it up" in warnings


def test_a_denied_family_is_passed_over() -> None:
    decision = decided(library_of(policy=Policy(deny_families=("qwen*",))))
    assert {r.because for r in decision.rejected if r.model.startswith("qwen3:")} == {"policy"}


def test_a_smallest_share_on_the_gpu_rules_out_what_does_not_reach_it() -> None:
    library = library_of(policy=Policy(min_gpu_share=1.0))
    decision = decided(library, where="a 16 GB laptop without a GPU")
    assert decision.action == "blocked"
    assert {r.because for r in decision.rejected} >= {"gpu-share"}
    assert "acme asks for 100%" in decision.reason


def test_a_smallest_share_that_is_reached_rules_nothing_out() -> None:
    decision = decided(library_of(policy=Policy(min_gpu_share=1.0)))
    assert decision.action == "replace"


def test_a_rule_of_the_team_that_needs_a_person_blocks() -> None:
    decision = decided(library_of(rule("qwen3:14b", automatic=False, decide="Ask Ada.")))
    assert decision.action == "blocked"
    assert decision.reason == "not replaced automatically; ask Ada"
    assert decision.proposals[0] == "qwen3:14b"


def test_a_team_without_any_rule_for_a_use_is_told_so() -> None:
    empty = Recipe(schema=1, name="acme", disable=("*",))
    library = Library(load_pack(), [Layer(empty, "acme.toml", ())])
    decision = decided(library)
    assert decision.action == "blocked"
    assert decision.reason.startswith("no rule names a target")


def test_an_unreadable_model_that_may_be_llama_is_blocked_when_named() -> None:
    decision = decided(builtin(), installed("odd:1b", problem="its manifest is empty"))
    assert decision.action == "blocked"
    assert decision.reason == "cannot be read: its manifest is empty"


def test_candidates_are_not_asked_for_where_nothing_is_to_choose() -> None:
    guard = PlanOptions(models=("llama-guard3:8b",))
    assert Planner(builtin()).candidate_names(snapshot("an RTX 4090"), guard) == ()


@pytest.mark.parametrize(
    ("name", "parent", "custom"),
    [
        pytest.param("team-bot:latest", "llama3.1:8b", True, id="built from another model"),
        pytest.param("our-llama:latest", None, True, id="copied to a name of one's own"),
        pytest.param("llama3.1:8b", None, False, id="a library name"),
        pytest.param("llama3.1:8b", "/home/ada/llama.gguf", False, id="a library name made from a file"),
        pytest.param("hf.co/acme/Llama-3.1-8B-GGUF:Q4_K_M", None, False, id="somebody else's name"),
        pytest.param("ada/llama3.1:8b", None, False, id="a name in somebody's namespace"),
    ],
)
def test_only_a_name_of_ones_own_is_built_again(name: str, parent: str | None, custom: bool) -> None:
    decision = decided(builtin(), replace(LLAMA31, name=name, parent=parent))
    assert decision.source.custom == custom
    assert (decision.rebuild is not None) == custom


def test_a_rebuild_names_messages_and_single_stops() -> None:
    bot = replace(TEAM_BOT, messages=2, system=False, parameters={"stop": "<|eot_id|>", "top_p": 0.95})
    decision = decided(builtin(), bot)
    assert decision.rebuild is not None
    assert decision.rebuild.carries == ("2 MESSAGEs", "top_p 0.95")
    assert decision.rebuild.drops[0] == "stop <|eot_id|>"


def test_a_machine_is_described_by_what_decides() -> None:
    bare = machine(16)
    assert describe_machine(bare) == "no GPU, 16 GiB RAM, 8 cores"
    limited = replace(bare, ram=replace(bare.ram, limit=8 * GIB))
    assert describe_machine(limited) == "no GPU, 16 GiB RAM (limited to 8.0 GiB), 8 cores"
    two = MACHINES["two RTX 3090"]
    assert describe_machine(two).startswith("NVIDIA GeForce RTX 3090 24 GiB + NVIDIA GeForce RTX 3090 24 GiB")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (server(), "Ollama 0.33.0 at http://127.0.0.1:11434"),
        (server(None), "Ollama, version not known at http://127.0.0.1:11434"),
        (OllamaFacts(source="store", store="/models"), "Ollama, version not known, store /models read from disk"),
        (OllamaFacts(source="none"), "no Ollama found; nothing is known about what is installed"),
        (
            OllamaFacts(source="none", problems=(f"{NO_SERVER}http://127.0.0.1:11434: connection refused; start it",)),
            "no Ollama server at http://127.0.0.1:11434: connection refused; nothing is known about what is installed",
        ),
    ],
)
def test_ollama_is_described_by_where_the_facts_are_from(facts: OllamaFacts, words: str) -> None:
    assert describe_ollama(facts) == words


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        ("llama3.1:8b", "llama3.1:8b", True),
        ("LLAMA3.1", "llama3.1:8b", True),
        ("llama3.1", "llama3.1:latest", True),
        ("llama3", "llama3.1:8b", False),
        ("llama3*", "llama3.1:8b", True),
        ("*:8b", "llama3.1:8b", True),
        ("hf.co/*", "hf.co/a/b:Q4", True),
        ("qwen*", "llama3.1:8b", False),
    ],
)
def test_patterns_mean_names(pattern: str, name: str, meant: bool) -> None:
    assert means(pattern, name) == meant


def test_a_recipe_on_disk_reads_like_one_made_here(tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(
        'schema = 1\nname = "acme"\n[[rules]]\nid = "ours"\nuse = "chat"\nmatch = ["llama3.1:8b"]\n'
        'targets = [{ model = "qwen3:14b", why = "because" }]\n'
    )
    ours, theirs = (
        decided(library_of(rule("qwen3:14b")), thinking="allow"),
        decided(load_library([file]), thinking="allow"),
    )
    assert ours.target is not None and theirs.target is not None
    assert ours.target.model == theirs.target.model == "qwen3:14b"
