"""Reads what stands before the weights in a GGUF file: metadata, and name, type and shape of every tensor.

Format: ggml's docs/gguf.md, versions 2 and 3, little and big endian. The weights are never touched, and arrays are
passed over without building them: a vocabulary of 150,000 tokens costs a walk over its lengths and no memory. Files
come from strangers, so every count is held against the size of the file and against fixed limits before it is used.
"""

from __future__ import annotations

import operator
import os
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from llamaexit.errors import GgufError

if TYPE_CHECKING:
    from pathlib import Path

KEPT_ARRAY = 1024
"""Entries of the longest number array whose values are kept."""
KEPT_TEXT = 1 << 20
"""Bytes of the longest string value that is kept (a chat template, not a whole tokenizer.json)."""
MAX_TEXT = 16 << 20
"""Bytes of all names and kept strings together."""
MAX_HEADER = 256 << 20
"""Bytes of the longest header that is read; those of real models are 5 to 30 MB."""
MAX_KEYS = 1 << 16
MAX_TENSORS = 1 << 17
MAX_NAME = 1 << 16
"""Bytes of the longest key or tensor name; the format allows 65,535 for a key."""
MAX_DIMENSIONS = 4
MAX_DEPTH = 4
"""Arrays inside arrays, the outermost counted."""
MAX_NESTED = 1 << 14
"""Arrays inside arrays, in the whole header."""
MAX_STRINGS = 8 << 20
"""Strings inside arrays, in the whole header: tokens and merges of the largest vocabularies are below one million."""

ReadAt = Callable[[int, int], bytes]
"""`read(offset, size)`: up to `size` bytes from `offset`; fewer only where the file ends."""
ByteOrder = Literal["little", "big"]

TENSOR_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", 30: "BF16", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 34: "TQ1_0", 35: "TQ2_0",
    36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0", 42: "Q2_0",
    4: "MXFP4",  # what Ollama wrote for gpt-oss before ggml had a number for it (ollama fs/ggml/ggml.go)
}  # fmt: skip
"""ggml's tensor types by number (ggml.h)."""

_MAGIC = b"GGUF"
_OLD_MAGICS = {b"ggml", b"ggmf", b"ggjt", b"ggla", b"lmgg", b"fmgg", b"tjgg", b"algg"}
_VERSIONS = (2, 3)
_FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_DEFAULT_ALIGNMENT = 32
_SHOWN = 80
_MAX_ALIGNMENT = 1 << 20
_SMALLEST_KEY = 8 + 4 + 1
_SMALLEST_TENSOR = 8 + 4 + 4 + 8
_LARGEST_WINDOW = 4 << 20


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the tensor table. `offset` counts bytes from the start of the data section.

    `type` is ggml's name, `type <n>` for a number that no release known here uses.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says about itself.

    `metadata` holds scalars, and arrays of up to KEPT_ARRAY numbers or booleans as tuples; strings are decoded lossily.
    `array_lengths` has every array, kept or not. `data_offset` is the byte at which the weights start.
    """

    version: int
    byte_order: ByteOrder
    metadata: dict[str, Any]
    array_lengths: dict[str, int]
    tensors: tuple[Tensor, ...]
    data_offset: int


def read_header(path: Path, *, size: int | None = None) -> Header:
    """Read the header of a file. `size` overrides the file's own, for one that has not arrived whole.

    Raises GgufError, which names the file and what is wrong with it.
    """
    try:
        # opening a FIFO would wait for a writer
        if not stat.S_ISREG(path.stat().st_mode):
            raise GgufError(f"{path}: not a regular file")
        with path.open("rb", buffering=0) as file:
            length = os.fstat(file.fileno()).st_size

            def read(offset: int, count: int) -> bytes:
                file.seek(offset)
                return file.read(count)

            return parse_header(read, length if size is None else size, source=str(path))
    except OSError as error:
        raise GgufError(f"{path}: cannot be read: {error.strerror or error}") from error


def _in_words(magic: bytes) -> str:
    """The first bytes of a file as text where they are text, else in hexadecimal."""
    text = magic.decode("latin-1")
    return f'"{text}"' if text.isascii() and text.isprintable() else f"the bytes {magic.hex(' ')}"


def parse_header(read: ReadAt, file_size: int | None, *, source: str = "GGUF data", window: int = 64 << 10) -> Header:
    """Read a header through `read`, `window` bytes at first and twice as many each time after that.

    `file_size` is None when nobody knows it. Raises GgufError, which starts with `source`; what `read` raises passes
    through.
    """
    cursor = _Cursor(read, file_size, source, window)
    byte_order, version = _preamble(cursor)
    tensor_count = cursor.count("tensors", MAX_TENSORS, _SMALLEST_TENSOR)
    key_count = cursor.count("keys", MAX_KEYS, _SMALLEST_KEY)
    metadata: dict[str, Any] = {}
    array_lengths: dict[str, int] = {}
    for _ in range(key_count):
        _read_key(cursor, metadata, array_lengths)
    tensors = _read_tensors(cursor, tensor_count)
    alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if type(alignment) is not int or not 0 < alignment <= _MAX_ALIGNMENT or alignment & (alignment - 1):
        raise cursor.error(f"general.alignment is {alignment!r}, not a power of two up to {_MAX_ALIGNMENT}")
    return Header(
        version=version,
        byte_order=byte_order,
        metadata=metadata,
        array_lengths=array_lengths,
        tensors=tensors,
        data_offset=-(-cursor.position // alignment) * alignment,
    )


def _preamble(cursor: _Cursor) -> tuple[ByteOrder, int]:
    if cursor.file_size == 0:
        raise cursor.error("the file is empty")
    magic = cursor.take(4, "the file type")
    if magic in _OLD_MAGICS:
        raise GgufError(
            f"{cursor.source}: an old GGML file from before GGUF", hint="convert the model again from its source"
        )
    if magic != _MAGIC:
        raise cursor.error(f"not a GGUF file: it starts with {_in_words(magic)}")
    raw = cursor.take(4, "the version")
    # a version is a small number, so its zero bytes tell the byte order; the format has no other mark
    byte_order: ByteOrder = "big" if raw[:2] == b"\0\0" and raw[2:] != b"\0\0" else "little"
    cursor.use(byte_order)
    version = int.from_bytes(raw, byte_order)
    if version == 1:
        raise GgufError(
            f"{cursor.source}: GGUF version 1, which no current program reads",
            hint="convert the model again from its source",
        )
    if version not in _VERSIONS:
        raise cursor.error(f"GGUF version {version} is not known here (known: 2 and 3)")
    return byte_order, version


def _shown(name: str) -> str:
    """A key or tensor name in an error: short, and without characters that could do harm on a terminal."""
    return repr(name) if len(name) <= _SHOWN else f"{name[:_SHOWN]!r}…"


def _read_key(cursor: _Cursor, metadata: dict[str, Any], array_lengths: dict[str, int]) -> None:
    key = cursor.text(MAX_NAME, "a key")
    shown = _shown(key)
    if key in metadata or key in array_lengths:
        raise cursor.error(f"the key {shown} occurs twice")
    kind = cursor.u32(f"the type of {shown}")
    if kind == _STRING:
        value = cursor.long_text(f"the value of {shown}")
        if value is not None:
            metadata[key] = value
    elif kind == _ARRAY:
        length, entries = _array(cursor, shown, depth=1)
        array_lengths[key] = length
        if entries is not None:
            metadata[key] = entries
    else:
        metadata[key] = cursor.scalar(kind, shown)


def _array(cursor: _Cursor, shown: str, depth: int) -> tuple[int, tuple[Any, ...] | None]:
    """Pass over an array. Returns its length, and its entries where they are few and numbers."""
    if depth > MAX_DEPTH:
        raise cursor.error(f"the array {shown} is nested more than {MAX_DEPTH} deep")
    kind = cursor.u32(f"the entry type of {shown}")
    length = cursor.u64(f"the length of {shown}")
    if kind == _STRING:
        cursor.skip_strings(length, shown)
        return length, None
    if kind == _ARRAY:
        cursor.spend_nested(length, shown)
        for _ in range(length):
            _array(cursor, shown, depth + 1)
        return length, None
    size = cursor.size_of(kind, shown)
    if length <= KEPT_ARRAY and depth == 1:
        return length, cursor.numbers(kind, length, shown)
    cursor.skip(length * size, f"the array {shown} of {length} entries")
    return length, None


def _read_tensors(cursor: _Cursor, count: int) -> tuple[Tensor, ...]:
    tensors: dict[str, Tensor] = {}
    for _ in range(count):
        name = cursor.text(MAX_NAME, "a tensor name")
        shown = _shown(name)
        if name in tensors:
            raise cursor.error(f"the tensor {shown} occurs twice")
        dimensions = cursor.u32(f"the dimensions of {shown}")
        if dimensions > MAX_DIMENSIONS:
            raise cursor.error(f"the tensor {shown} has {dimensions} dimensions (at most {MAX_DIMENSIONS})")
        shape = tuple(cursor.u64(f"the shape of {shown}") for _ in range(dimensions))
        elements = 1
        for length in shape:
            elements *= length
        if elements >= 1 << 63 or max(shape, default=0) >= 1 << 63:
            raise cursor.error(f"the tensor {shown} has an impossible shape {shape}")
        kind = cursor.u32(f"the type of {shown}")
        offset = cursor.u64(f"the offset of {shown}")
        if offset >= 1 << 63:
            raise cursor.error(f"the tensor {shown} has the negative offset {offset - (1 << 64)}")
        tensors[name] = Tensor(name, TENSOR_TYPES.get(kind, f"type {kind}"), shape, offset)
    return tuple(tensors.values())


class _Cursor:
    """A position in a file that is read in growing windows, and the budgets that keep the work bounded."""

    def __init__(self, read: ReadAt, file_size: int | None, source: str, window: int) -> None:
        self.file_size = file_size
        self.source = source
        self._read = read
        self._window = window
        self._buffer = b""
        self._start = 0  # offset in the file of the first byte in the buffer
        self._at = 0  # index in the buffer of the next byte
        self._strings = MAX_STRINGS
        self._nested = MAX_NESTED
        self._text = MAX_TEXT
        self.use("little")

    @property
    def position(self) -> int:
        return self._start + self._at

    def use(self, byte_order: ByteOrder) -> None:
        mark = "<" if byte_order == "little" else ">"
        self._mark = mark
        self._u32 = struct.Struct(f"{mark}I").unpack_from
        self._u64 = struct.Struct(f"{mark}Q").unpack_from
        self._scalars = {kind: struct.Struct(mark + code) for kind, code in _FORMATS.items()}

    def error(self, what: str) -> GgufError:
        return GgufError(f"{self.source}: {what}")

    def _room(self, size: int, what: str) -> None:
        """Refuse `size` bytes from here that the file cannot have."""
        end = self.position + size
        if self.file_size is not None and end > self.file_size:
            raise self.error(f"truncated: {what} needs {end} bytes, the file has {self.file_size}")
        if end > MAX_HEADER:
            raise self.error(f"the header is longer than {MAX_HEADER >> 20} MiB at {what}")

    def _need(self, size: int, what: str) -> None:
        """Make the buffer hold `size` bytes from here."""
        if self._at + size <= len(self._buffer):
            return
        self._room(size, what)
        rest = self._buffer[self._at :]
        self._start, self._at = self.position, 0
        missing = max(size - len(rest), self._window)
        self._window = max(self._window, min(self._window * 2, _LARGEST_WINDOW))
        offset = self._start + len(rest)
        if self.file_size is not None:
            missing = min(missing, self.file_size - offset)
        self._buffer = rest + self._read(offset, missing)
        if len(self._buffer) < size:
            raise self.error(f"truncated: {what} needs {self._start + size} bytes, the file ends earlier")

    def take(self, size: int, what: str) -> bytes:
        self._need(size, what)
        start = self._at
        self._at += size
        return self._buffer[start : self._at]

    def skip(self, size: int, what: str) -> None:
        self._room(size, what)
        self._jump(self.position + size)

    def _jump(self, position: int) -> None:
        if position <= self._start + len(self._buffer):
            self._at = position - self._start
        else:
            self._buffer, self._start, self._at = b"", position, 0

    def u32(self, what: str) -> int:
        self._need(4, what)
        value: int = self._u32(self._buffer, self._at)[0]
        self._at += 4
        return value

    def u64(self, what: str) -> int:
        self._need(8, what)
        value: int = self._u64(self._buffer, self._at)[0]
        self._at += 8
        return value

    def count(self, what: str, limit: int, smallest: int) -> int:
        """A count of entries of which each takes at least `smallest` bytes."""
        value = self.u64(f"the number of {what}")
        if value > limit:
            raise self.error(f"claims {value} {what} (at most {limit} are read)")
        self._room(value * smallest, f"a table of {value} {what}")
        return value

    def text(self, limit: int, what: str) -> str:
        length = self.u64(f"the length of {what}")
        if length > limit:
            raise self.error(f"{what} claims to be {length} bytes long (at most {limit})")
        self._text -= length
        if self._text < 0:
            raise self.error(f"{what} brings the names to more than {MAX_TEXT >> 20} MiB")
        return self.take(length, what).decode("utf-8", "replace")

    def long_text(self, what: str) -> str | None:
        """A string value; None when it is too long to keep."""
        length = self.u64(f"the length of {what}")
        if length > min(KEPT_TEXT, self._text):
            self.skip(length, what)
            return None
        self._text -= length
        return self.take(length, what).decode("utf-8", "replace")

    def size_of(self, kind: int, shown: str) -> int:
        if kind not in self._scalars:
            raise self.error(f"{shown} has the unknown value type {kind}")
        return self._scalars[kind].size

    def scalar(self, kind: int, shown: str) -> Any:
        size = self.size_of(kind, shown)
        self._need(size, f"the value of {shown}")
        value = self._scalars[kind].unpack_from(self._buffer, self._at)[0]
        self._at += size
        return value

    def numbers(self, kind: int, length: int, shown: str) -> tuple[Any, ...]:
        data = self.take(length * self.size_of(kind, shown), f"the array {shown} of {length} entries")
        return struct.unpack(f"{self._mark}{length}{_FORMATS[kind]}", data)

    def spend_nested(self, length: int, shown: str) -> None:
        self._nested -= length
        if self._nested < 0:
            raise self.error(f"{shown} brings the arrays inside arrays to more than {MAX_NESTED}")

    def skip_strings(self, length: int, shown: str) -> None:
        """Pass over `length` strings without making them."""
        what = f"the array {shown} of {length} strings"
        self._strings -= length
        if self._strings < 0:
            raise self.error(f"{shown} brings the strings in arrays to more than {MAX_STRINGS}")
        self._room(length * 8, what)
        left = length
        while left:
            self._need(8, what)
            unpack, buffer, at = self._u64, self._buffer, self._at
            turns = iter(range(left))
            try:
                # nearly all the time that a real header takes goes into these two lines
                for _ in turns:
                    at += 8 + unpack(buffer, at)[0]
                left = 0
            except (struct.error, OverflowError):
                # the length of this string lies beyond the buffer; where it lies (`at`) is still right
                left = operator.length_hint(turns) + 1
            size = at - self._at
            self._room(size, what)
            self._jump(self._start + at)
