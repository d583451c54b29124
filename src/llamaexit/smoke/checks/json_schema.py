"""With a JSON schema in `format` every answer is JSON of that schema.

Failures hang on the text and come back with it (https://github.com/ollama/ollama/issues/17871), hence several texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.shaped import SCHEMA, people, written_down

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench


def run(bench: Bench) -> Finding:
    cases = people(bench.random("json.schema"), 5)
    return written_down(cases, lambda question: bench.chat(question, format=SCHEMA, max_tokens=300))


CHECK = Check("json.schema", "keeps to a JSON schema", run, reads=750, writes=150)
