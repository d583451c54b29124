"""Builds GGUF headers byte by byte, right or wrong ones, independently of the reader and of the `gguf` package."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
UINT8, INT32, UINT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 0, 5, 4, 6, 7, 8, 9, 10


def string(value: str | bytes, order: str = "<") -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(f"{order}Q", len(data)) + data


def value(kind: int, content: Any, order: str = "<") -> bytes:
    """The bytes of a value without its type. An array's content is (entry type, entries)."""
    if kind == STRING:
        return string(content, order)
    if kind == ARRAY:
        entry_kind, entries = content
        head = struct.pack(f"{order}IQ", entry_kind, len(entries))
        return head + b"".join(value(entry_kind, entry, order) for entry in entries)
    return struct.pack(order + CODES[kind], content)


def key(name: str | bytes, kind: int, content: Any, order: str = "<") -> bytes:
    return string(name, order) + struct.pack(f"{order}I", kind) + value(kind, content, order)


def tensor(name: str, shape: Sequence[int] = (32,), kind: int = 0, offset: int = 0, order: str = "<") -> bytes:
    dimensions = struct.pack(f"{order}I{len(shape)}Q", len(shape), *shape)
    return string(name, order) + dimensions + struct.pack(f"{order}IQ", kind, offset)


def header(
    keys: Iterable[bytes] = (),
    tensors: Iterable[bytes] = (),
    *,
    version: int = 3,
    order: str = "<",
    key_count: int | None = None,
    tensor_count: int | None = None,
) -> bytes:
    keys, tensors = list(keys), list(tensors)
    counts = (
        len(tensors) if tensor_count is None else tensor_count,
        len(keys) if key_count is None else key_count,
    )
    return b"GGUF" + struct.pack(f"{order}IQQ", version, *counts) + b"".join(keys) + b"".join(tensors)


def model(
    architecture: str = "llama",
    *,
    metadata: Iterable[bytes] = (),
    tokens: int = 64,
    chat_template: str | None = None,
    width: int = 32,
) -> bytes:
    """A whole little model file: one layer, tied output, weights of zeros."""
    prefix = architecture
    keys = [
        key("general.architecture", STRING, architecture),
        key("general.file_type", UINT32, 0),
        key(f"{prefix}.block_count", UINT32, 1),
        key(f"{prefix}.context_length", UINT32, 4096),
        key(f"{prefix}.embedding_length", UINT32, width),
        key(f"{prefix}.feed_forward_length", UINT32, width * 2),
        key(f"{prefix}.attention.head_count", UINT32, 2),
        key(f"{prefix}.attention.head_count_kv", UINT32, 1),
        *metadata,
        key("tokenizer.ggml.model", STRING, "gpt2"),
        key("tokenizer.ggml.tokens", ARRAY, (STRING, [f"t{index}" for index in range(tokens)])),
    ]
    if chat_template is not None:
        keys.append(key("tokenizer.chat_template", STRING, chat_template))
    shapes = {"token_embd.weight": (width, tokens), "blk.0.attn_k.weight": (width, width // 2)}
    tensors, offset = [], 0
    for name, shape in shapes.items():
        tensors.append(tensor(name, shape, offset=offset))
        offset += 4 * shape[0] * shape[1]
    data = header(keys, tensors)
    return data + bytes(-len(data) % 32) + bytes(offset)
