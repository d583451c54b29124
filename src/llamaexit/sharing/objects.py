"""Objects of a git repository as bytes: their ids, and what commits and trees say. Pure.

The id of an object is the hash of its bytes, and every object names others by their ids. So whoever knows the id of a
commit can check everything below it, wherever the bytes came from.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass

FOLDER_MODE = "40000"
_FILE_MODES = ("100644", "100755", "100664")
_TREE_LINE = re.compile(rb"tree ([0-9a-f]{40}|[0-9a-f]{64})\n")
_COMMITTER = re.compile(rb"^committer [^\n]*> (\d{1,12}) [+-]\d{4}$", re.MULTILINE)


class Malformed(Exception):
    """Why an object is none that git would make."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit says: the id of its tree, and when it was made (RFC 3339, UTC)."""

    tree: str
    committed: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree. mode: octal digits, as git writes them. id: of the object it names."""

    mode: str
    id: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a tree of this repository."""
        return self.mode == FOLDER_MODE

    @property
    def is_file(self) -> bool:
        """Whether it is a file with content of its own."""
        return self.mode in _FILE_MODES

    @property
    def odd(self) -> str:
        """What it is when it is neither folder nor file."""
        return {"120000": "a symbolic link", "160000": "a submodule"}.get(self.mode, "no file")


def framed(kind: str, data: bytes) -> bytes:
    """An object with the header that git hashes with it."""
    return b"%s %d\0%s" % (kind.encode(), len(data), data)


def id_of(content: bytes, like: str) -> str:
    """The id of an object with its header, by the hash that another id of the repository is made with."""
    if len(like) == 64:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def read_commit(data: bytes) -> Commit:
    """What a commit says. Raises Malformed."""
    tree = _TREE_LINE.match(data)
    made = _COMMITTER.search(data.partition(b"\n\n")[0])
    if tree is None or made is None:
        raise Malformed("is no commit")
    try:
        when = dt.datetime.fromtimestamp(int(made[1]), dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise Malformed("is a commit of no time") from None
    return Commit(tree[1].decode(), when.isoformat(timespec="seconds").replace("+00:00", "Z"))


def read_tree(data: bytes, like: str) -> dict[str, Entry]:
    """The entries of a tree by their names. like: any id of the repository. Raises Malformed."""
    entries: dict[str, Entry] = {}
    width, at = len(like) // 2, 0
    while at < len(data):
        end = data.find(b"\0", at)
        mode, blank, name = data[at:end].partition(b" ")
        object_id = data[end + 1 : end + 1 + width]
        if end < 0 or not blank or len(object_id) != width:
            raise Malformed("is no tree")
        entries[name.decode("utf-8", "surrogateescape")] = Entry(mode.decode("ascii", "replace"), object_id.hex())
        at = end + 1 + width
    return entries
