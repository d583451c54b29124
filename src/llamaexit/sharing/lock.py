"""The file `llamaexit.lock`: which recipes were looked at, byte for byte, and which builds of their targets were seen.

It is written by `llamaexit recipe lock` and `recipe update` only, always in the same form, so that a change of it reads
well in a review. Format: docs/reference/llamaexit-lock.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from llamaexit.errors import RecipeError
from llamaexit.recipes.names import name_key
from llamaexit.recipes.positions import Key
from llamaexit.recipes.problems import Document, Problem, did_you_mean

VERSION = 1
"""The version of the format that this tool writes, and the only one it knows."""
Seen = Literal["registry", "recipe"]
"""Who told the digest of a target: the registry it is pulled from, or only a recipe or the catalogue."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{12,64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_HEAD = "# Written by llamaexit recipe lock. Do not edit.\n"
_AFRESH = "restore it, or delete it and lock afresh: llamaexit recipe lock"


class LockError(RecipeError):
    """Something is not what was locked, or the lock itself cannot be read."""

    code: ClassVar[str] = "lock"


@dataclass(frozen=True, slots=True)
class LockedRecipe:
    """One recipe as it was locked.

    reference: the spelled address, or for a file of this machine its path from the folder of the lock, with `/`.
    sha256: of the bytes of a fetched file; of a local one, of its text in UTF-8 with lines that end in LF, so that a
    checkout on Windows has the same. commit, committed: empty where no git repository holds it.
    """

    reference: str
    sha256: str
    commit: str = ""
    committed: str = ""


@dataclass(frozen=True, slots=True)
class LockedTarget:
    """The build of a target that was seen. digest: `sha256:` and 64 hex digits, or as many as the recipe states."""

    model: str
    digest: str
    seen: Seen

    @property
    def hex(self) -> str:
        """The digest as plans and servers write it."""
        return self.digest.removeprefix("sha256:")


@dataclass(frozen=True, slots=True)
class Lock:
    """What was locked. roots: the references that were named for it; all other recipes are there because of them."""

    roots: tuple[str, ...] = ()
    recipes: tuple[LockedRecipe, ...] = ()
    targets: tuple[LockedTarget, ...] = ()

    def recipe(self, reference: str) -> LockedRecipe | None:
        """The entry of a reference."""
        return next((entry for entry in self.recipes if entry.reference == reference), None)

    def target(self, model: str) -> LockedTarget | None:
        """The entry of a target, however its name is spelled."""
        return next((entry for entry in self.targets if name_key(entry.model) == name_key(model)), None)

    def commits(self) -> dict[tuple[str, str], str]:
        """The commit of each repository and revision. All files of one revision come from one commit."""
        from llamaexit.recipes.sources import is_elsewhere
        from llamaexit.sharing.addresses import GitAddress, parse_address

        found = {}
        for entry in self.recipes:
            if entry.commit and is_elsewhere(entry.reference):
                address = parse_address(entry.reference)
                assert isinstance(address, GitAddress)
                found[address.source, address.rev] = entry.commit
        return found


def text_hash(text: str) -> str:
    """The hash under which a local recipe is locked."""
    return hashlib.sha256(text.encode()).hexdigest()


def spell_local(place: Path, folder: Path) -> str:
    """A file of this machine as a lock in `folder` names it. Raises LockError for a path that cannot be written."""
    import os

    try:
        spelled = Path(os.path.relpath(place, folder.resolve())).as_posix()
    except ValueError:  # another drive
        spelled = place.as_posix()
    if not spelled.isprintable():
        raise LockError(f"{str(place)!r} cannot be locked: its name has characters nobody sees", hint="rename it")
    return spelled


# -- writing


def dump_lock(lock: Lock) -> str:
    """The text of a lock: always the same for the same lock, in whatever order it was put together."""
    parts = [_HEAD, f"lock = {VERSION}\n", f"roots = {_list(sorted(lock.roots))}\n"]
    for recipe in sorted(lock.recipes, key=lambda entry: entry.reference):
        parts.append(f"\n[[recipes]]\nreference = {_quoted(recipe.reference)}\n")
        if recipe.commit:
            parts.append(f"commit = {_quoted(recipe.commit)}\ncommitted = {_quoted(recipe.committed)}\n")
        parts.append(f"sha256 = {_quoted(recipe.sha256)}\n")
    for target in sorted(lock.targets, key=lambda entry: name_key(entry.model)):
        parts.append(
            f"\n[[targets]]\nmodel = {_quoted(target.model)}\ndigest = {_quoted(target.digest)}\n"
            f"seen = {_quoted(target.seen)}\n"
        )
    return "".join(parts)


def _list(texts: Sequence[str]) -> str:
    """One text on the same line; of several each on its own, so that a new one is one line of a diff."""
    if len(texts) < 2:
        return f"[{''.join(map(_quoted, texts))}]"
    return "[\n" + "".join(f"    {_quoted(text)},\n" for text in texts) + "]"


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)  # of printable text, TOML and JSON spell the same


# -- reading


def read_lock(path: Path) -> Lock | None:
    """The lock at a path; None where there is none. Raises LockError with every problem, each with its place."""
    from llamaexit.recipes.read import Unreadable, parse_recipe, read_text

    file = str(path)
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass  # reading it says why
    try:
        document = Document(file, read_text(path, "lock"))
        tables = parse_recipe(document)
    except Unreadable as error:
        raise LockError(str(error.problem), hint=_AFRESH) from error
    newer = tables.get("lock")
    if isinstance(newer, int) and not isinstance(newer, bool) and newer > VERSION:
        problem = document.problem(("lock",), f"is {newer}, a newer format than this llamaexit knows ({VERSION})")
        raise LockError(str(problem), hint="update llamaexit")
    problems = sorted(_problems(document, tables), key=lambda problem: problem.order)
    if problems:
        listed = tuple(map(str, problems))
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise LockError(f"{problems[0]}{more}", hint=_AFRESH, problems=listed if more else ())
    return Lock(
        tuple(tables["roots"]),
        tuple(LockedRecipe(**entry) for entry in tables.get("recipes", ())),
        tuple(LockedTarget(**entry) for entry in tables.get("targets", ())),
    )


_Check = Callable[[str], str | None]
"""Why a text will not do; None where it does."""


def _problems(document: Document, tables: dict[str, Any]) -> Iterator[Problem]:
    unknown = _unknown(document, (), tables, ("lock", "roots", "recipes", "targets"))
    yield from unknown
    for key in ("lock", "roots"):
        if key not in tables and not _meant(key, unknown):
            yield Problem(document.file, "is missing", key, 1, 1)
    version, roots = tables.get("lock", VERSION), tables.get("roots", [])
    if version != VERSION or isinstance(version, bool | float):
        yield document.problem(("lock",), f"must be {VERSION}")
    if not isinstance(roots, list):
        yield document.problem(("roots",), "must be a list")
        roots = []
    for number, root in enumerate(roots):
        if not isinstance(root, str) or _a_reference(root) is not None:
            yield document.problem(("roots", number), "must be a reference, in quotes")
    yield from _entries(document, tables, "recipes", _RECIPE, "reference", str)
    yield from _entries(document, tables, "targets", _TARGET, "model", name_key)
    yield from _two_commits(document, tables)


def _entries(
    document: Document,
    tables: dict[str, Any],
    kind: str,
    checks: Mapping[str, tuple[bool, _Check]],
    identity: str,
    key_of: Callable[[str], str],
) -> Iterator[Problem]:
    """What is wrong with the tables of one kind. checks: for each key whether it has to be there, and what it is."""
    entries = tables.get(kind, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        yield document.problem((kind,), f"must be tables, [[{kind}]]")
        return
    first: set[str] = set()
    for number, entry in enumerate(entries):
        at: Key = (kind, number)
        sound = True
        for problem in _of_entry(document, at, entry, checks):
            sound = False
            yield problem
        if not sound:
            continue
        for key, text in _misfits_of_recipe(entry) if kind == "recipes" else ():
            yield document.problem((*at, key), text)
        name = key_of(entry[identity])
        if name in first:
            yield document.problem((*at, identity), "is there twice", "duplicate")
        first.add(name)


def _of_entry(
    document: Document, at: Key, entry: dict[str, Any], checks: Mapping[str, tuple[bool, _Check]]
) -> Iterator[Problem]:
    unknown = _unknown(document, at, entry, checks)
    yield from unknown
    for key, (required, check) in checks.items():
        value = entry.get(key)
        if key not in entry:
            if required and not _meant(key, unknown):
                yield document.problem((*at, key), "is missing")
        elif not isinstance(value, str):
            yield document.problem((*at, key), "must be text, in quotes")
        elif (reason := check(value)) is not None:
            yield document.problem((*at, key), f"{reason}, not {value[:80]!r}")


def _unknown(document: Document, at: Key, table: dict[str, Any], known: Collection[str]) -> list[Problem]:
    return [
        document.problem((*at, key), f"unknown key{did_you_mean(key, known)}", "unknown-key")
        for key in table
        if key not in known
    ]


def _meant(key: str, unknown: Iterable[Problem]) -> bool:
    """Whether a key is there, only misspelled: one problem is enough then."""
    return any(problem.text.endswith(f"did you mean '{key}'?") for problem in unknown)


def _misfits_of_recipe(entry: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What does not go together in the entry of a recipe whose keys are right by themselves."""
    from llamaexit.recipes.sources import Unresolved, is_elsewhere
    from llamaexit.sharing.addresses import GitAddress, parse_address

    reference = entry["reference"]
    try:
        address = parse_address(reference) if is_elsewhere(reference) else None
    except Unresolved as error:
        yield "reference", str(error)
        return
    if address is not None and address.spelled != reference:
        yield "reference", f"is spelled {address.spelled}"
        return
    git = isinstance(address, GitAddress)
    for key in ("commit", "committed"):
        if git and key not in entry:
            yield key, "is missing"
        if not git and key in entry:
            yield key, "is only for what comes from a git repository"
    if isinstance(address, GitAddress):
        if address.pinned and entry.get("commit", address.rev) != address.rev:
            yield "commit", "is not the one that the reference names"
    elif address is not None and entry["sha256"] != address.sha256:
        yield "sha256", "is not the one that the reference names"


def _two_commits(document: Document, tables: dict[str, Any]) -> Iterator[Problem]:
    entries = tables.get("recipes", [])
    first: dict[str, str] = {}
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        reference, commit = (entry.get("reference"), entry.get("commit")) if isinstance(entry, dict) else (None, None)
        if isinstance(reference, str) and isinstance(commit, str) and reference.startswith("git+"):
            revision = reference.partition("#")[0]
            if first.setdefault(revision, commit) != commit:
                text = "is not the one that another recipe of this revision is locked to"
                yield document.problem(("recipes", number, "commit"), text)


def _is(pattern: re.Pattern[str], words: str) -> _Check:
    return lambda text: None if pattern.fullmatch(text) else f"must be {words}"


def _a_reference(text: str) -> str | None:
    return None if text and text.isprintable() else "must be a reference"  # it is shown to people as it is


def _a_commit(text: str) -> str | None:
    from llamaexit.sharing.addresses import is_commit

    return None if is_commit(text) else "must be the full id of a commit"


def _a_time(text: str) -> str | None:
    try:
        if _TIME.fullmatch(text):
            dt.datetime.fromisoformat(text)
            return None
    except ValueError:
        pass
    return "must be a time in UTC such as 2026-11-02T09:00:00Z"


def _a_name(text: str) -> str | None:
    from llamaexit.ollama.names import BadName, Name

    try:
        Name.parse(text)
    except BadName:
        return "must be the name of a model"
    return None


def _a_seen(text: str) -> str | None:
    return None if text in get_args(Seen) else "must be registry or recipe"


_RECIPE: dict[str, tuple[bool, _Check]] = {
    "reference": (True, _a_reference),
    "commit": (False, _a_commit),
    "committed": (False, _a_time),
    "sha256": (True, _is(_SHA256, "64 hexadecimal digits in lower case")),
}
_TARGET: dict[str, tuple[bool, _Check]] = {
    "model": (True, _a_name),
    "digest": (True, _is(_DIGEST, "sha256: and 12 to 64 hexadecimal digits in lower case")),
    "seen": (True, _a_seen),
}
