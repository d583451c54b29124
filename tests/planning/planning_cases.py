"""Machines and models that decisions are tested on: real kinds of machines, named as people would name them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llamaexit.snapshot import (
    Cpu,
    Disk,
    Gpu,
    InstalledModel,
    Machine,
    OllamaFacts,
    Ram,
    Snapshot,
    System,
)
from llamaexit.units import GIB

CPU = Cpu(model="test CPU", physical_cores=8, logical_cores=16)


def card(name: str, gib: float, *, index: int = 0, vendor: str = "nvidia", used: float = 0.5) -> Gpu:
    """A discrete card of `gib` GiB with `used` GiB taken by the desktop."""
    total = int(gib * GIB)
    return Gpu(
        index=index,
        vendor=vendor,  # type: ignore[arg-type]
        name=name,
        kind="discrete",
        total=total,
        free=total - int(used * GIB),
        compute_capability="8.9" if vendor == "nvidia" else None,
        source="test",
    )


def machine(ram: float, *gpus: Gpu, disk: float | None = 500, os: str = "linux") -> Machine:
    """A machine with `ram` GiB of memory, three quarters of it free, and `disk` GiB free for models."""
    return Machine(
        system=System(os=os, architecture="x86_64"),
        cpu=CPU,
        ram=Ram(total=int(ram * GIB), available=int(ram * GIB * 0.75)),
        gpus=gpus,
        disk=None if disk is None else Disk("/models", 1000 * GIB, int(disk * GIB)),
    )


def apple(ram: float) -> Machine:
    """An Apple machine: unified memory, of which Metal may wire two thirds (three quarters above 36 GB)."""
    budget = int(ram * GIB * (2 / 3 if ram <= 36 else 3 / 4))
    gpu = Gpu(
        index=0,
        vendor="apple",
        name="Apple M3",
        kind="unified",
        total=budget,
        free=budget,
        shares_ram=True,
        source="test",
    )
    return replace(machine(ram, gpu, os="darwin"), cpu=replace(CPU, model="Apple M3"))


MACHINES: dict[str, Machine] = {
    "a 16 GB laptop without a GPU": machine(16),
    "an 8 GB laptop without a GPU": machine(8),
    "a 2 GB board": machine(2),
    "a 32 GB machine without a GPU": machine(32),
    "an RTX 3060 12 GB": machine(32, card("NVIDIA GeForce RTX 3060", 12)),
    "an RTX 4060 8 GB": machine(16, card("NVIDIA GeForce RTX 4060", 8)),
    "an RTX 4090": machine(64, card("NVIDIA GeForce RTX 4090", 24)),
    "two RTX 3090": machine(64, card("NVIDIA GeForce RTX 3090", 24), card("NVIDIA GeForce RTX 3090", 24, index=1)),
    "a 16 GB Mac": apple(16),
    "a 64 GB Mac": apple(64),
    "a full disk": machine(64, card("NVIDIA GeForce RTX 4090", 24), disk=1),
}


def server(version: str | None = "0.33.0") -> OllamaFacts:
    """An Ollama that answered, with default settings."""
    return OllamaFacts(source="server", url="http://127.0.0.1:11434", version=version, store="/models")


def installed(name: str, **facts: Any) -> InstalledModel:
    """A model as a server lists it, with a digest made from its name unless one is given."""
    facts.setdefault("digest", (name.encode().hex() * 64)[:64])
    facts.setdefault("format", "gguf")
    return InstalledModel(name=name, **facts)


def snapshot(where: str | Machine, *models: InstalledModel, ollama: OllamaFacts | None = None) -> Snapshot:
    """A snapshot of a machine (by its name above) with the models given."""
    return Snapshot(MACHINES[where] if isinstance(where, str) else where, ollama or server(), models)
