"""What every probe shares: the world it looks at, the answer it gives, and the error that means "there, but broken"."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from llamaexit.snapshot import Gpu

T = TypeVar("T")

COMMAND_TIMEOUT = 5.0
"""Seconds. nvidia-smi alone takes more than one when no process keeps the driver awake."""


class ProbeError(Exception):
    """The thing is there, but it cannot be read. The message is one line and says why."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a probe learned, in data and in words. `found` is false when there is nothing to report."""

    value: T
    detail: str = ""
    found: bool = True


class Output(NamedTuple):
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str


Run = Callable[[Sequence[str]], Output]
Gpus = Answer[tuple[Gpu, ...]]


def run(argv: Sequence[str]) -> Output:
    """Run a command for a few seconds at most. Raises ProbeError when it cannot be started or does not come back."""
    import subprocess

    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=COMMAND_TIMEOUT, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise ProbeError(f"{argv[0]} gave no answer within {COMMAND_TIMEOUT:.0f} s") from None
    except OSError as error:
        raise ProbeError(f"{argv[0]} cannot be run: {error.strerror or error}") from error
    return Output(done.returncode, done.stdout, done.stderr)


def load_nvml() -> Any:
    """NVIDIA's own bindings. Imported this late because most machines never need them."""
    import pynvml  # type: ignore[import-untyped]  # ships no types

    return pynvml


def which(command: str) -> str | None:
    """Where a command is, by name on the search path or by its full path."""
    import shutil

    return shutil.which(command)


@dataclass(frozen=True, slots=True)
class World:
    """What the probes may touch. A captured machine is another root, platform, and set of tools."""

    root: Path = Path("/")
    platform: str = sys.platform
    machine: str = field(default_factory=lambda: os.uname().machine if hasattr(os, "uname") else "")
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    run: Run = run
    which: Callable[[str], str | None] = which
    nvml: Callable[[], Any] = load_nvml

    def path(self, absolute: str) -> Path:
        """Where `absolute` (`/proc/meminfo`) is in this world."""
        return self.root / absolute.lstrip("/")

    def text(self, absolute: str) -> str | None:
        """What a small file holds, or None when it is not there. Raises ProbeError when it cannot be read."""
        return read_text(self.path(absolute))


def read_text(path: Path) -> str | None:
    """What a small file holds, or None when it is not there. Raises ProbeError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ProbeError(f"{path} cannot be read: {error.strerror or error}") from error


def read_number(path: Path) -> int | None:
    """The number a sysfs file holds (decimal, or hexadecimal with 0x), or None when it holds none or is not there."""
    try:
        return int(path.read_text(encoding="ascii"), 0)
    except (OSError, ValueError):
        # drivers answer EIO, EINVAL or EPERM for a card that is asleep or in reset: it does not tell, that is all
        return None
