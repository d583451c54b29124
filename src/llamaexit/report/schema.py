"""Published JSON Schemas, generated from the very dataclasses that carry the documents."""

from __future__ import annotations

from typing import Any, Literal, assert_never

Document = Literal["plan", "snapshot", "recipe"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(document: Document) -> dict[str, Any]:
    """The JSON Schema of a document, as it may be read: keys with a default may be left out."""
    from pydantic import TypeAdapter

    from llamaexit import __version__
    from llamaexit.planning.plan import SCHEMA as PLAN
    from llamaexit.planning.plan import Plan
    from llamaexit.recipes.model import Recipe
    from llamaexit.snapshot import SCHEMA as SNAPSHOT
    from llamaexit.snapshot import Snapshot

    adapter: TypeAdapter[Any]
    kind: dict[str, Any]
    match document:
        case "plan":
            adapter, name, kind = TypeAdapter[Any](Plan), PLAN, {"const": PLAN}
        case "snapshot":
            adapter, name, kind = TypeAdapter[Any](Snapshot), SNAPSHOT, {"const": SNAPSHOT}
        case "recipe":
            adapter, name, kind = TypeAdapter[Any](Recipe), "llamaexit.recipe/1", {"const": 1}
        case _:
            assert_never(document)
    made = adapter.json_schema(by_alias=document == "recipe")
    made["properties"]["schema"] |= kind
    head = {
        "$schema": _DIALECT,
        "$id": f"urn:{name.replace('.', ':').replace('/', ':')}",
        "title": f"llamaexit {document}",
    }
    return {**head, "version": __version__, **{key: value for key, value in made.items() if key != "title"}}
