"""With `think: false` on `/api/generate` there is no reasoning, neither beside the answer nor in it.

This route leaks where `/api/chat` does not (https://github.com/ollama/ollama/issues/18044).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.thinking import switched_off

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench


def run(bench: Bench) -> Finding:
    return switched_off(bench, bench.generate)


CHECK = Check("think.off.generate", "does not think when told so on /api/generate", run, reads=120, writes=50)
