"""Plan files: written with the id of what they say, read only when they still say it."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamaexit.errors import DocumentError
from llamaexit.jsonable import jsonable
from llamaexit.planning.plan import SCHEMA, Plan

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_MAX_BYTES = 64 * 1024 * 1024


def plan_id_of(plan: Plan) -> str:
    """sha256 (64 hex digits) of the canonical body: everything but the id, keys sorted, no blanks, UTF-8."""
    body = jsonable(plan)
    del body["plan_id"]
    canonical = json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def load_plan(path: Path) -> Plan:
    """The plan in a file, bare or inside a `plan --json` answer.

    Raises DocumentError when the file cannot be read, is no plan, is of a newer major version, or does not match its
    own id.
    """
    data = _read(path)
    if isinstance(data, dict) and "llamaexit" in data and "data" in data:
        data = data["data"]
    schema = data.get("schema") if isinstance(data, dict) else None
    kind, _, major = str(schema).partition("/")
    expected, _, ours = SCHEMA.partition("/")
    if kind != expected:
        raise DocumentError(f"{path} is not a llamaexit plan", hint="make one with `llamaexit plan --out plan.json`")
    if not major.isdecimal() or int(major) > int(ours):
        raise DocumentError(
            f"{path} is a plan of version {major}, this llamaexit reads up to {ours}",
            hint="update llamaexit, or plan again with this one",
        )
    plan = _validated(path, data)
    if plan_id_of(plan) != plan.plan_id:
        raise DocumentError(f"{path} was changed after it was made: its id does not match", hint="plan again")
    return plan


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DocumentError(f"{path} is larger than {_MAX_BYTES // 1024**2} MiB: not a plan")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DocumentError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{path} is not JSON: {error}") from error


def _validated(path: Path, data: Any) -> Plan:
    from pydantic import ValidationError

    try:
        # by name: in a recipe the keys of its smoke tests have hyphens, in a plan they are spelled as all others
        plan: Plan = _adapter().validate_python(data, by_alias=False, by_name=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise DocumentError(f"{path} is a damaged plan: {where}: {first['msg']}") from error
    return plan


@cache
def _adapter() -> TypeAdapter[Plan]:
    """Made once, since that takes longer than reading a plan, and a history has many."""
    from pydantic import TypeAdapter

    return TypeAdapter(Plan)
