"""Serve a store on disk until interrupted: `python -m standin DIR [PORT]`, run in `tests/`. Prints the base URL.

The directory is changed as Ollama would change it. What can be pulled is what `--registry` (another store) holds;
`--behaviours MODULE:NAME` names a dict of what models say.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
from pathlib import Path

from standin import Pace, Registry, Standin, Store
from standin.behaviour import Behaviour


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m standin")
    parser.add_argument("directory", type=Path)
    parser.add_argument("port", type=int, nargs="?", default=0)
    parser.add_argument("--version", default="0.33.0-rc2")
    parser.add_argument("--registry", type=Path)
    parser.add_argument("--bytes-per-second", type=float)
    parser.add_argument("--behaviours")
    arguments = parser.parse_args()
    server = Standin(
        Store.from_directory(arguments.directory, follow=True),
        port=arguments.port,
        version=arguments.version,
        registry=Registry(content=Store.from_directory(arguments.registry)) if arguments.registry else None,
        pace=Pace(arguments.bytes_per_second),
        behaviours=_behaviours(arguments.behaviours) if arguments.behaviours else {},
    )
    with server:
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.stopping.wait()


def _behaviours(reference: str) -> dict[str, Behaviour]:
    module, _, name = reference.partition(":")
    found: dict[str, Behaviour] = getattr(importlib.import_module(module), name)
    return found


if __name__ == "__main__":
    main()
