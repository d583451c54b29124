"""The file system that holds, or would hold, the model store."""

from __future__ import annotations

import os
from pathlib import Path

from llamaexit.hardware.probe import Answer, ProbeError
from llamaexit.snapshot import Disk
from llamaexit.units import gb


def read_disk(store: Path | None) -> Answer[Disk | None]:
    """Total and free bytes where `store` is or would be made; without one, where Ollama's default is.

    Free is what an ordinary user may fill, as the blocks kept back for root are no help to Ollama.
    """
    import psutil  # type: ignore[import-untyped]  # ships no types

    try:
        wanted = Path.home() / ".ollama" / "models" if store is None else store.absolute()
    except RuntimeError as error:
        raise ProbeError("there is no home directory, so no default model store") from error
    for folder in (wanted, *wanted.parents):
        # not Path.exists: a store below somebody else's closed directory counts as not there, it is no error
        if os.path.exists(folder):  # noqa: PTH110
            try:
                usage = psutil.disk_usage(str(folder))
            except OSError as error:
                raise ProbeError(f"{folder} tells no free space: {error.strerror or error}") from error
            below = "" if folder == wanted else f" (not made yet, measured at {folder})"
            return Answer(
                Disk(str(wanted), int(usage.total), int(usage.free)),
                f"{gb(usage.free)} free of {gb(usage.total)}{below}",
            )
    raise ProbeError(f"no part of {wanted} exists")
