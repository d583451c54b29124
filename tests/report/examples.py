"""Plans and snapshots built by hand for the report tests: one developer's desktop, and the odd cases around it."""

from __future__ import annotations

from dataclasses import replace

from llamaexit.memory.estimate import DeviceUse, Estimate, Fit, Interval, Part
from llamaexit.planning.plan import (
    Asked,
    Basis,
    Caveat,
    Decision,
    Download,
    Figures,
    LicenceChange,
    Plan,
    Rebuild,
    Rejected,
    SourceFacts,
    TargetChoice,
    Thinking,
    Totals,
    UseDecision,
    Version,
)
from llamaexit.shape import Shape
from llamaexit.snapshot import (
    Cpu,
    Disk,
    Evidence,
    Gpu,
    InstalledModel,
    Layer,
    Lineage,
    Loaded,
    Machine,
    OllamaFacts,
    Probe,
    Ram,
    Setting,
    Snapshot,
    System,
)
from llamaexit.units import GIB, MIB

GB = 10**9


def fit(
    size: float, placement: str = "gpu", share: float = 1.0, layers: tuple[int, int] = (37, 37), why: str = ""
) -> Fit:
    """Where `size` GiB end up on one 24 GiB card."""
    total = round(size * GIB)
    on_gpu = round(total * share)
    return Fit(
        placement=placement,  # type: ignore[arg-type]
        gpu_share=share,
        layers_on_gpu=layers[0],
        layers=layers[1],
        ps=Interval(total, total - 150 * MIB, total + 150 * MIB),
        devices=(DeviceUse("GPU 0", on_gpu + 500 * MIB, 24 * GIB, 22 * GIB),) if share else (),
        host=total - on_gpu,
        parts=(
            Part("weights", "GPU 0", total - 1400 * MIB, "catalogue"),
            Part("KV cache", "GPU 0", 1152 * MIB, "shape"),
            Part("graph", "GPU 0", 248 * MIB, "formula"),
        ),
        why=why,
    )


def estimate(
    model: str, size: float, *, context: int = 8192, now: Fit | None = None, basis: str = "catalogue"
) -> Estimate:
    """What `model` takes: `size` GiB at `context` tokens."""
    unloaded = fit(size)
    return Estimate(
        model=model,
        context=context,
        context_source="OLLAMA_CONTEXT_LENGTH of the systemd unit",
        parallel=1,
        kv_type="f16",
        family="server",
        basis=basis,  # type: ignore[arg-type]
        now=now or unloaded,
        unloaded=unloaded,
        true_size=unloaded.ps,
        notes=("flash attention is on",),
    )


BY_MANIFEST = Evidence("manifest", "meta", "proof", "the manifest is the one published as llama3.1:8b (46e0c10c039e)")
BY_LICENCE = Evidence("licence", "meta", "likely", "a layer holds the LLAMA 3.1 COMMUNITY LICENSE AGREEMENT")
BY_PARENT = Evidence("parent", "meta", "proof", "built FROM llama3.1:8b, its weights are the same blob (667b0c1932bc)")

CHAT_SOURCE = SourceFacts(
    model="llama3.1:8b",
    digest="46e0c10c039e019119339687c3c1757cc81b9da49709a3b3924863ba87ca666e",
    installed=True,
    size=4_920_753_328,
    exclusive=12_320,
    quantization="Q4_K_M",
    parameter_size="8.0B",
    context=131072,
    capabilities=("completion", "tools"),
    lineage=Lineage("meta", (BY_MANIFEST, BY_LICENCE), "llama3.1:8b", "llama3.1", "Llama 3.1 8B Instruct"),
    licence="llama3.1",
    fit=estimate("llama3.1:8b", 6.2, basis="tensors"),
)

CHAT_TARGET = TargetChoice(
    model="qwen3:8b",
    digest="500a1f067a9f",
    rule="replace-chat/llama3.1-8b-chat",
    recipe="builtin",
    role="best-fit",
    why="same size class as an 8B Llama; think:false works on this tag",
    uses=("chat", "tools"),
    fit=estimate("qwen3:8b", 6.6, now=fit(6.6, "partial", 0.61, (22, 37))),
    download=Download(5_225_388_164, 0, False, "catalogue of 2026-06-20, rounded"),
    licence=LicenceChange(
        "llama3.1",
        "Apache-2.0",
        "Llama 3.1 Community (custom terms, 700 million user clause) → Apache 2.0 (open source, no such terms)",
        "Llama 3.1 Community (not open source) → Apache 2.0 (open source)",
    ),
    version=Version("0.6.6", "0.24.1", True),
    thinking=Thinking(True, True, True, "send think: false, or /no_think in the prompt"),
    capabilities=("completion", "thinking", "tools"),
    context=40960,
    caveats=(
        Caveat("THINK_DEFAULT", "thinks by default: small token budgets come back empty, latency rises"),
        Caveat("CONTEXT", "smaller window in the tag: 40960 tokens where the old model shows 131072"),
    ),
    evidence=(
        Figures(
            "BFCL v3", "Llama-3.1-8B-Instruct", 49.6, "Qwen3-8B (non-thinking)", 60.2, "new",
            "instruct, thinking off", "", "maker", "Qwen3 report, table 18",
        ),
        Figures(
            "IFEval", "Llama-3.1-8B-Instruct", 75.0, "Qwen3-8B (non-thinking)", 83.0, "new",
            "strict prompt", "", "maker", "Qwen3 report, table 18",
        ),
        Figures(
            "MMLU-Redux", "Llama-3.1-8B-Instruct", 61.7, "Qwen3-8B (non-thinking)", 79.5, "new",
            "", "", "maker", "Qwen3 report, table 18",
        ),
    ),
    counter_evidence=(
        Figures(
            "IFEval", "Llama-3.1-8B-Instruct", 75.9, "Qwen2.5-7B-Instruct", 71.2, "old",
            "strict prompt", "the older Qwen2.5-7B", "maker", "Qwen2.5 blog",
        ),
    ),
    confidence="high",
)  # fmt: skip

CHAT = Decision(
    action="replace",
    source=CHAT_SOURCE,
    use=UseDecision(("chat", "tools"), "catalogue", "what it is mostly used for"),
    reason=CHAT_TARGET.why,
    target=CHAT_TARGET,
    rejected=(
        Rejected(
            "qwen3.5:9b",
            "ollama-version",
            "needs Ollama 0.32.0, this one is 0.24.1",
            "replace-chat/llama3.1-8b-chat",
            0,
        ),
        Rejected(
            "qwen2.5:7b",
            "weak",
            "listed by Ollama itself as working poorly for tools",
            "replace-chat/llama3.1-8b-chat",
            1,
        ),
        Rejected(
            "qwen3:14b",
            "ranked-lower",
            "not looked at: a better-ranked target passes",
            "replace-chat/llama3.1-8b-chat",
            3,
        ),
    ),
    happens=(
        "qwen3:8b is pulled",
        "qwen3:8b is tested against llama3.1:8b",
        "llama3.1:8b stays as it is, qwen3:8b is there beside it; point your clients at qwen3:8b",
    ),
    derived=("team-bot:latest",),
)

CUSTOM = replace(
    CHAT,
    source=replace(
        CHAT_SOURCE,
        model="team-bot:latest",
        digest="a" * 64,
        exclusive=1_205,
        lineage=Lineage("meta", (BY_PARENT,), "llama3.1:8b", "llama3.1", "Llama 3.1 8B Instruct"),
        parent="llama3.1:8b",
        custom=True,
    ),
    use=UseDecision(("chat",), "given", "given by you"),
    rejected=(),
    rebuild=Rebuild(
        ("SYSTEM", "num_ctx 8192", "temperature 0.2"), ("stop <|eot_id|>", "TEMPLATE (the new base brings its own)")
    ),
    happens=(
        "qwen3:8b is pulled",
        "qwen3:8b is tested against team-bot:latest",
        "team-bot:latest is built again under its own name on qwen3:8b; the old one is kept under a backup name",
    ),
    derived=(),
)

FIM = Decision(
    action="replace",
    source=SourceFacts(
        model="codellama:7b-code",
        digest=None,
        installed=False,
        size=3_825_898_144,
        exclusive=None,
        quantization="Q4_0",
        parameter_size="7B",
        context=16384,
        capabilities=("completion",),
        lineage=Lineage("meta", (Evidence("name", "meta", "strong", "the name of a Code Llama model of the library"),)),
        licence="llama2",
        fit=estimate("codellama:7b-code", 7.9, basis="label"),
    ),
    use=UseDecision(("fim",), "given", "given by you"),
    reason="same size, and the suffix parameter works",
    target=replace(
        CHAT_TARGET,
        model="qwen2.5-coder:7b",
        digest="dae161e27b0e",
        rule="replace-fim/codellama-fim",
        why="same size, and the suffix parameter works",
        uses=("fim",),
        fit=estimate("qwen2.5-coder:7b", 5.1, basis="manifest"),
        download=Download(4_683_087_332, 1_100_000_000, True, "registry manifest of 2026-11-25"),
        licence=LicenceChange("llama2", "Apache-2.0", "Llama 2 Community (custom terms) → Apache 2.0 (open source)"),
        version=Version("0.1.42", "0.24.1", True),
        thinking=Thinking(False, False, None),
        caveats=(Caveat("FIM_RAW", "the editor has to send Qwen's fill-in tokens instead of PRE, SUF and MID"),),
        evidence=(),
        counter_evidence=(),
        confidence="medium",
        unverified=("context", "template"),
    ),
)

GUARD = Decision(
    action="blocked",
    source=replace(
        CHAT_SOURCE,
        model="llama-guard3:8b",
        digest="b" * 64,
        lineage=Lineage("meta", (replace(BY_MANIFEST, text="the manifest is the one published as llama-guard3:8b"),)),
        fit=None,
    ),
    use=UseDecision(("guard",), "catalogue", "what it is mostly used for"),
    reason="never replaced automatically (guard): a safety classifier has its own categories and answer format",
    hint="if it serves something else here, say --use llama-guard3:8b=USE",
    automatic=False,
)

UNKNOWN = Decision(
    action="blocked",
    source=replace(
        CHAT_SOURCE,
        model="hf.co/someone/mystery-7b-gguf:Q4_K_M",
        digest="c" * 64,
        lineage=Lineage(
            "unknown", (Evidence("shape", "unknown", "support", "architecture llama, shape of many models"),)
        ),
        fit=None,
    ),
    use=UseDecision(("chat",), "assumed", "assumed: nothing says what it is used for"),
    reason="cannot tell whether it is Llama: architecture llama, shape of many models",
    hint="answer with --lineage hf.co/someone/mystery-7b-gguf:Q4_K_M=meta or =not-meta",
    automatic=False,
)

KEPT = Decision(
    action="keep",
    source=replace(CHAT_SOURCE, model="mistral:7b", digest="d" * 64, lineage=Lineage("not-meta"), fit=None),
    use=UseDecision(("chat",), "assumed", "assumed: nothing says what it is used for"),
    reason="not Llama: the manifest is the one published as mistral:7b (Mistral AI's own weights)",
)

BASIS = Basis(
    machine="NVIDIA GeForce RTX 4090 24 GiB, 64 GiB RAM, 16 cores",
    ollama="Ollama 0.24.1 at http://127.0.0.1:11434",
    ollama_version="0.24.1",
    store="/usr/share/ollama/.ollama/models",
    recipes=("builtin 2026.06", "our-team 3"),
    policy=("licences allowed: open-source (our-team)",),
    facts_checked="2026-06-20",
)

DESKTOP = Plan(
    plan_id="0123456789abcdef" * 4,
    basis=BASIS,
    decisions=(CHAT, CUSTOM, FIM, GUARD, UNKNOWN, KEPT),
    totals=Totals(
        download=8_808_475_496, disk_peak=8_808_475_496, disk_free=212 * GB, exact=False, reclaimable=4_920_765_648,
        bandwidth=12_500_000, seconds=705,
    ),
    names={"llama3.1:8b": CHAT_SOURCE.digest, "qwen3:8b": None, "team-bot:latest": "a" * 64},
    asked=(
        Asked(
            "muse-spark", "Muse Spark by Meta", "closed weights, served by Meta alone", ("qwen3.5:9b",)
        ),
    ),
    warnings=("recipe builtin was last checked on 2026-05-20, more than 180 days ago",),
)  # fmt: skip

SINGLE = replace(DESKTOP, decisions=(CHAT,), asked=(), warnings=())
NOTHING = replace(
    DESKTOP,
    decisions=(),
    asked=(),
    warnings=(),
    names={},
    totals=Totals(0, 0, 212 * GB, True, 0),
)

LLAMA = InstalledModel(
    name="llama3.1:8b",
    digest=CHAT_SOURCE.digest,
    size=4_920_753_328,
    format="gguf",
    family="llama",
    families=("llama",),
    parameter_size="8.0B",
    parameter_count=8_030_261_312,
    quantization="Q4_K_M",
    context_length=131072,
    capabilities=("completion", "tools"),
    metadata={"general.architecture": "llama", "general.license": "llama3.1"},
    layers=(
        Layer("model", "sha256:" + "6" * 64, 4_920_738_944, True),
        Layer("license", "sha256:" + "7" * 64, 12_320, True),
    ),
    weights_digest="6" * 64,
    exclusive=12_320,
    shape=Shape("llama", 32, 4096, 32, 8, 128, 128, 14336, 128256, 131072),
    last_used="2026-11-24T18:03:11Z",
    last_used_source="loaded now",
    lineage=CHAT_SOURCE.lineage,
)

HERE = Snapshot(
    machine=Machine(
        system=System("linux", "6.8.0", "x86_64"),
        cpu=Cpu("AMD Ryzen 9 5950X 16-Core Processor", 16, 32),
        ram=Ram(64 * GIB, 41 * GIB, 8 * GIB, 8 * GIB, limit=48 * GIB, headroom=30 * GIB, limit_source="cgroup v2"),
        gpus=(
            Gpu(0, "nvidia", "NVIDIA GeForce RTX 4090", "discrete", 24 * GIB, 22 * GIB, driver="580.65", source="nvml"),
            Gpu(1, "amd", "AMD Radeon Graphics", "integrated", None, None, True, note="no memory figure"),
        ),
        disk=Disk("/usr/share/ollama/.ollama/models", 1000 * GB, 212 * GB),
        probes=(
            Probe("nvidia", "found"),
            Probe("amd", "found"),
            Probe("intel", "absent"),
            Probe("cgroup", "broken", "permission denied: /sys/fs/cgroup/memory.max"),
        ),
    ),
    ollama=OllamaFacts(
        "server",
        "http://127.0.0.1:11434",
        "0.24.1",
        "/usr/share/ollama/.ollama/models",
        {"OLLAMA_CONTEXT_LENGTH": Setting("8192", "systemd unit")},
        (Loaded("llama3.1:8b", CHAT_SOURCE.digest or "", 6_600_000_000, 6_600_000_000, 8192, "2026-11-25T12:00:00Z"),),
        ("the server runs as another user; its environment cannot be read",),
    ),
    models=(
        LLAMA,
        replace(
            LLAMA,
            name="team-bot:latest",
            digest="a" * 64,
            parent="llama3.1:8b",
            exclusive=1_205,
            system=True,
            last_used=None,
            last_used_source=None,
            lineage=CUSTOM.source.lineage,
        ),
        replace(
            LLAMA,
            name="mistral:7b",
            digest="d" * 64,
            weights_digest="f" * 64,
            layers=(Layer("model", "sha256:" + "f" * 64, 4_372_812_000, True),),
            metadata={"general.architecture": "llama", "general.basename": "Mistral"},
            shape=Shape("llama", 32, 4096, 32, 8, 128, 128, 14336, 32768, 32768),
            size=4_372_824_384,
            parameter_size="7.2B",
            context_length=32768,
            exclusive=4_372_824_384,
            last_used=None,
            last_used_source=None,
            lineage=Lineage("not-meta", (Evidence("manifest", "not-meta", "proof", "published as mistral:7b"),)),
        ),
        InstalledModel(
            name="gpt-oss:120b-cloud",
            digest="e" * 64,
            size=384,
            remote="https://ollama.com",
            capabilities=("completion", "tools", "thinking"),
            lineage=Lineage("not-meta", (Evidence("remote", "not-meta", "proof", "runs on ollama.com"),)),
        ),
        InstalledModel(
            name="half-pulled:latest",
            source="store",
            problem="its weights layer 6f2f9757ae97 is missing",
            lineage=Lineage("unknown"),
        ),
    ),
    taken_at="2026-11-25T10:00:00+00:00",
)  # fmt: skip

EMPTY = Snapshot(
    machine=Machine(System("darwin"), Cpu(None, None, 8), Ram(16 * GIB, 9 * GIB)),
    ollama=OllamaFacts("none", problems=("no Ollama answers at http://127.0.0.1:11434",)),
)
