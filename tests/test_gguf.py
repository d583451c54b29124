"""The GGUF reader: what it reads out of good files, and how it refuses bad ones."""

from __future__ import annotations

import os
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gguf_bytes import (
    ARRAY,
    BOOL,
    FLOAT32,
    INT32,
    STRING,
    UINT8,
    UINT32,
    UINT64,
    header,
    key,
    model,
    string,
    tensor,
)
from llamaexit import gguf
from llamaexit.errors import GgufError
from llamaexit.gguf import Tensor, parse_header, read_header


def parse(data: bytes, **options: Any) -> gguf.Header:
    return parse_header(lambda offset, size: data[offset : offset + size], len(data), **options)


def refusal(data: bytes) -> str:
    with pytest.raises(GgufError) as caught:
        parse_header(lambda offset, size: data[offset : offset + size], len(data), source="m.gguf")
    assert caught.value.message.startswith("m.gguf: ")
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(("order", "name"), [("<", "little"), (">", "big")])
@pytest.mark.parametrize("version", [2, 3])
def test_reads_every_value_type_in_both_byte_orders(order: str, name: str, version: int) -> None:
    samples = {
        0: 200,
        1: -5,
        2: 65000,
        3: -300,
        4: 4_000_000_000,
        5: -7,
        6: 0.5,
        7: True,
        10: 2**63,
        11: -(2**62),
        12: 1e300,
    }
    keys = [key(f"k.{kind}", kind, sample, order) for kind, sample in samples.items()]
    keys += [key("k.text", STRING, "grüß", order), key("k.list", ARRAY, (INT32, [1, -2, 3]), order)]
    data = header(keys, [tensor("t", (32, 2), 12, 64, order)], version=version, order=order)
    result = parse(data)
    assert (result.byte_order, result.version) == (name, version)
    assert {key: result.metadata[f"k.{key}"] for key in samples} == samples
    assert result.metadata["k.text"] == "grüß"
    assert result.metadata["k.list"] == (1, -2, 3)
    assert result.tensors == (Tensor("t", "Q4_K", (32, 2), 64),)


def test_keeps_short_number_arrays_and_only_the_length_of_others() -> None:
    result = parse(
        header(
            [
                key("short", ARRAY, (BOOL, [True, False])),
                key("longest", ARRAY, (UINT8, [7] * 1024)),
                key("long", ARRAY, (UINT8, [7] * 1025)),
                key("words", ARRAY, (STRING, ["a", "bc", ""])),
                key("none", ARRAY, (UINT32, [])),
                key("nested", ARRAY, (ARRAY, [(UINT8, [1, 2]), (STRING, ["x"]), (ARRAY, [(UINT8, [3])])])),
                key("after", UINT32, 5),
            ]
        )
    )
    assert result.metadata == {"short": (True, False), "longest": (7,) * 1024, "none": (), "after": 5}
    assert result.array_lengths == {
        "short": 2, "longest": 1024, "long": 1025, "words": 3, "none": 0, "nested": 3,
    }  # fmt: skip


def test_strings_that_are_no_utf8_are_decoded_lossily() -> None:
    result = parse(header([key("k", STRING, b"a\xffb"), key(b"\xfe", UINT8, 1)]))
    assert result.metadata == {"k": "a�b", "�": 1}


def test_a_string_of_megabytes_is_passed_over() -> None:
    data = header([key("huggingface.json", STRING, b"x" * (gguf.KEPT_TEXT + 1)), key("after", UINT8, 1)])
    assert parse(data).metadata == {"after": 1}


def test_many_strings_of_a_megabyte_are_kept_only_up_to_a_limit() -> None:
    count = gguf.MAX_TEXT // gguf.KEPT_TEXT + 5
    result = parse(header([key(f"{index}", STRING, b"x" * gguf.KEPT_TEXT) for index in range(count)]))
    assert 0 < sum(map(len, result.metadata.values())) <= gguf.MAX_TEXT


def test_refuses_names_that_are_megabytes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "MAX_TEXT", 1 << 20)
    assert "brings the names to more than 1 MiB" in refusal(
        header(tensors=[tensor(f"{index}{'x' * 60_000}") for index in range(20)])
    )


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "F32"),
        (4, "MXFP4"),
        (14, "Q6_K"),
        (34, "TQ1_0"),
        (39, "MXFP4"),
        (40, "NVFP4"),
        (41, "Q1_0"),
        (42, "Q2_0"),
        (99, "type 99"),
    ],
)
def test_names_tensor_types(number: int, name: str) -> None:
    assert parse(header(tensors=[tensor("t", kind=number)])).tensors[0].type == name


def test_tensor_type_names_agree_with_ggml() -> None:
    from gguf import GGMLQuantizationType

    ours = {number: gguf.TENSOR_TYPES[number] for number in map(int, GGMLQuantizationType)}
    assert ours == {int(kind): kind.name for kind in GGMLQuantizationType}


@pytest.mark.parametrize(("alignment", "expected"), [(None, 32), (1, 1), (64, 64), (4096, 4096)])
def test_data_starts_at_the_next_multiple_of_the_alignment(alignment: int | None, expected: int) -> None:
    keys = [] if alignment is None else [key("general.alignment", UINT32, alignment)]
    data = header([*keys, key("odd", STRING, "x" * 7)])
    assert parse(data).data_offset == -(-len(data) // expected) * expected


@pytest.mark.parametrize("window", [1, 7, 64, 1 << 20])
def test_windows_of_any_size_give_the_same_header(window: int) -> None:
    data = model(tokens=500, chat_template="{{ messages }}")
    assert parse(data, window=window) == parse(data)


def test_arrays_are_passed_over_without_reading_them() -> None:
    numbers = [0.0] * 400_000
    data = header([key("scores", ARRAY, (FLOAT32, numbers)), key("after", UINT32, 1)])
    read: list[int] = []

    def read_at(offset: int, size: int) -> bytes:
        read.append(size)
        return data[offset : offset + size]

    assert parse_header(read_at, len(data)).metadata == {"after": 1}
    assert sum(read) < len(data) / 10


def test_reads_on_when_nobody_knows_the_size_of_the_file() -> None:
    data = model()
    assert parse_header(lambda offset, size: data[offset : offset + size], None) == parse(data)


def test_each_byte_is_read_once_where_the_header_is_walked_through() -> None:
    data = header([key("words", ARRAY, (STRING, ["word"] * 50_000)), key("after", UINT32, 1)])
    read: list[tuple[int, int]] = []

    def read_at(offset: int, size: int) -> bytes:
        read.append((offset, size))
        return data[offset : offset + size]

    parse_header(read_at, len(data), window=1000)
    assert all(offset + size <= following for (offset, size), (following, _) in pairwise(read))


HUGE = 2**63 - 1
BAD: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "the file is empty"),
    "three bytes": (b"GGU", "truncated"),
    "a web page": (b"<!DOCTYPE html>" * 9, 'not a GGUF file: it starts with "<!DO"'),
    "random bytes": (b"\x94\x00\xff\x0a" * 9, "not a GGUF file: it starts with the bytes 94 00 ff 0a"),
    "a safetensors file": (struct.pack("<Q", 40) + b'{"a":1}' * 9, "not a GGUF file"),
    "a file from before GGUF": (b"tjgg" + bytes(60), "from before GGUF"),
    "version 1": (header(version=1), "GGUF version 1"),
    "version 1, big endian": (header(version=1, order=">"), "GGUF version 1"),
    "a version from the future": (header(version=4), "GGUF version 4 is not known here"),
    "version 0": (header(version=0), "GGUF version 0 is not known here"),
    "a cut preamble": (header()[:20], "truncated: the number of keys needs 24 bytes, the file has 20"),
    "more keys than the file has room for": (header(key_count=60_000), "truncated: a table of 60000 keys"),
    "a huge number of keys": (header(key_count=HUGE), f"claims {HUGE} keys"),
    "a negative number of tensors": (header(tensor_count=2**64 - 1), "claims 18446744073709551615 tensors"),
    "more tensors than the file has room for": (header(tensor_count=1000), "truncated: a table of 1000 tensors"),
    "a key longer than the file": (header([struct.pack("<Q", 60_000) + bytes(20)]), "truncated: a key"),
    "a key of absurd length": (header([struct.pack("<Q", HUGE) + bytes(20)]), f"a key claims to be {HUGE} bytes long"),
    "a string longer than the file": (
        header([string("k") + struct.pack("<IQ", STRING, HUGE)]),
        "truncated: the value of 'k'",
    ),
    "an array longer than the file": (
        header([string("k") + struct.pack("<IIQ", ARRAY, UINT64, HUGE)]),
        f"truncated: the array 'k' of {HUGE} entries",
    ),
    "a cut short array": (
        header([string("k") + struct.pack("<IIQ", ARRAY, UINT64, 4) + bytes(8)]),
        "truncated: the array 'k' of 4 entries",
    ),
    "more strings than the file has room for": (
        header([string("k") + struct.pack("<IIQ", ARRAY, STRING, 1000)]),
        "truncated: the array 'k' of 1000 strings",
    ),
    "a huge number of strings": (
        header([string("k") + struct.pack("<IIQ", ARRAY, STRING, HUGE)]),
        "'k' brings the strings in arrays to more than",
    ),
    "a string in an array that leaves the file": (
        header([string("k") + struct.pack("<IIQQ", ARRAY, STRING, 2, 2**64 - 1) + bytes(30)]),
        "truncated: the array 'k' of 2 strings",
    ),
    "the last string in an array leaves the file": (
        header([string("k") + struct.pack("<IIQQ", ARRAY, STRING, 1, 31) + bytes(30)]),
        "truncated: the array 'k' of 1 strings",
    ),
    "a huge number of arrays in an array": (
        header([string("k") + struct.pack("<IIQ", ARRAY, ARRAY, HUGE)]),
        "'k' brings the arrays inside arrays to more than",
    ),
    "arrays nested too deeply": (
        header([string("k") + struct.pack("<I", ARRAY) + struct.pack("<IQ", ARRAY, 1) * 5 + bytes(40)]),
        "'k' is nested more than 4 deep",
    ),
    "an unknown value type": (header([string("k") + struct.pack("<IQ", 13, 0)]), "'k' has the unknown value type 13"),
    "an unknown entry type": (
        header([string("k") + struct.pack("<IIQ", ARRAY, 99, 0)]),
        "'k' has the unknown value type 99",
    ),
    "the same key twice": (header([key("k", UINT8, 1), key("k", ARRAY, (STRING, ["x"]))]), "the key 'k' occurs twice"),
    "the same array twice": (
        header([key("k", ARRAY, (STRING, [])), key("k", UINT8, 1)]),
        "the key 'k' occurs twice",
    ),
    "the same tensor twice": (header(tensors=[tensor("t"), tensor("t")]), "the tensor 't' occurs twice"),
    "five dimensions": (header(tensors=[tensor("t", (1, 1, 1, 1, 1))]), "has 5 dimensions (at most 4)"),
    "billions of dimensions": (
        header(tensors=[string("t") + struct.pack("<I", 2**32 - 1) + bytes(20)]),
        "has 4294967295 dimensions",
    ),
    "an impossible shape": (header(tensors=[tensor("t", (2**32, 2**32))]), "impossible shape"),
    "a negative length": (header(tensors=[tensor("t", (2**64 - 1, 0))]), "impossible shape"),
    "a negative offset": (header(tensors=[tensor("t", offset=2**64 - 8)]), "the tensor 't' has the negative offset -8"),
    "a cut tensor table": (header(tensors=[tensor("t")])[:-3], "truncated: the offset of 't'"),
    "alignment zero": (header([key("general.alignment", UINT32, 0)]), "general.alignment is 0"),
    "alignment three": (header([key("general.alignment", UINT32, 3)]), "general.alignment is 3"),
    "alignment in words": (header([key("general.alignment", STRING, "32")]), "general.alignment is '32'"),
    "a huge alignment": (header([key("general.alignment", UINT32, 2**31)]), "general.alignment is 2147483648"),
}


@pytest.mark.parametrize("case", BAD, ids=[name.replace(" ", "-") for name in BAD])
def test_refuses(case: str) -> None:
    data, reason = BAD[case]
    assert reason in refusal(data)


def test_refuses_any_cut_of_a_whole_header() -> None:
    data = header([key("words", ARRAY, (STRING, ["one", "two"])), key("n", ARRAY, (INT32, [1, 2]))], [tensor("t")])
    assert parse(data)
    for length in range(1, len(data)):
        assert "truncated" in refusal(data[:length])


def test_a_cut_is_noticed_when_nobody_knows_the_size_of_the_file() -> None:
    data = header([key("word", STRING, "x" * 40)])[:-1]
    with pytest.raises(GgufError, match="the file ends earlier"):
        parse_header(lambda offset, size: data[offset : offset + size], None)


def test_a_header_without_end_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "MAX_HEADER", 1 << 20)
    endless = header([string("k") + struct.pack("<IIQ", ARRAY, STRING, 1 << 20)])
    reads = 0

    def read_at(offset: int, size: int) -> bytes:
        nonlocal reads
        reads += size
        return (endless[offset : offset + size] + bytes(size))[:size]

    with pytest.raises(GgufError, match="longer than 1 MiB"):
        parse_header(read_at, None)
    assert reads < 3 << 20


def test_an_error_of_the_source_passes_through() -> None:
    def read_at(offset: int, size: int) -> bytes:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        parse_header(read_at, None)


def test_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(model("qwen2"))
    assert read_header(path).metadata["general.architecture"] == "qwen2"


def test_reads_a_file_that_has_not_arrived_whole(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    data = model(tokens=20)
    path.write_bytes(data[:-100])
    assert read_header(path, size=len(data)) == parse(data)


def test_names_the_file_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"")
    with pytest.raises(GgufError) as caught:
        read_header(path)
    assert caught.value.message == f"{path}: the file is empty"


def test_names_the_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(GgufError, match=r"nothing\.gguf: cannot be read: "):
        read_header(tmp_path / "nothing.gguf")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(GgufError, match="not a regular file"):
        read_header(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(GgufError, match="not a regular file"):
        read_header(tmp_path / "fifo")
