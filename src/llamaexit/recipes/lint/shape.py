"""What makes a recipe unusable: a plan is refused for the same reasons, in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llamaexit.recipes.lint.registry import lint

if TYPE_CHECKING:
    from llamaexit.recipes.lint.seen import Seen
    from llamaexit.recipes.problems import Problem


@lint("error")
def unreadable(seen: Seen) -> Iterator[Problem]:
    """The file is missing, no TOML, no UTF-8 text, too large or nested too deep.

    Nothing else can be said about it until that is put right.
    """
    return seen.of_kind("unreadable")


@lint("error")
def needs_newer(seen: Seen) -> Iterator[Problem]:
    """The recipe is written for a newer llamaexit.

    It says so with `requires-llamaexit` or `schema`, and the rest is not looked at: much of it would seem wrong.
    """
    return seen.of_kind("needs-newer")


@lint("error")
def unknown_key(seen: Seen) -> Iterator[Problem]:
    """A key that the language does not have.

    Mostly a slip of the keyboard, or an underscore for a hyphen. A recipe that is half understood would be worse than
    none: what was dropped might have been the policy.
    """
    return seen.of_kind("unknown-key")


@lint("error")
def invalid_value(seen: Seen) -> Iterator[Problem]:
    """A value that cannot be meant, or a key that has to be there and is missing.

    A wrong type, a size that is none, a version range that cannot be read, an empty pattern.
    """
    return seen.of_kind("invalid-value")


@lint("error")
def unknown_target(seen: Seen) -> Iterator[Problem]:
    """A target that no recipe describes.

    Describe it in `[[models]]` of the recipe: the family, who publishes it, its licence, its size and what it can do. A
    plan has to know that to tell whether it fits.
    """
    return seen.of_kind("unknown-target")


@lint("error")
def unknown_name(seen: Seen) -> Iterator[Problem]:
    """A caveat, licence, source or generation that no recipe explains.

    Explain it in the recipe (`[caveats]`, `[licences.ID]`, `[sources.ID]`), or correct its spelling.
    """
    return seen.of_kind("unknown-name")


@lint("error")
def duplicate(seen: Seen) -> Iterator[Problem]:
    """One name for two things: rules, models, examples, recipes.

    Nobody could say which of them is meant.
    """
    return seen.of_kind("duplicate")


@lint("error")
def bad_extends(seen: Seen) -> Iterator[Problem]:
    """A reference in `extends` that leads nowhere, in a circle, or where it may not lead.

    Relative paths stay within the git repository the recipe lies in, or within its folder where there is none. What an
    address looks like is in the reference of recipes.
    """
    return seen.of_kind("bad-extends")
