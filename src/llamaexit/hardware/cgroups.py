"""The memory and CPU limits that Linux control groups put on this process.

A limit on any parent binds as well, so both versions are walked from the process's own group up to the mount point.
Version 2: kernel Documentation/admin-guide/cgroup-v2.rst; version 1: cgroup-v1/memory.rst. Hybrid systems mount both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.hardware.probe import Answer, ProbeError, read_text
from llamaexit.units import gib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from llamaexit.hardware.probe import World

_ENDLESS = 1 << 60
"""Version 1 writes "no limit" as the largest page-aligned number: 9223372036854771712, less with bigger pages."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the control groups allow. memory, headroom: bytes, None without a limit. cores: CPUs at once."""

    memory: int | None = None
    headroom: int | None = None
    source: str | None = None
    cores: float | None = None


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted hierarchy. `root` is the group its mount point shows; version 1 has one mount per controller set."""

    version: int
    controllers: frozenset[str]
    root: str
    point: str


@dataclass(frozen=True, slots=True)
class Level:
    """The memory limit one group sets. `used` is what counts against it and cannot simply be dropped."""

    limit: int
    used: int
    source: str


def read_limits(world: World, total: int) -> Answer[Limits]:
    """The tightest limits on this process. `total` is the RAM of the machine: a limit above it limits nothing."""
    groups = parse_groups(world.text("/proc/self/cgroup") or "")
    # without /proc the usual place may still show a container's own limit
    mounts = parse_mounts(world.text("/proc/self/mountinfo") or "") or (Mount(2, frozenset(), "/", "/sys/fs/cgroup"),)
    levels: list[Level] = []
    quotas: list[float] = []
    for mount in mounts:
        for name, folder in _folders(world, mount, groups):
            if mount.version == 2:
                levels += _memory_v2(folder, name)
                quotas += _quota_v2(folder)
            elif "memory" in mount.controllers:
                levels += _memory_v1(folder, name)
            elif "cpu" in mount.controllers:
                quotas += _quota_v1(folder)
    limits = tightest(levels, quotas, total)
    told = [f"memory {gib(limits.memory)} ({limits.source})"] if limits.memory is not None else []
    told += [f"CPU {limits.cores:g} cores"] if limits.cores is not None else []
    return Answer(limits, ", ".join(told) or "no limit", bool(told))


def tightest(levels: Iterable[Level], quotas: Iterable[float], total: int) -> Limits:
    """The smallest limit and, independently, the smallest headroom: a roomy group may sit in a nearly full one."""
    binding = [level for level in levels if level.limit < (total or _ENDLESS)]
    cores = min(quotas, default=None)
    if not binding:
        return Limits(cores=cores)
    narrow = min(binding, key=lambda level: level.limit)
    headroom = min(max(0, level.limit - level.used) for level in binding)
    return Limits(narrow.limit, headroom, narrow.source, cores)


def parse_groups(text: str) -> dict[str, str]:
    """The group of a process by controller, out of /proc/self/cgroup; version 2 is under the empty name."""
    groups: dict[str, str] = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon:
            groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """The mounted control group hierarchies, out of /proc/self/mountinfo (proc(5))."""
    mounts = []
    for line in text.splitlines():
        front, _, back = line.partition(" - ")
        fields, kind = front.split(), back.split()
        if len(fields) < 5 or not kind or kind[0] not in ("cgroup", "cgroup2"):
            continue
        root, point = (field.replace("\\040", " ") for field in fields[3:5])
        mounts.append(Mount(2 if kind[0] == "cgroup2" else 1, frozenset(kind[-1].split(",")), root, point))
    return tuple(mounts)


def _folders(world: World, mount: Mount, groups: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """The process's group and its parents as far as the mount shows them, innermost first, with their names."""
    controller = "" if mount.version == 2 else "memory" if "memory" in mount.controllers else "cpu"
    path = groups.get(controller, "/")
    base = mount.root.rstrip("/")
    # a container without its own cgroup namespace sees the host's path, but only its own group is mounted;
    # a path outside the namespace starts with /.. and shows nothing but the mount point
    inside = path[len(base) :] if path == base or path.startswith(f"{base}/") else "/"
    parts = [part for part in inside.split("/") if part]
    if ".." in parts:
        parts = []
    point = world.path(mount.point)
    for depth in range(len(parts), -1, -1):
        yield f"{base}/{'/'.join(parts[:depth])}".rstrip("/") or "/", point.joinpath(*parts[:depth])


def _memory_v2(folder: Path, name: str) -> list[Level]:
    limits = {file: _limit(folder / file) for file in ("memory.max", "memory.high")}
    found = {file: limit for file, limit in limits.items() if limit is not None}
    if not found:
        return []
    used = (_limit(folder / "memory.current") or 0) - _stat(folder, "inactive_file")
    return [Level(limit, max(0, used), f"{file} of {name}") for file, limit in found.items()]


def _memory_v1(folder: Path, name: str) -> list[Level]:
    limit = _limit(folder / "memory.limit_in_bytes")
    if limit is None:
        return []
    used = (_limit(folder / "memory.usage_in_bytes") or 0) - _stat(folder, "total_inactive_file")
    return [Level(limit, max(0, used), f"memory.limit_in_bytes of {name}")]


def _quota_v2(folder: Path) -> list[float]:
    quota, _, period = (read_text(folder / "cpu.max") or "max").strip().partition(" ")
    return [] if quota == "max" else [_quota(quota, period, folder / "cpu.max")]


def _quota_v1(folder: Path) -> list[float]:
    quota = (read_text(folder / "cpu.cfs_quota_us") or "-1").strip()
    period = (read_text(folder / "cpu.cfs_period_us") or "").strip()
    return [] if quota.startswith("-") else [_quota(quota, period, folder / "cpu.cfs_quota_us")]


def _quota(quota: str, period: str, path: Path) -> float:
    try:
        return int(quota) / int(period or "100000")
    except (ValueError, ZeroDivisionError):
        raise ProbeError(f"{path} holds {quota!r} {period!r}, which is no quota") from None


def _limit(path: Path) -> int | None:
    text = (read_text(path) or "max").strip()
    if text == "max":
        return None
    if not text.isascii() or not text.isdecimal():
        raise ProbeError(f"{path} holds {text[:40]!r}, which is no size")
    return int(text)


def _stat(folder: Path, key: str) -> int:
    for line in (read_text(folder / "memory.stat") or "").splitlines():
        name, _, value = line.partition(" ")
        if name == key and value.isdecimal():
            return int(value)
    return 0
