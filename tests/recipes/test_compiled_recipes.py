"""The compiled form of the built-in recipes: equal to the TOML, and only trusted where it may be."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

from llamaexit.recipes import model
from llamaexit.recipes.compile import FILE_NAME, compile_folder, digest_of
from llamaexit.recipes.decode import NESTED, decode, field_names
from llamaexit.recipes.library import Library
from llamaexit.recipes.pack import CHECKOUT, PACKAGED, Pack, load_pack, recipe_folder
from llamaexit.recipes.read import read_recipe
from llamaexit.recipes.validate import validate

RECIPE = """schema = 1
name = "one"
version = "1"
summary = "A recipe for a test"
checked = 2026-11-23

[[rules]]
id = "chat/x"
use = "chat"
targets = [{ model = "qwen3:8b" }]

[[models]]
name = "qwen3:8b"
family = "qwen"
vendor = "Somebody"
licence = "MIT"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with one recipe, as a source checkout has it."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "one.toml").write_text(RECIPE, encoding="utf-8")
    return folder


def vendor(pack: Pack) -> str:
    return pack.target(0).vendor


def test_the_compiled_form_says_what_the_toml_says(library: Library) -> None:
    """Field by field, through the two ways a recipe can come: compiled and decoded, or validated from its text."""
    for path in sorted(recipe_folder().glob("*.toml")):
        document, tables = read_recipe(path)
        recipe = validate(document, tables).recipe
        assert recipe is not None
        for origin in recipe.origins:
            assert library.origin(origin.name) == origin
        for target in recipe.models:
            assert library.target(target.name) == (target, None)
        for rule in recipe.rules:
            bound = library.rule(rule.id)
            assert bound is not None
            assert bound.rule == rule
        for closed in recipe.closed:
            assert library.closed(closed.match[0].replace("*", "")) == closed
        for code, text in recipe.caveats.items():
            assert library.caveat(code) == text
        assert dict(recipe.licences).items() <= dict(library.licences).items()
        assert dict(recipe.sources).items() <= dict(library.sources).items()


@pytest.mark.skipif(not (PACKAGED / FILE_NAME).is_file(), reason="the recipes of this checkout are not compiled")
def test_the_compiled_file_of_this_installation_is_up_to_date() -> None:
    compiled = Pack((PACKAGED / FILE_NAME).read_bytes())
    assert compiled.files == {
        path.name: digest_of(path.read_bytes()) for path in sorted(recipe_folder().glob("*.toml"))
    }


def test_dates_come_through_the_compiled_form(checkout: Path, tmp_path: Path) -> None:
    text = RECIPE.replace("[[rules]]", "deprecated = { since = 2026-11-01 }\n[[rules]]")
    text = text.replace("[[models]]", "deprecated = { until = 2027-02-01 }\n[[models]]")
    (checkout / "one.toml").write_text(text, encoding="utf-8")
    library = Library(load_pack(tmp_path / "none", checkout))
    assert library.loaded[0].deprecated == model.Deprecation(since=dt.date(2026, 11, 1))
    assert library.rules[0].rule.deprecated == model.Deprecation(until=dt.date(2027, 2, 1))


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert compile_folder(recipe_folder()) == compile_folder(recipe_folder())


def test_a_checkout_without_a_compiled_file_reads_the_toml(checkout: Path, tmp_path: Path) -> None:
    assert vendor(load_pack(tmp_path / "none", checkout)) == "Somebody"


def test_a_checkout_uses_the_compiled_file_while_it_is_up_to_date(checkout: Path, tmp_path: Path) -> None:
    changed = compile_folder(checkout).replace(b'"Somebody"', b'"Compiled"')
    (tmp_path / FILE_NAME).write_bytes(changed)
    assert vendor(load_pack(tmp_path, checkout)) == "Compiled"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: (folder / "one.toml").write_text(RECIPE + "\n"), id="a file was edited"),
        pytest.param(
            lambda folder: (folder / "two.toml").write_text(
                'schema = 1\nname = "two"\nversion = "1"\nsummary = "x"\nchecked = 2026-01-01\n'
            ),
            id="a file was added",
        ),
    ],
)
def test_a_checkout_whose_toml_has_changed_reads_the_toml(checkout: Path, tmp_path: Path, change) -> None:
    changed = compile_folder(checkout).replace(b'"Somebody"', b'"Compiled"')
    (tmp_path / FILE_NAME).write_bytes(changed)
    change(checkout)
    assert vendor(load_pack(tmp_path, checkout)) == "Somebody"


def test_a_checkout_that_was_compiled_by_older_code_reads_the_toml(checkout: Path, tmp_path: Path) -> None:
    header, _, rest = compile_folder(checkout).replace(b'"Somebody"', b'"Compiled"').partition(b"\n")
    (tmp_path / FILE_NAME).write_bytes(json.dumps({**json.loads(header), "format": 1}).encode() + b"\n" + rest)
    assert vendor(load_pack(tmp_path, checkout)) == "Somebody"


def test_line_endings_of_a_windows_checkout_do_not_count_as_a_change(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(compile_folder(checkout).replace(b'"Somebody"', b'"Compiled"'))
    (checkout / "one.toml").write_bytes(RECIPE.replace("\n", "\r\n").encode())
    assert vendor(load_pack(tmp_path, checkout)) == "Compiled"


def test_an_installed_package_takes_its_compiled_file_as_built(checkout: Path, tmp_path: Path) -> None:
    (checkout / FILE_NAME).write_bytes(compile_folder(checkout).replace(b'"Somebody"', b'"Compiled"'))
    (checkout / "one.toml").write_text(RECIPE + "\n", encoding="utf-8")
    assert vendor(load_pack(packaged=checkout, checkout=tmp_path / "none")) == "Compiled"


def test_a_compiled_file_of_another_format_is_refused(checkout: Path) -> None:
    header, _, rest = compile_folder(checkout).partition(b"\n")
    other = json.dumps({**json.loads(header), "format": 99}).encode() + b"\n" + rest
    with pytest.raises(ValueError, match="format 99"):
        Pack(other)


def test_the_builtin_path_imports_neither_pydantic_nor_a_toml_parser() -> None:
    if not (PACKAGED / FILE_NAME).is_file():
        pytest.skip("the recipes of this checkout are not compiled")
    code = (
        "import sys; from llamaexit.recipes.load import load_library; load_library().target('qwen3:8b');"
        "print(sorted({'pydantic', 'tomllib', 'difflib', 'packaging', 'inspect'} & set(sys.modules) - {'inspect'}))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_table_of_nested_fields_agrees_with_the_types() -> None:
    classes = [cls for cls in vars(model).values() if is_dataclass(cls)]
    assert len(classes) == 24
    for cls in classes:
        hints = get_type_hints(cls)
        found = {}
        for field in fields(cls):
            hint = hints[field.name]
            inner = [part for part in (hint, *get_args(hint)) if is_dataclass(part)]
            if inner:
                kind = {tuple: "many", dict: "map"}.get(get_origin(hint), "one")
                found[field.name] = (kind, inner[0])
        assert NESTED.get(cls, {}) == found, cls.__name__


def test_names_chosen_by_an_author_are_not_renamed() -> None:
    table = {"licences": {"my-own": {"name": "x", "summary": "y", "open-source": True}}, "caveats": {"A-B": "text"}}
    recipe = decode(model.Recipe, {"schema": 1, "name": "x", **field_names(model.Recipe, table)})
    assert recipe.licences["my-own"].open_source
    assert recipe.caveats == {"A-B": "text"}


def test_the_recipes_of_a_checkout_are_found() -> None:
    assert (recipe_folder() / "llama.toml").is_file()
    assert recipe_folder() in (CHECKOUT, PACKAGED)
