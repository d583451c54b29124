"""Carrying out `llamaexit recipe allow`: what the user lets recipes be fetched from, and lets them name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.cli.answer import Result
from llamaexit.errors import UsageError
from llamaexit.sharing.patterns import BadPattern, Registry, SourcePattern

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.sharing.settings import Change, Said, Settings

_LIST = "llamaexit recipe allow --list"


@dataclass(frozen=True, slots=True)
class AllowRequest:
    """One command line of `recipe allow`."""

    named: Sequence[str]
    remove: bool = False
    listing: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is allowed now, and what this run changed about it.

    already: what was to be allowed, and was before. file: where something was written, None where nothing was.
    """

    settings: Settings
    added: tuple[SourcePattern | Registry, ...] = ()
    removed: tuple[SourcePattern | Registry, ...] = ()
    already: tuple[SourcePattern | Registry, ...] = ()
    file: Path | None = None


def run_allow(request: AllowRequest) -> Result:
    """Allow sources and registries, take that back, or list what is allowed.

    Raises UsageError for what is neither, and Untrusted where the site leaves nothing to allow.
    """
    from llamaexit.cli.settings import settings_here

    _refuse_contradictions(request)
    settings = settings_here()
    if request.listing:
        return _result(Allowed(settings))
    patterns = [pattern_of(text) for text in request.named]
    return _result(_removed(settings, patterns) if request.remove else _added(settings, patterns))


def pattern_of(text: str) -> SourcePattern | Registry:
    """What a text allows. The whole address of a recipe stands for the source it lies in. Raises UsageError."""
    from llamaexit.recipes.sources import Unresolved, is_elsewhere
    from llamaexit.sharing.addresses import parse_address

    try:
        if not is_elsewhere(text):
            if text.lower().endswith(".toml"):
                raise UsageError(f"{text} looks like a file of this machine, which nobody has to allow")
            return Registry.parse(text)
        if "#" in text:
            return SourcePattern.parse(parse_address(text).source)
        return SourcePattern.parse(text)
    except (BadPattern, Unresolved) as error:
        raise UsageError(str(error), hint="name a source, such as git+https://HOST/PATH.git, or a registry") from error


def _refuse_contradictions(request: AllowRequest) -> None:
    if request.listing and (request.named or request.remove):
        raise UsageError("--list lists what is allowed, and changes nothing")
    if not request.listing and not request.named:
        what = "take back" if request.remove else "allow"
        raise UsageError(f"name a source or a registry to {what}", hint=f"{_LIST} shows what is allowed")


def _added(settings: Settings, patterns: Sequence[SourcePattern | Registry]) -> Allowed:
    from llamaexit.cli.settings import save, settings_here
    from llamaexit.sharing.trust import Untrusted

    if settings.decided_by_site is not None:
        raise Untrusted(
            f"{settings.decided_by_site} alone decides what is allowed on this machine",
            hint="ask whoever looks after it",
        )
    there = _patterns(settings.user)
    named = tuple(dict.fromkeys(patterns))
    new = tuple(pattern for pattern in named if pattern not in there)
    already = tuple(pattern for pattern in named if pattern in there)
    file = save(allow=_change(new)) if new else None
    return Allowed(settings_here(), added=new, already=already, file=file)


def _removed(settings: Settings, patterns: Sequence[SourcePattern | Registry]) -> Allowed:
    from llamaexit.cli.settings import save, settings_here

    there = _patterns(settings.user)
    for pattern in patterns:
        if pattern not in there:
            site = settings.site if pattern in _patterns(settings.site) else None
            who = f"it is {site.file} that allows it" if site is not None else f"{_LIST} shows what is"
            raise UsageError(f"{pattern} is not among what you allow", hint=who)
    file = save(remove=_change(patterns))
    return Allowed(settings_here(), removed=tuple(dict.fromkeys(patterns)), file=file)


def _change(patterns: Iterable[SourcePattern | Registry]) -> Change:
    from llamaexit.sharing.settings import Change

    several = tuple(patterns)
    return Change(
        tuple(one for one in several if isinstance(one, SourcePattern)),
        tuple(one for one in several if isinstance(one, Registry)),
    )


def _patterns(said: Said | None) -> tuple[SourcePattern | Registry, ...]:
    return (*said.sources, *said.registries) if said is not None else ()


def _result(allowed: Allowed) -> Result:
    settings = allowed.settings
    data = {
        "sources": [
            {"pattern": str(one), "file": str(said.file)} for said in settings.in_force for one in said.sources
        ],
        "registries": [
            {"pattern": str(one), "file": str(said.file)} for said in settings.in_force for one in said.registries
        ],
        "only_site": settings.decided_by_site is not None,
        "cooldown_days": settings.cooldown_days,
        "added": [*map(str, allowed.added)],
        "removed": [*map(str, allowed.removed)],
    }
    return Result(data, partial(_show, allowed))


def _show(allowed: Allowed, console: Console) -> None:
    from llamaexit.report.recipe_allow import print_allowed, print_allowed_already, print_changed

    print_allowed_already(allowed.already, console)
    if allowed.file is not None:
        print_changed(allowed.added, allowed.removed, allowed.file, console)
    elif not allowed.already:
        print_allowed(allowed.settings, console)
