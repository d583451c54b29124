"""The `llamaexit` command and `python -m llamaexit`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. Without arguments it prints the help."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        # Answered before Typer is imported, which takes most of the time of such a call.
        from llamaexit import __version__

        print(f"llamaexit {__version__}")
        return 0
    try:
        from llamaexit.cli.app import run

        return run(given or ["--help"])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
