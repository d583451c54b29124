"""Names of other recipes and of their rules: `extends`, `disable`, ids that replace, successors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from llamaexit.recipes.lint.registry import Mark, lint
from llamaexit.recipes.names import is_pattern, name_key
from llamaexit.recipes.problems import did_you_mean

if TYPE_CHECKING:
    from llamaexit.recipes.lint.seen import Seen
    from llamaexit.recipes.model import Deprecation
    from llamaexit.recipes.positions import Key

_COMMIT = re.compile(r"@[0-9a-f]{40}(?:#|$)")
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
    recipes = {key.partition("/")[0] for key in seen.below}
    for number, rule in enumerate(seen.recipe.rules):
        recipe, slash, rest = rule.id.partition("/")
        if slash and recipe in recipes and rule.id not in seen.below:
            near = did_you_mean(rule.id, [key for key in seen.below if key.startswith(f"{recipe}/")])
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
    """
    for position, reference in enumerate(seen.recipe.extends):
        if reference.startswith(("git+", "git@")):
            if not _COMMIT.search(reference):
                yield Mark(("extends", position), "is pinned to no commit of 40 hex digits")
        elif reference.startswith(("https:", "http:")) and not _SHA256.search(reference):
            yield Mark(("extends", position), "is pinned to no sha256 of its text")


@lint("warning")
def deprecated_recipe(seen: Seen) -> Iterator[Mark]:
    """A recipe that is extended and on its way out.

    Its authors say what takes its place, and until when they keep it up.
    """
    own = next((entry for entry in seen.library.loaded if entry.name == seen.recipe.name), None)
    for name in own.extends if own is not None else ():
        other = next((entry for entry in seen.library.loaded if entry.name == name), None)
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
    told: set[str] = set()
    for number, (key, rule) in enumerate(zip(seen.keys, seen.recipe.rules, strict=False)):
        if key not in successors or rule.deprecated is None:
            continue
        at = ("rules", number, "deprecated", "replaced-by")
        wanted, successor = rule.deprecated.replaced_by, successors[key]
        if successor is None:
            yield Mark(at, f"no rule is called {wanted!r}{did_you_mean(wanted, (*seen.keys, *seen.below))}")
        elif key not in told and (circle := _circle(key, successors)) is not None:
            told.update(circle)
            yield Mark(at, f"leads in a circle: {' → '.join(circle)}")


def _key_of(name: str, seen: Seen) -> str | None:
    if name in seen.keys or name in seen.below:
        return name
    return f"{seen.recipe.name}/{name}" if f"{seen.recipe.name}/{name}" in seen.keys else None


def _circle(start: str, successors: dict[str, str | None]) -> list[str] | None:
    way = [start]
    while (following := successors.get(way[-1])) is not None:
        way.append(following)
        if following == start:
            return way
        if following in way[:-1]:
            return None  # the circle is told where it begins
    return None


@lint("warning")
def misspelled_model(seen: Seen) -> Iterator[Mark]:
    """A model that a rule names, that no recipe knows, and that is nearly called like one that is known.

    A rule for a misspelled name never applies. If the name is right, describe the model in `[[origins]]`.
    """
    known: list[str] | None = None
    for number, rule in enumerate(seen.recipe.rules):
        for position, text in enumerate(rule.match):
            if is_pattern(text) or seen.library.origin(text) is not None or seen.library.target(text) is not None:
                continue
            if known is None:
                known = [name for one in seen.library.origins for name in (one.name, *one.also)]
            near = _nearly(name_key(text), known)
            if near is not None:
                yield Mark(("rules", number, "match", position), f"no recipe knows {text!r}; did you mean {near!r}?")


def _nearly(name: str, known: list[str]) -> str | None:
    from difflib import get_close_matches

    # a tag of its own (`llama3.1:team`) is no slip of the keyboard
    same_tag = [one for one in known if name_key(one).rpartition(":")[2] == name.rpartition(":")[2]]
    near = get_close_matches(name, same_tag, n=1, cutoff=0.85)
    return near[0] if near else None


@lint("warning")
def only_latest(seen: Seen) -> Iterator[Mark]:
    """A library model without a tag: that means `latest`, and none of the others.

    Write `llama3.1:*` for every tag, or the tag that is meant.
    """
    for number, rule in enumerate(seen.recipe.rules):
        for position, text in enumerate(rule.match):
            bare = text.strip()
            if ":" in bare.rpartition("/")[2] or is_pattern(bare):
                continue
            if any(one.name.rpartition(":")[0].lower() == bare.lower() for one in seen.library.origins):
                yield Mark(("rules", number, "match", position), f"means {bare}:latest only; {bare}:* is every tag")
