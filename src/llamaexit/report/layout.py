"""Laying out text: labelled rows that wrap under themselves, headings, tables without lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

INDENT = 2
LABEL = 12
_GAP = 2
_NARROWEST = 16
_PROSE = 112
"""Columns after which prose gets hard to read, however wide the terminal is."""


class Page:
    """A console to print rows on. Labels are aligned; what does not fit wraps under its own beginning."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = console.width
        self._prose = min(console.width, _PROSE)

    def blank(self) -> None:
        """An empty line."""
        self.console.print()

    def line(self, text: str | Text, style: str = "", indent: int = 0, hang: int = 0) -> None:
        """A paragraph; lines after the first are set `hang` columns further in."""
        content = Text(text, style=style) if isinstance(text, str) else text
        self._wrap(Text(" " * indent), content, indent + hang)

    def row(self, label: str, values: str | Iterable[str], style: str = "", indent: int = INDENT) -> None:
        """A label and what it stands for. Several values get a line each; nothing is printed for none."""
        start = Text(" " * indent).append(label.ljust(LABEL), style="dim")
        if len(label) >= LABEL and label:
            self.console.print(start, soft_wrap=True)
            start = Text(" " * (indent + LABEL))
        for value in [values] if isinstance(values, str) else values:
            self._wrap(start, Text(value, style=style), indent + LABEL)
            start = Text(" " * (indent + LABEL))

    def command(self, label: str, command: str, indent: int = 0) -> None:
        """A command to copy. One that is too long goes on after a backslash, as a shell reads it."""
        start = Text(" " * indent).append(label.ljust(LABEL), style="dim")
        room = max(self.width - indent - LABEL - 2, 12)
        for line in _shell_lines(command, room):
            self.console.print(start + Text(line, style="bold"), soft_wrap=True)
            start = Text(" " * (indent + LABEL + 4))

    def items(self, label: str, values: Sequence[str], style: str = "", indent: int = INDENT) -> None:
        """Like `row`, for values long enough to want a dash before each."""
        if len(values) < 2:
            return self.row(label, values, style, indent)
        start = Text(" " * indent).append(label.ljust(LABEL), style="dim")
        for value in values:
            self._wrap(start.append("- ", style="dim"), Text(value, style=style), indent + LABEL + 2)
            start = Text(" " * (indent + LABEL))

    def table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str | Text]],
        right: Sequence[int] = (),
        wrap: Sequence[int] = (),
        indent: int = 0,
    ) -> None:
        """Columns under a dim head. Those numbered in `right` are set flush right. Where all of them are too wide,
        those in `wrap` give way, the first of them first. Nothing is cut off."""
        widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
        soft = _giving_way(widths, wrap, self.width - indent)
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim", show_edge=False)
        for index, title in enumerate(head):
            table.add_column(
                title,
                justify="right" if index in right else "left",
                overflow="fold",
                no_wrap=index not in soft,
            )
        for row in rows:
            table.add_row(*row)
        self.console.print(Padding(table, (0, 0, 0, indent), expand=False))

    def table_width(self, head: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> int:
        """Columns a table takes without wrapping anything."""
        widths = (max(len(cell) for cell in column) for column in zip(head, *rows, strict=True))
        return sum(widths) + _GAP * (len(head) - 1)

    def _wrap(self, start: Text, content: Text, hang: int) -> None:
        room = max(self._prose - hang, 12)
        lines = content.wrap(self.console, room, overflow="fold") or [Text()]
        for part in lines:
            part.rstrip()
            self.console.print(start + part, soft_wrap=True)
            start = Text(" " * hang)


def _giving_way(widths: Sequence[int], wrap: Sequence[int], room: int) -> Sequence[int]:
    """As few of the columns in `wrap` as leave room for the others; all columns where that is not enough.

    Rich cuts off what may not wrap and does not fit.
    """
    gaps = _GAP * (len(widths) - 1)
    for count in range(len(wrap) + 1):
        soft = wrap[:count]
        taken = sum(min(width, _NARROWEST) if index in soft else width for index, width in enumerate(widths))
        if taken + gaps <= room:
            return soft
    return range(len(widths))


def _shell_lines(command: str, room: int) -> list[str]:
    """A command in lines of about `room` columns, broken before options and arguments only."""
    import shlex

    lines: list[str] = []
    line = ""
    for words in _kept_together(command):
        part = shlex.join(words)
        if line and len(line) + 1 + len(part) > room - (4 if lines else 0):
            lines.append(f"{line} \\")
            line = part
        else:
            line = f"{line} {part}".lstrip()
    return [*lines, line]


def _kept_together(command: str) -> list[list[str]]:
    """The words of a command, an option with what follows it."""
    import shlex

    groups: list[list[str]] = []
    for word in shlex.split(command):
        if groups and len(groups[-1]) == 1 and groups[-1][0].startswith("--") and not word.startswith("-"):
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups
