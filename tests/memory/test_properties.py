"""What holds for every model, machine and Ollama."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llamaexit.memory import Estimate, Fit, ModelSpec, estimate
from llamaexit.shape import shape_of
from llamaexit.snapshot import Gpu, Machine, OllamaFacts
from measured_loads import document
from memory_machines import GIB, MIB, gpu, loaded, machine, model, ollama

SHAPES = sorted(name for name, known in document()["shapes"].items() if known["feed-forward"] or "experts" in known)
RANK = {"none": 0, "cpu": 1, "partial": 2, "experts-in-ram": 3, "gpu": 4}
CONTEXTS = st.sampled_from([512, 2048, 4096, 5000, 8192, 32768, 65536, 131072])

SIZES = st.integers(0, 30 * GIB)

specs = st.sampled_from(SHAPES).map(model)
versions = st.sampled_from(["0.33.0", "0.24.0", "0.12.6", "0.5.7", None])


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    cards = []
    for index in range(draw(st.integers(0, 3))):
        total = draw(st.integers(2, 48)) * GIB
        free = draw(st.one_of(st.none(), st.integers(0, total)))
        vendor = draw(st.sampled_from(["nvidia", "amd", "apple", "intel"]))
        kind: Any = "unified" if vendor == "apple" else draw(st.sampled_from(["discrete", "integrated"]))
        cards.append(
            Gpu(index, vendor, vendor, kind, total, free, shares_ram=kind != "discrete")  # type: ignore[arg-type]
        )
    ram = draw(st.integers(2, 128)) * GIB
    return machine(*cards, ram=ram, available=draw(st.integers(0, ram)))


@st.composite
def ollamas(draw: st.DrawFn) -> OllamaFacts:
    models = tuple(
        loaded(size, vram=min(size, vram)) for size, vram in draw(st.lists(st.tuples(SIZES, SIZES), max_size=2))
    )
    kv_type = draw(st.sampled_from(["", "q8_0", "q4_0"]))
    flash = draw(st.sampled_from(["", "0", "1"]))
    return ollama(draw(versions), loaded=models, KV_CACHE_TYPE=kv_type, FLASH_ATTENTION=flash)


def rank(fit: Fit) -> tuple[int, float]:
    return RANK[fit.placement], fit.gpu_share


def check(made: Estimate) -> None:
    for fit in (made.now, made.unloaded):
        assert 0 <= fit.gpu_share <= 1
        assert 0 <= fit.layers_on_gpu <= fit.layers
        assert 0 <= fit.ps.low <= fit.ps.expected <= fit.ps.high
        by_place: dict[str, int] = {}
        for part in fit.parts:
            assert part.size > 0
            assert part.basis
            by_place[part.where] = by_place.get(part.where, 0) + part.size
        assert by_place.pop("host", 0) == fit.host
        assert by_place == {use.device: use.size for use in fit.devices}
        assert fit.why
        if fit.placement in ("gpu", "cpu"):
            assert fit.gpu_share == (1.0 if fit.placement == "gpu" else 0.0)
    assert made.true_size.low <= made.true_size.expected <= made.true_size.high


@given(spec=specs, here=machines(), under=ollamas(), context=st.one_of(st.none(), CONTEXTS), parallel=st.integers(1, 4))
@settings(max_examples=300, deadline=None)
def test_sums_agree_and_unloading_never_makes_it_worse(
    spec: ModelSpec, here: Machine, under: OllamaFacts, context: int | None, parallel: int
) -> None:
    made = estimate(spec, here, under, context=context, parallel=parallel)

    check(made)
    assert rank(made.now) <= rank(made.unloaded)
    assert made == estimate(spec, here, under, context=context, parallel=parallel)


@given(spec=specs, version=versions, lower=CONTEXTS, upper=CONTEXTS, cpu=st.booleans())
@settings(max_examples=150, deadline=None)
def test_more_context_never_takes_less(spec: ModelSpec, version: str | None, lower: int, upper: int, cpu: bool) -> None:
    assume(lower < upper)
    here = machine(ram=4096 * GIB) if cpu else machine(gpu(2048 * GIB))

    small, large = (estimate(spec, here, ollama(version), context=each) for each in (lower, upper))

    assert small.true_size.expected <= large.true_size.expected
    assert small.unloaded.host <= large.unloaded.host


@given(spec=specs, version=versions, context=CONTEXTS, slots=st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_more_slots_never_take_less(spec: ModelSpec, version: str | None, context: int, slots: int) -> None:
    here = machine(gpu(4096 * GIB))

    one, more = (estimate(spec, here, ollama(version), context=context, parallel=each) for each in (slots, slots + 1))

    assert one.true_size.expected <= more.true_size.expected


@given(spec=specs, version=versions, context=CONTEXTS, free=st.integers(1, 80 * 1024), more=st.integers(0, 20 * 1024))
@settings(max_examples=200, deadline=None)
def test_a_larger_card_never_holds_fewer_layers(
    spec: ModelSpec, version: str | None, context: int, free: int, more: int
) -> None:
    fixed = replace(spec, num_batch=512)  # Ollama raises the batch on larger cards, which costs memory by design

    def fit(mib: int) -> Fit:
        return estimate(fixed, machine(gpu(128 * GIB, mib * MIB), ram=1024 * GIB), ollama(version), context=context).now

    small, large = fit(free), fit(free + more)

    assert RANK[small.placement] <= RANK[large.placement]
    assert small.layers_on_gpu <= large.layers_on_gpu


@given(spec=specs, context=CONTEXTS, free=st.integers(1, 80 * 1024))
@settings(max_examples=200, deadline=None)
def test_no_device_is_given_more_than_it_has_free(spec: ModelSpec, context: int, free: int) -> None:
    here = machine(gpu(128 * GIB, free * MIB), ram=1024 * GIB)

    for use in estimate(spec, here, ollama(), context=context).now.devices:
        assert use.free is not None
        assert use.size + GIB <= use.free


@given(spec=specs, here=machines(), context=CONTEXTS)
@settings(max_examples=100, deadline=None)
def test_a_quantized_cache_never_takes_more(spec: ModelSpec, here: Machine, context: int) -> None:
    roomy = machine(gpu(2048 * GIB))
    plain, small = (
        estimate(replace(spec, num_batch=512), roomy, ollama(KV_CACHE_TYPE=kind), context=context).true_size.expected
        for kind in ("f16", "q8_0")
    )

    # rotation matrices of 80 KiB come with a quantized cache
    assert small <= plain + 80 * 1024


KEYS = (
    "block_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "attention.key_length",
    "attention.value_length", "feed_forward_length", "context_length", "vocab_size", "attention.sliding_window",
    "attention.sliding_window_pattern", "attention.kv_lora_rank", "attention.shared_kv_layers", "expert_count",
    "expert_used_count", "expert_feed_forward_length", "full_attention_interval", "ssm.inner_size", "ssm.state_size",
    "ssm.conv_kernel", "ssm.group_count", "nextn_predict_layers", "rope.dimension_count", "vision.block_count",
)  # fmt: skip
numbers = st.one_of(
    st.integers(-10, 1 << 40), st.integers(0, 64), st.floats(), st.text(max_size=3), st.none(), st.booleans(),
    st.lists(st.integers(-2, 1 << 20), max_size=8),
)  # fmt: skip


@given(
    architecture=st.sampled_from(
        ["llama", "gemma3", "qwen35", "deepseek2", "gpt-oss", "lfm2", "bert", "llama4", "no-such"]
    ),
    values=st.dictionaries(st.sampled_from(KEYS), numbers),
    names=st.lists(
        st.sampled_from(["blk.0.ssm_a", "blk.3.attn_k.weight", "mtp.fc.weight", "blk.7.shortconv.x", "v.x"])
    ),
    version=versions,
)
@settings(max_examples=300, deadline=None)
def test_a_hostile_header_is_estimated_or_refused_but_never_breaks(
    architecture: str, values: dict[str, Any], names: list[str], version: str | None
) -> None:
    metadata = {"general.architecture": architecture} | {f"{architecture}.{key}": each for key, each in values.items()}

    shape = shape_of(metadata, {}, names, "gguf")

    if shape is not None:
        plain = model("qwen2.5-0.5b")
        spec = replace(plain, shape=shape, architecture=architecture)
        check(estimate(spec, machine(gpu()), ollama(version)))
        check(estimate(spec, machine(), ollama(version), context=1 << 62, parallel=1 << 40))


@pytest.mark.parametrize("spelling", ["qwen3-8b", "gemma3-4b"])
def test_the_same_facts_give_the_same_answer(spelling: str) -> None:
    first = estimate(model(spelling), machine(gpu()), ollama(), context=4096)

    assert first == estimate(model(spelling), machine(gpu()), ollama(), context=4096)
