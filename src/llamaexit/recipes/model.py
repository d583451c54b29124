"""What a recipe can say. These dataclasses are the recipe language: they validate a file and publish its schema.

A recipe is data. It names models, uses, limits and reasons; it can run nothing and reach nothing. In TOML the keys
are written with hyphens (`min-ollama`). Sizes are bytes, dates are ISO dates. `sources` are keys of the `[sources]`
table of the same recipe, so that every figure can be traced.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Use = Literal[
    "chat", "tools", "code", "fim", "vision", "reasoning", "embedding", "guard", "edge",
    "rag", "long-context", "roleplay", "math", "sql", "medical", "text",
]  # fmt: skip
OriginVerdict = Literal["meta", "not-meta", "unknown"]
Because = Literal[
    "capability", "context", "policy", "licence", "lineage", "cloud", "weak", "ollama-version", "memory",
    "gpu-share", "disk", "download", "unknown-model", "pin", "thinking", "ranked-lower",
]  # fmt: skip
"""Why a target is not taken."""
Loss = Literal["tools", "vision", "context"]
"""What a target may lack that the old model has, where a recipe says so."""
Route = Literal["chat", "generate", "v1"]
Language = Literal[
    "ar", "cs", "de", "el", "en", "es", "fi", "fr", "he", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "th",
    "tr", "uk", "zh",
]  # fmt: skip
"""ISO 639-1 codes of the languages an answer can be told to be in."""


def kebab(name: str) -> str:
    """The TOML spelling of a field name."""
    return name.replace("_", "-")


_STRICT: dict[str, Any] = {"extra": "forbid", "alias_generator": kebab}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact was read: what it is, where it lies, when it was written or read."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    what: str
    """What it is. Required."""
    where: str = ""
    """Where it lies: an address, or a place in a document."""
    date: str = ""
    """When it was written or read."""
    kind: str = ""
    """How close it is: `primary`, `maker`, `independent`, `secondary`, `unverified` …"""


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence in plain words."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    """What the licence is called. Required."""
    summary: str
    """What it means, in a sentence. Required."""
    open_source: bool = False
    """Whether the Open Source Initiative has approved it."""
    commercial: bool = True
    """Whether commercial use is allowed."""
    terms: tuple[str, ...] = ()
    """Conditions, one by one."""


@dataclass(frozen=True, slots=True)
class Score:
    """A published figure."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    benchmark: str
    """What was measured. Required."""
    value: float
    """The figure. Required."""
    mode: str = ""
    """The setting it was measured in, such as `thinking off`."""
    source: str = ""
    """Id of the source, a key of `[sources]`."""
    kind: str = ""
    """Who measured: `maker`, `independent` …"""


@dataclass(frozen=True, slots=True)
class CatalogueShape:
    """Shape of a model that is not installed, as published. Zero or absent means not known."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    architecture: str
    """As the GGUF file names it: `llama`, `qwen3` … Required."""
    layers: int = 0
    """Transformer blocks."""
    hidden: int = 0
    """Size of the hidden state."""
    heads: int = 0
    """Attention heads of a layer."""
    kv_heads: int = 0
    """Heads that keep keys and values."""
    head_dim: int = 0
    """Size of one head."""
    feed_forward: int = 0
    """Size of the feed-forward layer."""
    vocab: int = 0
    """Tokens of the vocabulary."""
    attention_layers: int = 0
    """Layers with full attention, where only some have it."""
    sliding_window: int = 0
    """Tokens that layers with a window look back."""
    kv_lora_rank: int = 0
    """Size of the compressed keys and values (latent attention)."""
    q_lora_rank: int = 0
    """Size of the compressed queries (latent attention)."""
    rope_dim: int = 0
    """Part of a head that is rotated (latent attention)."""
    nope_dim: int = 0
    """Part of a head that is not rotated (latent attention)."""
    v_head_dim: int = 0
    """Size of a value head (latent attention)."""
    experts: int = 0
    """Experts of a layer (mixture of experts)."""
    experts_used: int = 0
    """Experts that a token goes through."""
    experts_shared: int = 0
    """Experts that every token goes through."""
    expert_feed_forward: int = 0
    """Size of the feed-forward layer of one expert."""
    dense_layers: int = 0
    """Layers without experts, at the beginning."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One published file of a model, among those of the same weights."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    tag: str
    """What follows the colon. Required."""
    quant: str = ""
    """Quantization, such as `q4_K_M`."""
    digest: str = ""
    """Manifest digest, at least its first 12 hex digits."""
    size: int = 0
    """Bytes to download."""
    exact: bool = False
    """Whether `size` is the sum of the manifest's layers, and not a rounded figure from a page."""
    context: int = 0
    """Context in tokens, where it differs from that of the record."""
    uses: tuple[Use, ...] = ()
    """What it is used for, where that differs from the record: a base file among chat files."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A model people have installed, and whether it is Llama. The source side of a migration."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    """Library name and tag. Required."""
    lineage: OriginVerdict
    """Whether its weights are Llama: `meta`, `not-meta`, or `unknown` (then the plan asks). Required."""
    why: str
    """How that is known. Required."""
    also: tuple[str, ...] = ()
    """Other full names of the same build."""
    generation: str = ""
    """Which Llama: `llama2`, `llama3.1`, `codellama` …"""
    base: str = ""
    """The model its weights were trained from, in words."""
    licence: str = ""
    """Id of the licence that follows from the base."""
    licence_note: str = ""
    """Where the shipped licence text says something else."""
    manifests: tuple[str, ...] = ()
    """Manifest digests of every build known to have been this model."""
    blobs: tuple[str, ...] = ()
    """Digests of the weights layer of every such build."""
    size: int = 0
    """Bytes of all layers."""
    weights_size: int = 0
    """Bytes of the weights."""
    projector_size: int = 0
    """Bytes of the vision projector."""
    exact: bool = False
    """Whether the bytes are exact, not rounded."""
    quant: str = ""
    """Quantization, such as `q4_K_M`."""
    parameters: str = ""
    """How many parameters, as Ollama prints it: `8.0B`."""
    parameter_count: int = 0
    """How many parameters, exactly."""
    context: int = 0
    """The context it was made for, in tokens."""
    capabilities: tuple[str, ...] = ()
    """What Ollama lists: `completion`, `tools`, `vision`, `thinking`, `insert`, `embedding`."""
    uses: tuple[Use, ...] = ()
    """What it is mostly used for, the main use first."""
    stop: tuple[str, ...] = ()
    """Stop strings of its template."""
    template_tokens: tuple[str, ...] = ()
    """Special tokens of its template."""
    shape: CatalogueShape | None = None
    """Its dimensions, for the memory estimate until the file itself can be read."""
    scores: tuple[Score, ...] = ()
    """Published figures."""
    notes: tuple[str, ...] = ()
    """Anything else worth knowing."""
    sources: tuple[str, ...] = ()
    """Ids of the sources of these facts, keys of `[sources]`."""
    tags: tuple[Tag, ...] = ()
    """Other files of the same weights, mostly other quantizations."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """Whether a model reasons before it answers, by default, and whether a client can stop it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    supported: bool | None = None
    """Whether it can reason before it answers."""
    default: bool | None = None
    """Whether it does so when the client says nothing."""
    can_disable: bool | None = None
    """Whether a client can switch that off."""
    how: str = ""
    """How to switch it off."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model that may replace a Llama model, or one that must be refused by name."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    """Name and tag, as `ollama pull` takes it: of the library, of a registry of your own, or `hf.co/…`. Required."""
    family: str
    """What it belongs to: `qwen`, `deepseek`, or a family of your own. Required."""
    vendor: str
    """Who publishes it. Required."""
    base_vendor: str = ""
    """Whose weights it was trained from, when that is somebody else."""
    country: str = ""
    """Where the maker of the underlying weights sits."""
    also: tuple[str, ...] = ()
    """Other names of the same build."""
    local: bool = True
    """`false` when it only runs on somebody else's servers."""
    origin: OriginVerdict = "not-meta"
    """`meta` when its weights derive from Llama: it is never planned then."""
    kind: str = ""
    """`instruct`, `reasoning`, `code`, `vision`, `base`, `embedding` …"""
    base: str = ""
    """The model it is, or is made from, in words."""
    released: str = ""
    """Day or month of its release."""
    digest: str = ""
    """Manifest digest of the build last seen under this name."""
    manifests: tuple[str, ...] = ()
    """Manifest digests of every build known to have carried the name."""
    size: int = 0
    """Bytes to download."""
    exact: bool = False
    """Whether `size` is exact, not rounded."""
    size_as_of: str = ""
    """Day on which `size` was read."""
    quant: str = ""
    """Quantization, such as `q4_K_M`."""
    parameters: float = 0.0
    """Billions of parameters."""
    active_parameters: float = 0.0
    """Billions of parameters that a token goes through (mixture of experts)."""
    context: int = 0
    """Context in tokens that the tag offers."""
    native_context: int = 0
    """Context in tokens that the makers state."""
    capabilities: tuple[str, ...] = ()
    """What it can do: `completion`, `tools`, `vision`, `thinking`, `insert`, `embedding`."""
    capabilities_source: str = ""
    """How the capabilities are known."""
    thinking: Thinking = field(default_factory=Thinking)
    """Whether it reasons before it answers, by default, and whether a client can stop it."""
    licence: str = ""
    """Id of the licence of this exact tag."""
    shape: CatalogueShape | None = None
    """Its dimensions, for the memory estimate until the file itself can be read."""
    min_ollama: str = ""
    """The oldest Ollama that can run it."""
    languages: int = 0
    """How many languages its makers claim."""
    fim: bool | None = None
    """Whether it was trained to fill in the middle."""
    insert: bool | None = None
    """Whether Ollama offers `suffix` for it."""
    weak_for: tuple[Use, ...] = ()
    """Uses that Ollama itself lists it as working poorly for: it is never planned for these."""
    scores: tuple[Score, ...] = ()
    """Published figures."""
    sampling: tuple[dict[str, Any], ...] = ()
    """What the makers recommend, one table for each `mode`."""
    notes: tuple[str, ...] = ()
    """Anything else worth knowing."""
    unverified: tuple[str, ...] = ()
    """Groups of facts that have no source."""
    sources: tuple[str, ...] = ()
    """Ids of the sources of these facts, keys of `[sources]`."""
    tags: tuple[Tag, ...] = ()
    """Other files of the same weights, mostly other quantizations."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A published comparison of the old model (or its nearest relative) with the new one."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    benchmark: str
    """What was measured. Required."""
    old_model: str
    """The old model, or its nearest relative in the source. Required."""
    old: float
    """Its figure. Required."""
    new_model: str
    """The new model, or its nearest relative. Required."""
    new: float
    """Its figure. Required."""
    favours: Literal["old", "new", "tie"]
    """Which is ahead: `old`, `new` or `tie`. Required."""
    setting: str = ""
    """How it was measured."""
    note: str = ""
    """Where the pair only approximates the two models."""
    kind: str = ""
    """Who measured: `maker`, `independent` …"""
    source: str = ""
    """Id of the source, a key of `[sources]`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One target of a rule, in the order the recipe prefers them."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    model: str
    """Name and tag of the target. Some recipe in force has to describe it. Required."""
    why: str = ""
    """Why it is a good choice: the plan says so."""
    role: str = ""
    """Its part in the list: `drop-in`, `best`, `fast`, `upgrade` …"""
    caveats: tuple[str, ...] = ()
    """Codes of what changes with this target, keys of `[caveats]`."""
    evidence: tuple[Figures, ...] = ()
    """Figures that compare the old model with it."""
    confidence: str = ""
    """How sure that is: `high`, `medium` or `low`."""
    accept_loss: tuple[Loss, ...] = ()
    """What this target may lack that the source has: `tools`, `vision`, `context`."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that is called, with arguments."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    """Name of the tool. Required."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Arguments of the call."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool a model is offered."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    """What the tool is called. Required."""
    description: str = ""
    """What it does, for the model to read."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """JSON Schema of its arguments."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    role: Literal["system", "user", "assistant", "tool"]
    """Who speaks: `system`, `user`, `assistant` or `tool`. Required."""
    content: str = ""
    """What is said."""
    tool_calls: tuple[Call, ...] = ()
    """What an assistant calls."""
    tool_name: str = ""
    """Whose answer a `tool` turn is."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What an answer has to be like, all of it. Names are those of promptfoo where it has one."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    equals: str | None = None
    """The answer is this text, blanks at both ends aside."""
    not_equals: str | None = None
    """The answer is not this text, blanks at both ends aside."""
    contains: str | None = None
    """The answer contains this text."""
    contains_all: tuple[str, ...] = ()
    """The answer contains all of these texts."""
    contains_any: tuple[str, ...] = ()
    """The answer contains at least one of these texts."""
    icontains: str | None = None
    """The answer contains this text, whatever the case of letters."""
    icontains_all: tuple[str, ...] = ()
    """The answer contains all of these texts, whatever the case of letters."""
    icontains_any: tuple[str, ...] = ()
    """The answer contains at least one of these texts, whatever the case of letters."""
    not_contains: str | None = None
    """The answer does not contain this text."""
    not_contains_any: tuple[str, ...] = ()
    """The answer contains none of these texts."""
    not_icontains: str | None = None
    """The answer does not contain this text, whatever the case of letters."""
    not_icontains_any: tuple[str, ...] = ()
    """The answer contains none of these texts, whatever the case of letters."""
    starts_with: str | None = None
    """The answer starts with this text, blanks before it aside."""
    not_starts_with: str | None = None
    """The answer does not start with this text, blanks before it aside."""
    regex: str | None = None
    """The pattern is found in the answer. Its syntax is that of Rust's `regex`."""
    not_regex: str | None = None
    """The pattern is not found in the answer. Its syntax is that of Rust's `regex`."""
    is_json: bool = False
    """The answer is JSON, with nothing around it, when `true`."""
    json_schema: dict[str, Any] | None = None
    """The answer is JSON that fits this JSON Schema (draft 2020-12)."""
    is_valid_openai_tools_call: bool = False
    """The answer calls at least one tool, and only such as are offered, with arguments that fit their schemas."""
    tool: Call | None = None
    """The answer calls this tool, with at least these arguments."""
    not_tool: bool = False
    """The answer calls no tool, when `true`."""
    finish_reason: Literal["stop", "length", "tool_calls"] | None = None
    """The answer ended because of `stop`, `length` or `tool_calls`."""
    language: Language | None = None
    """The answer is in this language (ISO 639-1). Code blocks do not count."""
    max_length: int = 0
    """The answer has at most so many characters; 0 is no limit."""
    max_seconds: float = 0.0
    """The answer is complete within so many seconds; 0 is no limit."""


@dataclass(frozen=True, slots=True)
class SmokeCheck:
    """A question of your own, put to the old and to the new model, and what is expected of the answer."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    id: str
    """Name of the test: letters, digits, dots, hyphens; each once in a rule. Required."""
    expect: Expect
    """What the answer has to be like. Required."""
    title: str = ""
    """What it is about, in a line. Without it, the `id` is shown."""
    ask: str = ""
    """The question."""
    messages: tuple[Message, ...] = ()
    """A conversation in place of `ask`, the last turn of which is to be answered."""
    system: str = ""
    """System message, or system prompt."""
    tools: tuple[Tool, ...] = ()
    """Tools on offer."""
    image: str = ""
    """A PNG or JPEG file in the folder of the recipe, or below it, that the question is about. At most 256 KiB."""
    image_data: str = ""
    """The picture itself in base64, in place of `image`."""
    suffix: str = ""
    """What stands after the gap that is to be filled; `ask` is what stands before it."""
    format: Literal["", "json", "json-schema"] = ""
    """`json` asks for JSON, `json-schema` for the JSON that `expect.json-schema` describes."""
    route: Route | None = None
    """`chat`, `generate` or `v1`: the one your client uses."""
    think: Literal["off", "default"] = "off"
    """`off` switches thinking off; `default` does not speak of it, as a client that knows nothing of thinking."""
    max_tokens: int = 512
    """The longest answer, in tokens: 1 to 8192."""
    level: Literal["block", "warn"] = "block"
    """`block`: what the old model answers as expected and the new one does not stops the switch. `warn`: it is told."""

    @property
    def door(self) -> Route:
        """The route it is put through: `chat`, unless the recipe says otherwise or there is a gap to fill."""
        return self.route or ("generate" if self.suffix else "chat")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """That something is on its way out. It counts as before, whatever the day is; plans that rest on it say so."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    since: dt.date | None = None
    """Day it was given up."""
    until: dt.date | None = None
    """Day by which everybody should have moved."""
    replaced_by: str = ""
    """What takes its place: the key or id of a rule; for a recipe, what `extends` would call it."""
    reason: str = ""
    """Why."""

    def in_words(self, today: dt.date | None = None) -> str:
        """What a plan says of it, to go on after its name."""
        words = "is deprecated" + (f" since {self.since}" if self.since else "")
        if self.until is not None:
            over = today is not None and today > self.until
            words += f" and {'was to be gone by' if over else 'goes on until'} {self.until}"
        words += f": {self.reason.rstrip('.')}" if self.reason else ""
        return words + (f"; {self.replaced_by} takes its place" if self.replaced_by else "")


@dataclass(frozen=True, slots=True)
class Rule:
    """Source pattern and use, to ordered targets. Without a condition it is for every Llama model."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    id: str
    """Name of the rule in its recipe; among all it is called `RECIPE/ID`. Where `id` is such a key of a rule below,
    this rule replaces that one as a whole. Required."""
    use: Use
    """The use it is for. Required."""
    match: tuple[str, ...] = ()
    """Names or patterns (`*`, `?`, `[…]`) of source models, as they are installed or as the catalogue calls them."""
    generation: tuple[str, ...] = ()
    """Generations of Llama it is for: `llama2`, `llama3.1`, `codellama` …"""
    min_parameters: float = 0.0
    """Size of the source in billions of parameters, from here up. 0 is no bound."""
    max_parameters: float = 0.0
    """Size of the source in billions of parameters, below this. 0 is no bound."""
    targets: tuple[Choice, ...] = ()
    """What may replace the source, in the order to try."""
    automatic: bool = True
    """`false` when a person has to decide; then `decide` is required."""
    decide: str = ""
    """What a person has to do first, in one sentence that starts with a verb: `Decide whether …`"""
    caveats: tuple[str, ...] = ()
    """Codes of what changes with any of the targets, keys of `[caveats]`."""
    counter_evidence: tuple[Figures, ...] = ()
    """Figures in which the old model is ahead."""
    no_equivalent_for: tuple[str, ...] = ()
    """What the old model did that no target does."""
    notes: tuple[str, ...] = ()
    """Anything else worth knowing."""
    accept_loss: tuple[Loss, ...] = ()
    """What any of the targets may lack that the source has: `tools`, `vision`, `context`."""
    smoke: tuple[SmokeCheck, ...] = ()
    """Questions of your own, put to the old model and to the new one."""
    deprecated: Deprecation | None = None
    """The rule is on its way out."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A model people ask for that cannot run here: closed weights, or cloud only."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    match: tuple[str, ...]
    """Patterns of what people call it; a blank counts as a hyphen. Required."""
    name: str
    """What it is. Required."""
    vendor: str
    """Whose it is. Required."""
    why: str
    """Why it cannot run here. Required."""
    nearest: tuple[str, ...] = ()
    """Models that can, from the largest to the smallest."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a team allows. Absent keys leave the matter to weaker recipes. Patterns ignore the case of letters."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    licences_allowed: tuple[str, ...] | None = None
    """Licence ids, or the classes `open-source` (OSI-approved) and `commercial` (commercial use allowed)."""
    deny_vendors: tuple[str, ...] | None = None
    """Patterns of vendors that are not allowed, for the model and for what it was trained from."""
    deny_families: tuple[str, ...] | None = None
    """Patterns of families that are not allowed."""
    deny_models: tuple[str, ...] | None = None
    """Patterns of model names that are not allowed."""
    deny_origins: tuple[str, ...] | None = None
    """Patterns of countries in which the maker of the weights may not sit; `not known` is that of targets whose record
    does not say."""
    exceptions: dict[str, str] | None = None
    """Target name or pattern to a reason: what is allowed although a `deny-` key of this recipe, or of one below it, is
    against it. Licences and sizes are not lifted."""
    max_download: str | None = None
    """The largest download for one model, such as `20GB`."""
    min_context: int | None = None
    """The smallest context a target may be planned with, in tokens."""
    min_gpu_share: float | None = None
    """The smallest share of a target that has to be on the GPU, 0 to 1."""
    thinking: Literal["avoid", "allow"] | None = None
    """`avoid` or `allow` targets that think before they answer."""
    pins: dict[str, str] | None = None
    """Target name to manifest digest: only that build is allowed."""


@dataclass(frozen=True, slots=True)
class Host:
    """The machine of an example. Nothing of it is measured, so that it gives the same answer everywhere."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    ram: str
    """Main memory, such as `32GiB`. Required."""
    gpu: tuple[str, ...] = ()
    """Names of cards, as `--gpu` takes them."""
    vram: tuple[str, ...] = ()
    """Memory of each card. Without `gpu` and `vram` there is no card."""
    disk: str = ""
    """Free on the disk of the models. Left out, there is enough."""
    ollama: str = ""
    """Version of Ollama. Left out, it does not matter."""
    os: Literal["linux", "darwin", "windows"] = "linux"
    """`linux`, `darwin` or `windows`."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a plan has to decide about one model of an example; what is left out may be anything."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    action: Literal["replace", "keep", "blocked", "closed"]
    """`replace`; `keep`, for what is not Llama; `blocked`, for what a person has to settle; `closed`, for a model
    that cannot be run here. Required."""
    target: str = ""
    """What is taken."""
    rule: str = ""
    """Key or id of the rule it is taken by."""
    rejected: dict[str, Because] = field(default_factory=dict)
    """Targets that may not be taken, each with the reason."""
    reason: str = ""
    """A part of the reason that is given."""


@dataclass(frozen=True, slots=True)
class ExampleModel:
    """A model that is installed in an example."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    """A model that is installed. What is not said here is taken from the record of its name, or of its parent.
    Required."""
    expect: Expected
    """The decision. Required."""
    uses: tuple[Use, ...] = ()
    """What it serves, as `--use` says it."""
    parent: str = ""
    """The model it was built FROM."""
    digest: str = ""
    """Of its manifest, where the name alone does not tell which build is meant."""
    lineage: OriginVerdict | None = None
    """The answer a user gives, as with `--lineage`."""
    parameters: str = ""
    """As Ollama prints it, for a model nobody knows: `8.0B`."""
    capabilities: tuple[str, ...] | None = None
    """As Ollama lists them, for a model nobody knows: `completion`, `tools` …"""
    num_ctx: int = 0
    """Context it is set to, in tokens."""


@dataclass(frozen=True, slots=True)
class Example:
    """A machine, the models on it, and what has to be decided about them. `llamaexit recipe test` plans it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    title: str
    """What the example shows. Required."""
    host: Host
    """The machine. Required."""
    models: tuple[ExampleModel, ...]
    """The models on it, and what is decided about each. Required."""
    context: int = 0
    """What a user asks for with `--context`, in tokens."""
    thinking: Literal["avoid", "allow"] | None = None
    """What a user asks for with `--thinking`."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One recipe file."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    schema: Literal[1]
    """Version of the language: `1`. Required."""
    name: str
    """What the recipe is called in plans, explanations and the keys of its rules: letters, digits, dots, hyphens and
    underscores. Required; no two recipes in force may have the same one."""
    version: str = "0"
    """Version of the recipe (PEP 440)."""
    summary: str = ""
    """What it is for, in a line."""
    checked: dt.date | None = None
    """Day its facts were last looked at. More than 180 days later the plan says so."""
    requires_llamaexit: str | None = None
    """Version range such as `>=0.1,<2`. Checked before anything else in the file; pre-releases count as what they
    are."""
    requires_ollama: str | None = None
    """Version range of Ollama that the recipe is meant for."""
    deprecated: Deprecation | None = None
    """The recipe is on its way out."""
    extends: tuple[str, ...] = ()
    """Recipes that count right below this one, in order: relative paths, addresses of git repositories
    and web servers, and `builtin:NAME` (which is always there anyway)."""
    disable: tuple[str, ...] = ()
    """Keys of rules (`RECIPE/ID`), or patterns of them, that recipes below this one have and that shall not count."""
    policy: Policy | None = None
    """What is allowed."""
    rules: tuple[Rule, ...] = ()
    """What replaces what."""
    models: tuple[Target, ...] = ()
    """Facts about targets, your own among them."""
    origins: tuple[Origin, ...] = ()
    """Facts about models people have, and whether they are Llama."""
    closed: tuple[Closed, ...] = ()
    """Models that cannot be run here, and the nearest that can."""
    examples: tuple[Example, ...] = ()
    """Machines and models, and what has to be decided about them."""
    caveats: dict[str, str] = field(default_factory=dict)
    """What each caveat code means."""
    licences: dict[str, Licence] = field(default_factory=dict)
    """Licences in plain words, by id."""
    sources: dict[str, Source] = field(default_factory=dict)
    """Where facts were read, by id."""
