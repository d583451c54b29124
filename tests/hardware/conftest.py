"""Captured machines (tests/data/hardware) as worlds the probes can look at."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from llamaexit.hardware.probe import Output, World

DATA = Path(__file__).parents[1] / "data" / "hardware"
_ERRORS = {
    3: "Not Supported",
    6: "Not Found",
    9: "Driver Not Loaded",
    12: "NVML Shared Library Not Found",
    15: "GPU is lost",
    18: "RM has detected an NVML/RM version mismatch.",
}
_FILE = re.compile(r"^==> (.+) <==\n", re.MULTILINE)


class NvmlError(Exception):
    """As pynvml's, whose text comes from a table inside the module."""

    def __init__(self, value: int) -> None:
        super().__init__(_ERRORS[value])
        self.value = value


class Nvml:
    """NVML as far as it is asked, answering from nvml.json; device handles are the JSON objects themselves."""

    NVMLError = NvmlError

    def __init__(self, recorded: dict[str, Any]) -> None:
        self.recorded = recorded
        self.open = 0

    def nvmlInit(self) -> None:
        self._answer(self.recorded.get("nvmlInit"))
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlSystemGetDriverVersion(self) -> Any:
        return self._answer(self.recorded["nvmlSystemGetDriverVersion"])

    def nvmlDeviceGetCount(self) -> int:
        return len(self.recorded["devices"])

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:
        return self._answer(self.recorded["devices"][index])

    def nvmlDeviceGetMemoryInfo(self, handle: dict[str, Any]) -> Any:
        return SimpleNamespace(**self._answer(handle["nvmlDeviceGetMemoryInfo"]))

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: dict[str, Any]) -> int:
        return len(handle["instances"])

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: dict[str, Any], index: int) -> Any:
        return self._answer(handle["instances"][index] or {"error": 6})

    def __getattr__(self, name: str) -> Callable[[dict[str, Any]], Any]:
        if not name.startswith("nvmlDeviceGet"):
            raise AttributeError(name)
        return lambda handle: self._answer(handle[name])

    def _answer(self, value: Any) -> Any:
        assert value is None or self.open or "error" in value, "NVML was asked before nvmlInit or after nvmlShutdown"
        if isinstance(value, dict) and "error" in value:
            raise NvmlError(value["error"])
        return value


def unpack(text: str, root: Path) -> None:
    """Write the files of a tree.txt under `root`."""
    _, *parts = _FILE.split(text)
    for name, content in zip(parts[::2], parts[1::2], strict=True):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        body = content.rstrip("\n").replace("\\0", "\0")
        path.write_text(f"{body}\n" if body else "", encoding="utf-8", newline="\n")


def _no_nvml() -> Any:
    raise AssertionError("NVML must not be loaded where there is no sign of a driver")


def _no_command(argv: Sequence[str]) -> Output:
    raise AssertionError(f"no command must be run here: {argv}")


@pytest.fixture
def captured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    """A captured Linux machine by name. What it was not captured with must not be touched; `changes` replace parts."""

    def build(name: str, **changes: Any) -> World:
        root = tmp_path / name
        root.mkdir()
        unpack((DATA / name / "tree.txt").read_text(encoding="utf-8"), root)
        # psutil reads /proc by itself; this is its documented way to another one
        monkeypatch.setattr(psutil, "PROCFS_PATH", str(root / "proc"), raising=False)
        recorded = DATA / name / "nvml.json"
        nvml = Nvml(json.loads(recorded.read_text(encoding="utf-8"))) if recorded.exists() else None
        world = World(
            root=root,
            platform="linux",
            machine="x86_64",
            environ={},
            run=_no_command,
            which=lambda command: None,
            nvml=_no_nvml if nvml is None else lambda: nvml,
        )
        return dataclasses.replace(world, **changes)

    return build


@pytest.fixture
def data() -> Path:
    """Where the captured machines are."""
    return DATA


@pytest.fixture
def nvml() -> type[Nvml]:
    """The stand-in for pynvml, to be made from recorded answers."""
    return Nvml
