"""One migration at a time on each Ollama. The lock goes with the process that holds it, however it ends."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llamaexit.migration.failures import JournalError, Locked


@contextmanager
def locked(state: Path, host: str, run: str) -> Iterator[None]:
    """Hold the lock of one host for a run. Raises Locked, naming the run and the process that hold it."""
    from filelock import FileLock, Timeout

    stem = hashlib.sha256(host.lower().encode()).hexdigest()[:16]
    holder = state / "locks" / f"{stem}.json"
    try:
        holder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(holder.with_suffix(".lock"), timeout=0)
        lock.acquire()
    except Timeout:
        raise Locked(
            f"another llamaexit is at work on {host}{_who(holder)}", hint="wait until it is done, then try again"
        ) from None
    except OSError as error:
        raise JournalError(
            f"cannot lock {host} in {holder.parent}: {(error.strerror or str(error)).lower()}",
            hint="make room or rights there, or set LLAMAEXIT_STATE_DIR",
        ) from error
    try:
        holder.write_text(json.dumps({"run": run, "process": os.getpid()}), "utf-8")
        yield
    finally:
        lock.release()


def _who(holder: Path) -> str:
    """The run and the process in words, as far as the holder has written them down already."""
    try:
        found = json.loads(holder.read_text("utf-8"))
        return f" (run {found['run']}, process {int(found['process'])})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
