"""The built-in recipes, TOML to one file that opens in a millisecond or two.

TOML of this size takes tenths of a second to parse. The compiled form is JSON Lines: the first line holds the indices
(names, digests, rule ids) and the place of every record; each further line is one record, decoded only when
somebody asks for it. The build backend runs this module, so it needs nothing but the standard library.

    python -m llamaexit.recipes.compile recipes OUTPUT
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llamaexit.recipes.decode import field_names
from llamaexit.recipes.model import Recipe
from llamaexit.recipes.names import digest_key, name_key

FORMAT = 4
"""Version of the compiled form; a loader refuses every other one."""

FILE_NAME = "library.jsonl"
"""Name of the compiled file in the package."""

_RULE_HEADER = re.compile(r"^\[\[\s*rules\s*\]\]")


def recipe_files(folder: Path) -> list[Path]:
    """The recipe files of a folder, in the order in which they count."""
    return sorted(folder.glob("*.toml"))


def digest_of(data: bytes) -> str:
    """Sha256 of a recipe file, line endings as in the repository (git may change them on Windows)."""
    import hashlib

    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def compile_folder(folder: Path) -> bytes:
    """The compiled form of all recipe files in a folder. Raises TOMLDecodeError for what is no TOML."""
    return _Compiler().add_all(recipe_files(folder)).finish()


class _Compiler:
    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.recipes: list[dict[str, Any]] = []
        self.origins: list[dict[str, Any]] = []
        self.targets: list[dict[str, Any]] = []
        self.rules: list[dict[str, Any]] = []
        self.closed: list[dict[str, Any]] = []
        self.tables: dict[str, dict[str, Any]] = {"caveats": {}, "licences": {}, "sources": {}}

    def add_all(self, paths: Iterable[Path]) -> _Compiler:
        import tomllib

        for path in paths:
            data = path.read_bytes()
            self.files[path.name] = digest_of(data)
            text = data.decode("utf-8")
            self.add(path.name, field_names(Recipe, tomllib.loads(text)), _rule_lines(text))
        return self

    def add(self, file: str, recipe: dict[str, Any], rule_lines: list[int]) -> None:
        rules = recipe.get("rules", [])
        self.recipes.append(
            {
                "name": recipe["name"],
                "version": recipe["version"],
                "summary": recipe["summary"],
                "file": file,
                "checked": recipe["checked"].isoformat(),
                "origins": len(recipe.get("origins", [])),
                "models": len(recipe.get("models", [])),
                "rules": len(rules),
                "deprecated": recipe.get("deprecated"),
            }
        )
        number = len(self.recipes) - 1
        self.rules += [
            {"recipe": number, "line": line, "rule": rule} for rule, line in zip(rules, rule_lines, strict=True)
        ]
        self.origins += recipe.get("origins", [])
        self.targets += recipe.get("models", [])
        self.closed += recipe.get("closed", [])
        for name, table in self.tables.items():
            table.update(recipe.get(name, {}))

    def finish(self) -> bytes:
        sections = {"origins": self.origins, "targets": self.targets, "rules": self.rules}
        singles = {"closed": self.closed, **self.tables}
        lines = [_line(record) for records in sections.values() for record in records]
        lines += [_line(record) for record in singles.values()]
        starts, place = [0], 0
        for line in lines:
            place += len(line)
            starts.append(place)
        firsts, count = {}, 0
        for section, records in sections.items():
            firsts[section] = [count, count + len(records)]
            count += len(records)
        for section in singles:
            firsts[section] = [count, count + 1]
            count += 1
        header = {
            "format": FORMAT,
            "files": self.files,
            "recipes": self.recipes,
            "starts": starts,
            "sections": firsts,
            "origin_names": _names(self.origins),
            "target_names": _names(self.targets),
            "manifests": _digests(self.origins, "manifests"),
            "blobs": _digests(self.origins, "blobs"),
            "rule_keys": {self._key(record): number for number, record in enumerate(self.rules)},
            "rule_heads": [[self._key(record), *_conditions(record["rule"])] for record in self.rules],
        }
        return b"".join([_line(header), *lines])

    def _key(self, record: dict[str, Any]) -> str:
        """What a rule is called among those of all recipes."""
        return f"{self.recipes[record['recipe']]['name']}/{record['rule']['id']}"


def _conditions(rule: dict[str, Any]) -> list[Any]:
    """What decides whether a rule applies, in the order of `RuleHead`."""
    return [
        rule["use"],
        rule.get("match", []),
        rule.get("generation", []),
        rule.get("min_parameters", 0.0),
        rule.get("max_parameters", 0.0),
    ]


def _line(record: object) -> bytes:
    return json.dumps(record, separators=(",", ":"), default=str).encode("ascii") + b"\n"


def _rule_lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if _RULE_HEADER.match(line)]


def _names(records: list[dict[str, Any]]) -> dict[str, int]:
    """Every name a record answers to; where two claim one, its own name and aliases count before its tags."""
    names: dict[str, int] = {}
    for number, record in enumerate(records):
        for name in (record["name"], *record.get("also", ())):
            names.setdefault(name_key(name), number)
    for number, record in enumerate(records):
        model = record["name"].rsplit(":", 1)[0]
        for tag in record.get("tags", ()):
            names.setdefault(name_key(f"{model}:{tag['tag']}"), number)
    return names


def _digests(records: list[dict[str, Any]], field: str) -> dict[str, int]:
    return {digest_key(digest): number for number, record in enumerate(records) for digest in record.get(field, ())}


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(compile_folder(Path(sys.argv[1])))
