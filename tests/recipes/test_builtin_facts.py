"""The knowledge the tool ships with: complete, consistent, and right in the places where names mislead."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from llamaexit.planning.rules import RuleBook
from llamaexit.recipes.library import BoundRule, Library
from llamaexit.recipes.meaning import check_meaning
from llamaexit.recipes.model import Choice, Origin, Rule, Target, Use
from llamaexit.recipes.pack import recipe_folder
from llamaexit.recipes.read import read_recipe
from llamaexit.recipes.validate import validate

FILES = sorted(recipe_folder().glob("*.toml"))
ISO_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
FALLBACK = "fallback"


def origin(library: Library, name: str) -> Origin:
    found = library.origin(name)
    assert found is not None, name
    return found


def target(library: Library, name: str) -> Target:
    found = library.target(name)
    assert found is not None, name
    return found[0]


def own_rules(library: Library) -> list[BoundRule]:
    """Rules for one source, not those for everything else."""
    return [bound for bound in library.rules if bound.recipe != FALLBACK]


def choices(library: Library) -> list[tuple[Rule, Choice]]:
    return [(bound.rule, choice) for bound in library.rules for choice in bound.rule.targets]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_builtin_file_is_a_recipe_anybody_could_have_written(path: Path, library: Library) -> None:
    document, tables = read_recipe(path)
    checked = validate(document, tables)
    assert checked.problems == ()
    assert checked.recipe is not None
    assert [f"{key}: {text}" for key, text, _ in check_meaning(checked.recipe, library)] == []
    assert checked.recipe.name == path.stem
    assert checked.recipe.checked is not None


def test_everything_the_facts_list_is_there(library: Library) -> None:
    assert len(library.origins) == 207
    assert len(library.targets) == 193
    assert sum(target.local for target in library.targets) == 185
    assert sum(target.origin == "meta" for target in library.targets) == 6


def test_every_name_in_the_library_index_finds_its_target(library: Library) -> None:
    names = {
        name.lower()
        for record in library.targets
        for name in (record.name, *record.also, *(f"{record.name.split(':')[0]}:{tag.tag}" for tag in record.tags))
    }
    assert len(names) == 1640
    assert all(library.target(name) is not None for name in names)


def test_rules_cover_all_sources_and_choices(library: Library) -> None:
    rules = [bound.rule for bound in own_rules(library)]
    sources = {rule.id.partition("/")[2] for rule in rules}
    assert len(sources) == 129
    assert sum(len(rule.targets) for rule in rules) == 568
    assert sum(len(choice.evidence) for rule in rules for choice in rule.targets) == 307
    assert sum(len(rule.counter_evidence) for rule in rules) == 15
    assert len({rule.id.partition("/")[2] for rule in rules if not rule.automatic}) == 28


def test_rule_ids_are_unique(library: Library) -> None:
    ids = [bound.rule.id for bound in library.rules]
    assert len(ids) == len(set(ids))


def test_a_rule_knows_the_line_of_its_header(library: Library) -> None:
    texts = {path.name: path.read_text(encoding="utf-8").splitlines() for path in FILES}
    for bound in library.rules:
        lines = texts[bound.file.removeprefix("builtin:")]
        assert lines[bound.line - 1] == "[[rules]]"
        assert bound.rule.id in lines[bound.line]


@pytest.mark.parametrize(
    ("name", "lineage", "generation"),
    [
        ("llama3.1:8b", "meta", "llama3.1"),
        ("llama3.1", "meta", "llama3.1"),
        ("llama3.1:8b-instruct-q8_0", "meta", "llama3.1"),
        ("codellama:7b-code", "meta", "codellama"),
        ("deepseek-r1:70b", "meta", "llama3.3"),
        ("deepseek-r1:8b", "not-meta", ""),
        ("deepseek-r1:8b-llama-distill-q4_K_M", "meta", "llama3.1"),
        ("r1-1776", "meta", "llama3.3"),
        ("r1-1776:671b", "not-meta", ""),
        ("cogito", "meta", "llama3.1"),
        ("cogito:3b", "meta", "llama3.2"),
        ("cogito:14b", "not-meta", ""),
        ("cogito:70b", "meta", "llama3.1"),
        ("llava", "not-meta", ""),
        ("llava:13b", "meta", "llama2"),
        ("llava:34b", "not-meta", ""),
        ("llava:7b-v1.6-vicuna-q4_0", "meta", "llama2"),
        ("llava-llama3", "meta", "llama3"),
        ("hermes3:8b", "meta", "llama3.1"),
        ("nous-hermes2:34b", "not-meta", ""),
        ("dolphin-llama3", "meta", "llama3"),
        ("wizard-math:7b", "not-meta", ""),
        ("wizard-math:13b", "meta", "llama2"),
        ("wizard-vicuna-uncensored:7b", "meta", "llama1"),
        ("sqlcoder:7b", "not-meta", ""),
        ("sqlcoder:70b-alpha-q4_0", "meta", "codellama"),
        ("mistral", "not-meta", ""),
        ("solar", "not-meta", ""),
        ("yi:34b", "not-meta", ""),
        ("rnj-1:8b", "not-meta", ""),
        ("tinyllama", "unknown", ""),
        ("tinydolphin", "unknown", ""),
        ("orca-mini", "unknown", ""),
        ("orca-mini:13b", "meta", "llama2"),
    ],
)
def test_lineage_of_a_name_that_could_mislead(library: Library, name: str, lineage: str, generation: str) -> None:
    found = origin(library, name)
    assert (found.lineage, found.generation) == (lineage, generation)


@pytest.mark.parametrize(
    ("digest", "name"),
    [
        ("46e0c10c039e", "llama3.1:8b"),
        ("28f8fd6cdc67", "deepseek-r1:8b-llama-distill-q4_K_M"),
        ("6995872bfe4c", "deepseek-r1:8b"),
        ("0a8c26691023", "deepseek-r1:7b"),
        ("sha256:46E0C10C039E019119339687C3C1757CC81B9DA49709A3B3924863BA87CA666E", "llama3.1:8b"),
    ],
)
def test_a_manifest_digest_names_the_build(library: Library, digest: str, name: str) -> None:
    found = library.origin_by_manifest(digest)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("digest", "name"),
    [
        ("6340dc3229b0", "deepseek-r1:8b-llama-distill-q4_K_M"),
        ("667b0c1932bc", "llama3.1:8b"),
        ("11f274007f09", "llama3.2-vision:11b"),
    ],
)
def test_a_weights_digest_names_the_build(library: Library, digest: str, name: str) -> None:
    found = library.origin_by_blob(digest)
    assert found is not None
    assert found.name == name


def test_an_unknown_digest_names_nothing(library: Library) -> None:
    assert library.origin_by_manifest("ffffffffffff") is None
    assert library.origin_by_blob("ffffffffffff") is None


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("qwen2.5:3b", "Qwen-Research"),
        ("qwen2.5:7b", "Apache-2.0"),
        ("qwen2.5:72b", "Qwen"),
        ("qwen2.5-coder:3b", "Qwen-Research"),
        ("qwen2.5-coder:7b-base", "Apache-2.0"),
        ("qwen:1.8b", "Tongyi-Qianwen-Research"),
        ("qwen2:72b-text", "Tongyi-Qianwen"),
        ("qwen3:8b", "Apache-2.0"),
        ("qwen3.8:27b-q8_0", "Apache-2.0"),
        ("qwen3.8-flash-next:125b", "Qwen-Community-1.0"),
        ("deepseek-r1:7b", "MIT-on-Apache-2.0"),
        ("deepseek-r1:70b", "MIT-on-Llama-3.3"),
        ("deepseek-coder-v2:16b", "DeepSeek-Model-1.0"),
        ("smallthinker:3b", "Qwen-Research"),
        ("qwen2-math:7b", ""),
    ],
)
def test_the_licence_of_an_exact_tag(library: Library, name: str, licence: str) -> None:
    assert target(library, name).licence == licence


@pytest.mark.parametrize(
    ("licence", "open_source", "commercial"),
    [
        ("Apache-2.0", True, True),
        ("MIT", True, True),
        ("MIT-on-Llama-3.3", False, True),
        ("llama3.1", False, True),
        ("llama1", False, False),
        ("Qwen-Research", False, False),
        ("DeepSeek-Model-1.0", False, True),
    ],
)
def test_what_a_licence_allows(library: Library, licence: str, open_source: bool, commercial: bool) -> None:
    found = library.licence(licence)
    assert found is not None
    assert (found.open_source, found.commercial) == (open_source, commercial)


def test_a_distill_of_llama_never_counts_as_open_source(library: Library) -> None:
    for record in library.targets:
        licence = library.licence(record.licence)
        if record.origin == "meta" and licence is not None:
            assert not licence.open_source, record.name


def test_every_licence_source_and_caveat_is_explained(library: Library) -> None:
    for licence in {record.licence for record in (*library.origins, *library.targets)} - {""}:
        assert library.licence(licence) is not None, licence
    codes = {code for bound in library.rules for code in bound.rule.caveats}
    codes |= {code for _, choice in choices(library) for code in choice.caveats}
    assert codes <= set(library.caveats)
    named = {source for record in (*library.origins, *library.targets) for source in record.sources}
    named |= {score.source for record in (*library.origins, *library.targets) for score in record.scores}
    named |= {figure.source for _, choice in choices(library) for figure in choice.evidence}
    named |= {figure.source for bound in library.rules for figure in bound.rule.counter_evidence}
    assert "" not in named
    assert named <= set(library.sources)


def test_every_record_says_where_it_is_from(library: Library) -> None:
    assert [record.name for record in (*library.origins, *library.targets) if not record.sources] == []


def test_every_choice_is_a_local_model_free_of_llama(library: Library) -> None:
    for rule, choice in choices(library):
        found = target(library, choice.model)
        assert found.local, (rule.id, choice.model)
        assert found.origin == "not-meta", (rule.id, choice.model)
        assert found.family in ("qwen", "deepseek"), (rule.id, choice.model)


def test_no_choice_has_a_research_licence(library: Library) -> None:
    for rule, choice in choices(library):
        licence = library.licence(target(library, choice.model).licence)
        assert licence is not None, (rule.id, choice.model)
        assert licence.commercial, (rule.id, choice.model)


def test_no_rule_gives_a_target_that_ollama_lists_as_weak_for_its_use(library: Library) -> None:
    for rule, choice in choices(library):
        assert rule.use not in target(library, choice.model).weak_for, (rule.id, choice.model)


def test_tools_rules_only_give_models_with_tools(library: Library) -> None:
    for rule, choice in choices(library):
        found = target(library, choice.model)
        if rule.use == "tools":
            assert "tools" in found.capabilities, (rule.id, choice.model)
            assert "NO_TOOLS" not in choice.caveats, (rule.id, choice.model)
        if rule.use == "vision":
            assert "vision" in found.capabilities, (rule.id, choice.model)
        if rule.use == "embedding":
            assert found.capabilities == ("embedding",), (rule.id, choice.model)


@pytest.mark.parametrize(
    "name",
    ["qwen2.5:7b", "qwen2.5:latest", "qwen2.5-coder:32b", "deepseek-r1", "deepseek-r1:1.5b", "deepseek-r1:32b"],
)
def test_models_that_ollama_calls_weak_for_agents_say_so(library: Library, name: str) -> None:
    assert target(library, name).weak_for == ("tools",)


@pytest.mark.parametrize("name", ["qwen2.5vl:7b", "qwen3:8b", "qwen3-coder:30b", "deepseek-r1:671b"])
def test_models_that_ollama_does_not_call_weak_do_not(library: Library, name: str) -> None:
    assert target(library, name).weak_for == ()


@pytest.mark.parametrize("name", ["deepseek-r1:8b", "deepseek-r1:70b", "deepseek-r1:32b"])
def test_a_tools_badge_that_lies_is_not_a_capability(library: Library, name: str) -> None:
    assert "tools" not in target(library, name).capabilities
    assert "tools" not in origin(library, name).capabilities


def test_never_automatic_uses_leave_the_decision_to_a_person(library: Library) -> None:
    for bound in library.rules:
        if bound.rule.use in ("embedding", "guard", "medical", "text"):
            assert not bound.rule.automatic, bound.rule.id
        assert bool(bound.rule.decide) is not bound.rule.automatic, bound.rule.id


def test_what_a_person_has_to_decide_reads_as_one_request(library: Library) -> None:
    """A plan prints it as half a sentence: `not replaced automatically; decide whether …`."""
    for text in {bound.rule.decide for bound in library.rules} - {""}:
        assert re.fullmatch(r"(Decide (when|whether|with|after)|Keep) [^.]*\.", text), text


def test_every_use_of_every_llama_model_has_a_rule(library: Library) -> None:
    book = RuleBook(library.rule_heads)
    for record in library.origins:
        if record.lineage == "not-meta":
            continue
        assert record.uses, record.name
        for use in {*record.uses, *(use for tag in record.tags for use in tag.uses)}:
            assert book.matching([record.name], use, record.generation, None), (record.name, use)


@pytest.mark.parametrize("use", get_args(Use))
@pytest.mark.parametrize("billions", [None, 0.5, 1.2, 3.2, 8.03, 13.0, 34.0, 70.6, 109.0, 405.0])
def test_a_fine_tune_nobody_knows_gets_candidates_for_every_use(
    library: Library, use: Use, billions: float | None
) -> None:
    rules = RuleBook(library.rule_heads).matching(["team-bot:latest"], use, "llama3.1", billions)
    assert rules
    assert rules[0].recipe == FALLBACK
    assert use == "guard" or rules[0].rule.targets


def test_a_base_text_tag_is_not_taken_for_a_chat_model(library: Library) -> None:
    assert library.uses("llama3.1:8b-text-q4_K_M") == ("text",)
    assert library.uses("llama3.1:8b-instruct-q4_K_M")[0] == "chat"
    book = RuleBook(library.rule_heads)
    first = book.matching(["llama3.1:8b-text-q4_K_M", "llama3.1:8b"], "text", "llama3.1", 8.0)[0]
    assert first.rule.id == "text/llama3:8b-text"


def test_the_old_build_of_deepseek_r1_8b_has_rules_under_its_old_name(library: Library) -> None:
    first = RuleBook(library.rule_heads).matching(["deepseek-r1:8b"], "reasoning", "llama3.1", 8.0)[0]
    assert first.rule.id == "reasoning/deepseek-r1:8b-llama-distill-q4_K_M"


def test_fallback_rules_leave_no_gap_between_sizes(library: Library) -> None:
    by_use: dict[str, list[tuple[float, float]]] = {}
    for bound in library.rules:
        rule = bound.rule
        if bound.recipe == FALLBACK and (rule.min_parameters or rule.max_parameters):
            by_use.setdefault(rule.use, []).append((rule.min_parameters, rule.max_parameters))
    assert by_use
    for use, bands in by_use.items():
        bands.sort()
        assert bands[0][0] == 0, use
        assert bands[-1][1] == 0, use
        assert [upper for _, upper in bands[:-1]] == [lower for lower, _ in bands[1:]], use


def test_dates_can_be_read(library: Library) -> None:
    dates = {record.released for record in library.targets} | {record.size_as_of for record in library.targets}
    for source in library.sources.values():
        dates.update(source.date.split("/"))
    assert [date for date in dates if date and not ISO_DATE.fullmatch(date)] == []


def test_sizes_are_there_for_everything_that_can_be_pulled(library: Library) -> None:
    assert [record.name for record in library.targets if record.local and not record.size] == []
    assert [record.name for record in library.origins if not record.size] == []
    assert target(library, "qwen3:8b").size == 5_225_388_164
    assert target(library, "qwen3:8b").exact
    assert origin(library, "llama3.1:8b").size == 4_920_752_841


def test_moved_tags_carry_the_digests_of_all_their_builds(library: Library) -> None:
    found = target(library, "qwen3.5:9b")
    assert found.digest == "56671c2ab938"
    assert set(found.manifests) == {"56671c2ab938", "6488c96fa5fa"}


def test_a_quantization_tag_stays_with_its_build_when_the_default_tag_moves(library: Library) -> None:
    found = library.target("qwen3.5:9b-q4_K_M")
    assert found is not None
    moved, stayed = found
    assert stayed is not None
    assert (stayed.digest, stayed.size, stayed.exact) == ("6488c96fa5fa", 6_594_474_711, True)
    assert (moved.digest, moved.size, moved.exact) == ("56671c2ab938", 6_550_825_373, True)


def test_a_build_nobody_has_seen_the_digest_of_claims_none(library: Library) -> None:
    found = target(library, "qwen3.6:27b")
    assert (found.digest, found.exact, found.size_as_of) == ("", False, "2026-10-05")
    assert "a50eda8ed977" in found.manifests


@pytest.mark.parametrize(
    ("name", "vendor", "base_vendor", "country"),
    [
        ("qwen3:8b", "Alibaba Qwen", "", "China"),
        ("deepseek-r1:7b", "DeepSeek", "Alibaba Qwen", "China"),
        ("cogito:14b", "Deep Cogito", "Alibaba Qwen", "China"),
        ("r1-1776:671b", "Perplexity", "DeepSeek", "China"),
        ("deepseek-r1:70b", "DeepSeek", "Meta", "United States"),
    ],
)
def test_a_fine_tune_names_whose_weights_it_is_made_of(
    library: Library, name: str, vendor: str, base_vendor: str, country: str
) -> None:
    found = target(library, name)
    assert (found.vendor, found.base_vendor, found.country) == (vendor, base_vendor, country)


@pytest.mark.parametrize(
    ("asked", "vendor"),
    [
        ("muse-spark", "Meta"),
        ("Muse Spark", "Meta"),
        ("gpt-5.5", "OpenAI"),
        ("gpt-4o:latest", "OpenAI"),
        ("o3", "OpenAI"),
        ("claude-opus-4", "Anthropic"),
        ("Gemini-3-pro", "Google"),
        ("grok-4", "xAI"),
        ("deepseek-v4", "DeepSeek"),
        ("deepseek-v4.1-flash:cloud", "DeepSeek"),
        ("deepseek-v3.2", "DeepSeek"),
        ("qwen3-max", "Alibaba Qwen"),
        ("qwen3.7-plus", "Alibaba Qwen"),
        ("gpt-oss:120b-cloud", "Ollama"),
        ("kimi-k2:cloud", "Ollama"),
    ],
)
def test_a_model_that_cannot_run_here_is_known_and_has_nearest_ones(library: Library, asked: str, vendor: str) -> None:
    found = library.closed(asked)
    assert found is not None
    assert found.vendor == vendor
    assert found.nearest
    for name in found.nearest:
        assert target(library, name).local


@pytest.mark.parametrize(
    "name", ["gpt-oss:20b", "gemma3:4b", "qwen3:8b", "deepseek-v3.1:671b", "olmo3:7b", "muse-glimmer:30b"]
)
def test_a_model_that_can_run_here_is_not_called_closed(library: Library, name: str) -> None:
    assert library.closed(name) is None


def test_recipes_speak_of_the_world_and_not_of_their_making() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert tomllib.loads(text)["checked"]
        for word in ("find_string", "/shared/", "http://", "C:\\", "TODO", "FIXME"):
            assert word not in text, (path.name, word)
