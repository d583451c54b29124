"""NVIDIA cards, from NVML or, where its library cannot be loaded, from nvidia-smi.

NVML makes no CUDA context, so asking costs no memory. It is loaded only where a driver is plausibly there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamaexit.hardware import pci
from llamaexit.hardware.probe import Answer, Gpus, ProbeError
from llamaexit.snapshot import Gpu
from llamaexit.units import MIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llamaexit.hardware.drm import Card
    from llamaexit.hardware.probe import World
    from llamaexit.snapshot import Ram, System

_WSL_LIBRARY = "/usr/lib/wsl/lib/libnvidia-ml.so.1"
_JETSON = "/etc/nv_tegra_release"
_TRACES = ("/proc/driver/nvidia/version", "/dev/nvidiactl", _WSL_LIBRARY)
_SMI_PLACES = ("nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi")
_QUERY = ("index", "uuid", "name", "driver_version", "memory.total", "memory.free", "compute_cap", "mig.mode.current")

# parts without memory of their own; NVML refuses to tell, or tells a plausible part of it (8128 MiB on N1X)
_UNIFIED = re.compile(r"\b(GB10|N1X?|Jetson|Tegra|Orin|Xavier|Thor|nvgpu)\b", re.IGNORECASE)

# numbers of nvml.h, as the module with the names may be what is missing
_NOT_SUPPORTED, _NOT_FOUND, _LIBRARY_NOT_FOUND, _VERSION_MISMATCH = 3, 6, 12, 18


@dataclass(frozen=True, slots=True)
class NvidiaCard:
    """One card as the driver describes it.

    total, free: bytes, None where the driver supports no such figure. instances: its MIG devices; None when MIG is
    off. problem: why the card cannot be used.
    """

    index: int
    name: str
    uuid: str | None = None
    driver: str | None = None
    total: int | None = None
    free: int | None = None
    compute_capability: str | None = None
    instances: tuple[NvidiaCard, ...] | None = None
    problem: str | None = None


class _LibraryMissing(Exception):
    """NVML cannot be loaded; nvidia-smi may still answer."""


def read_nvidia(world: World, system: System, ram: Ram, others: Sequence[Card] = ()) -> Gpus:
    """All NVIDIA cards this process may use. Raises ProbeError when there is a driver that does not answer."""
    if not _driver_plausible(world):
        driver = next((card.driver for card in others if card.vendor == pci.NVIDIA and card.driver), None)
        return Answer(
            (), f"driver {driver} runs the card; CUDA needs NVIDIA's own" if driver else "no driver", found=False
        )
    source = "NVML"
    try:
        cards = read_nvml(world.nvml(), _wsl_library(world))
    except (_LibraryMissing, ImportError) as error:
        source = "nvidia-smi"
        answered = _read_smi(world)
        if answered is None:
            return _without_tools(world, system, ram, str(error))
        cards = answered
    return answer(cards, system, ram, source, world.environ.get("CUDA_VISIBLE_DEVICES"), _uvm_missing(world, system))


def answer(
    cards: Sequence[NvidiaCard], system: System, ram: Ram, source: str, visible: str | None, uvm_missing: bool
) -> Gpus:
    """Cards as devices a model can be placed on, MIG instances in place of the card they are cut from."""
    remarks = [f"{card.name}: {card.problem}" for card in cards if card.problem]
    remarks += [f"{card.name}: MIG is on, but no instance exists" for card in cards if card.instances == ()]
    devices = [device for card in cards for device in ((card,) if card.instances is None else card.instances)]
    usable = [device for device in devices if device.problem is None]
    seen = usable if visible is None else visible_devices(cards, visible)
    if visible is not None and len(seen) != len(usable):
        remarks.append(f"CUDA_VISIBLE_DEVICES={visible} shows {len(seen)} of {len(usable)}")
    gpus = tuple(_gpu(device, system, ram, source, uvm_missing) for device in seen)
    return Answer(gpus, "; ".join([*(gpu.name for gpu in gpus), *remarks]), bool(gpus))


def visible_devices(cards: Sequence[NvidiaCard], value: str) -> list[NvidiaCard]:
    """The devices CUDA_VISIBLE_DEVICES leaves, in its order. As in CUDA, the list ends at the first wrong entry.

    Numbers count as NVML does (by PCI address), which is CUDA's own order only between equal cards or with
    CUDA_DEVICE_ORDER=PCI_BUS_ID. CUDA programming guide, "CUDA environment variables".
    """
    seen: list[NvidiaCard] = []
    for entry in (part.strip() for part in value.split(",")):
        if entry.isdecimal():
            chosen = [card for card in cards if card.index == int(entry)]
            # CUDA uses one MIG instance of a card named by number: its first
            found = [card if card.instances is None else card.instances[0] for card in chosen if card.instances != ()]
        else:
            devices = [device for card in cards for device in (card, *(card.instances or ()))]
            found = [device for device in devices if entry and (device.uuid or "").startswith(entry)]
            found = [device for device in found if device.instances is None]
        found = [device for device in found if device.problem is None]
        if len(found) != 1 or found[0] in seen:
            break
        seen.append(found[0])
    return seen


def parse_smi(text: str) -> tuple[NvidiaCard, ...]:
    """Rows of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`; memory is in MiB."""
    cards = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) < 6 or not cells[0].isdecimal():
            continue
        told = dict(zip(_QUERY, cells, strict=False))
        total, free = _cell(told["memory.total"]), _cell(told["memory.free"])
        mig = told.get("mig.mode.current") == "Enabled"
        lost = next((cell for cell in cells if cell.startswith("[") and not _empty(cell)), None)
        cards.append(
            NvidiaCard(
                index=int(told["index"]),
                name=told["name"],
                uuid=None if _empty(told["uuid"]) else told["uuid"],
                driver=None if _empty(told["driver_version"]) else told["driver_version"],
                total=None if total is None else total * MIB,
                free=None if free is None else free * MIB,
                compute_capability=None if _empty(told.get("compute_cap", "")) else told["compute_cap"],
                problem=lost.strip("[]") if lost else "MIG is on; only NVML tells its instances" if mig else None,
            )
        )
    return tuple(cards)


def read_nvml(nvml: Any, library: str | None = None) -> tuple[NvidiaCard, ...]:
    """Ask NVML (the `pynvml` module) for every card. `library` is loaded first where it is not on the search path.

    Raises ProbeError when the driver does not answer.
    """
    if library is not None:
        import contextlib
        import ctypes

        # once loaded under its own name, it is what pynvml gets when it asks for that name
        with contextlib.suppress(OSError):
            ctypes.CDLL(library)
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        if error.value == _LIBRARY_NOT_FOUND:
            raise _LibraryMissing("NVML's library (libnvidia-ml) is not here") from error
        reason = str(error)
        if error.value == _VERSION_MISMATCH:
            reason = "driver and library versions differ, as after an update without a restart"
        raise ProbeError(f"the NVIDIA driver does not answer: {reason}") from error
    try:
        driver = _ask(nvml, nvml.nvmlSystemGetDriverVersion)
        return tuple(_read_card(nvml, index, driver) for index in range(nvml.nvmlDeviceGetCount()))
    except nvml.NVMLError as error:
        raise ProbeError(f"the NVIDIA driver does not list its cards: {error}") from error
    finally:
        nvml.nvmlShutdown()


def _read_card(nvml: Any, index: int, driver: str | None) -> NvidiaCard:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        card = _read_device(nvml, handle, index, driver)
        mode = _ask(nvml, nvml.nvmlDeviceGetMigMode, handle)
        if not mode or not mode[0]:
            return card
        instances = []
        for place in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
            part = _ask(nvml, nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, place)
            if part is not None:
                instance = _read_device(nvml, part, index, driver)
                capability = instance.compute_capability or card.compute_capability
                instances.append(replace(instance, compute_capability=capability))
        return replace(card, instances=tuple(instances))
    except nvml.NVMLError as error:
        # one of several cards fell off the bus or may not be opened
        return NvidiaCard(index, f"card {index}", driver=driver, problem=str(error))


def _read_device(nvml: Any, handle: Any, index: int, driver: str | None) -> NvidiaCard:
    memory = _ask(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
    capability = _ask(nvml, nvml.nvmlDeviceGetCudaComputeCapability, handle)
    return NvidiaCard(
        index=index,
        name=nvml.nvmlDeviceGetName(handle),
        uuid=_ask(nvml, nvml.nvmlDeviceGetUUID, handle),
        driver=driver,
        total=None if memory is None else int(memory.total),
        free=None if memory is None else int(memory.free),
        compute_capability=None if capability is None else f"{capability[0]}.{capability[1]}",
    )


def _ask(nvml: Any, call: Any, *arguments: Any) -> Any:
    """What NVML answers, or None when this device has no such thing. Other failures are raised."""
    try:
        return call(*arguments)
    except nvml.NVMLError as error:
        if error.value in (_NOT_SUPPORTED, _NOT_FOUND):
            return None
        raise


def _gpu(card: NvidiaCard, system: System, ram: Ram, source: str, uvm_missing: bool) -> Gpu:
    # a discrete card that does not tell must not be taken for one that owns all of main memory
    unified = bool(_UNIFIED.search(card.name)) or (card.total is None and system.architecture == "arm64")
    notes = []
    if unified:
        notes.append("works in main memory; Ollama reckons with all of it")
    elif card.total is None:
        notes.append("the driver does not tell its memory")
    if uvm_missing:
        notes.append("/dev/nvidia-uvm is missing in this container: CUDA cannot start, Ollama in here uses the CPU")
    return Gpu(
        index=card.index,
        vendor="nvidia",
        name=card.name,
        kind="unified" if unified else "discrete",
        total=ram.total if unified else card.total,
        free=ram.available if unified else card.free,
        shares_ram=unified,
        uuid=card.uuid,
        compute_capability=card.compute_capability,
        driver=card.driver,
        source="MemTotal and MemAvailable" if unified else source,
        note="; ".join(notes),
    )


def _driver_plausible(world: World) -> bool:
    if world.platform == "win32":
        return (Path(world.environ.get("WINDIR", r"C:\Windows")) / "System32" / "nvml.dll").exists()
    return any(world.path(trace).exists() for trace in (*_TRACES, _JETSON))


def _wsl_library(world: World) -> str | None:
    library = world.path(_WSL_LIBRARY)
    return str(library) if world.platform == "linux" and library.exists() else None


def _uvm_missing(world: World, system: System) -> bool:
    # outside a container the first CUDA program makes the device; WSL and Jetson have none
    if world.platform != "linux" or system.container is None or system.wsl or world.path(_JETSON).exists():
        return False
    return not world.path("/dev/nvidia-uvm").exists()


def _read_smi(world: World) -> tuple[NvidiaCard, ...] | None:
    """What nvidia-smi lists; None when there is no such command. Raises ProbeError when it fails."""
    command = next((path for path in map(world.which, _SMI_PLACES) if path), None)
    if command is None:
        return None
    # drivers before 510 know no compute_cap, before 450 no MIG: they refuse the whole query
    for fields in (_QUERY, _QUERY[:6]):
        output = world.run([command, f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"])
        if output.code == 0:
            return parse_smi(output.stdout)
        if "not a valid field" not in output.stdout:
            break
    lines = (output.stdout + output.stderr).strip().splitlines()
    raise ProbeError(f"nvidia-smi failed: {lines[0] if lines else f'exit status {output.code}'}")


def _without_tools(world: World, system: System, ram: Ram, why: str) -> Gpus:
    """A Jetson before JetPack 6 has neither NVML nor nvidia-smi; anywhere else their absence is a fault."""
    if world.path(_JETSON).exists():
        name = (world.text("/proc/device-tree/model") or "").rstrip("\0\n") or "NVIDIA Jetson"
        gpu = _gpu(NvidiaCard(0, name), replace(system, architecture="arm64"), ram, "", False)
        return Answer((gpu,), name)
    hint = f"; give the {system.container} container the GPU (--gpus all)" if system.container else ""
    raise ProbeError(f"there is an NVIDIA driver, but {why}{hint}")


def _empty(cell: str) -> bool:
    return cell.strip("[]").strip().lower() in ("", "n/a", "not supported", "unknown")


def _cell(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
