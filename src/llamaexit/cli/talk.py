"""Telling people on stderr what is about to be done: standard output is for how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from llamaexit.cli.output import complain, console_for, rendered

if TYPE_CHECKING:
    from rich.console import Console


def tell(show: Callable[[Console], None]) -> None:
    """Print on stderr what `show` prints."""
    console = console_for(sys.stderr)
    show(console)
    complain(rendered(console).removesuffix("\n"))
