"""What people see, held to files under tests/data/golden, at fixed widths and without colour.

After an intended change: `UPDATE_GOLDEN=1 pytest tests/report/test_golden.py`, then read the diff.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import examples
import pytest
from golden import compare, text_of
from rich.console import Console

from llamaexit.report.explain import print_explanation
from llamaexit.report.inspect import print_snapshot
from llamaexit.report.markdown import plan_markdown
from llamaexit.report.plan import print_plan

PLACES = {"llama3.1-8b-chat": "recipe builtin, builtin/llama3.toml"}


SHOWN: dict[str, Callable[[Console], None]] = {
    "plan": lambda page: print_plan(examples.DESKTOP, page, migrate="llamaexit migrate --apply"),
    "plan-verbose": lambda page: print_plan(examples.DESKTOP, page, verbose=True),
    "plan-saved": lambda page: print_plan(
        examples.SINGLE, page, saved_as=Path("plan.json"), migrate="llamaexit migrate plan.json"
    ),
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
    compare(f"{name}-{width}.txt", text_of(SHOWN[name], width))


def test_markdown_looks_as_agreed() -> None:
    compare("plan.md", plan_markdown(examples.DESKTOP))
