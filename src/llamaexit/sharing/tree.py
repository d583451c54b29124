"""Files of one commit, read from the cache and checked from the id of the commit down."""

from __future__ import annotations

import posixpath
import re
from functools import cached_property

from llamaexit.recipes.problems import Suggestions
from llamaexit.recipes.sources import Unresolved
from llamaexit.sharing.cache import MOST_TREE, Repository, TooLarge
from llamaexit.sharing.objects import Commit, Entry, Malformed, read_commit, read_tree

PICTURES = (".png", ".jpg", ".jpeg")
"""How the names of pictures end that are kept of a repository."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Tree:
    """What a commit of a repository holds. Every object is checked against its id when it is read."""

    def __init__(self, repository: Repository, commit: str, called: str, suggest: Suggestions) -> None:
        """called: what messages call the repository and the revision. suggest: names that somebody may have meant."""
        self._repository = repository
        self._id = commit
        self._called = called
        self._suggest = suggest

    @cached_property
    def commit(self) -> Commit:
        """What the commit says of itself. Raises DamagedCache."""
        try:
            return read_commit(self._object(self._id, "commit"))
        except Malformed as error:
            raise Unresolved(f"{self._called}: {self._id} {error}") from None

    def file(self, path: str, most: int) -> bytes:
        """The bytes of a file. Links and submodules on the way are not followed.

        Raises Unresolved, TooLarge for more than `most` bytes, and DamagedCache.
        """
        *folders, name = path.split("/")
        inner, passed = self.commit.tree, ""
        for folder in folders:
            entry = self._entry(inner, folder, passed)
            passed += folder + "/"
            if not entry.is_folder:
                raise Unresolved(f"{self._called}: {passed[:-1]} is {_kind(entry)}, and no folder")
            inner = entry.id
        entry = self._entry(inner, name, passed)
        if not entry.is_file:
            raise Unresolved(f"{self._called}: {path} is {_kind(entry)}, and no file")
        return self._repository.read(entry.id, "blob", most)

    def _entry(self, tree: str, name: str, passed: str) -> Entry:
        try:
            entries = read_tree(self._object(tree, "tree"), self._id)
        except Malformed as error:
            raise Unresolved(f"{self._called}: {passed or 'the top folder'} {error}") from None
        if name not in entries:
            raise Unresolved(f"{self._called} has no {passed}{name}{self._suggest(name, lambda: entries)}")
        return entries[name]

    def _object(self, object_id: str, kind: str) -> bytes:
        try:
            return self._repository.read(object_id, kind, MOST_TREE)
        except TooLarge as error:
            raise Unresolved(f"{self._called}: one {kind} has {error}, more than is looked through") from None


def path_beside(path: str, reference: str, *, within: str = "") -> str:
    """The path in a repository that a reference means, seen from the file at `path`.

    within: the folder it must not leave, empty for the whole repository. Raises Unresolved.
    """
    shown = repr(reference[:80])
    if not reference.strip() or not reference.isprintable():
        raise Unresolved(f"{shown} is no relative path")
    if _SCHEME.match(reference) or reference.startswith(("/", "~")) or "\\" in reference:
        raise Unresolved(f"{shown} is not a relative path; in a repository one goes with / from folder to folder")
    if "" in reference.split("/"):
        raise Unresolved(f"{shown} has an empty part")
    meant = posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))
    if meant.startswith("..") and meant[2:3] in ("", "/"):
        raise Unresolved(f"{shown} leads out of the repository it is in")
    if within and not meant.startswith(within + "/"):
        raise Unresolved(f"{shown} leads out of the recipe's folder")
    return meant


def _kind(entry: Entry) -> str:
    if entry.is_folder:
        return "a folder"
    return "a file" if entry.is_file else entry.odd
