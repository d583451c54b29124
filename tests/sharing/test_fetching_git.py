"""Recipes from real repositories, read from the disk and through git's own HTTP backend."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from git_repository import GitRepository, GitServer
from recipe_texts import recipe

from llamaexit.errors import RecipeError
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library, load_stack, recipe_text
from llamaexit.recipes.read import Unreadable
from llamaexit.recipes.sources import RecipeText, Unresolved
from llamaexit.sharing.addresses import Address, GitAddress
from llamaexit.sharing.remote import Fetched, RemoteSources

Finder = Callable[..., RemoteSources]
Maker = Callable[..., GitRepository]


def names(library: Library) -> list[str]:
    return [entry.name for entry in library.loaded if not entry.builtin]


@pytest.fixture
def team(make_repository: Maker) -> GitRepository:
    """A repository with a recipe that extends one in a folder."""
    repository = make_repository("team.git")
    repository.commit(
        {"team.toml": recipe("team", extends=["base/all.toml", "builtin:fallback"]), "base/all.toml": recipe("all")}
    )
    return repository


@pytest.fixture(params=["disk", "http"])
def address(request: pytest.FixtureRequest, team: GitRepository, git_server: GitServer) -> str:
    """The same repository both ways."""
    return team.url if request.param == "disk" else git_server.url("team.git")


def test_a_recipe_comes_with_what_it_names_beside_it(address: str, finder: Finder, team: GitRepository) -> None:
    sources = finder()
    library = load_library([f"{address}@main#team.toml"], sources=sources)
    assert names(library) == ["all", "team"]
    assert library.loaded[-1].file == f"{address}@main#team.toml"
    commit = team.git("rev-parse", "main")
    assert [(one.address.spelled, one.commit, one.committed, one.cached) for one in sources.fetched] == [
        (f"{address}@main#team.toml", commit, "2026-11-02T09:00:00Z", False),
        (f"{address}@main#base/all.toml", commit, "2026-11-02T09:00:00Z", False),
    ]
    assert sources.local_files == ()


@pytest.mark.parametrize("annotated", [False, True], ids=["a plain tag", "an annotated tag"])
def test_a_tag_means_its_commit(address: str, finder: Finder, team: GitRepository, annotated: bool) -> None:
    team.tag("v1", annotated=annotated)
    tagged = team.git("rev-parse", "HEAD")
    team.commit({"team.toml": recipe("newer")})
    sources = finder()
    assert names(load_library([f"{address}@v1#team.toml"], sources=sources)) == ["all", "team"]
    assert sources.fetched[0].commit == tagged


def test_a_commit_that_no_branch_ends_in_can_be_named(address: str, finder: Finder, team: GitRepository) -> None:
    old = team.git("rev-parse", "HEAD")
    team.commit({"team.toml": recipe("newer")})
    assert names(load_library([f"{address}@{old}#team.toml"], sources=finder())) == ["all", "team"]


def test_a_repository_with_ids_of_sha256_works_as_well(make_repository: Maker, finder: Finder) -> None:
    repository = make_repository("long.git", sha256=True)
    commit = repository.commit({"a/team.toml": recipe("team")})
    assert len(commit) == 64
    for rev in ("main", commit):
        assert names(load_library([f"{repository.url}@{rev}#a/team.toml"], sources=finder())) == ["team"]


def test_a_branch_is_asked_for_again_in_each_run(address: str, finder: Finder, team: GitRepository) -> None:
    before = load_library([f"{address}@main#team.toml"], sources=finder())
    team.commit({"team.toml": recipe("moved")})
    after = load_library([f"{address}@main#team.toml"], sources=finder())
    assert (names(before), names(after)) == (["all", "team"], ["moved"])


def test_a_branch_is_asked_for_once_in_a_run(team: GitRepository, git_server: GitServer, finder: Finder) -> None:
    url = git_server.url("team.git")
    sources = finder()
    sources.resolve(f"{url}@main#team.toml", None)
    asked = len(git_server.requests)
    team.commit({"team.toml": recipe("moved")})
    assert 'name = "team"' in sources.resolve(f"{url}@main#team.toml", None).text
    assert 'name = "all"' in sources.resolve(f"{url}@main#base/all.toml", None).text
    assert len(git_server.requests) == asked


def test_two_references_to_one_file_are_one_recipe(address: str, finder: Finder, team: GitRepository) -> None:
    team.tag("v1")
    sources = finder()
    library = load_library([f"{address}@main#team.toml", f"{address}@v1#team.toml"], sources=sources)
    assert names(library).count("team") == 2  # named twice, which is no clash of two recipes with one name
    first, second = (sources.resolve(f"{address}@{rev}#team.toml", None) for rev in ("main", "v1"))
    assert first.identity == second.identity
    assert first.shown_as != second.shown_as


def test_one_recipe_at_two_commits_is_two_recipes_of_one_name(finder: Finder, team: GitRepository) -> None:
    old = team.git("rev-parse", "HEAD")
    team.commit({"team.toml": recipe("team", more="# newer\n")})
    with pytest.raises(RecipeError, match=f"'team' is also the name of .*@{old}#team.toml"):
        load_library([f"{team.url}@{old}#team.toml", f"{team.url}@main#team.toml"], sources=finder())


def test_a_commit_in_the_cache_needs_neither_network_nor_git(
    team: GitRepository, git_server: GitServer, finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = f"{git_server.url('team.git')}@{team.git('rev-parse', 'HEAD')}#team.toml"
    load_library([reference], sources=finder())
    asked = len(git_server.requests)
    monkeypatch.setenv("PATH", "")
    sources = finder(offline=True)
    assert names(load_library([reference], sources=sources)) == ["all", "team"]
    assert [one.cached for one in sources.fetched] == [True, True]
    assert len(git_server.requests) == asked


@pytest.mark.parametrize(
    ("rev", "reason"),
    [("main", "'main' of .* now has to be asked there"), ("0" * 40, "commit 000000000000 of .* is not in the cache")],
)
def test_offline_nobody_is_contacted(git_server: GitServer, finder: Finder, cache: Path, rev: str, reason: str) -> None:
    with pytest.raises(Unresolved, match=reason):
        finder(offline=True).resolve(f"{git_server.url('team.git')}@{rev}#team.toml", None)
    assert git_server.requests == [] and not cache.exists()


@pytest.mark.parametrize(
    ("rev", "path", "reason"),
    [
        ("mian", "team.toml", "has no branch and no tag 'mian'; did you mean 'main'"),
        ("qqq", "team.toml", "has no branch and no tag 'qqq'$"),
        ("abcdef12", "team.toml", "a commit is named by all digits of its id"),
        ("refs/heads/v1", "team.toml", "has no branch and no tag 'refs/heads/v1'"),
        ("f" * 40, "team.toml", "has no commit ffff"),
        ("main", "taem.toml", "at main has no taem.toml; did you mean 'team.toml'"),
        ("main", "base/al.toml", "at main has no base/al.toml; did you mean 'all.toml'"),
        ("main", "nowhere/team.toml", "at main has no nowhere"),
        ("main", "team.toml/x.toml", "team.toml is a file, and no folder"),
        ("main", "odd.toml", "odd.toml is a folder, and no file"),
    ],
)
def test_what_is_not_there_is_told(
    address: str, finder: Finder, team: GitRepository, rev: str, path: str, reason: str
) -> None:
    team.commit({"odd.toml/team.toml": recipe("odd")})
    team.tag("v1")
    with pytest.raises(Unresolved, match=reason):
        finder().resolve(f"{address}@{rev}#{path}", None)


def test_no_repository_is_told_in_one_line(git_server: GitServer, served: Path, finder: Finder, cache: Path) -> None:
    for url in (git_server.url("none.git"), f"git+{(served / 'none.git').as_uri()}"):
        with pytest.raises(RecipeError) as refused:
            load_library([f"{url}@main#team.toml"], sources=finder())
        assert f"there is no repository {url.removeprefix('git+')}, or it is not public" in str(refused.value)
        assert refused.value.exit_code == 4 and "\n" not in str(refused.value)
    assert not cache.exists()


def test_a_name_that_is_a_branch_and_a_tag_has_to_be_made_clear(
    address: str, finder: Finder, team: GitRepository
) -> None:
    team.branch("v1")
    team.commit({"team.toml": recipe("newer")})
    team.tag("v1", annotated=True)
    with pytest.raises(Unresolved, match="write @refs/heads/v1 or @refs/tags/v1 instead"):
        finder().resolve(f"{address}@v1#team.toml", None)
    assert 'name = "team"' in finder().resolve(f"{address}@refs/heads/v1#team.toml", None).text
    assert 'name = "newer"' in finder().resolve(f"{address}@refs/tags/v1#team.toml", None).text


def test_the_id_of_a_tag_is_no_commit(address: str, finder: Finder, team: GitRepository) -> None:
    team.tag("v1", annotated=True)
    with pytest.raises(Unresolved, match=r"is no commit of .*, but a tag"):
        finder().resolve(f"{address}@{team.git('rev-parse', 'refs/tags/v1')}#team.toml", None)


def test_pictures_come_from_beside_the_recipe(address: str, finder: Finder, team: GitRepository) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(100)
    team.commit({"base/all.toml": _seeing("pictures/cat.png"), "base/pictures/cat.png": picture})
    stack = load_stack(f"{address}@main#base/all.toml", sources=finder())
    assert stack.entry is not None and stack.problems == ()
    assert base64.b64decode(stack.entry.recipe.rules[0].smoke[0].image_data) == picture


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        ("../up.png", "leads out of the recipe's folder"),
        ("/etc/cat.png", "is not a relative path"),
        ("cat.gif", "end in .png, .jpg, .jpeg"),
        ("none.png", "has no base/none.png"),
        ("large.png", "is larger than 262,144 bytes"),
        ("huge.png", "is larger than 262,144 bytes"),
    ],
)
def test_other_pictures_are_refused(finder: Finder, team: GitRepository, picture: str, reason: str) -> None:
    team.commit(
        {
            "base/all.toml": _seeing(picture), "up.png": b"\x89PNG\r\n\x1a\n",
            "base/large.png": bytes(300_000), "base/huge.png": bytes(2_000_000),
        }
    )  # fmt: skip
    problems = load_stack(f"{team.url}@main#base/all.toml", sources=finder()).problems
    assert [reason in str(problem) for problem in problems] == [True], problems


def test_a_recipe_that_is_too_large_is_not_read(address: str, finder: Finder, team: GitRepository) -> None:
    team.commit({"team.toml": "#" * (1024 * 1024 + 1)})
    with pytest.raises(Unreadable, match="is 1,048,577 bytes long; a recipe has at most 1,048,576"):
        finder().resolve(f"{address}@main#team.toml", None)


def test_a_recipe_that_is_no_text_is_told(address: str, finder: Finder, team: GitRepository) -> None:
    team.commit({"team.toml": b"schema = 1\nname = \xff\n"})
    with pytest.raises(Unreadable, match=r"#team.toml:2: is not UTF-8 text"):
        finder().resolve(f"{address}@main#team.toml", None)


def test_problems_are_told_with_their_place(address: str, finder: Finder, team: GitRepository) -> None:
    team.commit({"team.toml": recipe("team", more="summry = 1\n")})
    (problem,) = load_stack(f"{address}@main#team.toml", sources=finder()).problems
    assert str(problem).startswith(f"{address}@main#team.toml:6:1: summry: ")


def test_the_text_of_a_loaded_recipe_can_be_had(address: str, finder: Finder) -> None:
    sources = finder()
    library = load_library([f"{address}@main#team.toml"], sources=sources)
    for name, start in (("team", 'schema = 1\nname = "team"'), ("all", 'schema = 1\nname = "all"')):
        entry, text = recipe_text(library, name, sources=sources)
        assert entry.name == name and text.startswith(start)


class Gate:
    """Remembers who asks, and what was in the cache then."""

    def __init__(self, refuse: bool = False) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self._refuse = refuse

    def check(self, address: Address, named_in: RecipeText | None) -> None:
        self.asked.append((address.source, named_in.shown_as if named_in else None))
        if self._refuse:
            raise PermissionError(address.source)


def test_the_gate_is_asked_before_anybody_is_contacted(
    team: GitRepository, git_server: GitServer, finder: Finder, cache: Path
) -> None:
    gate = Gate(refuse=True)
    for reference in (f"{git_server.url('team.git')}@main#team.toml", f"{git_server.web('x.toml')}#sha256={'0' * 64}"):
        with pytest.raises(PermissionError):
            finder(gate=gate).resolve(reference, None)
    assert git_server.requests == [] and not cache.exists()
    assert [named_in for _, named_in in gate.asked] == [None, None]


def test_the_gate_is_asked_also_for_what_is_in_the_cache(team: GitRepository, finder: Finder) -> None:
    reference = f"{team.url}@{team.git('rev-parse', 'HEAD')}#team.toml"
    finder().resolve(reference, None)
    with pytest.raises(PermissionError):
        finder(gate=Gate(refuse=True)).resolve(reference, None)


def test_the_gate_hears_who_names_a_source(team: GitRepository, make_repository: Maker, finder: Finder) -> None:
    other = make_repository("other.git")
    other.commit({"top.toml": recipe("top", extends=[f"{team.url}@main#team.toml"])})
    gate = Gate()
    load_library([f"{other.url}@main#top.toml"], sources=finder(gate=gate))
    assert gate.asked == [(other.url, None), (team.url, f"{other.url}@main#top.toml")]


class Locked:
    """Knows one commit for every reference, and looks at what comes."""

    def __init__(self, commit: str, sha256: str = "") -> None:
        self.checked: list[Fetched] = []
        self._commit, self._sha256 = commit, sha256

    def commit_of(self, address: GitAddress) -> str | None:
        return self._commit

    def check(self, fetched: Fetched) -> None:
        self.checked.append(fetched)
        if self._sha256 and fetched.sha256 != self._sha256:
            raise PermissionError(fetched.sha256)


def test_a_locked_branch_stays_where_it_was(team: GitRepository, git_server: GitServer, finder: Finder) -> None:
    locked = team.git("rev-parse", "HEAD")
    team.commit({"team.toml": recipe("moved")})
    reference = f"{git_server.url('team.git')}@main#team.toml"
    pins = Locked(locked)
    assert names(load_library([reference], sources=finder(pins=pins))) == ["all", "team"]
    assert [one.commit for one in pins.checked] == [locked, locked]
    asked = len(git_server.requests)
    assert names(load_library([reference], sources=finder(pins=pins, offline=True))) == ["all", "team"]
    assert len(git_server.requests) == asked


def test_what_the_pins_refuse_is_not_handed_out(team: GitRepository, finder: Finder) -> None:
    sources = finder(pins=Locked(team.git("rev-parse", "HEAD"), sha256="0" * 64))
    with pytest.raises(PermissionError):
        sources.resolve(f"{team.url}@main#team.toml", None)
    assert sources.fetched == ()


@pytest.mark.parametrize("locked", ["main", "--upload-pack=touch", "../../../outside", "A" * 40, ""])
def test_a_lock_that_names_no_commit_is_not_followed(
    git_server: GitServer, finder: Finder, cache: Path, locked: str
) -> None:
    with pytest.raises(Unresolved, match="is said to be locked to, is no commit"):
        finder(pins=Locked(locked)).resolve(f"{git_server.url('team.git')}@main#team.toml", None)
    assert git_server.requests == [] and not cache.exists()


def test_a_pinned_commit_counts_for_more_than_a_lock(team: GitRepository, finder: Finder) -> None:
    pinned = team.git("rev-parse", "HEAD")
    locked = team.commit({"team.toml": recipe("moved")})
    found = finder(pins=Locked(locked)).resolve(f"{team.url}@{pinned}#team.toml", None)
    assert 'name = "team"' in found.text


def test_two_runs_at_once_fetch_a_commit_once(team: GitRepository, git_server: GitServer, finder: Finder) -> None:
    reference = f"{git_server.url('team.git')}@{team.git('rev-parse', 'HEAD')}#team.toml"
    together = threading.Barrier(4)
    found: list[str] = []

    def run() -> None:
        sources = finder()
        together.wait()
        found.append(sources.resolve(reference, None).text)

    runs = [threading.Thread(target=run) for _ in range(4)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert len(found) == 4 and len(set(found)) == 1
    assert [request.split()[0] for request in git_server.requests].count("POST") == 1


def _seeing(picture: str) -> str:
    rule = (
        '[[rules]]\nid = "see"\nuse = "vision"\ntargets = [{ model = "qwen2.5vl:7b" }]\n'
        f'[[rules.smoke]]\nid = "cat"\nask = "What is it?"\nimage = "{picture}"\nexpect = {{ contains = "cat" }}\n'
    )
    return recipe("all", more=rule)
