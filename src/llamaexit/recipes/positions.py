"""Where each key of a TOML document stands. tomllib does not tell; people who have to fix a file want to know.

The text has been parsed before, so this follows the grammar without checking it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import NamedTuple

Key = tuple[str | int, ...]
"""A path into the document, array positions as numbers: ("rules", 2, "targets", 0, "model")."""
Place = tuple[int, int]
"""Line and column, both from 1."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{1,2})?' + r"|'''.*?'''(?:'{1,2})?" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'", re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}#\n]+")
_HEADER = re.compile(r"\[\[?")


def find_places(text: str) -> dict[Key, Place]:
    """The place of every table header, key and array element; as far as it gets in a text that is no TOML."""
    scanner = _Scanner(text)
    with suppress(_Lost, RecursionError):
        scanner.document()
    return scanner.places()


class Header(NamedTuple):
    """The header of a table: where it begins and ends in the text, and the key path of the table it opens."""

    start: int
    end: int
    table: Key


def find_headers(text: str) -> list[Header]:
    """The headers of a text, in its order; none of those that only stand in strings. For a text that is TOML."""
    scanner = _Scanner(text)
    with suppress(_Lost, RecursionError):
        scanner.document()
    return scanner.headers


class _Lost(Exception):
    """The text is not what the grammar promises here."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.offsets: dict[Key, int] = {}
        self.lengths: dict[Key, int] = {}
        """How many elements each array of tables has so far."""
        self.headers: list[Header] = []

    def places(self) -> dict[Key, Place]:
        """Offsets turned into lines and columns, in one walk over the text."""
        found: dict[Key, Place] = {}
        line, start, done = 1, 0, 0
        for key, offset in sorted(self.offsets.items(), key=lambda item: item[1]):
            line += self.text.count("\n", done, offset)
            start = self.text.rfind("\n", 0, offset) + 1
            done = offset
            found[key] = (line, offset - start + 1)
        return found

    def document(self) -> None:
        table: Key = ()
        while True:
            self._skip(_BLANK)
            if self.at >= len(self.text):
                return
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Key:
        start = self.at
        brackets = self._take(_HEADER)
        parts = [part for part, _ in self._key()]
        self._skip(_SPACE)
        self._expect("]" * len(brackets))
        table = self._enter(parts[:-1], start)
        if len(brackets) == 2:
            array = (*table, parts[-1])
            number = self.lengths.get(array, 0)
            self.lengths[array] = number + 1
            self._note(array, start)
            table = (*array, number)
        else:
            table = (*table, parts[-1])
        self._note(table, start)
        self.headers.append(Header(start, self.at, table))
        return table

    def _enter(self, parts: list[str], start: int) -> Key:
        """The table a header lies in: of every array of tables on the way, its newest element."""
        table: Key = ()
        for part in parts:
            table = (*table, part)
            self._note(table, start)
            if table in self.lengths:
                table = (*table, self.lengths[table] - 1)
        return table

    def _pair(self, table: Key) -> None:
        key = table
        for part, offset in self._key():
            key = (*key, part)
            self._note(key, offset)
        self._skip(_SPACE)
        self._expect("=")
        self._skip(_SPACE)
        self._value(key)

    def _key(self) -> list[tuple[str, int]]:
        parts = []
        while True:
            self._skip(_SPACE)
            start = self.at
            if self.text[start : start + 1] in ("'", '"'):
                parts.append((_plain(self._take(_STRING)), start))
            else:
                parts.append((self._take(_BARE), start))
            self._skip(_SPACE)
            if self.text[self.at : self.at + 1] != ".":
                return parts
            self.at += 1

    def _value(self, key: Key) -> None:
        first = self.text[self.at : self.at + 1]
        if first == "[":
            self._array(key)
        elif first == "{":
            self._inline_table(key)
        elif first in ("'", '"'):
            self._take(_STRING)
        else:
            self._take(_SCALAR)

    def _array(self, key: Key) -> None:
        self.at += 1
        number = 0
        while True:
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] == "]":
                self.at += 1
                return
            element = (*key, number)
            self._note(element, self.at)
            self._value(element)
            number += 1
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] == ",":
                self.at += 1

    def _inline_table(self, key: Key) -> None:
        self.at += 1
        while True:
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] == "}":
                self.at += 1
                return
            self._pair(key)
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] == ",":
                self.at += 1

    def _note(self, key: Key, offset: int) -> None:
        self.offsets.setdefault(key, offset)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None or match.end() == self.at:
            raise _Lost
        self.at = match.end()
        return match[0]

    def _expect(self, text: str) -> None:
        if not self.text.startswith(text, self.at):
            raise _Lost
        self.at += len(text)


def _plain(quoted: str) -> str:
    """A quoted key without its quotes; escapes are looked at only where there are any."""
    inner = quoted[1:-1]
    if quoted[0] == "'" or "\\" not in inner:
        return inner
    import tomllib

    value: str = tomllib.loads(f"key = {quoted}")["key"]
    return value
