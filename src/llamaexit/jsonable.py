"""Dataclasses to plain JSON values: the one place that decides what our documents look like as JSON.

Keys keep the order in which the fields are declared, so the same data always gives the same text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

_PLAIN = frozenset({str, int, bool, type(None)})
_CONTAINERS = frozenset({tuple, list, dict, float})
_Reader = tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]
_READERS: dict[type, _Reader] = {}


def jsonable(value: Any) -> Any:
    """`value` with dataclasses as dicts, tuples and sets as lists, and dates and paths as text.

    Numbers that JSON cannot write (infinity, not-a-number) become None: a GGUF header may hold them.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    reader = _READERS.get(kind)
    if reader is None and kind not in _CONTAINERS and is_dataclass(kind):
        reader = _reader_of(kind)
    if reader is not None:
        names, read = reader
        # most values are plain, and not calling for those halves the time
        return {
            name: item if type(item) in _PLAIN else jsonable(item)
            for name, item in zip(names, read(value), strict=True)
        }
    if isinstance(value, (tuple, list)):
        return [item if type(item) in _PLAIN else jsonable(item) for item in value]
    if isinstance(value, dict):
        return {str(key): item if type(item) in _PLAIN else jsonable(item) for key, item in value.items()}
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


def _reader_of(kind: type) -> _Reader:
    names = tuple(field.name for field in fields(kind))
    several = attrgetter(*names) if names else lambda value: ()
    read = (lambda value: (several(value),)) if len(names) == 1 else several
    reader = _READERS[kind] = (names, read)
    return reader
