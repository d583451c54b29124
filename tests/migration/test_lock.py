"""The lock: one migration at a time on each Ollama."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llamaexit.migration.failures import JournalError, Locked
from llamaexit.migration.lock import locked

HOST = "http://127.0.0.1:11434"
HOLD = """
import sys
from pathlib import Path
from llamaexit.migration.lock import locked
with locked(Path(sys.argv[1]), sys.argv[2], "20261125-000000-abcd"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_one_is_refused_and_told_who_is_at_work(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        other.stdout.readline()
        with pytest.raises(Locked, match=f"run 20261125-000000-abcd, process {other.pid}"):
            locked(tmp_path, HOST, "mine").__enter__()
        with locked(tmp_path, "http://elsewhere:11434", "mine"):
            pass
        other.stdin.close()
        other.wait()
    with locked(tmp_path, HOST, "mine"):
        pass


def test_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
        other.wait()
    with locked(tmp_path, HOST, "mine"):
        pass


def test_state_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(JournalError, match="cannot lock"):
        locked(tmp_path / "state", HOST, "mine").__enter__()
