"""Whatever can be written as GGUF is read back; whatever has been damaged is read or refused, never anything else."""

from __future__ import annotations

import random
import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gguf_bytes import ARRAY, CODES, STRING, header, key, model, tensor
from llamaexit.errors import GgufError
from llamaexit.gguf import KEPT_ARRAY, TENSOR_TYPES, Header, Tensor, parse_header

SEED = 20260821
ROUNDS = 3000
INTERESTING = [0, 1, 9, 255, 1 << 16, (1 << 31) - 1, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


def bits(size: int, *, signed: bool = False) -> st.SearchStrategy[int]:
    return st.integers(-(1 << size - 1), (1 << size - 1) - 1) if signed else st.integers(0, (1 << size) - 1)


CONTENTS: dict[int, st.SearchStrategy[Any]] = {
    0: bits(8), 1: bits(8, signed=True), 2: bits(16), 3: bits(16, signed=True), 4: bits(32), 5: bits(32, signed=True),
    6: st.floats(width=32, allow_nan=False), 7: st.booleans(), 8: st.text(max_size=40), 10: bits(64),
    11: bits(64, signed=True), 12: st.floats(allow_nan=False),
}  # fmt: skip
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).filter(lambda name: name != "general.alignment")
KINDS = st.sampled_from(sorted(CONTENTS))
SCALARS = KINDS.flatmap(lambda kind: st.tuples(st.just(kind), CONTENTS[kind]))
ARRAYS = st.recursive(
    KINDS.flatmap(lambda kind: st.tuples(st.just(kind), st.lists(CONTENTS[kind], max_size=20))),
    lambda inner: st.tuples(st.just(ARRAY), st.lists(inner, max_size=3)),
    max_leaves=6,
)


def depth(array: tuple[int, list[Any]]) -> int:
    kind, entries = array
    return 1 + max((depth(entry) for entry in entries), default=0) if kind == ARRAY else 1


VALUES = SCALARS | ARRAYS.filter(lambda array: depth(array) <= 4).map(lambda array: (ARRAY, array))
TENSORS = st.dictionaries(
    NAMES,
    st.tuples(
        st.lists(st.integers(0, 1 << 15), max_size=4), st.sampled_from(sorted(TENSOR_TYPES)), st.integers(0, 1 << 62)
    ),
    max_size=5,
)


def counted(data: bytes, *, size_known: bool = True, window: int = 256) -> tuple[Header, int]:
    read = 0

    def read_at(offset: int, size: int) -> bytes:
        nonlocal read
        chunk = data[offset : offset + size]
        read += len(chunk)
        return chunk

    try:
        return parse_header(read_at, len(data) if size_known else None, window=window), read
    finally:
        assert read <= len(data)


@settings(deadline=None)
@given(
    st.dictionaries(NAMES, VALUES, max_size=8),
    TENSORS,
    st.sampled_from("<>"),
    st.sampled_from([2, 3]),
    st.integers(1, 300),
)
def test_what_was_written_is_read_back(
    values: dict[str, tuple[int, Any]],
    tensors: dict[str, tuple[list[int], int, int]],
    order: str,
    version: int,
    window: int,
) -> None:
    keys = [key(name, kind, content, order) for name, (kind, content) in values.items()]
    table = [tensor(name, shape, kind, offset, order) for name, (shape, kind, offset) in tensors.items()]
    result, _ = counted(header(keys, table, version=version, order=order), window=window)

    kept = {name: content for name, (kind, content) in values.items() if kind != ARRAY}
    for name, (kind, content) in values.items():
        if kind == ARRAY and content[0] in CODES and len(content[1]) <= KEPT_ARRAY:
            kept[name] = tuple(content[1])
    assert result.metadata == kept
    assert result.array_lengths == {name: len(content[1]) for name, (kind, content) in values.items() if kind == ARRAY}
    assert result.tensors == tuple(
        Tensor(name, TENSOR_TYPES[kind], tuple(shape), offset) for name, (shape, kind, offset) in tensors.items()
    )


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300), st.booleans(), st.sampled_from("<>"))
def test_bytes_of_any_kind_are_read_or_refused(data: bytes, size_known: bool, order: str) -> None:
    for prefix in (b"", b"GGUF" + struct.pack(f"{order}I", 3), b"GGUF" + struct.pack(f"{order}IQQ", 3, 1, 2)):
        try:
            counted(prefix + data, size_known=size_known)
        except GgufError as error:
            assert error.message.isprintable()


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to four of the damages that files suffer and attackers write."""
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged)) if damaged else 0
        match chance.randrange(5):
            case 0:
                del damaged[at:]
            case 1:
                damaged[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                damaged[at : at + 8] = struct.pack(chance.choice("<>") + "Q", chance.choice(INTERESTING))
            case 3:
                del damaged[at : at + chance.randint(1, 12)]
            case _:
                damaged[at:at] = damaged[at : at + chance.randint(1, 60)]
    return bytes(damaged)


@pytest.mark.parametrize("size_known", [True, False], ids=["size-known", "size-unknown"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_damaged_headers_are_read_or_refused_in_bounded_memory(order: str, size_known: bool) -> None:
    keys = [key(f"k.{kind}", kind, 1, order) for kind in CODES]
    keys += [
        key("text", STRING, "hello", order),
        key("words", ARRAY, (STRING, ["a", "bcd", "ef" * 40]), order),
        key("nested", ARRAY, (ARRAY, [(STRING, ["x"]), (4, [1, 2, 3])]), order),
        key("general.alignment", 4, 64, order),
    ]
    whole = header(keys, [tensor(f"blk.{n}.w", (32, n), order=order) for n in range(5)], order=order)
    assert len(counted(whole)[0].tensors) == 5
    chance = random.Random(SEED)
    read = refused = 0
    tracemalloc.start()
    try:
        for _ in range(ROUNDS):
            try:
                counted(mutated(whole, chance), size_known=size_known)
                read += 1
            except GgufError as error:
                refused += 1
                assert error.message.isprintable()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 << 20
    # were one of these rare, the mutations would no longer reach what they are meant to reach
    assert min(read, refused) > ROUNDS / 50


def test_a_damaged_model_file_is_read_or_refused() -> None:
    whole = model(tokens=40, chat_template="{{ x }}")
    chance = random.Random(SEED)
    for _ in range(ROUNDS // 3):
        try:
            counted(mutated(whole, chance))
        except GgufError as error:
            assert error.message.isprintable()
