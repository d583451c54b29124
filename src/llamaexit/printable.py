"""Text of strangers made safe to print: what works unseen on a terminal or in a log becomes visible."""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    r"""`text` with nothing in it that works unseen: control and format characters, direction marks and lone surrogates
    become `\u202e` and the like. Line ends and tabs stay."""
    return text if text.isprintable() else "".join(_shown(char) for char in text)


def in_one_line(text: str) -> str:
    r"""The same without line ends and tabs, which become `\n` and `\t`. For messages that are a line of a log: what
    comes after a line end could pass for a message, or a command, of its own."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def _shown(char: str) -> str:
    if char.isprintable() or char in "\n\t" or unicodedata.category(char) == "Zs":
        return char
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
