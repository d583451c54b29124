"""What a model will take, as numbers with their provenance. Sizes are bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Basis = Literal["tensors", "manifest", "catalogue", "label", "measured"]
"""How the weights are known: tensor table, exact bytes of the manifest, rounded catalogue size, quantization label."""
Placement = Literal["gpu", "partial", "experts-in-ram", "cpu", "none"]
Family = Literal["server", "engine", "runner"]
"""`server`: llama-server, Ollama 0.30 and later. `engine`: Ollama's own engine, `runner`: its llama.cpp runner."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the range it should lie in."""

    expected: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Part:
    """One contribution to the total. `where` is a device name or `host`; `basis` says how it was worked out."""

    name: str
    where: str
    size: int
    basis: str


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What one device loses, all told (context of the driver included), against what it has."""

    device: str
    size: int
    total: int | None
    free: int | None


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a model ends up on given devices.

    layers_on_gpu counts the output layer as one, as Ollama logs it. gpu_share: part of the resident bytes on a GPU,
    0 to 1. why: one line for people.
    """

    placement: Placement
    gpu_share: float
    layers_on_gpu: int
    layers: int
    ps: Interval
    devices: tuple[DeviceUse, ...]
    host: int
    parts: tuple[Part, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The whole answer for one model at one context.

    now: with the memory that is free at this moment. unloaded: with every model Ollama has loaded evicted, which is
    what happens when the old model makes room. context is the tokens reckoned with, context_source says whose choice
    that was; `true_size` is what the load really takes where `/api/ps` misreports it.
    """

    model: str
    context: int
    context_source: str
    parallel: int
    kv_type: str
    family: Family
    basis: Basis
    now: Fit
    unloaded: Fit
    true_size: Interval
    notes: tuple[str, ...] = ()
