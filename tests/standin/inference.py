"""A chat or generate request from its body to the pieces of its answer, as server/routes.go does it."""

from __future__ import annotations

import base64
import binascii
import json
import random
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import options as option_rules
from standin.behaviour import Behaviour, Said, Think, Turn
from standin.clock import rfc3339
from standin.handler import HungUp, Problem
from standin.installed import Installed
from standin.options import BadOption
from standin.runners import Busy, Left, LoadFailed, WeightsMissing, Wish
from standin.store import Name, Resident

if TYPE_CHECKING:
    from standin.server import Standin

Body = dict[str, Any]
Piece = dict[str, Any]
BUSY = "server busy, please try again.  maximum pending requests exceeded"
TOO_LONG = (
    "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the "
    "context length in settings, or use a model with a longer context length"
)
_NO_IMAGES = {
    "error": {
        "code": 500,
        "message": "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
        "type": "server_error",
    }
}
_REPEATS = 30


class InStream(Exception):
    """An error line, after the stream has begun."""


def bind(standin: Standin, body: Body) -> None:
    """Raises Problem for values Go does not take when it reads the body."""
    try:
        option_rules.keep_alive(body.get("keep_alive"))
    except ValueError as error:
        raise Problem(400, str(error)) from None
    think = body.get("think")
    if standin.release.since(0, 9):
        levels = '"high", "medium", "low", "max", true, or false'
        if isinstance(think, str) and think not in ("high", "medium", "low", "max"):
            raise Problem(400, f'invalid think value: "{think}" (must be {levels})')
        if not isinstance(think, str | bool | None):
            raise Problem(400, f"think must be a boolean or string ({levels})")
    if not 0 <= int(body.get("top_logprobs") or 0) <= 20:
        raise Problem(400, "top_logprobs must be between 0 and 20")


def find(
    standin: Standin, body: Body, *, empty: tuple[int, str], missing: str | None = None, fold: bool = True
) -> Installed:
    """The model a body names. `empty` is the answer when it names none, `missing` that for one nobody has.

    `fold`: in any case. Raises Problem.
    """
    wanted = str(body.get("model") or "")
    if not wanted:
        raise Problem(*empty)
    name = Name.parse(wanted)
    if name is None:
        raise Problem(400, "invalid model name")
    store = standin.store
    with store.lock:
        name = store.existing(name) if fold else name
        try:
            return standin.resolve(name)
        except KeyError:
            raise Problem(404, missing or f"model '{wanted}' not found") from None
        except ValueError as error:
            raise Problem(500, str(error)) from None


def resolved_think(standin: Standin, model: Installed, body: Body) -> Think:
    """Whether this model thinks in this request; None when thinking is no matter at all. Raises Problem."""
    asked, release = body.get("think"), standin.release
    if not release.since(0, 9):
        return None
    if "thinking" in model.capabilities:
        return True if asked is None and release.since(0, 12, 4) else asked
    # 0.12.4 refused `false` as well, by mistake
    refuses = asked is not None if release.since(0, 12, 4) and not release.since(0, 12, 5) else bool(asked)
    if refuses:
        raise Problem(400, f'"{body["model"]}" does not support thinking')
    return asked


def require(model: Installed, body: Body, verb: str, *wanted: str) -> None:
    """Raises Problem unless the model can all of this. `verb` is the route's: chat or generate."""
    lacking = [capability for capability in wanted if capability not in model.capabilities]
    if "completion" in lacking:
        raise Problem(400, f'"{body["model"]}" does not support {verb}')
    if lacking:
        raise Problem(400, f"{model.name.full} does not support " + "\n".join(lacking))


@dataclass
class Job:
    """One request that a model is going to answer."""

    standin: Standin
    model: Installed
    body: Body
    route: str
    gone: Callable[[], bool]
    verb: str
    """`chat` or `generate`: which of the two forms pieces have."""
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
            standin, model, body, route, gone, verb, think,
            standin.behaviour_of(model), resolved_options(standin, model, body), time.monotonic(),
        )  # fmt: skip

    def load(self) -> tuple[Resident, float]:
        """The runner, and how long it took to load. Raises Problem."""
        shift = self.body.get("shift")
        wish = Wish(
            self.model,
            self.options,
            self.behaviour.traits,
            shift=self._shifts if shift is None else bool(shift),
            keep=option_rules.keep_alive(self.body.get("keep_alive")),
            automatic="num_ctx" not in {**self.model.options, **(self.body.get("options") or {})},
            gone=self.gone,
        )
        return acquire(self.standin, wish, str(self.body["model"]))

    @property
    def _shifts(self) -> bool:
        return bool(self.model.header is None or self.model.header.architecture != "deepseek2")

    def pieces(self, runner: Resident, load_seconds: float) -> Iterator[Piece]:
        """The answer, one piece for each token and one at the end. Raises Problem, InStream, HungUp."""
        turn = self._turn(runner)
        said = self.behaviour.say(turn)
        spoken = Spoken(self, turn, said, runner.context_length)
        begun = False
        for count, piece in enumerate(spoken.tokens()):
            if said.cut is not None and count >= said.cut:
                raise HungUp
            self._wait(said.seconds_per_token)
            yield self._piece(piece)
            begun = True
        if said.cut is not None:
            raise HungUp
        if said.error is not None:
            if begun:
                raise InStream(said.error)
            raise Problem(said.status, said.error)
        if said.unfinished or spoken.stuck:
            return
        yield self._last(spoken, turn, load_seconds)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            if self.gone():
                raise HungUp
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.02))

    def _turn(self, runner: Resident) -> Turn:
        """What the model gets to see. Raises Problem."""
        body, traits = self.body, self.behaviour.traits
        format_ = self._format()
        images = tuple(self._images())
        raw, suffix = bool(body.get("raw")), body.get("suffix") or None
        messages = [] if self.verb == "generate" and (raw or suffix) else self._messages()
        tools = tuple(body.get("tools") or ()) if self.verb == "chat" else ()
        truncate = body.get("truncate") is not False

        def count(shown: list[dict[str, Any]]) -> int:
            once, each = traits.framing
            texts = [json.dumps(tool) for tool in tools] + [message["content"] for message in shown]
            return once + each * len(shown) + sum(len(traits.tokens(text)) for text in texts) + 768 * len(images)

        context = runner.context_length
        if not messages:
            length = len(traits.tokens(f"{body.get('prompt') or ''}{suffix or ''}"))
            shown = messages
        else:
            shown = fitting(messages, context, count) if truncate else messages
            length = count(shown)
        used = self._used(length, context, truncate)
        seed = self.options["seed"]
        return Turn(
            route=self.route,
            model=self.model.name.short,
            messages=tuple({key: value for key, value in message.items() if key != "images"} for message in shown),
            prompt=str(body.get("prompt") or "") if self.verb == "generate" else None,
            suffix=suffix,
            raw=raw,
            images=images,
            tools=tools,
            format=format_,
            think=self.think,
            options=self.options,
            seed=seed if seed >= 0 else random.getrandbits(31),
            prompt_tokens=used,
            truncated=used < length or len(shown) < len(messages),
        )

    def _format(self) -> Any:
        format_ = self.body.get("format")
        if format_ in (None, ""):
            return None
        if format_ != "json" and not isinstance(format_, dict):
            quoted = json.dumps(json.dumps(format_))
            raise Problem(500, f'invalid format: {quoted}; expected "json" or a valid JSON Schema object')
        return format_

    def _images(self) -> Iterator[bytes]:
        messages = self.body.get("messages") or [] if self.verb == "chat" else [self.body]
        sent = [image for message in messages for image in message.get("images") or ()]
        for image in sent:
            try:
                yield base64.b64decode(image, validate=True)
            except (binascii.Error, ValueError):
                raise Problem(400, "illegal base64 data at input byte 0") from None
        if sent and "vision" not in self.model.capabilities:
            old = "this model is missing data required for image input"
            raise Problem(
                500, json.dumps(_NO_IMAGES, separators=(",", ":")) if self.standin.release.since(0, 30) else old
            )

    def _messages(self) -> list[dict[str, Any]]:
        """Stored texts and sent ones, as each of the two routes puts them together."""
        model, body = self.model, self.body
        stored = [dict(message) for message in model.messages]
        if self.verb == "generate":
            system = body.get("system") or model.system
            prompt = {"role": "user", "content": str(body["prompt"])}
            return [*([{"role": "system", "content": system}] if system else []), *stored, prompt]
        sent = [
            {**message, "role": str(message.get("role", "")).lower(), "content": message.get("content") or ""}
            for message in body["messages"]
        ]
        first_is_system = str(body["messages"][0].get("role", "")).lower() == "system"
        system = [] if first_is_system or not model.system else [{"role": "system", "content": model.system}]
        return [*system, *stored, *sent]

    def _used(self, length: int, context: int, truncate: bool) -> int:
        """Tokens of the prompt that are read. Raises Problem when it is too long and may not be cut."""
        if length < context:
            return length
        release = self.standin.release
        if not release.since(0, 30):
            if not truncate:
                raise Problem(400 if release.since(0, 12, 4) else 500, "the input length exceeds the context length")
            return context
        if not truncate or (self.verb == "chat" and self.model.native):
            message = (
                f"request ({length} tokens) exceeds the available context size ({context} tokens), try increasing it"
            )
            error = {
                "code": 400, "message": message, "type": "exceed_context_size_error",
                "n_prompt_tokens": length, "n_ctx": context,
            }  # fmt: skip
            raise Problem(400, json.dumps({"error": error}, separators=(",", ":")))
        if self.body.get("shift") is False or not self._shifts:
            raise Problem(400, TOO_LONG)
        # llm/llama_server.go: num_keep is preserved, and about half of the rest of the context is freed
        keep = max(0, min(int(self.options["num_keep"]), context - 1))
        return context - max((context - keep) // 2, 1)

    def _piece(self, text: Piece) -> Piece:
        """One piece of the stream: content, thinking or tool calls."""
        head = {"model": self.body["model"], "created_at": rfc3339(self.standin.store.clock.now())}
        if self.verb == "chat":
            return {**head, "message": {"role": "assistant", "content": "", **text}, "done": False}
        renamed = {("response" if key == "content" else key): value for key, value in text.items()}
        return {**head, "response": "", **renamed, "done": False}

    def _last(self, spoken: Spoken, turn: Turn, load_seconds: float) -> Piece:
        traits = self.behaviour.traits
        calls = {"tool_calls": spoken.calls} if spoken.calls and spoken.calls_at_end else {}
        piece = self._piece(calls) | {"done": True, "done_reason": spoken.done_reason}
        if self.verb == "generate" and not turn.raw:
            piece["context"] = self._context(spoken.text)
        prompt_seconds = turn.prompt_tokens / traits.prompt_tokens_per_second
        eval_seconds = spoken.count / traits.tokens_per_second
        load = max(load_seconds, 0.0005)
        total = max(load + prompt_seconds + eval_seconds, time.monotonic() - self.begun)
        piece |= {
            "total_duration": _nanoseconds(total),
            "load_duration": _nanoseconds(load),
            "prompt_eval_count": turn.prompt_tokens,
            "prompt_eval_duration": _nanoseconds(prompt_seconds),
            "eval_count": spoken.count,
            "eval_duration": _nanoseconds(eval_seconds),
        }
        return {key: value for key, value in piece.items() if value or key not in _COUNTERS}

    def _context(self, text: str) -> list[int]:
        """Numbers for the tokens of prompt and answer; the same token has the same number."""
        split = self.behaviour.traits.tokens
        return [zlib.crc32(token.encode()) % 50000 for token in split(str(self.body["prompt"])) + split(text)]


_COUNTERS = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 10**9)


class Spoken:
    """What is left of what a model said after limits and stop strings, and how it ended."""

    def __init__(self, job: Job, turn: Turn, said: Said, context: int) -> None:
        self._job = job
        self._turn = turn
        self._said = said
        self._context = context
        self.count = 0
        self.text = ""
        self.done_reason = "stop"
        self.stuck = False
        """The guard against repetition struck: the stream ends as it is."""
        self.calls = [
            {
                "id": "call_" + "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=8)),
                "function": {"index": index, "name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(said.tool_calls)
        ]
        self.calls_at_end = job.model.native

    def tokens(self) -> Iterator[Piece]:
        """Pieces in order: thinking, content, tool calls unless they come with the last."""
        limit = self._limit()
        repeated, previous = 0, None
        for kind, token in self._stopped(self._said_tokens()):
            if self.count >= limit:
                self.done_reason = "length"
                self.calls = []
                break
            self.count += 1
            repeated, previous = (repeated + 1 if token.strip() == previous else 0), token.strip()
            if repeated > _REPEATS and not (self._job.verb == "chat" and self._job.model.native):
                self.stuck = True
                return
            self.text += token
            yield {kind: token}
        if self.calls and not self.calls_at_end:
            yield {"tool_calls": self.calls}
        if self._said.tokens is not None:
            self.count = self._said.tokens
        elif self.calls:
            self.count += len(self._job.behaviour.traits.tokens(json.dumps(self.calls)))
        if self._said.done_reason is not None:
            self.done_reason = self._said.done_reason

    def _limit(self) -> int:
        """Tokens it may generate: num_predict, ten contexts at most, and the rest of the context without shifting."""
        job = self._job
        most = 10 * self._context
        asked = job.options["num_predict"]
        limit = most if asked < 0 or asked > most else asked
        if job.body.get("shift") is False:
            limit = min(limit, self._context - self._turn.prompt_tokens)
        return limit

    def _said_tokens(self) -> Iterator[tuple[str, str]]:
        """(`thinking` or `content`, token) in the order they are generated."""
        said, split = self._said, self._job.behaviour.traits.tokens
        if said.thinking:
            if self._splits():
                yield from (("thinking", token) for token in split(said.thinking))
            else:
                yield from (("content", token) for token in split(f"<think>\n{said.thinking}\n</think>\n\n"))
        pieces = said.content if isinstance(said.content, tuple) else split(said.content)
        yield from (("content", piece) for piece in pieces)
        while said.endless and pieces:
            yield from (("content", piece) for piece in pieces)

    def _splits(self) -> bool:
        """Whether reasoning is told apart: when it was asked for, or by a template that always can."""
        if not self._job.standin.release.since(0, 9):
            return False
        return bool(self._turn.think) or self._job.model.splits_reasoning

    def _stopped(self, tokens: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Nothing from the first stop string on. What could be the beginning of one is held back."""
        stops = [stop for stop in self._turn.options["stop"] if stop]
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


def fitting(
    messages: list[dict[str, Any]], context: int, count: Callable[[list[dict[str, Any]]], int]
) -> list[dict[str, Any]]:
    """The messages without the oldest that do not fit; system messages stay, and so does the last (prompt.go)."""
    for first in range(len(messages)):
        shown = [message for message in messages[:first] if message["role"] == "system"] + messages[first:]
        if count(shown) <= context or first == len(messages) - 1:
            return shown
    return messages


def resolved_options(standin: Standin, model: Installed, body: Body) -> dict[str, Any]:
    """Defaults, over them what is stored, over that what is asked. Raises Problem for a wrong type in either."""
    try:
        return {
            **option_rules.defaults(standin.release, standin.num_ctx),
            **option_rules.checked(model.options),
            **option_rules.checked(body.get("options") or {}),
        }
    except BadOption as error:
        raise Problem(500, str(error)) from None


def acquire(standin: Standin, wish: Wish, wanted: str) -> tuple[Resident, float]:
    """A runner for a wish, and how long it took to load. `wanted` is the name as it was asked for.

    Raises Problem and HungUp.
    """
    try:
        return standin.runners.acquire(wish)
    except Busy:
        raise Problem(503, BUSY) from None
    except WeightsMissing:
        raise Problem(404, f'model "{wanted}" not found, try pulling it first') from None
    except LoadFailed as error:
        text = str(error)
        if "failed to load model" in text and standin.release.since(0, 30):
            text += (
                ": this model may be incompatible with your version of Ollama. If you previously pulled this model, "
                f"try updating it by running `ollama pull {wish.model.name.short}`"
            )
        raise Problem(500, text) from None
    except Left:
        raise HungUp from None
