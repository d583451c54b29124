"""Intel graphics on Linux: Arc cards and the parts inside processors, by the xe and the i915 driver.

Neither driver tells how much of a card's memory is in use without root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.hardware import pci
from llamaexit.hardware.amd import LEFT_OUT
from llamaexit.hardware.probe import Answer, Gpus, read_number
from llamaexit.snapshot import Gpu

if TYPE_CHECKING:
    from llamaexit.hardware.drm import Card
    from llamaexit.hardware.probe import World
    from llamaexit.snapshot import Ram

_SMALL_RAM = 4 * 1024**3
_DRIVERS = ("xe", "i915")


def read_intel(world: World, cards: tuple[Card, ...], ram: Ram) -> Gpus:
    """All Intel cards and integrated parts that xe or i915 runs."""
    gpus: list[Gpu] = []
    remarks: list[str] = []
    for card in cards:
        if card.vendor != pci.INTEL:
            continue
        name = pci.name_of(world, card.vendor, card.device, card.revision)
        if card.driver not in _DRIVERS:
            remarks.append(f"{name}: driver {card.driver or 'missing'}; xe or i915 is needed")
            continue
        gpu = parse_intel(card, name, _read_local(card), ram)
        gpus.append(gpu)
        remarks.append(f"{gpu.name} ({gpu.kind})")
    return Answer(tuple(gpus), "; ".join(remarks) or "no card", bool(gpus))


def parse_intel(card: Card, name: str, local: int | None, ram: Ram) -> Gpu:
    """One card. `local` is the memory the driver reports as the card's own, in bytes."""
    source = f"sysfs ({card.driver})"
    if local or pci.intel_is_discrete(card.device):
        note = "the driver tells neither used nor free memory" if local else "the driver does not tell its memory"
        return Gpu(0, "intel", name, "discrete", local or None, None, source=source, note=note)
    share = shared_heap(ram.total)
    free = min(share, ram.usable_now)
    return Gpu(0, "intel", name, "integrated", share, free, shares_ram=True, source=source, note=LEFT_OUT)


def shared_heap(ram: int) -> int:
    """Bytes of main memory that Intel's Vulkan driver offers: half up to 4 GiB, then three quarters.

    Mesa, src/intel/vulkan/anv_device.c `anv_compute_sys_heap_size`.
    """
    return ram // 2 if ram <= _SMALL_RAM else ram * 3 // 4


def _read_local(card: Card) -> int | None:
    tiles = (read_number(path) for path in sorted((card.folder / "device").glob("tile*/physical_vram_size_bytes")))
    sizes = [size for size in tiles if size is not None]
    # xe: a card of several tiles is one device to Vulkan and SYCL, and its memory adds up
    return sum(sizes) if sizes else read_number(card.folder / "lmem_total_bytes")
