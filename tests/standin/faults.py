"""Ways for the stand-in to misbehave. Each takes the handler and answers in place of the route."""

from __future__ import annotations

import io
import os
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from standin.handler import Handler

Fault = Callable[["Handler"], None]


def answer(status: int, body: str = "", media_type: str | None = "text/plain", **headers: str) -> Fault:
    """A fixed answer. `Server="llama.cpp"` sets a header; underscores in its name become dashes."""

    def fault(handler: Handler) -> None:
        handler.reply(
            status, body.encode(), media_type, {key.replace("_", "-"): value for key, value in headers.items()}
        )

    return fault


forbidden = answer(403, media_type=None)
web_page = answer(200, "<!DOCTYPE html><html><title>Welcome to nginx!</title></html>", "text/html")
not_json = answer(200, "OK", "application/json")
unauthorized = answer(401, "unauthorized")
server_error = answer(500, '{"error":"something went wrong"}', "application/json; charset=utf-8")
model_missing = answer(404, '{"error":"model \'x:latest\' not found"}', "application/json; charset=utf-8")
busy = answer(
    503,
    '{"error":"server busy, please try again.  maximum pending requests exceeded"}',
    "application/json; charset=utf-8",
)
unknown_route = answer(404, "404 page not found")
bad_gateway = answer(502, "<html><title>502 Bad Gateway</title></html>", "text/html")
llama_server = answer(
    404,
    '{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}',
    "application/json",
    Server="llama.cpp",
)


def hang(handler: Handler) -> None:
    """Take the request and never answer."""
    handler.standin.stopping.wait()
    handler.close_connection = True


def slow(seconds: float) -> Fault:
    """Answer rightly, but only after `seconds`."""

    def fault(handler: Handler) -> None:
        handler.standin.stopping.wait(seconds)
        handler.route()

    return fault


def lose_answer(handler: Handler) -> None:
    """Do what was asked, and close the connection in place of answering."""
    kept, handler.wfile = handler.wfile, io.BytesIO()
    try:
        handler.route()
    finally:
        handler.wfile = kept
        handler.close_connection = True


def drop(handler: Handler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True


def garbage(handler: Handler) -> None:
    """Something that is not HTTP."""
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """A good status line, and then one byte of header at a time, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _trickle(handler)


def drip_body(handler: Handler) -> None:
    """A good header, and then one byte of body at a time, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    _trickle(handler)


def _trickle(handler: Handler) -> None:
    while not handler.standin.stopping.wait(0.02):
        handler.wfile.write(b" ")
        handler.wfile.flush()
    handler.close_connection = True


def cut(handler: Handler) -> None:
    """Half an answer."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"models":')
    handler.close_connection = True


def reset(handler: Handler) -> None:
    """Half an answer, and then a reset in place of an end, as from a server that is killed."""
    cut(handler)
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def endless(handler: Handler) -> None:
    """An answer without end, as fast as it goes."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while not handler.standin.stopping.is_set():
        handler.wfile.write(piece)
