"""Where a load ends up on given devices: the placement rules of each family of Ollama, and what `/api/ps` prints then.

Server family: llama.cpp common/fit.cpp and ollama llm/llama_server.go. Engine and runner: ollama v0.24 llm/server.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llamaexit.memory.load import printed
from llamaexit.units import GIB, MIB

if TYPE_CHECKING:
    from llamaexit.memory.devices import Device
    from llamaexit.memory.estimate import Placement
    from llamaexit.memory.load import Load

FIT_TARGET = GIB
"""What llama.cpp's fitting leaves free on each device."""
_ENGINE_MINIMUM = 457 * MIB
_ENGINE_MINIMUM_METAL = 512 * MIB
_ENGINE_SURPLUS = 40 * MIB  # its buffers exceed the closed form by 0 to 80 MiB
_PART_LAYERS = (58, 29)  # per cent of a layer's experts: gate and up, or up alone, with a larger down matrix
_SYSTEM_SHARE = 10  # a load on the CPU leaves a tenth of free RAM to the rest of the system


@dataclass(frozen=True, slots=True)
class Site:
    """The devices a load is offered, bytes it may take on each, and RAM for the rest. `target`: bytes llama.cpp keeps
    free on each device. `spread`: use all devices even if one would do."""

    devices: tuple[Device, ...]
    ram: int
    target: int = FIT_TARGET
    reserved: int = 0
    spread: bool = False


@dataclass(slots=True)
class Share:
    """What one device (or the host, as `None`) is given, part by part."""

    device: Device | None
    parts: dict[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(self.parts.values())


@dataclass(slots=True)
class Placed:
    """A load in its place.

    ps: bytes `/api/ps` will print. true: bytes it really holds, without driver contexts. margin: bytes that stay free
    on each GPU. kept: bytes of RAM left to the rest of the system. short: bytes of RAM that lack. crowded: there are
    GPUs, and none has room for a layer.
    """

    placement: Placement
    layers_on_gpu: int
    shares: list[Share]
    host: Share
    ps: int
    true: int
    experts_in_ram: int = 0
    margin: int = 0
    kept: int = 0
    short: int = 0
    crowded: bool = False

    @property
    def gpu_share(self) -> float:
        """Part of the load on GPUs, as Ollama counts it: a full offload is all of it."""
        if self.placement == "gpu":
            return 1.0
        held = sum(share.size - share.parts.get(CONTEXT, 0) for share in self.shares)
        return held / (held + self.host.size) if held else 0.0


Cut = list[tuple[int, int, int]]
"""Which blocks go where: device, first block, one past the last. The output goes with the last entry."""

WEIGHTS, EMBEDDING, CACHE, GRAPH, LOGITS = "weights", "input embedding", "KV cache", "compute buffers", "output buffer"
STATE, VISION, VISION_GRAPH = "recurrent state", "vision encoder", "vision buffers"
DRAFT, CONTEXT = "draft head", "driver context"


def place(load: Load, site: Site) -> Placed:
    """The best placement Ollama will find for `load`."""
    devices = site.devices
    if not devices:
        return _on_cpu(load, site)
    if load.family == "server":
        return _fitted(load, site) or _on_cpu(load, site)
    return _packed(load, site) or _on_cpu(load, site)


def _fitted(load: Load, site: Site) -> Placed | None:
    """llama.cpp's fitting: everything, else as many layers from the back as fit, experts of the others in RAM."""
    devices = site.devices
    vision_on_gpu = load.projector > 0 and devices[0].free >= load.projector + GIB
    limits = [device.free - device.overhead - site.target for device in devices]
    if vision_on_gpu:
        limits[0] -= load.projector
    several = len(devices) > 1
    # Pipeline parallelism keeps more than one copy of the inputs; one and a half is what plain loads show.
    graph = load.graph.device * 3 // 2 if several else load.graph.device
    extra = load.draft
    cut = _split(load.layers, load.output, [limit - graph for limit in limits], extra)
    if cut is not None:
        return _full(load, devices, cut, graph, vision_on_gpu, site.target)
    if load.experts:
        # All layers are on the device then, so its buffers are those of a full load.
        room = [max(0, limit - load.graph.device) for limit in limits]
        placed = _experts_first_to_ram(load, devices, room, load.graph.device, vision_on_gpu, site)
        if placed is not None:
            return placed
    partial = load.graph.partial
    room = [max(0, limit - partial) for limit in limits]
    layers = load.layers if not load.experts else tuple(map(int.__sub__, load.layers, load.experts))
    cut = _from_the_back(layers, load.output + extra, room)
    if cut is None:
        return None
    return _part(load, devices, cut, partial, vision_on_gpu, site, experts=load.experts)


def _full(load: Load, devices: Sequence[Device], cut: Cut, graph: int, vision: bool, margin: int) -> Placed:
    shares = _shares(load, devices, cut, graph, vision)
    last = shares[-1]
    last.parts[WEIGHTS] += load.output
    if load.draft:
        last.parts[DRAFT] = load.draft
    host = Share(None, {EMBEDDING: load.embedding, GRAPH: load.graph.host, LOGITS: load.logits})
    if load.projector and not vision:
        host.parts[VISION], host.parts[VISION_GRAPH] = load.projector, load.clip[1]
    true = sum(share.size - share.parts[CONTEXT] for share in shares)
    graphs = sum(share.parts[GRAPH] for share in shares)
    ps = _lines(load, sum(share.parts[WEIGHTS] for share in shares), graphs) + load.clip[1]
    return Placed("gpu", load.depth, shares, host, ps, true, margin=margin)


def _experts_first_to_ram(
    load: Load, devices: Sequence[Device], room: list[int], graph: int, vision: bool, site: Site
) -> Placed | None:
    """Everything dense on the GPU, then whole layers' experts from the front for as long as they fit."""
    dense = tuple(map(int.__sub__, load.layers, load.experts))
    cut = _split(dense, load.output, room, load.draft)
    if cut is None:
        return None
    outside = list(load.experts)
    for device, first, last in cut:
        left = room[device] - sum(dense[first:last])
        if last == len(dense):
            left -= load.output + load.draft
        for layer in range(first, last):
            size = load.experts[layer]
            if size <= left:
                left, outside[layer] = left - size, 0
                continue
            # Of the layer that no longer fits, the gate and up matrices may, or the up matrix alone.
            inside = next((part for part in (size * share // 100 for share in _PART_LAYERS) if part <= left), 0)
            outside[layer] = size - inside
            break
    return _part(load, devices, cut, graph, vision, site, experts=tuple(outside))


def _part(
    load: Load,
    devices: Sequence[Device],
    cut: Cut,
    graph: int,
    vision: bool,
    site: Site,
    *,
    experts: tuple[int, ...],
) -> Placed:
    """A load that is only partly on GPUs. `experts`: bytes per layer that stay in RAM though the layer does not."""
    shares = _shares(load, devices, cut, graph, vision)
    first, last = cut[0][1], len(load.layers)
    outside = 0
    if experts:
        for share, (_, begin, end) in zip(shares, cut, strict=True):
            stay = sum(experts[begin:end])
            share.parts[WEIGHTS] -= stay
            outside += stay
    shares[-1].parts[WEIGHTS] += load.output
    if load.draft:
        shares[-1].parts[DRAFT] = load.draft
    cache = sum(load.cache.layers[:first])
    # The host computes too then, in buffers like those of a load on the CPU.
    host = Share(None, {EMBEDDING: load.embedding, GRAPH: load.graph.cpu, LOGITS: load.logits})
    host.parts[WEIGHTS] = sum(load.layers[:first]) - cache + outside
    host.parts[CACHE] = cache
    if load.projector and not vision:
        host.parts[VISION], host.parts[VISION_GRAPH] = load.projector, load.clip[1]
    on_gpu = last - first + 1
    in_ram = sum(1 for size in experts[first:] if size) if experts else 0
    true = sum(share.size - share.parts[CONTEXT] for share in shares) + host.size
    # The host's view of the file spans nearly all of it; Ollama trims what overlaps to the size of the file.
    graphs = sum(share.parts[GRAPH] for share in shares)
    ps = _lines(load, load.file_size, graphs) + printed(load.graph.cpu) + printed(load.logits) + load.clip[1]
    placement: Placement = "experts-in-ram" if experts and first == 0 else "partial"
    depth = load.depth - (len(load.layers) + 1) + on_gpu
    placed = Placed(placement, depth, shares, host, ps, true, experts_in_ram=in_ram, margin=site.target)
    return _checked(placed, host.size, site)


def _packed(load: Load, site: Site) -> Placed | None:
    """Ollama up to 0.24: layers from the back onto as few GPUs as will do; if not all fit, without the output layer."""
    limits = [device.free - _old_margin(device, site) for device in site.devices]
    spare = load.layers[0] if load.family == "runner" and load.layers else 0
    output = load.output + (load.projector + load.clip[1] if load.family == "engine" else 0)
    order = sorted(range(len(limits)), key=lambda index: -limits[index])
    counts = range(len(order), len(order) + 1) if site.spread else range(1, len(order) + 1)
    for count in counts:
        chosen = order[:count]
        room = [limits[index] - load.graph.device - spare for index in chosen]
        cut = _split(load.layers, output, room, 0)
        if cut is not None:
            return _old_accounting(load, [site.devices[i] for i in chosen], cut, load.graph.device, True, site)
    room = [max(0, limits[index] - load.graph.partial - spare) for index in order]
    cut = _from_the_back(load.layers, 0, room)
    if cut is None or cut[0][1] >= len(load.layers):
        return None
    return _old_accounting(load, [site.devices[i] for i in order], cut, load.graph.partial, False, site)


def _old_margin(device: Device, site: Site) -> int:
    return (_ENGINE_MINIMUM_METAL if device.library == "Metal" else _ENGINE_MINIMUM) + site.reserved


def _old_accounting(load: Load, devices: Sequence[Device], cut: Cut, graph: int, whole: bool, site: Site) -> Placed:
    engine = load.family == "engine"
    shares = _shares(load, devices, cut, graph, vision=False)
    host = Share(None, {EMBEDDING: load.embedding})
    vision = {VISION: load.projector, VISION_GRAPH: load.clip[1]} if load.projector else {}
    if whole:
        shares[-1].parts[WEIGHTS] += load.output
        shares[-1].parts.update(vision)
    else:
        host.parts[WEIGHTS] = load.output
        host.parts.update(vision)
    first = cut[0][1]
    cache = sum(load.cache.layers[:first])
    if first:
        host.parts[WEIGHTS] = host.parts.get(WEIGHTS, 0) + sum(load.layers[:first]) - cache
        host.parts[CACHE] = cache
    if engine:
        shares[-1].parts[GRAPH] += _ENGINE_SURPLUS
        host.parts[GRAPH] = load.graph.host
    held = sum(share.size - share.parts[CONTEXT] for share in shares)
    # The runner never counted the input embedding, nor (by mistake) the projector.
    ps = held + host.size if engine else _runner_total(load, sum(share.parts[GRAPH] for share in shares))
    true = held if whole else held + host.size
    placement: Placement = "gpu" if whole else "partial"
    on_gpu = len(load.layers) - first + (1 if whole else 0)
    placed = Placed(placement, on_gpu, shares, host, ps, true, margin=_old_margin(devices[0], site))
    return placed if whole else _checked(placed, host.size, site)


def _runner_total(load: Load, graph: int) -> int:
    return sum(load.layers) + load.output + graph


def _on_cpu(load: Load, site: Site) -> Placed:
    embedding = 0 if load.tied and load.family != "engine" else load.embedding
    weights = sum(load.layers) - load.cache.total + load.output
    host = Share(None, {WEIGHTS: weights, EMBEDDING: embedding, CACHE: load.cache.total, GRAPH: load.graph.cpu})
    if load.family == "server":
        host.parts[LOGITS] = load.logits
    elif load.family == "engine":
        host.parts[GRAPH] += _ENGINE_SURPLUS
    if load.draft:
        host.parts[DRAFT] = load.draft
    counted = host.size
    if load.projector:
        host.parts[VISION], host.parts[VISION_GRAPH] = load.projector, load.clip[1]
    if load.family == "server":
        ps = _lines(load, weights + embedding, load.graph.cpu) + printed(load.logits) + load.clip[1]
    elif load.family == "engine":
        ps = host.size
    else:
        ps = counted - embedding
    placed = Placed("cpu", 0, [], host, ps, host.size, crowded=bool(site.devices))
    return _checked(placed, host.size, site)


def _checked(placed: Placed, needed: int, site: Site) -> Placed:
    """Turn a placement down when its host part does not fit in RAM."""
    shared = sum(share.size for share in placed.shares if share.device is not None and share.device.shares_ram)
    placed.kept = site.ram // _SYSTEM_SHARE
    placed.short = max(0, needed + shared + placed.kept - site.ram)
    if placed.short:
        placed.placement = "none"
    return placed


def _lines(load: Load, weights: int, graph: int) -> int:
    """What the buffer lines of llama-server add up to for Ollama.

    Lines of the same kind overwrite each other (ollama PR 17037): of two caches only the windowed one is counted, and
    the cache and buffers of a draft context replace those of the model itself. The vision encoder's weights are on no
    line, its scratch memory is on one of its own.
    """
    attention = load.cache.total - load.cache.state
    if load.draft_cache:
        attention, graph = load.draft_cache, load.draft_graph
        weights += load.draft_weights
    elif overwritten(load):
        attention = load.cache.windowed
    return printed(weights) + printed(attention) + printed(load.cache.state) + printed(graph)


def overwritten(load: Load) -> bool:
    """Whether the model has two caches of which Ollama counts one."""
    return 0 < load.cache.windowed < load.cache.total - load.cache.state


def _shares(load: Load, devices: Sequence[Device], cut: Cut, graph: int, vision: bool) -> list[Share]:
    shares = []
    for index, first, last in cut:
        device = devices[index]
        cache = sum(load.cache.layers[first:last])
        parts = {WEIGHTS: sum(load.layers[first:last]) - cache, CACHE: cache, GRAPH: graph, CONTEXT: device.overhead}
        if load.cache.states:
            held = sum(load.cache.states[first:last])
            parts[CACHE], parts[STATE] = cache - held, held
        shares.append(Share(device, parts))
    if vision:
        shares[0].parts[VISION], shares[0].parts[VISION_GRAPH] = load.projector, load.clip[1]
    return shares


def _split(layers: Sequence[int], output: int, room: Sequence[int], extra: int) -> Cut | None:
    """Blocks per device, front to back, when all of them and the output fit; None when they do not.

    llama.cpp shares layers out by free memory and moves them on where a device would overflow.
    """
    total = sum(layers) + output + extra
    if len(room) == 1:
        return [(0, 0, len(layers))] if total <= room[0] else None
    usable = [max(0, each) for each in room]
    available = sum(usable)
    if total > available:
        return None
    even = [total * each // available + max(layers, default=0) for each in usable]
    for limits in ([min(pair) for pair in zip(even, usable, strict=True)], usable):
        cut = _filled(layers, output + extra, limits)
        if cut is not None:
            return cut
    return None


def _filled(layers: Sequence[int], output: int, limits: Sequence[int]) -> Cut | None:
    cut: Cut = []
    first = 0
    for device, limit in enumerate(limits):
        left, last = limit, first
        while last < len(layers) and layers[last] <= left:
            left -= layers[last]
            last += 1
        cut.append((device, first, last))
        first = last
        if last == len(layers) and output <= left:
            return cut
    return None


def _from_the_back(layers: Sequence[int], output: int, room: Sequence[int]) -> Cut | None:
    """The last blocks that fit beside the output, on the devices that are used. None when the output does not fit."""
    cut: Cut = []
    last = len(layers)
    pending = output
    for device in range(len(room) - 1, -1, -1):
        if pending > room[device]:
            continue
        left, first = room[device] - pending, last
        pending = 0
        while first > 0 and layers[first - 1] <= left:
            first -= 1
            left -= layers[first]
        if first < last or not cut:
            cut.insert(0, (device, first, last))
        last = first
    return cut or None
