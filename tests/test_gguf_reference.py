"""The GGUF reader beside the reader of the `gguf` package, on files made by its writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFEndian, GGUFReader, GGUFValueType, GGUFWriter

from llamaexit.gguf import read_header

ORDERS = {"little": GGUFEndian.LITTLE, "big": GGUFEndian.BIG}


def write(path: Path, byte_order: str) -> None:
    writer = GGUFWriter(str(path), "llama", endianess=ORDERS[byte_order])
    writer.add_name("Meta Llama 3.1 8B Instruct")
    writer.add_block_count(2)
    writer.add_context_length(131072)
    writer.add_rope_freq_base(500000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_bool("general.flag", True)
    writer.add_int64("general.negative", -3)
    writer.add_head_count_kv([8, 0])
    writer.add_array("general.languages", ["en", "de"])
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"token {index}" for index in range(3000)])
    writer.add_token_types([1] * 3000)
    writer.add_token_scores([0.25] * 3000)
    writer.add_token_merges([f"a b{index}" for index in range(1500)])
    writer.add_chat_template("{% for m in messages %}{{ m }}{% endfor %}")
    writer.add_tensor("token_embd.weight", np.zeros((3000, 32), dtype=np.float16))
    writer.add_tensor("blk.0.attn_norm.weight", np.ones(32, dtype=np.float32))
    blocks = np.zeros((4, 144), dtype=np.uint8)
    writer.add_tensor("blk.0.ffn_up.weight", blocks, raw_dtype=GGMLQuantizationType.Q4_K)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def plain(field: Any) -> Any:
    value = field.contents()
    return value.item() if isinstance(value, np.generic) else value


@pytest.mark.parametrize("byte_order", ORDERS)
def test_agrees_with_the_reader_of_the_gguf_package(tmp_path: Path, byte_order: str) -> None:
    path = tmp_path / "model.gguf"
    write(path, byte_order)
    reference = GGUFReader(str(path))
    header = read_header(path)

    fields = {name: field for name, field in reference.fields.items() if not name.startswith("GGUF.")}
    scalars = {name: plain(field) for name, field in fields.items() if field.types[0] != GGUFValueType.ARRAY}
    arrays = {name: field for name, field in fields.items() if field.types[0] == GGUFValueType.ARRAY}
    assert header.byte_order == byte_order
    assert {name: value for name, value in header.metadata.items() if not isinstance(value, tuple)} == scalars
    assert header.array_lengths == {name: len(field.data) for name, field in arrays.items()}
    assert header.metadata["llama.attention.head_count_kv"] == (8, 0)
    assert header.data_offset == reference.data_offset
    ours = [(t.name, t.type, t.shape, t.offset + header.data_offset) for t in header.tensors]
    assert ours == [
        (t.name, t.tensor_type.name, tuple(t.shape.tolist()), int(t.data_offset)) for t in reference.tensors
    ]
