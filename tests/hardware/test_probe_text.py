from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.hardware.amd import parse_node
from llamaexit.hardware.apple import parse_sysctl
from llamaexit.hardware.cgroups import parse_groups, parse_mounts
from llamaexit.hardware.cpu import parse_cpuinfo
from llamaexit.hardware.drm import parse_uevent
from llamaexit.hardware.known import find, similar, vendor_of
from llamaexit.hardware.nvidia import NvidiaCard, parse_smi, visible_devices
from llamaexit.hardware.pci import parse_amdgpu_ids, parse_pci_ids
from llamaexit.hardware.probe import World, read_number
from llamaexit.hardware.system import parse_container, parse_os_release

CARDS = (NvidiaCard(0, "a", uuid="GPU-1"), NvidiaCard(1, "b", uuid="GPU-2"), NvidiaCard(2, "c", instances=()))
LINES = st.lists(st.text(alphabet="0123456789abcGPU-/:=,.[] \t_xM\0é²٣", max_size=40), max_size=8).map("\n".join)


@pytest.mark.parametrize(
    "parse",
    [parse_node, parse_sysctl, parse_groups, parse_mounts, parse_cpuinfo, parse_uevent, parse_smi, parse_container,
     parse_os_release, find, vendor_of, similar, lambda text: parse_amdgpu_ids(text, 1, 2),
     lambda text: parse_pci_ids(text, 0x8086, 0x56A0)],
)  # fmt: skip
@given(text=LINES)
def test_text_of_any_kind_is_understood_or_passed_over(parse: Callable[[str], object], text: str) -> None:
    parse(text)


@given(value=LINES)
def test_any_list_of_visible_devices_names_only_devices_that_are_there_once(value: str) -> None:
    seen = visible_devices(CARDS, value)
    assert set(seen) <= set(CARDS[:2])
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("25753026560\n", 25753026560),
        ("0x0000000300000000\n", 12884901888),
        ("", None),
        ("unknown\n", None),
        ("é", None),
    ],
)
def test_number_in_sysfs(tmp_path_factory: pytest.TempPathFactory, text: str, number: int | None) -> None:
    path = tmp_path_factory.mktemp("sysfs") / "size"
    path.write_text(text, encoding="utf-8")
    assert read_number(path) == number
    assert read_number(path / "below") is None


def test_file_that_is_not_there_is_none(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = World(root=tmp_path_factory.mktemp("empty"))
    assert world.text("/proc/meminfo") is None
