"""The schema of recipes: what editors for TOML understand, with a text for every key."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llamaexit.recipes import model
from llamaexit.recipes.docstrings import field_texts
from llamaexit.recipes.pack import recipe_folder
from llamaexit.report.schema import schema_of

BEYOND_DRAFT_7 = {
    "$defs", "$dynamicRef", "prefixItems", "unevaluatedProperties", "dependentRequired", "dependentSchemas",
    "minContains",
}  # fmt: skip
CLASSES = [cls for cls in vars(model).values() if is_dataclass(cls)]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return schema_of("recipe")


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every table in a schema."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from parts(inner)


def problems(schema: dict[str, Any], recipe: dict[str, Any]) -> list[str]:
    """What a validator for draft 7 says, dates as text, in the way TOML editors hand them over."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return value.isoformat() if isinstance(value, dt.date) else value

    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(plain(recipe))]


def test_it_is_a_schema_of_draft_7_and_uses_nothing_newer(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(schema)
    assert BEYOND_DRAFT_7.isdisjoint(key for part in parts(schema) for key in part)


def test_nothing_stands_beside_a_reference_where_editors_would_not_read_it(schema: dict[str, Any]) -> None:
    assert [part for part in parts(schema) if "$ref" in part and len(part) > 1] == []


def test_toml_has_no_null_and_so_has_the_schema(schema: dict[str, Any]) -> None:
    assert [part for part in parts(schema) if part.get("type") == "null" or "anyOf" in part] == []


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_key_says_what_it_is(schema: dict[str, Any], cls: type) -> None:
    table = schema if cls is model.Recipe else schema["definitions"][cls.__name__]
    assert table["description"]
    assert set(table["properties"]) == {model.kebab(field.name) for field in fields(cls)}
    for key, field in table["properties"].items():
        reference = field.get("$ref", "").rpartition("/")[2]
        assert schema["definitions"][reference]["description"] if reference else field["description"], key
        assert field_texts()[cls.__name__][key].endswith((".", "…", "`")), key


def test_elements_of_a_list_say_what_the_list_is_where_they_are_nothing_of_their_own(schema: dict[str, Any]) -> None:
    lists = [part for part in parts(schema) if part.get("type") == "array" and "description" in part]
    assert lists
    for one in lists:
        assert "$ref" in one["items"] or one["items"]["description"] == one["description"]


@pytest.mark.parametrize("path", sorted(recipe_folder().glob("*.toml")), ids=lambda path: path.stem)
def test_builtin_recipes_fit_it(schema: dict[str, Any], path: Path) -> None:
    assert problems(schema, tomllib.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sumary = 1", "'sumary' was unexpected"),
        ("[[rules]]\nid = 'x'\nuse = 'chatt'", "'chatt' is not one of"),
        ("[[rules]]\nuse = 'chat'", "'id' is a required property"),
        ("[policy]\nmin-context = 'x'", "'x' is not of type 'integer'"),
        ("[policy]\nmin_context = 1", "'min_context' was unexpected"),
        ("[licences.own]\nname = 'x'", "'summary' is a required property"),
        (
            "[[examples]]\ntitle = 't'\nhost = { ram = '1GiB' }\nmodels = [{ name = 'a', expect = { action = 'x' } }]",
            "'x'",
        ),
    ],
)
def test_what_the_language_does_not_have_is_marked(schema: dict[str, Any], text: str, said: str) -> None:
    (problem,) = problems(schema, tomllib.loads(f"schema = 1\nname = 'x'\n{text}\n"))
    assert said in problem
