"""A chat or generate request that a model answers: the pieces of the answer, in the form of the native routes."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import options as option_rules
from standin.asking import Body, acquire, require, resolved_options, resolved_think
from standin.behaviour import Behaviour, Said, Think, Turn
from standin.clock import rfc3339
from standin.handler import HungUp, Problem
from standin.installed import Installed
from standin.prompting import Prompting
from standin.runners import Wish
from standin.speech import Rules, Speech
from standin.store import Resident

if TYPE_CHECKING:
    from standin.server import Standin

Piece = dict[str, Any]
Pieces = Generator[Piece, None, None]
_COUNTERS = {
    "total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration",
}  # fmt: skip
"""Left out of an answer where they are zero."""


class InStream(Exception):
    """An error line, after the stream has begun."""


@dataclass
class Job:
    """One request. `verb` is `chat` or `generate`: which of the two forms its pieces have."""

    standin: Standin
    model: Installed
    body: Body
    route: str
    verb: str
    gone: Callable[[], bool]
    think: Think
    behaviour: Behaviour
    options: dict[str, Any]
    begun: float

    @classmethod
    def of(cls, standin: Standin, model: Installed, body: Body, route: str, verb: str, gone: Callable[[], bool]) -> Job:
        """Raises Problem for what Ollama refuses before a model is loaded."""
        think = resolved_think(standin, model, body)
        wanted = ["completion"]
        wanted += ["tools"] if verb == "chat" and body.get("tools") else []
        wanted += ["insert"] if verb == "generate" and body.get("suffix") else []
        require(model, body, verb, *wanted)
        return cls(
            standin, model, body, route, verb, gone, think,
            standin.behaviour_of(model), resolved_options(standin, model, body), time.monotonic(),
        )  # fmt: skip

    def load(self) -> tuple[Resident, float]:
        """The runner, and how long it took to load. Raises Problem and HungUp."""
        wish = Wish(
            self.model,
            self.options,
            self.behaviour.traits,
            shift=self._shift,
            keep=option_rules.keep_alive(self.body.get("keep_alive")),
            automatic="num_ctx" not in {**self.model.options, **(self.body.get("options") or {})},
            gone=self.gone,
        )
        return acquire(self.standin, wish, str(self.body["model"]))

    @property
    def _shift(self) -> bool:
        """Whether the context is shifted when it is full: as asked, or as the model can."""
        asked = self.body.get("shift")
        return self.model.shifts if asked is None else bool(asked)

    def pieces(self, runner: Resident, load_seconds: float) -> Pieces:
        """The answer, one piece for each token and one at the end. Raises Problem, InStream, HungUp."""
        prompting = Prompting(
            self.model, self.body, self.verb, self.standin.release, self.behaviour.traits, self.options,
            runner.context_length,
        )  # fmt: skip
        turn = prompting.turn(self.route, self.think)
        said = self.behaviour.say(turn)
        speech = Speech(said, self._rules(turn, runner.context_length))
        begun = False
        for count, piece in enumerate(speech.pieces()):
            if said.cut is not None and count >= said.cut:
                raise HungUp
            self._wait(said)
            yield self._piece(piece)
            begun = True
        if said.cut is not None:
            raise HungUp
        if said.error is not None:
            if begun:
                raise InStream(said.error)
            raise Problem(said.status, said.error)
        if not said.unfinished and not speech.stuck:
            yield self._last(speech, turn, load_seconds)

    def _rules(self, turn: Turn, context: int) -> Rules:
        """num_predict, ten contexts at most, and without shifting what is left of the context."""
        most, asked = 10 * context, self.options["num_predict"]
        limit = most if asked < 0 or asked > most else asked
        if not self._shift:
            limit = min(limit, context - turn.prompt_tokens)
        release, native = self.standin.release, self.verb == "chat" and self.model.native
        return Rules(
            tokens=self.behaviour.traits.tokens,
            limit=limit,
            stops=tuple(stop for stop in self.options["stop"] if stop),
            apart=release.since(0, 9) and (bool(turn.think) or self.model.splits_reasoning),
            guarded=not native,
            calls_at_end=native,
        )

    def _wait(self, said: Said) -> None:
        until = time.monotonic() + said.seconds_per_token
        while True:
            if self.gone():
                raise HungUp
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.02))

    def _piece(self, said: Piece) -> Piece:
        """One piece of the stream: content, thinking or tool calls."""
        head = {"model": self.body["model"], "created_at": rfc3339(self.standin.clock.now())}
        if self.verb == "chat":
            return {**head, "message": {"role": "assistant", "content": "", **said}, "done": False}
        renamed = {("response" if key == "content" else key): value for key, value in said.items()}
        return {**head, "response": "", **renamed, "done": False}

    def _last(self, speech: Speech, turn: Turn, load_seconds: float) -> Piece:
        traits = self.behaviour.traits
        calls = {"tool_calls": speech.calls} if speech.calls and self.model.native and self.verb == "chat" else {}
        piece = self._piece(calls) | {"done": True, "done_reason": speech.done_reason}
        if self.verb == "generate" and not turn.raw:
            piece["context"] = self._context(speech.text)
        prompt_seconds = turn.prompt_tokens / traits.prompt_tokens_per_second
        eval_seconds = speech.count / traits.tokens_per_second
        load = max(load_seconds, 0.0005)
        total = max(load + prompt_seconds + eval_seconds, time.monotonic() - self.begun)
        piece |= {
            "total_duration": int(total * 10**9),
            "load_duration": int(load * 10**9),
            "prompt_eval_count": turn.prompt_tokens,
            "prompt_eval_duration": int(prompt_seconds * 10**9),
            "eval_count": speech.count,
            "eval_duration": int(eval_seconds * 10**9),
        }
        return {key: value for key, value in piece.items() if value or key not in _COUNTERS}

    def _context(self, text: str) -> list[int]:
        """Numbers for the tokens of prompt and answer; the same token has the same number."""
        split = self.behaviour.traits.tokens
        return [zlib.crc32(token.encode()) % 50000 for token in split(str(self.body["prompt"])) + split(text)]
