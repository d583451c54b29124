"""The `/v1` routes as a coat over the native ones: bodies on the way in, answers on the way out (openai/openai.go)."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from standin import gojson
from standin.handler import Problem

Body = dict[str, Any]
_EFFORTS = {"none": False, "minimal": "low", "xhigh": "max", "ultra": "max"}
_EFFORTS |= {level: level for level in ("low", "medium", "high", "max")}
_IMAGES = ("data:;base64,", *(f"data:image/{kind};base64," for kind in ("jpeg", "jpg", "png", "webp")))


def error(status: int, text: str) -> Body:
    """An error as OpenAI's clients want it."""
    kind = {400: "invalid_request_error", 404: "not_found_error"}.get(status, "api_error")
    return {"error": {"message": text, "type": kind, "param": None, "code": None}}


def chat_request(body: Body) -> Body:
    """The `/api/chat` body for a `/v1/chat/completions` one. Raises Problem."""
    if not body.get("messages"):
        raise Problem(400, "[] is too short - 'messages'")
    options = _options(body)
    options |= {key: body[key] for key in ("frequency_penalty", "presence_penalty") if body.get(key) is not None}
    request = {
        "model": body.get("model", ""),
        "messages": [native for message in body["messages"] for native in _messages(message, body["messages"])],
        "options": options,
        "stream": bool(body.get("stream")),
        "tools": body.get("tools") or [],
    }
    if (effort := (body.get("reasoning") or {}).get("effort") or body.get("reasoning_effort")) is not None:
        if effort not in _EFFORTS:
            known = '"minimal", "low", "medium", "high", "xhigh", "ultra", "max", or "none"'
            raise Problem(400, f'invalid reasoning value: "{effort}" (must be {known})')
        request["think"] = _EFFORTS[effort]
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_object":
        request["format"] = "json"
    elif wanted.get("type") == "json_schema" and wanted.get("json_schema"):
        request["format"] = wanted["json_schema"].get("schema")
    return request


def generate_request(body: Body) -> Body:
    """The `/api/generate` body for a `/v1/completions` one."""
    options = _options(body)
    options |= {key: body.get(key) or 0.0 for key in ("frequency_penalty", "presence_penalty")}
    return {
        "model": body.get("model", ""),
        "prompt": body.get("prompt") or "",
        "suffix": body.get("suffix") or "",
        "options": options,
        "stream": bool(body.get("stream")),
    }


def _options(body: Body) -> dict[str, Any]:
    """temperature and top_p are always said, which overrides what is stored with the model."""
    options: dict[str, Any] = {"temperature": 1.0, "top_p": 1.0}
    options |= {key: body[key] for key in ("temperature", "top_p", "seed") if body.get(key) is not None}
    if body.get("max_tokens") is not None:
        options["num_predict"] = body["max_tokens"]
    if (stop := body.get("stop")) is not None:
        options["stop"] = [stop] if isinstance(stop, str) else [text for text in stop if isinstance(text, str)]
    return options


def _messages(message: Body, every: list[Body]) -> list[Body]:
    """One message for a text, one for each part of a content in parts."""
    role, content = message.get("role", ""), message.get("content")
    extra: Body = {}
    if message.get("tool_calls") is not None:
        extra["tool_calls"] = [_native_call(call) for call in message["tool_calls"]]
    if message.get("reasoning"):
        extra["thinking"] = message["reasoning"]
    if message.get("tool_call_id"):
        extra["tool_call_id"] = message["tool_call_id"]
    if str(role).lower() == "tool" and (name := message.get("name") or _name_of(message.get("tool_call_id"), every)):
        extra["tool_name"] = name
    if isinstance(content, str):
        return [{"role": role, "content": content, **extra}]
    if isinstance(content, list):
        parts = [_part(role, part) for part in content]
        if parts and extra.get("tool_calls"):
            parts[-1] |= extra
        return parts
    if "tool_calls" not in extra:
        raise Problem(400, "invalid message content type: <nil>")
    return [{"role": role, "content": "", **extra}]


def _part(role: Any, part: Any) -> Body:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return {"role": role, "content": part["text"]}
    if not isinstance(part, dict) or part.get("type") != "image_url":
        raise Problem(400, "invalid message format")
    url = part.get("image_url")
    url = url.get("url") if isinstance(url, dict) else url
    if not isinstance(url, str):
        raise Problem(400, "invalid message format")
    if url.startswith(("http://", "https://")):
        raise Problem(400, "image URLs are not currently supported, please use base64 encoded data instead")
    start = next((prefix for prefix in _IMAGES if url.startswith(prefix)), None)
    if start is None:
        raise Problem(400, "invalid image input")
    return {"role": role, "content": "", "images": [url.removeprefix(start)]}


def _native_call(call: Body) -> Body:
    function = call.get("function") or {}
    try:
        arguments = json.loads(function.get("arguments") or "")
    except ValueError:
        raise Problem(400, "invalid tool call arguments") from None
    return {"id": call.get("id", ""), "function": {"name": function.get("name", ""), "arguments": arguments}}


def _name_of(call_id: Any, every: list[Body]) -> str:
    calls = [call for message in reversed(every) for call in message.get("tool_calls") or ()]
    return next((str(call["function"]["name"]) for call in calls if call_id and call.get("id") == call_id), "")


@dataclass
class Coat:
    """Native answers of one request in OpenAI's form. `chat`: of the chat route, else of the older completions."""

    chat: bool
    usage: bool
    id: str = ""
    created: int | None = None
    _begun: bool = field(default=False, init=False)
    _called: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.id = f"{'chatcmpl' if self.chat else 'cmpl'}-{random.randrange(999)}"

    def whole(self, answer: Body) -> Body:
        """The one answer of a request that is not streamed."""
        if self.chat:
            message = answer["message"]
            shown: Body = {"role": message["role"], "content": message["content"]}
            shown |= {"reasoning": message["thinking"]} if message.get("thinking") else {}
            shown |= {"tool_calls": _calls(message)} if message.get("tool_calls") else {}
            choice = {"index": 0, "message": shown, "finish_reason": self._reason(answer, bool(_calls(message)))}
        else:
            choice = {"text": answer["response"], "index": 0, "finish_reason": answer.get("done_reason")}
        return {
            "id": self.id,
            "object": "chat.completion" if self.chat else "text_completion",
            **self._head(answer),
            "choices": [choice],
            "usage": _usage(answer),
        }

    def chunks(self, piece: Body) -> list[bytes]:
        """The events one native piece becomes."""
        events = self._chat_chunks(piece) if self.chat else self._text_chunks(piece)
        sent = [f"data: {gojson.dumps(event)}\n\n".encode() for event in events]
        return [*sent, b"data: [DONE]\n\n"] if piece["done"] else sent

    def _chat_chunks(self, piece: Body) -> list[Body]:
        message, calls = piece["message"], _calls(piece["message"])
        events = []
        if not (piece["done"] and self._begun and not message["content"] and not message.get("thinking") and not calls):
            reasoning = {"reasoning": message["thinking"]} if message.get("thinking") else {}
            content = {"content": message["content"]} | ({"tool_calls": calls} if calls else {})
            mixed = reasoning and (message["content"] or calls)
            for delta in [reasoning, content] if mixed else [content | reasoning]:
                role = {} if self._begun else {"role": "assistant"}
                events.append(self._chunk(piece, {"delta": role | delta, "finish_reason": None}))
                self._begun = True
            self._called = self._called or bool(calls)
        if piece["done"]:
            finish: Body = {"delta": {}, "finish_reason": self._reason(piece, self._called)}
            events.append(self._chunk(piece, finish))
            if self.usage:
                events.append(self._chunk(piece, None) | {"usage": _usage(piece)})
        return events

    def _text_chunks(self, piece: Body) -> list[Body]:
        choice = {"text": piece["response"], "index": 0, "finish_reason": piece.get("done_reason")}
        chunk = {"id": self.id, "object": "text_completion", "created": self._head(piece)["created"]}
        rest = {"model": piece["model"], "system_fingerprint": "fp_ollama"}
        zero = {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}} if self.usage else {}
        events = [chunk | {"choices": [choice]} | rest | zero]
        if piece["done"] and self.usage:
            events.append(chunk | {"choices": []} | rest | {"usage": _usage(piece)})
        return events

    def _chunk(self, piece: Body, choice: Body | None) -> Body:
        choices = [] if choice is None else [{"index": 0, **choice}]
        return {"id": self.id, "object": "chat.completion.chunk", **self._head(piece), "choices": choices}

    def _head(self, piece: Body) -> Body:
        if self.created is None:
            # Go writes nine digits of the second, of which Python takes six
            self.created = int(
                datetime.fromisoformat(piece["created_at"].partition(".")[0].rstrip("Z") + "+00:00").timestamp()
            )
        return {"created": self.created, "model": piece["model"], "system_fingerprint": "fp_ollama"}

    @staticmethod
    def _reason(piece: Body, called: bool) -> str | None:
        reason = piece.get("done_reason")
        return "tool_calls" if reason == "stop" and called else reason


def _calls(message: Body) -> list[Body]:
    return [
        {
            "id": call["id"],
            "index": call["function"]["index"],
            "type": "function",
            "function": {
                "name": call["function"]["name"],
                "arguments": gojson.dumps(call["function"]["arguments"], sort=False),
            },
        }
        for call in message.get("tool_calls") or ()
    ]


def _usage(answer: Body) -> Body:
    prompt, completion = answer.get("prompt_eval_count", 0), answer.get("eval_count", 0)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def embeddings(answer: Body, model: str) -> Body:
    """The answer of `/v1/embeddings` for one of `/api/embed`."""
    count = answer.get("prompt_eval_count", 0)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "embedding": vector, "index": index}
            for index, vector in enumerate(answer["embeddings"])
        ],
        "model": model,
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }
