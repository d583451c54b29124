"""Published figures: whether they are about the chosen model, how they are worded, and which come first."""

from __future__ import annotations

from dataclasses import replace

import examples
import pytest

from llamaexit.planning.plan import Figures
from llamaexit.recipes.load import load_library
from llamaexit.report import figures
from llamaexit.report.relatives import relation


@pytest.mark.parametrize(
    ("model", "target", "said"),
    [
        ("Qwen3-8B", "qwen3:8b", ""),
        ("Qwen3-8B (non-thinking)", "qwen3:8b", ""),
        ("Qwen3-30B-A3B-Instruct-2507", "qwen3:30b-instruct", ""),
        ("Qwen2.5-Coder-7B-Instruct", "qwen2.5-coder:7b", ""),
        ("Qwen2.5-VL-72B", "qwen2.5vl:72b", ""),
        ("Qwen3.8-27B", "qwen3.8:27b-q4_K_M", ""),
        ("Qwen2-7B (base)", "qwen2:7b-text", ""),
        ("DeepSeek-R1-Distill-Qwen-32B", "deepseek-r1:32b", ""),
        ("DeepSeek-V3", "deepseek-v3:671b", ""),
        ("Qwen2.5-7B-Instruct", "qwen3:8b", "an older relative"),
        ("Qwen3-32B (non-thinking)", "qwen3.8:27b-q4_K_M", "an older relative"),
        ("Qwen3-14B", "qwen3:8b", "a relative"),
        ("Qwen3-4B", "qwen3:4b-instruct", "a relative"),
        ("Qwen3-VL-8B-Instruct", "qwen3:8b", "a relative"),
        ("Qwen3.5-9B", "qwen3:8b", "a relative"),
        ("Qwen2.5-72B-Instruct", "deepseek-v3:671b", "another model"),
        ("", "qwen3:8b", "another model"),
    ],
)
def test_model_of_a_figure_is_told_from_its_relatives(model, target, said) -> None:
    assert relation(model, target) == said


def published():
    """Every pair of a target and the model of a figure in the built-in rules, with the note."""
    for bound in load_library().rules:
        for choice in bound.rule.targets:
            for row in choice.evidence:
                yield choice.model, row.new_model, row.note


def test_every_figure_that_its_recipe_calls_older_is_found_to_be_a_relative() -> None:
    older = {(target, model) for target, model, note in published() if "older" in note or "earlier" in note}
    assert len(older) > 5
    assert [pair for pair in older if not relation(pair[1], pair[0])] == []


AHEAD = Figures("IFEval", "Llama-3.1-8B", 75.9, "Qwen3-8B", 71.0, "old", kind="maker", source="blog")
RELATIVE = replace(
    AHEAD,
    new_model="Qwen2.5-7B",
    setting="strict",
    note="the only pair in print",
    kind="independent",
    source="Model table, instruct rows, page 4, 2024-09-19",
)


def test_figure_where_the_old_model_wins_says_so() -> None:
    assert figures.brief(AHEAD, "qwen3:8b") == (
        "IFEval: 75.9 → 71, the old one is ahead (Llama-3.1-8B → Qwen3-8B; the maker's own, blog)"
    )


def test_figure_of_a_relative_says_so_and_keeps_its_note() -> None:
    assert figures.brief(RELATIVE, "qwen3:8b").endswith(
        "(Llama-3.1-8B → Qwen2.5-7B, an older relative; the only pair in print; independent, Model table, 2024-09-19)"
    )


def test_figure_in_full_has_the_setting_and_the_whole_source() -> None:
    assert figures.in_full(RELATIVE, "qwen3:8b") == (
        "IFEval: Llama-3.1-8B 75.9 → Qwen2.5-7B 71; the old one is ahead (strict; Qwen2.5-7B is an older relative; "
        "the only pair in print; independent, Model table, instruct rows, page 4, 2024-09-19)"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("Report, table 18, 2025-05-14", "Report, 2025-05-14"),
        ("README (base models, distills), 2025-01", "README, 2025-01"),
        ("a score out of 732; single rows, 2026", "a score out of 732, 2026"),
        ("a score of 2024, undated", "a score of 2024"),
    ],
)
def test_source_in_brief_is_its_name_and_date(source, said) -> None:
    assert figures.brief(replace(ITSELF, source=source), "qwen3:8b").endswith(f"; the maker's own, {said})")


ITSELF = replace(AHEAD, favours="new", new=80.0)
OTHER = replace(RELATIVE, favours="new", new=80.0)


@pytest.mark.parametrize(
    ("evidence", "counter", "shown"),
    [
        pytest.param((), (), [], id="nothing is published"),
        pytest.param((OTHER, ITSELF), (), [ITSELF], id="the model itself goes before a relative"),
        pytest.param((OTHER, replace(OTHER, new=81.0)), (), [OTHER], id="one of a relative when there is no other"),
        pytest.param((ITSELF,), (RELATIVE, AHEAD), [ITSELF, AHEAD], id="one that speaks against it"),
        pytest.param((ITSELF,), (RELATIVE,), [ITSELF, RELATIVE], id="one that does so for a relative"),
        pytest.param((AHEAD,), (), [AHEAD], id="evidence that speaks against it, once"),
    ],
)
def test_figures_of_the_model_itself_come_first(evidence, counter, shown) -> None:
    target = replace(examples.CHAT_TARGET, evidence=evidence, counter_evidence=counter)
    assert figures.worth_showing(target, 2) == shown
