"""`llamaexit schema`: the JSON Schema of our documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

if TYPE_CHECKING:
    from llamaexit.cli.answer import Result
    from llamaexit.report.schema import Document


def schema(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="Which one: plan, snapshot or recipe.")],
) -> None:
    """Print the JSON Schema of a document that llamaexit reads or writes."""

    from llamaexit.cli.answer import Style, answer

    def show() -> Result:
        import json

        from llamaexit.cli.answer import Result
        from llamaexit.report.schema import schema_of

        text = json.dumps(schema_of(_known(document)), indent=2, ensure_ascii=True)
        return Result(data=None, text=text + "\n")

    answer("schema", Style(), show)


def _known(document: str) -> Document:
    from llamaexit.errors import UsageError
    from llamaexit.report.schema import Document

    known = get_args(Document)
    if document not in known:
        raise UsageError(f"there is no document {document!r}", hint=f"there are {', '.join(known)}")
    return cast("Document", document)
