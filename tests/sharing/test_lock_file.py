"""The file `llamaexit.lock`: always written alike, and read strictly."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from golden import compare

from llamaexit.errors import REFUSED
from llamaexit.sharing.lock import (
    Lock,
    LockedRecipe,
    LockedTarget,
    LockError,
    dump_lock,
    read_lock,
    spell_local,
    text_hash,
)

COMMIT = "3f1c9a0b5d7e8f6a4b2c1d0e9f8a7b6c5d4e3f2a"
HASH = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
GIT = "git+https://git.example.com/acme/llama-exit.git@main#team.toml"
WEB = f"https://intranet.example/recipes/ops.toml#sha256={HASH}"
LOCK = Lock(
    roots=("llamaexit.toml", WEB),
    recipes=(
        LockedRecipe("llamaexit.toml", HASH),
        LockedRecipe(WEB, HASH),
        LockedRecipe(GIT, "ab" * 32, COMMIT, "2026-11-02T09:00:00Z"),
        LockedRecipe('policies/größe "1".toml', "cd" * 32),
    ),
    targets=(
        LockedTarget("qwen3:8b", f"sha256:{HASH}", "registry"),
        LockedTarget("hf.co/acme/Own-GGUF:Q4_K_M", "sha256:500a1f067a9f", "recipe"),
    ),
)


@pytest.fixture
def written(tmp_path: Path):
    """Write a text where a lock is looked for."""

    def write(text: str) -> Path:
        path = tmp_path / "llamaexit.lock"
        path.write_text(text, "utf-8")
        return path

    return write


def test_lock_is_written_as_ever() -> None:
    compare("llamaexit.lock", dump_lock(LOCK))


def test_lock_reads_back_as_it_was_written(written) -> None:
    found = read_lock(written(dump_lock(LOCK)))
    assert found is not None
    assert dump_lock(found) == dump_lock(LOCK)
    assert set(found.recipes) == set(LOCK.recipes)
    assert set(found.targets) == set(LOCK.targets)


def test_text_does_not_depend_on_the_order_in_which_things_were_found() -> None:
    chance = random.Random(4)
    recipes, targets, roots = list(LOCK.recipes), list(LOCK.targets), list(LOCK.roots)
    for _ in range(5):
        for entries in (recipes, targets, roots):
            chance.shuffle(entries)
        assert dump_lock(Lock(tuple(roots), tuple(recipes), tuple(targets))) == dump_lock(LOCK)


@pytest.mark.parametrize("name", ['a"b.toml', "a\\b.toml", "ä–名.toml"])
def test_odd_names_of_files_survive(written, name: str) -> None:
    lock = Lock((name,), (LockedRecipe(name, HASH),))
    assert read_lock(written(dump_lock(lock))) == lock


def test_empty_lock_is_a_lock(written) -> None:
    assert read_lock(written(dump_lock(Lock()))) == Lock()


def test_checkout_with_other_line_endings_is_the_same_lock(written, tmp_path: Path) -> None:
    path = tmp_path / "llamaexit.lock"
    path.write_bytes(dump_lock(LOCK).replace("\n", "\r\n").encode())
    found = read_lock(path)
    assert found is not None and dump_lock(found) == dump_lock(LOCK)


def test_no_file_is_no_lock(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "llamaexit.lock") is None


def changed(old: str, new: str) -> str:
    text = dump_lock(LOCK)
    assert old in text
    return text.replace(old, new, 1)


BRANCH_OF_TWO_COMMITS = f"""[[recipes]]
reference = "{GIT.replace("team", "ops")}"
commit = "{"c" * 40}"
committed = "2026-11-02T09:00:00Z"
sha256 = "{HASH}"

[[targets]]"""
ANOTHER_RECIPE = f'\n[[recipes]]\nreference = "llamaexit.toml"\nsha256 = "{HASH}"\n'
ANOTHER_TARGET = f'\n[[targets]]\nmodel = "QWEN3:8B"\ndigest = "sha256:{HASH}"\nseen = "recipe"\n'
TIME = "2026-11-02T09:00:00Z"

REFUSED_TEXTS = {
    "nothing in it": ("", "1:1: lock: is missing (and 1 more)"),
    "no version": (changed("lock = 1\n", ""), "1:1: lock: is missing"),
    "a newer version": (
        changed("lock = 1", "lock = 2"),
        "2:1: lock: is 2, a newer format than this llamaexit knows (1)",
    ),
    "a version that is no number": (changed("lock = 1", "lock = true"), "2:1: lock: must be 1"),
    "a version in quotes": (changed("lock = 1", 'lock = "1"'), "2:1: lock: must be 1"),
    "misspelled roots": (changed("roots", "root"), "3:1: root: unknown key; did you mean 'roots'?"),
    "roots that are none": (changed("roots = [", "roots = 1\nold = ["), "3:1: roots: must be a list (and 1 more)"),
    "a root that is a number": (
        changed('    "https', '    1, "https'),
        "4:5: roots[0]: must be a reference, in quotes",
    ),
    "a key of somebody else": (changed("lock = 1", "lock = 1\nextra = 1"), "3:1: extra: unknown key"),
    "a misspelled key": (
        changed("sha256 =", "sha265 ="),
        "12:1: recipes[0].sha265: unknown key; did you mean 'sha256'?",
    ),
    "a time that is no text": (
        changed(f'committed = "{TIME}"', f"committed = {TIME}"),
        "11:1: recipes[0].committed: must be text, in quotes",
    ),
    "a day that is none": (
        changed("2026-11-02T", "2026-02-30T"),
        f"11:1: recipes[0].committed: must be a time in UTC such as {TIME}, not '2026-02-30T09:00:00Z'",
    ),
    "a shortened commit": (
        changed(COMMIT, COMMIT[:12]),
        f"10:1: recipes[0].commit: must be the full id of a commit, not '{COMMIT[:12]}'",
    ),
    "a hash in capitals": (
        changed("ab" * 32, "AB" * 32),
        f"12:1: recipes[0].sha256: must be 64 hexadecimal digits in lower case, not '{'AB' * 32}'",
    ),
    "an address that is none": (
        changed("@main#", "@--exec#"),
        "9:1: recipes[0].reference: revision '--exec' starts with a dash",
    ),
    "a reference that works on a terminal": (
        changed("llamaexit.toml", "\\u001b[31m.toml").replace('"llamaexit.toml"', '"\\u001b[31m.toml"'),
        "5:5: roots[1]: must be a reference, in quotes (and 1 more)",
    ),
    "an address in another spelling": (
        changed("git.example.com", "GIT.example.com"),
        f"9:1: recipes[0].reference: is spelled {GIT}",
    ),
    "git without a commit": (changed(f'commit = "{COMMIT}"\n', ""), "8:1: recipes[0].commit: is missing"),
    "a file with a commit": (
        changed('reference = "llamaexit.toml"\n', f'reference = "llamaexit.toml"\ncommit = "{COMMIT}"\n'),
        "20:1: recipes[2].commit: is only for what comes from a git repository",
    ),
    "another hash than in the address": (
        changed(f'{WEB}"\nsha256 = "{HASH}"', f'{WEB}"\nsha256 = "{"0" * 64}"'),
        "16:1: recipes[1].sha256: is not the one that the reference names",
    ),
    "another commit than in the address": (
        changed(GIT, GIT.replace("@main", "@" + "b" * 40)),
        "10:1: recipes[0].commit: is not the one that the reference names",
    ),
    "one recipe twice": (dump_lock(LOCK) + ANOTHER_RECIPE, "37:1: recipes[4].reference: is there twice"),
    "one model twice": (dump_lock(LOCK) + ANOTHER_TARGET, "37:1: targets[2].model: is there twice"),
    "two commits of one branch": (
        changed("[[targets]]", BRANCH_OF_TWO_COMMITS),
        "28:1: recipes[4].commit: is not the one that another recipe of this revision is locked to",
    ),
    "a digest without its kind": (
        changed("sha256:500a1f067a9f", "500a1f067a9f"),
        "28:1: targets[0].digest: must be sha256: and 12 to 64 hexadecimal digits in lower case, not '500a1f067a9f'",
    ),
    "seen by nobody": (
        changed('seen = "registry"', 'seen = "rumour"'),
        "34:1: targets[1].seen: must be registry or recipe, not 'rumour'",
    ),
    "a name of no model": (
        changed('model = "qwen3:8b"', 'model = "qwen3@sha256:ab"'),
        "32:1: targets[1].model: must be the name of a model, not 'qwen3@sha256:ab'",
    ),
    "no tables": ("lock = 1\nroots = []\nrecipes = 3\n", "3:1: recipes: must be tables, [[recipes]]"),
    "a merge that was not finished": ("<<<<<<< HEAD\n", "1:1: is not TOML: "),
    "keys without end": ("a." * 40_000 + "b = 1\n", " keys are nested more than 16 levels deep"),
    "far too much": ("#" * (2 << 20), " is 2,097,152 bytes long; a lock file has at most 1,048,576"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED_TEXTS.values(), ids=REFUSED_TEXTS)
def test_lock_that_cannot_be_is_refused_with_its_place(written, text: str, said: str) -> None:
    path = written(text)
    with pytest.raises(LockError) as caught:
        read_lock(path)
    assert caught.value.message.startswith(f"{path}:{said}")
    assert "\n" not in caught.value.message
    assert (caught.value.code, caught.value.exit_code) == ("lock", REFUSED)
    assert caught.value.hint


def test_every_problem_of_a_lock_is_listed(written) -> None:
    text = changed("ab" * 32, "zz").replace('seen = "registry"', "seen = 1")
    with pytest.raises(LockError) as caught:
        read_lock(written(text))
    assert len(caught.value.problems) == 2


def test_newer_lock_says_to_update(written) -> None:
    with pytest.raises(LockError) as caught:
        read_lock(written("lock = 9\n"))
    assert caught.value.hint == "update llamaexit"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Path.mkdir, id="a folder"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="a link to nowhere"),
    ],
)
def test_what_is_no_file_is_no_lock_and_not_passed_over(tmp_path: Path, make) -> None:
    path = tmp_path / "llamaexit.lock"
    make(path)
    with pytest.raises(LockError):
        read_lock(path)


def test_entries_are_found_by_name_however_it_is_spelled() -> None:
    assert LOCK.target("Qwen3:8B") is LOCK.targets[0]
    assert LOCK.target("qwen3:14b") is None
    assert LOCK.recipe(GIT) is LOCK.recipes[2]
    assert LOCK.commits() == {("git+https://git.example.com/acme/llama-exit.git", "main"): COMMIT}


def test_files_are_named_from_the_folder_of_the_lock(tmp_path: Path) -> None:
    assert spell_local(tmp_path / "policies" / "eu.toml", tmp_path) == "policies/eu.toml"
    assert spell_local(tmp_path / "shared.toml", tmp_path / "project") == "../shared.toml"


@pytest.mark.skipif(os.name == "nt", reason="there are no such names there")
@pytest.mark.parametrize("name", [b"\xff.toml", b"a\nb.toml", b"\x1b[31m.toml"])
def test_name_that_cannot_be_shown_cannot_be_locked(tmp_path: Path, name: bytes) -> None:
    with pytest.raises(LockError, match="characters nobody sees") as caught:
        spell_local(tmp_path / os.fsdecode(name), tmp_path)
    assert caught.value.message.isprintable()


def test_hash_is_that_of_the_text() -> None:
    assert text_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
