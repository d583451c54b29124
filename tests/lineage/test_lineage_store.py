"""The real store of a recorded Ollama."""

from __future__ import annotations

from pathlib import Path

import pytest
from lineage_cases import rules, text_of

from llamaexit.lineage import assess_all
from llamaexit.ollama.store import read_store
from llamaexit.recipes.library import Library
from llamaexit.snapshot import Lineage


@pytest.fixture
def found(store: Path, library: Library) -> dict[str, Lineage]:
    """The lineage of every model in the store."""
    models = assess_all(read_store(store).models, library)
    return {model.name: model.lineage for model in models if model.lineage is not None}


@pytest.mark.parametrize("name", ["llama3.1:8b", "llama3.2:3b"])
def test_llama_is_found_and_has_its_own_record(name: str, found: dict[str, Lineage]) -> None:
    assert (found[name].verdict, found[name].origin) == ("meta", name)


def test_a_derived_model_is_found_by_the_weights_it_shares(found: dict[str, Lineage]) -> None:
    assert (found["team-bot:latest"].verdict, found["team-bot:latest"].origin) == ("meta", "llama3.1:8b")
    assert rules(found["team-bot:latest"])[0] == "same-weights"


@pytest.mark.parametrize("name", ["qwen3:8b", "qwen2.5-coder:7b"])
def test_qwen_is_cleared_by_its_architecture(name: str, found: dict[str, Lineage]) -> None:
    assert (found[name].verdict, rules(found[name])[0]) == ("not-meta", "architecture")


def test_mistral_is_cleared_though_it_has_llamas_architecture_and_chat_tokens(found: dict[str, Lineage]) -> None:
    lineage = found["mistral:7b"]

    assert lineage.verdict == "not-meta"
    assert {"architecture", "template", "tokenizer"} <= set(rules(lineage))
    assert "llama" in text_of(lineage, "architecture")


def test_models_of_a_private_registry_are_assessed_too(found: dict[str, Lineage]) -> None:
    private = [lineage for name, lineage in found.items() if name.startswith("localhost")]

    assert [lineage.verdict for lineage in private] == ["not-meta", "not-meta"]


def test_a_server_hides_general_name_and_the_verdicts_stay_the_same(store: Path, library: Library) -> None:
    from dataclasses import replace

    models = read_store(store).models
    as_shown = [replace(m, metadata={k: v for k, v in m.metadata.items() if k != "general.name"}) for m in models]

    told = {m.name: m.lineage.verdict for m in assess_all(models, library) if m.lineage}
    shown = {m.name: m.lineage.verdict for m in assess_all(as_shown, library) if m.lineage}

    assert told == shown
