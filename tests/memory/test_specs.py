from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llamaexit.memory import (
    Estimate,
    ModelSpec,
    estimate,
    spec_of_installed,
    spec_of_origin,
    spec_of_table,
    spec_of_target,
)
from llamaexit.memory.catalogue import Mix, header_bytes, is_tied, weights_by_label
from llamaexit.memory.spec import published_shape
from llamaexit.recipes.model import CatalogueShape, Origin, Tag, Target
from llamaexit.shape import weights_of
from llamaexit.snapshot import InstalledModel, Layer
from measured_loads import document, shape_named, table, typed_table
from memory_machines import GIB, MIB, gpu, machine, ollama

QWEN3_8B = CatalogueShape("qwen3", 36, 4096, 32, 8, 128, 12288, 151936, 36)
QWEN35_27B = CatalogueShape("qwen35", 64, 5120, 24, 4, 256, 17408, 248320, 16)
DEEPSEEK_V2 = CatalogueShape(
    "deepseek2", 27, 2048, 16, 16, vocab=102400, kv_lora_rank=512, rope_dim=64, nope_dim=128, v_head_dim=128,
    experts=64, experts_used=6, experts_shared=2,
)  # fmt: skip


def target(**facts: Any) -> Target:
    base: dict[str, Any] = {
        "name": "qwen3:8b", "family": "qwen3", "vendor": "Alibaba", "quant": "q4_K_M", "size": 5225388164,
        "exact": True, "context": 40960, "shape": QWEN3_8B,
    }  # fmt: skip
    return Target(**(base | facts))


def spec(made: ModelSpec | None) -> ModelSpec:
    assert made is not None
    return made


def installed(**facts: Any) -> InstalledModel:
    shape, weights = table("llama3.1-8b", "Q4_K_M")
    base: dict[str, Any] = {
        "name": "llama3.1:8b", "digest": "d" * 64, "size": 4920752841, "shape": shape, "weights": weights,
        "layers": (Layer("model", "sha256:a", 4920738944), Layer("license", "sha256:b", 12320)),
        "metadata": {"general.architecture": "llama"},
    }  # fmt: skip
    return InstalledModel(**(base | facts))


# --- installed -------------------------------------------------------------------------------------------------------


def test_installed_model_is_known_by_its_tensor_table() -> None:
    made = spec(spec_of_installed(installed()))

    assert (made.basis, made.file_size, made.low, made.high) == ("tensors", 4920738944, 0.0, 0.0)
    assert (made.name, made.digest, made.architecture) == ("llama3.1:8b", "d" * 64, "llama")


def test_installed_model_without_a_table_is_known_by_its_bytes() -> None:
    made = spec(spec_of_installed(installed(weights=None, quantization="Q4_K_M")))

    assert made.basis == "manifest"
    assert made.weights.total == 4920738944 - header_bytes(made.shape)


def test_installed_model_without_a_shape_stands_in_for_one_of_its_size() -> None:
    made = spec(spec_of_installed(installed(shape=None, weights=None, quantization="Q4_K_M")))

    assert made.shape.layers == 32
    assert any("like a Llama of that size" in note for note in made.notes)


def test_parameters_tell_the_size_of_a_stand_in_better_than_bytes() -> None:
    made = spec(
        spec_of_installed(installed(shape=None, weights=None, quantization="F16", parameter_count=1_240_000_000))
    )

    assert made.shape.layers == 16


def test_model_that_runs_elsewhere_has_no_spec() -> None:
    assert spec_of_installed(installed(remote="https://ollama.com")) is None


def test_a_shape_without_a_trained_length_takes_the_one_the_model_states() -> None:
    shape, _ = table("llama3.1-8b", "Q4_K_M")
    sketch = replace(shape, context_length=0)

    made = spec(spec_of_installed(installed(shape=sketch, context_length=131072)))

    assert made.shape.context_length == 131072
    assert estimate(made, machine(gpu(48 * GIB)), ollama()).context == 131072


def test_the_header_knows_the_trained_length_better_than_a_listing() -> None:
    shape, _ = table("llama3.1-8b", "Q4_K_M")

    made = spec(spec_of_installed(installed(shape=replace(shape, context_length=8192), context_length=131072)))

    assert made.shape.context_length == 8192


def test_a_model_that_is_only_named_has_no_file_to_go_by() -> None:
    assert spec_of_installed(installed(source="named", weights=None, shape=None)) is None


@pytest.mark.parametrize(
    "problem", ["its model blob aaaaaaaaaaaa (4.9 GB) is missing", "its model blob is no use: not a GGUF file"]
)
def test_weights_that_cannot_be_read_are_not_made_up_from_the_manifest(problem: str) -> None:
    assert spec_of_installed(installed(weights=None, problem=problem)) is None
    assert spec_of_installed(installed(weights=None, shape=None, problem=problem)) is None


def test_a_fault_elsewhere_leaves_the_tensor_table_what_it_is() -> None:
    made = spec(spec_of_installed(installed(problem="its license blob bbbbbbbbbbbb (12.3 KB) is missing")))

    assert made.basis == "tensors"


def test_model_of_no_size_has_no_spec() -> None:
    assert spec_of_installed(InstalledModel("broken:latest")) is None


@pytest.mark.parametrize(
    ("value", "num_ctx"),
    [(8192, 8192), (8192.0, 8192), ("8192", 8192), ("8k", None), (-1, None), (True, None), ([8192], None), (0, None)],
)
def test_options_stored_with_a_model_are_read_as_numbers(value: object, num_ctx: int | None) -> None:
    assert spec(spec_of_installed(installed(parameters={"num_ctx": value}))).num_ctx == num_ctx


def test_batch_and_gpu_options_are_read() -> None:
    made = spec(spec_of_installed(installed(parameters={"num_batch": 256, "num_gpu": 0})))

    assert (made.num_batch, made.num_gpu) == (256, 0)


@pytest.mark.parametrize(
    ("layers", "parameters", "depth"),
    [
        ((Layer("draft", "sha256:d", 300 * MIB),), {}, 4),
        ((Layer("draft", "sha256:d", 300 * MIB),), {"draft_num_predict": 2}, 2),
        ((Layer("draft", "sha256:d", 300 * MIB),), {"draft_num_predict": 0}, 0),
        ((), {"draft_num_predict": 2}, 0),
        ((), {}, 0),
    ],
    ids=["a draft layer", "with a depth", "switched off", "nothing to draft with", "none"],
)
def test_drafting_needs_a_head_and_is_on_when_ollama_would_draft(
    layers: tuple[Layer, ...], parameters: dict[str, int], depth: int
) -> None:
    made = spec(
        spec_of_installed(installed(layers=(Layer("model", "sha256:a", 4 * GIB), *layers), parameters=parameters))
    )

    assert made.draft == depth


def test_draft_head_in_the_file_waits_for_the_option() -> None:
    shape, weights = table("qwen3.5-9b", "Q4_K_M")
    shape = replace(shape, draft_layers=1)

    assert spec(spec_of_installed(installed(shape=shape, weights=weights))).draft == 0
    asked = installed(shape=shape, weights=weights, parameters={"draft_num_predict": 3})
    assert spec(spec_of_installed(asked)).draft == 3


@pytest.mark.parametrize(
    ("capabilities", "embedding"), [(("embedding",), True), (("completion", "embedding"), False), (None, False)]
)
def test_embedding_models_are_told_by_what_they_can_do(capabilities: tuple[str, ...] | None, embedding: bool) -> None:
    assert spec(spec_of_installed(installed(capabilities=capabilities))).embedding == embedding


def test_projector_makes_a_vision_model() -> None:
    made = spec(spec_of_installed(installed(projector_size=600 * MIB)))

    assert made.vision
    assert made.projector == 600 * MIB


def test_spelling_of_the_file_decides_what_runs_it() -> None:
    made = spec(spec_of_installed(installed(metadata={"general.architecture": "gptoss"})))

    assert made.architecture == "gptoss"


# --- targets ---------------------------------------------------------------------------------------------------------


def test_exact_bytes_of_a_target_are_those_of_its_manifest() -> None:
    made = spec(spec_of_target(target()))

    assert (made.basis, made.name) == ("manifest", "qwen3:8b")
    assert made.weights.total == 5225388164 - header_bytes(made.shape)
    assert made.shape.context_length == 40960


def test_shares_follow_the_label_and_leave_the_embedding_alone() -> None:
    made = spec(spec_of_target(target()))

    assert made.weights.token_embedding == 151936 * 4096 * 144 // 256
    assert made.weights.output == 151936 * 4096 * 210 // 256


def test_page_figure_is_a_catalogue_basis_with_room_for_its_rounding() -> None:
    exact = spec(spec_of_target(target()))
    rounded = spec(spec_of_target(target(size=5_200_000_000, exact=False)))
    coarse = spec(spec_of_target(target(size=11_000_000_000, exact=False, quant="q8_0")))

    assert rounded.basis == "catalogue"
    assert exact.low < rounded.low < coarse.low
    assert coarse.low == pytest.approx(0.015 + 0.5 / 11)


def test_label_alone_gives_the_quantizers_mix() -> None:
    made = spec(spec_of_target(target(size=0, exact=False)))
    _, weights = table("qwen3-8b", "Q4_K_M")

    assert made.basis == "label"
    assert made.weights.total == weights.total


def test_neither_bytes_nor_label_is_no_spec() -> None:
    assert spec_of_target(target(size=0, exact=False, quant="")) is None
    assert spec_of_target(target(size=0, exact=False, quant="mlx")) is None


def test_bytes_without_a_label_take_the_nearest_usual_one() -> None:
    made = spec(spec_of_target(target(quant="")))

    assert made.weights.token_embedding == 151936 * 4096 * 144 // 256


def test_tag_brings_its_own_size_label_and_context() -> None:
    tag = Tag("8b-q8_0", "q8_0", size=8_900_000_000, context=8192)

    made = spec(spec_of_target(target(), tag))

    assert (made.name, made.basis, made.shape.context_length) == ("qwen3:8b-q8_0", "catalogue", 8192)
    assert made.file_size == 8_900_000_000


def test_target_is_trained_for_what_its_file_says_not_for_what_could_be_made_of_it() -> None:
    made = spec(spec_of_target(target(context=32768, native_context=131072)))

    assert made.shape.context_length == 32768
    assert spec(spec_of_target(target(context=0, native_context=262144))).shape.context_length == 262144


def test_tag_of_another_label_does_not_inherit_the_size() -> None:
    assert spec(spec_of_target(target(), Tag("8b-fp16", "fp16"))).basis == "label"
    assert spec(spec_of_target(target(), Tag("8b-fp16", "fp16"))).file_size > 16_000_000_000
    assert spec(spec_of_target(target(), Tag("latest"))).basis == "manifest"


def test_cloud_target_has_no_spec() -> None:
    assert spec_of_target(target(local=False)) is None


def test_target_without_a_shape_stands_in_for_its_size() -> None:
    made = spec(spec_of_target(target(shape=None, parameters=8.0)))

    assert made.shape.layers == 32
    assert made.low > 0.05


def test_vision_file_holds_the_encoder_that_the_text_model_leaves_over() -> None:
    shape = CatalogueShape("gemma3", 34, 2560, 8, 4, 256, 10240, 262208, sliding_window=1024)

    made = spec(spec_of_target(target(shape=shape, size=3_338_801_804, capabilities=("vision",))))

    # a SigLIP of 400 million parameters in F16, and its projection
    assert made.weights.vision / MIB == pytest.approx(805, abs=15)
    assert made.vision


def test_vision_model_known_by_its_label_has_a_usual_encoder() -> None:
    made = spec(spec_of_target(target(size=0, exact=False, capabilities=("vision",))))

    assert made.weights.vision == 850 * MIB


def test_mtp_tag_drafts_and_others_do_not() -> None:
    hybrid = target(name="qwen3.8:27b", shape=QWEN35_27B, size=17_741_871_939)

    assert spec(spec_of_target(hybrid, Tag("27b-mtp-q4_K_M", "q4_K_M"))).draft == 4
    assert spec(spec_of_target(hybrid)).draft == 0


def test_published_hybrid_keeps_the_state_that_was_measured() -> None:
    made = spec(spec_of_target(target(name="qwen3.8:27b", shape=QWEN35_27B, size=17_741_871_939)))

    found = estimate(made, machine(gpu(48 * GIB)), ollama(), context=32768)

    assert sum(part.size for part in found.now.parts if part.name == "recurrent state") / MIB == pytest.approx(
        149.62, abs=0.01
    )


@pytest.mark.parametrize(
    ("released", "cached"), [("2024-05-07", False), ("2025-01-20", False), ("2025-08-21", True), ("", False)]
)
def test_deepseek_files_cache_the_compressed_form_only_when_new_enough(released: str, cached: bool) -> None:
    made = spec(spec_of_target(target(name="deepseek", shape=DEEPSEEK_V2, released=released, size=0, exact=False)))

    assert made.shape.mla is not None
    assert made.shape.mla.cached == cached
    found = estimate(made, machine(gpu(48 * GIB)), ollama(), context=4096)
    cache = sum(part.size for part in found.now.parts if part.name == "KV cache")
    assert cache / MIB == (121.5 if cached else 1080)


def test_gaps_of_the_catalogue_are_filled_from_published_configs() -> None:
    made = published_shape(DEEPSEEK_V2, 4096, False, True)

    assert made is not None
    assert made.experts is not None
    assert (made.feed_forward, made.experts.feed_forward) == (10944, 1408)


@pytest.mark.parametrize("missing", ["layers", "hidden", "heads"])
def test_catalogue_shape_without_the_essentials_is_none(missing: str) -> None:
    assert published_shape(replace(QWEN3_8B, **{missing: 0}), 0, False, False) is None


def test_sliding_window_counts_only_where_the_runtime_heeds_it() -> None:
    gemma = published_shape(replace(QWEN3_8B, architecture="gemma3"), 0, False, False)
    llama = published_shape(replace(QWEN3_8B, architecture="llama", sliding_window=4096), 0, False, False)
    llama4 = published_shape(replace(QWEN3_8B, architecture="llama4"), 0, False, False)

    assert gemma is not None and (gemma.sliding_window, gemma.global_every) == (1024, 6)
    assert llama4 is not None and (llama4.sliding_window, llama4.global_every) == (8192, 4)
    assert llama is not None and llama.sliding_window == 0


def test_embedding_target_is_one() -> None:
    assert spec(spec_of_target(target(capabilities=("embedding",)))).embedding


# --- origins ---------------------------------------------------------------------------------------------------------


def origin(**facts: Any) -> Origin:
    base: dict[str, Any] = {
        "name": "llama3.1:8b", "lineage": "meta", "why": "a Meta release", "size": 4920752841,
        "weights_size": 4920738944, "quant": "Q4_K_M", "context": 131072,
        "shape": CatalogueShape("llama", 32, 4096, 32, 8, 128, 14336, 128256),
    }  # fmt: skip
    return Origin(**(base | facts))


def test_named_origin_is_known_by_the_bytes_of_its_weights() -> None:
    made = spec(spec_of_origin(origin()))

    assert (made.basis, made.file_size, made.shape.context_length) == ("manifest", 4920738944, 131072)


def test_origin_without_the_bytes_of_its_weights_uses_the_whole_less_its_projector() -> None:
    made = spec(spec_of_origin(origin(weights_size=0, projector_size=600_000_000)))

    assert made.file_size == 4920752841 - 600_000_000
    assert (made.projector, made.vision, made.basis) == (600_000_000, True, "catalogue")


def test_tag_of_an_origin_brings_its_own_size_label_and_context() -> None:
    rounded = spec(spec_of_origin(origin(), Tag("8b-instruct-q8_0", "q8_0", size=8_500_000_000)))
    exact = spec(spec_of_origin(origin(), Tag("8b-instruct-q4_0", "q4_0", size=4661224191, exact=True, context=8192)))

    assert (rounded.name, rounded.basis, rounded.file_size) == ("llama3.1:8b-instruct-q8_0", "catalogue", 8_500_000_000)
    assert rounded.shape.context_length == 131072
    assert (exact.basis, exact.file_size, exact.shape.context_length) == ("manifest", 4661224191, 8192)


def test_tag_of_another_label_than_the_origin_does_not_inherit_its_size() -> None:
    assert spec(spec_of_origin(origin(), Tag("8b-instruct-fp16", "fp16"))).file_size > 15_000_000_000
    assert spec(spec_of_origin(origin(), Tag("latest"))).file_size == 4920738944


def test_tag_of_an_origin_with_a_projector_counts_it_once() -> None:
    made = spec(spec_of_origin(origin(projector_size=600_000_000), Tag("8b-q8_0", "q8_0", size=9_100_000_000)))

    assert (made.file_size, made.projector) == (8_500_000_000, 600_000_000)


@pytest.mark.parametrize(("text", "layers"), [("8.03B", 32), ("1.24B", 16), ("70.6B", 80), ("137M", 24), ("?", 32)])
def test_origin_without_a_shape_stands_in_by_its_parameters(text: str, layers: int) -> None:
    assert spec(spec_of_origin(origin(shape=None, parameters=text))).shape.layers == layers


def test_origin_of_which_nothing_is_known_has_no_spec() -> None:
    assert spec_of_origin(Origin("some:model", "meta", "named so")) is None


def test_header_anywhere_makes_a_spec() -> None:
    shape, weights = table("qwen3-4b", "Q4_K_M")

    made = spec_of_table("qwen3:4b", shape, weights, architecture="qwen3", projector=5)

    assert (made.basis, made.vision, made.file_size) == ("tensors", True, weights.total + header_bytes(shape))


# --- stand-ins -------------------------------------------------------------------------------------------------------

MHA_7B = CatalogueShape("llama", 32, 4096, 32, 32, 128, 11008, 32016)


def cache_of(made: Estimate) -> int:
    return sum(part.size for part in made.now.parts if part.name == "KV cache")


@pytest.mark.parametrize("context", [4096, 16384])
def test_a_stand_in_allows_for_a_key_and_value_head_per_query_head(context: int) -> None:
    """Code Llama 7B has 32 of them, a Llama of its size today 8: a cache four times as large."""
    known = {"name": "codellama:7b", "size": 3825910133, "weights_size": 3825898144, "quant": "Q4_0", "context": 16384}
    real = estimate(spec(spec_of_origin(origin(shape=MHA_7B, **known))), machine(gpu()), ollama(), context=context)
    guess = estimate(
        spec(spec_of_origin(origin(shape=None, parameters="6.7B", **known))), machine(gpu()), ollama(), context=context
    )

    assert cache_of(real) == context * 32 * 32 * 128 * 2 * 2
    assert cache_of(guess) == cache_of(real) // 4
    assert guess.true_size.low <= real.true_size.expected <= guess.true_size.high


def test_a_stand_in_allows_for_a_cache_that_is_far_smaller() -> None:
    guess = estimate(spec(spec_of_origin(origin(shape=None, parameters="8B"))), machine(gpu()), ollama(), context=65536)

    assert guess.true_size.low < guess.true_size.expected - cache_of(guess) * 3 // 4


def test_an_estimate_by_a_stand_in_says_so_where_its_figures_are() -> None:
    guess = estimate(spec(spec_of_origin(origin(shape=None, parameters="8B"))), machine(gpu()), ollama(), context=4096)
    bases = {part.name: part.basis for part in guess.now.parts}

    assert "its layers and heads are not known: reckoned like a Llama of that size" in guess.notes
    assert bases["KV cache"] == bases["compute buffers"] == "shape of a like-sized Llama"
    assert bases["weights"] == "bytes of the file"


def test_an_estimate_by_a_known_shape_says_nothing_of_the_kind() -> None:
    known = estimate(spec(spec_of_origin(origin())), machine(gpu()), ollama(), context=4096)

    assert not any("like a Llama" in note for note in known.notes)
    assert all("like-sized" not in part.basis for part in known.now.parts)


# --- the quantizers' mixes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "blob", "shape"),
    [
        ("Q4_K_M", 4920738944, "llama3.1-8b"),
        ("Q4_K_M", 2019377376, "llama3.2-3b"),
        ("Q8_0", 1321082688, "llama3.2-1b"),
        ("q4_K_M", 1929912432, "qwen2.5-3b"),
        ("q4_K_M", 986062089, "qwen2.5-1.5b"),
        ("q4_K_M", 4683087561, "qwen2.5-7b"),
        ("q4_K_M", 8988124069, "qwen2.5-14b"),
        ("q4_K_M", 19851349898, "qwen2.5-32b"),
        ("q4_K_M", 2497293931, "qwen3-4b"),
        ("q4_K_M", 18556700761, "qwen3-30b-a3b"),
        ("Q4_0", 3825807040, "llama2-7b"),
        ("q4_K_M", 51741611823, "qwen3-coder-next"),
    ],
)
def test_mix_comes_to_the_size_of_the_published_file(label: str, blob: int, shape: str) -> None:
    known, tied = shape_named(shape)
    mix = Mix.named(label)
    assert mix is not None

    weights = weights_by_label(known, mix, tied=tied)

    assert weights is not None
    assert weights.total + header_bytes(known) == pytest.approx(blob, rel=0.002, abs=4e6)


@pytest.mark.parametrize(
    ("label", "base", "normal"),
    [
        ("q4_K_M", "Q4_K", "Q4_K_M"),
        ("Q4_K", "Q4_K", "Q4_K_M"),
        ("fp16", "F16", "FP16"),
        ("UD-Q4_K_XL", "Q4_K", "Q4_K_M"),
        ("IQ3_M", "IQ3_S", "IQ3_M"),
        ("q2_K", "Q2_K", "Q2_K"),
        ("mxfp4", "MXFP4", "MXFP4"),
        ("q8_0", "Q8_0", "Q8_0"),
    ],
)
def test_labels_are_understood_in_every_spelling(label: str, base: str, normal: str) -> None:
    mix = Mix.named(label)

    assert mix is not None
    assert (mix.base, mix.label) == (base, normal)


@pytest.mark.parametrize("label", ["", "mlx", "unknown", "Q", "_", "Q9_K_M"])
def test_labels_that_say_nothing_are_none(label: str) -> None:
    assert Mix.named(label) is None


def test_labels_order_files_by_size() -> None:
    shape, tied = shape_named("llama3.1-8b")
    order = ["Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0", "F16", "F32"]

    sizes = []
    for label in order:
        mix = Mix.named(label)
        assert mix is not None
        weights = weights_by_label(shape, mix, tied=tied)
        assert weights is not None
        sizes.append(weights.total)

    assert sizes == sorted(sizes)
    assert len(set(sizes)) == len(sizes)


@pytest.mark.parametrize(
    ("label", "size"),
    [("q2_K", 3.2e9), ("q3_K_S", 3.7e9), ("q3_K_M", 4.0e9), ("q3_K_L", 4.3e9), ("q4_0", 4.7e9), ("q4_1", 5.1e9),
     ("q4_K_S", 4.7e9), ("q5_0", 5.6e9), ("q5_1", 6.1e9), ("q5_K_S", 5.6e9), ("q5_K_M", 5.7e9), ("q6_K", 6.6e9),
     ("q8_0", 8.5e9), ("fp16", 16e9)],
)  # fmt: skip
def test_llama_3_1_8b_comes_to_the_page_figure_of_each_label(label: str, size: float) -> None:
    """Sizes as the library's tag page rounds them."""
    shape, _ = shape_named("llama3.1-8b")
    mix = Mix.named(label)
    assert mix is not None

    weights = weights_by_label(shape, mix, tied=False)

    assert weights is not None
    assert weights.total == pytest.approx(size, rel=0.02)


def test_mixture_of_eight_experts_gets_more_bits_for_its_attention() -> None:
    shape = replace(
        shape_named("mistral-7b")[0],
        experts=replace(shape_named("qwen3-30b-a3b")[0].experts, count=8, feed_forward=14336),
    )  # type: ignore[type-var]
    mix = Mix.named("Q4_K_M")
    assert mix is not None

    kinds = {
        name: mix.type_of(shape, f"blk.9.{name}.weight", (4096, 4096), 9, tied=False)
        for name in ("attn_v", "attn_k", "attn_output", "attn_q")
    }

    assert kinds == {"attn_v": "Q8_0", "attn_k": "Q8_0", "attn_output": "Q5_K", "attn_q": "Q4_K"}


def test_rows_that_no_block_divides_fall_back() -> None:
    shape, _ = shape_named("qwen2.5-0.5b")
    mix = Mix.named("Q4_K_M")
    assert mix is not None

    assert mix.type_of(shape, "blk.9.attn_q.weight", (896, 896), 9, tied=True) == "Q5_0"
    assert mix.type_of(shape, "blk.9.attn_q.weight", (100, 896), 9, tied=True) == "F16"
    assert mix.type_of(shape, "token_embd.weight", (896, 9), -1, tied=True) == "Q8_0"


def test_seventy_billion_spends_five_bits_on_values() -> None:
    shape = replace(shape_named("qwen2.5-72b")[0], architecture="llama")
    mix = Mix.named("Q4_K_M")
    assert mix is not None

    assert mix.type_of(shape, "blk.11.attn_v.weight", (8192, 1024), 11, tied=False) == "Q5_K"


@pytest.mark.parametrize(
    ("shape", "tied"), [("qwen3-4b", True), ("qwen3-8b", False), ("gemma3-12b", True), ("llama2-7b", False)]
)
def test_tied_outputs_follow_the_published_configs(shape: str, tied: bool) -> None:
    assert is_tied(shape_named(shape)[0]) == tied


def test_bytes_tell_an_output_where_the_config_of_the_shape_has_none() -> None:
    """deepseek-r1:1.5b has the shape of Qwen2.5 1.5B and an output matrix of its own."""
    shape = CatalogueShape("qwen2", 28, 1536, 12, 2, 128, 8960, 151936)

    assert not spec(spec_of_target(target(shape=shape, size=1_117_322_768))).weights.tied
    assert spec(spec_of_target(target(shape=shape, size=986_062_089))).weights.tied


def test_larger_values_are_not_taken_for_an_output() -> None:
    """qwen3:4b-q4_K_M of 2025 is 5 % larger than its label for another reason: F16 values."""
    shape = CatalogueShape("qwen3", 36, 2560, 32, 8, 128, 9728, 151936)

    assert spec(spec_of_target(target(shape=shape, size=2_620_788_260))).weights.tied


@pytest.mark.parametrize("label", ["Q4_K_M", "Q3_K_M", "Q4_K_S", "Q2_K", "Q8_0", "MXFP4"])
@pytest.mark.parametrize("name", sorted(document()["shapes"]))
def test_layers_reckoned_by_kind_come_to_the_sum_of_the_whole_table(name: str, label: str) -> None:
    shape, tied = shape_named(name)
    mix = Mix.named(label)
    assert mix is not None

    assert weights_by_label(shape, mix, tied=tied) == weights_of(typed_table(shape, mix, tied), shape)


def test_shape_too_sketchy_for_a_table_is_shared_out_evenly() -> None:
    sketch = CatalogueShape("qwen4exp", 48, 2560, 24, 2, vocab=151936)

    made = spec(spec_of_target(target(shape=sketch, size=120_058_268_208)))

    assert made.basis == "manifest"
    assert len(set(made.weights.blocks)) == 1
    assert made.weights.total == pytest.approx(120_058_268_208, rel=0.001)
    assert made.weights.token_embedding == 151936 * 2560 * 144 // 256


def test_sketchy_shape_without_bytes_has_no_spec() -> None:
    sketch = CatalogueShape("qwen4exp", 48, 2560, 24, 2, vocab=151936)

    assert spec_of_target(target(shape=sketch, size=0, exact=False)) is None


DEEPSEEK_R1 = CatalogueShape(
    "deepseek2", 61, 7168, 128, 128, feed_forward=18432, vocab=129280, kv_lora_rank=512, q_lora_rank=1536, rope_dim=64,
    nope_dim=128, v_head_dim=128, experts=256, experts_used=8, experts_shared=1, expert_feed_forward=2048,
)  # fmt: skip


@pytest.mark.parametrize("dense_layers", [0, 3], ids=["as usual for its size", "as the catalogue says"])
def test_large_deepseek_starts_with_three_dense_layers(dense_layers: int) -> None:
    shape = replace(DEEPSEEK_R1, dense_layers=dense_layers)

    made = spec(spec_of_target(target(shape=shape, size=404_000_000_000, exact=False, released="2025-05-28")))

    assert [size > 0 for size in made.weights.experts[:5]] == [False, False, False, True, True]
    assert made.weights.output > 0


def test_published_size_of_deepseek_r1_is_that_of_its_label() -> None:
    made = spec(spec_of_target(target(shape=DEEPSEEK_R1, size=0, exact=False, released="2025-05-28")))

    assert made.weights.total == pytest.approx(404e9, rel=0.02)


@pytest.mark.parametrize("size", [1000, 60_000_000], ids=["smaller than any header", "smaller than its embedding"])
def test_a_size_that_cannot_be_is_no_size(size: int) -> None:
    assert spec(spec_of_target(target(size=size))).basis == "label"


def test_shared_experts_of_hybrids_have_a_gate_of_their_own() -> None:
    shape, tied = shape_named("qwen3.5-35b-a3b")
    mix = Mix.named("Q4_K_M", library=True)
    assert mix is not None

    names = {name for name, _, _ in typed_table(shape, mix, tied)}

    assert "blk.0.ffn_gate_inp_shexp.weight" in names
    assert "blk.0.ssm_out.weight" in names
    assert "blk.3.attn_q.weight" in names
