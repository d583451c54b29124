"""What is left of what a model said after limits and stop strings, piece by piece, and how it ended."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from standin.behaviour import Said

_REPEATS = 30
"""Times one token may follow itself: llm/llama_server.go ends the stream at the next."""


@dataclass(frozen=True)
class Rules:
    """tokens: how a text is cut. limit: tokens at most. stops: strings that end the answer. apart: reasoning is told
    from the answer. guarded: repetition ends it. calls_at_end: tool calls come with the last piece, not in one of their
    own."""

    tokens: Callable[[str], list[str]]
    limit: int
    stops: tuple[str, ...]
    apart: bool
    guarded: bool
    calls_at_end: bool


class Speech:
    """Go through `pieces` first; then the rest is known."""

    def __init__(self, said: Said, rules: Rules) -> None:
        self._said = said
        self._rules = rules
        self.count = 0
        """Tokens generated."""
        self.text = ""
        self.done_reason = "stop"
        self.stuck = False
        """It was ended for repeating itself, and has no end of its own."""
        self.calls: list[dict[str, Any]] = [
            {
                "id": "call_" + "".join(random.choices(string.ascii_lowercase + string.digits, k=8)),
                "function": {"index": index, "name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(said.tool_calls)
        ]

    def pieces(self) -> Iterator[dict[str, Any]]:
        """In order: thinking, content, and tool calls unless they come with the last."""
        repeated, previous = 0, None
        for kind, token in _stopped(self._tokens(), self._rules.stops):
            if self.count >= self._rules.limit:
                self.done_reason = "length"
                self.calls = []
                break
            self.count += 1
            repeated, previous = (repeated + 1 if token.strip() == previous else 0), token.strip()
            if repeated > _REPEATS and self._rules.guarded:
                self.stuck = True
                return
            self.text += token
            yield {kind: token}
        if self.calls and not self._rules.calls_at_end:
            yield {"tool_calls": self.calls}
        if self._said.tokens is not None:
            self.count = self._said.tokens
        elif self.calls:
            self.count += len(self._rules.tokens(json.dumps(self.calls)))
        self.done_reason = self._said.done_reason or self.done_reason

    def _tokens(self) -> Iterator[tuple[str, str]]:
        """(`thinking` or `content`, token) as they are generated."""
        said, split = self._said, self._rules.tokens
        if said.thinking and self._rules.apart:
            yield from (("thinking", token) for token in split(said.thinking))
        elif said.thinking:
            yield from (("content", token) for token in split(f"<think>\n{said.thinking}\n</think>\n\n"))
        pieces = said.content if isinstance(said.content, tuple) else split(said.content)
        yield from (("content", piece) for piece in pieces)
        while said.endless and pieces:
            yield from (("content", piece) for piece in pieces)


def _stopped(tokens: Iterator[tuple[str, str]], stops: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Nothing from the first stop string on. What could be the beginning of one is held back."""
    held = ""
    for kind, token in tokens:
        if kind != "content" or not stops:
            yield kind, token
            continue
        held += token
        found = [held.index(stop) for stop in stops if stop in held]
        if found:
            if held[: min(found)]:
                yield kind, held[: min(found)]
            return
        if not any(stop.startswith(held[-size:]) for stop in stops for size in range(1, len(held) + 1)):
            yield kind, held
            held = ""
    if held:
        yield "content", held
