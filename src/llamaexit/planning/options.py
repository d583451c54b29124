"""What the user asked of a plan, as plain values. Nothing here is read from the machine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from llamaexit.memory import ModelSpec
    from llamaexit.recipes.model import Use
    from llamaexit.snapshot import Verdict


@dataclass(frozen=True, slots=True)
class RemoteFacts:
    """What the registry said about a target: full manifest digest, bytes, and the header where it was read."""

    digest: str
    size: int
    layers: tuple[tuple[str, int], ...] = ()
    requires: str | None = None
    fetched_at: str | None = None
    spec: ModelSpec | None = None


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the user asked for.

    models: names to plan for (all Llama models found when empty). uses: per model name, what it serves. context:
    tokens to reckon with. only, skip: glob patterns on names. lineage: the user's answers for models whose lineage
    is not known. bandwidth: bytes a second. remote: what the registry said, by target name. today: for the age of
    recipes. everything: reckon the candidates after the winner, too (`--explain`).
    """

    models: tuple[str, ...] = ()
    uses: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    context: int | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    lineage: Mapping[str, Verdict] = field(default_factory=dict)
    thinking: Literal["avoid", "allow"] | None = None
    bandwidth: int | None = None
    remote: Mapping[str, RemoteFacts] = field(default_factory=dict)
    today: dt.date | None = None
    everything: bool = False
