"""Holding what people see to files under tests/data/golden, at fixed widths and without colour."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from llamaexit.cli.output import rendered

GOLDEN = Path(__file__).parents[1] / "data" / "golden"


def console(width: int) -> Console:
    """A console of `width` columns that remembers plain text."""
    return Console(
        file=io.StringIO(), width=width, force_terminal=False, no_color=True, legacy_windows=False, highlight=False,
        markup=False, emoji=False,
    )  # fmt: skip


def text_of(show: Callable[[Console], None], width: int = 80) -> str:
    """What `show` prints at a width. No line of it may be wider, but for a single word of a command to copy."""
    page = console(width)
    show(page)
    text = rendered(page)
    assert [line for line in text.splitlines() if len(line) > width and " " in line.strip(" \\")] == []
    return text


def compare(file: str, text: str) -> None:
    """Hold `text` to a golden file, or write the file when that was asked for."""
    path = GOLDEN / file
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")
