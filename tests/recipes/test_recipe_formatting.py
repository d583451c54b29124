"""Formatting recipes: one form, comments where they belong, and never another meaning."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaexit.errors import RecipeError
from llamaexit.recipes import formatting, model
from llamaexit.recipes.formatting import format_recipe
from llamaexit.recipes.pack import recipe_folder
from llamaexit.recipes.positions import find_headers

BEFORE = """\
# head

#:schema x
name = "t" # the name
# about schema
schema = 1

requires_ollama = ">=1"
deprecated.until = 2027-01-01
deprecated."replaced-by" = "y"



[[models]]
vendor = "v"
name = "m"
  family='f'

# about rule a
[[rules]] # first
use = "chat"
id = "a"

  # targets
  [[rules.targets]]
  why = "x"
  model = "x"

# loose

# about policy
[policy]
max_download = "1"
# end of policy

[[rules]]
id = "b"
use = "chat"
targets = [
  { why = "z", model = "y", accept_loss = ["tools"] }, # comment
  # other
  { model = "w" },
]
[licences."my own"]
summary = "s"
name = "n"
# last
"""
AFTER = """\
#:schema x
# head

# about schema
schema = 1
name = "t"  # the name
requires-ollama = ">=1"
deprecated.until = 2027-01-01
deprecated.replaced-by = "y"

# about policy
[policy]
max-download = "1"

# end of policy

# about rule a
[[rules]]  # first
id = "a"
use = "chat"

# targets
[[rules.targets]]
model = "x"
why = "x"

# loose

[[rules]]
id = "b"
use = "chat"
targets = [
  { model = "y", why = "z", accept-loss = ["tools"] }, # comment
  # other
  { model = "w" },
]

[[models]]
name = "m"
family = 'f'
vendor = "v"

[licences."my own"]
name = "n"
summary = "s"

# last
"""
HEAD = 'schema = 1\nname = "t"\n'


def formatted(text: str) -> str:
    """The formatted text; formatting it once more changes nothing."""
    made = format_recipe(text, "t.toml")
    assert format_recipe(made, "t.toml") == made
    return made


def comments(text: str) -> list[str]:
    """Whole-line comments and remarks of a text that has no # in strings."""
    return sorted(line[line.index("#") :].strip() for line in text.splitlines() if "#" in line)


def belonging(text: str) -> list[tuple[str, str]]:
    """Comments that stand right above a key or a header, each with what it is about."""
    below = re.findall(r"^ *(#.*)\n *([\w-]+ =|\[+[\w.]+\]+)", text, re.MULTILINE)
    return [(comment, model.kebab(what) if "=" in what else what) for comment, what in below]


def test_a_recipe_is_put_into_one_form() -> None:
    assert formatted(BEFORE) == AFTER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", "", id="nothing below the head"),
        pytest.param("\n\n\n", "", id="empty lines at the end"),
        pytest.param("# why\nversion = '1'\n", "# why\nversion = '1'\n", id="a comment above a key stays above it"),
        pytest.param(
            "version = '1'\n\n# part two\n\nsummary = 's'\n",
            "version = '1'\n\n# part two\n\nsummary = 's'\n",
            id="a comment with empty lines around it keeps them",
        ),
        pytest.param("version = '1'\n\nsummary = 's'\n", "version = '1'\nsummary = 's'\n", id="keys stand together"),
        pytest.param(
            "zzz = 1\nversion = '1'\naaa = 2\n", "version = '1'\nzzz = 1\naaa = 2\n", id="unknown keys go last"
        ),
        pytest.param("b = inf\na = nan\n", "b = inf\na = nan\n", id="what is no number stays what it is"),
        pytest.param("'version' = '1'\n", "version = '1'\n", id="a key needs no quotes"),
        pytest.param(
            "[caveats]\nB_b = 'x'\nA = 'y'\n", "\n[caveats]\nB_b = 'x'\nA = 'y'\n", id="names of one's own stay"
        ),
        pytest.param(
            "[licences.my_own]\nopen_source = true\nname = 'n'\nsummary = 's'\n",
            "\n[licences.my_own]\nname = 'n'\nsummary = 's'\nopen-source = true\n",
            id="names of one's own stay, keys below them do not",
        ),
        pytest.param("[policy]\n# nothing yet\n", "\n[policy]\n# nothing yet\n", id="a table with a comment only"),
        pytest.param("[policy]", "\n[policy]\n", id="no newline at the end"),
        pytest.param(
            '[[rules]]\nid = """\n[[rules]]\n# no comment\n"""\nuse = "chat"\n',
            '\n[[rules]]\nid = """\n[[rules]]\n# no comment\n"""\nuse = "chat"\n',
            id="headers and comments in texts are none",
        ),
        pytest.param(
            "[policy.pins]\nb = 'x'\na = 'y'\n[policy]\nmin-context = 1\n",
            "\n[policy]\nmin-context = 1\n\n[policy.pins]\nb = 'x'\na = 'y'\n",
            id="a table comes before those in it",
        ),
        pytest.param(
            "[[rules]]\nid = 'a'\n[[models]]\nname = 'm'\n# of b\n[[rules]]\nid = 'b'\n[[rules.targets]]\n"
            "model = 'x'\n",
            "\n[[rules]]\nid = 'a'\n\n# of b\n[[rules]]\nid = 'b'\n\n[[rules.targets]]\nmodel = 'x'\n\n"
            "[[models]]\nname = 'm'\n",
            id="tables of one kind come together with their comments",
        ),
        pytest.param(
            "[[examples]]\nhost = { ollama = '1', ram = '8GiB' }\ntitle = 't'\nmodels = [{ expect = { target = 'x', "
            "action = 'replace' }, name = 'a' }]\n",
            "\n[[examples]]\ntitle = 't'\nhost = { ram = '8GiB', ollama = '1' }\nmodels = [{ name = 'a', expect = "
            "{ action = 'replace', target = 'x' } }]\n",
            id="what is expected comes after what is given",
        ),
        pytest.param(
            "[[rules]]\nid = 'a'\n[[rules.smoke]]\nid = 's'\n[[rules.smoke.tools]]\n"
            "parameters = { b_b = 1, a = { z = 1 } }\nname = 't'\n",
            "\n[[rules]]\nid = 'a'\n\n[[rules.smoke]]\nid = 's'\n\n[[rules.smoke.tools]]\nname = 't'\n"
            "parameters = { b_b = 1, a = { z = 1 } }\n",
            id="tables the language says nothing about stay",
        ),
        pytest.param(
            "[[rules]]\nid = 'a'\ndeprecated = { reason = 'r', since = 2026-01-01 }\n",
            "\n[[rules]]\nid = 'a'\ndeprecated = { since = 2026-01-01, reason = 'r' }\n",
            id="inline tables have an order, too",
        ),
        pytest.param(
            "[[rules]]\nid = 'a'\ntargets = [\n  # { why = 'z', model = 'y' },\n  { why = 'z', model = 'y' },\n]\n",
            "\n[[rules]]\nid = 'a'\ntargets = [\n  # { why = 'z', model = 'y' },\n  { model = 'y', why = 'z' },\n]\n",
            id="what is commented out stays as it is",
        ),
        pytest.param(
            "[[rules]]\nid = 'a'\ntargets = [ '{ why = 1, model = 2 }', { why = 1, model = 2 }, [ {}, [] ] ]\n",
            "\n[[rules]]\nid = 'a'\ntargets = [ '{ why = 1, model = 2 }', { model = 2, why = 1 }, [ {}, [] ] ]\n",
            id="a text that reads like the table after it stays as it is",
        ),
        pytest.param(
            "licences = { summary = { summary = 's', name = 'n' }, a_b = { open_source = true, name = 'n' } }\n",
            "licences = { summary = { name = 'n', summary = 's' }, a_b = { name = 'n', open-source = true } }\n",
            id="names of one's own that look like keys stay where they are",
        ),
        pytest.param(
            "licences.name.summary = 's'\nlicences.name.open_source = true\n",
            "licences.name.summary = 's'\nlicences.name.open-source = true\n",
            id="dotted keys below names of one's own",
        ),
    ],
)
def test_what_formatting_does_to(before: str, after: str) -> None:
    assert formatted(HEAD + before) == HEAD + after


def test_a_directive_for_editors_comes_first() -> None:
    assert formatted("# title\n#:schema ./x.json\nschema = 1\n") == "#:schema ./x.json\n# title\nschema = 1\n"
    assert formatted("#:schema ./x.json\n\n[policy]\n") == "#:schema ./x.json\n\n[policy]\n"
    assert formatted("# about it\n\n# of the policy\n[policy]\n") == "# about it\n\n# of the policy\n[policy]\n"


def test_a_file_of_comments_is_left_to_be_one() -> None:
    assert formatted("# a\n\n\n# b\n") == "# a\n\n# b\n"


def test_lines_end_as_they_did() -> None:
    text = BEFORE.replace("\n", "\r\n")
    assert format_recipe(text, "t.toml") == AFTER.replace("\n", "\r\n")


def test_a_mark_at_the_beginning_goes() -> None:
    assert format_recipe("\ufeff" + HEAD, "t.toml") == HEAD


@pytest.mark.parametrize("text", ["a = = 1", "a = 1\na = 2", "a = " + "[" * 500, "a." * 5000 + "a = 1"])
def test_what_is_no_toml_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(RecipeError, match=r"^t\.toml"):
        format_recipe(text, "t.toml")


def test_what_would_come_out_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "_written", lambda sections: "schema = 2\n")
    with pytest.raises(RecipeError, match="cannot be formatted without changing what it says"):
        format_recipe(HEAD, "t.toml")


@pytest.mark.parametrize("path", sorted(recipe_folder().glob("*.toml")), ids=lambda path: path.stem)
def test_builtin_recipes_say_the_same_when_they_are_formatted(path) -> None:
    text = path.read_text(encoding="utf-8")
    made = formatted(text)
    assert tomllib.loads(made) == tomllib.loads(text)
    assert [line for line in made.splitlines() if line.startswith("#")] == [
        line for line in text.splitlines() if line.startswith("#")
    ]


def test_headers_are_found_with_the_tables_they_open() -> None:
    text = "a = 1\n[b]\n[[c]] # x\n[[c.d]]\n[[c]]\n[[c.d]]\n['e f'.g]\n"
    headers = find_headers(text)
    assert [header.table for header in headers] == [
        ("b",), ("c", 0), ("c", 0, "d", 0), ("c", 1), ("c", 1, "d", 0), ("e f", "g"),
    ]  # fmt: skip
    assert [text[header.start : header.end] for header in headers] == [
        "[b]", "[[c]]", "[[c.d]]", "[[c]]", "[[c.d]]", "['e f'.g]",
    ]  # fmt: skip


WORDS = st.sampled_from(["x", "y z", "a-b", "[x]", "é", "'", '"', ""])
SCALARS = st.one_of(WORDS, st.integers(-5, 5), st.booleans())
COMMENTS = st.lists(st.sampled_from(["# one", "#two", "", "# three = 3", "", "# [four]"]), max_size=4)


def keys(cls: type) -> st.SearchStrategy[str]:
    """Keys of a table: those of the language, also with underscores, and others."""
    known = [field.name for field in fields(cls) if field.name not in ("smoke", "targets", "rules", "models")]
    return st.sampled_from([*known, *map(model.kebab, known), "zzz", "own_key"])


@st.composite
def bodies(draw: st.DrawFn, cls: type) -> list[str]:
    """Lines of a table: keys in any order, comments and empty lines between them, remarks behind some."""
    lines = []
    for name in {model.kebab(key): key for key in draw(st.lists(keys(cls), max_size=6))}.values():
        lines += draw(COMMENTS)
        value = json.dumps(draw(SCALARS), ensure_ascii=False)
        table = f"{{ value = {value}, benchmark = 1 }}"
        arrays = [f"[ {value},\n  # inside\n  {value} ]", f"[\n  # {table},\n  {table}, # {value}\n]"]
        value = draw(st.sampled_from([value, table, *arrays]))
        lines.append(draw(st.sampled_from(["", "  "])) + f"{name} = {value}" + draw(st.sampled_from(["", " # why"])))
    return lines + draw(COMMENTS)


@st.composite
def recipes(draw: st.DrawFn) -> str:
    """Texts of recipes, as untidy as TOML allows."""
    lines = draw(bodies(model.Recipe))
    tables = [("[[rules]]", model.Rule), ("[[models]]", model.Target)]
    seen_rule = False
    for header, cls in draw(st.lists(st.sampled_from([*tables, ("[[rules.targets]]", model.Choice)]), max_size=6)):
        if header == "[[rules.targets]]" and not seen_rule:
            continue
        seen_rule = seen_rule or header == "[[rules]]"
        lines += [header + draw(st.sampled_from(["", "  # h"])), *draw(bodies(cls))]
    return "\n".join(lines)


@settings(max_examples=300)
@given(recipes())
def test_formatting_keeps_meaning_and_comments_and_is_done_once_and_for_all(text: str) -> None:
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a key that is a value at the top and a table below
    made = formatted(text)
    after = tomllib.loads(made)
    assert _hyphens(before) == _hyphens(after)
    assert comments(re.sub(r'"[^"\n]*"', "", text)) == comments(re.sub(r'"[^"\n]*"', "", made))
    assert Counter(belonging(text)) <= Counter(belonging(made))
    assert "\n\n\n" not in made and not made.startswith("\n")


def _hyphens(value: object) -> object:
    if isinstance(value, dict):
        return {key if key == "own_key" else key.replace("_", "-"): _hyphens(item) for key, item in value.items()}
    return [_hyphens(item) for item in value] if isinstance(value, list) else value
