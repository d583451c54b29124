"""Check the shape of a recipe: known keys, right types, nothing missing. All problems at once, in plain words.

The dataclasses of `model` are the language; pydantic only finds where a file departs from them. It is imported here
and nowhere on the way to the built-in recipes.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from llamaexit.recipes.decode import NESTED
from llamaexit.recipes.model import Recipe, kebab
from llamaexit.recipes.positions import Key
from llamaexit.recipes.problems import MOST_LISTED, Document, Kind, Problem, Suggestions
from llamaexit.recipes.pruned import Pruned

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

_KINDS: dict[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table",
    "dataclass_type": "a table",
    "model_attributes_type": "a table",
}
_DATES = ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact")
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters other than line ends and tabs, and those that turn the direction of the text around: whoever
reviews a recipe, or sees what it says on a terminal, would see something else than what is there."""
_MOST_ENTRIES = {
    "disable": 1000, "match": 1000, "targets": 100,
    "deny-models": 1000, "deny-vendors": 1000, "deny-families": 1000, "deny-origins": 1000,
}  # fmt: skip
_TOO_LARGE = 1 << 63
"""Whole numbers that TOML need not be able to say; those of ten thousand hexadecimal digits cannot even be printed."""
_QUOTED = re.compile(r"'([^']*)'")
_MEANT = re.compile(r"^must be .*; did you mean '([^']*)'\?$")
_SUGGESTED = re.compile(r"^unknown key; did you mean '([^']*)'")


_MISSING = "is missing"
_UNKNOWN = "unknown key"
_MOST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """What validation made of a file.

    recipe: what can be understood of it, the faulty parts left out; None when too little is left. problems: everything
    that is wrong, from the top. place: leads from a key path in `recipe` to the one in the file. faults: key paths of
    the faulty parts in the file.
    """

    recipe: Recipe | None
    problems: tuple[Problem, ...]
    place: Callable[[Key], Key]
    faults: frozenset[Key]


def validate(document: Document, tables: dict[str, Any]) -> Checked:
    """The recipe in a file, and all that is wrong with its shape.

    Faulty parts are left out and the rest is looked at again, so that what they hid is found in the same run. Where it
    is plain which word was meant, that word is taken instead: a rule without its `use` would be left out as a whole.
    """
    faults = dict(_unfit(tables)) | dict(_crowded(tables))
    left_out: set[Key] = set(faults)
    instead: dict[Key, str] = {}
    for _ in range(_MOST_ROUNDS):
        kept = Pruned(tables, left_out, instead)
        # without a name and a version of the language, nothing else could be looked at
        stand_ins = {"schema": 1, "name": document.file}
        recipe, found = _attempt({key: value for key, value in stand_ins.items() if (key,) in faults} | kept.tables)
        culprits, words = set(), {}
        for key, text in found:
            place = kept.place(key)
            if (meant := _MEANT.search(text)) is not None:
                words[place] = meant[1]
            elif text != _MISSING:
                culprits.add(place)
            else:
                # without a key that has to be there, the table it is missing from says nothing
                culprits.add(place[:-1])
                if place in left_out:
                    continue
            faults.setdefault(place, text)
        if culprits <= left_out and not words:
            break
        left_out |= culprits
        instead |= words
    problems = [document.problem(key, text, _kind(text)) for key, text in _without_echoes(faults)]
    return Checked(recipe, tuple(sorted(problems, key=lambda problem: problem.order)), kept.place, frozenset(faults))


def _kind(text: str) -> Kind:
    return "unknown-key" if text.startswith(_UNKNOWN) else "invalid-value"


def _attempt(tables: dict[str, Any]) -> tuple[Recipe | None, list[tuple[Key, str]]]:
    """The recipe, or where it departs from the language and how."""
    from pydantic import ValidationError

    try:
        # JSON mode is the strict one that still takes arrays for tuples; TOML dates become ISO text on the way
        return _adapter().validate_json(json.dumps(tables, default=_as_text), strict=True), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    keys = [tuple(part for part in detail["loc"] if part != "[key]") for detail in details]
    suggest = Suggestions(MOST_LISTED)
    return None, [(key, _in_words(key, tables, detail, suggest)) for key, detail in zip(keys, details, strict=True)]


def _without_echoes(faults: dict[Key, str]) -> list[tuple[Key, str]]:
    """The faults without keys reported missing where a misspelled one next to them is meant."""
    meant = {(*key[:-1], word) for key, text in faults.items() for word in _SUGGESTED.findall(text)}
    return [(key, text) for key, text in faults.items() if text != _MISSING or key not in meant]


@cache
def _adapter() -> TypeAdapter[Recipe]:
    from pydantic import TypeAdapter

    return TypeAdapter(Recipe)


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else str(value)


def _in_words(key: Key, tables: dict[str, Any], detail: ErrorDetails, suggest: Suggestions) -> str:
    kind = detail["type"]
    value = _value_at(tables, key)
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return _UNKNOWN + suggest(str(key[-1]), lambda: map(kebab, _keys_of(key[:-1])))
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return _MISSING
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}, not {_describe(value)}"
    if kind in _DATES:
        return f"must be a date such as 2026-11-23, not {_describe(value)}"
    if kind == "literal_error":
        expected = str(detail["ctx"]["expected"]) if "ctx" in detail else ""
        allowed = _QUOTED.findall(expected) or [expected]
        if key == ("schema",):
            return f"must be {expected}; this llamaexit knows no other version of the language"
        words = ", ".join(allowed[:-1]) + (" or " if len(allowed) > 1 else "") + allowed[-1]
        near = suggest(value, lambda: allowed) if isinstance(value, str) else ""
        return f"must be {words}, not {_describe(value)}{near}"
    return f"is not valid: {_describe(value)}"


def _describe(value: object) -> str:
    """A value as the author wrote it, short; containers by kind."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value[:40]!r}{'…' if len(value) > 40 else ''}"
    if isinstance(value, (int, float)):
        return f"the number {str(value)[:40]}"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return f"the date {value}"


def _keys_of(key: Key) -> list[str]:
    """Field names of the table at a path of the language."""
    cls: type = Recipe
    parts = iter(key)
    for part in parts:
        name = str(part).replace("-", "_")
        kind, inner = NESTED.get(cls, {}).get(name, (None, object))
        if kind is None:
            return []
        if kind in ("many", "map"):
            next(parts, None)
        cls = inner
    return [field.name for field in fields(cls)]


def _value_at(tables: Any, key: Key) -> object:
    for part in key:
        try:
            tables = tables[part]
        except (KeyError, IndexError, TypeError):
            return None
    value: object = tables
    return value


def _crowded(tables: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    """Lists that are held against each other, or against all rules, and are longer than anybody needs."""
    rules = tables.get("rules")
    places: list[tuple[Key, object]] = [((), tables), (("policy",), tables.get("policy"))]
    places += [(("rules", number), rule) for number, rule in enumerate(rules if isinstance(rules, list) else ())]
    for at, table in places:
        for name, most in _MOST_ENTRIES.items():
            value = table.get(name) if isinstance(table, dict) else None
            if isinstance(value, list) and len(value) > most:
                yield (*at, name), f"has {len(value):,} entries; at most {most:,} are allowed"


def _unfit(value: object, key: Key = ()) -> Iterator[tuple[Key, str]]:
    """What is fit for no place in a recipe, whatever the language has there, and why."""
    if isinstance(value, str):
        if not value.isprintable() and (hidden := _HIDDEN.search(value)) is not None:
            yield key, f"has a character in it that works unseen, {hidden[0]!r}"
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not name.isprintable() and (hidden := _HIDDEN.search(name)) is not None:
                yield (*key, name), f"has a character in its name that works unseen, {hidden[0]!r}"
            else:
                yield from _unfit(inner, (*key, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unfit(inner, (*key, number))
    elif isinstance(value, float) and not math.isfinite(value):
        yield key, "must be a finite number"
    elif isinstance(value, int) and abs(value) >= _TOO_LARGE:
        yield key, "is a number of more than 64 bits"
