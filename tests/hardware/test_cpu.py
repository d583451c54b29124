from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from llamaexit.hardware.cpu import parse_cpuinfo, read_cpu
from llamaexit.hardware.probe import World


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param(
            "processor\t: 0\nmodel name\t: Intel(R) Core(TM)   i7-8700 CPU @ 3.20GHz\n",
            "Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz",
            id="x86, blanks closed up",
        ),
        pytest.param("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n", "POWER9, altivec supported", id="POWER"),
        pytest.param(
            "CPU implementer\t: 0x41\nCPU part\t: 0xd87\nCPU implementer\t: 0x41\nCPU part\t: 0xd85\n"
            "CPU implementer\t: 0x41\nCPU part\t: 0xd87\n",
            "Cortex-A725 + Cortex-X925",
            id="ARM with two kinds of cores",
        ),
        pytest.param("CPU implementer\t: 0x41\nCPU part\t: 0xfff\n", None, id="ARM part that is not listed"),
        pytest.param("CPU implementer\t: ?\nCPU part\t:\n", None, id="numbers that are none"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_name_out_of_cpuinfo(text: str, name: str | None) -> None:
    assert parse_cpuinfo(text) == name


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("strix-halo", "AMD RYZEN AI MAX+ 395 w/ Radeon 8060S"),
        ("dgx-spark-gb10", "Cortex-A725 + Cortex-X925"),
        ("jetson-agx-orin", "Cortex-A78AE"),
    ],
)
def test_name_of_a_captured_machine(captured: Callable[..., World], machine: str, name: str) -> None:
    assert read_cpu(captured(machine)).value.model == name


def test_board_names_a_processor_that_cpuinfo_does_not(tmp_path: Path) -> None:
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_text("Raspberry Pi 5 Model B Rev 1.0\0")
    world = World(root=tmp_path, platform="linux")
    assert read_cpu(world).value.model == "Raspberry Pi 5 Model B Rev 1.0"


def test_cores_are_what_psutil_counts_and_the_quota_is_kept(tmp_path: Path) -> None:
    cpu = read_cpu(World(root=tmp_path, platform="linux"), quota=1.5).value
    assert (cpu.model, cpu.quota) == (None, 1.5)
    assert cpu.logical_cores == psutil.cpu_count()
    assert cpu.physical_cores == psutil.cpu_count(logical=False)


def test_mac_names_its_processor_by_sysctl(tmp_path: Path) -> None:
    world = World(root=tmp_path, platform="darwin")
    assert read_cpu(world, sysctl={"machdep.cpu.brand_string": "Apple M1"}).value.model == "Apple M1"
