"""Names and kinds of graphics processors by PCI number: what sysfs does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.hardware.probe import ProbeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from llamaexit.hardware.probe import World

AMD = 0x1002
INTEL = 0x8086
NVIDIA = 0x10DE

AMD_INTEGRATED = {
    0x15DD: "Radeon Vega (Raven Ridge)",
    0x15D8: "Radeon Vega (Picasso)",
    0x1636: "Radeon Graphics (Renoir)",
    0x164C: "Radeon Graphics (Lucienne)",
    0x1638: "Radeon Graphics (Cezanne)",
    0x163F: "Radeon Graphics (Van Gogh)",
    0x1435: "Radeon Graphics (Sephiroth)",
    0x1681: "Radeon 680M/660M (Rembrandt)",
    0x164E: "Radeon Graphics (Raphael)",
    0x13C0: "Radeon Graphics (Granite Ridge)",
    0x1506: "Radeon 610M (Mendocino)",
    0x15BF: "Radeon 780M/760M (Phoenix)",
    0x15C8: "Radeon 740M (Phoenix)",
    0x1900: "Radeon 780M/760M (Hawk Point)",
    0x1901: "Radeon 740M (Hawk Point)",
    0x150E: "Radeon 890M/880M (Strix Point)",
    0x1586: "Radeon 8060S/8050S (Strix Halo)",
    0x1114: "Radeon 860M/840M (Krackan Point)",
}
"""AMD parts that share the processor's memory. From the kernel's amdgpu and Mesa's lists."""

_INTEL_DISCRETE = ((0x4905, 0x4909), (0x5690, 0x56BF), (0x56C0, 0x56C1), (0xE202, 0xE223))
"""DG1, Alchemist (Arc A), Data Center Flex, Battlemage (Arc B). From the kernel's include/drm/intel/pciids.h."""

_AMD_LISTS = ("/usr/share/libdrm/amdgpu.ids", "/opt/amdgpu/share/libdrm/amdgpu.ids")
_PCI_LISTS = ("/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids")


def intel_is_discrete(device: int) -> bool:
    """Whether an Intel device number belongs to a card with memory of its own."""
    return any(first <= device <= last for first, last in _INTEL_DISCRETE)


def name_of(world: World, vendor: int, device: int, revision: int) -> str:
    """The marketing name of an AMD or Intel part as far as this system's lists know it."""
    brand = "AMD" if vendor == AMD else "Intel"
    name = None
    if vendor == AMD:
        name = _first(world, _AMD_LISTS, lambda text: parse_amdgpu_ids(text, device, revision))
        name = name or AMD_INTEGRATED.get(device)
    name = name or _first(world, _PCI_LISTS, lambda text: parse_pci_ids(text, vendor, device))
    if name is None:
        return f"{brand} GPU {vendor:04x}:{device:04x}"
    return name if name.startswith(brand) else f"{brand} {name}"


def parse_amdgpu_ids(text: str, device: int, revision: int) -> str | None:
    """The name libdrm's amdgpu.ids has for a device and revision: `744C,\\tC8,\\tAMD Radeon RX 7900 XTX`."""
    wanted = (f"{device:04X}", f"{revision:02X}")
    for line in text.splitlines():
        fields = [field.strip() for field in line.split(",", 2)]
        if len(fields) == 3 and (fields[0].upper(), fields[1].upper()) == wanted:
            return fields[2]
    return None


def parse_pci_ids(text: str, vendor: int, device: int) -> str | None:
    """The name pci.ids has for a device; where it gives a code name and `[Arc A770]`, the part in brackets."""
    # a megabyte and a half: searched for, not taken apart line by line
    start = text.find(f"\n{vendor:04x}  ")
    if start < 0:
        return None
    found = text.find(f"\n\t{device:04x}  ", start)
    if found < 0 or "\n" in text[start + 1 : found].replace("\n\t", ""):
        return None
    line = text[found + 1 :].split("\n", 1)[0].strip()
    name = line[6:].strip()
    return name[name.index("[") + 1 : -1] if name.endswith("]") and "[" in name else name


def _first(world: World, lists: tuple[str, ...], parse: Callable[[str], str | None]) -> str | None:
    for path in lists:
        try:
            text = world.text(path)
        except ProbeError:
            continue
        if text is not None:
            return parse(text)
    return None
