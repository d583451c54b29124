from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llamaexit.hardware import read_machine
from llamaexit.hardware.amd import LEFT_OUT, Memory, is_integrated, parse_amd, parse_node
from llamaexit.hardware.drm import Card
from llamaexit.hardware.probe import World
from llamaexit.snapshot import Ram
from llamaexit.units import GIB, MIB

Captured = Callable[..., World]
needs_procfs = pytest.mark.skipif(sys.platform != "linux", reason="psutil reads a captured /proc only on Linux")
UNKNOWN_CARD = Card(Path(), 0x1002, 0xFFFF, 0, "amdgpu", "0000:03:00.0", "renderD128")
RAM = Ram(32 * GIB, 20 * GIB)


@needs_procfs
def test_discrete_card_has_its_vram_and_nothing_of_main_memory(captured: Captured) -> None:
    machine = read_machine(world=captured("rx-7900-xtx"))
    (gpu,) = machine.gpus
    assert (gpu.name, gpu.vendor, gpu.kind, gpu.shares_ram) == ("AMD Radeon RX 7900 XTX", "amd", "discrete", False)
    assert (gpu.total, gpu.free) == (25753026560, 25753026560 - 1288490188)
    assert (gpu.compute_capability, gpu.note) == ("gfx1100", "")


@needs_procfs
def test_integrated_part_has_its_carve_out_and_the_mappable_share(captured: Captured) -> None:
    (gpu,) = read_machine(world=captured("ryzen-7840u")).gpus
    assert (gpu.name, gpu.kind, gpu.shares_ram) == ("AMD Radeon 780M Graphics", "integrated", True)
    assert gpu.total == 512 * MIB + 16315723776
    assert gpu.free == 128 * MIB + (16315723776 - GIB)
    assert (gpu.compute_capability, gpu.note) == ("gfx1103", LEFT_OUT)


@needs_procfs
def test_strix_halo_has_the_gtt_it_was_given_and_is_not_left_out(captured: Captured) -> None:
    (gpu,) = read_machine(world=captured("strix-halo")).gpus
    assert (gpu.kind, gpu.total) == ("integrated", 512 * MIB + 96 * GIB)
    assert (gpu.compute_capability, gpu.note) == (
        "gfx1151",
        "integrated: Ollama 0.30.1 and later uses it, 0.30.0 does not",
    )


@needs_procfs
def test_discrete_card_beside_an_integrated_part_is_told_from_it(captured: Captured) -> None:
    gpus = read_machine(world=captured("ryzen-7950x-with-rx-7900-xtx")).gpus
    assert [(gpu.index, gpu.name, gpu.kind, gpu.compute_capability) for gpu in gpus] == [
        (0, "AMD Radeon Graphics", "integrated", "gfx1036"),
        (1, "AMD Radeon RX 7900 XTX", "discrete", "gfx1100"),
    ]
    assert gpus[1].total == 25753026560


@needs_procfs
def test_card_of_the_old_driver_is_no_device_and_named(captured: Captured) -> None:
    machine = read_machine(world=captured("old-radeon"))
    assert machine.gpus == ()
    (probe,) = (probe for probe in machine.probes if probe.name == "amd")
    assert (probe.outcome, probe.detail) == ("absent", "AMD GPU 1002:6779: driver radeon; Ollama needs amdgpu")


@needs_procfs
def test_card_without_kfd_is_reported_with_a_remark(captured: Captured) -> None:
    world = captured("rx-7900-xtx", environ={"HIP_VISIBLE_DEVICES": "1"})
    (world.root / "dev/kfd").unlink()
    machine = read_machine(world=world)
    (probe,) = (probe for probe in machine.probes if probe.name == "amd")
    assert len(machine.gpus) == 1
    assert "no /dev/kfd: ROCm cannot start here" in probe.detail
    assert "HIP_VISIBLE_DEVICES=1 is set here and not reckoned with" in probe.detail


def memory(vram: int | None, gtt: int | None, own_chips: bool = False) -> Memory:
    return Memory(vram, 0, gtt, 0, own_chips)


@pytest.mark.parametrize(
    ("device", "facts", "integrated"),
    [
        pytest.param(0x15BF, memory(512 * MIB, 16 * GIB), True, id="a listed integrated part"),
        pytest.param(0x1586, memory(96 * GIB, 16 * GIB), True, id="Strix Halo with most of RAM carved out"),
        pytest.param(0xFFFF, memory(2 * GIB, 32 * GIB), True, id="unknown part, small carve-out, much to map"),
        pytest.param(0xFFFF, memory(4 * GIB, 32 * GIB, own_chips=True), False, id="small card that names its chips"),
        pytest.param(0xFFFF, memory(4 * GIB, 7 * GIB), False, id="small card in a machine with little RAM"),
        pytest.param(0xFFFF, memory(4 * GIB, 15 * GIB), False, id="share below four times the carve-out"),
        pytest.param(0xFFFF, memory(16 * GIB, 64 * GIB), False, id="unknown card with much memory"),
        pytest.param(0xFFFF, memory(None, None), False, id="card that tells nothing"),
    ],
)
def test_what_counts_as_integrated(device: int, facts: Memory, integrated: bool) -> None:
    assert is_integrated(device, facts) is integrated


def test_free_share_of_an_integrated_part_is_no_more_than_ram_has_free() -> None:
    card = dataclasses.replace(UNKNOWN_CARD, device=0x15BF)
    gpu = parse_amd(card, "AMD", memory(512 * MIB, 16 * GIB), None, Ram(32 * GIB, 3 * GIB))
    assert gpu.free == 512 * MIB + 3 * GIB
    limited = Ram(32 * GIB, 20 * GIB, limit=4 * GIB, headroom=GIB)
    assert parse_amd(card, "AMD", memory(512 * MIB, 16 * GIB), None, limited).free == 512 * MIB + GIB


def test_card_that_tells_no_memory_has_none_known() -> None:
    gpu = parse_amd(UNKNOWN_CARD, "AMD", Memory(None, None, None, None, False), None, RAM)
    assert (gpu.kind, gpu.total, gpu.free, gpu.note) == ("discrete", None, None, "the driver does not tell its memory")


@needs_procfs
def test_unknown_on_every_part_is_how_old_kernels_say_no_chips(captured: Captured) -> None:
    world = captured("ryzen-7840u")
    device = world.root / "sys/class/drm/card1/device"
    (device / "mem_info_vram_vendor").write_text("unknown\n")
    (device / "device").write_text("0xffff\n")
    assert read_machine(world=world).gpus[0].kind == "integrated"


@pytest.mark.parametrize(
    ("version", "target"),
    [
        (110000, "gfx1100"),
        (90010, "gfx90a"),
        (90402, "gfx942"),
        (100300, "gfx1030"),
        (110501, "gfx1151"),
        (120001, "gfx1201"),
    ],
)
def test_gfx_target_is_written_with_hexadecimal_digits(version: int, target: str) -> None:
    assert parse_node(f"simd_count 96\ngfx_target_version {version}\ndrm_render_minor 128\n") == ("renderD128", target)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cpu_cores_count 16\ngfx_target_version 0\ndrm_render_minor 0\n",
        "gfx_target_version x\ndrm_render_minor 128\n",
    ],
)
def test_node_that_is_no_gpu_has_no_target(text: str) -> None:
    assert parse_node(text) is None
