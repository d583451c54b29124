"""Which Ollama a command works on, and where runs are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.migration.options import Place
from llamaexit.migration.runs import find_run, load_run, state_directory

if TYPE_CHECKING:
    from llamaexit.migration.record import Run

TIMEOUT = 30.0
"""Seconds for a call that does not load a model. Creating and copying may wait for the disk."""


def place_of(host: str | None, store: str | None = None) -> Place:
    """The place that `--host` names, else OLLAMA_HOST, else the default one.

    store: the model store the server was seen to use; kept where it is on this machine, for the free disk. Raises
    UsageError for an address that is none.
    """
    from llamaexit.ollama.host import resolve, stated

    address = stated(host) if host else resolve(os.environ.get("OLLAMA_HOST"))
    here = Path(store) if store is not None and address.loopback else None
    return Place(
        host=address.url,
        state=state_directory(os.environ),
        timeout=TIMEOUT,
        store=here if here is not None and here.is_dir() else None,
        api_key=os.environ.get("OLLAMA_API_KEY") or None,
    )


def state() -> Path:
    """Where runs are kept."""
    return state_directory(os.environ)


def run_of(text: str | None) -> Run:
    """The run that is meant; None means the newest. Raises NoSuchRun, JournalError or DocumentError."""
    return load_run(state(), find_run(state(), text))


def place_of_run(run: Run, host: str | None) -> Place:
    """The Ollama a run is about, unless another one is named."""
    return place_of(host or run.host, run.plan.basis.store)
