"""Memory of common graphics cards as their makers give it, for planning on behalf of a machine that is not here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.units import GIB

if TYPE_CHECKING:
    from llamaexit.snapshot import GpuKind, Vendor

# one model a line: its name, then the sizes in GiB it is sold with
_NVIDIA = """
GTX 1050 Ti: 4
GTX 1060: 3 6
GTX 1070: 8
GTX 1070 Ti: 8
GTX 1080: 8
GTX 1080 Ti: 11
GTX 1650: 4
GTX 1650 Super: 4
GTX 1660: 6
GTX 1660 Super: 6
GTX 1660 Ti: 6
RTX 2060: 6 12
RTX 2060 Super: 8
RTX 2070: 8
RTX 2070 Super: 8
RTX 2080: 8
RTX 2080 Super: 8
RTX 2080 Ti: 11
RTX 3050: 6 8
RTX 3050 Laptop: 4 6
RTX 3060: 8 12
RTX 3060 Laptop: 6
RTX 3060 Ti: 8
RTX 3070: 8
RTX 3070 Laptop: 8
RTX 3070 Ti: 8
RTX 3070 Ti Laptop: 8
RTX 3080: 10 12
RTX 3080 Laptop: 8 16
RTX 3080 Ti: 12
RTX 3080 Ti Laptop: 16
RTX 3090: 24
RTX 3090 Ti: 24
RTX 4050 Laptop: 6
RTX 4060: 8
RTX 4060 Laptop: 8
RTX 4060 Ti: 8 16
RTX 4070: 12
RTX 4070 Laptop: 8
RTX 4070 Super: 12
RTX 4070 Ti: 12
RTX 4070 Ti Super: 16
RTX 4080: 16
RTX 4080 Laptop: 12
RTX 4080 Super: 16
RTX 4090: 24
RTX 4090 Laptop: 16
RTX 5050: 8
RTX 5050 Laptop: 8
RTX 5060: 8
RTX 5060 Laptop: 8
RTX 5060 Ti: 8 16
RTX 5070: 12
RTX 5070 Laptop: 8
RTX 5070 Ti: 16
RTX 5070 Ti Laptop: 12
RTX 5080: 16
RTX 5080 Laptop: 16
RTX 5090: 32
RTX 5090 Laptop: 24
Titan RTX: 24
Titan V: 12
Titan Xp: 12
Quadro RTX 4000: 8
Quadro RTX 5000: 16
Quadro RTX 6000: 24
Quadro RTX 8000: 48
RTX A2000: 6 12
RTX A4000: 16
RTX A4500: 20
RTX A5000: 24
RTX A5500: 24
RTX A6000: 48
RTX 2000 Ada: 16
RTX 4000 Ada: 20
RTX 4500 Ada: 24
RTX 5000 Ada: 32
RTX 6000 Ada: 48
RTX PRO 4000 Blackwell: 24
RTX PRO 4500 Blackwell: 32
RTX PRO 5000 Blackwell: 48 72
RTX PRO 6000 Blackwell: 96
P40: 24
P100: 12 16
V100: 16 32
T4: 16
A2: 16
A10: 24
A10G: 24
A30: 24
A40: 48
A100: 40 80
L4: 24
L40: 48
L40S: 48
H100: 80 94
"""
_AMD = """
RX 580: 4 8
RX 5700 XT: 8
RX 6600: 8
RX 6600 XT: 8
RX 6650 XT: 8
RX 6700 XT: 12
RX 6750 XT: 12
RX 6800: 16
RX 6800 XT: 16
RX 6900 XT: 16
RX 6950 XT: 16
RX 7600: 8
RX 7600 XT: 16
RX 7700 XT: 12
RX 7800 XT: 16
RX 7900 GRE: 16
RX 7900 XT: 20
RX 7900 XTX: 24
RX 9060 XT: 8 16
RX 9070: 16
RX 9070 XT: 16
Radeon VII: 16
Radeon PRO W6800: 32
Radeon PRO W7800: 32 48
Radeon PRO W7900: 48
Radeon AI PRO R9700: 32
Instinct MI50: 16 32
Instinct MI60: 32
Instinct MI100: 32
Instinct MI210: 64
Instinct MI300X: 192
"""
_INTEL = """
Arc A310: 4
Arc A380: 6
Arc A580: 8
Arc A750: 8
Arc A770: 8 16
Arc B570: 10
Arc B580: 12
Arc Pro B50: 16
Arc Pro B60: 24
"""
_DISCRETE: tuple[tuple[Vendor, str], ...] = (("nvidia", _NVIDIA), ("amd", _AMD), ("intel", _INTEL))

# no memory of their own: how much there is depends on the machine
_SHARED: tuple[tuple[Vendor, GpuKind, str | None, tuple[str, ...]], ...] = (
    ("nvidia", "unified", None, ("GB10", "DGX Spark", "Jetson Orin Nano", "Jetson Orin NX", "Jetson AGX Orin")),
    ("nvidia", "unified", None, ("Jetson AGX Thor",)),
    ("amd", "integrated", None, ("680M", "760M", "780M", "880M", "890M")),
    ("amd", "integrated", "gfx1151", ("8050S", "8060S", "Strix Halo")),
)
_APPLE = re.compile(r"m[1-9]( (pro|max|ultra))?")
_BRANDS = frozenset({"nvidia", "geforce", "amd", "ati", "radeon", "instinct", "intel", "apple", "gpu", "graphics",
                     "tesla", "generation", "edition", "workstation"})  # fmt: skip
_VENDORS: tuple[tuple[Vendor, str], ...] = (
    ("apple", r"\bapple\b"),
    ("amd", r"\b(amd|ati|radeon|instinct|rx ?\d{3,4}|mi\d{2,3}x?)\b"),
    ("intel", r"\b(intel|arc|iris)\b"),
    ("nvidia", r"\b(nvidia|geforce|rtx|gtx|quadro|tesla|titan|jetson)\b"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A model of card. sizes: bytes it is sold with, empty when it works in main memory. target: its gfx target."""

    name: str
    vendor: Vendor
    kind: GpuKind
    sizes: tuple[int, ...] = ()
    target: str | None = None


def find(name: str) -> Known | None:
    """The card people mean by a name such as `NVIDIA GeForce RTX 4090`, `rtx4090` or `RX 7900XTX`."""
    key = normal(name)
    if _APPLE.fullmatch(key):
        return Known(f"Apple {key.title()}", "apple", "unified")
    return _index().get(key)


def similar(name: str) -> list[str]:
    """Names of the known cards that look most like `name`."""
    import difflib

    index = _index()
    return [index[key].name for key in difflib.get_close_matches(normal(name), index, n=3, cutoff=0.75)]


def vendor_of(name: str) -> Vendor:
    """Who makes a card of this name, as far as the name tells."""
    if _APPLE.fullmatch(normal(name)):
        return "apple"
    return next((vendor for vendor, pattern in _VENDORS if re.search(pattern, name.lower())), "other")


def normal(name: str) -> str:
    """A card's name without brand, trade marks and spelling: what is left tells one model from another."""
    text = re.sub(r"\((?:r|tm)\)|[®™]", " ", name.lower())
    text = re.sub(r"\b(mobile|max-q|notebook|laptop gpu)\b", "laptop", text)
    text = re.sub(r"\b(rtx|gtx|rx|arc|titan|quadro)(?=[ab]?\d)", r"\1 ", text)
    text = re.sub(r"(?<=\d)(ti|super|xtx|xt|gre)\b", r" \1", text)
    return " ".join(word for word in re.split(r"[\s_-]+", text) if word and word not in _BRANDS)


def cards() -> tuple[Known, ...]:
    """Every card listed here."""
    listed = []
    for vendor, table in _DISCRETE:
        for line in table.strip().splitlines():
            name, sizes = line.split(":")
            listed.append(Known(name, vendor, "discrete", tuple(int(size) * GIB for size in sizes.split())))
    for vendor, kind, target, names in _SHARED:
        listed += [Known(name, vendor, kind, target=target) for name in names]
    return tuple(listed)


def _index() -> dict[str, Known]:
    return {normal(card.name): card for card in cards()}
