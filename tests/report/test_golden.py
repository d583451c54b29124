"""What people see, held to files under tests/data/golden, at fixed widths and without colour.

After an intended change: `UPDATE_GOLDEN=1 pytest tests/report/test_golden.py`, then read the diff.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import examples
import pytest
from rich.console import Console

from llamaexit.cli.output import rendered
from llamaexit.report.explain import print_explanation
from llamaexit.report.inspect import print_snapshot
from llamaexit.report.markdown import plan_markdown
from llamaexit.report.plan import print_plan

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
PLACES = {"llama3.1-8b-chat": "recipe builtin, builtin/llama3.toml"}


def console(width: int) -> Console:
    """A console of `width` columns that remembers plain text."""
    return Console(
        file=io.StringIO(), width=width, force_terminal=False, no_color=True, legacy_windows=False, highlight=False,
        markup=False, emoji=False,
    )  # fmt: skip


SHOWN: dict[str, Callable[[Console], None]] = {
    "plan": lambda page: print_plan(examples.DESKTOP, page),
    "plan-verbose": lambda page: print_plan(examples.DESKTOP, page, verbose=True),
    "plan-saved": lambda page: print_plan(examples.SINGLE, page, saved_as=Path("plan.json")),
    "plan-nothing": lambda page: print_plan(examples.NOTHING, page),
    "explain": lambda page: print_explanation(examples.DESKTOP, examples.CHAT, page, places=PLACES),
    "explain-blocked": lambda page: print_explanation(examples.DESKTOP, examples.GUARD, page, places=PLACES),
    "inspect": lambda page: print_snapshot(examples.HERE, page),
    "inspect-verbose": lambda page: print_snapshot(examples.HERE, page, verbose=True),
    "inspect-empty": lambda page: print_snapshot(examples.EMPTY, page),
}


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("name", SHOWN)
def test_text_looks_as_agreed(name: str, width: int) -> None:
    page = console(width)
    SHOWN[name](page)
    text = rendered(page)
    compare(GOLDEN / f"{name}-{width}.txt", text)
    assert max(map(len, text.splitlines())) <= width


def test_markdown_looks_as_agreed() -> None:
    compare(GOLDEN / "plan.md", plan_markdown(examples.DESKTOP))


def compare(file: Path, text: str) -> None:
    """Hold `text` to a golden file, or write the file when that was asked for."""
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8", newline="\n")
    assert text == file.read_text(encoding="utf-8")
