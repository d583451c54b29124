"""Read one recipe file, without trusting it: size, encoding and depth are limited before anything looks inside.

Recipes travel between people. Nothing in one is run, expanded or fetched.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from llamaexit.recipes.positions import Key
from llamaexit.recipes.problems import Document, Problem

MOST_BYTES = 1024 * 1024
"""A recipe is a page or ten of text. What is larger is refused without being read."""
MOST_DEPTH = 16
"""Levels of tables and arrays; the language itself has six."""
_DOTS = re.compile(r"""(?:\.[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*){32}""")
"""A dotted key of many parts: tomllib takes quadratic time for it (80 kB of them keep it busy for 20 s)."""
_LONG_NUMBER = re.compile(r"0[xob][0-9A-Fa-f_]{16,}")
_MOST_BITS = 64
_AT = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


class Unreadable(Exception):
    """A file that does not get as far as being checked. Carries the one problem with it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = replace(problem, kind="unreadable")


def read_recipe(path: Path) -> tuple[Document, dict[str, Any]]:
    """The text and the tables of a recipe file. Raises Unreadable."""
    document = Document(str(path), read_text(path))
    return document, parse_recipe(document)


def parse_recipe(document: Document) -> dict[str, Any]:
    """The tables of a recipe text. Raises Unreadable."""
    import tomllib

    file = document.file
    if _DOTS.search(document.text):
        raise Unreadable(Problem(file, f"keys are nested more than {MOST_DEPTH} levels deep"))
    try:
        tables = tomllib.loads(document.text)
    except RecursionError:
        raise Unreadable(Problem(file, f"tables are nested more than {MOST_DEPTH} levels deep")) from None
    except ValueError as error:
        raise Unreadable(_not_toml(file, str(error))) from error
    if _deeper_than(tables, MOST_DEPTH):
        raise Unreadable(Problem(file, f"tables are nested more than {MOST_DEPTH} levels deep"))
    if _LONG_NUMBER.search(document.text):
        for key in _numbers_too_large(tables, ()):
            raise Unreadable(document.problem(key, f"is a number of more than {_MOST_BITS} bits"))
    return tables


def read_text(path: Path, kind: str = "recipe") -> str:
    """The text of a recipe file, or of another kind of ours, lines ending in \\n. Raises Unreadable."""
    return decode_text(str(path), read_bytes(path, kind))


def read_bytes(path: Path, kind: str = "recipe") -> bytes:
    """The bytes of such a file, never more than it may have, also when it grows meanwhile. Raises Unreadable."""
    file = str(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise Unreadable(Problem(file, f"is a folder, not a {kind} file"))
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(Problem(file, "is not a regular file"))
        data = b""
        if status.st_size <= MOST_BYTES:
            with path.open("rb") as opened:
                data = opened.read(MOST_BYTES + 1)
        if max(status.st_size, len(data)) > MOST_BYTES:
            size = max(status.st_size, len(data))
            raise Unreadable(Problem(file, f"is {size:,} bytes long; a {kind} file has at most {MOST_BYTES:,}"))
    except FileNotFoundError:
        raise Unreadable(Problem(file, "there is no such file")) from None
    except OSError as error:
        raise Unreadable(Problem(file, f"cannot be read: {reason(error)}")) from error
    return data


def reason(error: OSError | RuntimeError) -> str:
    """Why the system refused, for the middle of a sentence: without the number and the path."""
    text = getattr(error, "strerror", None) or str(error)
    return f"{text[:1].lower()}{text[1:]}"


def decode_text(file: str, data: bytes) -> str:
    """The text that the bytes of a recipe mean, lines ending in \\n. Raises Unreadable."""
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(Problem(file, "is not UTF-8 text", line=line)) from None


def _not_toml(file: str, message: str) -> Problem:
    place = _AT.search(message)
    text = _AT.sub("", message)
    shown = f"is not TOML: {text[:1].lower()}{text[1:200]}"
    if place is None or place[1] is None:
        return Problem(file, shown + (" at the end of the file" if place else ""))
    return Problem(file, shown, line=int(place[1]), column=int(place[2]))


def _numbers_too_large(value: object, key: Key) -> Iterator[Key]:
    """Python refuses to write such numbers in digits, so no message could be made of them."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        yield key
    elif isinstance(value, (dict, list)):
        for inner, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers_too_large(item, (*key, inner))


def _deeper_than(value: object, limit: int) -> bool:
    level: list[object] = [value]
    for _ in range(limit + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
