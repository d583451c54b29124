"""What is read on Windows, against a stand-in for winreg and user32 that holds a captured registry."""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

import pytest

from llamaexit.hardware import adapters, cpu, system
from llamaexit.hardware.probe import ProbeError, World

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the real registry is read there")
CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
PROCESSOR = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
Tree = dict[str, Any]


class Key:
    def __init__(self, content: Tree) -> None:
        self.content = content

    def __enter__(self) -> Key:
        return self

    def __exit__(self, *caught: type[BaseException] | BaseException | TracebackType | None) -> None:
        return None


class Registry:
    """As much of winreg as is used; keys are dicts, values anything else."""

    HKEY_LOCAL_MACHINE = "HKLM"

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def OpenKey(self, parent: Any, name: str) -> Key:
        within = self.tree if parent == self.HKEY_LOCAL_MACHINE else parent.content
        if name not in within:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return Key(within[name])

    def QueryInfoKey(self, key: Key) -> tuple[int, int, int]:
        return sum(isinstance(value, dict) for value in key.content.values()), 0, 0

    def EnumKey(self, key: Key, index: int) -> str:
        return [name for name, value in key.content.items() if isinstance(value, dict)][index]

    def QueryValueEx(self, key: Key, name: str) -> tuple[Any, int]:
        if name not in key.content:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return key.content[name], 0


def on_windows(monkeypatch: pytest.MonkeyPatch, tree: Tree) -> None:
    version = SimpleNamespace(build=26100, major=10)
    windows = SimpleNamespace(platform="win32", getwindowsversion=lambda: version)
    for module in (adapters, cpu, system):
        monkeypatch.setattr(module, "sys", windows)
    monkeypatch.setitem(sys.modules, "winreg", Registry(tree))  # type: ignore[arg-type]


def test_every_numbered_adapter_is_read_with_the_values_it_has(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    entries = json.loads((data / "windows-many-adapters" / "registry.json").read_text(encoding="utf-8"))
    keys: Tree = {f"{index:04}": entry for index, entry in enumerate(entries)}
    on_windows(monkeypatch, {CLASS: {**keys, "Configuration": {}, "Properties": {}}})
    found = adapters.read_adapters()
    assert len(found) == len(entries)
    assert [adapter["DriverDesc"] for adapter in found] == [entry["DriverDesc"] for entry in entries]
    assert not any("HardwareInformation.MemorySize" in adapter for adapter in found)


def test_registry_without_the_class_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    on_windows(monkeypatch, {})
    with pytest.raises(ProbeError, match="the registry does not show the display adapters"):
        adapters.read_adapters()


def test_adapters_that_are_there_are_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    on_windows(monkeypatch, {})
    outputs = ["AMD Radeon RX 9070 XT", "AMD Radeon RX 9070 XT", "AMD Radeon(TM) Graphics"]

    def enumerate_devices(of: None, index: int, pointer: Any, flags: int) -> int:
        if index >= len(outputs):
            return 0
        pointer._obj.DeviceString = outputs[index]
        return 1

    user32 = SimpleNamespace(EnumDisplayDevicesW=enumerate_devices)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(user32=user32), raising=False)
    assert adapters.read_present() == {"AMD Radeon RX 9070 XT", "AMD Radeon(TM) Graphics"}


def test_processor_and_release_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    on_windows(monkeypatch, {PROCESSOR: {"ProcessorNameString": "AMD Ryzen 7 7800X3D 8-Core Processor           "}})
    world = World(root=tmp_path, platform="win32", machine="AMD64")
    assert cpu.read_cpu(world).value.model == "AMD Ryzen 7 7800X3D 8-Core Processor"
    assert system.read_system(world).value.release == "Windows 11 (build 26100)"
