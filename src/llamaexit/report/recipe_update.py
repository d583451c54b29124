"""What was locked, and what another lock would change: for reading in a terminal, and as JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from llamaexit.report import words
from llamaexit.report.layout import INDENT, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from llamaexit.sharing.lock import Lock
    from llamaexit.sharing.taking import HeldBack
    from llamaexit.sharing.updating import Change, Comparison, Difference, How, Kind, LockChange

_SHORT = 12
_STYLES: dict[How, str] = {"added": "green", "removed": "red", "changed": "yellow"}
_TITLES: dict[Kind, str] = {
    "recipe": "What recipes say of themselves",
    "policy": "Policy",
    "rule": "Rules",
    "order": "Order",
    "model": "Facts about targets",
    "origin": "Facts about models people have",
    "licence": "Licences",
    "caveat": "Caveats",
    "source": "Sources of facts",
}
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{12,}")


@dataclass(frozen=True, slots=True)
class LockOutcome:
    """What came of looking at recipes for a lock.

    lock: the one that says what was found. comparison: with the lock that was there. written: it is in the file now.
    checked: it was not to be written, only compared.
    """

    file: str
    lock: Lock
    comparison: Comparison
    held_back: tuple[HeldBack, ...] = ()
    notes: tuple[str, ...] = ()
    written: bool = False
    checked: bool = False


def print_locked(outcome: LockOutcome, console: Console) -> None:
    """What is locked: each recipe with its commit, each target with its build."""
    page = Page(console)
    lock, changed = outcome.lock, {change.name: change.how for change in outcome.comparison.recipes}
    head = "written" if outcome.written else "is as it was"
    page.line(
        Text(outcome.file, style="bold").append(
            f"  {head}: {_counts(len(lock.recipes), len(lock.targets))}", style="default not bold"
        )
    )
    for recipe in lock.recipes:
        page.line(_marked(recipe.reference, changed.get(recipe.reference)), indent=INDENT)
        if recipe.commit:
            page.row("Commit", f"{recipe.commit[:_SHORT]} of {recipe.committed[:10]}", indent=INDENT * 2)
    if lock.targets:
        page.blank()
        builds = {change.name: change.how for change in outcome.comparison.targets}
        rows: list[list[str | Text]] = [
            [_marked(one.model, builds.get(one.model)), one.hex[:_SHORT], _seen(one.seen)] for one in lock.targets
        ]
        page.table(("TARGET", "DIGEST", "AS"), rows, wrap=(0, 2), indent=INDENT)
    gone = [
        change.name for change in outcome.comparison.recipes + outcome.comparison.targets if change.how == "removed"
    ]
    if gone:
        page.blank()
        page.items("Left out", gone, "yellow", indent=0)
    _notes(page, outcome.notes)


def print_update(outcome: LockOutcome, console: Console) -> None:
    """What is different now, recipe by recipe, rule by rule and target by target."""
    page = Page(console)
    comparison = outcome.comparison
    if comparison.different:
        counted = _counts(len(comparison.recipes), len(comparison.targets))
        head = f"{'would change' if outcome.checked else 'changed'}{f': {counted}' if counted else ''}"
    else:
        head = "stays as it is" if outcome.held_back else "is up to date"
        head = f"{head}: {_counts(len(outcome.lock.recipes), len(outcome.lock.targets))}"
    page.line(Text(outcome.file, style="bold").append(f"  {head}", style="default not bold"))
    _locked(page, "Named for the lock", comparison.roots)
    _locked(page, "Recipes", comparison.recipes)
    for kind, title in _TITLES.items():
        _changes(page, title, [change for change in comparison.changes if change.kind == kind])
    _locked(page, "Builds of targets", comparison.targets)
    if comparison.different and not comparison.changes and not comparison.notes:
        page.blank()
        page.line("Nothing that recipes say is different.", "dim")
    if outcome.held_back:
        page.blank()
        page.line("Held back", "bold")
        for held in outcome.held_back:
            page.line(held.reference, indent=INDENT)
            page.row("Commit", f"{held.commit[:_SHORT]} of {held.committed[:10]}", indent=INDENT * 2)
            page.row("Until", held.ready.isoformat(), indent=INDENT * 2)
    _notes(page, (*comparison.notes, *outcome.notes))
    if outcome.checked and comparison.different:
        page.blank()
        page.command("Next", "llamaexit recipe update")


def lock_document(outcome: LockOutcome) -> dict[str, Any]:
    """What `recipe lock --json` and `recipe update --json` answer."""
    comparison = outcome.comparison
    return {
        "lock": outcome.file,
        "written": outcome.written,
        "different": comparison.different,
        "recipes": [
            {
                "reference": one.reference,
                "commit": one.commit or None,
                "committed": one.committed or None,
                "sha256": one.sha256,
            }
            for one in outcome.lock.recipes
        ],
        "targets": [{"model": one.model, "digest": one.digest, "seen": one.seen} for one in outcome.lock.targets],
        "changes": {
            "roots": [_entry(change) for change in comparison.roots],
            "recipes": [_entry(change) for change in comparison.recipes],
            "targets": [_entry(change) for change in comparison.targets],
            "contents": [
                {"kind": change.kind, **_entry(change), "place": change.place or None} for change in comparison.changes
            ],
        },
        "held_back": [
            {
                "reference": held.reference,
                "commit": held.commit,
                "committed": held.committed,
                "ready": held.ready.isoformat(),
            }
            for held in outcome.held_back
        ],
        "notes": [*comparison.notes, *outcome.notes],
    }


def _entry(change: Change | LockChange) -> dict[str, Any]:
    return {
        "name": change.name,
        "how": change.how,
        "differences": [{"key": one.key, "old": one.old, "new": one.new} for one in change.differences],
    }


def _counts(recipes: int, targets: int) -> str:
    return ", ".join(
        words.counted(number, noun) for number, noun in ((recipes, "recipe"), (targets, "target")) if number
    )


def _seen(seen: str) -> str:
    return "the registry has it" if seen == "registry" else "a recipe states it"


def _marked(name: str, how: How | None) -> Text:
    text = Text(name)
    return text if how is None else text.append(f"  {'new' if how == 'added' else how}", style=_STYLES[how])


def _locked(page: Page, title: str, changes: Sequence[LockChange]) -> None:
    if not changes:
        return
    page.blank()
    page.line(title, "bold")
    for change in changes:
        page.line(_headed(change.how, change.name), indent=INDENT, hang=INDENT)
        keys = {one.key for one in change.differences}
        telling = keys & {"commit", "committed", "digest", "seen"} or keys
        _differences(page, change.how, [one for one in change.differences if one.key in telling])


def _changes(page: Page, title: str, changes: Sequence[Change]) -> None:
    if not changes:
        return
    page.blank()
    page.line(title, "bold")
    for change in changes:
        if change.kind == "order":
            page.line("rules stand in another order, which decides where two of them are as good", indent=INDENT)
            continue
        page.line(_headed(change.how, change.name, change.place), indent=INDENT, hang=INDENT)
        # of what is new or gone, the outline; all of it is in the JSON
        shown = [one for one in change.differences if change.how == "changed" or not set(".[") & set(one.key)]
        _differences(page, change.how, shown)


def _headed(how: How, name: str, place: str = "") -> Text:
    text = Text(f"{how:<8} ", style=_STYLES[how]).append(name, style="default bold")
    return text.append(f"  {place}", style="default not bold dim") if place else text


def _differences(page: Page, how: How, differences: Iterable[Difference]) -> None:
    for one in differences:
        old, new = _value(one.old), _value(one.new)
        if old == new:
            text = f"{new}, of which more is known now"
        else:
            text = f"{old} → {new}" if how == "changed" else new if how == "added" else old
        page.row(one.key, text, indent=INDENT * 2)


def _value(value: str | None) -> str:
    if value is None:
        return "nothing"
    return value.removeprefix("sha256:")[:_SHORT] if _DIGEST.fullmatch(value) else " ".join(value.split())


def _notes(page: Page, notes: Sequence[str]) -> None:
    if notes:
        page.blank()
        page.items("Note", notes, "yellow", indent=0)
