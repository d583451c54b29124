"""`llamaexit report`: a run for people who were not there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamaexit.cli.options import Debug, RunId

if TYPE_CHECKING:
    from llamaexit.cli.answer import Result


def report(
    run: RunId = None,
    html: Annotated[
        bool, typer.Option("--html", help="One page that needs nothing else, with figures and evidence.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Markdown, for an issue or a wiki. The default.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it to a file instead of printing it.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Write down one migration: verdicts, figures old and new, what was asked and answered, and the way back."""

    from llamaexit.cli.answer import Style, answer

    def reported() -> Result:
        from llamaexit.cli.report_request import run_report

        return run_report(run, html=html, markdown=markdown, out=out)

    answer("report", Style(debug=debug), reported)
