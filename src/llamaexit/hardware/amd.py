"""AMD graphics on Linux, from what the amdgpu driver tells in sysfs.

Kernel documentation: gpu/amdgpu/driver-misc.html (mem_info_*), and the KFD topology for the gfx target. What counts
as integrated follows Ollama's discover/amd.go, so that both mean the same cards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.hardware import pci
from llamaexit.hardware.probe import Answer, Gpus, read_number
from llamaexit.snapshot import Gpu
from llamaexit.units import GIB

if TYPE_CHECKING:
    from llamaexit.hardware.drm import Card
    from llamaexit.hardware.probe import World
    from llamaexit.snapshot import Ram

LEFT_OUT = "integrated: Ollama 0.30 and later leaves it out unless OLLAMA_IGPU_ENABLE is set"
"""Ollama's discover/runner.go `filterIntegratedGPUs`."""
_ADMITTED = "gfx1151"
"""Strix Halo, the one integrated AMD target Ollama uses by default (`integratedGPUAllowedByDefault`)."""
_LARGEST_CARVE_OUT = 4 * GIB
_SMALLEST_SHARE = 8 * GIB


@dataclass(frozen=True, slots=True)
class Memory:
    """What sysfs says of one card: bytes of its own memory (VRAM) and of main memory it may map (GTT)."""

    vram: int | None
    vram_used: int | None
    gtt: int | None
    gtt_used: int | None
    own_chips: bool
    """The card names the maker of its memory chips or its board, which parts inside a processor never do."""


def read_amd(world: World, cards: tuple[Card, ...], ram: Ram) -> Gpus:
    """All AMD cards the amdgpu driver runs."""
    gpus: list[Gpu] = []
    remarks: list[str] = []
    targets = _gfx_targets(world)
    for card in cards:
        if card.vendor != pci.AMD:
            continue
        name = pci.name_of(world, card.vendor, card.device, card.revision)
        if card.driver != "amdgpu":
            remarks.append(f"{name}: driver {card.driver or 'missing'}; Ollama needs amdgpu")
            continue
        gpu = parse_amd(card, name, _read_memory(card), targets.get(card.render or ""), ram)
        gpus.append(gpu)
        remarks.append(f"{gpu.name} ({gpu.kind})")
    hidden = [key for key in ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES") if world.environ.get(key)]
    if gpus:
        remarks += [f"{key}={world.environ[key]} is set here and not reckoned with" for key in hidden]
        if not world.path("/dev/kfd").exists():
            remarks.append("no /dev/kfd: ROCm cannot start here, only Vulkan may")
    return Answer(tuple(gpus), "; ".join(remarks) or "no card", bool(gpus))


def parse_amd(card: Card, name: str, memory: Memory, target: str | None, ram: Ram) -> Gpu:
    """One card. An integrated part may use its carve-out and the share of RAM that the kernel lets it map."""
    integrated = is_integrated(card.device, memory)
    total, free = memory.vram, _left(memory.vram, memory.vram_used)
    if integrated and total is not None and memory.gtt is not None:
        shared = _left(memory.gtt, memory.gtt_used)
        total += memory.gtt
        # mappable is not the same as free: the pages come out of main memory
        free = None if free is None or shared is None else free + min(shared, ram.usable_now)
    note = ""
    if integrated:
        note = integrated_note(target)
    elif total is None:
        note = "the driver does not tell its memory"
    return Gpu(
        index=0,
        vendor="amd",
        name=name,
        kind="integrated" if integrated else "discrete",
        total=total,
        free=free,
        shares_ram=integrated,
        compute_capability=target,
        source="sysfs (amdgpu)",
        note=note,
    )


def integrated_note(target: str | None) -> str:
    """What Ollama does with an integrated part of a gfx target."""
    return "integrated: Ollama 0.30.1 and later uses it, 0.30.0 does not" if target == _ADMITTED else LEFT_OUT


def is_integrated(device: int, memory: Memory) -> bool:
    """Whether the part sits in the processor and works in main memory."""
    if device in pci.AMD_INTEGRATED:
        return True
    if memory.own_chips or not memory.vram or not memory.gtt:
        return False
    return memory.vram <= _LARGEST_CARVE_OUT and memory.gtt >= max(_SMALLEST_SHARE, 4 * memory.vram)


def parse_node(text: str) -> tuple[str, str] | None:
    """Render node and gfx target (`gfx1100`) out of a KFD topology node's properties; None for a CPU node."""
    values = dict(line.split(None, 1) for line in text.splitlines() if len(line.split(None, 1)) == 2)
    try:
        minor, version = int(values["drm_render_minor"]), int(values["gfx_target_version"])
    except (KeyError, ValueError):
        return None
    if minor <= 0 or version <= 0:
        return None
    # 110501 is gfx1151, 90010 is gfx90a: minor and stepping are hexadecimal digits
    return f"renderD{minor}", f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"


def _gfx_targets(world: World) -> dict[str, str]:
    targets: dict[str, str] = {}
    for properties in world.path("/sys/class/kfd/kfd/topology/nodes").glob("*/properties"):
        try:
            node = parse_node(properties.read_text(encoding="ascii", errors="replace"))
        except OSError:
            # the kernel shows a node's properties only to those who may open its device
            continue
        if node is not None:
            targets[node[0]] = node[1]
    return targets


def _read_memory(card: Card) -> Memory:
    device = card.folder / "device"
    maker = device / "mem_info_vram_vendor"
    try:
        # kernels before 5.15 show the file on every part and write "unknown" where there is no such thing
        named = maker.read_text(encoding="ascii", errors="replace").strip() not in ("", "unknown")
    except OSError:
        named = False
    return Memory(
        vram=read_number(device / "mem_info_vram_total"),
        vram_used=read_number(device / "mem_info_vram_used"),
        gtt=read_number(device / "mem_info_gtt_total"),
        gtt_used=read_number(device / "mem_info_gtt_used"),
        own_chips=named or (device / "board_info").exists(),
    )


def _left(total: int | None, used: int | None) -> int | None:
    return None if total is None or used is None else max(0, total - used)
