"""The `parameters` text of `/api/show`, back to the values it was printed from.

One `key value` line each, lists one line an element, keys in any order; strings are quoted as Go quotes them and all
numbers were float64 before they were printed, so that 1048576 arrives as `1.048576e+06` (server/images.go).
"""

from __future__ import annotations

import re
from typing import Any

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_LISTS = frozenset({"stop"})
"""Parameters that are lists even when they have one element."""


def parse_parameters(text: str) -> dict[str, Any]:
    """Parameters, sorted by name. Whole numbers become int, `true` and `false` bool, repeated keys and `stop` lists."""
    found: dict[str, Any] = {}
    for line in text.splitlines():
        key, _, rest = line.strip().partition(" ")
        if not key:
            continue
        value = _value(rest.strip())
        if key in _LISTS or key in found:
            before = found.get(key, [])
            found[key] = [*(before if isinstance(before, list) else [before]), value]
        else:
            found[key] = value
    return dict(sorted(found.items()))


def _value(text: str) -> Any:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _ESCAPE.sub(_unescaped, text[1:-1])
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() else number
    return text


def _unescaped(match: re.Match[str]) -> str:
    byte, short, long, octal, simple = match.groups()
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    point = int(octal, 8) if octal is not None else int(byte or short or long, 16)
    return chr(point) if point <= 0x10FFFF else "\N{REPLACEMENT CHARACTER}"
