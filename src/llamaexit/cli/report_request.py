"""Carrying out one `llamaexit report`."""

from __future__ import annotations

import sys
from pathlib import Path

from llamaexit.cli.answer import Result
from llamaexit.errors import UsageError

_STDOUT = Path("-")
_MARK = "Off Llama: run"
"""What the head of every report says."""


def run_report(text: str | None, *, html: bool, markdown: bool, out: Path | None) -> Result:
    """The report of a run as a page or as Markdown, printed or written to a file."""
    if html and markdown:
        raise UsageError("--html and --markdown exclude each other")
    to_file = out is not None and out != _STDOUT
    if html and not to_file and sys.stdout.isatty():
        raise UsageError("--html is a whole page, which no terminal shows", hint="say where to: --out run.html")
    from llamaexit.cli.place import run_of
    from llamaexit.report.run_page import run_html, run_markdown

    run = run_of(text)
    page = (run_html if html else run_markdown)(run)
    if out is None or not to_file:
        return Result(None, page.encode() if html else page)
    from llamaexit.cli.output import write_page

    write_page(out, page, _MARK)
    return Result(None, f"The report of run {run.id} is in {out}.\n")
