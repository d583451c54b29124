"""Routes that change the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from contextlib import closing
from typing import Any

from standin import change
from standin.change import Missing, Refused
from standin.handler import PLAIN_JSON, Handler, HungUp, Problem, Route
from standin.names import Name, is_digest
from standin.pull import Cut, Event, Failed, Gone, Pull


def pull(call: Handler, _: Any) -> None:
    body = call.json_body("api.PullRequest")
    wanted = str(body.get("model") or body.get("name") or "")
    name = Name.parse(wanted)
    if name is None:
        raise Problem(400, "invalid model name")
    with call.standin.store.lock:
        name = call.standin.store.existing(name)
    _answer(call, body, _pulling(call, name, insecure=bool(body.get("insecure"))))


def create(call: Handler, _: Any) -> None:
    body = call.json_body("api.CreateRequest")
    files = body.get("files") or {}
    if not all(change.valid_file_name(file) for file in files):
        raise Problem(400, "file path must be relative")
    if not all([*files.values(), *(body.get("adapters") or {}).values()]):
        raise Problem(400, "invalid digest format")
    name = Name.parse(str(body.get("model") or body.get("name") or ""))
    if name is None:
        raise Problem(400, "invalid model name")
    standin = call.standin
    with standin.store.lock:
        name = standin.store.existing(name)
    events = change.create(
        standin.store,
        name,
        body,
        lambda base: _pulling(call, base, insecure=False, nested=True),
        prune=standin.prune,
        written=lambda: call.tell("done"),
    )
    _answer(call, body, events)


def _pulling(call: Handler, name: Name, *, insecure: bool, nested: bool = False) -> Generator[Event, None, None]:
    """The events of a pull, its troubles as Refused. A nested one does not end the request."""
    standin = call.standin
    job = Pull(
        standin.store,
        standin.registry,
        name,
        standin.release,
        standin.downloads,
        standin.pace,
        insecure=insecure,
        fault=standin.pull_trouble(name.short),
        prune=standin.prune,
        gone=call.gone,
        written=(lambda: None) if nested else lambda: call.tell("done"),
    )
    try:
        yield from job.events()
    except Failed as error:
        raise Refused(str(error)) from None
    except Gone:
        raise HungUp from None


def _answer(call: Handler, body: dict[str, Any], events: Generator[Event, None, None]) -> None:
    """Send events as they come, or only the last when the client wants no stream."""
    streamed = body.get("stream", True) is not False
    latest: Event = {}
    try:
        with closing(events):
            for latest in events:
                if call.gone():
                    raise HungUp
                if streamed:
                    call.send_line(latest)
    except Refused as error:
        if not call.streaming:
            raise Problem(error.status, str(error), PLAIN_JSON) from None
        call.tell("done")
        call.send_line({"error": str(error)})
    except Cut as broken:
        if not broken.clean:
            raise HungUp from None
    if call.streaming:
        call.end()
    else:
        call.reply_json(latest, media_type=PLAIN_JSON)


def copy(call: Handler, _: Any) -> None:
    body = call.json_body("api.CopyRequest")
    names = []
    for field in ("source", "destination"):
        text = str(body.get(field) or "")
        name = Name.parse(text)
        if name is None:
            raise Problem(400, f"{field} {json.dumps(text, ensure_ascii=False)} is invalid")
        names.append(name)
    store = call.standin.store
    with store.lock:
        source, destination = (store.existing(name) for name in names)
        try:
            change.copy(store, source, destination)
        except Missing:
            raise Problem(404, f'model "{body["source"]}" not found') from None
    call.reply(200, b"", None)


def delete(call: Handler, _: Any) -> None:
    body = call.json_body("api.DeleteRequest")
    wanted = str(body.get("model") or body.get("name") or "")
    if not wanted:
        raise Problem(400, "model is required")
    name = Name.parse(wanted)
    if name is None:
        raise Problem(400, f"name {json.dumps(wanted, ensure_ascii=False)} is invalid")
    store = call.standin.store
    with store.lock:
        try:
            change.delete(store, store.existing(name))
        except Missing:
            raise Problem(404, f"model '{wanted}' not found") from None
        except ValueError as error:
            raise Problem(500, str(error)) from None
    call.reply(200, b"", None)


def store_blob(call: Handler, digest: str) -> None:
    if not is_digest(digest):
        raise Problem(400, "invalid digest format")
    store = call.standin.store
    with store.lock:
        if digest in store.blobs:
            return call.reply(200, b"", None)
        # kept under its real digest even when it is not the one that was asked for
        real = store.blob(call.raw, digest="sha256:" + hashlib.sha256(call.raw).hexdigest())
    if real != digest:
        raise Problem(400, f'digest mismatch, expected "{digest}", got "{real}"')
    call.reply(201, b"", None)


ROUTES: dict[str, dict[str, Route]] = {
    "/api/pull": {"POST": pull},
    "/api/create": {"POST": create},
    "/api/copy": {"POST": copy},
    "/api/delete": {"DELETE": delete},
    "/api/blobs/:": {"POST": store_blob},
}
