"""Recipes that are meant to do harm, through every command that reads one: a clear line, exit code 4 or 2 (1 where
findings are what was asked for), in bounded time and memory, and nothing changed on the disk."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

resource = pytest.importorskip("resource", reason="this system cannot limit what a process may use")

HEAD = 'schema = 1\nname = "team"\n'
RULE = '[[rules]]\nid = "x"\nuse = "chat"\nmatch = ["llama3.1:8b"]\ntargets = [{ model = "qwen3:8b" }]\n'
MIB = 1024 * 1024
MEMORY = 1536 * MIB
SECONDS = 60
"""Of processor time. The slowest needs a tenth of it; what the tests are about is a tool that is busy for hours."""
COMMANDS = {
    "explain": ("recipe", "explain", "llama3.1:8b", "--recipe"),
    "list": ("recipe", "list", "--recipe"),
    "plan": ("plan", "llama3.1:8b", "--store", "store", "--recipe"),
    "lint": ("recipe", "lint"),
    "github": ("recipe", "lint", "--format", "github"),
    "sarif": ("recipe", "lint", "--format", "sarif"),
    "test": ("recipe", "test"),
    "fmt": ("recipe", "fmt"),
}


def filled(line: Callable[[int], str], head: str = HEAD, tail: str = "") -> str:
    """A recipe as large as it may be, of lines that are numbered."""
    text, number = [head], 0
    left = MIB - len(head) - len(tail)
    while (left := left - len(line(number))) >= 0:
        text.append(line(number))
        number += 1
    return "".join(text) + tail


def tried(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """A command in a process that may use so much memory and so much time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    return subprocess.run(
        [sys.executable, "-m", "llamaexit", *arguments],
        capture_output=True,
        cwd=cwd,
        preexec_fn=limit,
        timeout=600,
        check=False,
    )


def inert(output: bytes) -> bool:
    """Whether an output has nothing in it that works on a terminal, and no command of GitHub's but our own."""
    text = output.decode()
    return all(char.isprintable() or char == "\n" for char in text) and not any(
        line.lstrip().startswith("::") and not line.startswith(("::error file=", "::warning file="))
        for line in text.splitlines()
    )


def seen(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


HUGE = {
    "keys nobody knows": filled(lambda n: f"k{n} = 1\n"),
    "keys of many parts": filled(lambda n: f"k{n}.a.b.c.d.e.f.g.h = 1\n"),
    "tables": filled(lambda n: f"[t{n}.a.b.c]\n"),
    "empty rules": filled(lambda n: "[[rules]]\n"),
    "rules for models nobody knows": filled(
        lambda n: f'[[rules]]\nid = "{n}"\nuse = "chat"\nmatch = ["a{n}*"]\ntargets = [{{ model = "x{n}" }}]\n'
    ),
    "an array of what does not belong": filled(lambda n: "1,", HEAD + "disable = [", "]\n"),
    "arrays in an array": filled(lambda n: "[],", HEAD + "disable = [", "]\n"),
    "patterns of rules to disable": filled(lambda n: f'"*a?{n}*",', HEAD + "disable = [", "]\n"),
    "patterns in a rule": filled(lambda n: f'"*a?{n}*",', HEAD + RULE[: RULE.index("match")] + "match = [", "]\n"),
    "targets of a rule": filled(lambda n: '{model="a"},', HEAD + RULE[: RULE.index("targets")] + "targets = [", "]\n"),
    "a version range without end": filled(lambda n: f">={n},", HEAD + 'requires-llamaexit = "', '>=0"\n'),
    "files to extend": filled(lambda n: f'"x{n}.toml",', HEAD + "extends = [", "]\n"),
}
LINTED = ("keys nobody knows", "rules for models nobody knows")
SMALL = {
    "arrays in arrays": HEAD + "x = " + "[" * 5000 + "]" * 5000 + "\n",
    "tables in tables": HEAD + "x = " + "{a=" * 5000 + "1" + "}" * 5000 + "\n",
    "a key of many parts": HEAD + "a." * 50_000 + "a = 1\n",
    "an integer of many digits": HEAD + "x = " + "9" * 5000 + "\n",
    "a hexadecimal integer of many digits": HEAD + "[policy]\nmin-context = 0x" + "f" * 100_000 + "\n",
    "a float without end": HEAD + "[policy]\nmin-gpu-share = 1e" + "9" * 10_000 + "\n",
    "a day that is none": HEAD + "checked = 9999-99-99\n",
    "a name of a megabyte": 'schema = 1\nname = "' + "x" * (MIB - 100) + '"\n',
    "a key of a megabyte": HEAD + "x" * (MIB - 100) + " = 1\n",
    "a lone surrogate": HEAD + 'summary = "\\ud800"\n',
    "a null": HEAD + 'summary = "a\\u0000b"\n',
    "two byte order marks": "\ufeff\ufeff" + HEAD,
    "line ends of an old Mac": HEAD.replace("\n", "\r"),
    "an escape sequence in a key": HEAD + '"\\u001b[31mred\\n::error::x" = 1\n',
    "an escape sequence in an id": HEAD + RULE.replace('"x"', '"\\u001b]0;x\\u0007"'),
    "a line end in a use": HEAD + RULE.replace('"chat"', '"\\u001b[2J\\n::stop-commands::x"'),
    "a C1 control in a target": HEAD + RULE.replace("qwen3:8b", "qw\\u009b31mn"),
    "text that turns around": HEAD + RULE.replace("llama3.1:8b", "\\u202ellama"),
    "an escape sequence in a reference": HEAD + 'extends = ["\\u001b[2J.toml", "a\\n::error::b.toml"]\n',
    "a way out of the folder": HEAD + 'extends = ["../../../../etc/passwd"]\n',
    "an absolute path": HEAD + 'extends = ["/etc/passwd"]\n',
    "itself": HEAD + 'extends = ["team.toml"]\n',
}


@pytest.mark.parametrize(
    ("command", "text"),
    [pytest.param("explain", text, id=f"explain, {what}") for what, text in HUGE.items()]
    + [pytest.param("lint", HUGE[what], id=f"lint, {what}") for what in LINTED],
)
def test_a_recipe_full_of_garbage_is_refused_in_bounded_time_and_memory(
    isolated: Path, tmp_path: Path, command: str, text: str
) -> None:
    (tmp_path / "team.toml").write_text(text)
    before = seen(tmp_path)
    answer = tried(*COMMANDS[command], "team.toml", cwd=tmp_path)
    assert answer.returncode == (1 if command == "lint" else 4), answer.stderr[-500:]
    assert inert(answer.stdout + answer.stderr)
    if command == "explain":
        assert answer.stdout == b""
        assert 1 <= answer.stderr.count(b"\n") <= 101
    assert seen(tmp_path) == before


@pytest.mark.parametrize("text", SMALL.values(), ids=SMALL)
def test_what_cannot_be_meant_is_one_clear_line_in_every_command(
    isolated: Path, tmp_path: Path, run, text: str
) -> None:
    os.chdir(tmp_path)
    (tmp_path / "store").mkdir()
    Path("team.toml").write_text(text, encoding="utf-8", newline="")
    before = seen(tmp_path)
    for name in ("explain", "list", "plan", "test"):
        answer = run(*COMMANDS[name], "team.toml")
        assert (answer.code, answer.stdout) == (4, ""), name
        assert all(line.startswith("llamaexit: ") for line in answer.stderr.splitlines()), name
        assert len(answer.stderr) < 3000
        assert inert(answer.stderr.encode())
    for name in ("lint", "github", "sarif"):
        answer = run(*COMMANDS[name], "team.toml")
        assert answer.code == 1, name
        assert inert(answer.stdout.encode()) and inert(answer.stderr.encode()), name
    assert seen(tmp_path) == before


@pytest.mark.parametrize("text", SMALL.values(), ids=SMALL)
def test_what_cannot_be_meant_is_one_json_document_where_that_is_asked_for(
    isolated: Path, tmp_path: Path, run, text: str
) -> None:
    os.chdir(tmp_path)
    Path("team.toml").write_text(text, encoding="utf-8", newline="")
    for name, code in (("explain", 4), ("list", 4), ("test", 4), ("lint", 1)):
        answer = run(*COMMANDS[name], "team.toml", "--json")
        assert (answer.code, answer.envelope["exit_code"]) == (code, code), name
        assert answer.envelope["errors"]
        assert answer.stderr == ""
    assert json.loads(run(*COMMANDS["sarif"], "team.toml").stdout)["version"] == "2.1.0"


@pytest.mark.parametrize("text", SMALL.values(), ids=SMALL)
def test_formatting_leaves_alone_or_refuses_what_cannot_be_meant(
    isolated: Path, tmp_path: Path, run, text: str
) -> None:
    path = tmp_path / "team.toml"
    path.write_text(text, encoding="utf-8", newline="")
    answer = run("recipe", "fmt", "--check", str(path))
    assert answer.code in (0, 3, 4)
    assert inert(answer.stdout.encode()) and inert(answer.stderr.encode())
    assert path.read_text(encoding="utf-8") == text.replace("\r", "\n")
    assert list(tmp_path.iterdir()) == [path]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


def too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MIB + 1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(fifo, "is not a regular file", id="a pipe"),
        pytest.param(bound_socket, "is not a regular file", id="a socket"),
        pytest.param(Path.mkdir, "is a folder, not a recipe file", id="a folder"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), "is not a regular file", id="a link to a device"),
        pytest.param(lambda path: path.symlink_to(path), "cannot be read: ", id="a link to itself"),
        pytest.param(too_large, "is 1,048,577 bytes long; a recipe file has at most 1,048,576", id="one byte too many"),
        pytest.param(lambda path: path.write_bytes(b"a = 1\n\xff"), "is not UTF-8 text", id="another encoding"),
    ],
)
@pytest.mark.parametrize("command", ["explain", "lint", "test", "fmt"])
def test_what_is_no_text_is_one_clear_line(
    isolated: Path, tmp_path: Path, run, make: Callable[[Path], None], said: str, command: str
) -> None:
    os.chdir(tmp_path)
    make(Path("team.toml").absolute())
    answer = run(*COMMANDS[command], "team.toml")
    assert answer.code == (1 if command == "lint" else 4)
    assert said in (answer.stdout if command == "lint" else answer.stderr)
    assert answer.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["team.toml"]


def test_a_name_of_a_file_cannot_pass_for_a_message(isolated: Path, tmp_path: Path, run) -> None:
    path = tmp_path / "\x1b[2J\n::error::x.toml"
    path.write_text("nonsense")
    for name in ("explain", "lint", "github", "sarif", "test", "fmt"):
        answer = run(*COMMANDS[name], str(path))
        assert answer.code in (1, 4)
        assert inert(answer.stdout.encode()), name
        assert inert(answer.stderr.encode()), name


def test_three_files_that_extend_each_other_are_one_line(isolated: Path, tmp_path: Path, run) -> None:
    for name, other in ("ab", "bc", "ca"):
        (tmp_path / f"{name}.toml").write_text(f'schema = 1\nname = "{name}"\nextends = ["{other}.toml"]\n')
    answer = run("recipe", "explain", "llama3.1:8b", "--recipe", str(tmp_path / "a.toml"))
    assert (answer.code, answer.stdout, answer.stderr.count("\n")) == (4, "", 1)
    assert "goes round in a circle: a.toml extends b.toml extends c.toml extends a.toml" in answer.stderr


def test_a_link_out_of_the_folder_is_not_followed(isolated: Path, tmp_path: Path, run) -> None:
    (tmp_path / "secret.toml").write_text('schema = 1\nname = "secret"\n')
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "base.toml").symlink_to(tmp_path / "secret.toml")
    (inside / "team.toml").write_text(HEAD + 'extends = ["base.toml"]\n')
    answer = run("recipe", "list", "--recipe", str(inside / "team.toml"))
    assert (answer.code, answer.stdout, answer.stderr.count("\n")) == (4, "", 1)
    assert "leads out of inside" in answer.stderr


@pytest.mark.parametrize("text", [HEAD + "x = ", HEAD + '"\\u001b" = 1\n'], ids=["no TOML", "an escape sequence"])
def test_a_project_with_a_hostile_recipe_gets_no_new_one(isolated: Path, tmp_path: Path, run, text: str) -> None:
    """`recipe new` reads no recipe but the built-in ones, and takes the place of none."""
    os.chdir(tmp_path)
    Path("llamaexit.toml").write_text(text)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "blobs").mkdir()
    answer = run("recipe", "new", "--store", str(tmp_path), "--out", "llamaexit.toml")
    assert answer.code == 4
    assert Path("llamaexit.toml").read_text() == text


@pytest.mark.parametrize("command", ["explain", "test", "fmt"])
def test_a_file_that_grows_while_it_is_read_is_read_no_further_than_a_recipe_goes(
    isolated: Path, tmp_path: Path, run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    path = tmp_path / "team.toml"
    path.write_text(HEAD)
    opened = Path.open

    def grown(self: Path, *args, **kwargs):
        if self == path:
            with opened(path, "r+b") as file:
                file.truncate(50 * MIB)
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", grown)
    answer = run(*COMMANDS[command], str(path))
    assert (answer.code, answer.stderr.count("\n")) == (4, 1)
    assert "bytes long; a recipe file has at most 1,048,576" in answer.stderr
