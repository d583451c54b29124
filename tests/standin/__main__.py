"""Serve a store on disk until interrupted: `python -m standin DIR [PORT]`, run in `tests/`. Prints the base URL."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from standin import Standin, Store


def main(directory: str, port: str = "0") -> None:
    with Standin(Store.from_directory(Path(directory)), port=int(port)) as server:
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.stopping.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
