"""The record of the recipes that stands for a model: its own, or the nearest of its kind."""

from __future__ import annotations

from typing import Any

import pytest
from lineage_cases import LLAMA, digest, installed, judged, named, shaped

from llamaexit.recipes.library import Library
from llamaexit.snapshot import InstalledModel


def tuned(licence: str, *, name: str = "tuned:latest", **facts: Any) -> InstalledModel:
    """A fine-tune that only its licence key gives away."""
    return installed(name, {**LLAMA, "general.license": licence, **facts.pop("header", {})}, **facts)


NEAREST: dict[str, tuple[InstalledModel, str | None, str | None]] = {
    "an 8B fine-tune of Llama 3.1": (tuned("llama3.1", parameter_count=8_030_000_000), "llama3.1:8b", "llama3.1"),
    "a 70B fine-tune of Llama 3.1": (tuned("llama3.1", parameter_size="70.6B"), "llama3.1:70b", "llama3.1"),
    "a fine-tune of Llama 3.2 sized in millions": (
        tuned("llama3.2", parameter_size="1235.8M"),
        "llama3.2:1b",
        "llama3.2",
    ),
    "a pruned size between two releases goes to the nearer one": (
        tuned("llama3.1", parameter_size="4.5B"),
        "llama3.1:8b",
        "llama3.1",
    ),
    "the size label of the header counts where nothing was counted": (
        tuned("llama3.2", header={"general.size_label": "3B"}),
        "llama3.2:3b",
        "llama3.2",
    ),
    "the name counts where nothing else tells a size": (tuned("llama2", name="tuned:13b"), "llama2:13b", "llama2"),
    "a size nobody tells goes to what people get by default": (tuned("llama2"), "llama2:7b", "llama2"),
    "a count that cannot be one is not believed": (
        tuned("llama3.1", parameter_count=12, parameter_size="70B"),
        "llama3.1:70b",
        "llama3.1",
    ),
    "an 8B under the Llama 3.2 licence was made from 3.1": (
        tuned("llama3.2", parameter_size="8.0B"),
        "llama3.1:8b",
        "llama3.1",
    ),
    "an 8B under the Llama 3.3 licence was made from 3.1": (
        tuned("llama3.3", parameter_size="8.0B"),
        "llama3.1:8b",
        "llama3.1",
    ),
    "a 70B under the Llama 3.3 licence is one": (tuned("llama3.3", parameter_size="70.6B"), "llama3.3:70b", "llama3.3"),
    "a code model goes to Code Llama": (
        installed("coder:latest", {**LLAMA, "general.basename": "CodeLlama-34b"}, parameter_size="34B"),
        "codellama:34b",
        "codellama",
    ),
    "a vision model goes to a vision model of its generation": (
        tuned("llama3.2", parameter_size="10.7B", capabilities=("completion", "vision")),
        "llama3.2-vision:11b",
        "llama3.2",
    ),
    "a model with a projector sees": (
        tuned("llama2", parameter_size="7B", projector_size=600_000_000),
        "llava:7b-v1.5-q4_0",
        "llama2",
    ),
    "a model with a clip family sees": (
        tuned("llama3", parameter_size="8B", families=("llama", "clip")),
        "llava-llama3:8b",
        "llama3",
    ),
    "a model with vision layers in its shape sees": (
        installed("eyes:latest", {"general.architecture": "mllama"}, shape=shaped((4096, 8, 14336), 40, vision=True)),
        "llama3.2-vision:11b",
        "llama3.2",
    ),
    "mllama sees whatever else is known": (
        installed("eyes:latest", {"general.architecture": "mllama"}, parameter_size="88.6B"),
        "llama3.2-vision:90b",
        "llama3.2",
    ),
    "Llama 4 is its own kin": (
        installed("big:latest", {"general.architecture": "llama4"}, parameter_size="108.6B"),
        "llama4:16x17b",
        "llama4",
    ),
    "a guard model goes to a guard model": (
        installed("my-guard:latest", {**LLAMA, "general.license": "llama3.1"}, parameter_size="8B"),
        "llama-guard3:8b",
        "llama3.1",
    ),
    "LLaMA 1 has no plain release in the library and goes to a fine-tune": (
        installed("old:13b", {**LLAMA, "general.basename": "llama-13b"}),
        "vicuna:13b-q4_0",
        "llama1",
    ),
    "a guard of a generation without one goes to the nearest generation": (
        installed("hf.co/x/Llama-Guard-4-12B-GGUF:Q4_0", LLAMA),
        "llama-guard3:1b",
        "llama4",
    ),
    "Llama of a generation nobody knows goes by size": (
        installed("odd:latest", {**LLAMA, "general.basename": "some-llama"}, parameter_size="8B"),
        "llama3.1:8b",
        None,
    ),
    "an open question has the nearest record in case the answer is yes": (
        installed(
            "helper:latest",
            {**LLAMA, "tokenizer.ggml.model": "llama"},
            shape=shaped((5120, 40, 13824), 40, 32000),
            parameter_size="13B",
        ),
        "llama2:13b",
        "llama2",
    ),
    "an open question without a hint has none": (installed("helper:latest", LLAMA), None, None),
    "what is not Llama has no nearest Llama": (installed("x:1", {"general.architecture": "qwen3"}), None, None),
}


@pytest.mark.parametrize(("model", "origin", "generation"), NEAREST.values(), ids=NEAREST.keys())
def test_the_nearest_record(
    model: InstalledModel, origin: str | None, generation: str | None, library: Library
) -> None:
    lineage = judged(model, library)

    assert (lineage.origin, lineage.generation) == (origin, generation)


SHAPES: dict[str, tuple[InstalledModel, str]] = {
    "1B is Llama 3.2": (installed("x:1", LLAMA, shape=shaped((2048, 8, 8192), 16, 128256)), "llama3.2"),
    "3B is Llama 3.2": (installed("x:1", LLAMA, shape=shaped((3072, 8, 8192), 28, 128256)), "llama3.2"),
    "8B with 8K of context is Llama 3": (
        installed("x:1", LLAMA, shape=shaped((4096, 8, 14336), 32, 128256, context=8192)),
        "llama3",
    ),
    "8B with 128K of context is Llama 3.1": (
        installed("x:1", LLAMA, shape=shaped((4096, 8, 14336), 32, 128256, context=131072)),
        "llama3.1",
    ),
    "405B is Llama 3.1": (installed("x:1", LLAMA, shape=shaped((16384, 8, 53248), 126, 128256)), "llama3.1"),
    "a SentencePiece 33B is LLaMA 1": (installed("x:1", LLAMA, shape=shaped((6656, 52, 17920), 60, 32000)), "llama1"),
    "a SentencePiece 7B with 2K of context is LLaMA 1": (
        installed("x:1", LLAMA, shape=shaped((4096, 32, 11008), 32, 32000, context=2048)),
        "llama1",
    ),
    "a SentencePiece 7B with 4K of context is Llama 2": (
        installed("x:1", LLAMA, shape=shaped((4096, 32, 11008), 32, 32000, context=4096)),
        "llama2",
    ),
    "a SentencePiece 34B is Code Llama": (
        installed("x:1", LLAMA, shape=shaped((8192, 8, 22016), 48, 32000)),
        "codellama",
    ),
    "a vocabulary with fill-in tokens is Code Llama's": (
        installed("x:1", LLAMA, shape=shaped((4096, 32, 11008), 32, 32016)),
        "codellama",
    ),
    "a rope base of a million is Code Llama's": (
        installed("x:1", {**LLAMA, "llama.rope.freq_base": 1_000_000.0}, shape=shaped((4096, 32, 11008), 32, 32000)),
        "codellama",
    ),
}


@pytest.mark.parametrize(("model", "generation"), SHAPES.values(), ids=SHAPES.keys())
def test_the_generation_a_shape_points_to(model: InstalledModel, generation: str, library: Library) -> None:
    assert judged(model, library).generation == generation


def test_the_record_of_the_very_build_comes_before_the_one_of_the_name(library: Library) -> None:
    lineage = judged(installed("llama3.1:8b", LLAMA, weights_digest=digest("8934d96d3f08")), library)

    assert (lineage.origin, lineage.generation, lineage.base) == ("llama2:7b", "llama2", "Llama 2 7B")


def test_a_library_name_given_to_a_model_of_another_generation_is_not_its_record(library: Library) -> None:
    header = {**LLAMA, "general.base_model.0.name": "CodeLlama 7b Hf"}

    lineage = judged(installed("llama3.1:8b", header, parameter_size="6.7B"), library)

    assert (lineage.origin, lineage.generation) == ("codellama:7b", "codellama")


def test_llama3_3_names_llama_3_1_as_its_base_and_keeps_its_record(library: Library) -> None:
    header = {**LLAMA, "general.base_model.0.name": "Llama 3.1 70B", "general.base_model.0.organization": "Meta Llama"}

    assert judged(installed("llama3.3:70b", header), library).origin == "llama3.3:70b"


def test_the_base_is_told_in_words(library: Library) -> None:
    header = {**LLAMA, "general.base_model.0.name": "Llama 3.2 3B", "general.base_model.0.organization": "Meta Llama"}

    assert judged(installed("tuned:latest", header), library).base == "Llama 3.2 3B"
    assert judged(named("nemotron:70b"), library).base == "Llama 3.1 70B Instruct"
    assert judged(named("llava:34b"), library).base == "Nous-Hermes-2-Yi-34B"
