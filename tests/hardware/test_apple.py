from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from llamaexit.hardware import read_machine
from llamaexit.hardware.apple import parse_apple, parse_sysctl, read_sysctl, wired_budget
from llamaexit.hardware.probe import Output, ProbeError, World
from llamaexit.snapshot import Ram
from llamaexit.units import GIB


@pytest.mark.parametrize(
    ("machine", "name", "total"),
    [
        pytest.param("macbook-air-m1-16gb", "Apple M1", 16 * GIB * 2 // 3, id="two thirds of 16 GB"),
        pytest.param("macbook-pro-m3-pro-36gb", "Apple M3 Pro", 27 * GIB, id="three quarters of 36 GB"),
        pytest.param("macbook-pro-m3-max-64gb", "Apple M3 Max", 48 * GIB, id="three quarters of 64 GB"),
        pytest.param("mac-studio-wired-limit", "Apple M2 Ultra", 120 * GIB, id="the limit that was set"),
        pytest.param("m2-under-rosetta", "VirtualApple @ 2.50GHz", 16 * GIB, id="Python for Intel under Rosetta"),
    ],
)
def test_gpu_may_wire_a_share_of_the_memory(data: Path, machine: str, name: str, total: int) -> None:
    sysctl = parse_sysctl((data / machine / "sysctl.txt").read_text(encoding="utf-8"))
    (gpu,) = parse_apple(sysctl, Ram(int(sysctl["hw.memsize"]), 200 * GIB)).value
    assert (gpu.name, gpu.vendor, gpu.kind, gpu.shares_ram) == (name, "apple", "unified", True)
    assert (gpu.total, gpu.free) == (total, total)


def test_free_is_no_more_than_main_memory_has_available(data: Path) -> None:
    sysctl = parse_sysctl((data / "macbook-air-m1-16gb" / "sysctl.txt").read_text(encoding="utf-8"))
    (gpu,) = parse_apple(sysctl, Ram(16 * GIB, 5 * GIB)).value
    assert gpu.free == 5 * GIB


def test_limit_above_the_memory_is_the_memory() -> None:
    sysctl = {"hw.memsize": str(16 * GIB), "hw.optional.arm64": "1", "iogpu.wired_limit_mb": "65536"}
    assert parse_apple(sysctl, Ram(16 * GIB, 9 * GIB)).value[0].total == 16 * GIB


def test_intel_mac_has_no_gpu_for_ollama(data: Path) -> None:
    sysctl = parse_sysctl((data / "imac-intel" / "sysctl.txt").read_text(encoding="utf-8"))
    answer = parse_apple(sysctl, Ram(32 * GIB, 20 * GIB))
    assert (answer.value, answer.found) == ((), False)
    assert "uses the CPU only" in answer.detail


@pytest.mark.parametrize(
    ("memory", "budget"),
    [(8 * GIB, 8 * GIB * 2 // 3), (32 * GIB, 22906492245), (36 * GIB, 27 * GIB), (128 * GIB, 96 * GIB)],
)
def test_default_budget_changes_at_36_gb(memory: int, budget: int) -> None:
    assert wired_budget(memory) == budget


def test_sysctl_that_knows_only_some_names_still_answers() -> None:
    asked: list[Sequence[str]] = []

    def run(argv: Sequence[str]) -> Output:
        asked.append(argv)
        return Output(1, "hw.memsize: 17179869184\n", "sysctl: unknown oid 'iogpu.wired_limit_mb'\n")

    assert read_sysctl(World(platform="darwin", run=run)) == {"hw.memsize": "17179869184"}
    assert asked == [
        ["/usr/sbin/sysctl", "hw.memsize", "hw.optional.arm64", "iogpu.wired_limit_mb", "machdep.cpu.brand_string"]
    ]


def test_sysctl_that_answers_nothing_is_broken() -> None:
    world = World(platform="darwin", run=lambda argv: Output(1, "", "sysctl: unknown oid 'hw.memsize'\n"))
    with pytest.raises(ProbeError, match=r"^sysctl: unknown oid 'hw\.memsize'$"):
        read_sysctl(world)


def test_mac_is_read_with_one_command_and_no_linux_probe(data: Path, tmp_path: Path) -> None:
    text = (data / "macbook-pro-m3-max-64gb" / "sysctl.txt").read_text(encoding="utf-8")
    world = World(root=tmp_path, platform="darwin", machine="arm64", run=lambda argv: Output(0, text, ""))
    machine = read_machine(tmp_path, world)
    assert (machine.system.os, machine.system.architecture, machine.cpu.model) == ("darwin", "arm64", "Apple M3 Max")
    assert [gpu.total for gpu in machine.gpus] == [48 * GIB]
    assert [probe.name for probe in machine.probes] == ["system", "ram", "sysctl", "cpu", "disk", "apple"]
    assert {probe.outcome for probe in machine.probes} == {"found"}


def test_mac_whose_sysctl_fails_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    world = World(root=tmp_path, platform="darwin", run=lambda argv: Output(1, "", ""))
    machine = read_machine(tmp_path, world)
    assert machine.gpus == ()
    assert {probe.name: probe.outcome for probe in machine.probes} == {
        "system": "found", "ram": "found", "sysctl": "broken", "cpu": "found", "disk": "found", "apple": "broken",
    }  # fmt: skip
