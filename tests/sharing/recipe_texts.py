"""Recipes as texts, for repositories that tests make."""

from __future__ import annotations

from collections.abc import Sequence


def recipe(name: str, *, extends: Sequence[str] = (), more: str = "") -> str:
    """A recipe that says nothing but its name and what it extends."""
    listed = ", ".join(f'"{reference}"' for reference in extends)
    return f'schema = 1\nname = "{name}"\nversion = "1"\nsummary = "For tests."\nextends = [{listed}]\n{more}'
