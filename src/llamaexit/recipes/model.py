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
    where: str = ""
    date: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence in plain words. `open_source`: OSI-approved. `commercial`: whether commercial use is allowed."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    summary: str
    open_source: bool = False
    commercial: bool = True
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """A published figure. `mode` says under which setting it was measured."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    benchmark: str
    value: float
    mode: str = ""
    source: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class CatalogueShape:
    """Shape of a model that is not installed, as published. Zero or absent means not known."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    architecture: str
    layers: int = 0
    hidden: int = 0
    heads: int = 0
    kv_heads: int = 0
    head_dim: int = 0
    feed_forward: int = 0
    vocab: int = 0
    attention_layers: int = 0
    sliding_window: int = 0
    kv_lora_rank: int = 0
    q_lora_rank: int = 0
    rope_dim: int = 0
    nope_dim: int = 0
    v_head_dim: int = 0
    experts: int = 0
    experts_used: int = 0
    experts_shared: int = 0
    expert_feed_forward: int = 0
    dense_layers: int = 0


@dataclass(frozen=True, slots=True)
class Tag:
    """One published file of a model: its tag, quantization, manifest digest (first 12 hex digits) and bytes.

    `exact` tells whether `size` is the sum of the manifest's layers or a rounded figure from a page. `context` and
    `uses` are set where they differ from those of the record (a base-text file among chat files).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    tag: str
    quant: str = ""
    digest: str = ""
    size: int = 0
    exact: bool = False
    context: int = 0
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """A model people have installed, and whether it is Llama. The source side of a migration.

    name: library name and tag. also: other full names of the same build. manifests, blobs: first 12 hex digits of
    the manifest digest and of the weights layer, for every build known to have been this model. tags: other files of
    the same weights, mostly other quantizations.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    lineage: OriginVerdict
    why: str
    also: tuple[str, ...] = ()
    generation: str = ""
    base: str = ""
    licence: str = ""
    licence_note: str = ""
    manifests: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    size: int = 0
    weights_size: int = 0
    projector_size: int = 0
    exact: bool = False
    quant: str = ""
    parameters: str = ""
    parameter_count: int = 0
    context: int = 0
    capabilities: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    stop: tuple[str, ...] = ()
    template_tokens: tuple[str, ...] = ()
    shape: CatalogueShape | None = None
    scores: tuple[Score, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Thinking:
    """Whether a model reasons before it answers, by default, and whether a client can stop it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    supported: bool | None = None
    default: bool | None = None
    can_disable: bool | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A model that may replace a Llama model, or one that must be refused by name.

    country: where the vendor of the weights sits. local: False for models that only run on somebody else's servers.
    origin: `meta` when its weights derive from Llama, which rules it out. weak_for: uses Ollama itself lists it as
    working poorly for.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    family: str
    vendor: str
    base_vendor: str = ""
    country: str = ""
    also: tuple[str, ...] = ()
    local: bool = True
    origin: OriginVerdict = "not-meta"
    kind: str = ""
    base: str = ""
    released: str = ""
    digest: str = ""
    manifests: tuple[str, ...] = ()
    size: int = 0
    exact: bool = False
    size_as_of: str = ""
    quant: str = ""
    parameters: float = 0.0
    active_parameters: float = 0.0
    context: int = 0
    native_context: int = 0
    capabilities: tuple[str, ...] = ()
    capabilities_source: str = ""
    thinking: Thinking = field(default_factory=Thinking)
    licence: str = ""
    shape: CatalogueShape | None = None
    min_ollama: str = ""
    languages: int = 0
    fim: bool | None = None
    insert: bool | None = None
    weak_for: tuple[Use, ...] = ()
    scores: tuple[Score, ...] = ()
    sampling: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """A published comparison of the old model (or its nearest relative) with the new one."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    benchmark: str
    old_model: str
    old: float
    new_model: str
    new: float
    favours: Literal["old", "new", "tie"]
    setting: str = ""
    note: str = ""
    kind: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One target of a rule, in the order the recipe prefers them. accept_loss: what it may lack that the source has."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    model: str
    why: str = ""
    role: str = ""
    caveats: tuple[str, ...] = ()
    evidence: tuple[Figures, ...] = ()
    confidence: str = ""
    accept_loss: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that is called, with arguments."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool a model is offered. `parameters` is the JSON Schema of its arguments."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation. tool_calls: of an assistant; tool_name: whose answer a `tool` message is."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[Call, ...] = ()
    tool_name: str = ""


@dataclass(frozen=True, slots=True)
class Expect:
    """What an answer has to be like, all of it. Names are those of promptfoo's assertions where it has one.

    Patterns are searched for, in the syntax of Rust's `regex`: it takes linear time, whoever wrote them. json_schema
    includes is_json. tool: one of the calls is of this name, with at least these arguments. max_length is in
    characters, max_seconds from the request to the end of the answer; 0 is no limit.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    equals: str | None = None
    not_equals: str | None = None
    contains: str | None = None
    contains_all: tuple[str, ...] = ()
    contains_any: tuple[str, ...] = ()
    icontains: str | None = None
    icontains_all: tuple[str, ...] = ()
    icontains_any: tuple[str, ...] = ()
    not_contains: str | None = None
    not_contains_any: tuple[str, ...] = ()
    not_icontains: str | None = None
    not_icontains_any: tuple[str, ...] = ()
    starts_with: str | None = None
    not_starts_with: str | None = None
    regex: str | None = None
    not_regex: str | None = None
    is_json: bool = False
    json_schema: dict[str, Any] | None = None
    is_valid_openai_tools_call: bool = False
    tool: Call | None = None
    not_tool: bool = False
    finish_reason: Literal["stop", "length", "tool_calls"] | None = None
    language: Language | None = None
    max_length: int = 0
    max_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SmokeCheck:
    """One question of a team's own, put to the old and to the new model, and what is expected of the answer.

    ask, or messages: the question, or a conversation that ends in one. image: a picture beside the recipe file; it is
    read when the recipe is, and image_data holds it from then on, in base64. suffix: what comes after the gap (fill
    in the middle). format: ask for JSON, or for the JSON of `expect.json_schema`. think: `off` switches thinking off,
    `default` leaves that to the model, as a client does that knows nothing of it. level: `warn` never stops a switch.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    id: str
    expect: Expect
    title: str = ""
    ask: str = ""
    messages: tuple[Message, ...] = ()
    system: str = ""
    tools: tuple[Tool, ...] = ()
    image: str = ""
    image_data: str = ""
    suffix: str = ""
    format: Literal["", "json", "json-schema"] = ""
    route: Route | None = None
    think: Literal["off", "default"] = "off"
    max_tokens: int = 512
    level: Literal["block", "warn"] = "block"

    @property
    def door(self) -> Route:
        """The route it is put through: `chat`, unless the recipe says otherwise or there is a gap to fill."""
        return self.route or ("generate" if self.suffix else "chat")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """That something is on its way out. It counts as before, whatever the day is; plans that rest on it say so.

    since: the day it was given up. until: the day by which everybody should have moved. replaced_by: what takes its
    place: for a rule the key or the id of another one, for a recipe whatever `extends` would call it.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    since: dt.date | None = None
    until: dt.date | None = None
    replaced_by: str = ""
    reason: str = ""

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
    """Source pattern and use, to ordered targets.

    match: names or glob patterns of source models. generation, min_parameters and max_parameters (billions; from
    the lower up to, not including, the upper; 0 is no bound) match what a source is instead of what it is called. A
    rule with none of them matches every Llama model. automatic: False when a person has to decide; `decide` says what.
    accept_loss: what any of the targets may lack that the source has. smoke: what the team itself asks of whichever
    target is taken.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    id: str
    use: Use
    match: tuple[str, ...] = ()
    generation: tuple[str, ...] = ()
    min_parameters: float = 0.0
    max_parameters: float = 0.0
    targets: tuple[Choice, ...] = ()
    automatic: bool = True
    decide: str = ""
    caveats: tuple[str, ...] = ()
    counter_evidence: tuple[Figures, ...] = ()
    no_equivalent_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    accept_loss: tuple[Loss, ...] = ()
    smoke: tuple[SmokeCheck, ...] = ()
    deprecated: Deprecation | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A model people ask for that cannot run here: closed weights, or cloud only. `match` are glob patterns."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    match: tuple[str, ...]
    name: str
    vendor: str
    why: str
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a team allows. Absent keys leave the matter to less specific recipes.

    licences_allowed: licence ids, or the classes `open-source` and `commercial`. deny_*: glob patterns, matched
    without regard to case; deny_origins matches the country of the vendor.
    max_download: text such as `20GB`. min_gpu_share: 0 to 1. pins: target name to manifest digest.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    licences_allowed: tuple[str, ...] | None = None
    deny_vendors: tuple[str, ...] | None = None
    deny_families: tuple[str, ...] | None = None
    deny_models: tuple[str, ...] | None = None
    deny_origins: tuple[str, ...] | None = None
    max_download: str | None = None
    min_context: int | None = None
    min_gpu_share: float | None = None
    thinking: Literal["avoid", "allow"] | None = None
    pins: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """The machine of an example. Nothing of it is measured, so that an example gives the same answer everywhere.

    ram, vram (one entry a card) and disk (what is free for models; empty: enough) are sizes such as `32GiB`. gpu: names
    of cards, as `--gpu` takes them. ollama: the version there, empty where it does not matter.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    ram: str
    gpu: tuple[str, ...] = ()
    vram: tuple[str, ...] = ()
    disk: str = ""
    ollama: str = ""
    os: Literal["linux", "darwin", "windows"] = "linux"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a plan has to decide about one model of an example; what is left out may be anything.

    action: `keep` is for what is not Llama, `blocked` for what a person has to settle, `closed` for a model that cannot
    be run here and that somebody asks for. target, rule (its key or id):
    what is taken, and by which rule. rejected: targets that may not be taken, and why not. reason: a part of the
    reason that is given.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    action: Literal["replace", "keep", "blocked", "closed"]
    target: str = ""
    rule: str = ""
    rejected: dict[str, Because] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExampleModel:
    """A model that is installed in an example. What it does not say is taken from the record of its name, or parent.

    uses: what it serves, as `--use` says it. parent: the model it was built FROM. digest: of its manifest, where the
    name alone does not tell which build is meant. lineage: the answer a user gives, as `--lineage` does. parameters:
    as Ollama prints them, such as `8.0B`. num_ctx: tokens it is set to.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    expect: Expected
    uses: tuple[Use, ...] = ()
    parent: str = ""
    digest: str = ""
    lineage: OriginVerdict | None = None
    parameters: str = ""
    capabilities: tuple[str, ...] | None = None
    num_ctx: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """A machine, the models on it, and what has to be decided about them. `llamaexit recipe test` plans it.

    context and thinking are what a user would ask for with `--context` and `--thinking`.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    title: str
    host: Host
    models: tuple[ExampleModel, ...]
    context: int = 0
    thinking: Literal["avoid", "allow"] | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """One recipe file. `schema` is 1; `checked` is the day its facts were last looked at."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    schema: Literal[1]
    name: str
    version: str = "0"
    summary: str = ""
    checked: dt.date | None = None
    requires_llamaexit: str | None = None
    requires_ollama: str | None = None
    deprecated: Deprecation | None = None
    extends: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    policy: Policy | None = None
    rules: tuple[Rule, ...] = ()
    models: tuple[Target, ...] = ()
    origins: tuple[Origin, ...] = ()
    closed: tuple[Closed, ...] = ()
    examples: tuple[Example, ...] = ()
    caveats: dict[str, str] = field(default_factory=dict)
    licences: dict[str, Licence] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
