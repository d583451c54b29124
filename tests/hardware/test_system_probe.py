from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llamaexit.hardware.probe import World
from llamaexit.hardware.system import parse_container, parse_os_release, read_system


def linux(root: Path, **environ: str) -> World:
    return World(root=root, platform="linux", machine="x86_64", environ=environ)


def put(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_linux_is_named_by_distribution_and_kernel(captured: Callable[..., World]) -> None:
    system = read_system(captured("rx-7900-xtx")).value
    assert (system.os, system.release) == ("linux", "Ubuntu 24.04.1 LTS (kernel 6.8.0-48-generic)")
    assert (system.architecture, system.wsl, system.container) == ("x86_64", False, None)


@pytest.mark.parametrize(
    ("kernel", "wsl"),
    [
        ("5.15.167.4-microsoft-standard-WSL2", True),
        ("4.4.0-19041-Microsoft", True),
        ("6.8.0-48-generic", False),
        ("6.8.0-1018-azure", False),
    ],
)
def test_wsl_is_known_by_its_kernel(tmp_path: Path, kernel: str, wsl: bool) -> None:
    put(tmp_path, "proc/sys/kernel/osrelease", f"{kernel}\n")
    assert read_system(linux(tmp_path)).value.wsl is wsl


@pytest.mark.parametrize(
    ("files", "environ", "container"),
    [
        pytest.param({}, {}, None, id="no container"),
        pytest.param({".dockerenv": ""}, {}, "docker", id="Docker"),
        pytest.param({"run/.containerenv": 'engine="podman-5.2.2"\n'}, {"container": "podman"}, "podman", id="Podman"),
        pytest.param({"run/systemd/container": "lxc\n"}, {}, "lxc", id="LXC by systemd"),
        pytest.param({}, {"container": "systemd-nspawn"}, "systemd-nspawn", id="nspawn by its environment"),
        pytest.param({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, "kubernetes", id="a pod"),
        pytest.param({"proc/self/cgroup": "5:memory:/docker/9f86d0\n"}, {}, "docker", id="Docker by its group"),
        pytest.param({"proc/self/cgroup": "0::/user.slice/session-3.scope\n"}, {}, None, id="a desktop session"),
    ],
)
def test_container_is_known_by_what_its_runtime_leaves(
    tmp_path: Path, files: dict[str, str], environ: dict[str, str], container: str | None
) -> None:
    for name, text in files.items():
        put(tmp_path, name, text)
    assert read_system(linux(tmp_path, **environ)).value.container == container


@pytest.mark.parametrize(
    ("cgroup", "container"),
    [
        ("0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-9f.scope\n", "kubernetes"),
        ("0::/machine.slice/libpod-9f86d0.scope/container\n", "podman"),
        ("5:memory:/lxc/101\n", "lxc"),
        ("0::/system.slice/containerd.service/9f86\n", "containerd"),
        ("0::/init.scope\n", None),
    ],
)
def test_group_names_give_the_runtime_away(cgroup: str, container: str | None) -> None:
    assert parse_container(cgroup) == container


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\n', "Arch Linux"),
        ("NAME=NixOS\nID=nixos\n", "NixOS"),
        ("PRETTY_NAME='Alpine Linux v3.20'\n", "Alpine Linux v3.20"),
        ("# nothing\n", ""),
        ("", ""),
    ],
)
def test_name_of_a_distribution(text: str, name: str) -> None:
    assert parse_os_release(text) == name


def test_linux_without_any_file_is_still_linux(tmp_path: Path) -> None:
    answer = read_system(linux(tmp_path))
    assert (answer.value.os, answer.value.wsl, answer.value.container) == ("linux", False, None)
    assert answer.value.release.startswith("Linux (kernel ")


@pytest.mark.parametrize(("machine", "name"), [("aarch64", "arm64"), ("AMD64", "x86_64"), ("riscv64", "riscv64")])
def test_one_architecture_has_one_name(tmp_path: Path, machine: str, name: str) -> None:
    assert read_system(World(root=tmp_path, platform="linux", machine=machine)).value.architecture == name


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows the version is read from the running system")
def test_windows_is_called_windows_and_knows_its_processor(tmp_path: Path) -> None:
    world = World(root=tmp_path, platform="win32", machine="", environ={"PROCESSOR_ARCHITECTURE": "AMD64"})
    system = read_system(world).value
    assert (system.os, system.architecture) == ("windows", "x86_64")
