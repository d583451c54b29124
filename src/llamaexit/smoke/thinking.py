"""What the checks about thinking share: the same questions on every route, and who can be asked them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llamaexit.ollama.version import at_least
from llamaexit.recipes.model import Use
from llamaexit.smoke.asked import SHORT, without_thinking
from llamaexit.smoke.check import Finding, Tally

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer
    from llamaexit.smoke.bench import Bench
    from llamaexit.smoke.model import Subject


THINKERS: frozenset[Use] = frozenset({"reasoning", "math"})
"""Uses for which a model that always thinks may be just right."""


def switched_off(bench: Bench, ask: Callable[[str], Answer]) -> Finding:
    """Put the short questions with thinking switched off, and see that there is none, neither apart nor leaked.

    Where thinking is what the model is for, thinking apart from the answer is worth a word, not a failure.
    """
    tally = Tally()
    tokens: list[int] = []
    thought: list[bool] = []

    def judged(question: str) -> str:
        answer = ask(question)
        tokens.append(answer.tokens or 0)
        thought.append(bool(answer.thinking.strip()))
        return without_thinking(answer)

    tally.each(SHORT, judged)
    tally.figures["answer_tokens"] = float(sum(tokens))
    only_thinks = len(thought) == len(tally.won) and all(won or t for won, t in zip(tally.won, thought, strict=True))
    tolerated = only_thinks and not THINKERS.isdisjoint(bench.subject.uses)
    return tally.finding(may_lose=len(SHORT) if tolerated else 0)


def cannot_think(subject: Subject) -> str:
    """Why a model cannot be asked to think; nothing when it can, or when that is not known."""
    if at_least(subject.ollama_version, "0.9.0") is False:
        return f"Ollama {subject.ollama_version} has no switch for thinking"
    if subject.capabilities is None:
        return "" if subject.thinks else "it is not known to think"
    return "" if "thinking" in subject.capabilities else "it does not think"
