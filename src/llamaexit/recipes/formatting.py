"""One way to write a recipe: keys and tables in the order of the reference, hyphens in keys, few empty lines.

Comments stay with what they stand above. What a recipe says is never changed: the result is read again and compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from llamaexit.errors import RecipeError
from llamaexit.recipes.decode import NESTED
from llamaexit.recipes.model import Recipe, kebab
from llamaexit.recipes.positions import Key, find_headers
from llamaexit.recipes.problems import Document
from llamaexit.recipes.read import Unreadable, parse_recipe

if TYPE_CHECKING:
    from tomlkit.items import Item

DIRECTIVE = "#:schema"
"""Comment by which editors find the schema of a file. It has to be the first thing in it."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BETWEEN = re.compile(r"(?:[\s,]|#[^\n]*)*")
"""What stands between the elements of an array."""
_DOTTED = re.compile(r"""\.[ \t]*[A-Za-z0-9_"'-]+[ \t]*=""")
_MOST_DOTTED = 2000
"""Keys of several parts. The parser that keeps comments takes quadratic time for them: minutes for a megabyte."""
_LAST = 10_000
"""Rank of keys the language does not have: behind all others, in the order they are written in."""


@dataclass(slots=True)
class _Entry:
    """A key with its value. above: comments over it, with empty lines where there are some between them."""

    name: str
    text: str
    above: list[str]


@dataclass(slots=True)
class _Section:
    """A table as it is written. below: comments at its end that are about nothing in particular."""

    table: Key
    above: list[str]
    header: str = ""
    entries: list[_Entry] = field(default_factory=list)
    below: list[str] = field(default_factory=list)


def format_recipe(text: str, file: str) -> str:
    """The text of a recipe in the one way to write it; lines end as in the text. Raises RecipeError for no TOML."""
    windows = "\r\n" in text
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        before = parse_recipe(Document(file, plain))
        if sum(1 for _ in _DOTTED.finditer(plain)) > _MOST_DOTTED:
            raise RecipeError(f"{file}: has too many dotted keys to be formatted", hint="write tables instead")
        made = _written(_sections(plain))
        after = parse_recipe(Document(file, made))
    except Unreadable as error:
        raise RecipeError(str(error.problem), problems=(str(error.problem),)) from error
    if _alike(_Level(Recipe), before) != _alike(_Level(Recipe), after):
        raise RecipeError(f"{file}: cannot be formatted without changing what it says", hint="please report it")
    return made.replace("\n", "\r\n") if windows else made


# -- reading ----------------------------------------------------------------------------------------------------------


def _sections(text: str) -> list[_Section]:
    """The tables of a text in its order, the nameless one at the top first."""
    headers = find_headers(text)
    ends = [header.start for header in headers] + [len(text)]
    top = _Section((), [])
    above = _read_body(text[: ends[0]], top, last=not headers)
    sections = [top]
    for header, end in zip(headers, ends[1:], strict=True):
        newline = text.find("\n", header.end, end)
        newline = end if newline < 0 else newline
        section = _Section(header.table, above, _header(header.table, text[header.start : header.end]))
        section.header += _remark(text[header.end : newline])
        above = _read_body(text[newline + 1 : end], section, last=end == len(text))
        sections.append(section)
    return sections


def _header(table: Key, written: str) -> str:
    names = ".".join(_spelled(part, level.cls) for part, level in _levels(table) if isinstance(part, str))
    return f"[[{names}]]" if written.startswith("[[") else f"[{names}]"


def _read_body(text: str, section: _Section, *, last: bool) -> list[str]:
    """Fill a section with the keys and comments below its header; the comments that belong to the next header."""
    import tomlkit
    from tomlkit.items import Comment, Whitespace

    level = _level_of(section.table)
    above: list[str] = []
    for key, item in tomlkit.parse(text).body:
        if isinstance(item, Comment):
            above.append(item.trivia.comment.rstrip())
        elif isinstance(item, Whitespace):
            above += [""] * min(1, item.as_string().count("\n"))
        elif key is not None:
            for path, value in _flat([key.key], [key.as_string().strip()], item):
                section.entries.append(_Entry(path[0], _line(path, value, level), above))
                above = []
    # what stands right above a header is about it; what an empty line parts from it is not
    cut = len(above)
    while not last and cut > 0 and above[cut - 1]:
        cut -= 1
    section.below = _trimmed(above[:cut])
    return above[cut:]


def _flat(names: list[str], written: list[str], item: Item) -> Iterator[tuple[list[str], Item]]:
    """A key and its value; of dotted keys (`a.b = 1`), which tomlkit makes tables of, each by itself."""
    from tomlkit.items import Table

    if not isinstance(item, Table):
        yield written, item
        return
    for key, inner in item.value.body:
        if key is not None:
            yield from _flat([*names, key.key], [*written, key.as_string().strip()], inner)


# -- writing ----------------------------------------------------------------------------------------------------------


def _written(sections: list[_Section]) -> str:
    top = sections[0]
    directives, head = _head_of(top, sections[1] if len(sections) > 1 else None)
    lines = [*directives, *head]
    first_seen: dict[Key, int] = {}
    for section in sections:
        for end in range(1, len(section.table) + 1):
            first_seen.setdefault(section.table[:end], len(first_seen))
    for section in sorted(sections, key=lambda section: _rank(section.table, first_seen)):
        if section.header:
            lines += ([""] if lines and lines[-1] else []) + _trimmed(section.above) + [section.header]
        elif head and (section.entries or section.below):
            lines.append("")
        lines += _body(section)
    return "".join(f"{line}\n" for line in _trimmed(lines))


def _head_of(top: _Section, second: _Section | None) -> tuple[list[str], list[str]]:
    """What is said about the file as a whole: directives, and the comments that an empty line parts from the rest."""
    holder = top.entries[0].above if top.entries else top.below if top.below else second.above if second else top.below
    cut = 0
    if top.entries:
        cut = max((number + 1 for number, line in enumerate(holder) if not line), default=0)
    elif holder is top.below:
        cut = len(holder)
    head, holder[:cut] = _trimmed(holder[:cut]), []
    directives = [line for line in (*head, *holder) if line.startswith(DIRECTIVE)]
    holder[:] = [line for line in holder if not line.startswith(DIRECTIVE)]
    return directives, _trimmed([line for line in head if not line.startswith(DIRECTIVE)])


def _body(section: _Section) -> list[str]:
    """The keys of a table in their order, with the comments above them, and those at its end."""
    cls = _level_of(section.table).cls
    ranked = sorted(section.entries, key=lambda entry: _field_rank(entry.name, cls))
    lines: list[str] = []
    for entry in ranked:
        above = _squeezed(entry.above if any(entry.above) else [])
        lines += (above if lines else _trimmed(above, end=False)) + [entry.text]
    if section.below:
        lines += ([""] if lines else []) + _squeezed(section.below) + [""]
    return lines


def _line(path: list[str], item: Item, level: _Level) -> str:
    names = []
    for part in path:
        names.append(_spelled(part, level.cls))
        level = level.below(part)
    return f"{'.'.join(names)} = {_value(item, level)}{_remark(item.trivia.comment)}"


def _value(item: Item, level: _Level) -> str:
    """A value as it is written, inline tables in it with their keys in order."""
    import tomlkit
    from tomlkit.items import Array, InlineTable

    if isinstance(item, InlineTable):
        entries = [(key, value) for key, value in item.value.body if key is not None]
        entries.sort(key=lambda entry: _field_rank(entry[0].key, level.cls))
        inside = [
            _line(path, inner, level)
            for key, value in entries
            for path, inner in _flat([key.key], [key.as_string().strip()], value)
        ]
        return f"{{ {', '.join(inside)} }}" if inside else "{}"
    text = item.as_string()
    if not isinstance(item, Array):
        return text
    at, parts = len("["), ["["]
    for element in item:
        # each element is taken off in its turn: a comment or a text before it may well read like it
        gap = _BETWEEN.match(text, at)
        assert gap is not None
        old = tomlkit.item(element).as_string().strip()  # before 0.15, arrays give out plain true and false
        if not text.startswith(old, gap.end()):
            return text
        parts += [gap[0], _value(element, level) if isinstance(element, Array | InlineTable) else old]
        at = gap.end() + len(old)
    return "".join([*parts, text[at:]])


def _remark(text: str) -> str:
    comment = text.strip()
    return f"  {comment}" if comment else ""


def _squeezed(lines: list[str]) -> list[str]:
    """Lines with one empty line where there are several."""
    return [line for number, line in enumerate(lines) if line or number == 0 or lines[number - 1]]


def _trimmed(lines: Iterable[str], *, end: bool = True) -> list[str]:
    """Lines without empty ones at the beginning and, unless that is to stay, at the end; and one for several."""
    kept = _squeezed(list(lines))
    while kept and not kept[0]:
        kept.pop(0)
    while end and kept and not kept[-1]:
        kept.pop()
    return kept


# -- the order of things ----------------------------------------------------------------------------------------------


class _Level(NamedTuple):
    """What the language says about one table: the class of its keys, None where these are the author's.

    inside: the class of all its values, where it maps names of the author's choice to tables of one kind.
    """

    cls: type | None
    inside: type | None = None

    def below(self, name: str) -> _Level:
        """The table that a key of this one holds."""
        if self.inside is not None:
            return _Level(self.inside)
        field_name = _bare(name).replace("-", "_")
        kind, inner = NESTED.get(self.cls, {}).get(field_name, (None, None)) if self.cls is not None else (None, None)
        return _Level(None, inner) if kind == "map" else _Level(inner)


def _levels(table: Key) -> Iterator[tuple[str | int, _Level]]:
    """Each part of a key path, and the table that it is a key of. Numbers of elements stay at their level."""
    level = _Level(Recipe)
    for part in table:
        yield part, level
        level = level.below(part) if isinstance(part, str) else level


def _level_of(table: Key) -> _Level:
    """What the language says about the table at a key path."""
    level = _Level(Recipe)
    for part in table:
        level = level.below(part) if isinstance(part, str) else level
    return level


def _bare(name: str) -> str:
    return name.strip("\"'") if name[:1] in ("'", '"') else name


@cache
def _names(cls: type | None) -> list[str]:
    """The keys of a table in their order: as they are declared, but what is expected comes after what is given."""
    names = [kebab(one.name) for one in fields(cls)] if cls is not None else []
    return sorted(names, key=lambda name: name == "expect")


def _spelled(text: str, cls: type | None) -> str:
    """A key as it is to be written: of the language with hyphens and without quotes, others as they are."""
    bare = _bare(text)
    if kebab(bare) in _names(cls):
        return kebab(bare)
    if text != bare or _BARE.fullmatch(text):
        return text
    import tomlkit

    return tomlkit.key(text).as_string()


def _field_rank(name: str, cls: type | None) -> int:
    names, known = _names(cls), kebab(_bare(name))
    return names.index(known) if known in names else _LAST


def _rank(table: Key, first_seen: dict[Key, int]) -> tuple[tuple[int, int], ...]:
    """What tables are sorted by: the order of the language, then that of the file."""
    ranks = []
    for number, (part, level) in enumerate(_levels(table)):
        rank = part if isinstance(part, int) else _field_rank(part, level.cls)
        ranks.append((rank, first_seen[table[: number + 1]]))
    return tuple(ranks)


def _alike(level: _Level, value: Any) -> Any:
    """What a table says, however its keys are spelled and ordered."""
    if isinstance(value, list):
        return [_alike(level, item) for item in value]
    if not isinstance(value, dict):
        return str(value) if isinstance(value, float) else value  # nan is not equal to itself
    names = _names(level.cls)
    return {kebab(key) if kebab(key) in names else key: _alike(level.below(key), item) for key, item in value.items()}
