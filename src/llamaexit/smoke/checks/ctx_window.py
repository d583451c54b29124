"""It reads all of a prompt that fills the planned context (`prompt_eval_count`). Ollama cuts longer ones in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.recipes.model import Use
from llamaexit.smoke.check import Check, Finding
from llamaexit.smoke.window import read_whole

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

USES: frozenset[Use] = frozenset({"chat", "rag", "long-context", "tools", "code", "vision"})
"""Uses in which prompts grow long."""


def run(bench: Bench) -> Finding:
    return read_whole(bench, "ctx.window", lambda text, tokens: bench.chat(text, max_tokens=tokens))


CHECK = Check("ctx.window", "reads all of a long prompt", run, uses=USES, reads=6500, writes=30)
