"""Free memory and free disk in steps, so that two looks at a machine where nothing happens see the same.

A plan is a function of its snapshot. With the free bytes of the moment in it, no two plans would ever be equal.
Rounding is down: what is planned for is really there.
"""

from __future__ import annotations

import dataclasses

from llamaexit.snapshot import Machine
from llamaexit.units import GB, MIB

MEMORY_STEP = 256 * MIB
DISK_STEP = GB


def steady(machine: Machine) -> Machine:
    """`machine` with free memory in steps of 256 MiB and free disk in steps of 1 GB. Totals stay exact."""
    ram = machine.ram
    headroom = None if ram.headroom is None else _down(ram.headroom, MEMORY_STEP)
    disk = machine.disk
    return dataclasses.replace(
        machine,
        ram=dataclasses.replace(
            ram,
            available=_down(ram.available, MEMORY_STEP),
            headroom=headroom,
            swap_free=_down(ram.swap_free, MEMORY_STEP),
        ),
        gpus=tuple(
            gpu if gpu.free is None else dataclasses.replace(gpu, free=_down(gpu.free, MEMORY_STEP))
            for gpu in machine.gpus
        ),
        disk=None if disk is None else dataclasses.replace(disk, free=_down(disk.free, DISK_STEP)),
    )


def _down(size: int, step: int) -> int:
    """The largest multiple of `step` that is not above `size`; what is below one step stays as it is."""
    return size - size % step if size >= step else size
