"""On `/v1` a JSON schema in `response_format` is kept to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.shaped import SCHEMA, people, written_down

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench


def run(bench: Bench) -> Finding:
    cases = people(bench.random("json.v1"), 2)
    shape = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}
    return written_down(cases, lambda question: bench.v1(question, response_format=shape, max_tokens=300))


CHECK = Check("json.v1", "keeps to a JSON schema on /v1", run, suites=("full",), reads=300, writes=60, route="v1")
