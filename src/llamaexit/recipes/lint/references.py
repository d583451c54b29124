"""Names of other recipes and of their rules: `extends`, `disable`, ids that replace, successors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from llamaexit.recipes.lint.registry import Mark, lint
from llamaexit.recipes.lint.seen import in_a_circle
from llamaexit.recipes.names import is_pattern, name_key, nearly_called
from llamaexit.recipes.problems import Suggestions

if TYPE_CHECKING:
    from llamaexit.recipes.lint.seen import Seen
    from llamaexit.recipes.model import Deprecation
    from llamaexit.recipes.positions import Key

_MOST_SEARCHES = 1000
"""Names for which near ones are looked for, and names among which that is done: half a minute at worst."""
_COMMIT = re.compile(r"@(?:[0-9a-f]{40}|[0-9a-f]{64})(?:#|$)")
_SHA256 = re.compile(r"#(?:[^#]*&)?sha256=[0-9a-f]{64}(?:&|$)")


@lint("warning")
def disables_nothing(seen: Seen) -> Iterator[Mark]:
    """An entry of `disable` that no rule below answers to.

    Mostly a slip of the keyboard, or an id without its recipe: rules are called `RECIPE/ID`. A recipe disables only
    what lies below it.
    """
    for position, text in seen.library.idle_disables(seen.recipe.name):
        yield Mark(("disable", position), text)


@lint("warning")
def replaces_nothing(seen: Seen) -> Iterator[Mark]:
    """An id that begins with the name of a recipe below, and is the key of none of its rules.

    It looks as if it were to replace a rule, and adds one instead.
    """
    recipes: dict[str, list[str]] = {}
    for key in seen.below:
        recipes.setdefault(key.partition("/")[0], []).append(key)
    suggest = Suggestions()
    below = frozenset(seen.below)
    for number, rule in enumerate(seen.recipe.rules):
        recipe, slash, rest = rule.id.partition("/")
        if slash and recipe in recipes and rule.id not in below:
            near = suggest(rule.id, partial(recipes.__getitem__, recipe))
            yield Mark(("rules", number, "id"), f"{recipe!r} has no rule {rest!r} that this could replace{near}")


@lint("warning")
def own_name_in_id(seen: Seen) -> Iterator[Mark]:
    """An id that begins with the name of its own recipe.

    Among all recipes a rule is called `RECIPE/ID` anyway, so that the name would be there twice.
    """
    for number, rule in enumerate(seen.recipe.rules):
        if rule.id.startswith(f"{seen.recipe.name}/"):
            short = rule.id.removeprefix(f"{seen.recipe.name}/")
            yield Mark(("rules", number, "id"), f"has the name of its recipe in it; {short!r} is enough")


@lint("warning")
def unpinned_source(seen: Seen) -> Iterator[Mark]:
    """A recipe from elsewhere that may be another one tomorrow.

    Name a commit (`git+https://…@COMMIT#PATH`) or a hash (`https://…#sha256=…`). A branch or a tag can be moved.
    What `llamaexit.lock` in the current folder pins may be called by either; `llamaexit recipe lock` writes that.
    """
    for position, reference in enumerate(seen.recipe.extends):
        if seen.locked(reference):
            continue
        if reference.startswith(("git+", "git@")):
            if not _COMMIT.search(reference):
                way_out = "name a commit by all digits of its id, or lock it (llamaexit recipe lock)"
                yield Mark(("extends", position), f"may be another recipe tomorrow: {way_out}")
        elif reference.startswith(("https:", "http:")) and not _SHA256.search(reference):
            yield Mark(("extends", position), "is pinned to no sha256 of its text")


@lint("warning")
def deprecated_recipe(seen: Seen) -> Iterator[Mark]:
    """A recipe that is extended and on its way out.

    Its authors say what takes its place, and until when they keep it up.
    """
    loaded = {entry.name: entry for entry in seen.library.loaded}
    own = loaded.get(seen.recipe.name)
    for name in own.extends if own is not None else ():
        other = loaded.get(name)
        if other is not None and other.deprecated is not None:
            yield Mark(("extends",), f"{name} {other.deprecated.in_words(seen.today)}")


@lint("warning")
def overdue_deprecation(seen: Seen) -> Iterator[Mark]:
    """A recipe or a rule that was to be gone by now.

    Delete it, or give it more time (`until`).
    """
    places: list[tuple[Key, Deprecation | None]] = [(("deprecated",), seen.recipe.deprecated)]
    places += [(("rules", number, "deprecated"), rule.deprecated) for number, rule in enumerate(seen.recipe.rules)]
    for key, deprecated in places:
        if deprecated is not None and deprecated.until is not None and deprecated.until < seen.today:
            yield Mark((*key, "until"), f"was {deprecated.until}, which is over")


@lint("error")
def unknown_successor(seen: Seen) -> Iterator[Mark]:
    """A deprecated rule whose `replaced-by` names no rule, or leads in a circle.

    Give the key of the rule that takes its place, or its id where it is in the same recipe.
    """
    successors = {
        key: _key_of(rule.deprecated.replaced_by, seen)
        for key, rule in zip(seen.keys, seen.recipe.rules, strict=False)
        if rule.deprecated is not None and rule.deprecated.replaced_by
    }
    suggest = Suggestions()
    circles = _circles(successors)
    for number, (key, rule) in enumerate(zip(seen.keys, seen.recipe.rules, strict=False)):
        if key not in successors or rule.deprecated is None:
            continue
        at = ("rules", number, "deprecated", "replaced-by")
        wanted, successor = rule.deprecated.replaced_by, successors[key]
        if successor is None:
            near = suggest(wanted, lambda: (*seen.keys, *seen.below))
            yield Mark(at, f"no rule is called {wanted!r}{near}")
        elif key in circles:
            yield Mark(at, f"leads in a circle: {in_a_circle(circles[key])}")


def _key_of(name: str, seen: Seen) -> str | None:
    if name in seen.all_keys:
        return name
    return f"{seen.recipe.name}/{name}" if f"{seen.recipe.name}/{name}" in seen.all_keys else None


def _circles(successors: dict[str, str | None]) -> dict[str, list[str]]:
    """Every circle of successors, by the rule on it that comes first."""
    order = {key: number for number, key in enumerate(successors)}
    found: dict[str, list[str]] = {}
    met: set[str] = set()
    for start in successors:
        way: list[str] = []
        at: str | None = start
        while at is not None and at in successors and at not in met:
            met.add(at)
            way.append(at)
            at = successors[at]
        if at in way:
            circle = way[way.index(at) :]
            turn = circle.index(min(circle, key=order.__getitem__))
            found[circle[turn]] = [*circle[turn:], *circle[:turn], circle[turn]]
    return found


@lint("warning")
def misspelled_model(seen: Seen) -> Iterator[Mark]:
    """A model that a rule names, that no recipe knows, and that is nearly called like one that is known.

    A rule for a misspelled name never applies. If the name is right, describe the model in `[[origins]]`.
    """
    searches = iter(range(_MOST_SEARCHES))
    for number, rule in enumerate(seen.recipe.rules):
        for position, text in enumerate(rule.match):
            if is_pattern(text) or seen.library.origin(text) is not None or seen.library.target(text) is not None:
                continue
            if next(searches, None) is None:
                return
            name = name_key(text)
            near = nearly_called(name, seen.known_names.get(name.rpartition(":")[2], ())[:_MOST_SEARCHES])
            if near is not None:
                yield Mark(("rules", number, "match", position), f"no recipe knows {text!r}; did you mean {near!r}?")


@lint("warning")
def only_latest(seen: Seen) -> Iterator[Mark]:
    """A library model without a tag: that means `latest`, and none of the others.

    Write `llama3.1:*` for every tag, or the tag that is meant.
    """
    models = {one.name.rpartition(":")[0].lower() for one in seen.library.origins}
    for number, rule in enumerate(seen.recipe.rules):
        for position, text in enumerate(rule.match):
            bare = text.strip()
            if ":" in bare.rpartition("/")[2] or is_pattern(bare):
                continue
            if bare.lower() in models:
                yield Mark(("rules", number, "match", position), f"means {bare}:latest only; {bare}:* is every tag")
