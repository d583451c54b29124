"""Golden decisions: machine, models and policy in; what happens to the model out. One sentence a case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from planning_cases import MACHINES, apple, card, installed, machine, server, snapshot

from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Decision, Plan
from llamaexit.planning.planner import make_plan
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library
from llamaexit.snapshot import InstalledModel, Loaded, Machine, OllamaFacts, Setting
from llamaexit.units import GIB

LLAMA31 = installed(
    "llama3.1:8b",
    digest="46e0c10c039e019119339687c3c1757cc81b9da49709a3b3924863ba87ca666e",
    size=4_920_753_328,
    family="llama",
    parameter_size="8.0B",
    quantization="Q4_K_M",
    capabilities=("completion", "tools"),
    context_length=131072,
    metadata={"general.architecture": "llama", "general.license": "llama3.1", "general.basename": "Meta-Llama-3.1"},
    weights_digest="667b0c1932bc6ffc593ed1d03f895bf2dc8dc6df21db3042284a6f4416b06a29",
    exclusive=4_920_753_328,
)
OLD_3B = installed(
    "llama3.2:3b",
    size=2_019_393_189,
    family="llama",
    parameter_size="3.2B",
    quantization="Q4_K_M",
    capabilities=("completion", "tools"),
    context_length=4096,
    parameters={},
    metadata={"general.architecture": "llama", "general.license": "llama3.2", "general.basename": "Llama-3.2"},
)
TEAM_BOT = replace(
    LLAMA31,
    name="team-bot:latest",
    digest="7e" * 32,
    parent="llama3.1:8b",
    system=True,
    parameters={"num_ctx": 8192, "stop": ["<|eot_id|>", "END"], "temperature": 0.3},
)
LLAMA_OF_R1 = installed(
    "deepseek-r1:8b",
    digest="28f8fd6cdc677661426adab9338ce3c013d7e69a5bea9e704b364171a5d61a10",
    size=4_920_738_407,
    family="llama",
    parameter_size="8.0B",
    quantization="Q4_K_M",
    capabilities=("completion",),
    context_length=131072,
    metadata={"general.architecture": "llama", "general.basename": "DeepSeek-R1-Distill-Llama"},
)
QWEN_OF_R1 = installed(
    "deepseek-r1:8b",
    digest="6995872bfe4c521a67b32da386cd21d5c6e819b6e0d62f79f64ec83be99f5763",
    size=5_225_376_047,
    family="qwen3",
    parameter_size="8.2B",
    quantization="Q4_K_M",
    capabilities=("completion", "thinking"),
    context_length=131072,
    metadata={"general.architecture": "qwen3"},
)
MISTRAL = installed(
    "mistral:7b",
    family="llama",
    parameter_size="7.2B",
    capabilities=("completion", "tools"),
    metadata={
        "general.architecture": "llama",
        "general.license": "apache-2.0",
        "general.base_model.0.organization": "Mistralai",
        "general.base_model.0.repo_url": "https://huggingface.co/mistralai/Mistral-7B-v0.3",
    },
)
STRANGER = installed("strange-bot:latest", family="llama", metadata={"general.architecture": "llama"})
FINE_TUNE = installed(
    "hf.co/acme/Support-8B-GGUF:Q4_K_M",
    family="llama",
    size=4_920_000_000,
    parameter_size="8.0B",
    quantization="Q4_K_M",
    capabilities=("completion",),
    context_length=131072,
    metadata={
        "general.architecture": "llama",
        "general.base_model.0.organization": "Meta Llama",
        "general.base_model.0.repo_url": "https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct",
    },
)


@dataclass(frozen=True)
class Golden:
    """One case. `passed_over`: candidates that must have been refused, with the kind of reason."""

    sentence: str
    model: str
    action: str
    target: str | None = None
    on: str | Machine = "an RTX 4090"
    here: tuple[InstalledModel, ...] = ()
    policy: str = ""
    ollama: OllamaFacts = field(default_factory=server)
    options: dict[str, Any] = field(default_factory=dict)
    passed_over: dict[str, str] = field(default_factory=dict)
    says: str = ""
    caveats: tuple[str, ...] = ()
    not_caveats: tuple[str, ...] = ()


def use(*uses: str) -> dict[str, Any]:
    """Options that state what the model of the case serves."""
    return {"uses": uses}


CASES = [
    # what replaces what
    Golden("an 8B Llama for chat gets the drop-in that never thinks", "llama3.1:8b", "replace", "qwen3:4b-instruct"),
    Golden(
        "with thinking allowed the rules' first choice is taken",
        "llama3.1:8b", "replace", "qwen3:8b", on="an RTX 3060 12 GB",
        options={"thinking": "allow"}, caveats=("THINK_DEFAULT",),
    ),
    Golden(
        "a policy that allows thinking does the same",
        "llama3.1:8b", "replace", "qwen3:8b", on="an RTX 3060 12 GB", policy='thinking = "allow"',
    ),
    Golden(
        "a policy against thinking refuses what thinks even when nothing else is left",
        "llama3.2:1b", "blocked", on="a 16 GB laptop without a GPU",
        policy='thinking = "avoid"\ndeny-models = ["qwen3:4b-instruct"]',
        passed_over={"qwen3:1.7b": "thinking", "qwen3:0.6b": "thinking"},
    ),
    Golden(
        "a 1B Llama is not traded for something far larger only because that never thinks",
        "llama3.2:1b", "replace", "qwen3:1.7b", on="a 16 GB laptop without a GPU",
    ),
    Golden(
        "a reasoning model gets a model that thinks",
        "deepseek-r1:70b", "replace", "deepseek-r1:32b", options=use("reasoning"),
    ),
    Golden("code completion gets a coder's base model", "codellama:7b-code", "replace", "qwen2.5-coder:7b-base"),
    Golden("a coder for chat about code gets a coder", "codellama:7b", "replace", "qwen2.5-coder:7b"),
    Golden("a vision Llama gets a vision Qwen", "llama3.2-vision:11b", "replace", "qwen3-vl:8b-instruct"),
    Golden(
        "a 70B that a 24 GB card holds only in part gets a model that fits on it",
        "llama3.3:70b", "replace", "qwen3:30b-instruct",
    ),
    Golden(
        "a fine-tune from hf.co is served by the rules of the Llama it is built on",
        "hf.co/acme/Support-8B-GGUF:Q4_K_M", "replace", "qwen3:4b-instruct", here=(FINE_TUNE,),
    ),
    # what is Llama and what is not
    Golden(
        "an old deepseek-r1:8b is Llama and is replaced as what it is, not as what the tag became",
        "deepseek-r1:8b", "replace", "qwen3:8b", on="an RTX 3060 12 GB", here=(LLAMA_OF_R1,),
    ),
    Golden("a new deepseek-r1:8b is Qwen and stays", "deepseek-r1:8b", "keep", here=(QWEN_OF_R1,)),
    Golden("Mistral has the architecture llama and stays", "mistral:7b", "keep", here=(MISTRAL,)),
    Golden("a Qwen that was named stays", "qwen3:8b", "keep"),
    Golden("what cannot be told is asked", "strange-bot:latest", "blocked", here=(STRANGER,), says="--lineage"),
    Golden(
        "what the user answers decides",
        "strange-bot:latest", "keep", here=(STRANGER,), options={"lineage": {"strange-bot": "not-meta"}},
    ),
    Golden(
        "what the user answers decides the other way, too",
        "strange-bot:latest", "replace", "qwen3:4b-instruct", on="a 16 GB laptop without a GPU",
        here=(replace(STRANGER, parameter_size="8.0B", size=4_900_000_000),),
        options={"lineage": {"strange-bot": "meta"}},
    ),
    Golden(
        "what is built like Llama without Meta's weights is a question of policy, not of evidence",
        "tinyllama:1.1b", "blocked", says="a question of policy: ",
    ),
    Golden(
        "a question of policy says how to leave",
        "tinyllama:1.1b", "blocked",
        says="to leave it, say --lineage tinyllama:1.1b=meta --use tinyllama:1.1b=chat; "
        "to keep it, --lineage tinyllama:1.1b=not-meta",
    ),
    Golden(
        "that answer moves it",
        "tinyllama:1.1b", "replace", options={"lineage": {"tinyllama:1.1b": "meta"}, **use("chat")},
    ),
    Golden(
        "the other answer keeps it",
        "tinyllama:1.1b", "keep", options={"lineage": {"tinyllama:1.1b": "not-meta"}},
    ),
    Golden(
        "what nobody knows is a question of evidence, not of policy",
        "strange-bot:latest", "blocked", here=(STRANGER,), says="cannot tell whether it is Llama: ",
    ),
    Golden(
        "a cloud stub is somebody else's machine and stays",
        "llama4:cloud", "keep", here=(installed("llama4:cloud", remote="https://ollama.com:443"),),
    ),
    # custom models
    Golden(
        "a custom model is rebuilt on the same target as its base",
        "team-bot:latest", "replace", "qwen3:4b-instruct", here=(LLAMA31, TEAM_BOT),
        says="built again under its own name",
    ),
    Golden(
        "a library name is not touched",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", here=(LLAMA31,), says="llama3.1:8b stays as it is",
    ),
    Golden(
        "an adapter cannot move",
        "tuned:latest", "blocked", here=(LLAMA31, replace(TEAM_BOT, name="tuned:latest", adapter=True)), says="adapter",
    ),
    # what a person has to decide
    Golden("a guard model is never replaced", "llama-guard3:8b", "blocked", says="replaced automatically (guard)"),
    Golden(
        "what a rule asks of the keeper of a guard comes first",
        "llama-guard3:8b", "blocked", says="keep the guard and switch the chat models only",
    ),
    Golden(
        "an unfiltered model needs a person",
        "dolphin3:8b", "blocked", says="not replaced automatically; decide whether a model that refuses more will do",
    ),
    Golden("a stated use is that decision", "dolphin3:8b", "replace", "qwen3:4b-instruct", options=use("chat")),
    Golden("a medical model needs a person", "meditron:7b", "blocked", says="medical"),
    Golden(
        "a base model needs a person",
        "llama2:7b-text", "blocked", says="not replaced automatically; decide whether an older base model will do",
    ),
    Golden("an embedding use is never switched", "llama3.1:8b", "blocked", options=use("embedding"), says="vector"),
    # capabilities and uses
    Golden(
        "agents do not get what Ollama itself warns of",
        "codellama:7b", "replace", "qwen3:8b", options={**use("tools", "code"), "thinking": "allow"},
        passed_over={"qwen2.5-coder:7b": "weak"},
    ),
    Golden(
        "without tools in the uses the same model is fine",
        "codellama:7b", "replace", "qwen2.5-coder:7b", options=use("code"), not_caveats=("TOOLS_TEXT",),
    ),
    Golden(
        "a model that had tools gets one with tools",
        "deepseek-r1:70b", "replace", "qwen3:32b", on="two RTX 3090", options=use("reasoning", "tools"),
        ollama=server("0.15.4"), passed_over={"deepseek-r1:32b": "capability"},
    ),
    # context
    Golden(
        "a long context rules out a short window",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", options={"context": 65536, "thinking": "allow"},
        passed_over={"qwen3:8b": "context"},
    ),
    Golden(
        "a context that the window holds does not",
        "llama3.1:8b", "replace", "qwen3:8b", options={"context": 32768, "thinking": "allow"},
    ),
    Golden(
        "a smallest context of the policy counts like a use of it",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", policy='thinking = "allow"\nmin-context = 65536',
        passed_over={"qwen3:8b": "context"},
    ),
    Golden(
        "OLLAMA_CONTEXT_LENGTH is the context that counts",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", here=(LLAMA31,), options={"thinking": "allow"},
        ollama=replace(server(), settings={"OLLAMA_CONTEXT_LENGTH": Setting("100000", "test")}),
        passed_over={"qwen3:8b": "context"},
    ),
    # policy
    Golden(
        "a denied model is passed over",
        "llama3.1:8b", "replace", "qwen3:8b", on="an RTX 3060 12 GB",
        policy='deny-models = ["qwen3:4b-instruct"]', passed_over={},
    ),
    Golden(
        "no models of Chinese origin leads to an honest answer",
        "llama3.1:8b", "blocked", policy='deny-origins = ["China"]', passed_over={"qwen3:4b-instruct": "policy"},
    ),
    Golden(
        "another denied origin changes nothing",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", policy='deny-origins = ["Atlantis"]',
    ),
    Golden("a denied vendor is passed over", "llama3.1:8b", "blocked", policy='deny-vendors = ["alibaba*"]'),
    Golden(
        "a denied vendor is denied as the maker of a base, too",
        "deepseek-r1:70b", "blocked", options=use("reasoning"), policy='deny-vendors = ["Alibaba*"]',
        passed_over={"deepseek-r1:32b": "policy"},
    ),
    Golden(
        "a research licence is not an open source one",
        "llama3.2:3b", "replace", "qwen3:4b-instruct", policy='licences-allowed = ["open-source"]',
    ),
    Golden(
        "no licence allowed, no target",
        "llama3.2:3b", "blocked", policy='licences-allowed = ["MIT"]', passed_over={"qwen3:4b-instruct": "licence"},
    ),
    Golden(
        "a download limit rules out what is larger",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", policy='thinking = "allow"\nmax-download = "3GB"',
        passed_over={"qwen3:8b": "download"},
    ),
    Golden(
        "a pin to other bytes rules the target out",
        "llama3.1:8b", "blocked",
        policy='deny-models = ["qwen3.5*", "qwen3:8b", "qwen3:1.7b"]\npins = { "qwen3:4b-instruct" = "aaaaaaaaaaaa" }',
        passed_over={"qwen3:4b-instruct": "pin"},
    ),
    Golden(
        "a pin to the known bytes does not",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", policy='pins = { "qwen3:4b-instruct" = "0edcdef34593" }',
    ),
    # Ollama's version
    Golden(
        "an old Ollama rules out what needs a newer one",
        "llama3.2-vision:11b", "replace", "qwen2.5vl:7b", ollama=server("0.12.3"),
        passed_over={"qwen3-vl:8b-instruct": "ollama-version"},
    ),
    Golden(
        "an unknown version rules nothing out",
        "llama3.2-vision:11b", "replace", "qwen3-vl:8b-instruct", ollama=server(None),
    ),
    Golden(
        "a release candidate is older than its release",
        "llama3.3:70b", "replace", "qwen3:30b-instruct", ollama=server("0.32.12-rc1"), options={"thinking": "allow"},
        passed_over={"qwen3.8:27b-q4_K_M": "ollama-version"},
    ),
    # memory and disk
    Golden(
        "what the machine cannot hold is passed over",
        "llama3.3:70b", "replace", "qwen3:30b-instruct", on="a 32 GB machine without a GPU",
        passed_over={"qwen3-next:80b-a3b-instruct-q4_K_M": "memory"},
    ),
    Golden(
        "nothing fits on a 2 GB board",
        "llama3.1:8b", "blocked", on="a 2 GB board", passed_over={"qwen3:8b": "memory"},
    ),
    Golden(
        "a target may not leave the GPU that the old model had to itself",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", on=machine(32, card("NVIDIA GeForce RTX 3050", 6.6)),
        options={"thinking": "allow"}, here=(LLAMA31,), passed_over={"qwen3:8b": "gpu-share"},
    ),
    Golden(
        "what does not fit at Ollama's default context is asked for less",
        "llama3.2:3b", "replace", "qwen3:4b-instruct", here=(OLD_3B,), on=machine(32, card("NVIDIA L4", 23, used=16)),
        caveats=("SET_CONTEXT",),
    ),
    Golden(
        "what fits at Ollama's default context is left to it",
        "llama3.2:3b", "replace", "qwen3:4b-instruct", here=(OLD_3B,), on=machine(32, card("NVIDIA L4", 23, used=1)),
        not_caveats=("SET_CONTEXT",),
    ),
    Golden(
        "a model that thinks already does not need to be told of thinking",
        "deepseek-r1:70b", "replace", "deepseek-r1:32b", options=use("reasoning"), not_caveats=("THINK_DEFAULT",),
    ),
    Golden(
        "an old model that no longer loads is said so first",
        "llama3.2-vision:11b", "replace", "qwen3-vl:8b-instruct", caveats=("ALREADY_BROKEN",),
    ),
    Golden(
        "under an Ollama that still loads it that is not said",
        "llama3.2-vision:11b", "replace", ollama=server("0.24.0"), not_caveats=("ALREADY_BROKEN",),
    ),
    Golden(
        "without a chat template there is nothing to say about one",
        "codellama:7b-code", "replace", "qwen2.5-coder:7b-base", not_caveats=("TEMPLATE",),
    ),
    Golden(
        "a far smaller target is said to be one",
        "llama3.3:70b", "replace", on="a 16 GB laptop without a GPU", caveats=("SMALLER",),
    ),
    Golden(
        "a target of the same class is not",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", not_caveats=("SMALLER",),
    ),
    Golden(
        "memory held by loaded models counts as free for the switch",
        "llama3.1:8b", "replace", "qwen3:4b-instruct",
        on=replace(MACHINES["an RTX 4060 8 GB"], gpus=(card("NVIDIA GeForce RTX 4060", 8, used=7),)), here=(LLAMA31,),
        ollama=replace(
            server(), loaded=(Loaded("llama3.1:8b", LLAMA31.digest or "", int(5.5 * GIB), int(5.5 * GIB), 4096),)
        ),
    ),
    Golden("a Mac counts the memory Metal may wire", "llama3.1:8b", "replace", "qwen3:4b-instruct", on=apple(8)),
    Golden("a full disk blocks", "llama3.1:8b", "blocked", on="a full disk", says="free some disk"),
    Golden(
        "a target that is here already needs no disk",
        "llama3.1:8b", "replace", "qwen3:4b-instruct", on="a full disk",
        here=(
            LLAMA31,
            installed(
                "qwen3:4b-instruct", digest="0edcdef34593" + "0" * 52, family="qwen3", size=2_497_293_803,
                capabilities=("completion", "tools"), context_length=262144,
                metadata={"general.architecture": "qwen3"},
            ),
        ),
    ),
    Golden(
        "a name that holds a Llama here is no target, whatever the library says",
        "llama3.1:8b", "replace", options={**use("reasoning"), "thinking": "allow"}, on="an RTX 3060 12 GB",
        here=(LLAMA_OF_R1,), passed_over={"deepseek-r1:8b": "lineage"},
    ),
]  # fmt: skip


def plan_of(case: Golden, tmp_path: Path) -> Plan:
    options = dict(case.options)
    if "uses" in options:
        options["uses"] = {case.model: options["uses"]}
    everything = bool(case.passed_over)
    return make_plan(
        snapshot(case.on, *case.here, ollama=case.ollama),
        library_of(case.policy, tmp_path),
        PlanOptions(models=(case.model,), everything=everything, **options),
    )


@cache
def builtin() -> Library:
    return load_library()


def library_of(policy: str, tmp_path: Path) -> Library:
    if not policy:
        return builtin()
    recipe = tmp_path / "team.toml"
    recipe.write_text(f'schema = 1\nname = "team"\n\n[policy]\n{policy}\n')
    return load_library([recipe])


@pytest.mark.parametrize("case", [pytest.param(case, id=case.sentence) for case in CASES])
def test_decision(case: Golden, tmp_path: Path) -> None:
    plan = plan_of(case, tmp_path)
    (decision,) = plan.decisions
    assert decision.action == case.action, decision.reason
    if case.target is not None or case.action != "replace":
        assert (decision.target.model if decision.target else None) == case.target
    refused = {rejected.model: rejected.because for rejected in decision.rejected}
    assert case.passed_over.items() <= refused.items(), decision.rejected
    assert case.says in _everything_said(decision)
    found = {caveat.code for caveat in decision.target.caveats} if decision.target else set()
    assert found.issuperset(case.caveats)
    assert found.isdisjoint(case.not_caveats)


def test_the_table_is_worth_its_name() -> None:
    assert len(CASES) >= 40
    assert len({case.sentence for case in CASES}) == len(CASES)


def _everything_said(decision: Decision) -> str:
    return " ".join([decision.reason, decision.hint or "", *decision.happens])
