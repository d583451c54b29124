"""Collect recipe files and what they extend, in the order in which they count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llamaexit.recipes.model import Recipe
from llamaexit.recipes.names import name_key
from llamaexit.recipes.pictures import Pictures
from llamaexit.recipes.positions import Key
from llamaexit.recipes.problems import Document, Finding, Kind, Problem
from llamaexit.recipes.read import Unreadable, parse_recipe
from llamaexit.recipes.sources import RecipeText, Sources, Unresolved, shown_reference
from llamaexit.recipes.validate import Checked, validate

MOST_DEPTH = 8
"""How long a chain of recipes that extend each other may be."""
MOST_FILES = 256
"""How many files all recipes together may be."""
MOST_FAILED = 100
"""How many references that lead nowhere are told; behind them no more are followed."""
MOST_TOGETHER = 32 * 1024 * 1024
"""Bytes of all recipes together."""

SCHEMA = 1
"""The version of the recipe language this tool knows."""
_RULE_HEADER = re.compile(r"^\[\[[ \t]*rules[ \t]*\]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Gathered:
    """One recipe with the text it was read from.

    mentioned: what a faulty recipe gives names to, even where the entry had to be left out. extends: names of the
    recipes it extends. root: which of the roots it is, None where it is there only because others extend it.
    """

    checked: Checked
    recipe: Recipe
    document: Document
    mentioned: frozenset[str] = frozenset()
    extends: tuple[str, ...] = ()
    root: int | None = None

    def problem(self, key: Key, text: str, kind: Kind = "invalid-value") -> Problem | None:
        """A problem with what `recipe` has at `key`; None when that is an echo of a faulty part inside of it."""
        place = self.checked.place(key)
        if any(fault[: len(place)] == place for fault in self.checked.faults):
            return None
        return self.document.problem(place, text, kind)

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


def gather(roots: Sequence[str], *, builtin: Iterable[str], sources: Sources) -> Gathering:
    """The recipes that `roots` refer to and those they extend.

    What a recipe extends counts right below it, in the order it names them. A file that several recipes extend counts
    once for each root.
    """
    collector = _Collector(frozenset(builtin), sources)
    for number, root in enumerate(roots):
        collector.add_root(root, number)
    collector.check_names()
    return Gathering(tuple(collector.gathered), tuple(collector.problems), not collector.missing)


@dataclass(slots=True)
class _Collector:
    builtin: frozenset[str]
    sources: Sources
    gathered: list[Gathered] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    missing: bool = False
    _read: dict[str, Gathered | None] = field(default_factory=dict)
    _bytes: int = 0
    _failed: int = 0
    _seen: set[str] = field(default_factory=set)

    def add_root(self, reference: str, number: int) -> None:
        """A recipe somebody named, or that lies where recipes are looked for."""
        self._seen = set()
        try:
            self._add(self.sources.resolve(reference, None), (), number)
        except Unreadable as error:
            self._refuse(error.problem)
        except Unresolved as error:
            shown = shown_reference(reference)
            reason = str(error).removeprefix(f"{shown!r}: ")  # it begins with it where it is about all of it
            self._refuse(Problem(shown, reason, kind="bad-extends"))

    def check_names(self) -> None:
        """Recipes are told apart by their names: in plans, in explanations, in `recipe show`."""
        first: dict[str, str] = {}
        for entry in self.gathered:
            name, file = entry.recipe.name, entry.document.file
            if name in self.builtin:
                self._twice(entry, f"{name!r} is the name of a built-in recipe")
            elif first.setdefault(name, file) != file:
                self._twice(entry, f"{name!r} is also the name of {first[name]}")

    def _twice(self, entry: Gathered, text: str) -> None:
        self.problems.append(entry.document.problem(("name",), text, "duplicate"))

    def _refuse(self, problem: Problem) -> None:
        self.missing = True
        self.problems.append(problem)

    def _add(self, found: RecipeText, chain: tuple[RecipeText, ...], root: int | None = None) -> None:
        if found.builtin is not None or found.identity in self._seen:
            return  # the built-in ones are always there, below everything
        self._seen.add(found.identity)
        entry = self._load(found)
        if entry is None:
            self.missing = True
            return
        extended: list[str] = []
        for number, reference in enumerate(entry.recipe.extends):
            if len(self._read) > MOST_FILES or self._failed >= MOST_FAILED:
                break
            try:
                extended += self._extend(reference, (*chain, found))
            except Unreadable as error:
                self._failed += 1
                self._refuse(error.problem)
            except Unresolved as error:
                self._failed += 1
                self._refuse(entry.document.problem(("extends", number), str(error), "bad-extends"))
        self.gathered.append(replace(entry, extends=tuple(extended), root=root))

    def _extend(self, reference: str, chain: tuple[RecipeText, ...]) -> list[str]:
        """Add what the last recipe of a chain extends; its name, if it has one. Raises Unresolved or Unreadable."""
        found = self.sources.resolve(reference, chain[-1])
        above = [earlier.identity for earlier in chain]
        if found.identity in above:
            circle = [*chain[above.index(found.identity) :], found]
            raise Unresolved("goes round in a circle: " + " extends ".join(step.brief for step in circle))
        if len(chain) >= MOST_DEPTH:
            raise Unresolved(f"extends a recipe that extends a recipe, more than {MOST_DEPTH} deep")
        self._add(found, chain)
        entry = self._read.get(found.identity)
        return [found.builtin] if found.builtin is not None else [entry.recipe.name] if entry is not None else []

    def _load(self, found: RecipeText) -> Gathered | None:
        key, file = found.identity, found.shown_as
        if key in self._read:
            return self._read[key]
        self._read[key] = None
        self._bytes += len(found.text.encode())
        if len(self._read) > MOST_FILES:
            if len(self._read) == MOST_FILES + 1:
                text = f"is one recipe too many; {MOST_FILES} files are the limit"
                self.problems.append(Problem(file, text, kind="unreadable"))
        elif self._bytes > MOST_TOGETHER:
            text = f"is too much: all recipes together have at most {MOST_TOGETHER:,} bytes"
            self.problems.append(Problem(file, text, kind="unreadable"))
        else:
            self._read[key], problems = read_one(found)
            self.problems += problems
        return self._read[key]


def read_one(found: RecipeText) -> tuple[Gathered | None, list[Problem]]:
    """A recipe by itself, None where too little of it can be understood, and what is wrong with its shape."""
    document = Document(found.shown_as, found.text)
    try:
        tables = parse_recipe(document)
    except Unreadable as error:
        return None, [error.problem]
    misfit = _other_version(tables)
    if misfit is not None:
        return None, [document.problem(*misfit)]
    checked = validate(document, tables)
    problems = list(checked.problems)
    if checked.recipe is None:
        return None, problems
    pictures = Pictures(found.folder, found.beside)
    recipe = pictures.embed(checked.recipe)
    mentioned = frozenset(_mentioned(tables)) if problems else frozenset()
    entry = Gathered(checked, recipe, document, mentioned)
    problems += [problem for key, text in pictures.problems if (problem := entry.problem(key, text))]
    return entry, problems


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


def _other_version(tables: dict[str, Any]) -> Finding | None:
    """Why a recipe is not for this version of the tool. Asked first: the rest of it may well look wrong then."""
    schema, wanted = tables.get("schema"), tables.get("requires-llamaexit")
    misfit = _misfit(wanted) if isinstance(wanted, str) else None
    if misfit is None and isinstance(schema, int) and schema > SCHEMA:
        text = f"is {schema}, a newer version of the language than this llamaexit knows ({SCHEMA})"
        return Finding(("schema",), text, "needs-newer")
    return misfit


def _misfit(wanted: str) -> Finding | None:
    """Why this release is not among the wanted ones. A pre-release counts as what it is: before its release."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    from llamaexit import __version__

    try:
        specifier = SpecifierSet(wanted)
    except InvalidSpecifier:
        return None  # told with everything else that is wrong
    if specifier.contains(__version__, prereleases=True):
        return None
    return Finding(("requires-llamaexit",), f"needs llamaexit {wanted}, and this is {__version__}", "needs-newer")
