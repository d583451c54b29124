"""JSON as Go's encoding/json writes it: compact, with `<`, `>` and `&` escaped, keys of maps sorted."""

from __future__ import annotations

import json
from typing import Any


def dumps(value: Any, *, sort: bool = False) -> str:
    """`sort` is for Go's maps; structs keep the order of their fields."""
    text = json.dumps(_numbers(value), ensure_ascii=False, separators=(",", ":"), sort_keys=sort)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def encoded(value: Any, *, sort: bool = False) -> bytes:
    """What json.Encoder writes: the same, and the end of the line."""
    return dumps(value, sort=sort).encode() + b"\n"


def error(text: str) -> str:
    """What json.Decoder says of text that is no JSON."""
    if not text.strip():
        return "EOF"
    try:
        json.loads(text)
    except json.JSONDecodeError as problem:
        if problem.pos >= len(text.rstrip()) or problem.msg.startswith("Unterminated"):
            return "unexpected EOF"
        return f"invalid character {text[problem.pos]!r} looking for beginning of value"
    return "json: cannot unmarshal into Go value"


def _numbers(value: Any) -> Any:
    """A whole float64 has no decimals in Go's JSON."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    return [_numbers(item) for item in value] if isinstance(value, list) else value
