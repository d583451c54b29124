"""The operating system, and what it runs inside: WSL, a container."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from llamaexit.hardware.probe import Answer, ProbeError
from llamaexit.snapshot import System

if TYPE_CHECKING:
    from llamaexit.hardware.probe import World

_ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}
_CGROUP_MARKS = (
    ("kubepods", "kubernetes"),
    ("libpod", "podman"),
    ("docker", "docker"),
    ("/lxc", "lxc"),
    ("containerd", "containerd"),
)


def read_system(world: World) -> Answer[System]:
    """Name, release and architecture of the system, WSL and container included."""
    if world.platform == "linux":
        return _read_linux(world)
    architecture = _architecture(world)
    if world.platform == "darwin":
        import platform

        system = System("darwin", f"macOS {platform.mac_ver()[0]}".rstrip(), architecture)
    elif world.platform == "win32":
        system = System("windows", _windows_release(), architecture)
    else:
        system = System(world.platform, "", architecture)
    return Answer(system, f"{system.release or system.os}, {system.architecture}")


def _read_linux(world: World) -> Answer[System]:
    kernel = (_text_or_empty(world, "/proc/sys/kernel/osrelease") or _running_release()).strip()
    distribution = parse_os_release(_text_or_empty(world, "/etc/os-release"))
    system = System(
        os="linux",
        release=f"{distribution or 'Linux'} (kernel {kernel})",
        architecture=_architecture(world),
        wsl="microsoft" in kernel.lower(),
        container=_container(world),
    )
    inside = ", WSL" if system.wsl else ""
    inside += f", {system.container} container" if system.container else ""
    return Answer(system, f"{system.release}, {system.architecture}{inside}")


def parse_os_release(text: str) -> str:
    """The name a distribution gives itself in os-release(5), empty when it gives none."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return (values.get("PRETTY_NAME") or values.get("NAME") or "").strip().strip("\"'")


def parse_container(cgroup: str) -> str | None:
    """The container runtime that a /proc/self/cgroup without its own namespace gives away."""
    return next((name for mark, name in _CGROUP_MARKS if mark in cgroup), None)


def _container(world: World) -> str | None:
    if world.environ.get("KUBERNETES_SERVICE_HOST") or world.path("/var/run/secrets/kubernetes.io").exists():
        return "kubernetes"
    if world.path("/run/.containerenv").exists():
        return "podman"
    if world.path("/.dockerenv").exists():
        return "docker"
    # systemd-nspawn, LXC and Podman name themselves in one of these two (systemd's container interface)
    named = _text_or_empty(world, "/run/systemd/container").strip() or world.environ.get("container", "").strip()
    return named or parse_container(_text_or_empty(world, "/proc/self/cgroup"))


def _text_or_empty(world: World, absolute: str) -> str:
    try:
        return world.text(absolute) or ""
    except ProbeError:
        return ""


def _architecture(world: World) -> str:
    name = (world.machine or world.environ.get("PROCESSOR_ARCHITECTURE", "")).lower()
    return _ARCHITECTURES.get(name, name)


def _running_release() -> str:
    return os.uname().release if hasattr(os, "uname") else ""


def _windows_release() -> str:
    if sys.platform != "win32":
        return "Windows"
    version = sys.getwindowsversion()
    # Windows 11 still calls itself 10.0; the build number is what tells them apart
    return f"Windows {11 if version.build >= 22000 else version.major} (build {version.build})"
