"""Dataclasses to plain JSON values: the one place that decides what our documents look like as JSON.

Keys keep the order in which the fields are declared, so the same data always gives the same text.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

_FIELDS: dict[type, tuple[str, ...]] = {}
_PLAIN = frozenset({str, int, bool, type(None)})


def jsonable(value: Any) -> Any:
    """`value` with dataclasses as dicts, tuples and sets as lists, and dates and paths as text.

    Numbers that JSON cannot write (infinity, not-a-number) become None: a GGUF header may hold them.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    names = _FIELDS.get(kind)
    if names is None and is_dataclass(kind):
        names = _FIELDS[kind] = tuple(field.name for field in fields(kind))
    if names is not None:
        return {name: jsonable(getattr(value, name)) for name in names}
    if isinstance(value, (tuple, list)):
        return [jsonable(item) for item in value]
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (set, frozenset)):
        return sorted(jsonable(item) for item in value)
    if isinstance(value, (str, int)):
        return value
    return str(value)


def dump(value: Any, *, indent: int | None = None) -> bytes:
    """JSON text of `value` in UTF-8. A file name that is no Unicode is written with `?` in the odd places."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(jsonable(value), ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)
    return text.encode("utf-8", "replace")
