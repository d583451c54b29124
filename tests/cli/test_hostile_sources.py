"""What strangers put into repositories, locks and the cache, from end to end: one clear line, exit code 4 or 2, and
nothing changed on the disk but what was fetched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from git_repository import GitRepository

HEAD = 'schema = 1\nname = "team"\n'
MIB = 1024 * 1024
COMMANDS = {
    "plan": ("plan", "llama3.1:8b", "--gpu", "RTX 4090", "--ram", "64GiB", "--recipe"),
    "list": ("recipe", "list", "--recipe"),
    "test": ("recipe", "test"),
    "lock": ("recipe", "lock"),
}


@pytest.fixture
def allow(isolated: Path) -> Callable[..., None]:
    """Write the user's settings."""

    def write(*sources: str) -> None:
        file = isolated / ".config" / "llamaexit" / "settings.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"[trust]\nsources = {json.dumps(sources)}\n")

    return write


@pytest.fixture
def team(tmp_path: Path, allow) -> GitRepository:
    """A repository that the settings allow."""
    made = GitRepository(tmp_path / "served" / "team.git")
    made.commit({"real.toml": HEAD, "folder/inner.toml": HEAD})
    allow(made.url)
    return made


@pytest.fixture
def surroundings(isolated: Path) -> Callable[[], object]:
    """Everything but the cache, and of links, pipes and folders what they are."""

    def seen() -> dict[Path, object]:
        found = (path for path in isolated.rglob("*") if ".cache" not in path.parts)
        return {path: path.read_bytes() if path.is_file() else path.lstat().st_mode for path in found}

    return seen


def linked(team: GitRepository) -> str:
    (team.folder / "link.toml").symlink_to("real.toml")
    team.commit({})
    return f"{team.url}@main#link.toml"


def linked_folder(team: GitRepository) -> str:
    (team.folder / "alias").symlink_to("folder")
    team.commit({})
    return f"{team.url}@main#alias/inner.toml"


def extending(text: str) -> Callable[[GitRepository], str]:
    def make(team: GitRepository) -> str:
        team.commit({"team.toml": HEAD + f"extends = [{json.dumps(text)}]\n"})
        return f"{team.url}@main#team.toml"

    return make


def holding(text: str) -> Callable[[GitRepository], str]:
    def make(team: GitRepository) -> str:
        team.commit({"team.toml": text})
        return f"{team.url}@main#team.toml"

    return make


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(linked, "link.toml is a symbolic link, and no file", id="a link"),
        pytest.param(linked_folder, "alias is a symbolic link, and no folder", id="a link to a folder"),
        pytest.param(extending("../../etc/x.toml"), "leads out of the repository", id="a way out of it"),
        pytest.param(extending("/etc/passwd"), "is not a relative path", id="a file of this machine"),
        pytest.param(extending("folder/../real.toml/../../../x.toml"), "leads out", id="a detour out of it"),
        pytest.param(extending("C:x.toml"), "is not a relative path", id="a drive"),
        pytest.param(extending("NUL"), "does not end in .toml", id="a device"),
        pytest.param(extending("TEAM.TOML"), "does not end in .toml", id="another case"),
        pytest.param(extending("ｒeal.toml"), "has no ｒeal.toml", id="letters that look alike"),
        pytest.param(extending("team.toml"), "goes round in a circle", id="itself"),
        pytest.param(lambda team: f"{team.url}@main#../real.toml", "has to be a path in the repository", id="PATH up"),
        pytest.param(holding(HEAD + "x = " + "[" * 5000 + "]" * 5000), "more than 16 levels deep", id="deep nesting"),
        pytest.param(holding("schema = 0x" + "f" * 5000), "a number of more than 64 bits", id="endless number"),
        pytest.param(holding("#" * (MIB + 1)), "1,048,577 bytes long", id="one byte too many"),
    ],
)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_what_a_repository_may_not_hold_is_one_line_in_every_command(
    refused, team: GitRepository, make: Callable[[GitRepository], str], said: str, command: tuple[str, ...]
) -> None:
    assert said in refused(*command, make(team))


def test_a_billion_keys_are_refused_in_time(run, team: GitRepository) -> None:
    keys = "".join(f"k{number} = 1\n" for number in range(60_000))
    outcome = run(*COMMANDS["list"], holding(HEAD + keys)(team))
    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.count("\n") <= 101


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_cycle_over_three_repositories_is_one_line(refused, tmp_path: Path, allow, command) -> None:
    ring = [GitRepository(tmp_path / "served" / f"{name}.git") for name in "abc"]
    for number, one in enumerate(ring):
        following = f"{ring[(number + 1) % 3].url}@main#r.toml"
        one.commit({"r.toml": f'schema = 1\nname = "{"abc"[number]}"\nextends = ["{following}"]\n'})
    allow(*(one.url for one in ring))
    assert "goes round in a circle" in refused(*command, f"{ring[0].url}@main#r.toml")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no files of such names")
@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
@pytest.mark.parametrize(
    "name",
    [b"real\x1b[31mx.toml", "realx\u202e.toml".encode(), "realx\u009b.toml".encode(), b"realx\n::error::.toml"],
    ids=["an escape sequence", "text that turns around", "a C1 control", "a line end"],
)
def test_the_name_of_a_file_in_a_repository_cannot_draw_on_a_terminal(
    run, tmp_path: Path, allow, form: str, name: bytes
) -> None:
    team = GitRepository(tmp_path / "served" / "names.git")
    Path(os.fsdecode(os.fsencode(team.folder) + b"/" + name)).write_text(HEAD)
    team.commit({})
    allow(team.url)
    outcome = run("recipe", "lint", f"{team.url}@main#realx.toml", "--format", form)
    shown = outcome.stdout + outcome.stderr
    assert outcome.code == 1 and "did you mean" in shown
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert not [line for line in shown.splitlines() if line.startswith("::error::")]


# -- locks


@pytest.mark.parametrize("command", ["plan", "test", "lock"])
def test_a_branch_that_was_rewritten_after_locking_is_not_followed(run, refused, team, isolated, command) -> None:
    reference = f"{team.url}@main#real.toml"
    assert run("recipe", "lock", reference).code == 0
    team.git("checkout", "-q", "--orphan", "other")
    team.commit({"real.toml": HEAD + 'summary = "evil"\n'})
    team.git("branch", "-M", "other", "main")
    team.git("reflog", "expire", "--expire=now", "--all")
    team.git("gc", "-q", "--prune=now")
    shown = run("recipe", "list", "--recipe", reference)
    assert shown.code == 0 and "evil" not in shown.stdout
    for stored in (isolated / ".cache").rglob("objects/*/*"):
        stored.unlink()
    line = refused(*COMMANDS[command], reference)
    assert f"{team.url.removeprefix('git+')} has no commit" in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "lock = 0x" + "f" * 5000 + "\nroots = []\n", "lock: is a number of more than", id="endless number"
        ),
        pytest.param(f'lock = 1\nroots = ["{"a" * 5000}"]\n', "cannot be read: file name too long", id="endless name"),
        pytest.param('lock = 1\nroots = ["/dev/zero"]\n', "/dev/zero: is not a regular file", id="a device"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows has other names and other devices")
def test_a_lock_of_strangers_is_one_line(refused, isolated: Path, text: str, said: str) -> None:
    Path("llamaexit.toml").write_text(HEAD)
    Path("llamaexit.lock").write_text(text)
    assert said in refused("recipe", "lock")


@pytest.mark.skipif(os.name == "nt", reason="Windows has links for administrators only")
def test_a_recipe_that_is_a_link_to_itself_cannot_be_locked(refused, isolated: Path) -> None:
    Path("loop.toml").symlink_to("loop.toml")
    assert "loop.toml: cannot be read: " in refused("recipe", "lock", "loop.toml")


@pytest.mark.parametrize("name", ["//server/share/x.toml", r"\\server\share\x.toml"])
def test_a_server_that_only_a_lock_names_is_not_looked_at(
    run, isolated: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    Path("llamaexit.toml").write_text(HEAD)
    Path("llamaexit.lock").write_text(f"lock = 1\nroots = [{json.dumps(name)}]\n")
    looked: list[str] = []
    stat = Path.stat
    monkeypatch.setattr(Path, "stat", lambda self, **more: looked.append(str(self)) or stat(self, **more))
    assert run("recipe", "lock").code == 0
    assert not [path for path in looked if "server" in path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has links for administrators only")
@pytest.mark.parametrize("command", ["lock", "update"])
def test_a_lock_is_not_written_through_a_link(refused, team: GitRepository, isolated: Path, command: str) -> None:
    Path("other").mkdir()
    Path("other/llamaexit.lock").write_text("lock = 1\nroots = []\n")
    Path("llamaexit.lock").symlink_to("other/llamaexit.lock")
    assert "llamaexit.lock is a link" in refused("recipe", command, f"{team.url}@main#real.toml")


@pytest.mark.skipif(os.name == "nt", reason="Windows has links for administrators only")
def test_a_link_to_itself_is_not_written_to(refused, isolated: Path) -> None:
    Path("loop.toml").symlink_to("loop.toml")
    for folder in ("store/manifests", "store/blobs"):
        Path(folder).mkdir(parents=True)
    line = refused("recipe", "new", "--store", "store", "--out", "loop.toml", code=1)
    assert line.startswith("cannot write loop.toml: too many levels of symbolic links")


# -- settings


def test_two_runs_that_allow_something_at_once_both_count(run, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one starts after the first has read the settings, and before it writes them."""
    from llamaexit.sharing import settings

    others: list[subprocess.Popen[bytes]] = []
    edited = settings.edited

    def slowly(*arguments):
        others.append(subprocess.Popen([sys.executable, "-m", "llamaexit", "recipe", "allow", "hf.co/second"]))
        with pytest.raises(subprocess.TimeoutExpired):
            others[0].wait(3)
        return edited(*arguments)

    monkeypatch.setattr(settings, "edited", slowly)
    assert run("recipe", "allow", "hf.co/first").code == 0
    assert others[0].wait(20) == 0
    allowed = run("recipe", "allow", "--list", "--json").envelope["data"]["registries"]
    assert {one["pattern"] for one in allowed} == {"hf.co/first", "hf.co/second"}


# -- the cache


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders, and links for administrators only")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(pipe, id="a pipe"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="a link to a device"),
        pytest.param(lambda path: path.symlink_to("nothing"), id="a link to nothing"),
        pytest.param(Path.mkdir, id="a folder"),
        pytest.param(lambda path: path.write_bytes(b""), id="an empty file"),
    ],
)
@pytest.mark.parametrize("what", ["main:real.toml", "main^{tree}", "main"], ids=["recipe", "folder", "commit"])
def test_what_is_no_object_any_more_is_one_line_with_the_folder_to_delete(
    run, refused, team: GitRepository, isolated: Path, make: Callable[[Path], None], what: str
) -> None:
    reference = f"{team.url}@main#real.toml"
    assert run("recipe", "list", "--recipe", reference).code == 0
    (folder,) = (isolated / ".cache" / "llamaexit" / "recipes" / "git").iterdir()
    object_id = team.git("rev-parse", what)
    stored = folder / "objects" / object_id[:2] / object_id[2:]
    stored.unlink()
    make(stored)
    before = stored.lstat().st_ino
    assert f"{folder}: the cache was changed" in refused("recipe", "list", "--recipe", reference)
    assert stored.lstat().st_ino == before
