"""Hardware that is stated instead of measured: planning on behalf of a machine that is not here.

Pure, so that it works on a snapshot out of a file as well.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.errors import UsageError
from llamaexit.snapshot import Gpu, Ram
from llamaexit.units import GIB, gib

if TYPE_CHECKING:
    from llamaexit.hardware.known import Known
    from llamaexit.snapshot import GpuKind, Machine

_MANY = re.compile(r"(\d{1,2})\s*[x×*]\s*(?=\S*\D)(.+)", re.IGNORECASE)
_SIZED = re.compile(r"\s*\b(\d+)\s*gi?b\b", re.IGNORECASE)
_NO_GPU = ("none", "no", "cpu")
# drivers differ in what they take for themselves, so a card has to be somebody's
_UNNAMED = "no maker stated: reckoned as an NVIDIA card"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the user states. vram: bytes of each card; ram: bytes; gpu: names of cards, `2x RTX 3090` among them, or
    `none` alone. Names and memory belong together in their order."""

    vram: tuple[int, ...] = ()
    ram: int | None = None
    gpu: tuple[str, ...] = ()


def override(machine: Machine, overrides: Overrides) -> Machine:
    """`machine` with what was stated in place of what was measured, and `overrides` saying so.

    Stated memory is all free. Raises UsageError for a card whose memory is neither stated nor well known.
    """
    if overrides == Overrides():
        return machine
    said: list[str] = []
    ram, gpus = machine.ram, machine.gpus
    if overrides.ram is not None:
        if overrides.ram <= 0:
            raise UsageError("--ram: a machine has some memory", hint="give a size such as --ram 32GiB")
        ram = Ram(total=overrides.ram, available=overrides.ram)
        said.append(f"RAM {gib(ram.total)}")
    if overrides.gpu or overrides.vram:
        gpus = _stated_gpus(machine, overrides)
        said += [f"GPU {gpu.index}: {_described(gpu)}" for gpu in gpus] or ["no GPU"]
        shared = max((gpu.total or 0 for gpu in gpus if gpu.shares_ram), default=0)
        if overrides.ram is None and shared > ram.total:
            ram = Ram(total=shared, available=shared)
            said.append(f"RAM {gib(shared)}, which the GPU works in")
    elif overrides.ram is not None:
        gpus = tuple(_with_ram(gpu, overrides.ram) for gpu in gpus)
    return dataclasses.replace(machine, ram=ram, gpus=gpus, overrides=(*machine.overrides, *said))


def _described(gpu: Gpu) -> str:
    return gpu.name if "GiB" in gpu.name else f"{gpu.name}, {gib(gpu.total or 0)}"


def _stated_gpus(machine: Machine, overrides: Overrides) -> tuple[Gpu, ...]:
    nothing = [text for text in overrides.gpu if text.strip().lower() in _NO_GPU]
    if nothing or overrides.vram == (0,):
        if nothing and (len(overrides.gpu) > 1 or overrides.vram not in ((), (0,))):
            raise UsageError(f"--gpu {nothing[0]} means no GPU at all, the other options state one")
        return ()
    if 0 in overrides.vram:
        raise UsageError("--vram: a card without memory is no card", hint="leave it out; --vram 0 alone means no GPU")
    if overrides.gpu:
        return _named(overrides)
    # integrated parts are not what --vram is about; discrete ones keep their names if the numbers match
    real = [gpu for gpu in machine.gpus if gpu.kind != "integrated"]
    if len(real) == len(overrides.vram):
        pairs = zip(real, overrides.vram, strict=True)
        return tuple(
            dataclasses.replace(gpu, index=index, total=size, free=size, source="stated", note="")
            for index, (gpu, size) in enumerate(pairs)
        )
    return tuple(
        Gpu(index, "nvidia", f"GPU with {gib(size)}", "discrete", size, size, source="stated", note=_UNNAMED)
        for index, size in enumerate(overrides.vram)
    )


def _named(overrides: Overrides) -> tuple[Gpu, ...]:
    """Cards by name, each with the memory that stands at its place among `vram`, or else with its own."""
    counted = [_count(text) for text in overrides.gpu]
    names = [name for count, name in counted for _ in range(count)]
    sizes: list[int | None] = [*overrides.vram] or [None] * len(names)
    if len(counted) == 1 and len(sizes) == 1:
        sizes *= len(names)
    elif len(counted) == len(names) == 1:
        names *= len(sizes)
    if len(sizes) != len(names):
        raise UsageError(
            f"--gpu {', '.join(overrides.gpu)}: {len(names)} {'card' if len(names) == 1 else 'cards'}, "
            f"but {len(sizes)} {'value' if len(sizes) == 1 else 'values'} of --vram",
            hint="give --vram once for each card, in the same order",
        )
    return tuple(_card(index, *pair, overrides.ram) for index, pair in enumerate(zip(names, sizes, strict=True)))


def _count(text: str) -> tuple[int, str]:
    """How many cards a text names, and what one is called."""
    many = _MANY.fullmatch(text.strip())
    count, name = (int(many[1]), many[2].strip()) if many else (1, text.strip())
    if not name or not count:
        raise UsageError(f"--gpu: {text!r} names no card", hint='give a name such as --gpu "RTX 4090"')
    return count, name


def _card(index: int, name: str, stated: int | None, ram: int | None) -> Gpu:
    from llamaexit.hardware.known import find, vendor_of

    sized = _SIZED.search(name)
    known = find(_SIZED.sub("", name) if sized else name)
    size = stated if stated is not None else int(sized[1]) * GIB if sized else _known_size(name, known, ram)
    kind: GpuKind = known.kind if known else "unified" if vendor_of(name) == "apple" else "discrete"
    return Gpu(
        index=index,
        vendor=known.vendor if known else vendor_of(name),
        name=known.name if known else name,
        kind=kind,
        total=size,
        free=size,
        shares_ram=kind != "discrete",
        compute_capability=known.target if known else None,
        source="stated" if stated is not None or sized else "stated by name",
        note=_note(known),
    )


def _known_size(name: str, known: Known | None, ram: int | None) -> int:
    from llamaexit.hardware.known import similar

    if known is None:
        near = similar(name)
        meant = f"; or did you mean {', '.join(near)}?" if near else ""
        raise UsageError(f"--gpu: the memory of {name!r} is not known", hint=f"add --vram, as in --vram 24GiB{meant}")
    if len(known.sizes) == 1:
        return known.sizes[0]
    if known.sizes:
        sold = " or ".join(gib(size, 0) for size in known.sizes)
        raise UsageError(f"--gpu: {known.name} is sold with {sold}", hint=f"add --vram {known.sizes[-1] // GIB}GiB")
    if ram is None:
        raise UsageError(
            f"--gpu: {known.name} works in main memory, whose size the name does not tell",
            hint="add --ram with the memory of that machine, as in --ram 64GiB",
        )
    return _share(known.vendor, ram)


def _share(vendor: str, ram: int) -> int:
    if vendor == "apple":
        from llamaexit.hardware.apple import wired_budget

        return wired_budget(ram)
    # the Linux kernel lets an AMD part map half of main memory; NVIDIA's take it all
    return ram // 2 if vendor == "amd" else ram


def _with_ram(gpu: Gpu, ram: int) -> Gpu:
    """A unified GPU of a machine whose memory is stated; other GPUs keep what was measured."""
    if gpu.kind != "unified":
        return gpu
    size = _share(gpu.vendor, ram)
    return dataclasses.replace(gpu, total=size, free=size, source="stated RAM")


def _note(known: Known | None) -> str:
    if known is None or known.kind != "integrated":
        return ""
    from llamaexit.hardware.amd import integrated_note

    return integrated_note(known.target)
