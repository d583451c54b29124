from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamaexit.shape import BLOCKS, Mla, Recurrent, Shape, shape_of, tensor_bytes, weights_of

RECORDINGS = Path(__file__).parent / "data" / "recordings"

LLAMA = {
    "general.architecture": "llama",
    "llama.block_count": 32,
    "llama.embedding_length": 4096,
    "llama.attention.head_count": 32,
    "llama.attention.head_count_kv": 8,
    "llama.feed_forward_length": 14336,
    "llama.context_length": 131072,
    "llama.vocab_size": 128256,
}


def keys(architecture: str, **values: Any) -> dict[str, Any]:
    """Metadata of `architecture`: a base that always works, with keys written as `attention__key_length`."""
    base = {
        "block_count": 12,
        "embedding_length": 1024,
        "attention.head_count": 16,
        "attention.head_count_kv": 4,
    }
    named = {name.replace("__", "."): value for name, value in values.items()}
    return {"general.architecture": architecture} | {f"{architecture}.{k}": v for k, v in (base | named).items()}


def shape(metadata: dict[str, Any], names: tuple[str, ...] = (), **more: Any) -> Shape:
    made = shape_of(metadata, more.pop("array_lengths", {}), names, "gguf", **more)
    assert made is not None
    return made


def test_plain_model_is_read_whole() -> None:
    made = shape(LLAMA)

    assert (made.architecture, made.layers, made.hidden, made.heads, made.kv_heads) == ("llama", 32, 4096, 32, 8)
    assert (made.key_length, made.value_length, made.feed_forward) == (128, 128, 14336)
    assert (made.vocab, made.context_length, made.sliding_window) == (128256, 131072, 0)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("gptoss", "gpt-oss"), ("qwen25vl", "qwen2vl"), ("olmo3", "olmo2"), ("glmocr", "glm4"), ("llama", "llama")],
)
def test_spellings_of_ollama_and_llama_cpp_come_out_the_same(written: str, meant: str) -> None:
    assert shape(keys(written)).architecture == meant


def test_key_length_of_the_file_wins_over_width_by_heads() -> None:
    assert shape(keys("qwen3", attention__key_length=128)).key_length == 128
    assert shape(keys("qwen3")).key_length == 64


def test_missing_key_value_heads_mean_one_for_each_head() -> None:
    metadata = keys("llama")
    del metadata["llama.attention.head_count_kv"]

    assert shape(metadata).kv_heads == 16


def test_layers_are_counted_from_tensors_when_the_key_is_missing() -> None:
    metadata = keys("llama")
    del metadata["llama.block_count"]

    assert shape(metadata, ("blk.0.attn_q.weight", "blk.6.attn_q.weight")).layers == 7


def test_vocabulary_comes_from_the_token_list_where_no_key_gives_it() -> None:
    assert shape(keys("llama"), array_lengths={"tokenizer.ggml.tokens": 32000}).vocab == 32000


def test_vocabulary_comes_from_the_embedding_where_show_blanks_the_token_list() -> None:
    assert shape(keys("llama"), tensor_shapes={"token_embd.weight": (1024, 32000)}).vocab == 32000


@pytest.mark.parametrize(
    ("tensor_names", "kv_heads", "cached"),
    [
        (("blk.0.attn_k_b.weight", "blk.0.attn_v_b.weight"), 1, True),
        (("blk.0.attn_kv_b.weight", "blk.0.attn_kv_a_mqa.weight"), 16, False),
        (("blk.0.attn_kv_b.weight", "blk.0.attn_k_b.weight"), 1, True),
        ((), 1, True),
        ((), 16, False),
    ],
    ids=[
        "split tensors",
        "one tensor of an old file",
        "both",
        "no tensor names but one head",
        "no tensor names and all heads",
    ],
)
def test_latent_attention_is_cached_compressed_only_by_newer_files(
    tensor_names: tuple[str, ...], kv_heads: int, cached: bool
) -> None:
    metadata = keys(
        "deepseek2",
        attention__kv_lora_rank=512,
        attention__head_count_kv=kv_heads,
        rope__dimension_count=64,
        attention__key_length=192,
        attention__value_length=128,
    )

    made = shape(metadata, tensor_names).mla

    assert made is not None
    assert (made.kv_lora_rank, made.rope_dim, made.cached) == (512, 64, cached)


def test_old_latent_file_keeps_the_length_of_its_full_heads() -> None:
    metadata = keys("deepseek2", attention__kv_lora_rank=512, attention__key_length=192, attention__value_length=128)

    made = shape(metadata, ("blk.0.attn_kv_b.weight",))

    assert made.mla == Mla(512, 64, 0, 192, 128, cached=False)
    assert made.key_length == 192


@pytest.mark.parametrize(
    ("architecture", "period"),
    [("gemma3", 6), ("gemma2", 2), ("gpt-oss", 2), ("gptoss", 2), ("cohere2", 4), ("olmo2", 4)],
)
def test_period_of_global_layers_is_known_where_the_file_is_silent(architecture: str, period: int) -> None:
    made = shape(keys(architecture, attention__sliding_window=1024))

    assert (made.sliding_window, made.global_every) == (1024, period)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "phi3"])
def test_sliding_window_of_an_architecture_that_ignores_it_is_ignored(architecture: str) -> None:
    assert shape(keys(architecture, attention__sliding_window=4096)).sliding_window == 0


def test_pattern_of_the_file_wins_over_the_known_period() -> None:
    pattern = [True, True, False] * 4
    made = shape(keys("gemma4", attention__sliding_window=512, attention__sliding_window_pattern=pattern))

    assert made.windowed == tuple(pattern)
    assert made.global_every == 0


def test_pattern_given_as_a_period_is_taken() -> None:
    made = shape(keys("gemma3", attention__sliding_window=512, attention__sliding_window_pattern=3))

    assert made.global_every == 3


def test_llama4_chunks_count_as_a_window() -> None:
    made = shape(keys("llama4", attention__chunk_size=8192))

    assert (made.sliding_window, made.global_every) == (8192, 4)


def test_hybrid_has_attention_on_every_fourth_layer() -> None:
    made = shape(
        keys("qwen35", ssm__conv_kernel=4, ssm__inner_size=4096, ssm__state_size=128, ssm__group_count=16),
    )

    assert made.recurrent == Recurrent(4, conv_kernel=4, inner_size=4096, state_size=128, groups=16)


def test_hybrid_with_heads_listed_layer_by_layer_needs_no_interval() -> None:
    made = shape(
        keys("qwen35", attention__head_count_kv=[0, 0, 0, 4] * 3, ssm__inner_size=4096, ssm__conv_kernel=4),
    )

    assert made.kv_heads == (0, 0, 0, 4) * 3
    assert made.recurrent is not None
    assert made.recurrent.interval == 0


def test_heads_that_show_blanks_out_are_read_off_the_tensors() -> None:
    metadata = keys("nemotron_h", attention__head_count_kv=None, attention__key_length=128, block_count=3)

    made = shape(metadata, tensor_shapes={"blk.1.attn_k.weight": (1024, 512)})

    assert made.kv_heads == (0, 4, 0)


def test_layers_with_a_state_are_counted_by_their_tensors() -> None:
    metadata = keys("nemotron_h", attention__head_count_kv=[0, 2, 0, 0], block_count=4, ssm__inner_size=64)

    made = shape(metadata, ("blk.0.ssm_in.weight", "blk.2.ssm_in.weight", "blk.3.ffn_up.weight"))

    assert made.recurrent is not None
    assert made.recurrent.layers == 2


def test_short_convolutions_keep_their_last_inputs_as_state() -> None:
    made = shape(keys("lfm2", shortconv__l_cache=3))

    assert made.recurrent == Recurrent(0, conv_kernel=3, inner_size=1024)


def test_rwkv_keeps_its_last_tokens_and_a_state_for_each_head() -> None:
    assert shape(keys("rwkv7", wkv__head_size=64)).recurrent == Recurrent(0, 3, 1024, 64)


def test_gemma3n_shares_the_caches_of_its_last_layers() -> None:
    assert shape(keys("gemma3n", block_count=35)).shared_kv_layers == 15
    assert shape(keys("gemma3n", block_count=35, attention__shared_kv_layers=10)).shared_kv_layers == 10


def test_draft_layers_are_not_layers_that_make_tokens() -> None:
    made = shape(keys("qwen35", block_count=65, nextn_predict_layers=1))

    assert (made.layers, made.draft_layers) == (64, 1)


def test_draft_head_of_ollamas_own_files_comes_on_top_of_the_blocks() -> None:
    made = shape(keys("qwen35", block_count=12), ("blk.11.attn_norm.weight", "mtp.layers.0.attn_norm.weight"))

    assert (made.layers, made.draft_layers) == (12, 1)


def test_experts_are_read() -> None:
    made = shape(
        keys("qwen3moe", expert_count=128, expert_used_count=8, expert_feed_forward_length=768, expert_shared_count=1)
    )

    assert made.experts is not None
    assert (made.experts.count, made.experts.used, made.experts.feed_forward, made.experts.shared) == (128, 8, 768, 1)


@pytest.mark.parametrize(
    ("metadata", "names"),
    [(keys("gemma3", vision__block_count=27), ()), (keys("gemma3"), ("v.patch_embedding.weight",))],
    ids=["by key", "by tensors"],
)
def test_vision_is_seen(metadata: dict[str, Any], names: tuple[str, ...]) -> None:
    assert shape(metadata, names).vision


def test_text_model_has_no_vision() -> None:
    assert not shape(LLAMA, ("blk.0.attn_v.weight",)).vision


def test_pooling_marks_embedding_models() -> None:
    assert shape(keys("qwen3", pooling_type=3)).pooling
    assert shape(keys("bert")).pooling
    assert not shape(keys("qwen3")).pooling


def test_integers_written_as_floats_count() -> None:
    assert shape(keys("llama", block_count=32.0)).layers == 32


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"general.architecture": 7},
        {"general.architecture": "llama"},
        keys("llama", embedding_length=0),
        keys("llama", block_count="many"),
        keys("llama", block_count=-3),
        keys("llama", block_count=10**12),
        keys("llama", nextn_predict_layers=12),
    ],
    ids=[
        "empty",
        "architecture that is no name",
        "nothing but a name",
        "no width",
        "words for numbers",
        "negative",
        "huge",
        "all layers draft",
    ],
)
def test_a_header_without_layers_or_width_has_no_shape(metadata: dict[str, Any]) -> None:
    assert shape_of(metadata, {}, (), "gguf") is None


@pytest.mark.parametrize("value", [-1, 1 << 70, 2.5, "8", None, [], [-1, "x", None], {}, float("nan"), float("inf")])
@pytest.mark.parametrize(
    "key",
    [
        "attention.head_count_kv",
        "attention.head_count",
        "attention.key_length",
        "attention.sliding_window",
        "attention.sliding_window_pattern",
        "attention.kv_lora_rank",
        "attention.shared_kv_layers",
        "expert_count",
        "expert_used_count",
        "full_attention_interval",
        "ssm.inner_size",
        "context_length",
        "nextn_predict_layers",
        "vision.block_count",
    ],
)
def test_senseless_values_count_as_absent(key: str, value: object) -> None:
    made = shape(keys("gemma3", **{key.replace(".", "__"): value}))

    assert made.layers == 12
    assert made.sliding_window >= 0
    assert made.context_length >= 0


def test_more_entries_than_layers_are_cut_and_fewer_are_filled() -> None:
    assert shape(keys("llama", block_count=2, attention__head_count_kv=[1, 2, 3])).kv_heads == (1, 2)
    assert shape(keys("llama", block_count=3, attention__head_count_kv=[1, 2])).kv_heads == (1, 2, 2)


@pytest.mark.parametrize(
    ("kind", "dimensions", "size"),
    [
        ("F32", (10,), 40),
        ("Q4_K", (4096, 4096), 4096 * 4096 * 144 // 256),
        ("q6_k", (256, 2), 420),
        ("MXFP4", (2880, 2880, 32), 2880 * 2880 * 32 // 32 * 17),
        ("Q8_1", (32,), 36),
        ("Q4_K", (100, 2), 288),
        ("NVFP4", (64,), 36),
        ("F16", (), 2),
    ],
    ids=[
        "floats",
        "blocks",
        "lower case",
        "experts",
        "36 bytes, not 40",
        "row padded to a block",
        "new type",
        "scalar",
    ],
)
def test_bytes_of_a_tensor(kind: str, dimensions: tuple[int, ...], size: int) -> None:
    assert tensor_bytes(kind, dimensions) == size


@pytest.mark.parametrize("dimensions", [(-1,), (1.5,), ("4",), (True,)])
def test_dimensions_that_are_no_counts_have_no_size(dimensions: tuple[Any, ...]) -> None:
    assert tensor_bytes("F32", dimensions) is None


def test_block_table_agrees_with_the_gguf_package() -> None:
    constants = pytest.importorskip("gguf.constants")
    theirs = {kind.name: sizes for kind, sizes in constants.GGML_QUANT_SIZES.items()}

    differing = {name for name, block in BLOCKS.items() if name in theirs and theirs[name] != block}

    # the gguf package up to 0.19 says 40 bytes for Q8_1, ggml itself uses 36
    assert differing <= {"Q8_1"}


def test_weights_are_grouped_by_where_they_go() -> None:
    table = [
        ("token_embd.weight", "F16", (8, 100)),
        ("output.weight", "F16", (8, 100)),
        ("output_norm.weight", "F32", (8,)),
        ("per_layer_token_embd.weight", "F16", (8, 10)),
        ("blk.0.attn_q.weight", "F16", (8, 8)),
        ("blk.1.attn_q.weight", "F16", (8, 8)),
        ("blk.1.ffn_up_exps.weight", "F16", (8, 8, 4)),
        ("blk.1.ffn_up_shexp.weight", "F16", (8, 8)),
        ("blk.2.nextn.eh_proj.weight", "F16", (8, 2)),
        ("mtp.fc.weight", "F16", (8, 2)),
        ("v.patch_embd.weight", "F16", (8, 3)),
        ("mm.0.weight", "F16", (8, 3)),
    ]

    weights = weights_of(table, shape(keys("llama", block_count=3, nextn_predict_layers=1)))

    assert weights is not None
    assert (weights.token_embedding, weights.output, weights.per_layer_embedding) == (1600, 1600, 160)
    assert weights.blocks == (128, 128 + 512 + 128)
    assert weights.experts == (0, 512)
    assert (weights.draft, weights.vision, weights.rest) == (64, 96, 32)
    assert not weights.tied


def test_without_an_output_matrix_the_embedding_is_tied() -> None:
    weights = weights_of([("token_embd.weight", "F16", (8, 100))], None)

    assert weights is not None
    assert weights.tied


@pytest.mark.parametrize(
    "table",
    [[], [("a", "Q99", (256,))], [("a", "F32", (-4,))]],
    ids=["no tensors", "a type of the future", "a negative dimension"],
)
def test_a_table_that_cannot_be_added_up_gives_no_weights(table: list[tuple[str, str, tuple[int, ...]]]) -> None:
    assert weights_of(table, None) is None


def test_layer_numbers_beyond_reason_do_not_make_a_long_table() -> None:
    weights = weights_of([("blk.999999.attn_q.weight", "F32", (4,)), ("blk.1.attn_q.weight", "F32", (4,))], None)

    assert weights is not None
    assert len(weights.blocks) == 2
    assert weights.rest == 16


@pytest.mark.parametrize("name", ["show-qwen3_8b", "show-llama3.1_8b", "show-qwen2.5-coder_7b"])
def test_answers_of_a_real_server_have_a_shape_and_weights(name: str) -> None:
    found = sorted(RECORDINGS.rglob(f"{name}.json"))
    assert found, "the recordings moved"
    answer = json.loads(found[0].read_text(encoding="utf-8"))["response"]["json"]
    tensors = [(each["name"], each["type"], tuple(each["shape"])) for each in answer["tensors"]]
    sizes = {each[0]: each[2] for each in tensors}

    made = shape_of(answer["model_info"], {}, sizes, "show", sizes)
    weights = weights_of(tensors, made)

    assert made is not None
    assert weights is not None
    assert (made.layers, made.hidden, made.kv_heads) == (2, 64, 2)
    assert made.vocab == sizes["token_embd.weight"][1]
    assert weights.total == 2 * answer["model_info"]["general.parameter_count"] + 2 * _floats(tensors)


def _floats(tensors: list[tuple[str, str, tuple[int, ...]]]) -> int:
    """Elements of F32 tensors, which take two bytes more than the F16 ones around them."""
    total = 0
    for _, kind, dimensions in tensors:
        if kind == "F32":
            size = 1
            for length in dimensions:
                size *= length
            total += size
    return total
