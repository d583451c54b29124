"""The report of a run, for people who were not there: one HTML page that needs nothing else, or Markdown.

Both say the same. Whatever a model, a server or a recipe wrote is shown as text and does nothing: everything that is
put into the page is made visible and escaped in one place, and the page forbids scripts and requests besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llamaexit.report import amounts, outcome
from llamaexit.report.evidence import visible
from llamaexit.report.run_markdown import markdown_lines
from llamaexit.report.run_view import view

if TYPE_CHECKING:
    from jinja2 import Environment

    from llamaexit.migration.record import Run


def run_html(run: Run) -> str:
    """The report as one HTML page: no scripts, no requests. The same run gives the same page, byte for byte."""
    import base64
    import hashlib

    environment = _environment()
    style = environment.get_template("run.css").render()
    digest = hashlib.sha256(style.encode()).digest()
    return environment.get_template("run.html.j2").render(
        it=view(run), style=style, style_hash=base64.b64encode(digest).decode()
    )


def run_markdown(run: Run) -> str:
    """The report as Markdown text that ends in a newline."""
    return "\n".join(markdown_lines(view(run))) + "\n"


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("llamaexit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["outcomes"] = outcome.OUTCOMES
    environment.filters["took"] = amounts.seconds
    return environment


def _plain(value: Any) -> Any:
    """Every text on its way into the page; what is markup of the page itself stays as it is."""
    return visible(value) if type(value) is str else value
