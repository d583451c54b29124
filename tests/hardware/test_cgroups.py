from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from llamaexit.hardware import read_machine
from llamaexit.hardware.cgroups import Level, parse_groups, parse_mounts, read_limits, tightest
from llamaexit.hardware.probe import ProbeError, World
from llamaexit.snapshot import Machine, Probe
from llamaexit.units import GIB

Captured = Callable[..., World]
needs_procfs = pytest.mark.skipif(sys.platform != "linux", reason="psutil reads a captured /proc only on Linux")


def cgroup_probe(machine: Machine) -> Probe:
    return next(probe for probe in machine.probes if probe.name == "cgroup")


@needs_procfs
@pytest.mark.parametrize(
    ("name", "limit", "headroom", "source", "cores"),
    [
        pytest.param(
            "docker-8gib", 8 * GIB, 6 * GIB + GIB // 2, "memory.max of /", 2.0, id="a container with its own namespace"
        ),
        pytest.param(
            "nested-slices", 12 * GIB, 3 * GIB, "memory.max of /system.slice/ci.slice", 1.5, id="a tighter parent"
        ),
        pytest.param(
            "systemd-memory-high", 16 * GIB, 13 * GIB, "memory.high of /user.slice/user-1000.slice", None,
            id="memory.high below memory.max",
        ),
        pytest.param("rtx-4090", None, None, None, None, id="a desktop session without limits"),
        pytest.param("cgroup-v1-no-limit", None, None, None, None, id="version 1 without limits"),
    ],
)  # fmt: skip
def test_tightest_limit_on_the_way_to_the_root_binds(
    captured: Captured, name: str, limit: int | None, headroom: int | None, source: str | None, cores: float | None
) -> None:
    machine = read_machine(world=captured(name))
    assert (machine.ram.limit, machine.ram.headroom, machine.ram.limit_source) == (limit, headroom, source)
    assert machine.cpu.quota == cores
    assert cgroup_probe(machine).outcome == ("absent" if limit is None else "found")


@needs_procfs
def test_version_1_container_shows_its_own_group_under_the_path_of_the_host(captured: Captured) -> None:
    machine = read_machine(world=captured("docker-cgroup-v1"))
    assert (machine.ram.limit, machine.ram.headroom, machine.cpu.quota) == (4 * GIB, 2 * GIB, 1.5)
    assert str(machine.ram.limit_source).startswith("memory.limit_in_bytes of /docker/9f86d081")
    assert machine.system.container == "docker"
    assert (machine.ram.usable_total, machine.ram.usable_now) == (4 * GIB, 2 * GIB)


@needs_procfs
def test_file_pages_that_can_be_dropped_leave_headroom(captured: Captured) -> None:
    world = captured("docker-8gib")
    (world.root / "sys/fs/cgroup/memory.stat").write_text("anon 1\ninactive_file 0\n")
    assert read_machine(world=world).ram.headroom == 6 * GIB


@needs_procfs
def test_group_over_its_memory_high_has_no_headroom(captured: Captured) -> None:
    world = captured("docker-8gib")
    (world.root / "sys/fs/cgroup/memory.current").write_text(f"{9 * GIB}\n")
    assert read_machine(world=world).ram.headroom == 0


@needs_procfs
def test_limit_above_the_memory_of_the_machine_is_none(captured: Captured) -> None:
    world = captured("docker-8gib")
    (world.root / "sys/fs/cgroup/memory.max").write_text(f"{512 * GIB}\n")
    machine = read_machine(world=world)
    assert (machine.ram.limit, machine.ram.headroom) == (None, None)
    assert machine.ram.usable_total == machine.ram.total


@needs_procfs
@pytest.mark.parametrize("path", ["0::/../../other.slice\n", "0::/not/mounted/here\n"])
def test_group_that_is_not_shown_falls_back_to_the_mount_point(captured: Captured, path: str) -> None:
    world = captured("docker-8gib")
    (world.root / "proc/self/cgroup").write_text(path)
    assert read_machine(world=world).ram.limit == 8 * GIB


@needs_procfs
def test_limit_is_found_without_proc(captured: Captured) -> None:
    world = captured("docker-8gib")
    for name in ("cgroup", "mountinfo"):
        (world.root / "proc/self" / name).unlink()
    assert read_machine(world=world).ram.limit == 8 * GIB


@needs_procfs
@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("memory.max", "lots\n", "holds 'lots', which is no size"),
        ("memory.max", "-1\n", "holds '-1', which is no size"),
        ("cpu.max", "fast 100000\n", "holds 'fast' '100000', which is no quota"),
        ("cpu.max", "100000 0\n", "holds '100000' '0', which is no quota"),
    ],
)
def test_nonsense_in_a_limit_is_broken_not_no_limit(captured: Captured, file: str, text: str, says: str) -> None:
    world = captured("docker-8gib")
    (world.root / "sys/fs/cgroup" / file).write_text(text)
    with pytest.raises(ProbeError, match=says):
        read_limits(world, 64 * GIB)
    machine = read_machine(world=world)
    assert cgroup_probe(machine).outcome == "broken"
    assert machine.ram.total > 0


def test_narrowest_limit_and_smallest_headroom_may_come_from_two_groups() -> None:
    levels = [Level(8 * GIB, GIB, "memory.max of /a/b"), Level(12 * GIB, 11 * GIB, "memory.max of /a")]
    limits = tightest(levels, [], 64 * GIB)
    assert (limits.memory, limits.headroom, limits.source) == (8 * GIB, GIB, "memory.max of /a/b")


@pytest.mark.parametrize("huge", [9223372036854771712, 9223372036854710272, 18446744073709551615])
def test_huge_limit_of_version_1_is_none_even_where_ram_is_not_known(huge: int) -> None:
    assert tightest([Level(huge, 0, "memory.limit_in_bytes of /")], [], 0).memory is None


def test_limit_counts_where_ram_is_not_known() -> None:
    assert tightest([Level(8 * GIB, GIB, "memory.max of /")], [2.0, 0.5], 0).memory == 8 * GIB


def test_groups_are_listed_by_controller() -> None:
    text = "11:cpu,cpuacct:/docker/9f\n1:name=systemd:/init.scope\n0::/user.slice/a:b.scope\ngarbage\n"
    assert parse_groups(text) == {
        "cpu": "/docker/9f", "cpuacct": "/docker/9f", "name=systemd": "/init.scope", "": "/user.slice/a:b.scope",
    }  # fmt: skip


def test_mounts_of_other_kinds_and_broken_lines_are_passed_over() -> None:
    text = (
        "22 1 0:20 / /proc rw,nosuid - proc proc rw\n"
        "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
        "35 31 0:32 / /sys/fs/cgroup/with\\040blank rw - cgroup2 cgroup2 rw\n"
        "36\n"
        "37 31 - cgroup\n"
    )
    assert [(mount.version, mount.point) for mount in parse_mounts(text)] == [(2, "/sys/fs/cgroup/with blank")]
