"""Where a command runs: terminals, pipes, locales, homes. Each case is a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llamaexit.cli.output import console_for

PLAN = ("plan", "llama3.1:8b", "--gpu", "RTX 4090", "--ram", "64GiB")
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX terminals, signals and permissions")


@pytest.mark.parametrize(
    "env",
    [
        pytest.param({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, id="a C locale"),
        pytest.param({"PYTHONIOENCODING": "ascii"}, id="output in ASCII"),
        pytest.param({"PYTHONIOENCODING": "cp437"}, id="output in an old code page"),
    ],
)
def test_signs_an_encoding_lacks_become_plainer_ones(spawn, env) -> None:
    done = spawn(*PLAN, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    first = next(line for line in done.stdout.decode("latin-1").splitlines() if line.startswith("llama3.1:8b"))
    assert first.startswith("llama3.1:8b -> qwen3")


def test_error_lines_become_plainer_too(spawn) -> None:
    done = spawn("plan", "--use", "code", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2
    assert b"does not say which model - write --use MODEL=USE" in done.stderr


def test_json_is_utf8_whatever_the_locale(spawn) -> None:
    done = spawn(*PLAN, "--json", env={"PYTHONIOENCODING": "ascii"})
    assert json.loads(done.stdout.decode("utf-8"))["status"] == "success"
    assert "→".encode() in done.stdout


@pytest.mark.parametrize("form", [(), ("--json",), ("--markdown",)], ids=["text", "JSON", "Markdown"])
@posix
def test_reader_that_went_away_is_no_error(form) -> None:
    command = [sys.executable, "-m", "llamaexit", *PLAN, *form]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


@posix
@pytest.mark.parametrize(
    ("command", "code"),
    [("plan --use code 2>&-", 2), ("plan llama3.1:8b --vram 8GiB --ram 32GiB >&-", 0), ("--version >&-", 0)],
    ids=["an error with stderr closed", "a plan with stdout closed", "the version with stdout closed"],
)
def test_closed_stream_is_no_second_error(command, code) -> None:
    done = subprocess.run(f"{sys.executable} -m llamaexit {command}", shell=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


@posix
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "JSON"])
def test_full_disk_behind_stdout_is_a_failure(form) -> None:
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("no /dev/full here")
    with device.open("wb") as full:
        command = [sys.executable, "-m", "llamaexit", *PLAN, *form]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr == b"llamaexit: cannot write to standard output: no space left on device\n"


@pytest.mark.parametrize(
    "env",
    [
        pytest.param(
            {"HOME": None, "XDG_CONFIG_HOME": None, "XDG_CACHE_HOME": None, "USERPROFILE": None}, id="no home"
        ),
        pytest.param({"HOME": "/nonexistent"}, id="a home that is not there"),
    ],
)
@posix
def test_plan_needs_no_home(spawn, env) -> None:
    done = spawn(*PLAN, env={"XDG_CONFIG_HOME": None, "XDG_CACHE_HOME": None, **env})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"1 to replace" in done.stdout


@posix
def test_home_that_cannot_be_written_is_left_alone(spawn, isolated) -> None:
    isolated.chmod(0o500)
    try:
        assert spawn(*PLAN).returncode == 0
    finally:
        isolated.chmod(0o700)


@posix
@pytest.mark.parametrize(
    ("mode", "name", "why"),
    [
        pytest.param(0o000, "config", "permission denied", id="above a closed folder"),
        pytest.param(0o700, "x" * 300, "file name too long", id="under a name no file system takes"),
    ],
)
def test_recipes_of_ones_own_that_cannot_be_looked_for_are_a_warning(spawn, tmp_path, mode, name, why) -> None:
    if not mode and not os.geteuid():
        pytest.skip("no folder is closed to root")
    (tmp_path / "config").mkdir(mode)
    folder = tmp_path / name / "llamaexit"
    done = spawn(*PLAN, env={"XDG_CONFIG_HOME": str(folder.parent)})
    assert done.returncode == 0
    assert done.stderr.decode() == (
        f"llamaexit: warning: cannot look for recipes of your own in {folder}: {why}; going on without\n"
    )
    assert b"1 to replace" in done.stdout


def test_piped_output_has_no_colour(spawn) -> None:
    assert b"\x1b" not in spawn(*PLAN, env={"FORCE_COLOR": None, "TERM": "xterm-256color"}).stdout


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        pytest.param({"TERM": "xterm-256color"}, True, id="a terminal"),
        pytest.param({"TERM": "xterm-256color", "NO_COLOR": "1"}, False, id="a terminal with NO_COLOR"),
        pytest.param({"TERM": "dumb"}, False, id="a dumb terminal"),
    ],
)
@posix
def test_colour_is_for_terminals_that_want_it(env, coloured) -> None:
    shown = on_terminal(PLAN, env, columns=100)
    assert ("\x1b[3" in shown or "\x1b[1;3" in shown) == coloured
    assert "qwen3" in shown


@pytest.mark.parametrize("columns", [40, 80, 140])
@posix
def test_text_keeps_to_the_width_of_the_terminal(columns) -> None:
    shown = on_terminal(PLAN, {"TERM": "dumb"}, columns)
    assert max(len(line.rstrip("\r")) for line in shown.split("\n")) <= columns


@posix
def test_questions_keep_to_their_terminal_also_where_the_answer_goes_into_a_pipe(monkeypatch) -> None:
    import fcntl
    import pty
    import struct
    import termios

    monkeypatch.delenv("COLUMNS", raising=False)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 61, 0, 0))
    with os.fdopen(theirs, "w") as stream:
        assert console_for(stream).width == 61
    os.close(ours)


@posix
def test_interruption_leaves_with_130_and_one_envelope(start_standin) -> None:
    server = start_standin(latency=20.0)
    command = [sys.executable, "-m", "llamaexit", "plan", "--host", server.url, "--timeout", "30", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 20
        while not server.log and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert (json.loads(out)["errors"][0]["code"], err) == ("interrupted", b"")


def on_terminal(arguments, env, columns: int) -> str:
    """What a command prints on a terminal of `columns` columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    unset = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "COLORTERM", "TERM")
    environment = {name: value for name, value in os.environ.items() if name not in unset} | env
    process = subprocess.Popen(
        [sys.executable, "-m", "llamaexit", *arguments], stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side is gone
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait(30) == 0
    return shown.decode("utf-8")
