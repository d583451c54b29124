"""The processor: its name and its cores."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llamaexit.hardware.probe import Answer
from llamaexit.snapshot import Cpu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llamaexit.hardware.probe import World

# Linux gives ARM cores by number only. MIDR part numbers, from the kernel's arch/arm64/include/asm/cputype.h.
_ARM_PARTS = {
    (0x41, 0xD03): "Cortex-A53", (0x41, 0xD05): "Cortex-A55", (0x41, 0xD07): "Cortex-A57",
    (0x41, 0xD08): "Cortex-A72", (0x41, 0xD0B): "Cortex-A76", (0x41, 0xD42): "Cortex-A78AE",
    (0x41, 0xD80): "Cortex-A520", (0x41, 0xD81): "Cortex-A720", (0x41, 0xD87): "Cortex-A725",
    (0x41, 0xD82): "Cortex-X4", (0x41, 0xD85): "Cortex-X925", (0x41, 0xD0C): "Neoverse N1",
    (0x41, 0xD49): "Neoverse N2", (0x41, 0xD40): "Neoverse V1", (0x41, 0xD4F): "Neoverse V2",
    (0xC0, 0xAC3): "Ampere-1", (0xC0, 0xAC4): "Ampere-1a", (0x51, 0x001): "Oryon",
}  # fmt: skip


def read_cpu(world: World, quota: float | None = None, sysctl: Mapping[str, str] | None = None) -> Answer[Cpu]:
    """Name and cores of the processor. `sysctl` holds the values a Mac was asked for, `quota` the cgroup's."""
    import psutil  # type: ignore[import-untyped]  # ships no types

    if world.platform == "linux":
        model = parse_cpuinfo(world.text("/proc/cpuinfo") or "") or _device_tree_model(world)
    elif world.platform == "win32":
        model = _registry_name()
    else:
        model = (sysctl or {}).get("machdep.cpu.brand_string")
    physical, logical = psutil.cpu_count(logical=False), psutil.cpu_count(logical=True)
    cpu = Cpu(model, physical, logical, quota)
    return Answer(cpu, f"{model or 'name not known'}, {physical or '?'} cores, {logical or '?'} threads")


def parse_cpuinfo(text: str) -> str | None:
    """The processor's name out of /proc/cpuinfo; on ARM out of its part numbers, each kind of core once."""
    parts: dict[str, None] = {}
    implementer = 0
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key in ("model name", "cpu model", "cpu", "Model Name") and value:
            return " ".join(value.split())
        if key == "CPU implementer":
            implementer = _number(value)
        elif key == "CPU part" and (name := _ARM_PARTS.get((implementer, _number(value)))):
            parts[name] = None
    return " + ".join(parts) or None


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return 0


def _device_tree_model(world: World) -> str | None:
    return (world.text("/proc/device-tree/model") or "").rstrip("\0\n") or None


def _registry_name() -> str | None:
    if sys.platform != "win32":
        return None
    import winreg

    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
        return " ".join(str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).split())
