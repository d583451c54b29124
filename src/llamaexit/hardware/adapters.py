"""AMD and Intel display adapters on Windows, from the registry.

The 64-bit `HardwareInformation.qwMemorySize` is what the driver wrote; WMI's AdapterRAM and the older
`HardwareInformation.MemorySize` have 32 bits, so 8 GiB come out as 4 or 0 and 10 GiB as 2: they are never read.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from llamaexit.hardware import pci
from llamaexit.hardware.amd import LEFT_OUT
from llamaexit.hardware.probe import Answer, Gpus, ProbeError
from llamaexit.snapshot import Gpu

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from llamaexit.snapshot import Vendor

_CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
_VALUES = (
    "DriverDesc",
    "DriverVersion",
    "MatchingDeviceId",
    "HardwareInformation.qwMemorySize",
)
_ID = re.compile(r"PCI\\VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})", re.IGNORECASE)


def read_adapters() -> list[dict[str, Any]]:
    """The values of every display adapter Windows ever had a driver for. Raises ProbeError when it does not tell."""
    if sys.platform != "win32":
        return []
    import winreg

    adapters = []
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _CLASS) as top:
            names = [winreg.EnumKey(top, index) for index in range(winreg.QueryInfoKey(top)[0])]
            for name in names:
                if not name.isdecimal():
                    continue
                values = {}
                with winreg.OpenKey(top, name) as key:
                    for value in _VALUES:
                        try:
                            values[value] = winreg.QueryValueEx(key, value)[0]
                        except FileNotFoundError:
                            continue
                adapters.append(values)
    except OSError as error:
        raise ProbeError(f"the registry does not show the display adapters: {error.strerror or error}") from error
    return adapters


def read_present() -> frozenset[str]:
    """Descriptions of the adapters that are there now; empty where Windows shows none, as to a service."""
    if sys.platform != "win32":
        return frozenset()
    import ctypes
    from ctypes import wintypes

    class DisplayDevice(ctypes.Structure):
        _fields_ = (
            ("cb", wintypes.DWORD),
            ("DeviceName", wintypes.WCHAR * 32),
            ("DeviceString", wintypes.WCHAR * 128),
            ("StateFlags", wintypes.DWORD),
            ("DeviceID", wintypes.WCHAR * 128),
            ("DeviceKey", wintypes.WCHAR * 128),
        )

    present: list[str] = []
    device = DisplayDevice(cb=ctypes.sizeof(DisplayDevice))
    # one entry per output: a card with four of them comes four times
    while ctypes.windll.user32.EnumDisplayDevicesW(None, len(present), ctypes.byref(device), 0):
        present.append(device.DeviceString)
    return frozenset(present)


def parse_adapters(adapters: Iterable[Mapping[str, Any]], present: AbstractSet[str], vendor: Vendor) -> Gpus:
    """The adapters of one vendor. The registry keeps cards that were taken out: with `present` they are left out."""
    number = pci.AMD if vendor == "amd" else pci.INTEL
    gpus = []
    for values in adapters:
        match = _ID.match(str(values.get("MatchingDeviceId", "")))
        name = str(values.get("DriverDesc", ""))
        if match is None or int(match[1], 16) != number or (present and name not in present):
            continue
        device = int(match[2], 16)
        integrated = device in pci.AMD_INTEGRATED if vendor == "amd" else not pci.intel_is_discrete(device)
        total = _number(values.get("HardwareInformation.qwMemorySize")) or None
        note = "Windows does not tell its free memory" if total else "the driver does not tell its memory"
        gpus.append(
            Gpu(
                index=0,
                vendor=vendor,
                name=" ".join(re.sub(r"\((?:R|TM)\)", "", name).split()) or f"GPU {match[1]}:{match[2]}",
                kind="integrated" if integrated else "discrete",
                total=total,
                free=None,
                shares_ram=integrated,
                driver=str(values["DriverVersion"]) if "DriverVersion" in values else None,
                source="Windows registry",
                note=LEFT_OUT if integrated else note,
            )
        )
    return Answer(tuple(gpus), ", ".join(f"{gpu.name} ({gpu.kind})" for gpu in gpus) or "no card", bool(gpus))


def _number(value: Any) -> int:
    """A registry number: drivers write it as DWORD, QWORD or as little-endian bytes."""
    if isinstance(value, bytes):
        return int.from_bytes(value[:8], "little")
    return value if isinstance(value, int) else 0
