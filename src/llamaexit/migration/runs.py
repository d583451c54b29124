"""Where runs are kept, and finding one: `<state>/runs/<run>/` holds its journal, its plan, and its test results."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from llamaexit.migration.failures import JournalError, NoSuchRun
from llamaexit.migration.fold import fold, summarised
from llamaexit.migration.journal import read_records
from llamaexit.migration.record import Run, RunSummary


def state_directory(environ: Mapping[str, str]) -> Path:
    """LLAMAEXIT_STATE_DIR, or the user's state directory of the operating system. Nothing is made.

    Raises JournalError where there is no home to keep runs in.
    """
    if given := environ.get("LLAMAEXIT_STATE_DIR", "").strip():
        return Path(given).expanduser().absolute()
    from platformdirs import user_state_path

    try:
        return user_state_path("llamaexit", appauthor=False)
    except (RuntimeError, KeyError) as error:
        raise JournalError("there is no home directory to keep runs in", hint="set LLAMAEXIT_STATE_DIR") from error


def new_run_id(now: dt.datetime | None = None) -> str:
    """An id for a new run: when it began (UTC), and four digits that tell runs of one second apart."""
    moment = now or dt.datetime.now(dt.UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def directory_of(state: Path, run: str) -> Path:
    """The folder of a run."""
    return state / "runs" / run


def journal_of(state: Path, run: str) -> Path:
    """The journal file of a run."""
    return directory_of(state, run) / "journal.jsonl"


def run_ids(state: Path) -> tuple[str, ...]:
    """Ids of all runs, newest first. Raises JournalError when the folder is there and cannot be read."""
    try:
        entries = [entry.name for entry in os.scandir(state / "runs") if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise JournalError(f"cannot read {state / 'runs'}: {(error.strerror or str(error)).lower()}") from error
    return tuple(sorted((name for name in entries if journal_of(state, name).exists()), reverse=True))


def find_run(state: Path, text: str | None) -> str:
    """The run that `text` begins (None: the newest). Raises NoSuchRun."""
    runs = run_ids(state)
    if not runs:
        raise NoSuchRun(f"there are no runs in {state}", hint="llamaexit migrate --apply makes one")
    if text is None:
        return runs[0]
    found = [run for run in runs if run.startswith(text)] or [run for run in runs if run.endswith(text)]
    if len(found) == 1:
        return found[0]
    what = "no run" if not found else f"{len(found)} runs"
    raise NoSuchRun(f"{what} with the id {text!r}", hint="llamaexit history lists them")


def load_run(state: Path, run: str) -> Run:
    """A run as its journal tells it. Raises JournalError or DocumentError."""
    return fold(directory_of(state, run), read_records(journal_of(state, run)))


def history(state: Path) -> tuple[RunSummary, ...]:
    """All runs, newest first. A run whose journal is damaged is there, with what is wrong as its failure."""
    return tuple(summarised(directory_of(state, run)) for run in run_ids(state))
