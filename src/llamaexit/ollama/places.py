"""Where model stores lie, and why one cannot be read.

Ollama keeps models below the home of the user its *server* runs as, so the store is often not the caller's own
(Ollama: envconfig/config.go `Models`, scripts/install.sh, docs/faq.mdx).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

_SERVICE_HOME = "usr/share/ollama"
_DOCKER_VOLUMES = "var/lib/docker/volumes"


@dataclass(frozen=True, slots=True)
class Place:
    """One place a store may be at. `named`: the user asked for this one, so it has to be there."""

    path: Path
    label: str
    named: bool = False


@dataclass(frozen=True, slots=True)
class Barrier:
    """Why a directory cannot be read: the permission that is missing, and what to do about it."""

    message: str
    hint: str


def default_stores(
    environ: Mapping[str, str] = os.environ,
    *,
    system: str = "linux",
    home: Path | None = None,
    wsl: bool = False,
    root: Path = Path("/"),
) -> tuple[Place, ...]:
    """Every place a store may be at, the likeliest first; whether anything is there is not looked at.

    system: `linux`, `darwin` or `windows`. home: the user's home directory, None when there is none. root: where the
    file system starts. Only Docker volumes and the users of the Windows side of WSL are listed from disk.
    """
    places = []
    named = environ.get("OLLAMA_MODELS", "").strip().strip("\"'")
    if named:
        places.append(Place(Path(named).expanduser() if home else Path(named), "OLLAMA_MODELS", named=True))
    if home is not None:
        places.append(Place(home / ".ollama" / "models", "your own store"))
    if system == "linux":
        places.append(Place(root / _SERVICE_HOME / ".ollama" / "models", "store of the ollama service"))
        places.append(Place(root / "var/snap/ollama/common/models", "store of the Ollama snap"))
        volumes = [root / _DOCKER_VOLUMES]
        if home is not None:
            volumes.append(home / ".local/share/docker/volumes")
        for folder in volumes:
            for volume in _entries(folder):
                if "ollama" in volume.name.lower():
                    places.append(Place(volume / "_data" / "models", f"Docker volume {volume.name}"))
        if wsl:
            for user in _entries(root / "mnt/c/Users"):
                store = user / ".ollama" / "models"
                if _is_there(store):
                    places.append(Place(store, f"Windows side, user {user.name}"))
    unique = {os.path.normpath(place.path): place for place in reversed(places)}
    return tuple(place for place in places if unique[os.path.normpath(place.path)] is place)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_there(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def usable_stores(places: Iterable[Place]) -> tuple[tuple[Place, ...], tuple[Barrier, ...]]:
    """The places that hold a store which can be read, in order, and the barriers before those that cannot.

    Places where there is nothing are passed over in silence, unless the user named them.
    """
    usable, barriers = [], []
    for place in places:
        manifests = place.path / "manifests"
        try:
            with os.scandir(manifests):
                usable.append(place)
        except PermissionError:
            barriers.append(barrier(manifests))
        except OSError as error:
            if place.named:
                barriers.append(
                    Barrier(
                        f"{place.label} names {place.path}, which is no model store: {error.strerror or error}",
                        "a store holds the directories manifests and blobs",
                    )
                )
    return tuple(usable), tuple(barriers)


def barrier(path: PurePath) -> Barrier:
    """The first directory on the way to `path` (itself included) that this user may not enter or list, in words."""
    folder, missing = _closed(Path(path))
    ask = "or ask the running server (--host)"
    if folder is None:
        return Barrier(f"{path} may not be read", f"run as a user who may, {ask}")
    told = f"{path} may not be read: {missing} permission is missing on {folder}"
    if os.name == "nt":
        return Barrier(told, f"run as the user Ollama runs as, {ask}")
    info = folder.stat()
    owner, group = _user(info.st_uid), _group(info.st_gid)
    told += f" ({owner}:{group}, {stat.filemode(info.st_mode)})"
    needed = stat.S_IXGRP if missing == "enter" else stat.S_IXGRP | stat.S_IRGRP
    if owner == "root":
        return Barrier(told, f"sudo llamaexit …, {ask}")
    if info.st_mode & needed == needed and info.st_gid not in os.getgroups():
        return Barrier(told, f"join the group (sudo usermod -aG {group} $USER, then log in again), {ask}")
    return Barrier(told, f"sudo -u {owner} llamaexit …, {ask}")


def _closed(path: Path) -> tuple[Path | None, str]:
    """The directory that bars the way and what it does not let us do; None when it cannot be told."""
    for folder in [*reversed(path.parents), path]:
        try:
            if not stat.S_ISDIR(folder.stat().st_mode):
                return None, ""
        except OSError:
            return None, ""
        if not os.access(folder, os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            return folder, "enter"
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        return path, "read"
    return None, ""


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
