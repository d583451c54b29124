"""Finding the line and column of a key."""

from __future__ import annotations

import tomllib

import pytest

from llamaexit.recipes.pack import recipe_folder
from llamaexit.recipes.positions import Key, find_places

TEXT = '''# a comment with [brackets] and "quotes"
name = "x" # and another
"quoted key" = 1
'literal' = 2
"esc\\"aped" = 3
dotted.key . path = 4
text = """
[not.a.table]
key = "no"
"""
other = \'\'\'
also = no\'\'\'
when = 1979-05-27 07:32:00
list = [1, # one
  "two]", { three = 3, four = [4] },
]

[table]
inside = true
[table.sub]
  deep = 1

[[array]]
first = 1
[[array]]
second = 2
  [[array.nested]]
  x = 1
  [[array.nested]]
  y = { z = "}" }
  [array.nested.table]
  w = 0
[array.plain]
v = 0
'''


@pytest.mark.parametrize(
    ("key", "place"),
    [
        (("name",), (2, 1)),
        (("quoted key",), (3, 1)),
        (("literal",), (4, 1)),
        (('esc"aped',), (5, 1)),
        (("dotted",), (6, 1)),
        (("dotted", "key"), (6, 8)),
        (("dotted", "key", "path"), (6, 14)),
        (("text",), (7, 1)),
        (("other",), (11, 1)),
        (("when",), (13, 1)),
        (("list",), (14, 1)),
        (("list", 0), (14, 9)),
        (("list", 1), (15, 3)),
        (("list", 2, "three"), (15, 13)),
        (("list", 2, "four", 0), (15, 32)),
        (("table",), (18, 1)),
        (("table", "inside"), (19, 1)),
        (("table", "sub"), (20, 1)),
        (("table", "sub", "deep"), (21, 3)),
        (("array",), (23, 1)),
        (("array", 0), (23, 1)),
        (("array", 0, "first"), (24, 1)),
        (("array", 1), (25, 1)),
        (("array", 1, "second"), (26, 1)),
        (("array", 1, "nested", 0, "x"), (28, 3)),
        (("array", 1, "nested", 1), (29, 3)),
        (("array", 1, "nested", 1, "y", "z"), (30, 9)),
        (("array", 1, "nested", 1, "table", "w"), (32, 3)),
        (("array", 1, "plain", "v"), (34, 1)),
    ],
)
def test_a_key_is_found_where_it_stands(key: Key, place: tuple[int, int]) -> None:
    assert find_places(TEXT)[key] == place


def keys_of(value: object, key: Key = ()) -> set[Key]:
    """Every key path of a parsed document."""
    found = {key} if key else set()
    if isinstance(value, dict):
        for name, inner in value.items():
            found |= keys_of(inner, (*key, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found |= keys_of(inner, (*key, number))
    return found


@pytest.mark.parametrize(
    "text", [TEXT, *(path.read_text(encoding="utf-8") for path in sorted(recipe_folder().glob("*.toml")))]
)
def test_every_key_of_a_document_has_a_place(text: str) -> None:
    assert keys_of(tomllib.loads(text)) == set(find_places(text))


def test_a_text_that_is_no_toml_gives_what_was_found_before_it() -> None:
    assert find_places("a = 1\nb = = 2\n") == {("a",): (1, 1), ("b",): (2, 1)}
