"""Facts about this machine, each probe on its own: found, absent, or broken and why. No probe stops another."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

from llamaexit.hardware.probe import Answer, Gpus, ProbeError, World
from llamaexit.hardware.stated import Overrides, override
from llamaexit.snapshot import Cpu, Machine, Probe, Ram, System

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from llamaexit.hardware.drm import Card
    from llamaexit.snapshot import Gpu

__all__ = ["Overrides", "World", "override", "read_machine"]

T = TypeVar("T")


def read_machine(store: Path | None = None, world: World | None = None) -> Machine:
    """The hardware of this machine, and the disk that holds `store` (Ollama's default place without one).

    Never raises for what it finds: what cannot be read is empty, and `Machine.probes` says why.
    """
    world = world or World()
    probes: list[Probe] = []

    def ask(name: str, read: Callable[[], Answer[T]], otherwise: T) -> T:
        try:
            answer = read()
        except ProbeError as error:
            probes.append(Probe(name, "broken", str(error)))
        except Exception as error:
            # one probe of many: whatever a driver, a library or a strange machine does, the others still answer
            probes.append(Probe(name, "broken", f"{type(error).__name__}: {error}".rstrip(": ")))
        else:
            probes.append(Probe(name, "found" if answer.found else "absent", answer.detail))
            return answer.value
        return otherwise

    from llamaexit.hardware.cpu import read_cpu
    from llamaexit.hardware.disk import read_disk
    from llamaexit.hardware.ram import limited, read_ram
    from llamaexit.hardware.system import read_system

    system = ask(
        "system", lambda: read_system(world), System("windows" if world.platform == "win32" else world.platform)
    )
    ram = ask("ram", read_ram, Ram(0, 0))
    quota = None
    if world.platform == "linux":
        from llamaexit.hardware.cgroups import Limits, read_limits

        limits = ask("cgroup", lambda: read_limits(world, ram.total), Limits())
        ram, quota = limited(ram, limits), limits.cores
    sysctl: dict[str, str] = {}
    if world.platform == "darwin":
        from llamaexit.hardware.apple import read_sysctl

        sysctl = ask("sysctl", lambda: Answer(read_sysctl(world)), sysctl)
    cpu = ask("cpu", lambda: read_cpu(world, quota, sysctl), Cpu(None, None, None, quota))
    disk = ask("disk", lambda: read_disk(store), None)
    cards: tuple[Card, ...] = ()
    if world.platform == "linux":
        from llamaexit.hardware.drm import read_cards

        cards = ask("drm", lambda: read_cards(world), ())
    gpus: list[Gpu] = []
    none: tuple[Gpu, ...] = ()
    for name, read in _gpu_probes(world, system, ram, cards, sysctl):
        found = ask(name, read, none)
        gpus += found
    numbered = tuple(dataclasses.replace(gpu, index=index) for index, gpu in enumerate(gpus))
    return Machine(system, cpu, ram, numbered, disk, tuple(probes))


def _gpu_probes(
    world: World, system: System, ram: Ram, cards: tuple[Card, ...], sysctl: dict[str, str]
) -> list[tuple[str, Callable[[], Gpus]]]:
    """The probes for graphics that this operating system calls for."""
    if world.platform == "darwin":
        from llamaexit.hardware.apple import parse_apple

        return [("apple", lambda: parse_apple(sysctl, ram))]
    from llamaexit.hardware.nvidia import read_nvidia

    if world.platform == "win32":
        from llamaexit.hardware.adapters import parse_adapters, read_adapters, read_present

        return [
            ("nvidia", lambda: read_nvidia(world, system, ram)),
            ("amd", lambda: parse_adapters(read_adapters(), read_present(), "amd")),
            ("intel", lambda: parse_adapters(read_adapters(), read_present(), "intel")),
        ]
    if world.platform != "linux":
        return []
    from llamaexit.hardware.amd import read_amd
    from llamaexit.hardware.intel import read_intel

    return [
        ("nvidia", lambda: read_nvidia(world, system, ram, cards)),
        ("amd", lambda: read_amd(world, cards, ram)),
        ("intel", lambda: read_intel(world, cards, ram)),
    ]
