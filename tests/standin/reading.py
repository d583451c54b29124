"""Routes that read."""

from __future__ import annotations

from typing import Any

from standin import answers, openai
from standin.answers import NotFound
from standin.handler import PLAIN_JSON, Handler, Problem, Route
from standin.store import Name


def root(call: Handler, _: Any) -> None:
    call.reply(200, b"Ollama is running", "text/plain; charset=utf-8")


def version(call: Handler, _: Any) -> None:
    call.reply_json({"version": call.standin.version})


def tags(call: Handler, _: Any) -> None:
    with call.standin.store.lock:
        answer = answers.tags(call.standin.store, call.standin.release)
    call.reply_json(answer)


def ps(call: Handler, _: Any) -> None:
    with call.standin.store.lock:
        call.standin.runners.expire()
        answer = answers.ps(call.standin.store, call.standin.release)
    call.reply_json(answer)


def show(call: Handler, _: Any) -> None:
    body = call.json_body("api.ShowRequest")
    wanted = str(body.get("model") or body.get("name") or "")
    if not wanted:
        raise Problem(400, "model is required")
    name = Name.parse(wanted)
    if name is None:
        raise Problem(400, "invalid model name")
    store, release = call.standin.store, call.standin.release
    with store.lock:
        name = store.existing(name)
        digest = store.manifests[name].digest if name in store.manifests else ""
        key = (name, digest, bool(body.get("verbose")))
        cached = release.since(0, 23, 2) and not body.get("system") and not body.get("options")
        try:
            answer = call.standin.shown.get(key) if cached else None
            if answer is None:
                answer = answers.show(store, name, verbose=bool(body.get("verbose")), release=release)
        except NotFound:
            raise Problem(404, f"model '{name.short}' not found") from None
        except ValueError as error:
            raise Problem(500, str(error)) from None
        if cached:
            call.standin.shown[key] = answer
    call.reply_json(answer)


def has_blob(call: Handler, digest: str) -> None:
    present = call.standin.store.has_blob(digest)
    if present is None:
        raise Problem(400, "invalid digest format")
    if not present:
        raise Problem(404, f'blob "{digest}" not found')
    call.reply(200, b"", None)


def v1_models(call: Handler, _: Any) -> None:
    with call.standin.store.lock:
        answer = answers.v1_models(call.standin.store, call.standin.release)
    call.reply_json(answer, media_type=PLAIN_JSON, line=True)


def v1_model(call: Handler, wanted: str) -> None:
    name, store = Name.parse(wanted), call.standin.store
    with store.lock:
        entry = store.manifests.get(store.existing(name)) if name else None
    if name is None or entry is None:
        status, text = (400, "invalid model name") if name is None else (404, f"model '{name.short}' not found")
        return call.reply_json(openai.error(status, text), status, PLAIN_JSON, line=True)
    answer = {"id": wanted, "object": "model", "created": entry.modified // 10**9, "owned_by": name.namespace}
    call.reply_json(answer, media_type=PLAIN_JSON, line=True)


ROUTES: dict[str, dict[str, Route]] = {
    "/": {"GET": root, "HEAD": root},
    "/api/version": {"GET": version, "HEAD": version},
    "/api/tags": {"GET": tags, "HEAD": tags},
    "/api/ps": {"GET": ps},
    "/api/show": {"POST": show},
    "/api/blobs/:": {"HEAD": has_blob},
    "/v1/models": {"GET": v1_models},
    "/v1/models/:": {"GET": v1_model},
}
