"""The built-in recipes: where they lie, and the compiled form of them with its records opened on demand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from llamaexit.recipes.compile import FILE_NAME, FORMAT, compile_folder, digest_of, recipe_files
from llamaexit.recipes.decode import decode
from llamaexit.recipes.model import Closed, Licence, Origin, Rule, Source, Target

T = TypeVar("T")

PACKAGED = Path(__file__).parent / "builtin"
"""In an installed wheel: the recipe files and their compiled form. In a source checkout: the compiled form only."""
CHECKOUT = Path(__file__).parents[3] / "recipes"
"""In a source checkout: the recipe files."""


class Pack:
    """The compiled built-in recipes. Records are decoded when they are first asked for, and kept."""

    def __init__(self, data: bytes) -> None:
        end = data.index(b"\n") + 1
        header = json.loads(data[:end])
        if header["format"] != FORMAT:
            raise ValueError(f"compiled recipes of format {header['format']}, not {FORMAT}")
        self.files: dict[str, str] = header["files"]
        self.recipes: list[dict[str, Any]] = header["recipes"]
        self.origin_names: dict[str, int] = header["origin_names"]
        self.target_names: dict[str, int] = header["target_names"]
        self.manifests: dict[str, int] = header["manifests"]
        self.blobs: dict[str, int] = header["blobs"]
        self.rule_keys: dict[str, int] = header["rule_keys"]
        self.rule_heads: list[list[Any]] = header["rule_heads"]
        self._sections: dict[str, tuple[int, int]] = header["sections"]
        self._starts: list[int] = header["starts"]
        self._records = memoryview(data)[end:]
        self._opened: dict[int, Any] = {}

    @property
    def recipe_files(self) -> dict[str, str]:
        """The file of each recipe, by its name."""
        return {entry["name"]: entry["file"] for entry in self.recipes}

    def count(self, section: str) -> int:
        """How many records a section holds: `origins`, `targets` or `rules`."""
        first, last = self._sections[section]
        return last - first

    def origin(self, number: int) -> Origin:
        """One origin by its number."""
        return self._open("origins", number, Origin)

    def target(self, number: int) -> Target:
        """One target by its number."""
        return self._open("targets", number, Target)

    def rule(self, number: int) -> tuple[Rule, dict[str, Any], int]:
        """One rule by its number, with the recipe it is from and its line there."""
        line = self._sections["rules"][0] + number
        if line not in self._opened:
            raw = self._raw(line)
            self._opened[line] = (decode(Rule, raw["rule"]), self.recipes[raw["recipe"]], raw["line"])
        opened: tuple[Rule, dict[str, Any], int] = self._opened[line]
        return opened

    def closed(self) -> tuple[Closed, ...]:
        """The closed models people ask for."""
        return tuple(decode(Closed, item) for item in self._single("closed"))

    def caveats(self) -> dict[str, str]:
        """Caveat texts by code."""
        texts: dict[str, str] = self._single("caveats")
        return texts

    def licences(self) -> dict[str, Licence]:
        """Licences by id."""
        return {name: decode(Licence, item) for name, item in self._single("licences").items()}

    def sources(self) -> dict[str, Source]:
        """Sources by id."""
        return {name: decode(Source, item) for name, item in self._single("sources").items()}

    def _open(self, section: str, number: int, cls: type[T]) -> T:
        line = self._sections[section][0] + number
        if line not in self._opened:
            self._opened[line] = decode(cls, self._raw(line))
        record: T = self._opened[line]
        return record

    def _single(self, section: str) -> Any:
        return self._raw(self._sections[section][0])

    def _raw(self, line: int) -> Any:
        return json.loads(bytes(self._records[self._starts[line] : self._starts[line + 1]]))


def recipe_folder() -> Path:
    """Where the TOML files of the built-in recipes lie."""
    return CHECKOUT if not recipe_files(PACKAGED) and CHECKOUT.is_dir() else PACKAGED


def example_recipes() -> dict[str, Path]:
    """Recipes that teams start from, by their names. They are none of the built-in ones and count nowhere."""
    return {path.stem: path for path in recipe_files(recipe_folder() / "examples")}


def load_pack(packaged: Path = PACKAGED, checkout: Path = CHECKOUT) -> Pack:
    """The built-in recipes, compiled beforehand where that is up to date, compiled now where it is not.

    An installed wheel is taken as it was built. In a source checkout somebody may have edited the TOML since, so the
    hashes recorded at compile time decide.
    """
    compiled = packaged / FILE_NAME
    if recipe_files(packaged):
        return Pack(compiled.read_bytes())
    if compiled.is_file():
        try:
            pack = Pack(compiled.read_bytes())
        except ValueError:  # compiled by the code of another day
            return Pack(compile_folder(checkout))
        if pack.files == {path.name: digest_of(path.read_bytes()) for path in recipe_files(checkout)}:
            return pack
    return Pack(compile_folder(checkout))
