"""The devices Ollama will really use, and what each has to offer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llamaexit.memory import settings
from llamaexit.memory.family import SERVER_SINCE
from llamaexit.ollama.version import Release
from llamaexit.snapshot import Gpu, Machine, OllamaFacts
from llamaexit.units import GIB, MIB, gib

_CONTEXT = 300 * MIB
"""What a process loses to the driver before it holds a byte of the model: 110 to 555 MiB seen on CUDA."""
_APPLE_CONTEXT = 64 * MIB
_UNSEEN = 768 * MIB
"""Room left for desktops and other programs where the driver does not say what is free."""
_SMALLEST_APU = GIB
_VULKAN_SINCE: Release = (0, 12, 11, 0)
# AMD's large APUs (Strix Halo) are let in by default since 0.30.1 (ollama discover/runner.go).
_LARGE_APUS_SINCE: Release = (0, 30, 1, 0)
_LARGE_APU = "gfx1151"
_LARGE_APU_NAMES = ("8060S", "8050S", _LARGE_APU, "Strix Halo", "Ryzen AI Max")


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU as placement sees it.

    known: whether `free` was measured; otherwise it is what an allowance and the loaded models leave of the total.
    ceiling: what would be free with no model loaded.
    """

    name: str
    library: str
    total: int
    free: int
    ceiling: int
    known: bool
    shares_ram: bool
    discrete: bool
    overhead: int
    compute: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The devices in use, and why others are not."""

    devices: tuple[Device, ...]
    notes: tuple[str, ...]


def devices_of(machine: Machine, ollama: OllamaFacts, release: Release | None) -> Found:
    """The GPUs of `machine` that this Ollama uses."""
    if not machine.gpus:
        return Found((), ())
    if settings.text(ollama, "OLLAMA_LLM_LIBRARY").lower().startswith("cpu"):
        return Found((), ("OLLAMA_LLM_LIBRARY keeps Ollama on the CPU",))
    devices: list[Device] = []
    notes: list[str] = []
    several = len({gpu.name for gpu in machine.gpus}) < len(machine.gpus)
    held = sum(each.size_vram for each in ollama.loaded)
    for gpu in machine.gpus:
        reason = _left_out(gpu, ollama, release)
        device = None if reason else _device(gpu, machine, several)
        if device is not None:
            if held and not device.known:
                taken = min(held, device.free)
                held, device = held - taken, replace(device, free=device.free - taken)
            devices.append(device)
            if not device.known:
                notes.append(f"{device.name}: free memory is not known, taken as {gib(device.free)}")
        elif reason:
            notes.append(f"{gpu.name}: {reason}")
        else:
            notes.append(f"{gpu.name}: its memory is not known, so nothing is planned for it")
    return Found(tuple(devices), tuple(notes))


def freed(devices: tuple[Device, ...], held: int) -> tuple[Device, ...]:
    """The devices after models that hold `held` bytes were unloaded. Which card they sit on is not reported, so the
    fullest ones are emptied first."""
    if held <= 0 or not devices:
        return devices
    left = held
    after = list(devices)
    for index in sorted(range(len(after)), key=lambda i: after[i].free - after[i].total):
        device = after[index]
        give = min(left, max(0, device.ceiling - device.free))
        after[index] = replace(device, free=device.free + give)
        left -= give
    return tuple(after)


def _left_out(gpu: Gpu, ollama: OllamaFacts, release: Release | None) -> str | None:
    """Why Ollama does not use a GPU; None when it does."""
    server = release is None or release >= SERVER_SINCE
    if gpu.vendor == "other":
        return "not a GPU Ollama can use"
    if gpu.kind != "integrated":
        return _without_vulkan(server, ollama, release) if gpu.vendor == "intel" else None
    if server:
        allowed = settings.flag(ollama, "OLLAMA_IGPU_ENABLE")
        if allowed is None:
            allowed = gpu.vendor in ("nvidia", "apple") or (_is_large_apu(gpu) and _takes_large_apus(release))
        return None if allowed else "integrated, left out by Ollama unless OLLAMA_IGPU_ENABLE=1"
    if gpu.vendor == "intel" or (gpu.vendor == "amd" and (gpu.total or 0) < _SMALLEST_APU):
        return "integrated, not used by Ollama before 0.30"
    return None


def _is_large_apu(gpu: Gpu) -> bool:
    """Whether this is a Strix Halo, by what its driver or, failing that, its name says."""
    return gpu.compute_capability == _LARGE_APU or any(name in gpu.name for name in _LARGE_APU_NAMES)


def _takes_large_apus(release: Release | None) -> bool:
    return release is None or release >= _LARGE_APUS_SINCE


def _without_vulkan(server: bool, ollama: OllamaFacts, release: Release | None) -> str | None:
    """Why an Intel card is not used: it needs Vulkan, which is on by default from 0.30."""
    wanted = settings.flag(ollama, "OLLAMA_VULKAN")
    if server:
        return "OLLAMA_VULKAN=0 keeps Ollama off it" if wanted is False else None
    if wanted and release is not None and release >= _VULKAN_SINCE:
        return None
    return "Ollama before 0.30 uses Intel GPUs only with OLLAMA_VULKAN=1 (0.12.11 and later)"


def _device(gpu: Gpu, machine: Machine, several: bool) -> Device | None:
    ram = machine.ram
    shares = gpu.shares_ram or gpu.kind != "discrete"
    # Drivers of unified parts (GB10, Jetson) report no memory of their own; Ollama takes the host's then.
    total = gpu.total if gpu.total else (ram.usable_total if shares else None)
    if not total:
        return None
    free = gpu.free if gpu.free is not None else (ram.usable_now if shares else None)
    known = free is not None
    if free is None:
        free = max(0, total - max(_UNSEEN, total // 20))
    if shares:
        free = min(free, ram.usable_now)
    return Device(
        name=f"{gpu.name} #{gpu.index}" if several else gpu.name,
        library={"nvidia": "CUDA", "amd": "ROCm", "apple": "Metal"}.get(gpu.vendor, "Vulkan"),
        total=total,
        free=max(0, min(free, total)),
        ceiling=total if known else max(0, free),
        known=known,
        shares_ram=shares,
        discrete=gpu.kind == "discrete",
        overhead=_APPLE_CONTEXT if gpu.vendor == "apple" else _CONTEXT,
        compute=_compute(gpu.compute_capability),
    )


def _compute(capability: str | None) -> float | None:
    try:
        return float(capability) if capability else None
    except ValueError:
        return None
