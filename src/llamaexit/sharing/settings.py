"""What the user, and whoever looks after the machine, allow: `settings.toml` in their config folders.

It lies where no recipe and no project can put it. Nothing else in llamaexit widens trust.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from llamaexit.errors import REFUSED, LlamaexitError
from llamaexit.recipes.load import NO_RECIPE
from llamaexit.recipes.positions import Key
from llamaexit.recipes.problems import Document, Problem, did_you_mean
from llamaexit.sharing.patterns import BadPattern, Registry, SourcePattern

SETTINGS_FILE = NO_RECIPE
"""What it is called, in the folder of the user as in that of the site."""
MOST_DAYS = 3650
_LISTS: dict[str, Callable[[str], object]] = {"sources": SourcePattern.parse, "registries": Registry.parse}
_KEYS = (*_LISTS, "only", "cooldown-days")
_HINT = "the reference of settings tells what can stand there"


class SettingsError(LlamaexitError):
    """A settings file that says something nobody can follow. Nothing is allowed by guessing."""

    code: ClassVar[str] = "settings"
    exit_code: ClassVar[int] = REFUSED


@dataclass(frozen=True, slots=True)
class Said:
    """What one settings file says. cooldown_days: None where it does not speak of it."""

    file: Path
    sources: tuple[SourcePattern, ...] = ()
    registries: tuple[Registry, ...] = ()
    only: bool = False
    cooldown_days: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the files say together. Where the site says `only`, what the user allows does not count."""

    user: Said | None = None
    site: Said | None = None

    @property
    def decided_by_site(self) -> Path | None:
        """The file of a site that leaves nothing for the user to allow."""
        return self.site.file if self.site is not None and self.site.only else None

    @property
    def in_force(self) -> tuple[Said, ...]:
        """The files that count, the site's first."""
        heard = (self.site, None if self.decided_by_site else self.user)
        return tuple(said for said in heard if said is not None)

    @property
    def sources(self) -> tuple[SourcePattern, ...]:
        """The sources that recipes may be fetched from."""
        return tuple(pattern for said in self.in_force for pattern in said.sources)

    @property
    def registries(self) -> tuple[Registry, ...]:
        """The registries that recipes may name, beside Ollama's own."""
        return tuple(pattern for said in self.in_force for pattern in said.registries)

    @property
    def cooldown_days(self) -> int:
        """Days a commit has to have been there before it is locked: the longest that anybody asks for."""
        return max((said.cooldown_days or 0 for said in (self.site, self.user) if said is not None), default=0)


def read_settings(user: Path | None, site: Path | None) -> Settings:
    """The settings in the config folders of the user and of the site, where there are any. Raises SettingsError."""
    return Settings(_said(user, site=False), _said(site, site=True))


def _said(folder: Path | None, *, site: bool) -> Said | None:
    from llamaexit.recipes.read import Unreadable, parse_recipe, read_text

    if folder is None:
        return None
    file = folder / SETTINGS_FILE
    try:
        document = Document(str(file), read_text(file, "settings"))
        return _understood(file, document, parse_recipe(document), site=site)
    except Unreadable as error:
        if not _there(file):
            return None
        raise SettingsError(str(error.problem)) from error


def _there(file: Path) -> bool:
    """Whether there is anything at a path; of what nobody may look at, nobody knows that there is nothing."""
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def _understood(file: Path, document: Document, tables: dict[str, Any], *, site: bool) -> Said:
    problem = next(_problems(document, tables, site=site), None)
    if problem is not None:
        raise SettingsError(str(problem), hint=_HINT)
    trust = tables.get("trust", {})
    return Said(
        file,
        tuple(map(SourcePattern.parse, trust.get("sources", ()))),
        tuple(map(Registry.parse, trust.get("registries", ()))),
        trust.get("only", False),
        trust.get("cooldown-days"),
    )


def _problems(document: Document, tables: dict[str, Any], *, site: bool) -> Iterator[Problem]:
    for key in tables:
        if key != "trust":
            yield document.problem((key,), f"unknown key{did_you_mean(key, ['trust'])}", "unknown-key")
    trust = tables.get("trust", {})
    if not isinstance(trust, dict):
        yield document.problem(("trust",), "must be a table")
        return
    for key, value in trust.items():
        at: Key = ("trust", key)
        if key in _LISTS:
            yield from _bad_patterns(document, at, value, _LISTS[key])
        elif key == "only":
            if not isinstance(value, bool):
                yield document.problem(at, "must be true or false")
            elif not site:
                yield document.problem(at, "only the settings of the whole machine can say so")
        elif key == "cooldown-days":
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_DAYS:
                yield document.problem(at, f"must be a whole number of days, from 0 to {MOST_DAYS}")
        else:
            yield document.problem(at, f"unknown key{did_you_mean(key, _KEYS)}", "unknown-key")


def _bad_patterns(document: Document, at: Key, value: object, parse: Callable[[str], object]) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield document.problem(at, "must be a list")
        return
    for number, text in enumerate(value):
        if not isinstance(text, str):
            yield document.problem((*at, number), "must be text")
            continue
        try:
            parse(text)
        except BadPattern as error:
            yield document.problem((*at, number), str(error))


@dataclass(frozen=True, slots=True)
class Change:
    """Patterns to add to a settings file, or to take out of it."""

    sources: tuple[SourcePattern, ...] = ()
    registries: tuple[Registry, ...] = ()


def edited(text: str, allow: Change | None = None, remove: Change | None = None) -> str:
    """The text of a settings file with patterns added and taken out. Everything else stays, comments, too.

    The text has to be one that `read_settings` takes. Raises SettingsError for one that is too artful to be edited.
    """
    import tomlkit

    document = tomlkit.parse(text)
    trust: Any = document.setdefault("trust", tomlkit.table())
    wanted: dict[str, set[object]] = {}
    for key, parse in _LISTS.items():
        added, removed = (getattr(change, key) if change is not None else () for change in (allow, remove))
        if key not in trust and added:
            trust[key] = tomlkit.array()
        if key in trust:
            _edit(trust[key], added, removed, parse)
            wanted[key] = {parse(str(item)) for item in trust[key]}
    written = tomlkit.dumps(document)
    if _lists_of(written) != wanted:
        raise SettingsError("the settings are written in a way that cannot be edited", hint="change them by hand")
    return written


def _edit(array: Any, added: Iterable[object], removed: Iterable[object], parse: Callable[[str], object]) -> None:
    gone = set(removed)
    for number in reversed(range(len(array))):
        if parse(str(array[number])) in gone:
            del array[number]
    there = {parse(str(item)) for item in array}
    for pattern in added:
        if pattern not in there:
            array.append(str(pattern))
            there.add(pattern)


def _lists_of(text: str) -> dict[str, set[object]]:
    """The patterns of a settings file, as everybody else reads it."""
    import tomllib

    trust = tomllib.loads(text).get("trust", {})
    return {key: set(map(parse, trust[key])) for key, parse in _LISTS.items() if key in trust}
