"""Routes that run a model."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from standin import embedding, openai
from standin.asking import Body, bind, find
from standin.clock import rfc3339
from standin.handler import NDJSON, PLAIN_JSON, SSE, Handler, Problem, Route
from standin.inference import InStream, Job, Piece, Pieces
from standin.options import keep_alive

_SIGN_IN = "https://ollama.com/connect?name=standin&key=c3RhbmRpbg"


def chat(call: Handler, _: Any) -> None:
    body = call.json_body("api.ChatRequest")
    _native(call, body, _chatting(call, body, "/api/chat"))


def generate(call: Handler, _: Any) -> None:
    body = call.json_body("api.GenerateRequest")
    _native(call, body, _generating(call, body, "/api/generate"))


def v1_chat(call: Handler, _: Any) -> None:
    _coated(call, chat=True)


def v1_completions(call: Handler, _: Any) -> None:
    _coated(call, chat=False)


def _chatting(call: Handler, body: Body, route: str) -> Pieces | Piece:
    """The pieces of a chat, or the whole answer when nothing is said. Raises Problem."""
    bind(call.standin, body)
    model = find(call.standin, body, empty=(400, "model is required"))
    head = {"model": body["model"], "created_at": rfc3339(call.standin.store.clock.now())}
    message = {"message": {"role": "assistant", "content": ""}}
    if not body.get("messages") and keep_alive(body.get("keep_alive")) == 0:
        call.standin.runners.unload(model.weights)
        return head | message | {"done": True, "done_reason": "unload"}
    if model.config.get("remote_host"):
        raise Problem(401, "unauthorized", signin_url=_SIGN_IN)
    job = Job.of(call.standin, model, body, route, "chat", call.gone)
    if not body.get("messages"):
        _only_load(job)
        return head | message | {"done": True, "done_reason": "load"}
    return _running(job)


def _generating(call: Handler, body: Body, route: str) -> Pieces | Piece:
    """The pieces of a completion, or the whole answer when nothing is said. Raises Problem."""
    bind(call.standin, body)
    model = find(call.standin, body, empty=(404, "model '' not found"))
    head = {"model": body["model"], "created_at": rfc3339(call.standin.store.clock.now()), "response": ""}
    if model.config.get("remote_host"):
        raise Problem(401, "unauthorized", signin_url=_SIGN_IN)
    if not body.get("prompt") and keep_alive(body.get("keep_alive")) == 0:
        call.standin.runners.unload(model.weights)
        return head | {"done": True, "done_reason": "unload"}
    if "image" in model.capabilities and call.standin.release.since(0, 30):
        raise Problem(400, "image generation models are not currently supported")
    if body.get("raw") and (body.get("template") or body.get("system") or body.get("context")):
        raise Problem(400, "raw mode does not support template, system, or context")
    job = Job.of(call.standin, model, body, route, "generate", call.gone)
    if not body.get("prompt"):
        _only_load(job)
        return head | {"done": True, "done_reason": "load"}
    return _running(job)


def _only_load(job: Job) -> None:
    runner, _ = job.load()
    job.standin.runners.release(runner)


def _running(job: Job) -> Pieces:
    runner, seconds = job.load()
    try:
        yield from job.pieces(runner, seconds)
    finally:
        job.standin.runners.release(runner)


def _native(call: Handler, body: Body, pieces: Pieces | Piece) -> None:
    """Frame pieces as lines, or all of them as one answer."""
    if isinstance(pieces, dict):
        return call.reply_json(pieces)
    if body.get("stream") is False:
        return call.reply_json(_joined(pieces))
    try:
        with closing(pieces):
            for piece in pieces:
                if piece["done"]:
                    call.tell("done")
                call.send_line(piece)
    except InStream as error:
        call.send_line({"error": str(error)})
    if not call.streaming:
        call.begin(NDJSON)
    call.end()


def _joined(pieces: Pieces) -> Piece:
    """The last piece with the texts of all of them. Raises Problem."""
    texts: dict[str, str] = {}
    calls: list[Any] = []
    whole: Piece | None = None
    try:
        for whole in pieces:
            part = whole.get("message", whole)
            for key in ("content", "response", "thinking"):
                if key in part:
                    texts[key] = texts.get(key, "") + part[key]
            calls += part.get("tool_calls") or []
    except InStream as error:
        raise Problem(500, str(error)) from None
    if whole is None:
        # the runner said nothing and ended: Go answers with what it has
        return {
            "model": "",
            "created_at": "0001-01-01T00:00:00Z",
            "message": {"role": "", "content": ""},
            "done": False,
        }
    said: Piece = {key: text for key, text in texts.items() if text or key != "thinking"}
    said |= {"tool_calls": calls} if calls else {}
    if "message" not in whole:
        order = {"model": whole["model"], "created_at": whole["created_at"], **said}
        return order | {key: value for key, value in whole.items() if key not in order and key != "thinking"}
    return whole | {"message": {"role": whole["message"]["role"], **said}}


def _coated(call: Handler, *, chat: bool) -> None:
    """One of the two OpenAI routes."""
    try:
        body = call.json_body("openai.Request")
        request = openai.chat_request(body) if chat else openai.generate_request(body)
        coat = openai.Coat(chat, bool((body.get("stream_options") or {}).get("include_usage")))
        route = "/v1/chat/completions" if chat else "/v1/completions"
        pieces = _chatting(call, request, route) if chat else _generating(call, request, route)
        if isinstance(pieces, dict):
            pieces = (piece for piece in [pieces])
        if not request["stream"]:
            return call.reply_json(coat.whole(_joined(pieces)), media_type=PLAIN_JSON, line=True)
        _events(call, coat, pieces)
    except Problem as problem:
        answer = openai.error(problem.status, str(problem))
        call.reply_json(answer, problem.status, PLAIN_JSON, line=True)


def _events(call: Handler, coat: openai.Coat, pieces: Pieces) -> None:
    """Frame pieces as server-sent events."""
    try:
        with closing(pieces):
            for piece in pieces:
                if piece["done"]:
                    call.tell("done")
                if not call.streaming:
                    call.begin(SSE)
                for chunk in coat.chunks(piece):
                    call.send(chunk)
    except InStream:
        pass  # the coat cannot say it: the stream ends without [DONE]
    if not call.streaming:
        call.begin(SSE)
    call.end()


def embed(call: Handler, _: Any) -> None:
    body = call.json_body("api.EmbedRequest")
    call.reply_json(_embedded(call, body))


def _embedded(call: Handler, body: Body) -> Body:
    bind(call.standin, body)
    wanted = str(body.get("model") or "")
    embedding.texts(body)
    missing = f'model "{wanted}" not found, try pulling it first'
    model = find(call.standin, body, empty=(404, "model '' not found"), missing=missing)
    runner, seconds = embedding.load(call.standin, model, body, call.gone)
    try:
        return embedding.embed(call.standin, model, body, runner, seconds)
    finally:
        call.standin.runners.release(runner)


def embeddings(call: Handler, _: Any) -> None:
    """The older route: one text, names matched by case, vectors as they come."""
    body = call.json_body("api.EmbeddingRequest")
    bind(call.standin, body)
    missing = f'model "{body.get("model") or ""}" not found, try pulling it first'
    model = find(call.standin, body, empty=(400, "model is required"), missing=missing, fold=False)
    runner, _seconds = embedding.load(call.standin, model, body, call.gone)
    try:
        prompt = str(body.get("prompt") or "")
        vector = embedding.vector(call.standin, model, prompt) if prompt else []
    except Problem as problem:
        raise Problem(500, str(problem)) from None
    finally:
        call.standin.runners.release(runner)
    call.reply_json({"embedding": vector})


def v1_embeddings(call: Handler, _: Any) -> None:
    try:
        body = call.json_body("openai.EmbedRequest")
        if body.get("input") is None or body["input"] == []:
            raise Problem(400, "invalid input")
        request = {**body, "input": body["input"] or [""]}
        answer = openai.embeddings(_embedded(call, request), str(body["model"]))
    except Problem as problem:
        answer = openai.error(problem.status, str(problem))
        return call.reply_json(answer, problem.status, PLAIN_JSON, line=True)
    call.reply_json(answer, media_type=PLAIN_JSON, line=True)


ROUTES: dict[str, dict[str, Route]] = {
    "/api/chat": {"POST": chat},
    "/api/generate": {"POST": generate},
    "/api/embed": {"POST": embed},
    "/api/embeddings": {"POST": embeddings},
    "/v1/chat/completions": {"POST": v1_chat},
    "/v1/completions": {"POST": v1_completions},
    "/v1/embeddings": {"POST": v1_embeddings},
}
