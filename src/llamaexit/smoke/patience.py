"""Room for models that think whatever they are told: that they do is the business of `think.off` and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer

ROOM_TO_THINK = 1024
"""Tokens on top of those an answer needs."""


def with_room(ask: Callable[[int], Answer], tokens: int) -> Answer:
    """Ask for an answer of so many tokens; again with more when all of them went into thinking."""
    answer = ask(tokens)
    spent = answer.finish == "length" and answer.thinking and not answer.text.strip() and not answer.calls
    return ask(tokens + ROOM_TO_THINK) if spent else answer
