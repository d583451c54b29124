"""Answers of a server that is old, patched or hostile give fewer facts, never a crash."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.ollama.described import described, listed, missing_arrays, read_loaded, read_tag

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["general.architecture", "llama.block_count", "llama.embedding_length", "llama.attention.head_count",
        "llama.attention.head_count_kv", "llama.context_length", "general.parameter_count"]  # fmt: skip
INFO = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5) | st.fixed_dictionaries(
    {"general.architecture": st.just("llama"), "llama.block_count": st.integers(-5, 10**12),
     "llama.embedding_length": st.integers(-5, 10**12), "llama.attention.head_count_kv": JSON}
)  # fmt: skip
TENSOR = st.fixed_dictionaries(
    {"name": st.sampled_from(["token_embd.weight", "blk.0.attn_k.weight", "output.weight"]) | JSON,
     "type": st.sampled_from(["F16", "Q4_K", "ZZZ"]) | JSON,
     "shape": st.lists(st.integers() | JSON, max_size=3) | JSON}
)  # fmt: skip
SHOW = st.fixed_dictionaries(
    {},
    optional={
        "model_info": INFO | JSON,
        "tensors": st.lists(TENSOR | JSON, max_size=3) | JSON,
        "details": JSON,
        "parameters": JSON | st.text(max_size=30),
        "modelfile": JSON | st.text(max_size=30),
        "template": JSON,
        "license": JSON,
        "messages": JSON,
        "capabilities": JSON,
        "requires": JSON,
        "remote_host": JSON,
    },
)
TAG = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "digest", "size", "modified_at", "details", "remote_host", "model"), JSON)
)


@given(TAG, SHOW)
def test_any_json_is_understood_as_far_as_it_goes(tag: dict[str, Any], show: dict[str, Any]) -> None:
    read = read_tag(tag)
    missing_arrays(show)
    for model in (listed(read), described(read, show), described(read, show, {"llama.attention.head_count_kv": [1]})):
        assert model.size >= 0
        for text in (model.name, model.family, model.quantization, *(model.capabilities or ()), *model.licences):
            assert text.isprintable()


@given(st.dictionaries(st.sampled_from(["name", "model", "digest", "size", "size_vram", "context_length"]), JSON))
def test_any_json_is_a_loaded_model(entry: dict[str, Any]) -> None:
    loaded = read_loaded(entry)
    assert loaded.size >= 0
    assert loaded.size_vram >= 0


@pytest.mark.parametrize("field", ["name", "model"])
def test_name_is_taken_from_either_field(field: str) -> None:
    assert read_tag({field: "x:latest"}).name == "x:latest"


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    model = described(
        read_tag({"name": "x\x1b[31m"}), {"details": {"family": "a\x1b]0;b\x07"}, "capabilities": ["c\n"]}
    )
    assert (model.name + model.family + "".join(model.capabilities or ())).isprintable()
