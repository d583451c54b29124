"""The results of a suite as a file, and back."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamaexit.errors import DocumentError
from llamaexit.jsonable import dump, jsonable
from llamaexit.smoke.model import SuiteResult

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SCHEMA = "llamaexit.tests/1"
_MAX_BYTES = 64 * 1024 * 1024


def dump_result(result: SuiteResult) -> bytes:
    """The file of one result."""
    return dump({"schema": SCHEMA, **jsonable(result)}, indent=1) + b"\n"


def load_result(data: bytes, where: str) -> SuiteResult:
    """The result in the bytes of a file, which `where` names. Raises DocumentError."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{where} is not JSON: {error}") from error
    schema = found.pop("schema", None) if isinstance(found, dict) else None
    kind, _, major = str(schema).partition("/")
    expected, _, ours = SCHEMA.partition("/")
    if kind != expected:
        raise DocumentError(f"{where} has no results of smoke tests")
    if not major.isdecimal() or int(major) > int(ours):
        raise DocumentError(
            f"{where} has results of version {major}, this llamaexit reads up to {ours}", hint="update llamaexit"
        )
    return _validated(found, where)


def load_result_file(path: Path) -> SuiteResult:
    """The result in a file. Raises DocumentError."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DocumentError(f"{path} is larger than {_MAX_BYTES // 1024**2} MiB: no results of smoke tests")
        return load_result(path.read_bytes(), str(path))
    except OSError as error:
        raise DocumentError(f"cannot read {path}: {error.strerror or error}") from error


def _validated(found: Any, where: str) -> SuiteResult:
    from pydantic import ValidationError

    try:
        result: SuiteResult = _adapter().validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"]) or "the document"
        raise DocumentError(f"{where} is damaged: {at}: {first['msg']}") from error
    return result


@cache
def _adapter() -> TypeAdapter[SuiteResult]:
    """Made once: a run has two results for each of its models."""
    from pydantic import TypeAdapter

    return TypeAdapter(SuiteResult)
