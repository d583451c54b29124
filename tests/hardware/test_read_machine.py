from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from llamaexit.hardware import read_machine
from llamaexit.hardware.probe import ProbeError, World, load_nvml, run
from llamaexit.snapshot import Machine, Ram
from llamaexit.units import GIB

Captured = Callable[..., World]
needs_procfs = pytest.mark.skipif(sys.platform != "linux", reason="psutil reads a captured /proc only on Linux")
LINUX_PROBES = ["system", "ram", "cgroup", "cpu", "disk", "drm", "nvidia", "amd", "intel"]


def outcomes(machine: Machine) -> dict[str, str]:
    return {probe.name: probe.outcome for probe in machine.probes}


def test_this_machine_is_read_without_a_broken_basic_probe(tmp_path: Path) -> None:
    machine = read_machine(tmp_path)
    told = outcomes(machine)
    assert {told[name] for name in ("system", "ram", "cpu", "disk")} == {"found"}
    assert len(told) == len(machine.probes)
    assert machine.ram.total == psutil.virtual_memory().total
    assert 0 < machine.ram.available <= machine.ram.total
    assert 0 < machine.ram.usable_now <= machine.ram.usable_total <= machine.ram.total
    assert 0 <= machine.ram.swap_free <= machine.ram.swap_total
    assert (machine.ram.limit is None) == (machine.ram.headroom is None) == (machine.ram.limit_source is None)
    assert machine.cpu.logical_cores == psutil.cpu_count()
    assert machine.disk is not None
    assert (machine.disk.path, machine.overrides) == (str(tmp_path), ())
    assert [gpu.index for gpu in machine.gpus] == list(range(len(machine.gpus)))
    for gpu in machine.gpus:
        assert gpu.total is None or gpu.free is None or 0 <= gpu.free <= gpu.total


def test_reading_prints_nothing_and_leaves_the_environment_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = dict(os.environ)
    read_machine(tmp_path)
    assert dict(os.environ) == before
    assert capfd.readouterr() == ("", "")


@needs_procfs
@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="this machine has an NVIDIA driver")
def test_bindings_of_nvidia_are_not_imported_without_a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    read_machine(tmp_path)
    assert "pynvml" not in sys.modules


@needs_procfs
def test_linux_runs_its_probes_and_says_what_each_found(captured: Captured) -> None:
    machine = read_machine(world=captured("rx-7900-xtx"))
    assert [probe.name for probe in machine.probes] == LINUX_PROBES
    assert outcomes(machine) | {"disk": "found"} == {
        "system": "found", "ram": "found", "cgroup": "absent", "cpu": "found", "disk": "found", "drm": "found",
        "nvidia": "absent", "amd": "found", "intel": "absent",
    }  # fmt: skip
    assert all(probe.detail for probe in machine.probes)


@needs_procfs
def test_ram_and_swap_are_those_of_meminfo(captured: Captured) -> None:
    assert read_machine(world=captured("rx-7900-xtx")).ram == Ram(
        total=65521168 * 1024, available=60123456 * 1024, swap_total=8388604 * 1024, swap_free=8388604 * 1024
    )


def test_swap_that_is_not_told_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise RuntimeError("PdhAddEnglishCounterW failed. Performance counters may be disabled.")

    monkeypatch.setattr(psutil, "swap_memory", refuse)
    machine = read_machine(tmp_path)
    assert (machine.ram.swap_total, machine.ram.swap_free, outcomes(machine)["ram"]) == (0, 0, "found")


@needs_procfs
def test_virtual_displays_and_software_rendering_are_no_gpus(captured: Captured) -> None:
    machine = read_machine(world=captured("server-without-gpu"))
    assert machine.gpus == ()
    assert {outcomes(machine)[name] for name in ("nvidia", "amd", "intel")} == {"absent"}
    (drm,) = (probe for probe in machine.probes if probe.name == "drm")
    assert drm.detail == "1a03:2000 (ast), 1af4:1050 (virtio-pci), 102b:0536 (mgag200)"


@needs_procfs
def test_cards_of_two_vendors_are_numbered_through(captured: Captured, data: Path, nvml: Any) -> None:
    recorded = json.loads((data / "rtx-4090" / "nvml.json").read_text(encoding="utf-8"))
    world = captured("ryzen-7840u", nvml=lambda: nvml(recorded))
    (world.root / "dev/nvidiactl").touch()
    gpus = read_machine(world=world).gpus
    assert [(gpu.index, gpu.vendor) for gpu in gpus] == [(0, "nvidia"), (1, "amd")]


@needs_procfs
def test_machine_without_proc_and_sys_answers_what_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))
    machine = read_machine(tmp_path, World(root=tmp_path, platform="linux", environ={}))
    assert machine.ram == Ram(0, 0)
    assert (machine.gpus, machine.system.os) == ((), "linux")
    assert outcomes(machine)["ram"] == "broken"
    assert {outcomes(machine)[name] for name in ("drm", "cgroup", "nvidia", "amd", "intel")} == {"absent"}
    (ram,) = (probe for probe in machine.probes if probe.name == "ram")
    assert ram.detail == f"the system does not tell its memory: {tmp_path}/proc/meminfo: No such file or directory"


@needs_procfs
def test_meminfo_that_is_cut_short_is_broken_not_a_crash(captured: Captured) -> None:
    world = captured("rx-7900-xtx")
    (world.root / "proc/meminfo").write_text("MemTotal:\n")
    machine = read_machine(world=world)
    assert outcomes(machine)["ram"] == "broken"
    assert outcomes(machine)["amd"] == "found"


@needs_procfs
def test_crash_inside_a_driver_library_is_that_probe_alone(captured: Captured) -> None:
    def crash() -> Any:
        raise MemoryError

    machine = read_machine(world=captured("rtx-4090", nvml=crash))
    (nvidia,) = (probe for probe in machine.probes if probe.name == "nvidia")
    assert (nvidia.outcome, nvidia.detail) == ("broken", "MemoryError")
    assert [probe.name for probe in machine.probes] == LINUX_PROBES


@needs_procfs
def test_container_limit_caps_what_an_integrated_part_has_free(captured: Captured) -> None:
    world = captured("ryzen-7840u")
    group = world.root / "sys/fs/cgroup/user.slice"
    (group / "memory.max").write_text(f"{4 * GIB}\n")
    (group / "memory.current").write_text(f"{3 * GIB}\n")
    machine = read_machine(world=world)
    assert machine.ram.usable_now == GIB
    assert machine.gpus[0].free == 134217728 + GIB


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows the real registry is read")
def test_windows_runs_its_probes_without_linux_files(tmp_path: Path) -> None:
    world = World(root=tmp_path, platform="win32", machine="AMD64", environ={"WINDIR": str(tmp_path)})
    machine = read_machine(tmp_path, world)
    assert [probe.name for probe in machine.probes] == ["system", "ram", "cpu", "disk", "nvidia", "amd", "intel"]
    assert machine.system.os == "windows"
    assert machine.gpus == ()


def test_other_systems_get_the_basics(tmp_path: Path) -> None:
    machine = read_machine(tmp_path, World(root=tmp_path, platform="freebsd14", machine="amd64"))
    assert [probe.name for probe in machine.probes] == ["system", "ram", "cpu", "disk"]
    assert machine.system.os == "freebsd14"


@needs_procfs
def test_sysfs_that_cannot_be_read_is_broken_with_the_reason(captured: Captured) -> None:
    world = captured("server-without-gpu")
    drm = world.root / "sys/class/drm"
    shutil.rmtree(drm)
    drm.symlink_to(drm)
    (probe,) = (probe for probe in read_machine(world=world).probes if probe.name == "drm")
    assert (probe.outcome, probe.detail) == ("broken", f"{drm} cannot be read: Too many levels of symbolic links")


def test_command_that_hangs_or_is_missing_is_a_probe_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamaexit.hardware.probe.COMMAND_TIMEOUT", 0.2)
    with pytest.raises(ProbeError, match="gave no answer within"):
        run([sys.executable, "-c", "import time; time.sleep(30)"])
    with pytest.raises(ProbeError, match="cannot be run"):
        run(["llamaexit-there-is-no-such-command"])


def test_command_is_answered_with_its_status_and_both_outputs() -> None:
    output = run([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"])
    assert (output.code, output.stdout.strip(), output.stderr.strip()) == (3, "out", "err")


def test_bindings_of_nvidia_have_the_calls_that_are_made(nvml: Any) -> None:
    pytest.importorskip("pynvml")
    real = load_nvml()
    called = [name for name in vars(nvml) if name.startswith("nvml")]
    called += ["nvmlDeviceGetName", "nvmlDeviceGetUUID", "nvmlDeviceGetCudaComputeCapability", "nvmlDeviceGetMigMode"]
    assert [name for name in called if not callable(getattr(real, name, None))] == []
    assert (real.NVML_ERROR_NOT_SUPPORTED, real.NVML_ERROR_NOT_FOUND) == (3, 6)
    assert (real.NVML_ERROR_LIBRARY_NOT_FOUND, real.NVML_ERROR_LIB_RM_VERSION_MISMATCH) == (12, 18)
    assert real.NVMLError(3).value == 3


def test_machine_is_plain_data(tmp_path: Path) -> None:
    machine = read_machine(tmp_path)
    assert dataclasses.asdict(machine)["ram"]["total"] == machine.ram.total
    assert hash(machine) == hash(dataclasses.replace(machine))
