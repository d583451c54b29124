"""Loads somebody measured, from tests/data/memory/cases.toml, and what the estimator says about them.

Used by the tests of `llamaexit.memory` and by benchmarks/memory.py.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from llamaexit.memory import Estimate, Interval, ModelSpec, estimate, spec_of_table, spec_of_target
from llamaexit.memory.catalogue import Mix, layer_tensors, outer_tensors
from llamaexit.recipes.model import CatalogueShape, Target
from llamaexit.shape import Experts, Mla, Recurrent, Shape, Weights, weights_of
from llamaexit.snapshot import Cpu, Gpu, Machine, OllamaFacts, Ram, Setting, System

MIB = 1 << 20
FILE = Path(__file__).parent / "data" / "memory" / "cases.toml"
KNOWN_BASES = ("tensors", "manifest", "label")
NEWEST, LAST_OLD = "0.33.0", "0.24.0"
_CARDS = (6, 8, 12, 16, 24, 32, 48, 80, 96, 192, 512)
_APPLE_BUDGETS = (11, 21, 27, 48, 96)
"""GiB of common cards, and of what common Macs let their GPU wire. Where no card is stated, the smallest one on
which Ollama would place the measured load whole is assumed; how much was free on it is taken as unknown."""
_TIERS = {32768: 23, 262144: 47}
"""Contexts that are Ollama's default from so many GiB on: whoever has them most likely has such a card."""
_DRIVER = (110, 555)
"""MiB a driver context was seen to take; the estimator reckons with 300."""
_OTHER_PROGRAMS = 1024
"""MiB that desktops and other programs may hold on a card read with nvidia-smi."""

Basis = Literal["tensors", "manifest", "label"]


@dataclass(frozen=True)
class Case:
    """One measured load. low, high: bytes it really showed, after the rounding of its source."""

    row: int
    model: str
    context: int
    family: str
    metric: str
    low: int
    high: int
    facts: dict[str, Any]

    @property
    def bases(self) -> tuple[str, ...]:
        return tuple(self.facts.get("bases", ()))

    @property
    def unusable(self) -> str | None:
        return self.facts.get("unusable")

    @property
    def parts(self) -> dict[str, float]:
        return self.facts.get("parts", {})


@dataclass(frozen=True)
class Verdict:
    """A case beside its estimate. error: distance from the measured range as a fraction; hit: whether the interval
    that was stated covers it."""

    case: Case
    basis: str
    estimate: Estimate
    ours: Interval
    error: float
    hit: bool

    @property
    def off_by(self) -> float:
        """Distance from the measured range in bytes, signed."""
        return _distance(self.case, self.ours.expected)


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    return tuple(_case(entry) for entry in document()["case"])


def usable() -> Iterator[tuple[Case, str]]:
    """Every case that has a total to compare with, once for each way to know its weights."""
    for case in cases():
        if case.unusable is None and case.high > 0:
            for basis in case.bases:
                yield case, basis


def _case(entry: dict[str, Any]) -> Case:
    low = high = 0
    if "bytes" in entry:
        low = high = entry["bytes"]
    elif "low" in entry:
        low, high = round(entry["low"] * MIB), round(entry["high"] * MIB)
    elif "total" in entry and "parts-only" not in entry:
        half = entry.get("unit", 0.03)
        low, high = round((entry["total"] - half) * MIB), round((entry["total"] + half) * MIB)
    return Case(
        entry["row"], entry["model"], entry.get("context", 0), entry["family"], entry["metric"], low, high, entry
    )


def shape_named(name: str, *, vision: bool = False) -> tuple[Shape, bool]:
    """A shape of the file, and whether its output is tied to its embedding."""
    known = document()["shapes"][name]
    rank = known.get("kv-lora-rank", 0)
    mla, experts, recurrent = None, None, None
    heads, key = known["heads"], known.get("head-dim") or known["key"]
    kv_heads, value = known.get("kv-heads", heads), known.get("head-dim") or known["value"]
    if rank:
        mla = Mla(rank, known["rope-dim"], 0, key, value, cached=known["compressed"])
        if known["compressed"]:
            kv_heads, key, value = 1, rank + known["rope-dim"], rank
    if "experts" in known:
        shared = known.get("experts-shared", 0)
        experts = Experts(known["experts"], known["experts-used"], known["expert-feed-forward"], shared)
    if "inner" in known:
        recurrent = Recurrent(known["interval"], conv_kernel=4, inner_size=known["inner"], state_size=128, groups=16)
    shape = Shape(
        architecture=known["architecture"],
        layers=known["layers"],
        hidden=known["hidden"],
        heads=heads,
        kv_heads=kv_heads,
        key_length=key,
        value_length=value,
        feed_forward=known["feed-forward"],
        vocab=known["vocab"],
        sliding_window=known.get("window", 0),
        global_every=known.get("global-every", 0),
        mla=mla,
        experts=experts,
        recurrent=recurrent,
        vision=vision,
    )
    return shape, known.get("tied", False)


def table(name: str, quant: str, values: str | None = None) -> tuple[Shape, Weights]:
    """The tensor table of a file of that shape as llama.cpp quantizes it. `values`: another type for `attn_v`, which
    is what tells the library's first Qwen3 files from llama.cpp's."""
    shape, tied = shape_named(name)
    mix = Mix.named(quant, library=False)
    assert mix is not None
    weights = weights_of(typed_table(shape, mix, tied, values), shape)
    assert weights is not None
    return shape, weights


def typed_table(
    shape: Shape, mix: Mix, tied: bool, values: str | None = None
) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Every tensor with its type, as a GGUF header lists them."""
    for name, dimensions in outer_tensors(shape, tied=tied):
        yield name, mix.type_of(shape, name, dimensions, -1, tied=tied), dimensions
    for layer in range(shape.layers):
        for short, dimensions in layer_tensors(shape, layer):
            name = f"blk.{layer}.{short}"
            kind = mix.type_of(shape, name, dimensions, layer, tied=tied)
            yield name, values if values and short == "attn_v.weight" else kind, dimensions


def spec_for(case: Case, basis: str) -> ModelSpec:
    facts = case.facts
    known = document()["shapes"][facts["shape"]]
    vision = bool(facts.get("vision") or known.get("vision"))
    if basis == "tensors":
        shape, weights = table(facts["shape"], facts["quant"], facts.get("values"))
        if "device-weights" in facts:
            held = weights.token_embedding if not weights.tied else 0
            weights = scaled(weights, round(facts["device-weights"] * MIB) + held)
        elif "all-weights" in facts:
            weights = scaled(weights, round(facts["all-weights"] * MIB))
        spec = replace(spec_of_table(case.model, shape, weights), projector=round(facts.get("projector", 0) * MIB))
        spec = replace(spec, vision=vision or spec.projector > 0)
    else:
        target = Target(
            name=case.model,
            family="",
            vendor="",
            quant=facts["quant"],
            size=facts["blob"] if basis == "manifest" else 0,
            exact=basis == "manifest",
            capabilities=("vision",) if vision else (),
            shape=catalogue_shape(known),
            released="2025-08" if known.get("compressed") else "2024-05",
        )
        made = spec_of_target(target)
        assert made is not None
        spec = made
    draft = facts.get("draft", 0)
    if draft:
        spec = replace(spec, draft=draft, shape=replace(spec.shape, draft_layers=1))
    return replace(spec, num_batch=facts.get("batch"))


def catalogue_shape(known: dict[str, Any]) -> CatalogueShape:
    key = known.get("key", 0)
    rope = known.get("rope-dim", 0)
    return CatalogueShape(
        architecture=known["architecture"],
        layers=known["layers"],
        hidden=known["hidden"],
        heads=known["heads"],
        kv_heads=known.get("kv-heads", 0),
        head_dim=known.get("head-dim", 0),
        feed_forward=known["feed-forward"],
        vocab=known["vocab"],
        attention_layers=known["layers"] // known["interval"] if "interval" in known else 0,
        sliding_window=known.get("window", 0),
        kv_lora_rank=known.get("kv-lora-rank", 0),
        rope_dim=rope,
        nope_dim=key - rope if key else 0,
        v_head_dim=known.get("value", 0),
        experts=known.get("experts", 0),
        experts_used=known.get("experts-used", 0),
        experts_shared=known.get("experts-shared", 0),
        expert_feed_forward=known.get("expert-feed-forward", 0),
    )


def scaled(weights: Weights, total: int) -> Weights:
    """The same table with every block grown alike so that all of it comes to `total` bytes."""
    blocks = sum(weights.blocks)
    wanted = total - (weights.total - blocks)
    return replace(
        weights,
        total=total - wanted + sum(size * wanted // blocks for size in weights.blocks),
        blocks=tuple(size * wanted // blocks for size in weights.blocks),
        experts=tuple(size * wanted // blocks for size in weights.experts),
    )


def machine_for(case: Case) -> Machine:
    facts = case.facts
    ram = Ram(1 << 40, 1 << 40)
    hardware = facts["hardware"]
    gpus: tuple[Gpu, ...] = ()
    if "GPU" in hardware or "RTX" in hardware or "RPC" in hardware or not hardware.startswith("CPU"):
        apple = "Metal" in hardware or "Apple" in hardware
        vision = facts.get("vision") or document()["shapes"][facts["shape"]].get("vision")
        need = case.high + (4096 if vision else 2560) * MIB
        if case.family != "engine":
            need = max(need, _TIERS.get(case.context, 0) << 30)
        common = _APPLE_BUDGETS if apple else _CARDS
        total = facts.get("card", next((size for size in common if size << 30 >= need), common[-1])) << 30
        if apple:
            gpus = (Gpu(0, "apple", "Apple GPU", "unified", total, total, shares_ram=True),)
        else:
            gpus = (Gpu(0, "nvidia", "GPU", "discrete", total, None),)
    return Machine(System("linux"), Cpu(None, 8, 16), ram, gpus)


def ollama_for(case: Case, version: str) -> OllamaFacts:
    settings = {}
    if "kv" in case.facts:
        settings["OLLAMA_KV_CACHE_TYPE"] = Setting(case.facts["kv"], "test")
    if case.facts.get("flash") is False:
        settings["OLLAMA_FLASH_ATTENTION"] = Setting("0", "test")
    return OllamaFacts("server", version=version, settings=settings)


def estimate_for(case: Case, basis: str, version: str) -> Estimate:
    spec = spec_for(case, basis)
    parallel = case.facts.get("parallel")
    return estimate(
        _several_slots(spec) if parallel else spec,
        machine_for(case),
        ollama_for(case, version),
        context=case.context,
        parallel=parallel,
    )


def _several_slots(spec: ModelSpec) -> ModelSpec:
    """Ollama gives hybrids one slot; llama-server by itself gives them as many as asked for."""
    return replace(spec, architecture="llama")


def verdict(case: Case, basis: str) -> Verdict:
    """The estimate for a case. Where nobody says which program ran it, the one that comes nearest."""
    versions = {"server": (NEWEST,), "engine": (LAST_OLD,), "runner": (LAST_OLD,)}.get(case.family, (NEWEST, LAST_OLD))
    if "version" in case.facts:
        versions = (case.facts["version"],)
    found = [_compared(case, basis, estimate_for(case, basis, version)) for version in versions]
    return min(found, key=lambda each: (not each.hit, each.error))


def _compared(case: Case, basis: str, made: Estimate) -> Verdict:
    ours = interval_of(case, made)
    error = abs(_distance(case, ours.expected)) / ((case.low + case.high) / 2)
    return Verdict(case, basis, made, ours, error, ours.low <= case.high and ours.high >= case.low)


def interval_of(case: Case, made: Estimate) -> Interval:
    """The figure of an estimate that a case's metric corresponds to."""
    match case.metric:
        case "local":
            return made.true_size
        case "true" | "log" if case.family == "server":
            return _less(made.true_size, made, "vision encoder")
        case "device":
            return _of_device(made, 0)
        case "smi":
            return _of_device(made, _OTHER_PROGRAMS)
        case "projection":
            return _less(made.true_size, made, "draft head")
        case _:
            return made.now.ps


def _less(figure: Interval, made: Estimate, name: str) -> Interval:
    """A figure without one part that the source of a case does not count."""
    size = sum(part.size for part in made.now.parts if part.name == name)
    return Interval(figure.expected - size, figure.low - size, figure.high - size)


def _of_device(made: Estimate, others: int) -> Interval:
    """A whole card: what the load takes there, the driver context within what was seen, other programs on top."""
    size = sum(device.size for device in made.now.devices)
    true, (least, most) = made.true_size, _DRIVER
    below = true.expected - true.low + (300 - least) * MIB
    above = true.high - true.expected + (most - 300 + others) * MIB
    return Interval(size, size - below, size + above)


def _distance(case: Case, expected: int) -> float:
    if expected < case.low:
        return expected - case.low
    return max(0, expected - case.high)
