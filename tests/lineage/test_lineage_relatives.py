"""Copies, renamed models, and models built on one another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lineage_cases import LLAMA, digest, installed, judged, rules, text_of

from llamaexit.lineage import assess_all
from llamaexit.recipes.library import Library
from llamaexit.snapshot import InstalledModel, Lineage

W = digest("the weights of llama3.1")
BASE = installed("llama3.1:8b", {**LLAMA, "general.license": "llama3.1"}, weights_digest=W)
"""An installed Llama that its file gives away."""
SILENT = installed("llama3.1:8b", LLAMA, weights_digest=W)
"""The same with a file that says nothing."""


def all_judged(library: Library, *models: InstalledModel) -> dict[str, Lineage]:
    assessed = assess_all(models, library)
    return {model.name: model.lineage for model in assessed if model.lineage is not None}


def test_a_copy_has_the_lineage_of_what_it_was_copied_from(library: Library) -> None:
    copy = replace(BASE, name="production:latest")

    lineage = judged(copy, library, [BASE])

    assert (lineage.verdict, lineage.origin) == ("meta", "llama3.1:8b")
    assert text_of(lineage, "same-weights").startswith("it has the same weights as llama3.1:8b: ")


def test_a_copy_is_recognised_by_its_manifest_when_the_weights_are_not_known(library: Library) -> None:
    base = replace(SILENT, weights_digest=None)
    copy = replace(base, name="production:latest")

    assert rules(judged(copy, library, [base]))[0] == "same-weights"


def test_a_copy_whose_weights_are_not_known_joins_those_whose_are(library: Library) -> None:
    copy = replace(SILENT, name="production:latest", weights_digest=None)
    derived = installed("team-bot:latest", LLAMA, weights_digest=W)

    found = all_judged(library, SILENT, copy, derived)

    assert {lineage.verdict for lineage in found.values()} == {"meta"}


def test_the_model_that_tells_most_does_not_lean_on_its_copies(library: Library) -> None:
    found = all_judged(library, installed("team-bot:latest", LLAMA, weights_digest=W, parent="llama3.1:8b"), BASE)

    assert "same-weights" not in rules(found["llama3.1:8b"])
    assert "same-weights" in rules(found["team-bot:latest"])


def test_a_parent_with_the_same_weights_is_not_told_twice(library: Library) -> None:
    bot = installed("team-bot:latest", LLAMA, weights_digest=W, parent="llama3.1:8b")

    assert "parent" not in rules(judged(bot, library, [BASE]))


def test_a_renamed_model_is_found_out_by_another_name_it_shares_weights_with(library: Library) -> None:
    renamed = installed("gpt-5-local:latest", LLAMA, weights_digest=W)

    assert judged(renamed, library, [SILENT]).verdict == "meta"


def test_models_with_other_weights_learn_nothing_from_each_other(library: Library) -> None:
    stranger = installed("helper:latest", LLAMA)

    lineage = judged(stranger, library, [BASE])

    assert (lineage.verdict, "same-weights" in rules(lineage)) == ("unknown", False)


def test_models_without_any_digest_learn_nothing_from_each_other(library: Library) -> None:
    one = installed("helper:1", LLAMA, digest=None, weights_digest=None)
    other = installed("helper:2", {**LLAMA, "general.license": "llama3"}, digest=None, weights_digest=None)

    assert judged(one, library, [other]).verdict == "unknown"


def test_what_nobody_can_tell_about_shared_weights_stays_unknown_for_all(library: Library) -> None:
    models = [installed(f"helper:{number}", LLAMA, weights_digest=W) for number in range(3)]

    assert {lineage.verdict for lineage in all_judged(library, *models).values()} == {"unknown"}


def test_two_weak_signs_of_one_name_hold_for_its_copies(library: Library) -> None:
    tokens = ("<|eot_id|>",)
    hinting = installed("my-llama3-helper:latest", LLAMA, weights_digest=W, template_tokens=tokens)
    bare = installed("helper:latest", LLAMA, weights_digest=W)

    assert judged(bare, library, [hinting]).verdict == "meta"


def test_a_lookalike_stays_one_under_every_name(library: Library) -> None:
    tiny = installed("tinyllama:latest", LLAMA, weights_digest=digest("2af3b81862c6"))
    copy = installed("pocket:latest", LLAMA, weights_digest=digest("2af3b81862c6"))

    lineage = judged(copy, library, [tiny])

    assert (lineage.verdict, lineage.origin) == ("unknown", "tinyllama:1.1b")


def test_a_derived_model_follows_its_parent_when_no_weights_are_known(library: Library) -> None:
    bot = installed("team-bot:latest", LLAMA, weights_digest=None, parent="llama3.1:8b")

    lineage = judged(bot, library, [BASE])

    assert (lineage.verdict, lineage.origin, lineage.generation) == ("meta", "llama3.1:8b", "llama3.1")
    assert text_of(lineage, "parent") == "it was built FROM llama3.1:8b: its file states the licence llama3.1"


def test_a_derived_model_follows_its_parents_through_several_steps(library: Library) -> None:
    bot = installed("team-bot:latest", weights_digest=None, parent="llama3.1:8b")
    better = installed("better-bot:latest", weights_digest=None, parent="team-bot")
    best = installed("best-bot:latest", weights_digest=None, parent="Better-Bot:latest")

    lineage = judged(best, library, [bot, better, BASE])

    assert lineage.verdict == "meta"
    assert text_of(lineage, "parent").startswith("it was built FROM Better-Bot:latest FROM team-bot FROM llama3.1:8b: ")


def test_a_derived_model_with_the_weights_of_its_parent_looks_further_up(library: Library) -> None:
    bot = installed("team-bot:latest", LLAMA, weights_digest=W, parent="llama3.1:8b")
    better = installed("better-bot:latest", LLAMA, weights_digest=W, parent="team-bot:latest")

    lineage = judged(better, library, [bot])

    assert text_of(lineage, "parent").startswith(
        "it was built FROM team-bot:latest FROM llama3.1:8b, which is not here any more; "
    )
    assert lineage.verdict == "meta"


def test_a_derived_model_outlives_its_base(library: Library) -> None:
    lineage = judged(installed("team-bot:latest", LLAMA, parent="llama3.1:8b"), library)

    assert (lineage.verdict, lineage.origin) == ("meta", "llama3.1:8b")


def test_a_derived_model_whose_base_nobody_knows_is_asked_about(library: Library) -> None:
    lineage = judged(installed("team-bot:latest", LLAMA, parent="helper:latest"), library)

    assert lineage.verdict == "unknown"
    assert lineage.evidence[0].text.startswith("it was built FROM helper:latest, which is not here any more; ")


def test_a_parent_that_was_pulled_again_with_other_weights_proves_nothing(library: Library) -> None:
    parent = installed("deepseek-r1:8b", {"general.architecture": "qwen3"})
    bot = installed("thinker:latest", LLAMA, parent="deepseek-r1:8b")

    lineage = judged(bot, library, [parent])

    assert lineage.verdict == "unknown"
    assert text_of(lineage, "parent") == "it was built FROM deepseek-r1:8b, which holds other weights now"


def test_a_parent_with_other_weights_ends_the_search(library: Library) -> None:
    parent = installed("middle:latest", LLAMA, parent="llama3.1:8b")
    bot = installed("team-bot:latest", LLAMA, parent="middle:latest")

    assert judged(bot, library, [parent]).verdict == "unknown"


def test_a_model_built_on_its_own_name_is_no_evidence_for_itself(library: Library) -> None:
    """`ollama create llama3.1:8b` FROM llama3.1:8b is how people change settings in place."""
    own = installed("llama3.1:8b", BASE.metadata, digest=None, weights_digest=None, parent="llama3.1:8b")

    assert "parent" not in rules(judged(own, library))


def test_a_model_built_on_the_old_deepseek_r1_is_llama_though_its_parent_is_qwen_now(library: Library) -> None:
    parent = installed("deepseek-r1:8b", {"general.architecture": "qwen3"})
    bot = installed("thinker:latest", LLAMA, parent="deepseek-r1:8b", weights_digest=digest("6340dc3229b0"))

    assert judged(bot, library, [parent]).verdict == "meta"


def test_a_missing_parent_whose_tag_has_moved_is_told_by_the_architecture_of_its_child(library: Library) -> None:
    old = installed("thinker:latest", LLAMA, parent="deepseek-r1:8b")
    new = installed("thinker:latest", {"general.architecture": "qwen3"}, parent="deepseek-r1:8b")

    assert (judged(old, library).verdict, judged(new, library).verdict) == ("meta", "not-meta")


def test_a_derived_model_of_another_family_is_not_llama(library: Library) -> None:
    bot = installed("team-bot:latest", parent="qwen3:8b")

    assert judged(bot, library).verdict == "not-meta"


def test_an_architecture_outweighs_the_name_of_a_missing_parent(library: Library) -> None:
    lineage = judged(installed("team-bot:latest", {"general.architecture": "qwen3"}, parent="llama3.1:8b"), library)

    assert lineage.verdict == "not-meta"
    assert text_of(lineage, "contradiction").startswith("the model it was built from would say Llama")


def test_parents_that_say_nothing_do_not_stop_the_search(library: Library) -> None:
    middle = installed("middle:latest", LLAMA, weights_digest=None, parent="llama3.1:8b")
    bot = installed("team-bot:latest", LLAMA, weights_digest=None, parent="middle:latest")

    assert judged(bot, library, [middle, BASE]).verdict == "meta"


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_parents_that_go_in_circles_come_to_an_end(length: int, library: Library) -> None:
    ring = [
        installed(f"ring:{number}", LLAMA, weights_digest=None, parent=f"ring:{(number + 1) % length}")
        for number in range(length)
    ]

    assert {lineage.verdict for lineage in all_judged(library, *ring).values()} == {"unknown"}


def test_a_chain_longer_than_anybody_builds_comes_to_an_end(library: Library) -> None:
    chain = [
        installed(f"step:{number}", weights_digest=None, parent=f"step:{number + 1}" if number < 200 else "llama3:8b")
        for number in range(201)
    ]

    found = all_judged(library, *chain)

    assert (found["step:0"].verdict, found["step:200"].verdict) == ("unknown", "meta")


def test_one_model_is_judged_alike_alone_and_among_all(library: Library) -> None:
    bot = installed("team-bot:latest", LLAMA, weights_digest=W, parent="llama3.1:8b")
    models = (BASE, bot, installed("qwen3:8b", {"general.architecture": "qwen3"}))

    found = all_judged(library, *models)

    assert {model.name: judged(model, library, models) for model in models} == found


def test_the_model_itself_may_be_among_the_installed_ones_under_any_key(library: Library) -> None:
    from llamaexit.lineage import assess

    assert assess(BASE, library, {"whatever": BASE}) == judged(BASE, library)


def test_the_order_of_models_does_not_matter(library: Library) -> None:
    bot = installed("team-bot:latest", LLAMA, weights_digest=W, parent="llama3.1:8b")
    copy = replace(BASE, name="production:latest")

    assert all_judged(library, BASE, bot, copy) == all_judged(library, copy, bot, BASE)


def test_assessing_changes_nothing_but_the_lineage(library: Library) -> None:
    (assessed,) = assess_all([BASE], library)

    assert replace(assessed, lineage=None) == BASE


def test_a_name_ollama_would_refuse_is_judged_by_everything_else(library: Library) -> None:
    odd = installed("no/such/name/at:all", {**LLAMA, "general.license": "llama3"})

    assert judged(odd, library).verdict == "meta"
