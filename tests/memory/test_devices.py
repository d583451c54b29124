from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.memory import Estimate, estimate
from llamaexit.snapshot import Gpu, Machine, OllamaFacts
from memory_machines import GIB, MIB, gpu, loaded, machine, model, ollama

IRIS = Gpu(0, "intel", "Iris Xe", "integrated", 32 * GIB, 30 * GIB, shares_ram=True)
VEGA = Gpu(0, "amd", "Radeon 780M", "integrated", 16 * GIB, 15 * GIB, shares_ram=True)
STRIX_HALO = Gpu(0, "amd", "Radeon 8060S Graphics", "integrated", 96 * GIB, 90 * GIB, shares_ram=True)
ARC = Gpu(0, "intel", "Arc B580", "discrete", 12 * GIB, 12 * GIB)
GB10 = Gpu(0, "nvidia", "NVIDIA GB10", "unified", None, None, shares_ram=True)
M4 = Gpu(0, "apple", "Apple M4 Pro", "unified", 36 * GIB, 36 * GIB, shares_ram=True)
VIRTUAL = Gpu(0, "other", "Microsoft Basic Display Adapter", "discrete", 8 * GIB, 8 * GIB)


def made(here: Machine, under: OllamaFacts | None = None) -> Estimate:
    return estimate(model(), here, under or ollama(), context=4096)


@pytest.mark.parametrize(
    ("card", "under", "used"),
    [
        (IRIS, ollama(), False),
        (IRIS, ollama(IGPU_ENABLE="1"), True),
        (VEGA, ollama(), False),
        (VEGA, ollama(IGPU_ENABLE="yes please"), True),
        (STRIX_HALO, ollama(), True),
        (STRIX_HALO, ollama(IGPU_ENABLE="false"), False),
        (STRIX_HALO, ollama("0.30.0"), False),
        (STRIX_HALO, ollama("0.30.1"), True),
        (replace(STRIX_HALO, name="AMD Radeon Graphics", compute_capability="gfx1151"), ollama(), True),
        (replace(STRIX_HALO, name="AMD Radeon Graphics", compute_capability="gfx1150"), ollama(), False),
        (GB10, ollama(), True),
        (M4, ollama(), True),
        (ARC, ollama(), True),
        (ARC, ollama(VULKAN="0"), False),
        (VIRTUAL, ollama(), False),
        (gpu(), ollama(), True),
        (gpu(), ollama(LLM_LIBRARY="cpu_avx2"), False),
        (IRIS, ollama("0.24.0"), False),
        (VEGA, ollama("0.24.0"), True),
        (replace(VEGA, total=512 * MIB), ollama("0.24.0"), False),
        (ARC, ollama("0.24.0"), False),
        (ARC, ollama("0.24.0", VULKAN="1"), True),
        (ARC, ollama("0.12.0", VULKAN="1"), False),
    ],
    ids=lambda value: value.name if isinstance(value, Gpu) else None,
)
def test_gpus_that_ollama_uses(card: Gpu, under: OllamaFacts, used: bool) -> None:
    found = made(machine(card), under)

    assert (found.now.placement == "gpu") == used
    assert (found.now.placement == "cpu") == (not used)
    if not used:
        assert any("CPU" in note for note in found.notes)


def test_what_is_left_out_is_said_with_the_reason() -> None:
    assert any("Iris Xe: integrated" in note and "OLLAMA_IGPU_ENABLE" in note for note in made(machine(IRIS)).notes)


def test_a_card_that_hides_its_memory_is_not_planned_for() -> None:
    found = made(machine(gpu(None)))

    assert found.now.placement == "cpu"
    assert any("its memory is not known" in note for note in found.notes)


def test_unified_memory_without_a_figure_is_that_of_the_host() -> None:
    found = made(machine(GB10, ram=120 * GIB, available=100 * GIB))

    assert found.now.devices[0].total == 120 * GIB
    assert found.now.devices[0].free == 100 * GIB


def test_unified_memory_is_no_freer_than_the_host() -> None:
    assert made(machine(M4, ram=48 * GIB, available=8 * GIB)).now.devices[0].free == 8 * GIB


def test_unknown_free_memory_is_total_less_an_allowance() -> None:
    found = made(machine(replace(gpu(8 * GIB), free=None)))

    assert found.now.devices[0].free is None
    assert any("free memory is not known" in note for note in found.notes)


def test_unknown_free_memory_counts_what_ollama_itself_holds() -> None:
    card = replace(gpu(8 * GIB), free=None)

    found = made(machine(card), ollama(loaded=(loaded(4 * GIB),)))

    assert found.now.placement == "partial"
    assert found.unloaded.placement == "gpu"


def test_cards_of_the_same_name_are_told_apart() -> None:
    found = estimate(
        replace(model(), num_batch=512),
        machine(gpu(5 * GIB, index=0), gpu(5 * GIB, index=1)),
        ollama(SCHED_SPREAD="1"),
        context=4096,
    )

    assert [use.device for use in found.now.devices] == ["RTX 3090 #0", "RTX 3090 #1"]


def test_unloading_gives_back_memory_of_the_fullest_card_first() -> None:
    here = machine(gpu(12 * GIB, 11 * GIB, index=0), gpu(12 * GIB, 2 * GIB, index=1))

    found = estimate(model("qwen2.5-14b"), here, ollama(loaded=(loaded(9 * GIB),)), context=4096)

    # 11 GiB free on one card after eviction either way, but not two cards with more than they have
    assert all(
        use.free is not None and use.total is not None and use.free <= use.total for use in found.unloaded.devices
    )
    assert found.unloaded.placement == "gpu"
