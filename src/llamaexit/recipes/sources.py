"""Where recipes come from: a reference, as `extends` and `--recipe` give it, becomes a text and an identity.

Everything that loads recipes asks a `Sources`, and nothing else opens a recipe file. This one knows what ships with
llamaexit and what lies on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from llamaexit.recipes.pack import recipe_folder
from llamaexit.recipes.problems import did_you_mean
from llamaexit.recipes.read import read_text

BUILTIN = "builtin:"
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?://|:)|git\+|git@", re.IGNORECASE)
_LOGIN = re.compile(r"//(?!git@)[^/@]*@")
_MOST_SHOWN = 200
_OTHER_SOURCE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class Unresolved(Exception):
    """Why a reference leads to no recipe, in words for the place where the reference stands."""


@dataclass(frozen=True, slots=True)
class RecipeText:
    """One recipe as it was found.

    shown_as: what messages call it. identity: equal for two references to one recipe, however they are written.
    tree: what relative references in it may reach; means something only to the source it came from. folder: where the
    files beside it can be read, None where there are none. beside: reads a file beside it where that is no folder of
    this machine; raises Unresolved.
    """

    text: str
    shown_as: str
    identity: str
    tree: str = ""
    folder: Path | None = None
    beside: Callable[[str], bytes] | None = field(default=None, compare=False, repr=False)

    @property
    def builtin(self) -> str | None:
        """The name of the built-in recipe that it is, if it is one."""
        return self.identity.removeprefix(BUILTIN) if self.identity.startswith(BUILTIN) else None

    @property
    def brief(self) -> str:
        """The last part of what messages call it, for lists of several."""
        return re.split(r"[/\\]", self.shown_as)[-1]


def is_elsewhere(reference: str) -> bool:
    """Whether a reference means something on another machine or in a repository, well written or not.

    A path such as `C:\\x.toml` does not.
    """
    return _ELSEWHERE.match(reference) is not None


def shown_reference(reference: str) -> str:
    """A reference as messages show it: not too long, and without what may be a password or a token."""
    shown = _LOGIN.sub("//…@", reference) if is_elsewhere(reference) else reference
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"


class Sources(Protocol):
    """Finds recipes."""

    def resolve(self, reference: str, relative_to: RecipeText | None) -> RecipeText:
        """The recipe that a reference means, seen from the recipe it stands in; None: from the command line.

        Raises Unresolved where the reference cannot be meant or may not be followed, and Unreadable where it leads to
        something that is no text of a permissible size.
        """
        ...


class LocalSources:
    """Built-in recipes (`builtin:NAME`) and files. A file is read once.

    A person may name any file. A recipe names others relative to itself, and these have to lie in its tree, links
    followed: the git repository it is in, or its folder where there is none.
    """

    def __init__(self, builtin: Mapping[str, str]) -> None:
        """builtin: files of the built-in recipes by the names of these."""
        self._builtin = dict(builtin)
        self._folder = resolved(recipe_folder())
        self._read: dict[Path, str] = {}

    @property
    def local_files(self) -> tuple[Path, ...]:
        """The files that were read, links followed, in the order of their first use; built-in recipes left out."""
        return tuple(place for place in self._read if not self._is_shipped(place))

    def resolve(self, reference: str, relative_to: RecipeText | None) -> RecipeText:
        """The recipe that a reference means. Raises Unresolved or Unreadable."""
        if reference.startswith(BUILTIN):
            return self._shipped(reference)
        if is_elsewhere(reference):
            raise Unresolved(f"{reference[:80]!r} is an address, and only files of this machine are looked at here")
        path = Path(reference) if relative_to is None else _beside(reference, relative_to)
        if reference in self._builtin and not path.exists():
            raise Unresolved(f"there is no such file; did you mean {BUILTIN}{reference}?")
        return self._file(path, tree="" if relative_to is None else relative_to.tree)

    def _shipped(self, reference: str) -> RecipeText:
        name = reference.removeprefix(BUILTIN)
        if name not in self._builtin:
            raise Unresolved(f"no built-in recipe is called {name!r}{did_you_mean(name, self._builtin)}")
        path = self._folder / self._builtin[name]
        return RecipeText(self._text(path, path), BUILTIN + self._builtin[name], BUILTIN + name)

    def _file(self, path: Path, tree: str) -> RecipeText:
        place = resolved(path)
        if self._is_shipped(place):
            # the files of a source checkout are the built-in recipes, and not others of the same names
            name = next(name for name, file in self._builtin.items() if file == place.name)
            return RecipeText(self._text(path, place), str(path), BUILTIN + name)
        return RecipeText(self._text(path, place), str(path), str(place), tree or str(_tree_of(place)), path.parent)

    def _is_shipped(self, place: Path) -> bool:
        return place.parent == self._folder and place.name in self._builtin.values()

    def _text(self, path: Path, place: Path) -> str:
        if place not in self._read:
            self._read[place] = read_text(path)
        return self._read[place]


def _beside(reference: str, relative_to: RecipeText) -> Path:
    """The path that a recipe means, if it may mean it."""
    if _OTHER_SOURCE.match(reference):
        raise Unresolved(f"{reference[:80]!r} is neither a relative path nor builtin:NAME nor an address that is known")
    if not reference.strip() or "\0" in reference:
        raise Unresolved("must be a relative path, builtin:NAME or an address")
    if Path(reference).is_absolute() or reference.startswith(("/", "\\", "~")):
        raise Unresolved(f"{reference[:80]!r} is not a relative path")
    if relative_to.folder is None:
        raise Unresolved(f"{reference[:80]!r}: built-in recipes extend nothing")
    path, tree = relative_to.folder / reference, Path(relative_to.tree)
    if not resolved(path).is_relative_to(tree):
        raise Unresolved(f"{reference[:80]!r} leads out of {tree.name or tree}, the folder or repository it is in")
    return path


def _tree_of(place: Path) -> Path:
    """What a recipe may reach by relative paths: the git repository it lies in, otherwise its own folder."""
    folder = place.parent
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)


def resolved(path: Path) -> Path:
    """The file a path leads to, links followed; where they go round in circles, the path itself."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # RuntimeError: what Python before 3.13 says of circles
        return path.absolute()
