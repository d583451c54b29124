"""Facts about one machine at one moment: hardware, Ollama, installed models.

A snapshot comes from this machine or from a file, so that planning for another machine is the same code. All sizes
are bytes, all times are RFC 3339 text. Nothing here reads anything: `hardware`, `ollama` and `gguf` fill it in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from llamaexit.shape import Shape, Weights

SCHEMA = "llamaexit.snapshot/1"
"""Format name and major version of the snapshot document."""

Outcome = Literal["found", "absent", "broken"]
Vendor = Literal["nvidia", "amd", "intel", "apple", "other"]
GpuKind = Literal["discrete", "integrated", "unified"]
Verdict = Literal["meta", "not-meta", "unknown"]
Strength = Literal["proof", "strong", "likely", "support"]


@dataclass(frozen=True, slots=True)
class Probe:
    """What one probe of the hardware found. `broken` carries the reason; it is never an exception."""

    name: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class System:
    """Operating system: `linux`, `darwin` or `windows`, and what it runs inside."""

    os: str
    release: str = ""
    architecture: str = ""
    wsl: bool = False
    container: str | None = None


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor. Cores are None when the system does not tell."""

    model: str | None
    physical_cores: int | None
    logical_cores: int | None
    quota: float | None = None
    """Cores this process may use at once by cgroup quota, where one is set."""


@dataclass(frozen=True, slots=True)
class Ram:
    """Main memory. `limit` is the tightest cgroup limit, `headroom` what it still leaves; None without one."""

    total: int
    available: int
    swap_total: int = 0
    swap_free: int = 0
    limit: int | None = None
    headroom: int | None = None
    limit_source: str | None = None

    @property
    def usable_total(self) -> int:
        """Bytes of RAM that processes here may ever take."""
        return self.total if self.limit is None else min(self.total, self.limit)

    @property
    def usable_now(self) -> int:
        """Bytes of RAM that a new process may take now."""
        return self.available if self.headroom is None else min(self.available, self.headroom)


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device a model can be placed on.

    `total` and `free` are bytes the device may use: dedicated memory of a discrete card, carve-out plus GTT of an
    integrated AMD part, the wired budget of an Apple one. None: the driver does not tell. `shares_ram` is true when its
    memory is taken out of main memory.
    """

    index: int
    vendor: Vendor
    name: str
    kind: GpuKind
    total: int | None
    free: int | None
    shares_ram: bool = False
    uuid: str | None = None
    compute_capability: str | None = None
    driver: str | None = None
    source: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that holds the model store."""

    path: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Machine:
    """The hardware a plan is made for. `overrides` names what the user stated instead of measuring."""

    system: System
    cpu: Cpu
    ram: Ram
    gpus: tuple[Gpu, ...] = ()
    disk: Disk | None = None
    probes: tuple[Probe, ...] = ()
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """One Ollama setting, and where its value was seen (`environment`, `systemd unit`, `server process` …)."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory right now, as `/api/ps` reports it."""

    name: str
    digest: str
    size: int
    size_vram: int
    context_length: int | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class OllamaFacts:
    """The Ollama installation: where it was found, its version (None: not known), settings and loaded models.

    `source` is `server` (asked over HTTP), `store` (read from disk) or `none` (there is none, or nobody looked).
    """

    source: Literal["server", "store", "none"]
    url: str | None = None
    version: str | None = None
    store: str | None = None
    settings: dict[str, Setting] = field(default_factory=dict)
    loaded: tuple[Loaded, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a manifest. `present`: the blob is in the store with its full size (None: not checked)."""

    kind: str
    digest: str
    size: int
    present: bool | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a lineage verdict, in words. `rule` is its stable name (see docs/reference/lineage.md)."""

    rule: str
    verdict: Verdict
    strength: Strength
    text: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """Whose weights a model is built on, and how we know.

    `origin` names the record of the recipes that describes the same weights or the nearest ones (`llama3.1:8b`);
    `generation` is `llama3.1`, `llama2`, …; `base` is the base model in words.
    """

    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    origin: str | None = None
    generation: str | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model Ollama knows here, or one that was named on the command line (`source` is then `named`).

    name: as Ollama prints it, tag always present, default registry and namespace left out.
    digest: 64 hex digits, sha256 of the manifest file; `weights_digest` that of the layer with the weights.
    size: bytes of all layers and the config; layers shared with other models are counted in each of them.
    exclusive: bytes that deleting this one name would free (None: not known).
    capabilities: None means not known, not none.
    metadata: scalar GGUF keys (`general.*`, `tokenizer.ggml.model`, `tokenizer.ggml.pre` …); never token lists.
    licences: first lines of each licence layer. stop/parameters as stored in the params layer.
    problem: why the model cannot be used as it is (broken manifest, missing blob), or None.
    """

    name: str
    digest: str | None = None
    size: int = 0
    source: Literal["server", "store", "named"] = "server"
    modified_at: str | None = None
    format: str = ""
    family: str = ""
    families: tuple[str, ...] = ()
    parameter_size: str = ""
    parameter_count: int | None = None
    quantization: str = ""
    context_length: int | None = None
    capabilities: tuple[str, ...] | None = None
    parent: str | None = None
    remote: str | None = None
    requires: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    system: bool = False
    messages: int = 0
    adapter: bool = False
    template_tokens: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    weights_digest: str | None = None
    projector_size: int = 0
    exclusive: int | None = None
    shape: Shape | None = None
    weights: Weights | None = None
    last_used: str | None = None
    last_used_source: str | None = None
    problem: str | None = None
    lineage: Lineage | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a plan is made from, except the recipes. `taken_at` never enters a decision."""

    machine: Machine
    ollama: OllamaFacts
    models: tuple[InstalledModel, ...] = ()
    taken_at: str | None = None
    schema: str = SCHEMA
