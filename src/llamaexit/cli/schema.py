"""`llamaexit schema`: the JSON Schema of our documents."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Document(StrEnum):
    """The documents that have a published schema."""

    plan = "plan"
    snapshot = "snapshot"
    recipe = "recipe"


def schema(document: Annotated[Document, typer.Argument(help="Which document.")]) -> None:
    """Print the JSON Schema of a document that llamaexit reads or writes."""

    from llamaexit.cli.answer import Result, Style, answer

    def show() -> Result:
        import json

        from llamaexit.report.schema import schema_of

        text = json.dumps(schema_of(document.value), indent=2, ensure_ascii=True)
        return Result(data=None, text=text + "\n")

    answer("schema", Style(), show)
