"""Carrying out `llamaexit recipe lock`: find what is to be locked, ask registries for builds, write the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.cli.answer import Result
from llamaexit.errors import LlamaexitError, UsageError
from llamaexit.sharing import LOCK_FILE

if TYPE_CHECKING:
    from llamaexit.cli.access import Access
    from llamaexit.ollama.registry import Registry
    from llamaexit.sharing.lock import Lock
    from llamaexit.sharing.taking import Asked, Roots, Taken

_ANSWER_TIMEOUT = 5.0
"""Seconds to wait for a registry."""
_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class LockRequest:
    """One command line of `recipe lock` or `recipe update`. cooldown_days: None for what the settings say."""

    files: Sequence[str]
    cooldown_days: int | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What there is to lock now, and what was locked before."""

    access: Access
    project: Path | None
    old: Lock | None
    taken: Taken
    lock: Lock
    notes: tuple[str, ...]


def run_lock(request: LockRequest) -> Result:
    """Lock what is not locked yet; what is stays as it is. Raises LockError, RecipeError or Untrusted."""
    from llamaexit.report.recipe_update import LockOutcome, lock_document, print_locked
    from llamaexit.sharing.lock import Lock
    from llamaexit.sharing.updating import compare_locks

    looked = look(request, afresh=False)
    comparison = compare_locks(looked.old or Lock(), looked.lock)
    written = save(looked)
    outcome = LockOutcome(LOCK_FILE, looked.lock, comparison, (), looked.notes, written)
    return Result(lock_document(outcome), partial(print_locked, outcome))


def look(request: LockRequest, *, afresh: bool) -> Looked:
    """Find what is to be locked, and whether it may be used. Nothing is written.

    afresh: ask what everything locked means now. Raises UsageError where there is nothing to lock, and LockError where
    nothing is locked that could be looked at afresh.
    """
    from llamaexit.cli.access import Access
    from llamaexit.sharing.lock import LockError
    from llamaexit.sharing.settings import MOST_DAYS
    from llamaexit.sharing.taking import Cooldown, lock_of, take

    days = request.cooldown_days
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise UsageError(f"--cooldown-days: {days} is not from 0 to {MOST_DAYS}")
    access = Access(as_json=request.as_json, locked=False)
    old = access.lock.lock
    if afresh and old is None:
        raise LockError(f"there is no {LOCK_FILE} here to update", hint="llamaexit recipe lock writes one")
    roots = _roots(request.files, old)
    cooldown = Cooldown(access.trust.settings.cooldown_days if days is None else days, dt.datetime.now(dt.UTC))
    taken = take(roots, old, Path(LOCK_FILE), access.sources_with, afresh=afresh, cooldown=cooldown)
    access.settle(taken.library, to_plan=True)
    lock, notes = lock_of(taken, old, ask_registries, afresh=afresh)
    return Looked(access, roots.project, old, taken, lock, notes)


def save(looked: Looked) -> bool:
    """Write the lock, whole or not at all, unless it says the same already; whether it was written."""
    from llamaexit.cli.output import OverwriteError, rewrite, write_new
    from llamaexit.sharing.lock import dump_lock

    file, text = Path(LOCK_FILE), dump_lock(looked.lock)
    if file.is_symlink():  # it came with the project, and so did where it leads
        raise OverwriteError(
            f"{file} is a link, and a lock is written to no other place", hint="put a copy of the file in its place"
        )
    if looked.old is None:
        write_new(file, text)
    elif dump_lock(looked.old) != text:
        rewrite(file, text.encode())
    else:
        return False
    return True


def _roots(files: Sequence[str], old: Lock | None) -> Roots:
    """The project's recipe, and what is named, or else what the lock was made for before."""
    from llamaexit.cli.gather import project_recipe
    from llamaexit.recipes.sources import is_elsewhere
    from llamaexit.sharing.taking import Roots

    project = project_recipe()
    # of what was named before, a file that is gone is not in force any more
    remembered = [one for one in old.roots if is_elsewhere(one) or _is_there(one)] if old is not None else []
    roots = Roots(project, tuple(files), () if files else tuple(remembered))
    if project is None and not roots.references:
        what = f"none of {', '.join(files)} is a recipe of your own" if files else "there is no llamaexit.toml here"
        raise UsageError(f"nothing to lock: {what}", hint="name a file or an address: llamaexit recipe lock FILE")
    return roots


def _is_there(file: str) -> bool:
    if file.startswith(("//", "\\\\")):
        return False  # a file of a server, which Windows would ask; nobody typed its name now
    try:
        return Path(file).exists()
    except OSError:
        return True  # reading it says why that cannot be told


# -- registries


def ask_registries(names: Sequence[str]) -> Asked:
    """The digests that the registries of models have for them now. One that does not answer is asked no further."""
    from concurrent.futures import ThreadPoolExecutor

    from llamaexit.cli.online import registry_here
    from llamaexit.ollama.registry import RegistryUnreachable
    from llamaexit.sharing.taking import Asked

    if not names:
        return Asked({})
    registry = registry_here(_ANSWER_TIMEOUT, afresh=True)
    silent: set[str] = set()
    digests: dict[str, str] = {}
    notes: dict[str, None] = {}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="registry") as pool:
        for name, answer in zip(names, pool.map(partial(_digest, registry, silent), names), strict=True):
            if isinstance(answer, str):
                digests[name] = answer
            elif answer is not None and not isinstance(answer, RegistryUnreachable):
                notes[answer.message] = None
    for host in sorted(silent):
        notes[f"{host} could not be asked: builds are those that the lock or the recipes know"] = None
    return Asked(digests, tuple(notes))


def _digest(registry: Registry, silent: set[str], model: str) -> str | LlamaexitError | None:
    from llamaexit.errors import RegistryError
    from llamaexit.ollama.names import Name
    from llamaexit.ollama.registry import RegistryUnreachable

    name = Name.parse(model)
    if name.host in silent:
        return None
    try:
        return registry.manifest(name).digest
    except RegistryUnreachable as error:
        silent.add(name.host)
        return error
    except RegistryError as error:
        return error
