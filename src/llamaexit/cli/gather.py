"""Bringing together what a command needs: the snapshot and the recipes in force."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamaexit.hardware import Overrides
    from llamaexit.recipes.library import Library
    from llamaexit.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Where:
    """Which Ollama to look at: its address, a store on disk instead, and the longest wait in seconds."""

    host: str | None = None
    store: Path | None = None
    timeout: float = 5.0


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


def library_with(recipes: list[Path] | None) -> Library:
    """The recipes in force: `--recipe` files, then the project's, then the user's, then the built-in ones."""
    from llamaexit.recipes.load import load_library

    return load_library(tuple(recipes or ()), project=_project(), user=_user())


def _project() -> Path | None:
    here = Path("llamaexit.toml")
    return here if here.is_file() else None


def _user() -> Path | None:
    from platformdirs import user_config_path

    try:
        return user_config_path("llamaexit", appauthor=False)
    except (RuntimeError, KeyError):  # no home directory at all
        return None


def assessed(snapshot: Snapshot, recipes: list[Path] | None, models: list[str]) -> Snapshot:
    """The snapshot with the lineage of every model, and only the models that were asked for.

    Raises UsageError for a name or pattern that no model here matches.
    """
    from dataclasses import replace

    from llamaexit.errors import UsageError
    from llamaexit.lineage import assess_all

    known = assess_all(snapshot.models, library_with(recipes))
    for asked in models:
        if not any(_meant(asked, model.name) for model in known):
            raise UsageError(f"no model here matches {asked!r}", hint="llamaexit inspect lists them all")
    return replace(
        snapshot, models=tuple(m for m in known if not models or any(_meant(asked, m.name) for asked in models))
    )


def _meant(asked: str, name: str) -> bool:
    """Whether a name or a glob pattern means a model; without a tag it means every tag."""
    from fnmatch import fnmatchcase

    pattern = asked.strip().lower()
    return fnmatchcase(name.lower(), pattern) or fnmatchcase(name.lower(), f"{pattern}:*")
