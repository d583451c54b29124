"""Collect recipe files and what they extend, in the order in which they count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llamaexit.recipes.model import Recipe
from llamaexit.recipes.names import name_key
from llamaexit.recipes.pictures import Pictures
from llamaexit.recipes.positions import Key
from llamaexit.recipes.problems import Document, Problem, did_you_mean
from llamaexit.recipes.read import Unreadable, read_recipe
from llamaexit.recipes.validate import Checked, validate

MOST_DEPTH = 8
"""How long a chain of recipes that extend each other may be."""
MOST_FILES = 256
"""How many files all recipes together may be."""

SCHEMA = 1
"""The version of the recipe language this tool knows."""
BUILTIN = "builtin:"
_RULE_HEADER = re.compile(r"^\[\[[ \t]*rules[ \t]*\]\]", re.MULTILINE)
_OTHER_SOURCE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


@dataclass(frozen=True, slots=True)
class Gathered:
    """One recipe with the text it was read from.

    mentioned: what a faulty recipe gives names to, even where the entry had to be left out.
    """

    checked: Checked
    recipe: Recipe
    document: Document
    mentioned: frozenset[str] = frozenset()

    def problem(self, key: Key, text: str) -> Problem | None:
        """A problem with what `recipe` has at `key`; None when that is an echo of a faulty part inside of it."""
        place = self.checked.place(key)
        if any(fault[: len(place)] == place for fault in self.checked.faults):
            return None
        return self.document.problem(place, text)

    def rule_lines(self) -> tuple[int, ...]:
        """The line of each rule's header."""
        text, count = self.document.text, len(self.recipe.rules)
        lines: list[int] = []
        line, done = 1, 0
        for header in _RULE_HEADER.finditer(text):
            line += text.count("\n", done, header.start())
            done = header.start()
            lines.append(line)
        if len(lines) != count:  # headers inside texts, or rules written another way: look closely
            places = self.document.places
            lines = [places.get(("rules", number), (1, 1))[0] for number in range(count)]
        return tuple(lines)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Recipes, lowest precedence first, and everything wrong with any file. complete: every file could be read."""

    recipes: tuple[Gathered, ...]
    problems: tuple[Problem, ...]
    complete: bool


def gather(roots: Sequence[Path], *, builtin: Iterable[str]) -> Gathering:
    """The recipes at `roots` and those they extend.

    What a recipe extends counts right below it, in the order it names them. A file that several recipes extend counts
    once for each root.
    """
    collector = _Collector(frozenset(builtin))
    for root in roots:
        collector.add_root(root)
    collector.check_names()
    return Gathering(tuple(collector.gathered), tuple(collector.problems), not collector.missing)


@dataclass(slots=True)
class _Collector:
    builtin: frozenset[str]
    gathered: list[Gathered] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    missing: bool = False
    _read: dict[Path, Gathered | None] = field(default_factory=dict)
    _seen: set[Path] = field(default_factory=set)
    _tree: Path = Path()

    def add_root(self, path: Path) -> None:
        """A recipe somebody named, or that lies where recipes are looked for."""
        self._seen = set()
        self._tree = _tree_of(path)
        self._add(path, ())

    def check_names(self) -> None:
        """Recipes are told apart by their names: in plans, in explanations, in `recipe show`."""
        first: dict[str, str] = {}
        for entry in self.gathered:
            name, file = entry.recipe.name, entry.document.file
            if name in self.builtin:
                self.problems.append(entry.document.problem(("name",), f"{name!r} is the name of a built-in recipe"))
            elif first.setdefault(name, file) != file:
                self.problems.append(entry.document.problem(("name",), f"{name!r} is also the name of {first[name]}"))

    def _add(self, path: Path, chain: tuple[Path, ...]) -> None:
        place = _resolved(path)
        if place in self._seen:
            return
        self._seen.add(place)
        entry = self._load(path, place)
        if entry is None:
            self.missing = True
            return
        for number, reference in enumerate(entry.recipe.extends):
            problem = self._extend(reference, path, (*chain, path))
            if problem:
                self.missing = True
                self.problems.append(entry.document.problem(("extends", number), problem))
        self.gathered.append(entry)

    def _extend(self, reference: str, path: Path, chain: tuple[Path, ...]) -> str | None:
        """Add what a recipe extends; what is wrong with the reference, or None."""
        if reference.startswith(BUILTIN):
            name = reference.removeprefix(BUILTIN)
            if name in self.builtin:
                return None  # they are always there, below everything
            return f"no built-in recipe is called {name!r}{did_you_mean(name, self.builtin)}"
        if _OTHER_SOURCE.match(reference) or reference.startswith("git@"):
            return f"{reference[:80]!r}: only relative paths and builtin:NAME are supported yet"
        if not reference.strip() or "\0" in reference:
            return "must be a relative path or builtin:NAME"
        if Path(reference).is_absolute() or reference.startswith(("/", "\\", "~")):
            return f"{reference[:80]!r} is not a relative path"
        target = path.parent / reference
        if not _resolved(target).is_relative_to(self._tree):
            return f"{reference[:80]!r} leads out of {self._tree.name or self._tree}, the folder or repository it is in"
        above = [_resolved(earlier) for earlier in chain]
        if _resolved(target) in above:
            circle = [*chain[above.index(_resolved(target)) :], target]
            return "goes round in a circle: " + " extends ".join(step.name for step in circle)
        if len(chain) >= MOST_DEPTH:
            return f"extends a recipe that extends a recipe, more than {MOST_DEPTH} deep"
        self._add(target, chain)
        return None

    def _load(self, path: Path, place: Path) -> Gathered | None:
        if place not in self._read:
            if len(self._read) == MOST_FILES:
                self.problems.append(Problem(str(path), f"is one recipe too many; {MOST_FILES} files are the limit"))
            self._read[place] = None if len(self._read) >= MOST_FILES else self._read_new(path)
        return self._read[place]

    def _read_new(self, path: Path) -> Gathered | None:
        try:
            document, tables = read_recipe(path)
        except Unreadable as error:
            self.problems.append(error.problem)
            return None
        misfit = _other_version(tables)
        if misfit is not None:
            self.problems.append(document.problem(*misfit))
            return None
        checked = validate(document, tables)
        self.problems += checked.problems
        if checked.recipe is None:
            return None
        pictures = Pictures(path.parent)
        recipe = pictures.embed(checked.recipe)
        mentioned = frozenset(_mentioned(tables)) if checked.problems else frozenset()
        entry = Gathered(checked, recipe, document, mentioned)
        self.problems += [problem for key, text in pictures.problems if (problem := entry.problem(key, text))]
        return entry


def _mentioned(tables: dict[str, Any]) -> Iterator[str]:
    """Names of models, caveats, licences and sources that a file describes, however badly."""
    for kind in ("caveats", "licences", "sources"):
        table = tables.get(kind)
        yield from table if isinstance(table, dict) else ()
    models = tables.get("models")
    for model in models if isinstance(models, list) else ():
        name = model.get("name") if isinstance(model, dict) else None
        if isinstance(name, str):
            yield name_key(name)


def _other_version(tables: dict[str, Any]) -> tuple[tuple[str, ...], str] | None:
    """Why a recipe is not for this version of the tool. Asked first: the rest of it may well look wrong then."""
    schema = tables.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        return ("schema",), f"is {schema}, a newer version of the language than this llamaexit knows ({SCHEMA})"
    wanted = tables.get("requires-llamaexit")
    if not isinstance(wanted, str):
        return None
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    from llamaexit import __version__

    key = ("requires-llamaexit",)
    try:
        specifier = SpecifierSet(wanted)
    except InvalidSpecifier:
        return key, f"must be a version range such as '>=0.1,<2', not {wanted[:80]!r}"
    if specifier.contains(__version__, prereleases=True):
        return None
    return key, f"needs llamaexit {wanted}, and this is {__version__}"


def _tree_of(path: Path) -> Path:
    """What a recipe may reach by relative paths: the git repository it lies in, otherwise its own folder."""
    folder = _resolved(path).parent
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)


def _resolved(path: Path) -> Path:
    """The file a path leads to, links followed; where they go round in circles, the path itself."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # RuntimeError: what Python before 3.13 says of circles
        return path.absolute()
