"""The graphics cards of the Linux kernel's DRM, as sysfs lists them.

Real cards only: simple-framebuffer, vgem and other platform devices have no PCI vendor, and virtual or management
displays (ASPEED, Matrox, virtio, Bochs, VMware, QXL) have the wrong one; none of them can run a model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.hardware.probe import Answer, ProbeError, read_number

if TYPE_CHECKING:
    from pathlib import Path

    from llamaexit.hardware.probe import World

_CARD = re.compile(r"card([0-9]+)")


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `folder` is its directory under /sys/class/drm, `render` its render node such as `renderD128`."""

    folder: Path
    vendor: int
    device: int
    revision: int
    driver: str
    slot: str
    render: str | None


def read_cards(world: World) -> Answer[tuple[Card, ...]]:
    """All PCI cards, in the kernel's order. Raises ProbeError when sysfs is there but closed."""
    top = world.path("/sys/class/drm")
    try:
        numbers = sorted(int(match[1]) for entry in top.iterdir() if (match := _CARD.fullmatch(entry.name)))
    except (FileNotFoundError, NotADirectoryError):
        return Answer((), "the kernel shows no graphics cards", found=False)
    except OSError as error:
        raise ProbeError(f"{top} cannot be read: {error.strerror or error}") from error
    cards = tuple(card for number in numbers if (card := _read_card(top / f"card{number}")) is not None)
    told = ", ".join(f"{card.vendor:04x}:{card.device:04x} ({card.driver or 'no driver'})" for card in cards)
    return Answer(cards, told or "no PCI graphics cards", bool(cards))


def parse_uevent(text: str) -> dict[str, str]:
    """The `KEY=value` lines of a sysfs uevent file."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _read_card(folder: Path) -> Card | None:
    pci = folder / "device"
    vendor, device = read_number(pci / "vendor"), read_number(pci / "device")
    if vendor is None or device is None:
        return None
    try:
        told = parse_uevent((pci / "uevent").read_text(encoding="utf-8", errors="replace"))
        renders = sorted(entry.name for entry in (pci / "drm").iterdir() if entry.name.startswith("renderD"))
    except OSError:
        told, renders = {}, []
    return Card(
        folder=folder,
        vendor=vendor,
        device=device,
        revision=read_number(pci / "revision") or 0,
        driver=told.get("DRIVER", ""),
        slot=told.get("PCI_SLOT_NAME", ""),
        render=renders[0] if renders else None,
    )
