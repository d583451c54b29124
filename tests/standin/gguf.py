"""GGUF headers for the stand-in: a reader for files that are known to be sound, and a writer from plain values."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any

import gguf_bytes

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_TYPES = {  # number, elements a block, bytes a block
    "F32": (0, 1, 4),
    "F16": (1, 1, 2),
    "Q4_0": (2, 32, 18),
    "Q8_0": (8, 32, 34),
    "Q4_K": (12, 256, 144),
    "Q6_K": (14, 256, 210),
    "BF16": (30, 1, 2),
}
_TYPE_NAMES = {number: name for name, (number, _, _) in _TYPES.items()}


@dataclass(frozen=True)
class Gguf:
    """What a file says: keys with their values (arrays as lists), and (name, type, shape) of each tensor."""

    metadata: dict[str, Any] = field(default_factory=dict)
    tensors: tuple[tuple[str, str, tuple[int, ...]], ...] = ()

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))

    @property
    def parameters(self) -> int:
        return sum(prod(shape) for _, _, shape in self.tensors)

    def of_architecture(self, key: str) -> Any:
        return self.metadata.get(f"{self.architecture}.{key}")


def llama(
    architecture: str = "llama",
    *,
    layers: int = 1,
    hidden: int = 64,
    heads: int = 4,
    kv_heads: int = 2,
    feed_forward: int = 128,
    vocabulary: int = 260,
    context: int = 4096,
    kind: str = "F16",
    extra: Mapping[str, Any] | None = None,
) -> Gguf:
    """A model with the tensors of a plain transformer. `extra` adds keys or replaces them; None takes one away."""
    metadata: dict[str, Any] = {
        "general.architecture": architecture,
        "general.file_type": 1,
        f"{architecture}.block_count": layers,
        f"{architecture}.context_length": context,
        f"{architecture}.embedding_length": hidden,
        f"{architecture}.feed_forward_length": feed_forward,
        f"{architecture}.attention.head_count": heads,
        f"{architecture}.attention.head_count_kv": kv_heads,
        f"{architecture}.rope.freq_base": 500000.0,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "llama-bpe",
        "tokenizer.ggml.tokens": [f"t{index}" for index in range(vocabulary)],
        **(extra or {}),
    }
    width = hidden // heads * kv_heads
    tensors: list[tuple[str, str, tuple[int, ...]]]
    tensors = [("token_embd.weight", kind, (hidden, vocabulary)), ("output.weight", kind, (hidden, vocabulary))]
    for index in range(layers):
        block = f"blk.{index}."
        tensors += [
            (block + "attn_norm.weight", "F32", (hidden,)),
            (block + "attn_q.weight", kind, (hidden, hidden)),
            (block + "attn_k.weight", kind, (hidden, width)),
            (block + "attn_v.weight", kind, (hidden, width)),
            (block + "attn_output.weight", kind, (hidden, hidden)),
            (block + "ffn_up.weight", kind, (hidden, feed_forward)),
            (block + "ffn_gate.weight", kind, (hidden, feed_forward)),
            (block + "ffn_down.weight", kind, (feed_forward, hidden)),
        ]
    return Gguf({key: value for key, value in metadata.items() if value is not None}, tuple(tensors))


def write(gguf: Gguf) -> tuple[bytes, int]:
    """The header, and the size in bytes the whole file has: the weights are never written out."""
    keys = [gguf_bytes.key(name, *_typed(value)) for name, value in gguf.metadata.items()]
    tensors, offset = [], 0
    for name, kind, shape in gguf.tensors:
        number, elements, size = _TYPES[kind]
        tensors.append(gguf_bytes.tensor(name, shape, number, offset))
        offset += -(-(prod(shape) // elements * size) // 32) * 32
    header = gguf_bytes.header(keys, tensors)
    header += bytes(-len(header) % 32)
    return header, len(header) + offset


def _typed(value: Any) -> tuple[int, Any]:
    match value:
        case bool():
            return gguf_bytes.BOOL, value
        case int():
            return (gguf_bytes.UINT32, value) if 0 <= value < 2**32 else (gguf_bytes.UINT64, value)
        case float():
            return gguf_bytes.FLOAT32, value
        case str():
            return gguf_bytes.STRING, value
        case [bool(), *_]:
            return gguf_bytes.ARRAY, (gguf_bytes.BOOL, value)
        case [str(), *_]:
            return gguf_bytes.ARRAY, (gguf_bytes.STRING, value)
        case list() | tuple():
            return gguf_bytes.ARRAY, (gguf_bytes.INT32, value)
    raise TypeError(f"no GGUF type for {value!r}")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def unpack(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return value

    def text(self) -> str:
        length = self.unpack("<Q")
        self._at += length
        return self._data[self._at - length : self._at].decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == gguf_bytes.STRING:
            return self.text()
        if kind == gguf_bytes.ARRAY:
            entry, count = self.unpack("<I"), self.unpack("<Q")
            return [self.value(entry) for _ in range(count)]
        value = self.unpack(_SCALARS[kind])
        return go_float32(value) if kind == gguf_bytes.FLOAT32 else value


@lru_cache(maxsize=256)
def read(data: bytes) -> Gguf:
    """The header of a sound little-endian file. Raises ValueError or struct.error for anything else."""
    if data[:4] != b"GGUF":
        raise ValueError("invalid file magic")
    reader = _Reader(data[4:])
    if reader.unpack("<I") not in (2, 3):
        raise ValueError("unsupported version")
    tensor_count, key_count = reader.unpack("<Q"), reader.unpack("<Q")
    metadata = {}
    for _ in range(key_count):
        name = reader.text()
        metadata[name] = reader.value(reader.unpack("<I"))
    tensors = []
    for _ in range(tensor_count):
        name, dimensions = reader.text(), reader.unpack("<I")
        shape = tuple(reader.unpack("<Q") for _ in range(dimensions))
        number = reader.unpack("<I")
        reader.unpack("<Q")
        tensors.append((name, _TYPE_NAMES.get(number, f"unknown type {number}"), shape))
    return Gguf(metadata, tuple(tensors))


def in_show_order(names: Iterable[str]) -> list[str]:
    """`/api/show` lists the tensors outside of blocks first, then block by block, each by name."""

    def key(name: str) -> tuple[int, str]:
        parts = name.split(".")
        return (int(parts[1]) if parts[0] == "blk" else -1, name)

    return sorted(names, key=key)


def go_float32(value: float) -> float | int:
    """The number Go prints for a 32-bit float: the shortest decimal that means it."""
    if value == int(value) and abs(value) < 1e21:
        return int(value)
    packed = struct.pack("<f", value)
    for digits in range(1, 10):
        shorter = float(f"{value:.{digits}g}")
        if struct.pack("<f", shorter) == packed:
            return shorter
    return value
