"""Main memory, from psutil. It knows nothing of control groups: their limits are put in by `limited`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from llamaexit.hardware.probe import Answer, ProbeError
from llamaexit.snapshot import Ram
from llamaexit.units import gib

if TYPE_CHECKING:
    from llamaexit.hardware.cgroups import Limits


def read_ram() -> Answer[Ram]:
    """Total, available and swap. Raises ProbeError where the system does not tell, such as without /proc."""
    import warnings

    import psutil  # type: ignore[import-untyped]  # ships no types

    with warnings.catch_warnings():
        # psutil warns about paging counters it cannot find; nobody asked for them
        warnings.simplefilter("ignore")
        try:
            memory = psutil.virtual_memory()
        except OSError as error:
            raise ProbeError(f"the system does not tell its memory: {error.filename}: {error.strerror}") from error
        try:
            swap = psutil.swap_memory()
            swap_total, swap_free = int(swap.total), int(swap.free)
        except (OSError, RuntimeError):
            # RuntimeError: Windows with its performance counters off
            swap_total = swap_free = 0
    ram = Ram(int(memory.total), int(memory.available), swap_total, swap_free)
    return Answer(ram, f"{gib(ram.total)}, {gib(ram.available)} available")


def limited(ram: Ram, limits: Limits) -> Ram:
    """`ram` as far as the control groups of this process leave it."""
    return dataclasses.replace(
        ram, limit=limits.memory, headroom=limits.headroom, limit_source=limits.source if limits.memory else None
    )
