"""What the checks about thinking share: the same questions on every route, and who can be asked them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llamaexit.ollama.version import at_least
from llamaexit.smoke.asked import SHORT, without_thinking
from llamaexit.smoke.check import Finding, Tally

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer
    from llamaexit.smoke.model import Subject


def switched_off(ask: Callable[[str], Answer]) -> Finding:
    """Put the short questions with thinking switched off, and see that there is none, neither apart nor leaked."""
    tally = Tally()
    tokens: list[int] = []

    def judged(question: str) -> str:
        answer = ask(question)
        tokens.append(answer.tokens or 0)
        return without_thinking(answer)

    tally.each(SHORT, judged)
    tally.figures["answer_tokens"] = float(sum(tokens))
    return tally.finding()


def cannot_think(subject: Subject) -> str:
    """Why a model cannot be asked to think; nothing when it can, or when that is not known."""
    if at_least(subject.ollama_version, "0.9.0") is False:
        return f"Ollama {subject.ollama_version} has no switch for thinking"
    if subject.capabilities is None:
        return "" if subject.thinks else "it is not known to think"
    return "" if "thinking" in subject.capabilities else "it does not think"
