"""A command on a pseudo terminal, with keys that are pressed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass

_MOVES = re.compile(r"\r?(\x1b\[2K(\x1b\[1A)?)+")
"""What moves the cursor back to draw anew."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass
class Screen:
    """What a process wrote to its terminal, and how it ended."""

    raw: str
    code: int

    @property
    def text(self) -> str:
        """Without colours, and with a new line for every drawing over an old one: everything that was ever drawn."""
        return _ESCAPES.sub("", _MOVES.sub("\n", self.raw))


def at_terminal(*arguments: str, columns: int = 80, press: dict[str, bytes], **env: str) -> Screen:
    """Run a command on a terminal. press: what is typed as soon as a text is on the screen, each once, in order."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    unset = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "COLORTERM", "TERM")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_ITS_TERMINAL, *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**environment, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **env},
    )  # fmt: skip
    os.close(theirs)
    shown, waiting = b"", dict(press)
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side is gone
            break
        if not piece:
            break
        shown += piece
        text = _ESCAPES.sub("", shown.decode("utf-8", "replace"))
        for awaited in [awaited for awaited in waiting if awaited in text]:
            os.write(ours, waiting.pop(awaited))
    os.close(ours)
    code = process.wait(30)
    assert waiting == {}
    return Screen(shown.decode("utf-8"), code)


_ON_ITS_TERMINAL = (
    "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "from llamaexit.__main__ import main; sys.exit(main(sys.argv[1:]))"
)
"""A process whose keyboard is the terminal it writes to, so that ^C reaches it."""
