"""The cases people get wrong: names that hide Llama, names that only sound like it, and tags that moved."""

from __future__ import annotations

import pytest
from lineage_cases import LLAMA, digest, installed, judged, named, shaped, text_of

from llamaexit.recipes.library import Library
from llamaexit.snapshot import InstalledModel, Verdict

LLAMA3_8B = shaped((4096, 8, 14336), 32, 128256, context=131072)
LLAMA3_70B = shaped((8192, 8, 28672), 80, 128256, context=131072)
LLAMA2_7B = shaped((4096, 32, 11008), 32, 32000, context=4096)
MISTRAL_7B = shaped((4096, 8, 14336), 32, 32000, context=32768)
LLAMA3_TOKENS = ("<|end_header_id|>", "<|eot_id|>", "<|start_header_id|>")
DEEPSEEK_TOKENS = ("<｜Assistant｜>", "<｜User｜>", "<｜end▁of▁sentence｜>")
MIT = ("MIT License",)
APACHE = ("Apache License Version 2.0, January 2004",)
LLAMA_BPE = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe"}
SENTENCEPIECE = {"tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": "default"}
OLD_R1_BLOB = digest("6340dc3229b0")
NEW_R1_BLOB = digest("e6a7edc1a4d7")

CASES: dict[str, tuple[InstalledModel, Verdict]] = {
    "an old deepseek-r1:8b with the blob of the Llama distill is Llama": (
        installed("deepseek-r1:8b", LLAMA, weights_digest=OLD_R1_BLOB),
        "meta",
    ),
    "an old deepseek-r1:8b with the manifest it had before the tag moved is Llama": (
        installed("deepseek-r1:8b", LLAMA, digest=digest("28f8fd6cdc67")),
        "meta",
    ),
    "a deepseek-r1:8b of an unknown build with architecture llama is Llama": (
        installed("deepseek-r1:8b", LLAMA),
        "meta",
    ),
    "an old deepseek-r1:8b that states its basename is Llama": (
        installed("deepseek-r1:8b", {**LLAMA, "general.basename": "DeepSeek-R1-Distill-Llama"}),
        "meta",
    ),
    "a new deepseek-r1:8b with the Qwen3 blob is not": (
        installed("deepseek-r1:8b", {"general.architecture": "qwen3"}, weights_digest=NEW_R1_BLOB),
        "not-meta",
    ),
    "a new deepseek-r1:8b of an unknown build with architecture qwen3 is not": (
        installed("deepseek-r1:8b", {"general.architecture": "qwen3"}),
        "not-meta",
    ),
    "a deepseek-r1:8b of an unknown build that cannot be read is asked about": (
        installed("deepseek-r1:8b", problem="the blob with the weights is missing"),
        "unknown",
    ),
    "deepseek-r1:8b named today means Qwen3": (named("deepseek-r1:8b"), "not-meta"),
    "deepseek-r1:70b ships only the MIT text and DeepSeek tokens and is Llama": (
        installed("deepseek-r1:70b", LLAMA, licences=MIT, template_tokens=DEEPSEEK_TOKENS),
        "meta",
    ),
    "deepseek-r1:32b is Qwen": (installed("deepseek-r1:32b", {"general.architecture": "qwen2"}), "not-meta"),
    "deepseek-r1:671b is DeepSeek's own": (
        installed("deepseek-r1:671b", {"general.architecture": "deepseek2"}),
        "not-meta",
    ),
    "r1-1776:70b ships only the MIT text and is Llama": (
        installed("r1-1776:latest", LLAMA, licences=MIT, template_tokens=DEEPSEEK_TOKENS),
        "meta",
    ),
    "r1-1776:671b is DeepSeek's own": (installed("r1-1776:671b", {"general.architecture": "deepseek2"}), "not-meta"),
    "cogito:3b names Llama 3.2 3B as its base": (
        installed(
            "cogito:3b",
            {
                **LLAMA,
                "general.basename": "cogito-v1-preview-llama",
                "general.license": "llama3.2",
                "general.base_model.count": 1,
                "general.base_model.0.name": "Llama 3.2 3B",
                "general.base_model.0.organization": "Meta Llama",
                "general.base_model.0.repo_url": "https://huggingface.co/meta-llama/Llama-3.2-3B",
            },
        ),
        "meta",
    ),
    "cogito:8b carries a licence of a generation that has no 8B": (
        installed("cogito:8b", LLAMA, licences=("LLAMA 3.2 COMMUNITY LICENSE AGREEMENT",)),
        "meta",
    ),
    "cogito:70b ships only the Apache text and is Llama": (installed("cogito:70b", LLAMA, licences=APACHE), "meta"),
    "cogito:14b is Qwen": (installed("cogito:14b", {"general.architecture": "qwen2"}, licences=APACHE), "not-meta"),
    "cogito:32b is Qwen": (named("cogito:32b"), "not-meta"),
    "llava:7b is Mistral": (named("llava:7b"), "not-meta"),
    "llava:7b of an unknown build in Mistral's shape is Mistral": (
        installed("llava:7b", {**LLAMA, **SENTENCEPIECE, "general.name": "LLaMA v2"}, shape=MISTRAL_7B),
        "not-meta",
    ),
    "llava:7b of an unknown build is asked about, because older ones were Vicuna": (
        installed("llava:7b", LLAMA),
        "unknown",
    ),
    "llava:7b-v1.5-q4_0 is Vicuna": (installed("llava:7b-v1.5-q4_0", LLAMA), "meta"),
    "llava:7b-v1.6-vicuna-q4_0 is Vicuna": (named("llava:7b-v1.6-vicuna-q4_0"), "meta"),
    "llava:13b is Vicuna": (installed("llava:13b", LLAMA), "meta"),
    "llava:34b is Yi": (installed("llava:34b", LLAMA), "not-meta"),
    "llava-llama3 ships no licence and is Llama": (installed("llava-llama3:8b", LLAMA), "meta"),
    "llava-phi3 has architecture llama and is Phi": (installed("llava-phi3:3.8b", LLAMA), "not-meta"),
    "bakllava is Mistral": (named("bakllava:latest"), "not-meta"),
    "hermes3:8b speaks ChatML under the Llama 3 licence": (
        installed(
            "hermes3:8b",
            LLAMA,
            template_tokens=("<|im_end|>", "<|im_start|>"),
            licences=("META LLAMA 3 COMMUNITY LICENSE AGREEMENT",),
        ),
        "meta",
    ),
    "hermes3:3b is Llama 3.2": (named("hermes3:3b"), "meta"),
    "nous-hermes2:10.7b is SOLAR on Mistral weights": (named("nous-hermes2:10.7b"), "not-meta"),
    "dolphin-llama3 speaks ChatML": (
        installed("dolphin-llama3:8b", LLAMA, template_tokens=("<|im_end|>", "<|im_start|>")),
        "meta",
    ),
    "dolphin-mistral is not": (named("dolphin-mistral:latest"), "not-meta"),
    "mistral:7b has architecture llama and no base model": (
        installed("mistral:7b", {**LLAMA, "general.license": "apache-2.0"}, licences=APACHE),
        "not-meta",
    ),
    "yi:34b has architecture llama": (installed("yi:34b", LLAMA, licences=APACHE), "not-meta"),
    "smollm2:1.7b has architecture llama": (
        installed("smollm2:1.7b", {**LLAMA, "tokenizer.ggml.pre": "smollm"}),
        "not-meta",
    ),
    "deepseek-coder:6.7b has architecture llama": (named("deepseek-coder:6.7b"), "not-meta"),
    "tinyllama holds no Meta weights, and moving is the user's choice": (
        installed("tinyllama:latest", LLAMA),
        "unknown",
    ),
    "tinydolphin is TinyLlama": (named("tinydolphin:1.1b"), "unknown"),
    "orca-mini:3b is OpenLLaMA": (installed("orca-mini:latest", LLAMA), "unknown"),
    "orca-mini:7b is Llama 2": (named("orca-mini:7b"), "meta"),
    "orca-mini:7b-q4_0 is OpenLLaMA": (named("orca-mini:7b-q4_0"), "unknown"),
    "llama-guard3:8b is Llama": (installed("llama-guard3:8b", LLAMA), "meta"),
    "shieldgemma is not": (installed("shieldgemma:2b", {"general.architecture": "gemma2"}), "not-meta"),
    "granite3-guardian is not": (named("granite3-guardian:2b"), "not-meta"),
    "llama3.2-vision with architecture mllama is Llama": (
        installed("look:latest", {"general.architecture": "mllama"}),
        "meta",
    ),
    "llama4 under any name is Llama": (installed("scout:latest", {"general.architecture": "llama4"}), "meta"),
    "wizard-math:7b is Mistral": (named("wizard-math:7b"), "not-meta"),
    "wizard-math:7b-q4_0 is Llama 2": (named("wizard-math:7b-q4_0"), "meta"),
    "wizardcoder:33b is DeepSeek Coder": (named("wizardcoder:33b"), "not-meta"),
    "wizardcoder:34b-python is Code Llama": (named("wizardcoder:34b-python"), "meta"),
    "sqlcoder:7b is Mistral": (installed("sqlcoder:7b", LLAMA), "not-meta"),
    "sqlcoder:15b is StarCoder": (named("sqlcoder:15b"), "not-meta"),
    "sqlcoder:70b-alpha-q4_0 is Code Llama": (installed("sqlcoder:70b-alpha-q4_0", LLAMA), "meta"),
    "bespoke-minicheck stops on a Llama token and is InternLM": (
        installed("bespoke-minicheck:7b", {"general.architecture": "internlm2"}, parameters={"stop": ["<|eot_id|>"]}),
        "not-meta",
    ),
    "rnj-1 speaks Llama 3's tokens and is none": (
        installed("rnj-1:8b", {"general.architecture": "gemma3"}, template_tokens=LLAMA3_TOKENS),
        "not-meta",
    ),
    "rnj-1 is told by its name alone": (installed("rnj-1:8b", template_tokens=LLAMA3_TOKENS), "not-meta"),
    "nemotron:70b is Llama 3.1": (installed("nemotron:latest", LLAMA), "meta"),
    "nemotron-mini is NVIDIA's own": (installed("nemotron-mini:4b", {"general.architecture": "nemotron"}), "not-meta"),
    "duckdb-nsql is Llama": (installed("duckdb-nsql:7b", LLAMA), "meta"),
    "solar is Mistral": (named("solar:10.7b"), "not-meta"),
    "vicuna:33b is LLaMA 1": (named("vicuna:33b"), "meta"),
    "codellama:7b-code is Llama, installed or not": (named("codellama:7b-code"), "meta"),
    "llama3.1:8b is Llama, installed or not": (named("llama3.1:8b"), "meta"),
    "a quantization that is not the default is the same model": (named("llama3.1:8b-instruct-q8_0"), "meta"),
    "names are compared as Ollama does, whatever their case": (named("Llama3.1:8B"), "meta"),
    "a tag nobody recorded of a library name that is always Llama is Llama": (
        named("llama3.1:8b-instruct-q1_X"),
        "meta",
    ),
    "a tag nobody recorded of a library name that never is, is not": (named("qwen3:99b"), "not-meta"),
    "a tag nobody recorded of a library name that may be either is asked about": (named("deepseek-r1:9b"), "unknown"),
    "qwen3:8b is not": (named("qwen3:8b"), "not-meta"),
    "another library model is told by its name when that is all there is": (named("gemma3:12b"), "not-meta"),
    "a name nobody knows is asked about": (named("team-bot:latest"), "unknown"),
    "an hf.co model with Llama in its header is Llama": (
        installed(
            "hf.co/bartowski/Hermes-3-GGUF:Q4_K_M",
            {
                **LLAMA,
                "general.base_model.0.name": "Meta Llama 3.1 8B",
                "general.base_model.0.organization": "Meta Llama",
            },
        ),
        "meta",
    ),
    "an hf.co model without metadata is told by the name of its repository": (
        installed("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M", LLAMA),
        "meta",
    ),
    "an hf.co Mistral that an old converter called LLaMA v2 is not": (
        installed(
            "hf.co/TheBloke/some-merge-GGUF:Q4_0",
            {**LLAMA, **SENTENCEPIECE, "general.name": "LLaMA v2"},
            shape=MISTRAL_7B,
        ),
        "not-meta",
    ),
    "an hf.co Qwen is not": (installed("hf.co/Qwen/Qwen3-8B-GGUF:Q8_0", {"general.architecture": "qwen3"}), "not-meta"),
    "an hf.co model called Llama whose architecture is qwen2 is not": (
        installed("hf.co/someone/Llama-3.1-killer-GGUF:Q4_K_M", {"general.architecture": "qwen2"}),
        "not-meta",
    ),
    "an hf.co model with no sign at all is asked about": (
        installed("hf.co/someone/secret-sauce-GGUF:Q4_0", LLAMA),
        "unknown",
    ),
    "somebody's upload is told by its name": (installed("someone/llama3.1-uncensored:8b", LLAMA), "meta"),
    "a mirror of the library is told by its name": (installed("registry.local/library/deepseek-r1:70b", LLAMA), "meta"),
    "a model with Llama 3.1's shape and vocabulary under any name is Llama": (
        installed("helper:latest", {**LLAMA, **LLAMA_BPE}, shape=LLAMA3_8B),
        "meta",
    ),
    "a 70B with Llama 3's shape and DeepSeek's tokens is Llama": (
        installed(
            "thinker:latest", {**LLAMA, **LLAMA_BPE}, shape=LLAMA3_70B, template_tokens=DEEPSEEK_TOKENS, licences=MIT
        ),
        "meta",
    ),
    "a model with Llama 2's shape alone is asked about": (
        installed("helper:latest", {**LLAMA, **SENTENCEPIECE}, shape=LLAMA2_7B),
        "unknown",
    ),
    "a model with Llama 2's shape and its system mark is Llama": (
        installed("helper:latest", {**LLAMA, **SENTENCEPIECE}, shape=LLAMA2_7B, template_tokens=("<<SYS>>", "[INST]")),
        "meta",
    ),
    "a model with Llama's architecture and nothing else is asked about": (installed("helper:latest", LLAMA), "unknown"),
    "a safetensors model is told by the family Ollama noted": (
        installed("mlx:latest", format="safetensors", family="qwen3", families=("qwen3",)),
        "not-meta",
    ),
    "a safetensors model of family llama is asked about": (
        installed("mlx:latest", format="safetensors", family="llama", families=("llama",)),
        "unknown",
    ),
    "a cloud stub of Qwen is not": (
        installed("qwen3-coder:480b-cloud", remote="https://ollama.com:443", family="qwen3moe"),
        "not-meta",
    ),
    "a cloud stub of Llama is told by its name": (
        installed("llama3.3:70b-cloud", remote="https://ollama.com:443"),
        "meta",
    ),
    "a cloud stub nobody knows is asked about": (installed("wonder:cloud", remote="https://ollama.com:443"), "unknown"),
}


@pytest.mark.parametrize(("model", "verdict"), CASES.values(), ids=CASES.keys())
def test_verdict(model: InstalledModel, verdict: Verdict, library: Library) -> None:
    lineage = judged(model, library)

    assert lineage.verdict == verdict
    assert lineage.evidence, "a verdict without a reason"


def test_a_cloud_stub_is_said_not_to_be_on_this_machine(library: Library) -> None:
    lineage = judged(installed("llama3.3:70b-cloud", remote="https://ollama.com:443"), library)

    assert text_of(lineage, "remote") == "it runs on https://ollama.com:443; nothing of it is on this machine"


def test_a_cloud_name_is_said_not_to_be_on_this_machine_even_before_it_is_pulled(library: Library) -> None:
    assert "nothing of it is on this machine" in text_of(judged(named("glm-4.6:cloud"), library), "remote")


def test_an_adapter_is_mentioned(library: Library) -> None:
    lineage = judged(installed("team-bot:latest", {**LLAMA, "general.license": "llama3.1"}, adapter=True), library)

    assert lineage.verdict == "meta"
    assert "adapter" in text_of(lineage, "adapter")


def test_a_name_taken_over_by_another_model_is_said_to_be_contradicted(library: Library) -> None:
    lineage = judged(installed("llama3.1:8b", {"general.architecture": "qwen3"}), library)

    assert lineage.verdict == "not-meta"
    assert text_of(lineage, "contradiction") == (
        "the name would say Llama, but weighs less: its architecture is qwen3, which no Llama model has"
    )


def test_several_contradictions_are_said_together(library: Library) -> None:
    header = {"general.architecture": "qwen3", "general.license": "llama3.1", "general.basename": "Llama-3.1"}

    said = text_of(judged(installed("llama3.1:8b", header), library), "contradiction")

    assert said.startswith("the licence in the file and the name in the file and the name would say Llama")


def test_the_strongest_evidence_comes_first(library: Library) -> None:
    header = {**LLAMA, "general.license": "llama3.1", "general.basename": "Meta-Llama-3.1"}
    model = installed("llama3.1:8b", header, digest=digest("46e0c10c039e"), template_tokens=LLAMA3_TOKENS)

    strengths = [evidence.strength for evidence in judged(model, library).evidence]

    assert strengths == sorted(strengths, key=["proof", "strong", "likely", "support"].index)
    assert len(set(strengths)) == 4


def test_every_evidence_is_a_clause_that_can_follow_a_colon(library: Library) -> None:
    for model, _ in CASES.values():
        for evidence in judged(model, library).evidence:
            assert evidence.text[0].islower() or evidence.text[0].isdigit()
            assert not evidence.text.endswith(".")
