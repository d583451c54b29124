"""What holds for a whole plan: totals, names, identity, order, warnings."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from planning_cases import MACHINES, installed, server, snapshot
from test_golden_decisions import LLAMA31, LLAMA_OF_R1, MISTRAL, STRANGER, TEAM_BOT, builtin

from llamaexit.errors import UsageError
from llamaexit.ollama.failures import NO_SERVER
from llamaexit.planning.options import PlanOptions, RemoteFacts
from llamaexit.planning.plan import Plan
from llamaexit.planning.planner import Planner, make_plan
from llamaexit.recipes.load import load_library
from llamaexit.snapshot import InstalledModel, OllamaFacts, Snapshot

HERE = "an RTX 4090"


def planned(*models: InstalledModel, **options: object) -> Plan:
    return make_plan(snapshot(HERE, *models), builtin(), PlanOptions(**options))  # type: ignore[arg-type]


def test_every_llama_found_is_planned_for_and_nothing_else() -> None:
    plan = planned(MISTRAL, TEAM_BOT, LLAMA31)
    assert [d.source.model for d in plan.decisions] == ["llama3.1:8b", "team-bot:latest"]


def test_a_model_that_may_be_llama_is_asked_about() -> None:
    (decision,) = planned(STRANGER).decisions
    assert decision.action == "blocked"
    assert decision.hint == "answer with --lineage strange-bot:latest=meta or --lineage strange-bot:latest=not-meta"


def test_backup_names_of_a_migration_are_not_planned_for() -> None:
    backup = replace(LLAMA31, name="llamaexit-keep/46e0c10c039e:latest")
    assert planned(backup).decisions == ()


def test_a_target_shared_by_two_sources_is_downloaded_once() -> None:
    plan = planned(LLAMA31, TEAM_BOT)
    assert {d.target.model for d in plan.decisions if d.target} == {"qwen3:4b-instruct"}
    assert plan.totals.download == 2_497_293_803
    assert plan.totals.disk_peak == plan.totals.download


def test_what_can_be_freed_later_leaves_out_models_that_keep_their_name() -> None:
    bot = replace(TEAM_BOT, exclusive=500)
    assert planned(replace(LLAMA31, exclusive=1000), bot).totals.reclaimable == 1000


def test_the_time_of_the_download_follows_the_bandwidth() -> None:
    assert planned(LLAMA31, bandwidth=2_497_293_803 // 60).totals.seconds == 60
    assert planned(LLAMA31).totals.seconds is None


def test_names_carry_the_digests_they_must_still_have() -> None:
    plan = planned(LLAMA31, TEAM_BOT)
    assert plan.names == {
        "llama3.1:8b": LLAMA31.digest,
        "qwen3:4b-instruct": None,
        "team-bot:latest": TEAM_BOT.digest,
    }


def test_the_same_inputs_give_the_same_id() -> None:
    one = planned(LLAMA31, TEAM_BOT)
    two = Planner(load_library()).plan(snapshot(HERE, LLAMA31, TEAM_BOT), PlanOptions())
    assert one == two
    assert one.plan_id == two.plan_id


def test_the_order_in_which_ollama_lists_models_does_not_matter() -> None:
    assert planned(LLAMA31, TEAM_BOT).plan_id == planned(TEAM_BOT, LLAMA31).plan_id


def test_when_a_snapshot_was_taken_does_not_matter() -> None:
    early, late = (replace(snapshot(HERE, LLAMA31), taken_at=t) for t in ("2026-01-01T00:00:00Z", None))
    ids = {make_plan(s, builtin(), PlanOptions()).plan_id for s in (early, late)}
    assert len(ids) == 1


def test_another_digest_of_a_source_gives_another_id() -> None:
    assert planned(LLAMA31).plan_id != planned(replace(LLAMA31, digest="ab" * 32)).plan_id


def test_derived_models_are_listed_with_their_base_through_several_steps() -> None:
    grandchild = replace(TEAM_BOT, name="night-bot:latest", parent="team-bot:latest", digest="9c" * 32)
    plan = planned(LLAMA31, TEAM_BOT, grandchild)
    base = next(d for d in plan.decisions if d.source.model == "llama3.1:8b")
    assert base.derived == ("night-bot:latest", "team-bot:latest")


def test_parents_that_name_each_other_do_not_hang_the_planner() -> None:
    a = replace(TEAM_BOT, name="a:latest", parent="b:latest")
    b = replace(TEAM_BOT, name="b:latest", parent="a:latest", digest="9d" * 32)
    assert {d.source.model: d.derived for d in planned(a, b).decisions} == {
        "a:latest": ("b:latest",),
        "b:latest": ("a:latest",),
    }


def test_a_rebuild_carries_what_the_user_set_and_drops_what_belongs_to_llama() -> None:
    (decision,) = [d for d in planned(LLAMA31, TEAM_BOT).decisions if d.rebuild]
    assert decision.rebuild is not None
    assert decision.rebuild.carries == ("SYSTEM", "num_ctx 8192", "temperature 0.3", "stop END")
    assert decision.rebuild.drops == ("stop <|eot_id|>", "TEMPLATE (the new base brings its own)")
    assert decision.target is not None and decision.target.fit is not None
    assert decision.target.fit.context == 8192


def test_only_and_skip_choose_by_pattern() -> None:
    models = (LLAMA31, TEAM_BOT)
    assert [d.source.model for d in planned(*models, only=("llama3.1",)).decisions] == ["llama3.1:8b"]
    assert [d.source.model for d in planned(*models, skip=("llama*",)).decisions] == ["team-bot:latest"]


@pytest.mark.parametrize(
    "name", ["muse-spark", "gpt-5.5", "claude-opus-4.5", "Gemini 3 Pro", "deepseek-v4", "qwen3-coder:480b-cloud"]
)
def test_asked_for_a_model_that_cannot_run_here_the_plan_names_the_nearest_that_can(name: str) -> None:
    library = builtin()
    plan = planned(models=(name,))
    assert plan.decisions == ()
    (asked,) = plan.asked
    assert asked.name == name and asked.what and asked.why
    assert asked.nearest
    for near in asked.nearest:
        found = library.target(near)
        assert found is not None and found[0].local and found[0].origin != "meta"


def test_a_llama_is_not_taken_for_a_closed_model() -> None:
    assert planned(models=("llama3.1:8b",)).asked == ()


@pytest.mark.parametrize("name", ["", "two words", "a/b/c/d:e", "llama3.1@sha256:0000"])
def test_what_is_no_name_is_refused_as_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError):
        planned(models=(name,))


@pytest.mark.parametrize(
    ("name", "size"),
    [("llama3.1:8b", 4.92e9), ("llama3.1:8b-instruct-q8_0", 8.5e9), ("llama3.1:8b-instruct-fp16", 16.0e9)],
)
def test_a_model_that_is_only_named_is_reckoned_with_the_bytes_of_its_very_tag(name: str, size: float) -> None:
    (decision,) = planned(models=(name,)).decisions
    assert decision.source.fit is not None
    parts = decision.source.fit.unloaded.parts
    weights = sum(part.size for part in parts if part.name in ("weights", "input embedding"))
    assert weights == pytest.approx(size, rel=0.01)


def test_a_missing_server_is_told_once_where_models_are_named_and_warned_of_where_none_are() -> None:
    missing = f"{NO_SERVER}http://127.0.0.1:11434: connection refused; start it"
    closed = "the store /usr/share/ollama cannot be read; ask for permission"
    here = snapshot(HERE, ollama=OllamaFacts(source="none", problems=(missing, closed)))
    named, unnamed = (
        make_plan(here, builtin(), PlanOptions(models=models)).warnings for models in (("llama3.1:8b",), ())
    )
    assert named == (closed,)
    assert unnamed == (missing, closed)


def test_names_are_found_whatever_their_case() -> None:
    (decision,) = planned(LLAMA31, models=("LLAMA3.1:8B",)).decisions
    assert decision.source.installed


def test_a_name_given_twice_is_planned_once() -> None:
    assert len(planned(models=("llama3.1:8b", "Llama3.1:8b")).decisions) == 1


def test_old_recipes_are_said_to_be_old() -> None:
    assert not any("180 days" in w for w in planned(LLAMA31, today=dt.date(2026, 12, 1)).warnings)
    old = [w for w in planned(LLAMA31, today=dt.date(2028, 1, 1)).warnings if "180 days" in w]
    assert len(old) == 1 and "built-in" in old[0]


def test_an_old_recipe_of_a_team_is_named(tmp_path: Path) -> None:
    recipe = tmp_path / "team.toml"
    recipe.write_text('schema = 1\nname = "acme"\nchecked = 2026-01-01\n')
    options = PlanOptions(today=dt.date(2026, 11, 25))
    warnings = make_plan(snapshot(HERE, LLAMA31), load_library([recipe]), options).warnings
    assert [w for w in warnings if "180 days" in w and "acme" in w]


def test_broken_models_are_named_and_not_planned_for() -> None:
    plan = planned(installed("broken:1b", problem="its manifest is empty"))
    assert plan.decisions == ()
    assert any("broken:1b" in w for w in plan.warnings)


def test_downloads_that_fit_one_by_one_but_not_together_are_warned_about() -> None:
    narrow = MACHINES[HERE]
    assert narrow.disk is not None
    tight = replace(narrow, disk=replace(narrow.disk, free=6_000_000_000))
    plan = make_plan(snapshot(tight), builtin(), PlanOptions(models=("llama3.1:8b", "codellama:7b-code")))
    assert [d.action for d in plan.decisions] == ["replace", "replace"]
    assert any("together" in w for w in plan.warnings)


def test_a_team_rule_beats_the_built_in_one_and_says_so(tmp_path: Path) -> None:
    recipe = tmp_path / "team.toml"
    recipe.write_text(
        'schema = 1\nname = "acme"\n\n[[rules]]\nid = "bots"\nuse = "tools"\nmatch = ["team-*"]\n'
        'targets = [{ model = "qwen3:14b", why = "what we tested" }]\n'
    )
    plan = make_plan(snapshot(HERE, TEAM_BOT), load_library([recipe]), PlanOptions(thinking="allow"))
    (decision,) = plan.decisions
    assert decision.use.source == "recipe" and decision.use.uses == ("tools",)
    assert decision.target is not None
    assert (decision.target.model, decision.target.recipe, decision.target.rule) == ("qwen3:14b", "acme", "acme/bots")


def test_a_team_rule_for_other_names_does_not_apply(tmp_path: Path) -> None:
    recipe = tmp_path / "team.toml"
    recipe.write_text(
        'schema = 1\nname = "acme"\n\n[[rules]]\nid = "bots"\nuse = "chat"\nmatch = ["sales-*"]\n'
        'targets = [{ model = "qwen3:14b" }]\n'
    )
    plan = make_plan(snapshot(HERE, TEAM_BOT), load_library([recipe]), PlanOptions())
    (decision,) = plan.decisions
    assert decision.target is not None and decision.target.model == "qwen3:4b-instruct"


def test_what_the_registry_says_replaces_the_catalogue() -> None:
    layer = "sha256:" + "11" * 32
    facts = RemoteFacts(digest="22" * 32, size=3_000, layers=((layer, 2_900), ("sha256:" + "33" * 32, 100)))
    plan = planned(LLAMA31, remote={"qwen3:4b-instruct": facts})
    (decision,) = plan.decisions
    assert decision.target is not None
    assert decision.target.digest == "22" * 32
    assert (decision.target.download.size, decision.target.download.exact) == (3_000, True)


def test_a_version_the_registry_asks_for_counts() -> None:
    facts = RemoteFacts(digest="22" * 32, size=3_000, requires="99.0.0")
    plan = planned(LLAMA31, remote={"qwen3:4b-instruct": facts}, everything=True)
    (decision,) = plan.decisions
    assert {r.model: r.because for r in decision.rejected}["qwen3:4b-instruct"] == "ollama-version"


def test_candidate_names_are_those_worth_asking_a_registry_about() -> None:
    names = Planner(builtin()).candidate_names(snapshot(HERE, LLAMA31, MISTRAL), PlanOptions())
    assert names[:2] == ("qwen3:8b", "qwen3:4b-instruct")
    assert not any("cloud" in name for name in names)


def test_a_recipe_that_asks_for_another_ollama_is_warned_about(tmp_path: Path) -> None:
    recipe = tmp_path / "team.toml"
    recipe.write_text('schema = 1\nname = "acme"\nrequires-ollama = ">=0.40"\n')
    library = load_library([recipe])

    def warned(version: str | None) -> bool:
        where: Snapshot = snapshot(HERE, LLAMA31, ollama=server(version))
        return any("acme" in w for w in make_plan(where, library, PlanOptions()).warnings)

    assert warned("0.33.0") and warned("0.40.0-rc1")
    assert not warned("0.40.0") and not warned(None)


def test_the_basis_says_what_the_plan_was_made_from() -> None:
    basis = planned(LLAMA31).basis
    assert basis.machine == "NVIDIA GeForce RTX 4090 24 GiB, 64 GiB RAM, 8 cores"
    assert basis.ollama == "Ollama 0.33.0 at http://127.0.0.1:11434"
    assert basis.recipes == ("built-in 2026.11.23",)
    assert basis.facts_checked == "2026-11-23"


def test_the_licence_of_an_old_build_is_that_of_its_weights() -> None:
    (decision,) = planned(LLAMA_OF_R1).decisions
    assert decision.source.licence == "llama3.1"
    assert decision.source.lineage.origin == "deepseek-r1:8b-llama-distill-q4_K_M"


def test_unverified_facts_are_named_where_they_matter() -> None:
    (chat,) = planned(models=("llama3.1:8b",)).decisions
    (completion,) = planned(models=("codellama:7b-code",)).decisions
    assert chat.target is not None and chat.target.unverified == ()
    assert completion.target is not None and "capabilities" in completion.target.unverified


def test_a_custom_model_is_reckoned_at_the_context_it_takes_along() -> None:
    short = replace(TEAM_BOT, context_length=4096)
    (decision,) = planned(short).decisions
    assert decision.target is not None and decision.target.fit is not None
    assert decision.target.fit.context == 8192
    assert decision.target.fit.context_source == "num_ctx of the old model"


def test_a_library_model_is_reckoned_at_the_context_ollama_will_give_it() -> None:
    (decision,) = planned(LLAMA31).decisions
    assert decision.source.fit is not None and decision.target is not None and decision.target.fit is not None
    assert decision.source.fit.context == decision.target.fit.context == 32768
    assert decision.target.set_context is None


def test_an_unknown_version_is_neither_enough_nor_too_old() -> None:
    plan = make_plan(snapshot(HERE, ollama=server(None)), builtin(), PlanOptions(models=("llama3.1:8b",)))
    (decision,) = plan.decisions
    assert decision.target is not None
    assert (decision.target.version.needed, decision.target.version.enough) == ("0.6.6", None)


def test_the_nearest_miss_is_what_takes_the_least() -> None:
    plan = make_plan(snapshot("a 2 GB board"), builtin(), PlanOptions(models=("llama3.1:8b",)))
    (decision,) = plan.decisions
    assert decision.action == "blocked"
    assert "nearest: qwen3:1.7b" in decision.reason


def test_of_windows_that_are_too_short_the_longest_is_the_nearest_miss() -> None:
    (decision,) = planned(models=("llama3.1:8b",), context=1_000_000).decisions
    assert decision.reason == ("no target passes; nearest: qwen3:4b-instruct: holds 262144 tokens, 1000000 are used")
    assert decision.hint == "if 262144 tokens are enough, say --context 262144"
    assert decision.proposals == ()


def test_a_context_that_a_recipe_asks_for_is_not_made_smaller_on_the_command_line(tmp_path: Path) -> None:
    recipe = tmp_path / "team.toml"
    recipe.write_text('schema = 1\nname = "team"\n\n[policy]\nmin-context = 1000000\n')
    plan = make_plan(snapshot(HERE), load_library([recipe]), PlanOptions(models=("llama3.1:8b",)))
    (decision,) = plan.decisions
    assert decision.hint == "the recipe that asks for 1000000 tokens (team) would have to change"


def test_what_is_near_to_a_closed_model_but_too_large_for_the_machine_is_told_apart() -> None:
    def asked(where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        (one,) = make_plan(snapshot(where), builtin(), PlanOptions(models=("deepseek-v4",))).asked
        return one.nearest, one.too_large

    nearest, too_large = asked("an RTX 4090")
    assert "deepseek-r1:32b" in nearest and too_large == ("deepseek-v3.1:671b",)
    nearest, too_large = asked("a 2 GB board")
    assert nearest == () and "deepseek-r1:8b" in too_large


def test_a_plan_is_unfinished_while_a_person_has_to_decide() -> None:
    assert planned(models=("llama-guard3:8b",)).unfinished
    assert not planned(models=("llama-guard3:8b",)).pending
    assert not planned(models=("qwen3:8b",)).unfinished


def test_a_broken_old_model_is_said_to_be_broken_first() -> None:
    (decision,) = planned(replace(LLAMA31, problem="its weights are missing")).decisions
    assert decision.target is not None
    assert decision.target.caveats[0].code == "BROKEN"


def test_the_preference_about_thinking_is_part_of_the_basis() -> None:
    assert any("thinking" in line for line in planned(LLAMA31).basis.policy)
    assert planned(LLAMA31, thinking="avoid").basis.policy[0].startswith("thinking: avoid")


def test_under_an_ollama_that_lists_no_capabilities_the_record_says_what_has_to_be_kept() -> None:
    silent = replace(LLAMA31, capabilities=None)
    plan = planned(silent, everything=True, thinking="allow")
    (decision,) = plan.decisions
    assert decision.target is not None and "tools" in decision.target.capabilities
