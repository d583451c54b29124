"""The plan: what happens to each model, and why. Plain data; `planner` makes it, `report` shows it.

`plan_id` is the sha256 of the canonical body, so the same inputs give the same id. Sizes are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from llamaexit.memory.estimate import Estimate
from llamaexit.recipes.model import Because, SmokeCheck, Use
from llamaexit.snapshot import Lineage

SCHEMA = "llamaexit.plan/1"
"""Format name and major version of the plan document."""

Action = Literal["replace", "keep", "blocked"]
UseSource = Literal["given", "recipe", "assumed", "catalogue"]
RejectedBecause = Because


@dataclass(frozen=True, slots=True)
class UseDecision:
    """The uses a source serves, and how we know."""

    uses: tuple[Use, ...]
    source: UseSource
    text: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that was not taken: which, why, and by which rule it came up.

    policy: the key of the policy that speaks against it (`deny-vendors`), where one does.
    """

    model: str
    because: RejectedBecause
    text: str
    rule: str = ""
    rank: int = 0
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Thinking:
    """Whether the target reasons before it answers, by default, and whether a client can stop it (None: not known)."""

    supported: bool | None = None
    default: bool | None = None
    can_disable: bool | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """A published comparison of the old model, or its nearest relative, with the new one. `source` is in words."""

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
class LicenceChange:
    """Licence of the old and of the new model, in ids, in plain words, and in one short line."""

    old: str
    new: str
    text: str
    short: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """The Ollama version a target needs, the one that is there, and whether that is enough (None: cannot tell)."""

    needed: str | None
    present: str | None
    enough: bool | None


@dataclass(frozen=True, slots=True)
class Download:
    """What a pull will fetch. `exact`: from a manifest, not from a rounded page figure. `have`: bytes already here."""

    size: int
    have: int
    exact: bool
    source: str

    @property
    def missing(self) -> int:
        """Bytes still to fetch, and to find room for."""
        return max(0, self.size - self.have)


@dataclass(frozen=True, slots=True)
class Caveat:
    """Something that changes for the people who use the model. `code` is a key of the recipes' caveat table."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """The chosen target with everything that was reckoned for it.

    set_context: tokens to ask for with num_ctx, where Ollama's default would take more memory than there is for it.
    smoke: what the rule asks of its target, so that a plan can be carried out without its recipes.
    """

    model: str
    digest: str | None
    rule: str
    recipe: str
    role: str
    why: str
    uses: tuple[Use, ...]
    fit: Estimate | None
    download: Download
    licence: LicenceChange
    version: Version
    thinking: Thinking
    capabilities: tuple[str, ...]
    context: int
    set_context: int | None = None
    installed: bool = False
    caveats: tuple[Caveat, ...] = ()
    evidence: tuple[Figures, ...] = ()
    counter_evidence: tuple[Figures, ...] = ()
    confidence: str = ""
    unverified: tuple[str, ...] = ()
    smoke: tuple[SmokeCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the plan relies on about a source; a changed digest makes the plan stale."""

    model: str
    digest: str | None
    installed: bool
    size: int
    exclusive: int | None
    quantization: str
    parameter_size: str
    context: int
    capabilities: tuple[str, ...] | None
    lineage: Lineage
    licence: str
    parent: str | None = None
    custom: bool = False
    fit: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Rebuild:
    """How a custom model (built FROM a Llama) is made again under its own name: what moves along, what cannot."""

    carries: tuple[str, ...]
    drops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one model. `target` is set exactly for `replace`; `reason` is one line, `hint` the next step.

    happens: what applying the plan does to names, in order, one line each.
    derived: names of installed models built on this one; each has a decision of its own.
    proposals: targets a person may choose from where the tool does not choose.
    automatic: False when a person has to confirm or decide; `migrate` then refuses to go on by itself.
    """

    action: Action
    source: SourceFacts
    use: UseDecision
    reason: str
    hint: str | None = None
    target: TargetChoice | None = None
    rejected: tuple[Rejected, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    rebuild: Rebuild | None = None
    happens: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    proposals: tuple[str, ...] = ()
    automatic: bool = True


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all replacements: bytes to download and on disk at the peak, and what is free now (None: not known)."""

    download: int
    disk_peak: int
    disk_free: int | None
    exact: bool
    reclaimable: int
    bandwidth: int | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan was made from: the machine in one line, the recipes with versions and dates, the Ollama facts."""

    machine: str
    ollama: str
    ollama_version: str | None
    store: str | None
    recipes: tuple[str, ...]
    policy: tuple[str, ...] = ()
    facts_checked: str | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A model asked for by name that cannot run here: what it is, why not, and the nearest that can.

    too_large: what would be near as well, but does not load on this machine.
    """

    name: str
    what: str
    why: str
    nearest: tuple[str, ...] = ()
    too_large: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole answer. `names` maps every name the migration touches to the digest it must still have."""

    plan_id: str
    basis: Basis
    decisions: tuple[Decision, ...]
    totals: Totals
    names: dict[str, str | None] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    schema: str = SCHEMA

    @property
    def pending(self) -> bool:
        """Whether applying the plan would change anything."""
        return any(decision.action == "replace" for decision in self.decisions)

    @property
    def unfinished(self) -> bool:
        """Whether there is Llama left, or something that may be: to replace, or for a person to decide about."""
        return any(decision.action != "keep" for decision in self.decisions)
