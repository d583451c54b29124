"""Finds recipes wherever they are: on this machine, in git repositories, on web servers.

Before anything elsewhere is contacted a `Gate` is asked whether it may be; which commit a branch or tag means can be
decided beforehand by `Pins`.
"""

from __future__ import annotations

import hashlib
import posixpath
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from llamaexit.recipes.pictures import LARGEST_PICTURE
from llamaexit.recipes.problems import Problem, Suggestions
from llamaexit.recipes.read import MOST_BYTES, Unreadable, decode_text
from llamaexit.recipes.sources import BUILTIN, LocalSources, RecipeText, Unresolved, is_elsewhere
from llamaexit.sharing.addresses import Address, GitAddress, WebAddress, is_commit, parse_address, tree_path
from llamaexit.sharing.cache import CacheUnusable, Repository, TooLarge, WebFiles
from llamaexit.sharing.tree import PICTURES, Tree, path_beside

if TYPE_CHECKING:
    from llamaexit.sharing.git import Git, Limits

MOST_CONTACTS = 512
"""How often others are asked for something in one run: each of the most files that there may be needs two questions."""
MOST_SECONDS = 300.0
"""How long all of that may take together."""
_WAIT_FOR_OTHERS = 90.0
"""Seconds that another run may take that fetches the same: its time limit, and some."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One recipe from elsewhere, as it was used in this run.

    address: of a recipe that another one names by a relative path, that in the repository at the revision the other
    one was asked for. commit: empty for what no git repository holds; so is committed, the time of the commit
    (RFC 3339, UTC). sha256: of the bytes of the file, in lower-case hex. cached: nobody had to be asked for the file.
    """

    address: Address
    commit: str
    committed: str
    sha256: str
    text: str
    cached: bool


class Gate(Protocol):
    """Decides what may be contacted."""

    def check(self, address: Address, named_in: RecipeText | None) -> None:
        """Raises where an address may not be contacted. named_in: None where it was typed on the command line."""
        ...


class Pins(Protocol):
    """Knows what references meant before."""

    def commit_of(self, address: GitAddress) -> str | None:
        """The commit that a reference has to mean; None where that is to be asked. May raise instead of None."""
        ...

    def check(self, fetched: Fetched) -> None:
        """Raises where a recipe is not what it has to be."""
        ...


class _OpenGate:
    def check(self, address: Address, named_in: RecipeText | None) -> None:
        """Everything may be contacted."""


class _NoPins:
    def commit_of(self, address: GitAddress) -> str | None:
        """Nothing is known."""
        return None

    def check(self, fetched: Fetched) -> None:
        """Everything will do."""


OPEN_GATE: Gate = _OpenGate()
NO_PINS: Pins = _NoPins()


class RemoteSources:
    """A `recipes.sources.Sources` that knows addresses; everything else it leaves to the files of this machine.

    What is read is checked against the id or hash that names it, each time. Branches and tags that are not pinned are
    asked for once in each run. Raises DamagedCache for a cache that somebody changed, and what gate and pins raise.
    """

    def __init__(
        self,
        local: LocalSources,
        cache: Path,
        *,
        gate: Gate,
        pins: Pins,
        offline: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """cache: the folder for what was fetched. offline: nobody is contacted, whatever the gate says."""
        self._local = local
        self._cache = cache
        self._gate = gate
        self._pins = pins
        self._offline = offline
        self._limits = limits
        self._fetched: dict[str, Fetched] = {}
        self._commits: dict[tuple[str, str], str] = {}
        self._came_from: dict[str, tuple[Address, str]] = {}
        self._new: set[str] = set()
        self._suggest = Suggestions()
        self._contacts = 0
        self._spent = 0.0

    @property
    def fetched(self) -> tuple[Fetched, ...]:
        """Recipes from elsewhere, in the order of their first use."""
        return tuple(self._fetched.values())

    @property
    def local_files(self) -> tuple[Path, ...]:
        """The files of this machine that were read, without the built-in recipes."""
        return self._local.local_files

    def resolve(self, reference: str, relative_to: RecipeText | None) -> RecipeText:
        """The recipe that a reference means. Raises Unresolved or Unreadable."""
        home = self._home(relative_to)
        if is_elsewhere(reference):
            address = parse_address(reference)
            if home is not None and address.on_this_machine and not home[0].on_this_machine:
                raise Unresolved(f"{reference[:80]!r} lies on this machine, which a recipe from elsewhere cannot name")
            self._gate.check(address, relative_to)
            return self._remote(address, self._commit_of(address))
        if home is None or reference.startswith(BUILTIN):
            return self._local.resolve(reference, relative_to)
        address, commit = home
        if isinstance(address, WebAddress):
            raise Unresolved(
                f"{reference[:80]!r}: a recipe from a web server names others by their own addresses, with #sha256=…"
            )
        path = tree_path(path_beside(address.path, reference))
        return self._remote(replace(address, path=path), commit)

    def _home(self, relative_to: RecipeText | None) -> tuple[Address, str] | None:
        """The address and the commit of a recipe from elsewhere; None for one that is on this machine."""
        return self._came_from.get(relative_to.shown_as) if relative_to is not None else None

    def _remote(self, address: Address, commit: str) -> RecipeText:
        try:
            if isinstance(address, WebAddress):
                return self._web_file(address)
            return self._git_file(address, commit)
        except CacheUnusable as error:
            raise Unresolved(str(error)) from error

    def _commit_of(self, address: Address) -> str:
        if isinstance(address, WebAddress):
            return ""
        locked = self._pins.commit_of(address)
        if address.pinned:
            return address.rev
        if locked is not None:
            if not is_commit(locked):
                raise Unresolved(f"{locked[:80]!r}, which {address.rev!r} is said to be locked to, is no commit")
            return locked
        meant = (address.source, address.rev)
        if meant not in self._commits:
            self._refuse_offline(f"what {address.rev!r} of {address.url} is now has to be asked there")
            try:
                with self._contact(address), self._repository(address).fetching(_WAIT_FOR_OTHERS) as scratch:
                    self._commits[meant] = self._git(address, scratch).commit_of_rev()
            except CacheUnusable as error:
                raise Unresolved(str(error)) from error
        return self._commits[meant]

    def _git_file(self, address: GitAddress, commit: str) -> RecipeText:
        repository = self._repository(address)
        cached = repository.has(commit)
        if not cached:
            self._fetch(address, commit, repository)
        cached = cached and commit not in self._new
        tree = Tree(repository, commit, f"{address.url} at {address.rev}", self._suggest)
        try:
            data = tree.file(address.path, MOST_BYTES)
        except TooLarge as error:
            raise Unreadable(
                Problem(address.spelled, f"is {error.size:,} bytes long; a recipe has at most {MOST_BYTES:,}")
            ) from None
        text = self._used(address, data, commit=commit, committed=tree.commit.committed, cached=cached)
        identity = f"{address.source}@{commit}#{address.path}"
        return RecipeText(text, address.spelled, identity, beside=partial(_picture, tree, address.path))

    def _fetch(self, address: GitAddress, commit: str, repository: Repository) -> None:
        self._refuse_offline(f"commit {commit[:12]} of {address.url} is not in the cache")
        with self._contact(address), repository.fetching(_WAIT_FOR_OTHERS) as scratch:
            if repository.has(commit):  # another run was faster
                return
            for found in self._git(address, scratch).objects(commit):
                if found.data is None:
                    repository.write_size(found.id, found.kind, found.size)
                else:
                    repository.write(found.id, found.kind, found.data)
        self._new.add(commit)

    def _web_file(self, address: WebAddress) -> RecipeText:
        from llamaexit.sharing.web import fetch_file

        files = WebFiles(self._cache)
        data = files.read(address.sha256, MOST_BYTES)
        cached = data is not None
        if data is None:
            self._refuse_offline(f"{address.url} is not in the cache")
            with self._contact(address):
                data = fetch_file(address)
            files.write(address.sha256, data)
        return RecipeText(self._used(address, data, cached=cached), address.spelled, address.spelled)

    def _used(self, address: Address, data: bytes, *, cached: bool, commit: str = "", committed: str = "") -> str:
        """Note that a recipe is used, once the pins agree; its text."""
        known = self._fetched.get(address.spelled)
        if known is None:
            text = decode_text(address.spelled, data)
            known = Fetched(address, commit, committed, hashlib.sha256(data).hexdigest(), text, cached)
            self._pins.check(known)
            self._fetched[address.spelled] = known
            self._came_from[address.spelled] = (address, commit)
        return known.text

    @contextmanager
    def _contact(self, address: Address) -> Iterator[None]:
        """Within it somebody is asked. Raises Unresolved once that was often enough, or took long enough."""
        if self._contacts >= MOST_CONTACTS:
            raise Unresolved(f"{address.source} is not asked any more: {MOST_CONTACTS} questions are the limit")
        if self._spent >= MOST_SECONDS:
            raise Unresolved(f"{address.source} is not asked any more: all the others took {self._spent:.0f} s")
        self._contacts += 1
        began = time.monotonic()
        try:
            yield
        finally:
            self._spent += time.monotonic() - began

    def _git(self, address: GitAddress, scratch: Path) -> Git:
        from llamaexit.sharing.git import Git, Limits

        return Git(address, scratch, self._limits or Limits())

    def _repository(self, address: GitAddress) -> Repository:
        return Repository(self._cache, address.source)

    def _refuse_offline(self, why: str) -> None:
        if self._offline:
            raise Unresolved(f"{why}, and nobody is to be contacted")


def _picture(tree: Tree, path: str, reference: str) -> bytes:
    """A picture in the folder of a recipe, or below it."""
    beside = path_beside(path, reference, within=posixpath.dirname(path))
    if not beside.lower().endswith(PICTURES):
        raise Unresolved(f"{reference[:80]!r}: pictures in a repository end in {', '.join(PICTURES)}")
    try:
        return tree.file(beside, LARGEST_PICTURE)
    except TooLarge:
        raise Unresolved(f"{reference[:80]!r} is larger than {LARGEST_PICTURE:,} bytes") from None
