from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from llamaexit.hardware import read_machine
from llamaexit.hardware.nvidia import NvidiaCard, answer, parse_smi, read_nvml, visible_devices
from llamaexit.hardware.probe import Output, ProbeError, World
from llamaexit.snapshot import Machine, Probe, Ram, System
from llamaexit.units import GIB, MIB

Captured = Callable[..., World]
needs_procfs = pytest.mark.skipif(sys.platform != "linux", reason="psutil reads a captured /proc only on Linux")
DESKTOP = System("linux", architecture="x86_64")
RAM = Ram(64 * GIB, 48 * GIB)


def probe(machine: Machine, name: str) -> Probe:
    return next(probe for probe in machine.probes if probe.name == name)


@needs_procfs
def test_one_card_is_reported_with_what_nvml_tells(captured: Captured) -> None:
    world = captured("rtx-4090")
    (gpu,) = read_machine(world=world).gpus
    assert (gpu.name, gpu.vendor, gpu.kind, gpu.shares_ram) == ("NVIDIA GeForce RTX 4090", "nvidia", "discrete", False)
    assert (gpu.total, gpu.free) == (24564 * MIB, 23701 * MIB)
    assert (gpu.compute_capability, gpu.driver, gpu.source, gpu.note) == ("8.9", "550.120", "NVML", "")
    assert world.nvml().open == 0


@needs_procfs
def test_two_equal_cards_stay_two_devices(captured: Captured) -> None:
    gpus = read_machine(world=captured("two-rtx-3090")).gpus
    assert [(gpu.index, gpu.total, gpu.free) for gpu in gpus] == [
        (0, 24 * GIB, 23552 * MIB),
        (1, 24 * GIB, 6144 * MIB),
    ]
    assert len({gpu.uuid for gpu in gpus}) == 2


@needs_procfs
def test_mig_instances_stand_in_place_of_their_card(captured: Captured) -> None:
    gpus = read_machine(world=captured("a100-mig")).gpus
    assert [(gpu.index, gpu.name.split(" MIG ")[1], gpu.total) for gpu in gpus] == [
        (0, "3g.20gb", 19968 * MIB),
        (1, "2g.10gb", 9856 * MIB),
        (2, "1g.5gb", 4864 * MIB),
    ]
    assert {gpu.compute_capability for gpu in gpus} == {"8.0"}


@needs_procfs
def test_mig_card_without_instances_is_no_device(captured: Captured) -> None:
    world = captured("a100-mig")
    world.nvml().recorded["devices"][0]["instances"] = [None] * 7
    machine = read_machine(world=world)
    assert machine.gpus == ()
    assert probe(machine, "nvidia") == Probe(
        "nvidia", "absent", "NVIDIA A100-SXM4-40GB: MIG is on, but no instance exists"
    )


@needs_procfs
@pytest.mark.parametrize(
    ("name", "total", "free"),
    [
        pytest.param("dgx-spark-gb10", 127600748, 119504312, id="GB10, where NVML refuses"),
        pytest.param("jetson-agx-orin", 64348808, 59871234, id="Jetson Orin, where NVML refuses"),
        pytest.param("n1x", 131893248, 121504312, id="N1X, where NVML tells a part"),
    ],
)
def test_unified_parts_have_all_of_main_memory(captured: Captured, name: str, total: int, free: int) -> None:
    (gpu,) = read_machine(world=captured(name, machine="aarch64")).gpus
    assert (gpu.kind, gpu.shares_ram, gpu.source) == ("unified", True, "MemTotal and MemAvailable")
    assert (gpu.total, gpu.free) == (total * 1024, free * 1024)


@needs_procfs
def test_jetson_before_jetpack_6_is_known_by_its_board(captured: Captured) -> None:
    world = captured("jetson-agx-orin", machine="aarch64")
    world.nvml().recorded["nvmlInit"] = {"error": 12}
    (gpu,) = read_machine(world=world).gpus
    assert (gpu.name, gpu.kind) == ("NVIDIA Jetson AGX Orin Developer Kit", "unified")
    assert gpu.total == 64348808 * 1024


def test_discrete_card_that_tells_no_memory_does_not_get_main_memory() -> None:
    (gpu,) = answer([NvidiaCard(0, "NVIDIA GRID V100D-8Q")], DESKTOP, RAM, "NVML", None, False).value
    assert (gpu.kind, gpu.total, gpu.shares_ram) == ("discrete", None, False)
    assert gpu.note == "the driver does not tell its memory"


def test_grace_hopper_with_its_own_memory_stays_discrete() -> None:
    card = NvidiaCard(0, "NVIDIA GH200 480GB", total=97871 * MIB, free=97000 * MIB)
    (gpu,) = answer([card], System("linux", architecture="arm64"), RAM, "NVML", None, False).value
    assert (gpu.kind, gpu.total) == ("discrete", 97871 * MIB)


@needs_procfs
def test_wsl_is_told_and_its_card_found(captured: Captured) -> None:
    machine = read_machine(world=captured("wsl2-rtx-3060"))
    assert machine.system.wsl
    assert [(gpu.name, gpu.total) for gpu in machine.gpus] == [("NVIDIA GeForce RTX 3060", 12 * GIB)]
    assert machine.gpus[0].note == ""


@needs_procfs
def test_driver_that_waits_for_a_restart_is_broken_and_says_so(captured: Captured) -> None:
    machine = read_machine(world=captured("driver-mismatch"))
    assert machine.gpus == ()
    assert probe(machine, "nvidia").outcome == "broken"
    assert "driver and library versions differ" in probe(machine, "nvidia").detail


@needs_procfs
def test_container_without_uvm_keeps_the_card_and_warns(captured: Captured) -> None:
    machine = read_machine(world=captured("lxc-without-uvm"))
    assert machine.system.container == "lxc"
    assert machine.gpus[0].name == "Tesla P40"
    assert machine.gpus[0].note.startswith("/dev/nvidia-uvm is missing in this container")


@needs_procfs
def test_host_without_uvm_is_no_fault_as_cuda_makes_it(captured: Captured) -> None:
    world = captured("rtx-4090")
    (world.root / "dev/nvidia-uvm").unlink()
    assert read_machine(world=world).gpus[0].note == ""


@needs_procfs
def test_container_that_was_not_given_the_gpu_says_what_to_do(captured: Captured) -> None:
    machine = read_machine(world=captured("docker-without-gpus"))
    assert machine.gpus == ()
    assert probe(machine, "nvidia").outcome == "broken"
    assert "give the docker container the GPU (--gpus all)" in probe(machine, "nvidia").detail


@needs_procfs
def test_nouveau_card_is_absent_and_named_as_the_reason(captured: Captured) -> None:
    machine = read_machine(world=captured("nouveau"))
    assert machine.gpus == ()
    assert probe(machine, "nvidia") == Probe(
        "nvidia", "absent", "driver nouveau runs the card; CUDA needs NVIDIA's own"
    )


@needs_procfs
def test_lost_card_does_not_hide_the_other(captured: Captured) -> None:
    world = captured("two-rtx-3090")
    world.nvml().recorded["devices"][0] = {"error": 15}
    machine = read_machine(world=world)
    assert [gpu.uuid for gpu in machine.gpus] == ["GPU-92b0c5f3-6a7e-4d1a-b2d9-7f8e6c5d4b02"]
    assert probe(machine, "nvidia").detail == "NVIDIA GeForce RTX 3090; card 0: GPU is lost"


@needs_procfs
def test_failure_after_the_start_is_broken_and_nvml_is_closed(captured: Captured) -> None:
    world = captured("rtx-4090")
    world.nvml().recorded["nvmlSystemGetDriverVersion"] = {"error": 9}
    assert probe(read_machine(world=world), "nvidia").detail.endswith("Driver Not Loaded")
    assert world.nvml().open == 0


def missing_module() -> object:
    raise ModuleNotFoundError("No module named 'pynvml'")


def smi(outputs: Sequence[Output], asked: list[Sequence[str]]) -> Callable[[Sequence[str]], Output]:
    answers = iter(outputs)

    def run(argv: Sequence[str]) -> Output:
        asked.append(argv)
        return next(answers)

    return run


@needs_procfs
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(
            "two-rtx-3090",
            [("NVIDIA GeForce RTX 3090", 24 * GIB, 23244 * MIB), ("NVIDIA GeForce RTX 3090", 24 * GIB, 5836 * MIB)],
            id="two cards, each with its own memory",
        ),
        pytest.param(
            "dgx-spark-gb10",
            [("NVIDIA GB10", 127600748 * 1024, 119504312 * 1024)],
            id="GB10, whose cells are [N/A]",
        ),
        pytest.param("a100-mig", [], id="MIG, which nvidia-smi cannot list"),
    ],
)
def test_nvidia_smi_answers_where_the_bindings_are_missing(
    captured: Captured, data: Path, name: str, expected: list[tuple[str, int, int]]
) -> None:
    asked: list[Sequence[str]] = []
    text = (data / name / "nvidia-smi.csv").read_text(encoding="utf-8")
    world = captured(name, nvml=missing_module, which=str, run=smi([Output(0, text, "")], asked))
    machine = read_machine(world=world)
    assert [(gpu.name, gpu.total, gpu.free) for gpu in machine.gpus] == expected
    assert asked[0][:2] == [
        "nvidia-smi",
        "--query-gpu=index,uuid,name,driver_version,memory.total,memory.free,compute_cap,mig.mode.current",
    ]


@needs_procfs
def test_old_nvidia_smi_is_asked_again_without_the_fields_it_does_not_know(captured: Captured) -> None:
    asked: list[Sequence[str]] = []
    refusal = Output(2, 'Field "compute_cap" is not a valid field to query.\n', "")
    row = Output(0, "0, GPU-6e3f7d58, Tesla K80, 470.256.02, 11441, 11438\n", "")
    world = captured("rtx-4090", nvml=missing_module, which=str, run=smi([refusal, row], asked))
    (gpu,) = read_machine(world=world).gpus
    assert (gpu.name, gpu.total, gpu.compute_capability) == ("Tesla K80", 11441 * MIB, None)
    assert asked[1][1] == "--query-gpu=index,uuid,name,driver_version,memory.total,memory.free"


@needs_procfs
def test_failing_nvidia_smi_is_broken_with_its_own_words(captured: Captured) -> None:
    failure = Output(9, "", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n")
    world = captured("rtx-4090", nvml=missing_module, which=str, run=smi([failure], []))
    machine = read_machine(world=world)
    assert probe(machine, "nvidia").outcome == "broken"
    assert probe(machine, "nvidia").detail.startswith("nvidia-smi failed: NVIDIA-SMI has failed because")


@pytest.mark.parametrize("cell", ["[N/A]", "[Not Supported]", "N/A"])
def test_smi_cells_without_a_figure_are_unknown_not_an_error(cell: str) -> None:
    (card,) = parse_smi(f"0, GPU-1, NVIDIA GB10, 580.95.05, {cell}, {cell}, 12.1, {cell}\n")
    assert (card.total, card.free, card.problem) == (None, None, None)


def test_smi_row_of_a_lost_card_is_a_problem() -> None:
    lost = "[GPU is lost]"
    (card,) = parse_smi(f"1, GPU-2, {lost}, 550.120, {lost}, {lost}, {lost}, {lost}\n")
    assert card.problem == "GPU is lost"


@pytest.mark.parametrize("text", ["", "\n", "No devices were found\n", "Failed to initialize NVML\n"])
def test_smi_text_without_rows_lists_nothing(text: str) -> None:
    assert parse_smi(text) == ()


CARDS = (
    NvidiaCard(0, "NVIDIA GeForce RTX 3090", uuid="GPU-11e4a7d2", total=24 * GIB),
    NvidiaCard(1, "NVIDIA GeForce RTX 3090", uuid="GPU-92b0c5f3", total=24 * GIB),
    NvidiaCard(
        2,
        "NVIDIA A100-SXM4-40GB",
        uuid="GPU-e86cb44c",
        instances=(
            NvidiaCard(2, "MIG 3g.20gb", uuid="MIG-7089d0f3", total=20 * GIB),
            NvidiaCard(2, "MIG 1g.5gb", uuid="MIG-9d14fb21", total=5 * GIB),
        ),
    ),
    NvidiaCard(3, "card 3", problem="GPU is lost"),
)


@pytest.mark.parametrize(
    ("value", "uuids"),
    [
        pytest.param("1", ["GPU-92b0c5f3"], id="one by number"),
        pytest.param("1,0", ["GPU-92b0c5f3", "GPU-11e4a7d2"], id="in the order written"),
        pytest.param("GPU-92", ["GPU-92b0c5f3"], id="start of a UUID"),
        pytest.param("GPU-", [], id="start of several UUIDs is no choice"),
        pytest.param("MIG-9d14fb21", ["MIG-9d14fb21"], id="a MIG instance"),
        pytest.param("GPU-e86cb44c", [], id="a card cut into instances is no device"),
        pytest.param("2", ["MIG-7089d0f3"], id="a cut card by number is its first instance"),
        pytest.param("0,7,1", ["GPU-11e4a7d2"], id="the list ends at the first wrong number"),
        pytest.param("0,0", ["GPU-11e4a7d2"], id="the list ends at a repeated card"),
        pytest.param("3", [], id="a lost card"),
        pytest.param("-1", [], id="minus one hides all"),
        pytest.param("", [], id="empty hides all"),
        pytest.param(" 0 , 1 ", ["GPU-11e4a7d2", "GPU-92b0c5f3"], id="blanks"),
    ],
)
def test_cuda_visible_devices(value: str, uuids: list[str]) -> None:
    assert [card.uuid for card in visible_devices(CARDS, value)] == uuids


@needs_procfs
def test_hidden_cards_are_left_out_and_the_probe_says_so(captured: Captured) -> None:
    machine = read_machine(world=captured("two-rtx-3090", environ={"CUDA_VISIBLE_DEVICES": "1"}))
    assert [(gpu.index, gpu.uuid) for gpu in machine.gpus] == [(0, "GPU-92b0c5f3-6a7e-4d1a-b2d9-7f8e6c5d4b02")]
    assert probe(machine, "nvidia").detail == "NVIDIA GeForce RTX 3090; CUDA_VISIBLE_DEVICES=1 shows 1 of 2"


@needs_procfs
def test_real_bindings_without_a_driver_are_broken_not_a_crash(captured: Captured) -> None:
    from llamaexit.hardware.probe import load_nvml

    pytest.importorskip("pynvml")
    if Path("/dev/nvidiactl").exists() or Path("/proc/driver/nvidia").exists():
        pytest.skip("this machine has a driver")
    machine = read_machine(world=captured("rtx-4090", nvml=load_nvml))
    assert machine.gpus == ()
    assert probe(machine, "nvidia").outcome == "broken"


def test_library_of_another_place_that_cannot_be_loaded_changes_nothing(tmp_path: Path, data: Path, nvml: Any) -> None:
    broken = tmp_path / "libnvidia-ml.so.1"
    broken.write_bytes(b"not a library")
    recorded = json.loads((data / "wsl2-rtx-3060" / "nvml.json").read_text(encoding="utf-8"))
    (card,) = read_nvml(nvml(recorded), str(broken))
    assert card.name == "NVIDIA GeForce RTX 3060"


def test_driver_not_loaded_is_a_probe_error(nvml: Any) -> None:
    with pytest.raises(ProbeError, match="the NVIDIA driver does not answer: Driver Not Loaded"):
        read_nvml(nvml({"nvmlInit": {"error": 9}}))


def test_windows_looks_for_nvml_in_its_system_folder(captured: Captured, tmp_path: Path, data: Path) -> None:
    from llamaexit.hardware.nvidia import read_nvidia

    world = captured("rtx-4090", platform="win32", environ={"WINDIR": str(tmp_path / "Windows")})
    assert not read_nvidia(world, System("windows"), RAM).found
    (tmp_path / "Windows" / "System32").mkdir(parents=True)
    (tmp_path / "Windows" / "System32" / "nvml.dll").touch()
    (gpu,) = read_nvidia(world, System("windows"), RAM).value
    assert dataclasses.astuple(gpu)[1:3] == ("nvidia", "NVIDIA GeForce RTX 4090")
