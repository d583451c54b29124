"""Load the recipes that are in force: built-in ones, the user's, the project's, and those named on the command line.

Every problem of every file is found before anything is refused. Recipes are data: loading one reads it and the files
it extends, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.recipes.library import Layer, Library, LoadedRecipe, Named
from llamaexit.recipes.pack import Pack, load_pack

if TYPE_CHECKING:
    from llamaexit.recipes.gather import Gathered, Gathering
    from llamaexit.recipes.problems import Problem
    from llamaexit.recipes.sources import Sources

PROJECT_FILE = "llamaexit.toml"
"""The recipe of a project, in the folder the tool is started in."""
NO_RECIPE = "settings.toml"
"""What is no recipe in the user's folder: the settings (`sharing.settings`)."""


def load_library(
    references: Sequence[str | Path] = (),
    *,
    project: Path | None = None,
    user: Path | None = None,
    sources: Sources | None = None,
    locked: Mapping[str, str] | None = None,
) -> Library:
    """The merged recipes, weakest first: built in, user's folder, project, then `references` in their order.

    references: recipes that have to be there, as `--recipe` names them. project: the project's recipe, or the folder
    that may hold it. user: a folder whose *.toml count in the order of their names; it may be missing. sources: finds
    the recipes; without it, the files of this machine are all there is. locked: the builds that targets have to be, as
    `Library` takes them. Raises RecipeError with every problem.
    """
    library, problems = read_library(references, project=project, user=user, sources=sources, locked=locked)
    if problems:
        from llamaexit.recipes.problems import refuse

        raise refuse(problems)
    return library


def read_library(
    references: Sequence[str | Path] = (),
    *,
    project: Path | None = None,
    user: Path | None = None,
    sources: Sources | None = None,
    locked: Mapping[str, str] | None = None,
) -> tuple[Library, Sequence[Problem]]:
    """The recipes that `load_library` loads, as far as they can be understood, and everything wrong with them."""
    named: list[tuple[Named, str]] = [("user", str(path)) for path in user_recipes(user)]
    named += [("project", str(path)) for path in _project_files(project)]
    named += [("command-line", str(reference)) for reference in references]
    roots = [reference for _, reference in named]
    pack = load_pack()
    if not roots:
        return Library(pack, locked=locked), ()

    from llamaexit.recipes.gather import gather
    from llamaexit.recipes.sources import LocalSources

    found = gather(roots, builtin=pack.recipe_files, sources=sources or LocalSources(pack.recipe_files))
    return _merged(pack, found, [origin for origin, _ in named], locked)


@dataclass(frozen=True, slots=True)
class Stack:
    """One recipe that is looked at by itself: not with the user's and the project's, only with what it extends.

    library: what that comes to, as far as it can be understood. entry: None where too little of it can be. problems:
    everything wrong with any of the files.
    """

    library: Library
    entry: Gathered | None
    problems: tuple[Problem, ...]


def load_stack(reference: str | Path, *, sources: Sources | None = None) -> Stack:
    """A recipe with what it extends, whatever is wrong with it. sources: as for `load_library`."""
    from llamaexit.recipes.gather import gather, read_one
    from llamaexit.recipes.meaning import check_meaning
    from llamaexit.recipes.read import Unreadable
    from llamaexit.recipes.sources import LocalSources, Unresolved

    pack = load_pack()
    sources = sources or LocalSources(pack.recipe_files)
    try:
        shipped = sources.resolve(str(reference), None)
    except (Unreadable, Unresolved):
        shipped = None  # gathering it says why
    if shipped is not None and shipped.builtin is not None:
        library = Library(pack)
        entry, problems = read_one(shipped)
        if entry is not None:
            findings = check_meaning(entry.recipe, library)
            problems += [problem for finding in findings if (problem := entry.problem(*finding))]
        return Stack(library, entry, tuple(sorted(problems, key=lambda problem: problem.order)))
    found = gather([str(reference)], builtin=pack.recipe_files, sources=sources)
    library, problems = _merged(pack, found, ["command-line"])
    return Stack(library, next((entry for entry in found.recipes if entry.root == 0), None), tuple(problems))


def _merged(
    pack: Pack, found: Gathering, named: Sequence[Named], locked: Mapping[str, str] | None = None
) -> tuple[Library, list[Problem]]:
    """What gathered recipes come to, and all that is wrong with them."""
    from llamaexit.recipes.meaning import check_meaning

    layers = [_layer(entry, "" if entry.root is None else named[entry.root]) for entry in found.recipes]
    library = Library(pack, layers, locked)
    problems = list(found.problems)
    mentioned = frozenset[str]().union(*(entry.mentioned for entry in found.recipes)) if found.complete else None
    for entry in found.recipes:
        findings = check_meaning(entry.recipe, library, mentioned)
        problems += [problem for finding in findings if (problem := entry.problem(*finding))]
    return library, sorted(problems, key=lambda problem: problem.order)


def is_file_reference(reference: str) -> bool:
    """Whether a reference from the command line is the path of a file."""
    from llamaexit.recipes.sources import BUILTIN, is_elsewhere

    return not reference.startswith(BUILTIN) and not is_elsewhere(reference)


def recipe_text(library: Library, name: str, *, sources: Sources | None = None) -> tuple[LoadedRecipe, str]:
    """A loaded recipe and the TOML it was read from, by name. sources: those that the library was loaded with.

    Raises RecipeError for a name no recipe has, and for a text that cannot be had any more.
    """
    from llamaexit.errors import RecipeError
    from llamaexit.recipes.problems import did_you_mean
    from llamaexit.recipes.read import Unreadable
    from llamaexit.recipes.sources import BUILTIN, LocalSources, Unresolved

    recipe = next((entry for entry in reversed(library.loaded) if entry.name == name), None)
    if recipe is None:
        near = did_you_mean(name, (entry.name for entry in library.loaded))
        raise RecipeError(f"no recipe is called {name!r}{near}", hint="llamaexit recipe list names them all")
    finder = sources or LocalSources(load_pack().recipe_files)
    try:
        return recipe, finder.resolve(BUILTIN + recipe.name if recipe.builtin else recipe.file, None).text
    except (Unreadable, Unresolved) as error:
        raise RecipeError(str(error)) from error


def user_recipes(folder: Path | None) -> tuple[Path, ...]:
    """The recipes in the user's folder, in the order of their names."""
    found = sorted(folder.glob("*.toml")) if folder is not None and folder.is_dir() else ()
    return tuple(path for path in found if path.name != NO_RECIPE)


def _project_files(project: Path | None) -> Iterable[Path]:
    if project is None:
        return ()
    file = project / PROJECT_FILE if project.is_dir() else project
    return (file,) if file.exists() else ()


def _layer(entry: Gathered, named: Named) -> Layer:
    document = entry.document
    return Layer(entry.recipe, document.file, entry.rule_lines(), entry.extends, named, document.line)
