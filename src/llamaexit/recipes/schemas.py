"""JSON Schemas that strangers wrote: checked before they are used, and followed only so far.

`jsonschema` judges; patterns in a schema go to `patterns`, and references are counted, since a handful of them can
double one another into more work than there is time. Nothing is fetched: only references within the schema count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from llamaexit.recipes.patterns import check_pattern, found

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MOST_REFERENCES = 10_000
"""References followed for one value; that many take a fifth of a second."""
_LONGEST_MESSAGE = 200


class TooMuch(ValueError):
    """A value for which a schema takes more work than it may."""


def check_schema(schema: dict[str, Any]) -> None:
    """Raises ValueError with the reason when something is no JSON Schema (draft 2020-12) that can be used here."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    # not Validator.check_schema, which would also hold patterns to the syntax of Python
    try:
        error = best_match(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema))
    except RecursionError:
        raise ValueError("is a JSON Schema nested too deeply") from None
    if error is not None:
        raise ValueError(f"is not a JSON Schema: {_in_words(error.absolute_path, error.message)}")
    for keyword, value in _keywords(schema):
        if keyword == "patternProperties":
            raise ValueError("uses patternProperties, which is not supported: name the properties")
        if not isinstance(value, str):
            continue
        if keyword in ("$ref", "$dynamicRef") and not _leads_somewhere(value, schema):
            raise ValueError(f"refers to {value[:80]!r}, which is not in the schema itself")
        if keyword == "pattern":
            try:
                check_pattern(value)
            except ValueError as unfit:
                raise ValueError(f"has the pattern {value[:40]!r}, which {unfit}") from None


def violations(schema: dict[str, Any], value: Any) -> tuple[str, ...]:
    """Where a value departs from a schema, one line each, the shallowest first.

    Raises TooMuch when that takes more work than it may, ValueError for what is no schema: one in a plan may not have
    come from a recipe that was checked.
    """
    check_schema(schema)
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # a registry of its own, because without one jsonschema would fetch what a schema refers to
    validator: Validator = _judge()(schema, registry=Registry())
    try:
        errors = sorted(validator.iter_errors(value), key=lambda error: (len(error.absolute_path), error.message))
    except RecursionError:
        raise TooMuch("the schema refers to itself without end") from None
    except Unresolvable as error:
        raise ValueError(f"the schema refers to something that is not there: {str(error)[:80]}") from None
    return tuple(_in_words(error.absolute_path, error.message) for error in errors)


def _in_words(path: Iterable[str | int], message: str) -> str:
    place = "".join(f".{part}" if isinstance(part, str) else f"[{part}]" for part in path).lstrip(".")
    short = message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"
    return f"{place}: {short}" if place else short


def _judge() -> Any:
    """A validator class whose references are counted and whose patterns take linear time."""
    from jsonschema import Draft202012Validator, validators
    from jsonschema.exceptions import ValidationError

    followed = 0

    def counted(keyword: str) -> Any:
        standard = Draft202012Validator.VALIDATORS[keyword]

        def follow(validator: Any, reference: Any, instance: Any, schema: Any) -> Iterator[Any]:
            nonlocal followed
            followed += 1
            if followed > MOST_REFERENCES:
                raise TooMuch(f"the schema takes more than {MOST_REFERENCES:,} references to judge this")
            yield from standard(validator, reference, instance, schema) or ()

        return follow

    def pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
        if validator.is_type(instance, "string") and not found(pattern, instance):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")

    keywords = {"$ref": counted("$ref"), "$dynamicRef": counted("$dynamicRef"), "pattern": pattern}
    return validators.extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]


def _keywords(schema: object) -> Iterator[tuple[str, object]]:
    """Every key at every level with its value; names of properties are among them."""
    left = [schema]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            yield from part.items()
            left += part.values()
        elif isinstance(part, list):
            left += part


def _leads_somewhere(reference: str, schema: Any) -> bool:
    """Whether a reference stays within the schema and, where it is a path, whether there is something at its end."""
    if not reference.startswith("#/"):
        return reference == "#"
    from urllib.parse import unquote

    for part in unquote(reference.removeprefix("#/")).split("/"):
        step = part.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, list) and step.isdecimal() and int(step) < len(schema):
            schema = schema[int(step)]
        elif isinstance(schema, dict) and step in schema:
            schema = schema[step]
        else:
            return False
    return True
