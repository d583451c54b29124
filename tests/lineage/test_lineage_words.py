"""What names say, read as people write them."""

from __future__ import annotations

import pytest

from llamaexit.lineage.words import read

LLAMA = {
    "Meta-Llama-3.1": "llama3.1",
    "Meta Llama 3.1 8B Instruct": "llama3.1",
    "Llama-3.2": "llama3.2",
    "Llama-3_1-Nemotron-51B": "llama3.1",
    "Llama-3-1-8B-tune": "llama3.1",
    "Llama-3-8B": "llama3",
    "Llama-3-1b": "llama3",
    "llama-v3-8b": "llama3",
    "Hermes-2-Pro-Llama-3": "llama3",
    "Llama 3.1 70B Instruct 2024 12": "llama3.3",
    "Llama-2-7b-hf": "llama2",
    "Nous-Hermes-Llama2-13b": "llama2",
    "Llama-4-Scout-17B-16E": "llama4",
    "CodeLlama-34b-Instruct": "codellama",
    "Phind-CodeLlama-34B-v2": "codellama",
    "Code Llama 7B": "codellama",
    "codellama": "codellama",
    "llama-7b": "llama1",
    "LLaMA-30b": "llama1",
    "Llama-65B-hf": "llama1",
    "vicuna-7b-v1.5": "llama2",
    "vicuna-13b-16k": "llama2",
    "vicuna-33b-v1.3": None,
    "DeepSeek-R1-Distill-Llama": "llama3.1",
    "DeepSeek-R1-Distill-Llama-8B": "llama3.1",
    "DeepSeek R1 Distill Llama 70B": "llama3.3",
    "cogito-v1-preview-llama": None,
    "Cogito v1 preview llama 3B": None,
    "something-llama-gguf": None,
    "Llama-Guard-3-8B": "llama3.1",
    "Llama-Guard-3-1B": "llama3.2",
    "LlamaGuard-7b": "llama2",
    "Meta-Llama-Guard-2-8B": "llama3",
    "Llama-Guard-4-12B": "llama4",
}
OTHERS = (
    "Mistral-7B-Instruct-v0.2", "Mixtral-8x7B", "Codestral-22B", "OpenMistral", "Qwen2.5-Coder", "CodeQwen1.5-7B",
    "QwQ-32B", "Yi-34B-Chat", "Nous-Hermes-2-Yi-34B", "Nous-Hermes-2-SOLAR-10.7B", "SmolLM2-1.7B", "Falcon3-7B",
    "granite-3.1-8b", "internlm2_5-7b", "OLMo-2-1124-7B", "EXAONE-3.5", "gemma-3-4b-it", "CodeGemma", "Phi-3-mini",
    "phi4", "starcoder2-3b", "DeepSeek-Coder-V2", "deepseek-llm-7b-chat", "DeepSeek-V3", "gpt-oss-20b", "glm-4-9b",
    "Qwen-LLaMAfied-7B", "marin-8b-base", "DeepSeek-R1-0528-Qwen3-8B",
)  # fmt: skip
NOTHING = (
    "", "   ", "team-bot", "cogito-v1-preview", "DeepSeek-R1", "SOLAR-0-70b-16bit", "Phind-34B", "Orca-2-7b",
    "my-ollama-bot", "llama.cpp-test", "llamas", "Yi-34B-Llama", "Llama-3.15", "Llama-5", "XuanYuan",
    "OpenHermes-13B", "StableBeluga-7B",
)  # fmt: skip
FROM_SCRATCH = ("TinyLlama-1.1B-Chat", "tiny_llama", "open_llama_7b", "OpenLLaMA 3B", "TinyDolphin-2.8")


@pytest.mark.parametrize(("name", "generation"), LLAMA.items(), ids=LLAMA.keys())
def test_names_of_llama(name: str, generation: str | None) -> None:
    reading = read(name)

    assert reading is not None
    assert (reading.verdict, reading.generation) == ("meta", generation)


@pytest.mark.parametrize("name", OTHERS)
def test_names_of_other_families(name: str) -> None:
    reading = read(name)

    assert reading is not None
    assert reading.verdict == "not-meta"


@pytest.mark.parametrize("name", NOTHING)
def test_names_that_say_nothing(name: str) -> None:
    assert read(name) is None


@pytest.mark.parametrize("name", FROM_SCRATCH)
def test_names_of_models_trained_from_scratch_in_llamas_architecture(name: str) -> None:
    reading = read(name)

    assert reading is not None
    assert reading.verdict == "unknown"
