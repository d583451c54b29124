"""Text of strangers inside Markdown: shown as it is, whatever is in it."""

from __future__ import annotations

import re

from llamaexit.report.evidence import visible

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$&!])")
_MENTION = re.compile(r"@(?=\w)")


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line, in a table or out of it.

    A word joiner keeps an `@` from calling a person or a team where the report is posted.
    """
    return _MENTION.sub("@\u2060", _SPECIAL.sub(r"\\\1", _one_line(text)))


def code(text: str) -> str:
    """A name in backticks; one that holds a backtick or a bar, which tables cannot have in them, is escaped instead."""
    name = _one_line(text)
    return plain(text) if "`" in name or "|" in name or not name else f"`{name}`"


def block(text: str, indent: str = "") -> list[str]:
    """A fenced block that nothing in the text can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    # what other renderers take for the end of a line must not become one here
    return [f"{indent}{line}" for line in (f"{fence}text", *visible(text).split("\n"), fence)]


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())
