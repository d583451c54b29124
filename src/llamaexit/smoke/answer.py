"""What a model answered, read the same way from `/api/chat`, `/api/generate` and `/v1`, streamed or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llamaexit.smoke.asking import Chunk

_NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Called:
    """One tool call as it came. `arguments`: an object natively, a JSON text on /v1, and with some models neither."""

    name: str
    arguments: object


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Counts are tokens, times are seconds; None where the route does not tell.

    thinking: reasoning that was kept apart from the text. finish: `stop`, `length`, `tool_calls` or `load`, empty when
    the answer broke off. first_content: from the request to the first character that is no reasoning, of a stream.
    seconds: from the request to its end. status, body: as they came; of a stream, merged.
    """

    text: str
    calls: tuple[Called, ...] = ()
    finish: str = "stop"
    seconds: float = 0.0
    thinking: str = ""
    prompt_tokens: int | None = None
    tokens: int | None = None
    prompt_seconds: float | None = None
    answer_seconds: float | None = None
    first_content: float | None = None
    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens_per_second(self) -> float | None:
        """Speed of writing, None when nothing was counted."""
        return _rate(self.tokens, self.answer_seconds)

    @property
    def prompt_tokens_per_second(self) -> float | None:
        """Speed of reading. Tokens that were still in the cache are counted, so vary the prompt when measuring."""
        return _rate(self.prompt_tokens, self.prompt_seconds)


def read(body: dict[str, Any], *, seconds: float, chunks: Sequence[Chunk] = (), status: int = 200) -> Answer:
    """The answer in the body of a good reply."""
    message, finish = _message(body)
    usage = _object(body.get("usage"))
    return Answer(
        text=_text(message.get("content")),
        calls=tuple(_calls(message.get("tool_calls"))),
        finish=finish,
        seconds=seconds,
        thinking=_text(message.get("thinking")) or _text(message.get("reasoning")),
        prompt_tokens=_count(body.get("prompt_eval_count", usage.get("prompt_tokens"))),
        tokens=_count(body.get("eval_count", usage.get("completion_tokens"))),
        prompt_seconds=_seconds(body.get("prompt_eval_duration")),
        answer_seconds=_seconds(body.get("eval_duration")),
        first_content=next((chunk.seconds for chunk in chunks if _delta(chunk.body).get("content")), None),
        status=status,
        body=body,
    )


def merged(chunks: Sequence[Chunk]) -> dict[str, Any]:
    """The pieces of a stream as the one body it would have been without streaming."""
    if not chunks:
        return {}
    content, thinking, calls = "", "", []
    finish = None
    for chunk in chunks:
        delta = _delta(chunk.body)
        content += _text(delta.get("content"))
        thinking += _text(delta.get("thinking")) or _text(delta.get("reasoning"))
        calls += _list(delta.get("tool_calls"))
        finish = _finish(chunk.body) or finish
    last = chunks[-1].body
    if any("choices" in chunk.body for chunk in chunks):
        message = {"role": "assistant", "content": content, "reasoning": thinking, "tool_calls": _joined(calls)}
        whole = next(({**chunk.body} for chunk in reversed(chunks) if "choices" in chunk.body), {})
        usage = next((chunk.body["usage"] for chunk in reversed(chunks) if chunk.body.get("usage")), None)
        choice = {"index": 0, "message": _filled(message), "finish_reason": finish}
        return {**whole, "choices": [choice], **({"usage": usage} if usage else {})}
    if any("response" in chunk.body for chunk in chunks):
        return {**last, "response": content, **_filled({"thinking": thinking, "tool_calls": calls})}
    message = {"role": "assistant", "content": content, "thinking": thinking, "tool_calls": calls}
    return {**last, "message": _filled(message)}


def _joined(calls: list[Any]) -> list[Any]:
    """Calls of /v1, whose arguments may come in pieces that belong together by their index."""
    whole: dict[Any, dict[str, Any]] = {}
    for number, call in enumerate(calls):
        function = _object(_object(call).get("function"))
        key = _object(call).get("index", number)
        if key in whole and not function.get("name"):
            whole[key]["function"]["arguments"] += _text(function.get("arguments"))
        else:
            whole[key if key not in whole else (key, number)] = {**_object(call), "function": {**function}}
    return list(whole.values())


def _message(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The message of an answer, in the shape of /api/chat, and why it ended."""
    if "choices" in body:
        choice = _object(next(iter(_list(body["choices"])), None))
        return _object(choice.get("message")), _text(choice.get("finish_reason"))
    finish = _finish(body) or ""
    if "response" in body:
        return {**body, "content": body["response"]}, finish
    return _object(body.get("message")), finish


def _finish(body: dict[str, Any]) -> str | None:
    if "choices" in body:
        return _text(_object(next(iter(_list(body["choices"])), None)).get("finish_reason")) or None
    if not body.get("done"):
        return None
    return _text(body.get("done_reason")) or "stop"  # before 0.1.35 there was no reason


def _delta(body: dict[str, Any]) -> dict[str, Any]:
    if "choices" in body:
        return _object(_object(next(iter(_list(body["choices"])), None)).get("delta"))
    if "response" in body:
        return {**body, "content": body["response"]}
    return _object(body.get("message"))


def _calls(calls: Any) -> list[Called]:
    functions = [_object(_object(call).get("function")) for call in _list(calls)]
    return [Called(_text(function.get("name")), function.get("arguments")) for function in functions]


def _filled(message: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if value or key in ("role", "content")}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _seconds(nanoseconds: Any) -> float | None:
    return nanoseconds / _NANOSECONDS if isinstance(nanoseconds, (int, float)) and nanoseconds > 0 else None


def _rate(tokens: int | None, seconds: float | None) -> float | None:
    return tokens / seconds if tokens and seconds else None
