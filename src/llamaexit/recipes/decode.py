"""Plain tables to the dataclasses of the recipe language, and TOML keys to field names.

The tables were checked before (by a test for the built-in recipes, by `validate` for everybody else's), so nothing is
verified here: this runs on every start and has to be quick.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, TypeVar

from llamaexit.recipes.model import (
    Call,
    CatalogueShape,
    Choice,
    Closed,
    Deprecation,
    Example,
    ExampleModel,
    Expect,
    Expected,
    Figures,
    Host,
    Licence,
    Message,
    Origin,
    Policy,
    Recipe,
    Rule,
    Score,
    SmokeCheck,
    Source,
    Tag,
    Target,
    Thinking,
    Tool,
)

T = TypeVar("T")

NESTED: dict[type, dict[str, tuple[Literal["one", "many", "map"], type]]] = {
    Recipe: {
        "deprecated": ("one", Deprecation),
        "policy": ("one", Policy),
        "rules": ("many", Rule),
        "models": ("many", Target),
        "origins": ("many", Origin),
        "closed": ("many", Closed),
        "examples": ("many", Example),
        "licences": ("map", Licence),
        "sources": ("map", Source),
    },
    Origin: {"shape": ("one", CatalogueShape), "scores": ("many", Score), "tags": ("many", Tag)},
    Target: {
        "thinking": ("one", Thinking),
        "shape": ("one", CatalogueShape),
        "scores": ("many", Score),
        "tags": ("many", Tag),
    },
    Rule: {
        "targets": ("many", Choice),
        "counter_evidence": ("many", Figures),
        "smoke": ("many", SmokeCheck),
        "deprecated": ("one", Deprecation),
    },
    Choice: {"evidence": ("many", Figures)},
    SmokeCheck: {"expect": ("one", Expect), "messages": ("many", Message), "tools": ("many", Tool)},
    Example: {"host": ("one", Host), "models": ("many", ExampleModel)},
    ExampleModel: {"expect": ("one", Expected)},
    Expect: {"tool": ("one", Call)},
    Message: {"tool_calls": ("many", Call)},
}
"""Which fields hold further tables: one, a list of them, or a mapping from names of the author's choice."""

_DATES: dict[type, frozenset[str]] = {Deprecation: frozenset({"since", "until"})}
"""Fields that are dates; in the compiled form they are text."""


def decode(cls: type[T], table: dict[str, Any]) -> T:
    """An instance of `cls` from a table whose keys are field names."""
    nested = NESTED.get(cls, {})
    dates = _DATES.get(cls, frozenset())
    values: dict[str, Any] = {}
    for name, value in table.items():
        kind, inner = nested.get(name, (None, object))
        if kind == "many":
            values[name] = tuple([decode(inner, item) for item in value])
        elif kind == "one":
            values[name] = decode(inner, value)
        elif kind == "map":
            values[name] = {key: decode(inner, item) for key, item in value.items()}
        elif name in dates:
            values[name] = dt.date.fromisoformat(str(value))
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    return cls(**values)


def field_names(cls: type, table: dict[str, Any]) -> dict[str, Any]:
    """The same table with field names (`min_ollama`) for TOML keys (`min-ollama`), at every level of the language."""
    nested = NESTED.get(cls, {})
    renamed: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        kind, inner = nested.get(name, (None, object))
        if kind == "many":
            value = [field_names(inner, item) for item in value]
        elif kind == "one":
            value = field_names(inner, value)
        elif kind == "map":
            value = {own: field_names(inner, item) for own, item in value.items()}
        renamed[name] = value
    return renamed
