from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llamaexit.hardware.drm import read_cards
from llamaexit.hardware.pci import AMD, INTEL, intel_is_discrete, name_of, parse_amdgpu_ids, parse_pci_ids
from llamaexit.hardware.probe import World

AMDGPU_IDS = "# List of AMDGPU IDs\n1.0.0\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n744C,\tCC,\tAMD Radeon RX 7900 XT\n"
PCI_IDS = (
    "#\n1002  Advanced Micro Devices, Inc. [AMD/ATI]\n\t744c  Navi 31 [Radeon RX 7900 XT/7900 XTX]\n"
    "\t\t1002 0e3b  RX 7900 GRE [XFX]\n8086  Intel Corporation\n\t4680  AlderLake-S GT1\n\t56a0  DG2 [Arc A770]\n"
    "8088  Beijing Wangxun Technology Co., Ltd.\n\t0100  WX1860AL-W Gigabit Ethernet Controller\n"
)


@pytest.mark.parametrize(
    ("device", "revision", "name"),
    [
        (0x744C, 0xC8, "AMD Radeon RX 7900 XTX"),
        (0x744C, 0xCC, "AMD Radeon RX 7900 XT"),
        (0x744C, 0xFF, None),
        (0x1234, 0xC8, None),
    ],
)
def test_cards_of_one_device_number_are_told_apart_by_revision(device: int, revision: int, name: str | None) -> None:
    assert parse_amdgpu_ids(AMDGPU_IDS, device, revision) == name


@pytest.mark.parametrize(
    ("vendor", "device", "name"),
    [
        pytest.param(0x8086, 0x56A0, "Arc A770", id="marketing name in brackets"),
        pytest.param(0x8086, 0x4680, "AlderLake-S GT1", id="code name only"),
        pytest.param(0x8086, 0x0100, None, id="device of the next vendor"),
        pytest.param(0x8086, 0x0E3B, None, id="subsystem of another device"),
        pytest.param(0x10DE, 0x2684, None, id="vendor that is not listed"),
    ],
)
def test_name_out_of_the_pci_list(vendor: int, device: int, name: str | None) -> None:
    assert parse_pci_ids(PCI_IDS, vendor, device) == name


@pytest.mark.parametrize(
    ("lists", "vendor", "device", "name"),
    [
        pytest.param({}, AMD, 0x1586, "AMD Radeon 8060S/8050S (Strix Halo)", id="integrated AMD part, no list here"),
        pytest.param({}, AMD, 0x744C, "AMD GPU 1002:744c", id="AMD card, no list here"),
        pytest.param({}, INTEL, 0x56A0, "Intel GPU 8086:56a0", id="Intel card, no list here"),
        pytest.param({"usr/share/hwdata/pci.ids": PCI_IDS}, INTEL, 0x56A0, "Intel Arc A770", id="list of Fedora"),
        pytest.param({"usr/share/misc/pci.ids": PCI_IDS}, INTEL, 0x56A0, "Intel Arc A770", id="list of Debian"),
        pytest.param(
            {"usr/share/misc/pci.ids": PCI_IDS, "usr/share/libdrm/amdgpu.ids": AMDGPU_IDS}, AMD, 0x744C,
            "AMD Radeon RX 7900 XTX", id="the exact list before the general one",
        ),
    ],
)  # fmt: skip
def test_best_name_this_system_knows(
    tmp_path: Path, lists: dict[str, str], vendor: int, device: int, name: str
) -> None:
    for path, text in lists.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert name_of(World(root=tmp_path), vendor, device, 0xC8) == name


@pytest.mark.parametrize(
    ("device", "discrete"),
    [(0x56A0, True), (0xE20B, True), (0x4905, True), (0x4680, False), (0x7D55, False), (0x64A0, False)],
)
def test_intel_cards_are_known_by_number(device: int, discrete: bool) -> None:
    assert intel_is_discrete(device) is discrete


def test_cards_come_in_numeric_order(captured: Callable[..., World]) -> None:
    world = captured("rx-7900-xtx")
    drm = world.root / "sys/class/drm"
    (drm / "card1").rename(drm / "card10")
    (drm / "card2/device").mkdir(parents=True)
    for name, text in (("vendor", "0x8086\n"), ("device", "0x4680\n")):
        (drm / "card2/device" / name).write_text(text)
    assert [(card.folder.name, card.driver, card.render) for card in read_cards(world).value] == [
        ("card2", "", None),
        ("card10", "amdgpu", "renderD128"),
    ]
