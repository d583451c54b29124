"""What ^C means: once, end the step at hand cleanly; twice, leave at once.

A journal record, or a call that changes a name, is never torn apart by the first ^C. Everything else (a download, a
question to a model) ends right away. SIGTERM, which service managers and CI send, is treated alike.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from llamaexit.errors import INTERRUPTED


class Interrupts:
    """Use it in a `with` statement around a run. Outside the main thread it leaves signals alone.

    at_once: what to print when the user will not wait.
    """

    def __init__(self, at_once: str, leave: Callable[[int], Any] = os._exit) -> None:
        self._at_once = at_once
        self._leave = leave
        self._count = 0
        self._shields = 0
        self._before: dict[signal.Signals, Any] = {}

    @property
    def pending(self) -> bool:
        """Whether somebody asked to stop."""
        return self._count > 0

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold the first ^C back until what is inside is done."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._count and not self._shields:
            raise KeyboardInterrupt

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            # no cleaning up, no buffers: the journal says how to go on
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\n{self._at_once}\n".encode())
            self._leave(INTERRUPTED)
        elif not self._shields:
            raise KeyboardInterrupt
