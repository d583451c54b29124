"""Commits and trees as bytes, well-formed and otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.sharing.objects import Entry, Malformed, read_commit, read_tree

ID = "ab" * 20
LONG = "cd" * 32
COMMIT = f"tree {ID}\nparent {ID}\nauthor A <a@b> 1 +0000\ncommitter C <c@d> 1793610000 +0100\n\nmessage\n"


def test_a_commit_names_its_tree_and_its_time() -> None:
    commit = read_commit(COMMIT.encode())
    assert (commit.tree, commit.committed) == (ID, "2026-11-02T09:00:00Z")


def test_a_message_cannot_pretend_to_be_the_time() -> None:
    forged = COMMIT.replace("committer C", "committer-not C") + "committer E <e@f> 1 +0000\n"
    with pytest.raises(Malformed, match="is no commit"):
        read_commit(forged.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tree abc\n",
        COMMIT.replace("tree", "twig"),
        COMMIT.replace("1793610000", "-5"),
        COMMIT.replace("1793610000", "999999999999"),
        COMMIT.replace("committer C <c@d> 1793610000 +0100\n", ""),
    ],
    ids=["nothing", "half an id", "no tree", "a time before 1970", "a time in the year 33658", "no time"],
)
def test_what_is_no_commit_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_commit(text.encode())


@pytest.mark.parametrize("object_id", [ID, LONG], ids=["SHA-1", "SHA-256"])
def test_a_tree_has_entries_with_modes_and_ids(object_id: str) -> None:
    raw = bytes.fromhex(object_id)
    data = b"100644 a b.toml\0" + raw + b"40000 dir\0" + raw + b"120000 link\0" + raw + b"160000 sub\0" + raw
    entries = read_tree(data, object_id)
    assert entries["a b.toml"] == Entry("100644", object_id)
    assert [entry.is_file for entry in entries.values()] == [True, False, False, False]
    assert [entry.is_folder for entry in entries.values()] == [False, True, False, False]
    assert (entries["link"].odd, entries["sub"].odd) == ("a symbolic link", "a submodule")


@given(st.binary(max_size=80))
def test_bytes_that_are_no_tree_are_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        entries = read_tree(data, ID)
    except Malformed:
        return
    assert all(len(entry.id) == 40 for entry in entries.values())


@pytest.mark.parametrize("cut", [1, 5, 12, 20])
def test_a_tree_that_breaks_off_is_refused(cut: int) -> None:
    with pytest.raises(Malformed, match="is no tree"):
        read_tree((b"100644 a.toml\0" + bytes.fromhex(ID))[:-cut], ID)
