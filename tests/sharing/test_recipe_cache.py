"""What was fetched is checked each time it is read: who changes it is found out, and nothing is mended in silence."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from git_repository import GitRepository
from recipe_texts import recipe

from llamaexit.recipes.load import load_library
from llamaexit.recipes.sources import Unresolved
from llamaexit.sharing.cache import CacheUnusable, DamagedCache, Repository
from llamaexit.sharing.objects import framed, id_of
from llamaexit.sharing.remote import RemoteSources

Finder = Callable[..., RemoteSources]
Maker = Callable[..., GitRepository]


@pytest.fixture
def team(make_repository: Maker) -> GitRepository:
    repository = make_repository("team.git")
    repository.commit({"a/team.toml": recipe("team", extends=["base.toml"]), "a/base.toml": recipe("base")})
    return repository


@pytest.fixture
def reference(team: GitRepository, finder: Finder) -> str:
    """A commit that is in the cache."""
    pinned = f"{team.url}@{team.git('rev-parse', 'HEAD')}#a/team.toml"
    load_library([pinned], sources=finder())
    return pinned


def objects(cache: Path) -> list[Path]:
    return sorted(path for path in cache.glob("git/*/objects/*/*") if path.is_file())


def every_file(cache: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in cache.rglob("*") if path.is_file()}


def expect_damage(reference: str, finder: Finder, cache: Path) -> None:
    """Loading it is refused in one line that names the folder, and the cache stays as it is."""
    before = every_file(cache)
    (folder,) = cache.glob("git/*")
    with pytest.raises(DamagedCache) as refused:
        load_library([reference], sources=finder())
    assert refused.value.exit_code == 4
    assert refused.value.message.startswith(f"{folder}: the cache was changed: ")
    assert refused.value.hint is not None and "delete this folder" in refused.value.hint
    assert every_file(cache) == before


def flips(content: bytes) -> Iterator[bytes]:
    """The content with one bit turned over: at its start, in its header, in the middle, at its end."""
    for place in {0, content.index(b"\0"), len(content) // 2, len(content) - 1}:
        changed = bytearray(content)
        changed[place] ^= 1
        yield bytes(changed)
    yield content + b"\n"
    yield content[:-1]
    yield b""


def test_a_bit_turned_over_in_any_object_is_noticed(reference: str, finder: Finder, cache: Path) -> None:
    assert len(objects(cache)) == 5  # a commit, two folders, two recipes
    for path in objects(cache):
        sound = path.read_bytes()
        for damaged in flips(sound):
            path.write_bytes(damaged)
            expect_damage(reference, finder, cache)
        path.write_bytes(sound)
    load_library([reference], sources=finder())


def test_an_object_that_is_gone_is_noticed(reference: str, finder: Finder, cache: Path, team: GitRepository) -> None:
    commit = team.git("rev-parse", "HEAD")
    for path in objects(cache):
        if path.parent.name + path.name == commit:
            continue  # without it nothing was fetched: see below
        sound = path.read_bytes()
        path.unlink()
        expect_damage(reference, finder, cache)
        path.write_bytes(sound)


def test_without_its_commit_a_repository_is_fetched_again(
    reference: str, finder: Finder, cache: Path, team: GitRepository
) -> None:
    commit = team.git("rev-parse", "HEAD")
    (cache / "git").joinpath(*_place(cache, commit)).unlink()
    sources = finder()
    load_library([reference], sources=sources)
    assert [one.cached for one in sources.fetched] == [False, False]


def test_objects_that_are_sound_but_others_are_noticed(
    reference: str, finder: Finder, cache: Path, team: GitRepository
) -> None:
    """The commit, its folder or its recipe replaced by those of a later commit, complete and well-formed."""
    names = ("HEAD", "HEAD^{tree}", "HEAD:a", "HEAD:a/team.toml")
    before = [team.git("rev-parse", name) for name in names]
    team.commit({"a/team.toml": recipe("evil", extends=["base.toml"])})
    after = [team.git("rev-parse", name) for name in names]
    finder().resolve(f"{team.url}@{after[0]}#a/team.toml", None)
    for old, new in zip(before, after, strict=True):
        place = (cache / "git").joinpath(*_place(cache, old))
        sound = place.read_bytes()
        place.write_bytes((cache / "git").joinpath(*_place(cache, new)).read_bytes())
        expect_damage(reference, finder, cache)
        place.write_bytes(sound)


def test_what_git_would_obey_means_nothing_in_the_cache(
    reference: str, finder: Finder, cache: Path, team: GitRepository
) -> None:
    """References, replacements, alternates and settings of git, put where git would look for them."""
    (folder,) = cache.glob("git/*")
    commit = team.git("rev-parse", "HEAD")
    evil = team.commit({"a/team.toml": recipe("evil")})
    for name, content in {
        "HEAD": evil, "config": "[core]\n\tfsmonitor = touch sprung\n", "packed-refs": f"{evil} refs/heads/main\n",
        f"refs/replace/{commit}": evil, "refs/heads/main": evil,
        "objects/info/alternates": f"{team.folder}/.git/objects", "hooks/post-checkout": "#!/bin/sh\ntouch sprung\n",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    sources = finder(offline=True)
    load_library([reference], sources=sources)
    assert [one.commit for one in sources.fetched] == [commit, commit]
    assert not Path("sprung").exists()


def test_a_damaged_object_is_not_mended_by_the_next_fetch(
    reference: str, finder: Finder, cache: Path, team: GitRepository
) -> None:
    place = (cache / "git").joinpath(*_place(cache, team.git("rev-parse", "HEAD:a/base.toml")))
    place.write_bytes(b"blob 4\0evil")
    newer = team.commit({"a/team.toml": recipe("newer")})
    before = place.read_bytes()
    with pytest.raises(DamagedCache, match="does not have the bytes of that name"):
        finder().resolve(f"{team.url}@{newer}#a/team.toml", None)
    assert place.read_bytes() == before


def test_a_file_of_the_web_that_was_changed_is_noticed(finder: Finder, cache: Path) -> None:
    text = recipe("team").encode()
    sha256 = hashlib.sha256(text).hexdigest()
    (cache / "web").mkdir(parents=True)
    (cache / "web" / sha256).write_bytes(text)
    reference = f"https://intranet.example/team.toml#sha256={sha256}"
    assert 'name = "team"' in finder(offline=True).resolve(reference, None).text
    (cache / "web" / sha256).write_bytes(text + b"\n")
    with pytest.raises(DamagedCache, match="web: the cache was changed"):
        finder(offline=True).resolve(reference, None)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_nobody_else_can_read_what_was_fetched(reference: str, cache: Path) -> None:
    assert reference
    for path in (cache, *cache.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0
    assert cache.stat().st_mode & 0o777 == 0o700


def test_what_a_killed_run_left_behind_is_removed_in_time(team: GitRepository, finder: Finder, cache: Path) -> None:
    folder = Repository(cache, team.url).folder
    old, young = folder / ".fetch-old", folder / ".fetch-young"
    for left in (old, young):
        left.mkdir(parents=True)
        (left / "pack").write_bytes(b"x")
    os.utime(old, (0, 0))
    finder().resolve(f"{team.url}@main#a/team.toml", None)
    assert not old.exists() and young.exists()
    assert [path.name for path in folder.glob(".fetch-*")] == [young.name]


def test_a_cache_that_is_no_folder_is_told(team: GitRepository, finder: Finder, cache: Path) -> None:
    cache.write_text("not a folder")
    with pytest.raises(Unresolved, match=r"cache .* cannot be (written|read)"):
        finder().resolve(f"{team.url}@main#a/team.toml", None)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_a_file_of_the_web_that_became_a_pipe_is_not_waited_for(finder: Finder, cache: Path) -> None:
    (cache / "web").mkdir(parents=True)
    os.mkfifo(cache / "web" / ("ab" * 32))
    with pytest.raises(DamagedCache, match="web: the cache was changed"):
        finder(offline=True).resolve(f"https://intranet.example/team.toml#sha256={'ab' * 32}", None)


@pytest.mark.skipif(os.name == "nt", reason="Windows has links for administrators only")
@pytest.mark.parametrize("name", ["source", "lock", "objects"])
def test_nothing_is_written_through_a_link_in_the_cache(
    team: GitRepository, finder: Finder, cache: Path, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    if name == "objects":
        outside.mkdir()
    else:
        outside.write_text("precious")
    folder = Repository(cache, team.url).folder
    folder.mkdir(parents=True)
    (folder / name).symlink_to(outside)
    with suppress(Unresolved, DamagedCache):
        finder().resolve(f"{team.url}@main#a/team.toml", None)
    assert [path for path in outside.rglob("*") if path.is_file()] == []
    assert outside.is_dir() or outside.read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other permissions")
def test_git_does_not_work_in_a_folder_of_another_user(
    team: GitRepository, finder: Finder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who owns a folder can put another repository in the place of that in it, with settings that git obeys."""
    cache.mkdir()
    owner = 4242
    if os.geteuid() == 0:
        os.chown(cache, owner, owner)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(Unresolved, match="belongs to another user of this machine"):
        finder().resolve(f"{team.url}@main#a/team.toml", None)


def test_another_run_that_never_ends_is_not_waited_for_for_ever(cache: Path) -> None:
    repository = Repository(cache, "git+https://git.example/x")
    with (
        repository.fetching(1),
        pytest.raises(CacheUnusable, match=r"another llamaexit is fetching git\+https://git.example/x"),
        Repository(cache, "git+https://git.example/x").fetching(0.05),
    ):
        pass


@pytest.mark.parametrize("sha256", [False, True], ids=["SHA-1", "SHA-256"])
@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)) * 400])
def test_ids_are_those_of_git(tmp_path: Path, sha256: bool, content: bytes) -> None:
    said = GitRepository(tmp_path / "r", sha256=sha256).git("hash-object", "--stdin", stdin=content)
    assert id_of(framed("blob", content), like=said) == said


def _place(cache: Path, object_id: str) -> tuple[str, ...]:
    (folder,) = cache.glob("git/*")
    return (folder.name, "objects", object_id[:2], object_id[2:])
