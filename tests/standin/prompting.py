"""From the body of a request to what the model gets to see: stored texts, images, truncation (server/prompt.go)."""

from __future__ import annotations

import base64
import binascii
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from standin.behaviour import Think, Traits, Turn
from standin.handler import Problem
from standin.installed import Installed
from standin.release import Release

Body = dict[str, Any]
Messages = list[dict[str, Any]]
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
_IMAGE_TOKENS = 768


@dataclass(frozen=True)
class Prompting:
    """A request to a model that is loaded with `context` tokens. `verb` is `chat` or `generate`."""

    model: Installed
    body: Body
    verb: str
    release: Release
    traits: Traits
    options: dict[str, Any]
    context: int

    def turn(self, route: str, think: Think) -> Turn:
        """Raises Problem."""
        body = self.body
        form, images = self._form(), self._images()
        raw, suffix = bool(body.get("raw")), body.get("suffix") or None
        tools = tuple(body.get("tools") or ()) if self.verb == "chat" else ()
        messages = [] if self.verb == "generate" and (raw or suffix) else self._messages()
        truncate = body.get("truncate") is not False

        def count(shown: Messages) -> int:
            once, each = self.traits.framing
            texts = [json.dumps(tool) for tool in tools] + [message["content"] for message in shown]
            return once + each * len(shown) + self._tokens(*texts) + _IMAGE_TOKENS * len(images)

        shown = fitting(messages, self.context, count) if truncate else messages
        length = count(shown) if messages else self._tokens(str(body.get("prompt") or ""), suffix or "")
        used = self._used(length, truncate)
        seed = self.options["seed"]
        return Turn(
            route=route,
            model=self.model.name.short,
            messages=tuple({key: value for key, value in message.items() if key != "images"} for message in shown),
            prompt=str(body.get("prompt") or "") if self.verb == "generate" else None,
            suffix=suffix,
            raw=raw,
            images=images,
            tools=tools,
            format=form,
            think=think,
            options=self.options,
            seed=seed if seed >= 0 else random.getrandbits(31),
            prompt_tokens=used,
            truncated=used < length or len(shown) < len(messages),
        )

    def _tokens(self, *texts: str) -> int:
        return sum(len(self.traits.tokens(text)) for text in texts)

    def _form(self) -> Any:
        form = self.body.get("format")
        if form in (None, ""):
            return None
        if form != "json" and not isinstance(form, dict):
            quoted = json.dumps(json.dumps(form))
            raise Problem(500, f'invalid format: {quoted}; expected "json" or a valid JSON Schema object')
        return form

    def _images(self) -> tuple[bytes, ...]:
        holders = (self.body.get("messages") or []) if self.verb == "chat" else [self.body]
        sent = [image for holder in holders for image in holder.get("images") or ()]
        try:
            images = tuple(base64.b64decode(image, validate=True) for image in sent)
        except (binascii.Error, ValueError):
            raise Problem(400, "illegal base64 data at input byte 0") from None
        if images and "vision" not in self.model.capabilities:
            old = "this model is missing data required for image input"
            raise Problem(500, json.dumps(_NO_IMAGES, separators=(",", ":")) if self.release.since(0, 30) else old)
        return images

    def _messages(self) -> Messages:
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
        own = [{"role": "system", "content": model.system}] if model.system and sent[0]["role"] != "system" else []
        return [*own, *stored, *sent]

    def _used(self, length: int, truncate: bool) -> int:
        """Tokens of the prompt that are read. Raises Problem when it is too long and may not be cut."""
        context = self.context
        if length < context:
            return length
        if not self.release.since(0, 30):
            if not truncate:
                status = 400 if self.release.since(0, 12, 4) else 500
                raise Problem(status, "the input length exceeds the context length")
            return context
        if not truncate or (self.verb == "chat" and self.model.native):
            raise Problem(400, _exceeded(length, context))
        if self.body.get("shift") is False or not self.model.shifts:
            raise Problem(400, TOO_LONG)
        # llm/llama_server.go: num_keep is preserved, and about half of the rest of the context is freed
        keep = max(0, min(int(self.options["num_keep"]), context - 1))
        return context - max((context - keep) // 2, 1)


def fitting(messages: Messages, context: int, count: Callable[[Messages], int]) -> Messages:
    """The messages without the oldest that do not fit; system messages stay, and so does the last."""
    for first in range(len(messages)):
        shown = [message for message in messages[:first] if message["role"] == "system"] + messages[first:]
        if count(shown) <= context or first == len(messages) - 1:
            return shown
    return messages


def _exceeded(length: int, context: int) -> str:
    """The runner's own error, which the server passes on as a text."""
    error = {
        "code": 400,
        "message": f"request ({length} tokens) exceeds the available context size ({context} tokens), "
        "try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": length,
        "n_ctx": context,
    }
    return json.dumps({"error": error}, separators=(",", ":"))
