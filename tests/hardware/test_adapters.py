from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamaexit.hardware.adapters import parse_adapters
from llamaexit.hardware.amd import LEFT_OUT
from llamaexit.units import GIB, MIB


@pytest.fixture
def registry(data: Path) -> list[dict[str, Any]]:
    text = (data / "windows-many-adapters" / "registry.json").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = json.loads(text)
    return entries


def test_memory_is_the_64_bit_figure_of_each_amd_card(registry: list[dict[str, Any]]) -> None:
    gpus = {gpu.name: gpu for gpu in parse_adapters(registry, frozenset(), "amd").value}
    assert {name: (gpu.kind, gpu.total) for name, gpu in gpus.items()} == {
        "AMD Radeon RX 9070 XT": ("discrete", 17095983104),
        "AMD Radeon Graphics": ("integrated", 512 * MIB),
        "AMD Radeon PRO W6800": ("discrete", 34342961152),
        "Radeon RX 580 Series": ("discrete", None),
    }
    assert gpus["AMD Radeon Graphics"].note == LEFT_OUT
    assert {gpu.free for gpu in gpus.values()} == {None}


def test_intel_cards_are_told_from_integrated_parts(registry: list[dict[str, Any]]) -> None:
    gpus = parse_adapters(registry, frozenset(), "intel").value
    assert [(gpu.name, gpu.kind, gpu.total, gpu.shares_ram) for gpu in gpus] == [
        ("Intel Arc A770 Graphics", "discrete", 16974348288, False),
        ("Intel UHD Graphics 770", "integrated", 128 * MIB, True),
    ]
    assert gpus[0].driver == "32.0.101.6314"


def test_card_that_was_taken_out_is_left_out(registry: list[dict[str, Any]]) -> None:
    present = frozenset({"AMD Radeon RX 9070 XT", "Microsoft Remote Display Adapter"})
    assert [gpu.name for gpu in parse_adapters(registry, present, "amd").value] == ["AMD Radeon RX 9070 XT"]
    assert not parse_adapters(registry, present, "intel").found


def test_number_written_as_bytes_is_read() -> None:
    entry = {
        "DriverDesc": "AMD Radeon RX 6800",
        "MatchingDeviceId": r"PCI\VEN_1002&DEV_73BF&REV_C3",
        "HardwareInformation.qwMemorySize": (16 * GIB).to_bytes(8, "little"),
    }
    assert parse_adapters([entry], frozenset(), "amd").value[0].total == 16 * GIB


@pytest.mark.parametrize("value", [None, 0, "", b"", "17179869184"])
def test_value_that_is_no_size_leaves_the_memory_unknown(value: object) -> None:
    entry = {
        "DriverDesc": "AMD Radeon RX 6800",
        "MatchingDeviceId": r"PCI\VEN_1002&DEV_73BF",
        "HardwareInformation.qwMemorySize": value,
    }
    (gpu,) = parse_adapters([entry], frozenset(), "amd").value
    assert (gpu.total, gpu.note) == (None, "the driver does not tell its memory")
