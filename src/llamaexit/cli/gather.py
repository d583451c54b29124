"""Bringing together what a command needs: the snapshot and the recipes in force."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from llamaexit.errors import OllamaError, UsageError

if TYPE_CHECKING:
    from llamaexit.hardware import Overrides
    from llamaexit.recipes.library import Library
    from llamaexit.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Where:
    """Where the facts come from: the address of an Ollama, a store on disk instead, or the file of a snapshot.

    timeout: the longest wait for one answer, in seconds. Raises UsageError for a snapshot of this machine's Ollama.
    """

    host: str | None = None
    store: Path | None = None
    timeout: float = 5.0
    snapshot: Path | None = None

    def __post_init__(self) -> None:
        if self.snapshot is not None and (self.host is not None or self.store is not None):
            raise UsageError("--snapshot is another machine: --host and --store look at this one")


def snapshot_from(where: Where, overrides: Overrides) -> Snapshot:
    """The facts of a saved snapshot, or else of this machine."""
    if where.snapshot is None:
        return snapshot_here(where, overrides)
    from dataclasses import replace

    from llamaexit.documents import SnapshotReader
    from llamaexit.hardware import override

    if where.snapshot.is_dir():
        raise UsageError(f"--snapshot {where.snapshot}: a directory, not a snapshot", hint="name a file in it")
    saved = SnapshotReader().load(where.snapshot)
    return replace(saved, machine=override(saved.machine, overrides))


def snapshot_here(where: Where, overrides: Overrides) -> Snapshot:
    """This machine, its Ollama and its models, as they are now."""
    import datetime as dt

    from llamaexit.hardware import override, read_machine
    from llamaexit.hardware.steady import steady
    from llamaexit.ollama.inventory import take_inventory
    from llamaexit.snapshot import Snapshot

    ollama, models = take_inventory(host=where.host, store=where.store, timeout=where.timeout, environ=os.environ)
    machine = steady(read_machine(Path(ollama.store) if ollama.store else None))
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Snapshot(override(machine, overrides), ollama, models, taken_at=now)


def refuse_to_guess(snapshot: Snapshot, *, otherwise: str = "") -> NoReturn:
    """Nothing is known about installed models: that is not the same as having none.

    otherwise: what helps beside a server that runs, to go on after the hint.
    """
    from llamaexit.ollama.failures import NO_SERVER

    # each problem says after a semicolon what would help; of several, the last is the nearest to a solution
    problems = [problem.partition("; ") for problem in snapshot.ollama.problems] or [("nothing answers", "", "")]
    help_with_last = "start Ollama" if problems[-1][0].startswith(NO_SERVER) else problems[-1][2]
    raise OllamaError(
        f"cannot tell which models are installed: {'; '.join(what for what, _, _ in problems)}",
        hint=f"{help_with_last or 'start Ollama'}{otherwise}",
    )


def library_with(
    recipes: list[str] | None, *, locked: bool | None = None, as_json: bool = False, to_plan: bool = True
) -> Library:
    """The recipes in force: `--recipe` files, then the project's, then the user's, then the built-in ones.

    locked: as `--locked` says it, None where it was not said. as_json: a program reads the answer, so nobody is asked
    about what the settings do not allow. to_plan: the models of the recipes may come to be pulled, so their registries
    have to be allowed, too. Raises Untrusted, and LockError for recipes that are not as they were locked.
    """
    from llamaexit.recipes.load import load_library, user_recipes

    named = tuple(recipes or ())
    for reference in named:
        _expect_recipe(reference)
    project, user = project_recipe(), _user()
    if not (named or project or user_recipes(user) or _lock_is_here()):
        return load_library()  # what is built in needs no settings, and nobody's consent
    from llamaexit.cli.access import Access
    from llamaexit.cli.output import complain
    from llamaexit.printable import in_one_line

    access = Access(as_json=as_json, locked=locked)
    library = load_library(named, project=project, user=user, sources=access, locked=access.lock.digests)
    for warning in access.lock.warnings:
        complain(in_one_line(f"llamaexit: warning: {warning}"))
    access.settle(library, to_plan=to_plan)
    return library


def _lock_is_here() -> bool:
    from llamaexit.sharing import LOCK_FILE

    try:
        return Path(LOCK_FILE).exists()
    except OSError:
        return True  # reading it says why it cannot be looked at


def recipes_of_ones_own(named: list[str] | None, doing: str) -> list[str]:
    """The recipes that are named, or else the project's and the user's. Raises UsageError where there is none."""
    if named:
        return named
    from llamaexit.recipes.load import user_recipes

    project = project_recipe()
    found = [str(path) for path in user_recipes(_user())]
    found += [str(project)] if project is not None else []
    if not found:
        raise UsageError(f"there is no recipe of your own to {doing}", hint="name a file, or builtin:NAME")
    return found


def _expect_recipe(reference: str) -> None:
    """Whatever else is wrong with a file, the loader finds out."""
    from llamaexit.errors import RecipeError
    from llamaexit.recipes.load import is_file_reference

    if not is_file_reference(reference):
        return
    try:
        Path(reference).stat()
    except (FileNotFoundError, NotADirectoryError):
        raise RecipeError(
            f"{reference}: there is no such file",
            hint="--recipe takes the path of a TOML file, or an address such as git+https://HOST/REPOSITORY@REV#FILE.toml",
        ) from None
    except OSError:
        pass


def project_recipe() -> Path | None:
    """The recipe of the folder that the tool was started in, if it has one."""
    here = Path("llamaexit.toml")
    try:
        return here if here.is_file() else None
    except OSError as error:
        _warn("the recipe of this folder", error)
        return None


def _user() -> Path | None:
    from platformdirs import user_config_path

    try:
        folder = user_config_path("llamaexit", appauthor=False)
    except (RuntimeError, KeyError):  # no home directory at all
        return None
    try:
        next(folder.iterdir(), None)  # a glob, which the loader uses, takes a closed folder for an empty one
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        _warn(f"recipes of your own in {folder}", error)
        return None
    return folder


def _warn(what: str, error: OSError) -> None:
    from llamaexit.cli.output import complain, reason

    complain(f"llamaexit: warning: cannot look for {what}: {reason(error)}; going on without")


def assessed(
    snapshot: Snapshot,
    recipes: list[str] | None,
    models: tuple[str, ...],
    *,
    locked: bool | None = None,
    as_json: bool = False,
) -> Snapshot:
    """The snapshot with the lineage of every model, and only the models that were asked for.

    recipes, locked, as_json: as for `library_with`. Raises UsageError for a name or pattern that no model here matches.
    """
    from dataclasses import replace

    from llamaexit.lineage import assess_all
    from llamaexit.planning.rules import means

    known = assess_all(snapshot.models, library_with(recipes, locked=locked, as_json=as_json, to_plan=False))
    for asked in models:
        if not any(means(asked, model.name) for model in known):
            raise UsageError(f"no model here matches {asked!r}", hint="llamaexit inspect lists them all")
    return replace(
        snapshot, models=tuple(m for m in known if not models or any(means(asked, m.name) for asked in models))
    )
