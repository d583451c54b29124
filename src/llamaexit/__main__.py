"""The `llamaexit` command and `python -m llamaexit`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    _need_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        # Answered before Typer is imported, which takes most of the time of such a call.
        from llamaexit import __version__

        print(f"llamaexit {__version__}")
        return 0
    try:
        from llamaexit.cli.app import run

        return run(given)
    except KeyboardInterrupt:
        return 130


def _need_streams() -> None:
    """Something to write to where standard output or error were closed (`>&-`), or never there (pythonw)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - open as long as we run


if __name__ == "__main__":
    sys.exit(main())
