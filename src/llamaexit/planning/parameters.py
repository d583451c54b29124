"""How large a source is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llamaexit.lineage.kin import billions

if TYPE_CHECKING:
    from llamaexit.recipes.model import Origin
    from llamaexit.snapshot import InstalledModel


def parameters_of(model: InstalledModel, origin: Origin | None = None) -> float | None:
    """Parameters in billions: counted, else as stated by the model or by the record of its origin; None if neither."""
    own = billions(model)
    if own is None and origin is not None:
        own = billions(replace(model, name=origin.name, parameter_size=origin.parameters))
    return own
