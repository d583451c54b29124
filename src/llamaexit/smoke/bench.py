"""Where a check puts its questions. Every request goes out with the same settings, and is kept as evidence."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from llamaexit.ollama.version import at_least
from llamaexit.smoke.answer import Answer, merged, read
from llamaexit.smoke.asking import Unanswered, unanswered
from llamaexit.smoke.kept import kept
from llamaexit.smoke.model import Exchange, Residency

if TYPE_CHECKING:
    from llamaexit.smoke.asking import Inference
    from llamaexit.smoke.model import Subject, Suite, SuiteResult
    from llamaexit.smoke.pace import Pace

Think = bool | Literal["default"]
"""True, False, or `default`: say nothing about it, as a client does that does not know of thinking."""
Message = dict[str, Any]

KEEP_ALIVE = "5m"
SEED = 42
MAX_TOKENS = 256
_CHARACTERS_PER_TOKEN = 3
"""Fewer than most texts have, so that a deadline is rather too long."""
_IMAGE_TOKENS = 1500
_CONSONANTS, _VOWELS = "BDFKLMNRTV", "AEIO"


class Bench:
    """One model, ready to be asked. `old`: what the model it is to replace answered, where that was asked first.

    All questions raise Unanswered. `pace` learns from the answers; `exchanges` are those since the last `clear`.
    """

    def __init__(
        self,
        subject: Subject,
        inference: Inference,
        pace: Pace,
        *,
        suite: Suite,
        seed: int,
        old: SuiteResult | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.subject = subject
        self.pace = pace
        self.suite = suite
        self.seed = seed
        self.old = old
        self.residency: Residency | None = None
        self.loaded = False
        self.exchanges: list[Exchange] = []
        self._inference = inference
        self._clock = clock
        self._resident: str | None = None

    def clear(self) -> tuple[Exchange, ...]:
        """The evidence so far; from now on it is collected anew."""
        taken, self.exchanges = tuple(self.exchanges), []
        return taken

    def word(self, what: str) -> str:
        """A word of six letters nobody has learnt: the same for the old and the new model, another for each `what`."""
        random_ = self.random(what)
        return "".join(random_.choice(letters) for _ in range(3) for letters in (_CONSONANTS, _VOWELS))

    def random(self, what: str) -> random.Random:
        """Random numbers from the seed of the run: the same for the old and the new model."""
        return random.Random(f"{self.seed}/{what}")

    def chat(
        self, messages: str | Sequence[Message], *, think: Think = False, stream: bool = False, **more: Any
    ) -> Answer:
        """Ask on `/api/chat`. `messages`: a conversation, or what a user says. See `_native` for `more`."""
        conversation = _conversation(messages)
        return self._native("/api/chat", {"messages": conversation}, think=think, stream=stream, **more)

    def generate(self, prompt: str, *, think: Think = False, stream: bool = False, **more: Any) -> Answer:
        """Ask on `/api/generate`. See `_native` for `more`, which may hold `suffix`, `system` or `images`, too."""
        return self._native("/api/generate", {"prompt": prompt}, think=think, stream=stream, **more)

    def v1(
        self,
        messages: str | Sequence[Message],
        *,
        think: Think = False,
        stream: bool = False,
        max_tokens: int = MAX_TOKENS,
        seconds: float | None = None,
        **more: Any,
    ) -> Answer:
        """Ask on `/v1/chat/completions`, as clients of OpenAI do. `more` goes into the request as it is."""
        request: dict[str, Any] = {
            "model": self.subject.name,
            "messages": _conversation(messages),
            "stream": stream,
            "temperature": 0,
            "seed": SEED,
            "max_tokens": max_tokens,
            **more,
        }
        if think is False and self._can_switch:
            request["reasoning_effort"] = "none"
        elif think is True:
            request["reasoning_effort"] = "medium"
        return self.ask("/v1/chat/completions", request, seconds=seconds, writes=max_tokens)

    def embed(self, texts: Sequence[str], *, seconds: float | None = None) -> tuple[tuple[float, ...], ...]:
        """Vectors of texts, from `/api/embed`."""
        request = {
            "model": self.subject.name,
            "input": list(texts),
            "keep_alive": KEEP_ALIVE,
            "options": {"num_ctx": self.subject.context},
        }
        body = self.ask("/api/embed", request, seconds=seconds, writes=0).body
        vectors = body.get("embeddings")
        if not isinstance(vectors, list) or not all(isinstance(vector, list) for vector in vectors):
            raise Unanswered("fail", "wrong", "an answer without embeddings")
        return tuple(tuple(vector) for vector in vectors)

    def ask(self, path: str, request: dict[str, Any], *, writes: int, seconds: float | None = None) -> Answer:
        """Put any request. writes: tokens the answer may have, from which follows how long it is waited for."""
        limit = seconds if seconds is not None else self.pace.deadline(_reads(request), writes)
        try:
            return self._asked(path, request, limit)
        except Unanswered as error:
            if not error.cut:
                raise
        try:
            return self._asked(path, request, limit)
        except Unanswered as error:
            if not error.cut:
                raise
            # a restart of the server would not have struck twice: Ollama ends a stream so when its model repeats itself
            raise Unanswered("fail", error.fault, error.reason) from error

    def load(self) -> None:
        """Bring the model into memory with the context it is to have, and see how much of it is on the GPU.

        Sets `loaded`, `residency`, and the time it took. Raises Unanswered when it cannot be loaded.
        """
        capabilities = self.subject.capabilities or ()
        only_embeds = "embedding" in capabilities and "completion" not in capabilities
        request: dict[str, Any] = {
            "model": self.subject.name,
            "keep_alive": KEEP_ALIVE,
            "options": {"num_ctx": self.subject.context},
        }
        if only_embeds:
            answer = self.ask("/api/embed", {**request, "input": "Hello."}, writes=0)
        else:
            answer = self.ask("/api/generate", {**request, "stream": False}, writes=0)
            if answer.finish not in ("load", "stop"):
                raise Unanswered("error", "broken", "loading it was not confirmed")
        self.loaded = True
        self.pace.load_seconds = answer.seconds
        self.residency = self.ps()

    def ps(self) -> Residency | None:
        """What `/api/ps` says of the model; None when it is not there.

        It is looked up by digest: models of the same weights share one place, under the name that was loaded first.
        """
        found = self._own(self._inference.loaded())
        if found is None:
            return None
        self._resident = found.get("digest")
        size, size_vram = _count(found.get("size")), _count(found.get("size_vram"))
        return Residency(size, size_vram, _count(found.get("context_length")) or None)

    def unload(self, *, patience: float = 10.0, pause: Callable[[float], None] = time.sleep) -> bool:
        """Let the model go and wait until it is gone: Ollama answers before it is. True when it is."""
        request = {"model": self.subject.name, "keep_alive": 0, "stream": False}
        until = self._clock() + patience
        self._inference.ask("/api/generate", request, seconds=patience)
        while any(model.get("digest") == self._resident for model in self._inference.loaded()):
            if self._clock() >= until:
                return False
            pause(0.1)
        return True

    def _own(self, models: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        wanted = self._resident or self.subject.digest
        for model in models:
            if model.get("digest") == wanted or (wanted is None and model.get("name") == self.subject.name):
                return model
        if self._resident is None and len(models) == 1:
            return models[0]  # the same weights under another name: nothing else can be what was just loaded
        return None

    @property
    def _can_switch(self) -> bool:
        """Whether to tell the model not to think. For one that cannot think Ollama 0.12.4 refuses that, and the others
        do not care; before 0.9 there was no such field."""
        capabilities = self.subject.capabilities
        may_think = self.subject.thinks is not False if capabilities is None else "thinking" in capabilities
        return may_think and at_least(self.subject.ollama_version, "0.9.0") is not False

    def _native(
        self,
        path: str,
        question: dict[str, Any],
        *,
        think: Think,
        stream: bool,
        max_tokens: int = MAX_TOKENS,
        options: dict[str, Any] | None = None,
        seconds: float | None = None,
        **more: Any,
    ) -> Answer:
        """options: over the usual ones; one that is None is left to the model. seconds: in place of the deadline.
        The rest of `more` goes into the request as it is (`tools`, `format`, `truncate` …)."""
        usual = {"num_ctx": self.subject.context, "num_predict": max_tokens, "temperature": 0, "seed": SEED}
        chosen = {key: value for key, value in {**usual, **(options or {})}.items() if value is not None}
        request = {
            "model": self.subject.name, **question, "stream": stream, "keep_alive": KEEP_ALIVE, "options": chosen,
            **more,
        }  # fmt: skip
        if think is True or (think is False and self._can_switch):
            request["think"] = think
        return self.ask(path, request, seconds=seconds, writes=max_tokens)

    def _asked(self, path: str, request: dict[str, Any], limit: float) -> Answer:
        reply = self._inference.ask(path, request, seconds=limit)
        body = merged(reply.chunks) if reply.chunks else reply.body or {}
        evidence = Exchange(path, kept(request), reply.status, kept(body) or None, reply.error, round(reply.seconds, 3))
        self.exchanges.append(evidence)
        problem = unanswered(reply, limit)
        if problem is not None:
            raise problem
        answer = read(body, seconds=reply.seconds, chunks=reply.chunks, status=reply.status)
        self.pace.learn(answer)
        return answer


def _conversation(messages: str | Sequence[Message]) -> list[Message]:
    return [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)


def _reads(request: dict[str, Any]) -> int:
    """Tokens of a request, rather too many."""
    images = [image for message in request.get("messages", ()) for image in message.get("images", ())]
    images += request.get("images", ())
    characters = len(json.dumps(request, ensure_ascii=False)) - sum(map(len, images))
    return characters // _CHARACTERS_PER_TOKEN + _IMAGE_TOKENS * len(images)


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
