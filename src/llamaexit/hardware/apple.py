"""Apple silicon: one memory for everything, of which macOS lets the GPU wire a share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.hardware.probe import Answer, Gpus, ProbeError
from llamaexit.snapshot import Gpu
from llamaexit.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llamaexit.hardware.probe import World
    from llamaexit.snapshot import Ram

_KEYS = ("hw.memsize", "hw.optional.arm64", "iogpu.wired_limit_mb", "machdep.cpu.brand_string")
_LARGE = 36 * GIB


def read_sysctl(world: World) -> dict[str, str]:
    """The values macOS has for what is asked here. A name it does not know is left out."""
    output = world.run(["/usr/sbin/sysctl", *_KEYS])
    values = parse_sysctl(output.stdout)
    # an unknown name alone makes the exit status 1, the others are still answered
    if not values:
        lines = output.stderr.strip().splitlines()
        raise ProbeError(lines[0] if lines else f"sysctl failed with exit status {output.code}")
    return values


def parse_sysctl(text: str) -> dict[str, str]:
    """`name: value` lines of sysctl(8)."""
    return {key: value.strip() for key, colon, value in (line.partition(": ") for line in text.splitlines()) if colon}


def parse_apple(sysctl: Mapping[str, str], ram: Ram) -> Gpus:
    """The GPU of an Apple chip; none on a Mac with an Intel processor, where Ollama uses the CPU only."""
    if not sysctl:
        raise ProbeError("sysctl did not answer")
    # under Rosetta the brand reads "VirtualApple", but this one still tells the truth
    if sysctl.get("hw.optional.arm64") != "1":
        return Answer((), "a Mac with an Intel processor: Ollama uses the CPU only", found=False)
    memory = _number(sysctl.get("hw.memsize")) or ram.total
    wired = _number(sysctl.get("iogpu.wired_limit_mb")) * MIB
    total = min(wired, memory) if wired else wired_budget(memory)
    name = sysctl.get("machdep.cpu.brand_string") or "Apple GPU"
    gpu = Gpu(
        index=0,
        vendor="apple",
        name=name,
        kind="unified",
        total=total,
        free=min(total, ram.available),
        shares_ram=True,
        source="sysctl iogpu.wired_limit_mb" if wired else "macOS default share of hw.memsize",
    )
    return Answer((gpu,), name)


def wired_budget(memory: int) -> int:
    """Bytes the GPU of a Mac with `memory` bytes may wire: two thirds, from 36 GB machines on three quarters.

    What Metal calls recommendedMaxWorkingSetSize: 10.67 GiB of 16, 21.33 of 32, 27 of 36, 48 of 64. Newer releases of
    macOS allow some more on small machines (11.84 of 16); the smaller figure is safe on all.
    """
    return memory * 3 // 4 if memory >= _LARGE else memory * 2 // 3


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
