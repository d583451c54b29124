"""Two looks at an idle machine see the same machine."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from llamaexit.hardware.steady import DISK_STEP, MEMORY_STEP, steady
from llamaexit.snapshot import Cpu, Disk, Gpu, Machine, Ram, System

GIB = 1024**3


def machine(available: int, free: int, disk: int) -> Machine:
    gpu = Gpu(0, "nvidia", "card", "discrete", 24 * GIB, free)
    hidden = Gpu(1, "intel", "card", "discrete", 8 * GIB, None)
    ram = Ram(64 * GIB, available, 2 * GIB, available // 8, limit=32 * GIB, headroom=available // 2)
    return Machine(System("linux"), Cpu(None, None, None), ram, (gpu, hidden), Disk("/", 500 * GIB, disk))


def test_a_few_megabytes_more_or_less_make_no_difference() -> None:
    busy = machine(20 * GIB + 5_000_000, 22 * GIB + 1_000_000, 80_100_000_000)
    idle = machine(20 * GIB + 9_000_000, 22 * GIB + 3_000_000, 80_200_000_000)
    assert steady(busy) == steady(idle)


def test_totals_and_what_is_not_known_stay() -> None:
    here = machine(20 * GIB, 22 * GIB, 80 * GIB)
    seen = steady(here)
    assert seen.ram.total == here.ram.total
    assert seen.ram.limit == here.ram.limit
    assert [gpu.total for gpu in seen.gpus] == [24 * GIB, 8 * GIB]
    assert seen.gpus[1].free is None


def test_a_machine_without_a_limit_or_a_disk_stays_one() -> None:
    here = machine(20 * GIB, 22 * GIB, 80 * GIB)
    bare = dataclasses.replace(here, disk=None, ram=dataclasses.replace(here.ram, headroom=None))
    assert steady(bare).disk is None
    assert steady(bare).ram.headroom is None


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 37), st.integers(0, 1 << 45))
def test_never_more_than_there_is_and_never_a_step_less(available: int, free: int, disk: int) -> None:
    seen = steady(machine(available, free, disk))
    assert 0 <= available - seen.ram.available < MEMORY_STEP
    assert seen.gpus[0].free is not None and 0 <= free - seen.gpus[0].free < MEMORY_STEP
    assert seen.disk is not None and 0 <= disk - seen.disk.free < DISK_STEP
    assert steady(seen) == seen
