"""What a model says is not the stand-in's business: a `Behaviour` decides, and the stand-in frames it as Ollama would.

    standin.behaviours["qwen3:8b"] = MyBehaviour()        # by name, as /api/tags shows it
    standin.behaviours["sha256:…"] = MyBehaviour()        # by weights, so that copies and derived models behave alike

A behaviour has `traits` (how it loads and how fast it is) and `say`, which is called once for each request, in the
thread of that request. Everything Ollama does by itself happens around it: templates, stored texts, truncation, limits,
stop strings, capability errors, residency, and the form of the answer on each route.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

Think = bool | str | None

_TOKEN = re.compile(r" ?[^\W\d_]{1,6}|\s?\d|\s?[^\w\s]|\s+|_")


def split(text: str) -> list[str]:
    """Tokens of a text: about four characters each, and together the text again."""
    return _TOKEN.findall(text)


@dataclass(frozen=True)
class Traits:
    """What is so about a model whatever it is asked.

    load_seconds: real time it takes to load. load_error: the text its load fails with, status 500.
    size: bytes it takes in memory, None for a figure reckoned from weights and context. gpu_share: of these, 0 to 1.
    tokens_per_second, prompt_tokens_per_second: what the counters of an answer say; nobody waits for that.
    tokens: how it cuts a text. framing: tokens its template adds before the reply, and for every message.
    """

    load_seconds: float = 0.0
    load_error: str | None = None
    size: int | None = None
    gpu_share: float = 1.0
    tokens_per_second: float = 50.0
    prompt_tokens_per_second: float = 1000.0
    tokens: Callable[[str], list[str]] = split
    framing: tuple[int, int] = (3, 4)


@dataclass(frozen=True)
class Turn:
    """One request as the model sees it.

    route: the path that was asked. model: the installed name, short. messages: role (lower case), content, and what
    else was given (`tool_calls`, `tool_name`, `thinking`; `images` are taken out), with the stored SYSTEM and MESSAGEs
    in place and those dropped that do not fit the context; of `/api/generate`, the prompt is the last one. prompt: of
    `/api/generate`; with `raw` or a `suffix` there are no messages. tools: as sent. format: None, "json" or a schema.
    think: as it is in force, None for a model that cannot. options: all of them, stored and default ones included.
    seed: the one asked for, or one of the request's own. prompt_tokens: what the model reads, `truncated` when that is
    less than was sent.
    """

    route: str
    model: str
    messages: tuple[dict[str, Any], ...] = ()
    prompt: str | None = None
    suffix: str | None = None
    raw: bool = False
    images: tuple[bytes, ...] = ()
    tools: tuple[dict[str, Any], ...] = ()
    format: Any = None
    think: Think = None
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    prompt_tokens: int = 0
    truncated: bool = False

    @property
    def system(self) -> str:
        """All that system messages say."""
        return "\n".join(message["content"] for message in self.messages if message["role"] == "system")

    @property
    def last(self) -> str:
        """The last message, or the prompt where there are none."""
        return str(self.messages[-1]["content"]) if self.messages else self.prompt or ""


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """What the model answers, before limits and stop strings are applied to it.

    content: a text, or the pieces it is streamed in (one piece for each token otherwise). thinking: where it goes
    depends on version, switch and template, as with Ollama: `thinking`, `reasoning`, or leaked with its tags into the
    content. tokens: how many were generated, None to count them. seconds_per_token: real time between pieces.
    done_reason: in place of the one that follows. endless: it goes on repeating itself until something stops it.
    error: the runner fails after all that was said, with this text and `status` (inside the stream once it has begun).
    cut: the connection breaks after so many pieces. unfinished: the stream ends without `done`, as when a runner dies.
    """

    content: str | tuple[str, ...] = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: int | None = None
    seconds_per_token: float = 0.0
    done_reason: str | None = None
    endless: bool = False
    error: str | None = None
    status: int = 500
    cut: int | None = None
    unfinished: bool = False


class Behaviour(Protocol):
    """How a model loads, and what it says."""

    @property
    def traits(self) -> Traits: ...

    def say(self, turn: Turn) -> Said: ...


@dataclass(frozen=True)
class Echo:
    """The default: repeats the last message, in the form that was asked for. Thinks when it is to think."""

    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        thinking = "They said something." if turn.think else ""
        if turn.format is not None:
            return Said(json.dumps(example(turn.format) if isinstance(turn.format, dict) else {}), thinking)
        return Said(f"You said: {turn.last}" if turn.last else "Hello.", thinking)


def example(schema: dict[str, Any]) -> Any:
    """The plainest value a JSON schema allows, as far as types, `enum`, `const`, `required` and `items` say."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: example(inner) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema.get("items", {}))] * int(schema.get("minItems", 0))
    plain: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "null": None}
    return plain[kind]
