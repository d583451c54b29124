"""What uses demand, whatever a recipe says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamaexit.recipes.model import Use

NEEDS: dict[Use, frozenset[str]] = {
    "tools": frozenset({"tools"}),
    "vision": frozenset({"vision"}),
    "embedding": frozenset({"embedding"}),
}
"""Capabilities a target must have to serve a use at all."""
NEVER_AUTOMATIC: frozenset[Use] = frozenset({"embedding", "guard", "medical"})
"""Uses in which a model is never replaced without a person: vectors, categories and validations do not carry over."""
