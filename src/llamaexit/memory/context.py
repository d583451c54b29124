"""The context Ollama will really use, and whose choice that is (ollama server/routes.go, server/sched.go)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.memory import settings
from llamaexit.memory.devices import Device
from llamaexit.ollama.version import Release
from llamaexit.snapshot import OllamaFacts
from llamaexit.units import GIB, gib

if TYPE_CHECKING:
    from llamaexit.memory.spec import ModelSpec

_ENVIRONMENT_SINCE: Release = (0, 5, 13, 0)
_FOUR_THOUSAND_SINCE: Release = (0, 6, 7, 0)
_TIERS_SINCE: Release = (0, 15, 5, 0)
_ONE_SLOT_SINCE: Release = (0, 10, 0, 0)
# The published page says 24 and 48 GiB; the code compares with these.
_TIERS = ((47 * GIB, 262144), (23 * GIB, 32768))
_SMALLEST = 4
_SMALLEST_VISION = 2048
_LARGEST = 1 << 26
_ONE_SLOT = frozenset({
    "mllama", "qwen3vl", "qwen3vlmoe", "qwen35", "qwen35moe", "qwen3next", "lfm2", "lfm2moe", "nemotron_h",
    "nemotron_h_moe", "nemotron_h_omni",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """Tokens per slot, whose choice that is, and the number of slots."""

    context: int
    source: str
    parallel: int


def choose_context(
    spec: ModelSpec,
    devices: tuple[Device, ...],
    ollama: OllamaFacts,
    release: Release | None,
    *,
    requested: int | None,
    source: str,
    parallel: int | None,
) -> Chosen:
    """What `num_ctx` comes to: request, else Modelfile, else environment, else the default of that version."""
    context, whose = _wanted(spec, devices, ollama, release, requested, source)
    if spec.vision and context < _SMALLEST_VISION:
        context, whose = _SMALLEST_VISION, "Ollama's minimum for vision models"
    trained = spec.shape.context_length
    if 0 < trained < context:
        context, whose = trained, f"the length it was trained for, below {context} ({whose})"
    return Chosen(min(max(context, _SMALLEST), _LARGEST), whose, _slots(spec, ollama, release, parallel))


def _wanted(
    spec: ModelSpec,
    devices: tuple[Device, ...],
    ollama: OllamaFacts,
    release: Release | None,
    requested: int | None,
    source: str,
) -> tuple[int, str]:
    if requested is not None and requested > 0:
        return requested, source
    if spec.num_ctx:
        return spec.num_ctx, "num_ctx of the model"
    if release is None or release >= _ENVIRONMENT_SINCE:
        length = settings.number(ollama, "OLLAMA_CONTEXT_LENGTH")
        if length:
            return length, "OLLAMA_CONTEXT_LENGTH"
    if release is not None and release < _FOUR_THOUSAND_SINCE:
        return 2048, "Ollama's default before 0.6.7"
    if release is not None and release < _TIERS_SINCE:
        return 4096, "Ollama's default before 0.15.5"
    if not devices:
        return 4096, "Ollama's default without a GPU"
    reserved = settings.number(ollama, "OLLAMA_GPU_OVERHEAD") or 0
    total = sum(max(0, device.total - reserved) for device in devices)
    tier = next((length for limit, length in _TIERS if total >= limit), 4096)
    return tier, f"Ollama's default for {gib(total)} of GPU memory"


def _slots(spec: ModelSpec, ollama: OllamaFacts, release: Release | None, parallel: int | None) -> int:
    if spec.embedding or spec.architecture in _ONE_SLOT:
        return 1
    slots = parallel if parallel is not None else settings.number(ollama, "OLLAMA_NUM_PARALLEL")
    if not slots:
        # Before 0.10 Ollama took four slots where they fit.
        slots = 4 if release is not None and release < _ONE_SLOT_SINCE else 1
    return min(max(slots, 1), 256)
