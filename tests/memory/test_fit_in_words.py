"""The sentence beside a verdict: a reader with a pencil comes to the same verdict."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from llamaexit.memory import Estimate, ModelSpec, estimate
from llamaexit.snapshot import Gpu, Machine
from memory_machines import GIB, MIB, gpu, machine, model, ollama

FIGURE = re.compile(r"(\d+(?:\.\d+)?) (GiB|MiB)")


def reckoned(here: Machine, spec: ModelSpec | None = None, version: str = "0.33.0", context: int = 8192) -> Estimate:
    return estimate(spec or model(), here, ollama(version), context=context)


def figures(text: str) -> list[float]:
    """The sizes a sentence names, in GiB."""
    return [float(number) / (1 if unit == "GiB" else 1024) for number, unit in FIGURE.findall(text)]


def test_what_lacks_ram_is_needed_and_kept_against_free() -> None:
    found = reckoned(machine(ram=8 * GIB, available=6 * GIB))

    needed, kept, free = figures(found.now.why)
    assert found.now.why == "needs 5.8 GiB, with 0.6 GiB kept free for the system; 6.0 GiB RAM is free"
    assert needed == pytest.approx(found.true_size.expected / GIB, abs=0.05)
    assert needed + kept > free


@pytest.mark.parametrize("missing", [4, 40, 400], ids=lambda mib: f"{mib} MiB")
def test_a_near_miss_is_told_with_the_digits_it_takes(missing: int) -> None:
    size = reckoned(machine()).true_size.expected
    free = (size - missing * MIB) * 10 // 9

    found = reckoned(machine(available=free))

    needed, kept, there = figures(found.now.why)
    assert found.now.placement == "none"
    assert needed + kept > there


def test_of_a_load_that_is_too_large_gpu_and_ram_come_to_the_whole() -> None:
    here = machine(gpu(8 * GIB, index=0, name="A"), gpu(8 * GIB, index=1, name="B"), ram=16 * GIB)

    found = reckoned(here, model("qwen2.5-72b"))

    whole, on_gpu, outside, kept, free = figures(found.now.why)
    assert "on A and B, the other" in found.now.why
    assert whole == pytest.approx(found.true_size.expected / GIB, abs=0.05)
    assert on_gpu + outside == pytest.approx(whole)
    assert outside + kept > free


def test_memory_shared_with_the_gpu_is_counted_once() -> None:
    apple = Gpu(0, "apple", "Apple M2", "unified", 11 * GIB, 8 * GIB, shares_ram=True)

    found = reckoned(machine(apple, ram=16 * GIB, available=8 * GIB), model("qwen2.5-14b"))

    needed, driver, kept, free = figures(found.now.why)
    assert needed == pytest.approx(found.true_size.expected / GIB, abs=0.05)
    assert needed + driver + kept > free


def test_a_load_on_the_gpu_leaves_room_for_driver_and_margin() -> None:
    found = reckoned(machine(gpu(24 * GIB, 8 * GIB)))

    held, free, driver, margin = figures(found.now.why)
    assert found.now.why.startswith("all 33 layers fit on RTX 3090: ")
    assert held == pytest.approx(found.true_size.expected / GIB, abs=0.05)
    assert margin == 1.0
    assert held + driver + margin <= free


def test_two_cards_each_keep_their_margin() -> None:
    here = machine(gpu(8 * GIB, index=0, name="A"), gpu(8 * GIB, index=1, name="B"))

    found = reckoned(here, model("qwen2.5-14b"), context=4096)

    held, free, driver, margin = figures(found.now.why)
    assert found.now.why.endswith("kept free on each")
    assert (free, margin) == (16.0, 1.0)
    assert held + driver + 2 * margin <= free


def test_the_parts_of_a_partial_load_come_to_the_whole() -> None:
    found = reckoned(machine(gpu(24 * GIB, 4 * GIB)), model("qwen3-8b"))

    held, free, driver, margin, outside = figures(found.now.why)
    assert found.now.placement == "partial"
    assert held + outside == pytest.approx(found.true_size.expected / GIB, abs=0.05)
    assert held + driver + margin <= free


def test_old_families_leave_the_driver_what_they_keep_free() -> None:
    found = reckoned(machine(gpu(24 * GIB, 4 * GIB)), model("qwen3-8b"), "0.24.0")

    held, free, margin, outside = figures(found.now.why)
    assert "driver" not in found.now.why
    assert held + outside == pytest.approx(found.true_size.expected / GIB, abs=0.05)
    assert held + margin <= free


def test_experts_in_ram_and_the_rest_come_to_the_whole() -> None:
    found = reckoned(machine(gpu(12 * GIB)), model("qwen3-30b-a3b"))

    outside, held, *_ = figures(found.now.why)
    assert found.now.placement == "experts-in-ram"
    assert held + outside == pytest.approx(found.true_size.expected / GIB, abs=0.05)


def test_a_margin_that_was_set_is_the_one_that_is_told() -> None:
    found = estimate(model(), machine(gpu()), ollama(LLAMA_ARG_FIT_TARGET="512"), context=8192)

    assert "0.5 GiB kept free" in found.now.why


def test_overhead_that_is_reserved_counts_as_kept_free_by_old_families() -> None:
    found = estimate(model("qwen3-8b"), machine(gpu()), ollama("0.24.0", GPU_OVERHEAD=str(2 * GIB)), context=8192)

    assert "2.4 GiB kept free" in found.now.why


def test_the_cpu_is_said_to_be_left_over_when_no_layer_fits_on_the_gpu() -> None:
    assert reckoned(machine(gpu(2 * GIB, 1 * GIB))).now.why.startswith("no layer fits on a GPU, so it runs on the CPU")
    assert reckoned(machine()).now.why.startswith("runs on the CPU")
    kept_off = reckoned(machine(gpu()), replace(model(), num_gpu=0))
    assert kept_off.now.why.startswith("runs on the CPU")
