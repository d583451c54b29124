"""Published JSON Schemas, generated from the very dataclasses that carry the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, assert_never

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Document = Literal["plan", "snapshot", "recipe"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FOR_EDITORS = "http://json-schema.org/draft-07/schema#"
"""What editors for TOML understand: Taplo documents draft 4, and its validator goes by draft 7."""


def schema_of(document: Document) -> dict[str, Any]:
    """The JSON Schema of a document, as it may be read: keys with a default may be left out."""
    from pydantic import TypeAdapter

    from llamaexit.planning.plan import SCHEMA as PLAN
    from llamaexit.planning.plan import Plan
    from llamaexit.recipes.model import Recipe
    from llamaexit.snapshot import SCHEMA as SNAPSHOT
    from llamaexit.snapshot import Snapshot

    adapter: TypeAdapter[Any]
    match document:
        case "plan":
            adapter, name = TypeAdapter[Any](Plan), PLAN
        case "snapshot":
            adapter, name = TypeAdapter[Any](Snapshot), SNAPSHOT
        case "recipe":
            return _for_editors(TypeAdapter[Any](Recipe))
        case _:
            assert_never(document)
    made = adapter.json_schema(by_alias=False)
    made["properties"]["schema"] |= {"const": name}
    return {**_head(_DIALECT, name), **{key: value for key, value in made.items() if key != "title"}}


def _head(dialect: str, name: str) -> dict[str, Any]:
    from llamaexit import __version__

    title = name.partition("/")[0].replace(".", " ")
    return {
        "$schema": dialect, "$id": f"urn:{name.replace('.', ':').replace('/', ':')}", "title": title,
        "version": __version__,
    }  # fmt: skip


def _for_editors(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The schema of recipes as editors for TOML take it: with a text for every key, and without what TOML has not.

    Beside a `$ref` they read nothing, so a key that holds a table of its own is told by what the table is. Of a list
    that is not empty, Taplo looks up the first element when the pointer is on the key (its issue 788).
    """
    from inspect import getdoc

    from llamaexit.recipes import model
    from llamaexit.recipes.docstrings import field_texts

    made = adapter.json_schema(ref_template="#/definitions/{model}")
    definitions = {name: _plain(table) for name, table in made.pop("$defs").items()}
    root = _plain(made)
    for name, texts in field_texts().items():
        table = root if name == "Recipe" else definitions[name]
        table["description"] = getdoc(getattr(model, name))  # not every release of pydantic has it
        for key, text in texts.items():
            field = table["properties"][key]
            if "$ref" not in field:
                table["properties"][key] = _told(field, text)
    root["properties"]["schema"] |= {"const": 1}
    return {**_head(_FOR_EDITORS, "llamaexit.recipe/1"), **root, "definitions": definitions}


def _told(field: dict[str, Any], text: str) -> dict[str, Any]:
    """A key with its text, and with the same one for the elements of a list that have none of their own."""
    items = field.get("items", {})
    if items and "$ref" not in items:
        field = {**field, "items": {"description": text, **items}}
    return {"description": text, **field}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without null, which TOML does not have, and without titles that only repeat a key."""
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "default" and value is None:
            continue
        if key == "properties":
            made[key] = {name: _plain(one) for name, one in value.items()}
        elif key == "anyOf":
            (only,) = [one for one in value if one != {"type": "null"}]
            made |= _plain(only)
        else:
            made[key] = _plain(value) if isinstance(value, dict) else value
    return made
