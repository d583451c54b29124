"""From a model, a machine and an Ollama to bytes: what `/api/ps` will print, what is really taken, and where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from llamaexit.memory import settings
from llamaexit.memory.batch import batch_range, embedding_batch, predicted_size
from llamaexit.memory.context import choose_context
from llamaexit.memory.devices import Device, devices_of, freed
from llamaexit.memory.estimate import Basis, DeviceUse, Estimate, Family, Fit, Interval, Part
from llamaexit.memory.family import family_of, flash_by_default, release_of
from llamaexit.memory.graph import VERIFIED
from llamaexit.memory.kv import quantized
from llamaexit.memory.load import Load, load_of
from llamaexit.memory.placement import (
    CACHE,
    CONTEXT,
    DRAFT,
    EMBEDDING,
    FIT_TARGET,
    GRAPH,
    LOGITS,
    STATE,
    VISION,
    VISION_GRAPH,
    WEIGHTS,
    Placed,
    Share,
    Site,
    overwritten,
    place,
)
from llamaexit.memory.spec import ModelSpec
from llamaexit.memory.words import in_words
from llamaexit.ollama.version import Release
from llamaexit.snapshot import Loaded, Machine, OllamaFacts
from llamaexit.units import MIB, gib

ASKED = "asked for"
"""The context source of a plain request."""
_FLOOR = 16 * MIB
_RANK = {"gpu": 4, "experts-in-ram": 3, "partial": 2, "cpu": 1, "none": 0}
_WEIGHTS_BASIS: dict[Basis, str] = {
    "tensors": "tensor table",
    "manifest": "bytes of the file",
    "catalogue": "rounded size of the file",
    "label": "quantization label",
    "measured": "tensor table",
}
_FORMULA = "formula of the architecture"
_PARTS_BASIS = {
    CACHE: _FORMULA, STATE: _FORMULA, DRAFT: _FORMULA, LOGITS: "vocabulary", VISION_GRAPH: "seen on other loads",
    CONTEXT: "seen on other machines",
}  # fmt: skip
_OF_THE_SHAPE = frozenset({CACHE, GRAPH, LOGITS})


@dataclass(frozen=True, slots=True)
class _Question:
    """All that does not depend on how much memory is free."""

    spec: ModelSpec
    ollama: OllamaFacts
    family: Family
    context: int
    parallel: int
    kv_type: str
    flash: bool
    on_cpu: bool
    target: int
    reserved: int
    spread: bool


def estimate(
    spec: ModelSpec,
    machine: Machine,
    ollama: OllamaFacts,
    *,
    context: int | None = None,
    context_source: str = ASKED,
    parallel: int | None = None,
) -> Estimate:
    """What `spec` takes on `machine` under `ollama`, at the context that Ollama will really use.

    context: tokens the client will ask for, None to let model, settings and version decide. parallel: slots, None to
    take Ollama's setting. Pure: the same facts give the same answer.
    """
    release = release_of(ollama.version)
    family = family_of(release, spec.architecture, spec.tokenizer)
    found = devices_of(machine, ollama, release)
    chosen = choose_context(
        spec, found.devices, ollama, release, requested=context, source=context_source, parallel=parallel
    )
    flash = _flash(family, spec, found.devices, ollama)
    kv_type, dropped = _kv_type(family, flash, ollama)
    fit_target = settings.number(ollama, "LLAMA_ARG_FIT_TARGET")
    question = _Question(
        spec=spec,
        ollama=ollama,
        family=family,
        context=chosen.context,
        parallel=chosen.parallel,
        kv_type=kv_type,
        flash=flash,
        on_cpu=not found.devices or spec.num_gpu == 0,
        target=FIT_TARGET if fit_target is None else fit_target * MIB,
        reserved=settings.number(ollama, "OLLAMA_GPU_OVERHEAD") or 0,
        spread=bool(settings.flag(ollama, "OLLAMA_SCHED_SPREAD")),
    )
    own = next((each for each in ollama.loaded if spec.digest and each.digest == spec.digest), None)
    now = _verdict(question, found.devices, machine.ram.usable_now, (own,) if own else (), machine.ram.usable_total)
    unloaded = now
    if len(ollama.loaded) > (own is not None):
        emptied = _verdict(question, found.devices, machine.ram.usable_now, ollama.loaded, machine.ram.usable_total)
        # Nothing has to be unloaded, so more room never makes the answer worse.
        unloaded = max(now, emptied, key=lambda each: (_RANK[each[0].placement], each[0].gpu_share))
    basis = spec.basis
    misread = _misread(unloaded[1], unloaded[0])
    if own is not None and own.context_length == chosen.context and chosen.parallel == 1 and not misread:
        now, unloaded, basis = _measured(now, own), _measured(unloaded, own), "measured"
    return Estimate(
        model=spec.name,
        context=chosen.context,
        context_source=chosen.source,
        parallel=chosen.parallel,
        kv_type=kv_type,
        family=family,
        basis=basis,
        now=now[0],
        unloaded=unloaded[0],
        true_size=unloaded[2],
        notes=_notes(spec, family, release, unloaded, found.notes, question, dropped, misread),
    )


_Verdict = tuple[Fit, Load, Interval]


def _verdict(
    question: _Question, devices: tuple[Device, ...], ram: int, evicted: tuple[Loaded, ...], ram_total: int
) -> _Verdict:
    """Placement with the models `evicted` out of the way."""
    if evicted:
        on_gpu = sum(each.size_vram for each in evicted)
        in_ram = sum(max(0, each.size - each.size_vram) for each in evicted)
        shared = sum(each.size_vram for each in evicted) if devices and all(d.shares_ram for d in devices) else 0
        devices = freed(devices, on_gpu)
        ram = min(ram + in_ram + shared, ram_total)
    spec, family = question.spec, question.family
    tokens = question.context * question.parallel
    predicted = predicted_size(spec.shape, spec.file_size, tokens)
    offered = () if question.on_cpu else _group(devices, predicted, family, question.spread)
    batch, smallest, largest = _batches(question, offered, predicted, tokens)
    load = _load(question, batch)
    placed = place(load, Site(offered, ram, question.target, question.reserved, question.spread))
    under = _buffers(load) - _buffers(_load(question, smallest)) if smallest != batch else 0
    over = _buffers(_load(question, largest)) - _buffers(load) if largest != batch else 0
    low, high = _errors(spec, family, load, under, over)
    if family == "server" and spec.architecture == "mllama":
        placed.placement, placed.short = "none", 0
    return _fit(placed, load, spec, ram, low, high), load, _interval(placed.true, low, high)


def _load(question: _Question, batch: int) -> Load:
    return load_of(
        question.spec,
        question.family,
        question.context,
        question.parallel,
        batch,
        question.kv_type,
        flash=question.flash,
    )


def _buffers(load: Load) -> int:
    return load.graph.device + load.cache.total


def _batches(question: _Question, devices: tuple[Device, ...], predicted: int, tokens: int) -> tuple[int, int, int]:
    spec = question.spec
    if spec.num_batch:
        batch = min(spec.num_batch, tokens)
    elif question.family != "server":
        batch = min(512, question.context)
    elif spec.embedding:
        batch = embedding_batch(question.context)
    else:
        return batch_range(tokens, predicted, devices, flash=question.flash)
    return batch, batch, batch


def _group(devices: tuple[Device, ...], predicted: int, family: Family, spread: bool) -> tuple[Device, ...]:
    """The devices one load may use: cards of one kind, and just one of them where Ollama expects that to do."""
    if len(devices) < 2:
        return devices
    groups: dict[str, list[Device]] = {}
    for device in devices:
        groups.setdefault(device.library, []).append(device)
    if family == "server" and not spread:
        ample = [device for device in devices if predicted <= device.free * 80 // 100]
        if ample:
            return (max(ample, key=lambda device: (device.discrete, device.free)),)
    best = max(groups.values(), key=lambda group: (any(d.discrete for d in group), sum(d.free for d in group)))
    return tuple(best)


def _flash(family: Family, spec: ModelSpec, devices: tuple[Device, ...], ollama: OllamaFacts) -> bool:
    asked = settings.flag(ollama, "OLLAMA_FLASH_ATTENTION")
    if asked is not None:
        return asked
    if family != "server":
        return flash_by_default(spec.architecture)
    # ollama ml/device.go: not below compute capability 6.0, nor on 7.2.
    old = [device.compute for device in devices if device.library == "CUDA" and device.compute is not None]
    return not any(compute < 6.0 or compute == 7.2 for compute in old)


def _kv_type(family: Family, flash: bool, ollama: OllamaFacts) -> tuple[str, bool]:
    """The cache type in force, and whether the one that is set was dropped for want of flash attention."""
    wanted = settings.text(ollama, "OLLAMA_KV_CACHE_TYPE").lower() or "f16"
    if family == "server":
        return wanted, False
    if wanted not in ("f16", "q8_0", "q4_0"):
        return "f16", True
    explicit = flash if family == "engine" else bool(settings.flag(ollama, "OLLAMA_FLASH_ATTENTION"))
    return (wanted, False) if wanted == "f16" or explicit else ("f16", True)


def _errors(spec: ModelSpec, family: Family, load: Load, under: int, over: int) -> tuple[int, int]:
    """How far below and above the expected figure the truth may lie, by how each part is known."""
    total = sum(load.layers) + load.output + load.graph.device
    known = spec.weights.total - load.projector
    margin = max(total // 200, _FLOOR)
    low = margin + int(known * spec.low) + under + load.clip[1] - load.clip[0]
    high = margin + int(known * spec.high) + over + load.clip[2] - load.clip[1]
    if family != "server":
        low, high = low + 40 * MIB, high + 40 * MIB
    if spec.stand_in or spec.shape.architecture not in VERIFIED:
        low = max(low + load.graph.device * 3 // 10, total * 3 // 100)
        high = max(high + load.graph.device, total * 3 // 100)
    if spec.stand_in:
        # Anything from one head for all (or a window) to a key and value head for every query head.
        heads = spec.shape.kv_heads if isinstance(spec.shape.kv_heads, int) else 1
        low += load.cache.total * (heads - 1) // heads
        high += load.cache.total * (spec.shape.heads - heads) // heads
    return low, high


def _interval(expected: int, low: int, high: int) -> Interval:
    return Interval(expected, max(0, expected - low), expected + high)


def _fit(placed: Placed, load: Load, spec: ModelSpec, ram: int, low: int, high: int) -> Fit:
    return Fit(
        placement=placed.placement,
        gpu_share=placed.gpu_share if placed.placement != "none" else 0.0,
        layers_on_gpu=placed.layers_on_gpu,
        layers=load.depth,
        ps=_interval(placed.ps, low, high),
        devices=tuple(_use(share) for share in placed.shares if share.device is not None),
        host=placed.host.size,
        parts=tuple(part for share in (*placed.shares, placed.host) for part in _parts(share, spec)),
        why=in_words(placed, load, spec.architecture, ram),
    )


def _use(share: Share) -> DeviceUse:
    device: Any = share.device
    return DeviceUse(device.name, share.size, device.total, device.free if device.known else None)


def _parts(share: Share, spec: ModelSpec) -> list[Part]:
    where = share.device.name if share.device is not None else "host"
    return [Part(name, where, size, _basis(name, spec)) for name, size in share.parts.items() if size]


def _basis(name: str, spec: ModelSpec) -> str:
    if name in (WEIGHTS, EMBEDDING):
        return _WEIGHTS_BASIS[spec.basis]
    if spec.stand_in and name in _OF_THE_SHAPE:
        return "shape of a like-sized Llama"
    if name == GRAPH:
        return (
            "closed form" if spec.shape.architecture in VERIFIED else "closed form, not checked for this architecture"
        )
    if name == VISION:
        return "size of the projector" if spec.projector else _WEIGHTS_BASIS[spec.basis]
    return _PARTS_BASIS[name]


def _measured(verdict: _Verdict, own: Loaded) -> _Verdict:
    """The load as `/api/ps` reports it right now in place of its estimate, with what that report leaves out on top."""
    fit, load, true = verdict
    unseen = true.expected - fit.ps.expected
    exact = Interval(own.size, own.size, own.size)
    if unseen < MIB:
        return replace(fit, ps=exact), load, exact
    size = own.size + unseen
    return replace(fit, ps=exact), load, Interval(size, max(own.size, size - (true.expected - true.low)), size)


def _misread(load: Load, fit: Fit) -> bool:
    """Whether `/api/ps` will be wrong for this load."""
    return load.family == "server" and fit.placement != "none" and bool(load.draft_cache or overwritten(load))


def _notes(
    spec: ModelSpec,
    family: Family,
    release: Release | None,
    verdict: _Verdict,
    found: tuple[str, ...],
    question: _Question,
    dropped: bool,
    misread: bool,
) -> tuple[str, ...]:
    fit, _, true = verdict
    notes = list(spec.notes)
    if release is None:
        notes.append("Ollama's version is not known: reckoned as for 0.30 and later")
    if misread:
        notes.append(f"`ollama ps` will show {gib(fit.ps.expected)}, it overlooks caches: really {gib(true.expected)}")
    if family == "server" and spec.shape.architecture not in VERIFIED:
        notes.append(f"buffers of architecture {spec.architecture} were never compared with a real load")
    if dropped:
        notes.append("OLLAMA_KV_CACHE_TYPE has no effect here, the cache stays f16")
    if quantized(question.kv_type) and not question.flash and family == "server":
        notes.append(f"a {question.kv_type} cache needs flash attention, which is off: the load will fail")
    if question.on_cpu and fit.placement == "cpu":
        notes.append("no GPU takes part: it runs on the CPU")
    return (*notes, *found)
