"""Machines, models and Ollamas for the tests of `llamaexit.memory`, each a variation of a plain one."""

from __future__ import annotations

from typing import Any

from llamaexit.memory import ModelSpec, spec_of_table
from llamaexit.snapshot import Cpu, Gpu, Loaded, Machine, OllamaFacts, Ram, Setting, System
from measured_loads import table

GIB = 1 << 30
MIB = 1 << 20


def gpu(total: int | None = 24 * GIB, free: int | None = None, **more: Any) -> Gpu:
    """A discrete NVIDIA card; all of it is free unless said otherwise."""
    facts: dict[str, Any] = {"index": 0, "vendor": "nvidia", "name": "RTX 3090", "kind": "discrete"}
    return Gpu(**(facts | {"total": total, "free": total if free is None else free} | more))


def machine(*gpus: Gpu, ram: int = 64 * GIB, available: int | None = None, **limits: Any) -> Machine:
    memory = Ram(ram, ram - 2 * GIB if available is None else available, **limits)
    return Machine(System("linux"), Cpu("a CPU", 8, 16), memory, gpus)


def ollama(version: str | None = "0.33.0", *, loaded: tuple[Loaded, ...] = (), **settings: str) -> OllamaFacts:
    """An Ollama; settings are given without the OLLAMA_ in front."""
    named = {
        name if name.startswith("LLAMA_") else f"OLLAMA_{name}": Setting(value, "a test")
        for name, value in settings.items()
    }
    return OllamaFacts("server", version=version, settings=named, loaded=loaded)


def loaded(size: int, *, vram: int | None = None, digest: str = "e" * 64, context: int | None = 4096) -> Loaded:
    return Loaded("old:latest", digest, size, size if vram is None else vram, context)


def model(shape: str = "llama3.1-8b", quant: str = "Q4_K_M") -> ModelSpec:
    return spec_of_table(shape, *table(shape, quant))
