from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from llamaexit.hardware import read_machine
from llamaexit.hardware.amd import LEFT_OUT
from llamaexit.hardware.intel import shared_heap
from llamaexit.hardware.probe import World
from llamaexit.units import GIB

Captured = Callable[..., World]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="psutil reads a captured /proc only on Linux")


@pytest.mark.parametrize(
    ("machine", "name", "total", "source"),
    [
        pytest.param("arc-a770", "Intel Arc A770", 17079205888, "sysfs (i915)", id="Arc A770 on i915"),
        pytest.param("arc-b580", "Intel Arc B580", 12 * GIB, "sysfs (xe)", id="Arc B580 on xe, in hexadecimal"),
    ],
)
def test_card_has_its_own_memory_and_does_not_tell_what_is_free(
    captured: Captured, machine: str, name: str, total: int, source: str
) -> None:
    (gpu,) = read_machine(world=captured(machine)).gpus
    assert (gpu.name, gpu.vendor, gpu.kind, gpu.source) == (name, "intel", "discrete", source)
    assert (gpu.total, gpu.free, gpu.shares_ram) == (total, None, False)
    assert gpu.note == "the driver tells neither used nor free memory"


def test_tiles_of_one_card_add_up_to_one_device(captured: Captured) -> None:
    world = captured("arc-b580")
    tile = world.root / "sys/class/drm/card0/device/tile1"
    tile.mkdir()
    (tile / "physical_vram_size_bytes").write_text("0x0000000300000000\n")
    (gpu,) = read_machine(world=world).gpus
    assert gpu.total == 24 * GIB


def test_integrated_part_works_in_main_memory_and_ollama_leaves_it_out(captured: Captured) -> None:
    machine = read_machine(world=captured("intel-uhd-770"))
    (gpu,) = machine.gpus
    assert (gpu.name, gpu.kind, gpu.shares_ram, gpu.note) == ("Intel AlderLake-S GT1", "integrated", True, LEFT_OUT)
    assert gpu.total == machine.ram.total * 3 // 4
    assert gpu.free == gpu.total


def test_arc_card_whose_driver_tells_no_memory_is_not_taken_for_integrated(captured: Captured) -> None:
    world = captured("arc-a770")
    (world.root / "sys/class/drm/card1/lmem_total_bytes").unlink()
    (gpu,) = read_machine(world=world).gpus
    assert (gpu.kind, gpu.total, gpu.note) == ("discrete", None, "the driver does not tell its memory")


def test_card_given_to_a_virtual_machine_is_no_device(captured: Captured) -> None:
    world = captured("arc-b580")
    (world.root / "sys/class/drm/card0/device/uevent").write_text("DRIVER=vfio-pci\nPCI_SLOT_NAME=0000:03:00.0\n")
    machine = read_machine(world=world)
    assert machine.gpus == ()
    assert next(probe for probe in machine.probes if probe.name == "intel").outcome == "absent"


@pytest.mark.parametrize(("ram", "share"), [(4 * GIB, 2 * GIB), (4 * GIB + 4, 3 * GIB + 3), (32 * GIB, 24 * GIB)])
def test_share_of_main_memory_that_mesa_offers(ram: int, share: int) -> None:
    assert shared_heap(ram) == share
