"""Each rule where it fires, and where it must not."""

from __future__ import annotations

from typing import Any

import pytest
from lineage_cases import LLAMA, digest, installed, judged, named, rules, shaped, text_of

from llamaexit.lineage.finding import RULES, fit
from llamaexit.recipes.library import Library
from llamaexit.snapshot import Evidence, InstalledModel, Lineage

SPM = {**LLAMA, "tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": "default"}
BPE = {**LLAMA, "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe"}
EIGHT = (4096, 8, 14336)
SEVEN = (4096, 32, 11008)


def found(model: InstalledModel, library: Library, rule: str) -> Evidence | None:
    return next((one for one in judged(model, library).evidence if one.rule == rule), None)


def base(number: int = 0, **keys: Any) -> dict[str, Any]:
    return {f"general.base_model.{number}.{key}": value for key, value in keys.items()}


FIRES: dict[str, tuple[str, str, str, InstalledModel]] = {
    "the manifest digest of a record is proof": (
        "manifest-digest",
        "meta",
        "proof",
        installed("x:1", digest=digest("46e0c10c039e")),
    ),
    "the manifest digest of another model's record is proof, too": (
        "manifest-digest",
        "not-meta",
        "proof",
        installed("x:1", digest=digest("8dd30f6b0cb1")),
    ),
    "the weights digest of a record is proof": (
        "weights-digest",
        "meta",
        "proof",
        installed("x:1", weights_digest="sha256:" + digest("6340dc3229b0")),
    ),
    "architecture llama4 is strong": (
        "architecture",
        "meta",
        "strong",
        installed("x:1", {"general.architecture": "llama4"}),
    ),
    "architecture mllama is strong": (
        "architecture",
        "meta",
        "strong",
        installed("x:1", {"general.architecture": "mllama"}),
    ),
    "another architecture is strong": (
        "architecture",
        "not-meta",
        "strong",
        installed("x:1", {"general.architecture": "qwen3moe"}),
    ),
    "an architecture counts whatever its case": (
        "architecture",
        "not-meta",
        "strong",
        installed("x:1", {"general.architecture": "Gemma3"}),
    ),
    "the architecture of a shape that was read counts like the key": (
        "architecture",
        "not-meta",
        "strong",
        installed("x:1", shape=shaped(EIGHT, 32, architecture="qwen2")),
    ),
    "architecture llama decides nothing": ("architecture", "unknown", "support", installed("x:1", LLAMA)),
    "Meta as the organization of the base model is strong": (
        "base-model",
        "meta",
        "strong",
        installed("x:1", base(name="Some Model 8B", organization="Meta Llama")),
    ),
    "Meta as the owner of the base model's repository is strong": (
        "base-model",
        "meta",
        "strong",
        installed("x:1", base(repo_url="https://huggingface.co/meta-llama/Meta-Llama-3-8B")),
    ),
    "Code Llama's repository is Meta's": (
        "base-model",
        "meta",
        "strong",
        installed("x:1", base(repo_url="https://huggingface.co/codellama/Base-7b")),
    ),
    "a base model called Llama is strong whoever uploaded it": (
        "base-model",
        "meta",
        "strong",
        installed("x:1", base(name="Llama 2 7b Hf", organization="NousResearch")),
    ),
    "a Llama distill as base model is Llama though DeepSeek made it": (
        "base-model",
        "meta",
        "strong",
        installed("x:1", base(name="DeepSeek R1 Distill Llama 70B", organization="Deepseek Ai")),
    ),
    "a repository called Llama counts where the base model has no name": (
        "base-model",
        "meta",
        "strong",
        installed("x:1", base(repo_url="https://hf.co/unsloth/llama-3-8b-bnb-4bit")),
    ),
    "one Llama among several base models is enough": (
        "base-model",
        "meta",
        "strong",
        installed("x:1", {**base(0, organization="Mistralai"), **base(1, organization="Meta Llama")}),
    ),
    "the last of many base models counts like the first": (
        "base-model",
        "meta",
        "strong",
        installed(
            "x:1",
            {
                key: value
                for n in range(30)
                for key, value in base(n, name="Mistral 7B" if n < 29 else "Llama 3").items()
            },
        ),
    ),
    "a base model by Qwen is strong": (
        "base-model",
        "not-meta",
        "strong",
        installed("x:1", base(name="Qwen2.5 7B", organization="Qwen")),
    ),
    "a base model by 01.AI is strong": (
        "base-model",
        "not-meta",
        "strong",
        installed("x:1", base(name="Yi 34B", organization="01 Ai")),
    ),
    "a base model of a known other family is strong whoever uploaded it": (
        "base-model",
        "not-meta",
        "strong",
        installed("x:1", base(name="Mistral 7B v0.1", organization="Someone")),
    ),
    "TinyLlama as base model is for a person to judge": (
        "base-model",
        "unknown",
        "strong",
        installed("x:1", base(name="TinyLlama 1.1B Chat v1.0", organization="TinyLlama")),
    ),
    "the licence key llama3.1 is strong": (
        "licence-key",
        "meta",
        "strong",
        installed("x:1", {"general.license": "llama3.1"}),
    ),
    "the licence's name counts where the key says other": (
        "licence-key",
        "meta",
        "strong",
        installed("x:1", {"general.license": "other", "general.license.name": "Llama 3.3 Community License Agreement"}),
    ),
    "a basename of Llama is likely": (
        "basename",
        "meta",
        "likely",
        installed("x:1", {"general.basename": "Meta-Llama-3.1"}),
    ),
    "a name counts where the basename says nothing": (
        "basename",
        "meta",
        "likely",
        installed("x:1", {"general.basename": "cogito", "general.name": "Cogito v1 Llama 8B"}),
    ),
    "a finetune counts where the names say nothing": (
        "basename",
        "meta",
        "likely",
        installed("x:1", {"general.finetune": "uncensored-llama-3"}),
    ),
    "a Llama word in the name beats another family in the basename": (
        "basename",
        "meta",
        "likely",
        installed("x:1", {"general.basename": "Mistral", "general.name": "Llama 3 8B"}),
    ),
    "a basename of another family is likely": (
        "basename",
        "not-meta",
        "likely",
        installed("x:1", {"general.basename": "SmolLM2"}),
    ),
    "a family that Ollama noted is likely": ("family", "not-meta", "likely", installed("x:1", family="qwen3")),
    "a second family that Ollama noted counts": (
        "family",
        "meta",
        "likely",
        installed("x:1", family="clip", families=("clip", "mllama")),
    ),
    "a recorded tag is likely": ("name-tag", "meta", "likely", named("hermes3:8b")),
    "a tag of a target is likely": ("name-tag", "not-meta", "likely", named("qwen3:8b")),
    "a library name that is always Llama is likely": ("library-name", "meta", "likely", named("codellama:99b")),
    "a library name that may be either says so": ("library-name", "unknown", "support", named("cogito:99b")),
    "a Llama licence text is likely": (
        "licence-text",
        "meta",
        "likely",
        installed("x:1", licences=("LLAMA 2 COMMUNITY LICENSE AGREEMENT",)),
    ),
    "a Llama licence text that was wrapped or marked up still counts": (
        "licence-text",
        "meta",
        "likely",
        installed("x:1", licences=("Apache License", "META LLAMA 3\nCOMMUNITY LICENSE")),
    ),
    "Llama 3's shape and vocabulary are strong": (
        "shape",
        "meta",
        "strong",
        installed("x:1", BPE, shape=shaped(EIGHT, 32, 128256)),
    ),
    "a vocabulary with a few tokens added is still Llama 3's": (
        "shape",
        "meta",
        "strong",
        installed("x:1", BPE, shape=shaped(EIGHT, 32, 128264)),
    ),
    "key/value heads given layer by layer are the same shape": (
        "shape",
        "meta",
        "strong",
        installed("x:1", BPE, shape=shaped(EIGHT, 32, 128256, kv_heads=(8,) * 32)),
    ),
    "Llama 3's shape without a pre-tokenizer is likely": (
        "shape",
        "meta",
        "likely",
        installed("x:1", LLAMA, shape=shaped(EIGHT, 32, 128256)),
    ),
    "Llama 3's shape and pre-tokenizer without a vocabulary size are likely": (
        "shape",
        "meta",
        "likely",
        installed("x:1", BPE, shape=shaped(EIGHT, 32)),
    ),
    "Llama 3's width in another depth is likely": (
        "shape",
        "meta",
        "likely",
        installed("x:1", BPE, shape=shaped(EIGHT, 48, 128256)),
    ),
    "Llama 3's shape in a file that calls itself something else is support": (
        "shape",
        "meta",
        "support",
        installed("x:1", {**BPE, "general.basename": "marin-8b"}, shape=shaped(EIGHT, 32, 128256)),
    ),
    "the vocabulary can come from its own key": (
        "shape",
        "meta",
        "strong",
        installed("x:1", {**BPE, "llama.vocab_size": 128256}, shape=shaped(EIGHT, 32)),
    ),
    "Llama 4's vocabulary is strong": (
        "shape",
        "meta",
        "strong",
        installed("x:1", LLAMA, shape=shaped((5120, 8, 8192), 48, 202048)),
    ),
    "Llama 2's shape is support": ("shape", "meta", "support", installed("x:1", SPM, shape=shaped(SEVEN, 32, 32000))),
    "Mistral's shape is strong": ("shape", "not-meta", "strong", installed("x:1", SPM, shape=shaped(EIGHT, 32, 32000))),
    "Mistral's larger vocabulary is as telling": (
        "shape",
        "not-meta",
        "strong",
        installed("x:1", SPM, shape=shaped(EIGHT, 32, 32768)),
    ),
    "Mistral's shape stacked to 48 layers is SOLAR": (
        "shape",
        "not-meta",
        "strong",
        installed("x:1", SPM, shape=shaped(EIGHT, 48, 32000)),
    ),
    "Mistral's shape with a SentencePiece vocabulary of unknown size is strong": (
        "shape",
        "not-meta",
        "strong",
        installed("x:1", SPM, shape=shaped(EIGHT, 32)),
    ),
    "TinyLlama's shape is for a person to judge": (
        "shape",
        "unknown",
        "likely",
        installed("x:1", SPM, shape=shaped((2048, 4, 5632), 22, 32000)),
    ),
    "OpenLLaMA 3B's shape is for a person to judge": (
        "shape",
        "unknown",
        "likely",
        installed("x:1", SPM, shape=shaped((3200, 32, 8640), 26, 32000)),
    ),
    "a name somebody published under is likely": (
        "published-name",
        "meta",
        "likely",
        installed("hf.co/x/Llama-3.2-3B-GGUF:Q4_0"),
    ),
    "a published tag counts where the model name says nothing": (
        "published-name",
        "meta",
        "likely",
        installed("someone/assistant:llama3.1-8b"),
    ),
    "a name the user gave is support": ("local-name", "meta", "support", installed("my-llama3-helper:latest")),
    "two independent supports agree": (
        "agreement",
        "meta",
        "likely",
        installed("my-llama3-helper:latest", LLAMA, template_tokens=("<|eot_id|>",)),
    ),
    "another family's tokenizer is likely": (
        "tokenizer",
        "not-meta",
        "likely",
        installed("x:1", {**LLAMA, "tokenizer.ggml.pre": "smollm"}),
    ),
    "Llama 3's tokenizer is support": ("tokenizer", "meta", "support", installed("x:1", BPE)),
    "Llama 3's chat tokens are support": (
        "template",
        "meta",
        "support",
        installed("x:1", template_tokens=("<|eot_id|>",)),
    ),
    "Llama 4's chat tokens are support": (
        "template",
        "meta",
        "support",
        installed("x:1", template_tokens=("<|header_start|>",)),
    ),
    "Llama 2's system mark is support": ("template", "meta", "support", installed("x:1", template_tokens=("<<SYS>>",))),
    "a stop token counts like one of the template": (
        "template",
        "meta",
        "support",
        installed("x:1", parameters={"stop": "<|eot_id|>"}),
    ),
    "stop tokens in a list count, too": (
        "template",
        "meta",
        "support",
        installed("x:1", parameters={"stop": ["END", "<|eot_id|>"]}),
    ),
    "an adapter is mentioned": ("adapter", "unknown", "support", installed("x:1", adapter=True)),
    "a parent that is gone is told by its name": (
        "parent",
        "meta",
        "likely",
        installed("x:1", LLAMA, parent="llama3.1:8b"),
    ),
    "a parent that was a file is support": (
        "parent",
        "meta",
        "support",
        installed("x:1", parent="/models/Llama-3.2-3B.gguf"),
    ),
    "a parent that was a Windows file is support": (
        "parent",
        "meta",
        "support",
        installed("x:1", parent="C:\\models\\Llama-3.2-3B.gguf"),
    ),
    "a parent that is gone and says nothing is mentioned": (
        "parent",
        "unknown",
        "support",
        installed("x:1", parent="helper:1"),
    ),
    "a file that says nothing as parent is mentioned": (
        "parent",
        "unknown",
        "support",
        installed("x:1", parent="/models/a.gguf"),
    ),
}


@pytest.mark.parametrize(("rule", "verdict", "strength", "model"), FIRES.values(), ids=FIRES.keys())
def test_rule_fires(rule: str, verdict: str, strength: str, model: InstalledModel, library: Library) -> None:
    evidence = found(model, library, rule)

    assert evidence is not None, rules(judged(model, library))
    assert (evidence.verdict, evidence.strength) == (verdict, strength)


SILENT: dict[str, tuple[str, InstalledModel]] = {
    "a manifest digest nobody recorded is no evidence": (
        "manifest-digest",
        installed("x:1", digest=digest("a new build")),
    ),
    "the digest of the manifest is not taken for one of the weights": (
        "weights-digest",
        installed("x:1", weights_digest=digest("46e0c10c039e")),
    ),
    "the digest of the weights is not taken for one of the manifest": (
        "manifest-digest",
        installed("x:1", digest=digest("6340dc3229b0")),
    ),
    "a digest too short to tell is no evidence": ("manifest-digest", installed("x:1", digest="46e0c10")),
    "an architecture nobody knows is no evidence": (
        "architecture",
        installed("x:1", {"general.architecture": "brandnew"}),
    ),
    "NVIDIA's pruned Llama and DeciLM share architecture deci": (
        "architecture",
        installed("x:1", {"general.architecture": "deci"}),
    ),
    "CogVLM may be built on Vicuna": ("architecture", installed("x:1", {"general.architecture": "cogvlm"})),
    "an architecture that is no text is no evidence": ("architecture", installed("x:1", {"general.architecture": 7})),
    "the shape in a catalogue is not what the file says": (
        "architecture",
        installed("x:1", shape=shaped(EIGHT, 32, architecture="qwen2", source="catalogue")),
    ),
    "the family is not asked where there is a header": (
        "family",
        installed("x:1", {"general.architecture": "brandnew"}, family="qwen3"),
    ),
    "the family of a model that is only named was never read": (
        "family",
        InstalledModel("x:1", source="named", family="qwen3"),
    ),
    "a family nobody knows is no evidence": ("family", installed("x:1", family="brandnew", families=("brandnew", ""))),
    "an unknown base model is no evidence": (
        "base-model",
        installed("x:1", base(name="Secret 8B", organization="Someone", repo_url="https://example.org/a")),
    ),
    "a base model that is no text is no evidence": ("base-model", installed("x:1", base(name=3, organization=None))),
    "Microsoft has built on Llama, so its name is no evidence": (
        "base-model",
        installed("x:1", base(name="Orca 2 7b", organization="Microsoft")),
    ),
    "an owner called like Meta's is not Meta": (
        "base-model",
        installed("x:1", base(repo_url="https://huggingface.co/meta-llama-fans/Thing-8B")),
    ),
    "another licence is no evidence": ("licence-key", installed("x:1", {"general.license": "apache-2.0"})),
    "a licence that only mentions Llama is no evidence": (
        "licence-key",
        installed("x:1", {"general.license": "like llama3.1 but different"}),
    ),
    "a licence that is no text is no evidence": ("licence-key", installed("x:1", {"general.license": ["llama3"]})),
    "LLaMA v2 is what an old converter called everything": ("basename", installed("x:1", {"general.name": "LLaMA v2"})),
    "LLaMA is what an old converter called everything": ("basename", installed("x:1", {"general.name": "LLaMA"})),
    "a basename that says nothing is no evidence": ("basename", installed("x:1", {"general.basename": "cogito"})),
    "a basename that says two things is no evidence": (
        "basename",
        installed("x:1", {"general.basename": "Yi-34B-Llama"}),
    ),
    "a user's own name is no library tag": ("name-tag", installed("team-bot:latest")),
    "somebody's upload is no library tag": ("name-tag", installed("someone/llama3.1:8b")),
    "a mirror is no library": ("name-tag", installed("registry.local/library/llama3.1:8b")),
    "a known tag is not judged by its siblings": ("library-name", named("cogito:8b")),
    "a library name is not searched where the file has told": (
        "library-name",
        installed("cogito:99b", {"general.license": "llama3.1"}),
    ),
    "an MIT licence text is no evidence": ("licence-text", installed("x:1", licences=("MIT License",))),
    "an Apache licence text is no evidence": (
        "licence-text",
        installed("x:1", licences=("Apache License Version 2.0",)),
    ),
    "no licence text is no evidence": ("licence-text", installed("x:1")),
    "a licence that mentions Llama further down is no Llama licence": (
        "licence-text",
        installed("x:1", licences=("Nexusflow License. " + "x" * 120 + " LLAMA 3 COMMUNITY LICENSE",)),
    ),
    "an acceptable use policy is no licence": (
        "licence-text",
        installed("x:1", licences=("Llama 3.2 Acceptable Use Policy",)),
    ),
    "Llama 3's shape with another vocabulary is no evidence": (
        "shape",
        installed("x:1", BPE, shape=shaped(EIGHT, 32, 131072)),
    ),
    "Llama 3's vocabulary in another width is no evidence": (
        "shape",
        installed("x:1", BPE, shape=shaped((3072, 8, 9216), 32, 128256)),
    ),
    "Llama 3's shape with another family's pre-tokenizer is no evidence": (
        "shape",
        installed("x:1", {**BPE, "tokenizer.ggml.pre": "tekken"}, shape=shaped(EIGHT, 32, 128256)),
    ),
    "a shape of another architecture is no evidence": (
        "shape",
        installed("x:1", {"general.architecture": "granite"}, shape=shaped(EIGHT, 32, 128256, architecture="granite")),
    ),
    "a shape from a catalogue is no evidence": (
        "shape",
        installed("x:1", BPE, shape=shaped(EIGHT, 32, 128256, source="catalogue")),
    ),
    "layers that differ in heads are no Llama shape": (
        "shape",
        installed("x:1", BPE, shape=shaped(EIGHT, 32, 128256, kv_heads=(8, 4))),
    ),
    "no layers at all are no shape": ("shape", installed("x:1", BPE, shape=shaped(EIGHT, 0, 128256, kv_heads=()))),
    "a shape without any hint at its vocabulary is no evidence": (
        "shape",
        installed("x:1", LLAMA, shape=shaped(EIGHT, 32)),
    ),
    "DeepSeek Coder has Llama 2's shape and another vocabulary": (
        "shape",
        installed("x:1", LLAMA, shape=shaped(SEVEN, 32, 32256)),
    ),
    "Llama 2's shape with Mistral's newer vocabulary is no evidence": (
        "shape",
        installed("x:1", SPM, shape=shaped(SEVEN, 32, 32768)),
    ),
    "a width nobody knows is no evidence": ("shape", installed("x:1", SPM, shape=shaped((1024, 4, 4096), 8, 32000))),
    "a vocabulary size that is no number is no evidence": (
        "shape",
        installed("x:1", {**LLAMA, "llama.vocab_size": True}, shape=shaped(EIGHT, 32)),
    ),
    "a tokenizer is not asked where the architecture tells": (
        "tokenizer",
        installed("x:1", {"general.architecture": "smollm3", "tokenizer.ggml.pre": "llama-bpe"}),
    ),
    "Llama 3's tokenizer is not counted again beside its shape": (
        "tokenizer",
        installed("x:1", BPE, shape=shaped(EIGHT, 32, 128256)),
    ),
    "a tokenizer nobody knows is no evidence": (
        "tokenizer",
        installed("x:1", {**LLAMA, "tokenizer.ggml.pre": "brandnew"}),
    ),
    "[INST] alone is also Mistral's": ("template", installed("x:1", template_tokens=("[INST]", "[/INST]"))),
    "ChatML is no Llama token": ("template", installed("x:1", template_tokens=("<|im_start|>",))),
    "stop parameters that are no text are no evidence": ("template", installed("x:1", parameters={"stop": [1, None]})),
    "a stop parameter that is a number is no evidence": ("template", installed("x:1", parameters={"stop": 7})),
    "a published name without a hint is no evidence": ("published-name", installed("hf.co/x/secret-GGUF:Q4_0")),
    "a user's name for a model of another family is no evidence": ("published-name", installed("my-qwen:latest")),
    "a name with Llama in the middle of a word is no evidence": ("local-name", installed("my-ollama3-bot:latest")),
    "one support alone does not agree with itself": ("agreement", installed("my-llama3-helper:latest", LLAMA)),
    "a tokenizer and its own chat tokens are one sign": (
        "agreement",
        installed("x:1", BPE, template_tokens=("<|eot_id|>",)),
    ),
    "supports are not added up where something decides": (
        "agreement",
        installed("my-llama3-helper:latest", {**LLAMA, "general.basename": "Qwen"}, template_tokens=("<|eot_id|>",)),
    ),
    "a local model is not remote": ("remote", installed("x:1")),
    "a model without an adapter has none": ("adapter", installed("x:1")),
    "a model with no parent has none": ("parent", installed("x:1")),
    "nothing contradicts when all agree": (
        "contradiction",
        installed("llama3.1:8b", {**LLAMA, "general.license": "llama3.1"}),
    ),
    "borrowed chat tokens are no contradiction": (
        "contradiction",
        installed("rnj-1:8b", {"general.architecture": "gemma3"}, template_tokens=("<|eot_id|>",)),
    ),
    "a settled lineage has no question": ("question", named("llama3.1:8b")),
}


@pytest.mark.parametrize(("rule", "model"), SILENT.values(), ids=SILENT.keys())
def test_rule_does_not_fire(rule: str, model: InstalledModel, library: Library) -> None:
    assert found(model, library, rule) is None


def test_every_rule_that_reads_a_model_has_a_case_where_it_fires_and_one_where_it_does_not() -> None:
    elsewhere = {"stated", "same-weights", "remote", "contradiction", "question"}

    assert {rule for rule, *_ in FIRES.values()} == set(RULES) - elsewhere
    assert {rule for rule, _ in SILENT.values()} >= set(RULES) - {"stated", "same-weights"}


OTHER_ARCHITECTURES = (
    "qwen2", "qwen3moe", "qwen25vl", "qwen35", "gemma3n", "phi3", "granite", "granitemoe", "deepseek2", "glm4moe",
    "chatglm", "nemotron", "nemotron_h", "exaone", "falcon", "falcon-h1", "internlm2", "starcoder2", "stablelm",
    "command-r", "cohere2", "mistral3", "olmo2", "ernie4_5", "hunyuan-moe", "minicpm", "smollm3", "lfm2", "gpt-oss",
    "gptoss", "gptneox", "solar", "bert", "nomic-bert", "embeddinggemma", "mamba", "rwkv7", "t5", "dbrx", "arctic",
    "grok", "bloom", "apertus", "arcee",
)  # fmt: skip


@pytest.mark.parametrize("architecture", OTHER_ARCHITECTURES)
def test_an_architecture_of_another_family_clears_a_model(architecture: str, library: Library) -> None:
    assert judged(installed("x:1", {"general.architecture": architecture}), library).verdict == "not-meta"


UNDECIDED_ARCHITECTURES = ("llama", "deci", "cogvlm", "llama-embed", "clip", "bitnet", "bitnet-b1.58", "unheard-of")


@pytest.mark.parametrize("architecture", UNDECIDED_ARCHITECTURES)
def test_an_architecture_that_llama_may_come_in_decides_nothing(architecture: str, library: Library) -> None:
    assert judged(installed("x:1", {"general.architecture": architecture}), library).verdict == "unknown"


def test_the_architecture_outweighs_a_base_model(library: Library) -> None:
    header = {"general.architecture": "qwen3", **base(name="Llama 3.1 8B", organization="Meta Llama")}

    lineage = judged(installed("x:1", header), library)

    assert lineage.verdict == "not-meta"
    assert text_of(lineage, "contradiction").startswith("the base model in the file would say Llama")


def test_the_name_in_the_file_outweighs_that_of_a_parent_which_is_gone(library: Library) -> None:
    model = installed("x:1", {**LLAMA, "general.basename": "Mistral-7B"}, parent="llama3.1:8b")

    assert judged(model, library).verdict == "not-meta"


def test_a_manifest_digest_outweighs_everything_the_file_says(library: Library) -> None:
    model = installed("x:1", {"general.architecture": "qwen3"}, digest=digest("46e0c10c039e"))

    lineage = judged(model, library)

    assert lineage.verdict == "meta"
    assert text_of(lineage, "contradiction").startswith("the architecture would say not Llama")


def test_a_recorded_tag_of_another_build_says_that_it_is_another_build(library: Library) -> None:
    assert text_of(judged(installed("llama3.2:3b"), library), "name-tag").endswith(", in another build than this one")


def test_a_moved_tag_says_which_of_its_models_it_must_be(library: Library) -> None:
    assert text_of(judged(installed("deepseek-r1:8b", LLAMA), library), "name-tag") == (
        "deepseek-r1:8b has meant different models, and architecture llama fits only"
        " deepseek-r1:8b-llama-distill-q4_K_M"
    )


def test_a_tag_that_names_its_quantization_has_not_moved(library: Library) -> None:
    lineage = judged(installed("orca-mini:7b-v2-q4_0", LLAMA), library)

    assert (lineage.verdict, rules(lineage)[0]) == ("meta", "name-tag")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param(
            installed("tinyllama:latest", LLAMA),
            "without Meta's weights or licence: say whether you want to leave it, too",
            id="a lookalike is the user's choice",
        ),
        pytest.param(
            named("team-bot:latest"), "it is not installed and the recipes do not know its name", id="an unknown name"
        ),
        pytest.param(named("deepseek-r1:9b"), "9b is no tag the recipes know", id="an unknown tag of a mixed name"),
        pytest.param(
            installed("wonder:latest", remote="https://ollama.com:443"),
            "nothing of it is here to look at",
            id="a cloud model nobody knows",
        ),
        pytest.param(
            installed("broken:latest", problem="manifest is cut off"),
            "its file cannot be read (manifest is cut off)",
            id="a broken model",
        ),
        pytest.param(
            installed("helper:latest", LLAMA), "nothing in it names its base model", id="a model that says nothing"
        ),
        pytest.param(
            installed("helper:latest", SPM, shape=shaped(SEVEN, 32, 32000)),
            "it has the shape and vocabulary of Llama 2 7B, as have models trained from scratch (OpenLLaMA)",
            id="a shape that is not Llama's alone",
        ),
    ],
)
def test_an_unknown_lineage_says_first_what_would_settle_it(
    model: InstalledModel, expected: str, library: Library
) -> None:
    lineage = judged(model, library)

    assert lineage.verdict == "unknown"
    assert lineage.evidence[0].rule == "question"
    assert expected in lineage.evidence[0].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Llama 3.1 8B", "Llama 3.1 8B", id="plain text stays"),
        pytest.param("Llama\x1b[31m\n3", "Llama [31m 3", id="control characters become blanks"),
        pytest.param("x" * 81, "x" * 79 + "…", id="long texts are cut"),
        pytest.param("\x07" + "x" * 100, " " + "x" * 78 + "…", id="long texts with control characters are cut"),
    ],
)
def test_texts_from_files_are_made_fit_for_one_line(text: str, expected: str) -> None:
    assert fit(text) == expected


def test_a_hostile_base_model_name_cannot_reach_a_terminal(library: Library) -> None:
    lineage = judged(installed("x:1", base(name="Llama 3 \x1b]0;owned\x07" + "A" * 5000)), library)

    assert all(evidence.text.isprintable() and len(evidence.text) < 400 for evidence in lineage.evidence)


def test_a_lineage_without_a_question_has_nothing_to_settle() -> None:
    from llamaexit.lineage import question

    assert question(Lineage("meta")) is None
