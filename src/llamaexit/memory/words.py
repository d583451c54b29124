"""Where a load ends up and why, in one line whose figures add up on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.memory.placement import CONTEXT
from llamaexit.units import GIB, gib

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llamaexit.memory.load import Load
    from llamaexit.memory.placement import Placed, Share

_MOST_DIGITS = 3


def in_words(placed: Placed, load: Load, architecture: str, ram: int) -> str:
    """The placement of a load. `ram`: bytes of RAM that were free for it."""
    shares = _on_devices(placed)
    on_gpu = f"on {_names(shares)}: {_of_free(placed, load, shares)}"
    match placed.placement:
        case "gpu":
            return f"all {load.depth} layers fit {on_gpu}"
        case "partial":
            return f"{placed.layers_on_gpu} of {load.depth} layers fit {on_gpu}; {_outside(placed, shares)} in RAM"
        case "experts-in-ram":
            outside = f"the experts of {placed.experts_in_ram} layers stay in RAM ({_outside(placed, shares)})"
            return f"{outside}, the rest fits {on_gpu}"
        case "cpu":
            start = "runs on the CPU" if not placed.crowded else "no layer fits on a GPU, so it runs on the CPU"
            return (
                f"{start}: {gib(placed.true)} of {gib(ram)} free RAM, {gib(placed.kept)} of it kept free for the system"
            )
        case "none" if architecture == "mllama" and not placed.short:
            return "Ollama 0.30 and later cannot load this architecture (mllama)"
        case "none":
            return _too_large(placed, shares, ram)


def _too_large(placed: Placed, shares: list[Share], ram: int) -> str:
    """What is needed, and what has to stay free, against what is free: with as many digits as the difference takes."""
    own = [share for share in shares if share.device is not None and not share.device.shares_ram]
    driver = _drivers(share for share in shares if share not in own)
    for digits in range(1, _MOST_DIGITS + 1):
        total, held, drivers, kept, free = (
            _rounded(size, digits) for size in (placed.true, _held(own), driver, placed.kept, ram)
        )
        if total - held + drivers + kept > free:
            break
    needs = f"needs {_gib(total, digits)}"
    if own:
        needs += f": {_gib(held, digits)} on {_names(own)}, the other {_gib(total - held, digits)} in RAM"
    beside = f"{_gib(drivers, digits)} for the driver and " if drivers else ""
    return f"{needs}, with {beside}{_gib(kept, digits)} kept free for the system; {_gib(free, digits)} RAM is free"


def _of_free(placed: Placed, load: Load, shares: list[Share]) -> str:
    """What the GPUs hold of the model, of what is free there; what the driver takes and what has to stay free.

    Ollama up to 0.24 leaves the driver what it keeps free.
    """
    free = sum(share.device.free for share in shares if share.device is not None)
    each = " on each" if len(shares) > 1 else ""
    driver = f"{gib(_drivers(shares))} for the driver and " if load.family == "server" else ""
    return f"{gib(_held(shares))} of {gib(free)} free, with {driver}{gib(placed.margin)} kept free{each}"


def _outside(placed: Placed, shares: list[Share]) -> str:
    """What is left for RAM, so that it and what the GPUs are said to hold come to the whole."""
    return _gib(_rounded(placed.true, 1) - _rounded(_held(shares), 1), 1)


def _on_devices(placed: Placed) -> list[Share]:
    return [share for share in placed.shares if share.device is not None]


def _names(shares: list[Share]) -> str:
    return " and ".join(share.device.name for share in shares if share.device is not None)


def _held(shares: Iterable[Share]) -> int:
    return sum(share.size - share.parts.get(CONTEXT, 0) for share in shares)


def _drivers(shares: Iterable[Share]) -> int:
    return sum(share.parts.get(CONTEXT, 0) for share in shares)


def _rounded(size: int, digits: int) -> int:
    return round(size * 10.0**digits / GIB)


def _gib(units: int, digits: int) -> str:
    return f"{units / 10**digits:.{digits}f} GiB"
