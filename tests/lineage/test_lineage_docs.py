"""The reference page lists the rules that exist, and its examples are what the rules really say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lineage_cases import LLAMA, digest, installed, judged, named, shaped, text_of

from llamaexit.lineage import with_answer
from llamaexit.lineage.finding import RULES
from llamaexit.recipes.library import Library
from llamaexit.snapshot import InstalledModel

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "lineage.md"
SECTION = re.compile(r"^### `([a-z-]+)`$", re.MULTILINE)
SEVEN = shaped((4096, 32, 11008), 32, 32000)
BASE = {
    **LLAMA,
    "general.license": "llama3.1",
    "general.base_model.0.name": "Meta Llama 3.1 8B",
    "general.base_model.0.organization": "Meta Llama",
}

EXAMPLES: dict[str, InstalledModel] = {
    "manifest-digest": installed("team-bot:latest", digest=digest("46e0c10c039e")),
    "weights-digest": installed("deepseek-r1:8b", weights_digest=digest("6340dc3229b0")),
    "same-weights": installed("team-bot:latest", BASE, weights_digest=digest("shared")),
    "architecture": installed("x:1", {"general.architecture": "qwen3"}),
    "base-model": installed("x:1", BASE),
    "licence-key": installed("x:1", BASE),
    "basename": installed("x:1", {"general.basename": "DeepSeek-R1-Distill-Llama"}),
    "parent": installed("team-bot:latest", parent="llama3.1:8b"),
    "family": installed("x:1", family="qwen3"),
    "name-tag": named("hermes3:8b"),
    "library-name": named("codellama:99b"),
    "licence-text": installed("x:1", licences=("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT",)),
    "shape": installed("x:1", LLAMA, shape=SEVEN),
    "published-name": installed("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M"),
    "agreement": installed("x:1", LLAMA, shape=SEVEN, template_tokens=("<<SYS>>",)),
    "tokenizer": installed("x:1", {**LLAMA, "tokenizer.ggml.pre": "smollm"}),
    "template": installed("x:1", template_tokens=("<|eot_id|>",)),
    "local-name": installed("my-llama3-helper:latest"),
    "adapter": installed("x:1", adapter=True),
    "remote": installed("qwen3-coder:480b-cloud", remote="ollama.com"),
    "contradiction": installed("llama3.1:8b", {"general.architecture": "qwen3"}),
    "question": installed("x:1", LLAMA),
}


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """The text of the page about each rule."""
    _, *parts = SECTION.split(PAGE.read_text("utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_the_page_lists_the_rules_in_the_order_in_which_they_decide(sections: dict[str, str]) -> None:
    assert tuple(sections) == RULES


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "stated"])
def test_the_example_is_what_the_rule_says(rule: str, sections: dict[str, str], library: Library) -> None:
    others = [installed("llama3.1:8b", BASE, weights_digest=digest("shared"))]

    lineage = judged(EXAMPLES[rule], library, others if rule == "same-weights" else [])
    evidence = next(one for one in lineage.evidence if one.rule == rule)

    assert f"> {evidence.text}\n" in sections[rule]
    assert f"*{evidence.strength}*" in sections[rule]


def test_the_example_of_an_answer_is_what_is_recorded(sections: dict[str, str], library: Library) -> None:
    answered = with_answer(judged(EXAMPLES["question"], library), "meta")

    assert f"> {text_of(answered, 'stated')}\n" in sections["stated"]
