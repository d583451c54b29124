from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.memory import Estimate, ModelSpec, estimate
from llamaexit.snapshot import Gpu, Machine, OllamaFacts
from memory_machines import GIB, MIB, gpu, loaded, machine, model, ollama


def fit_of(spec: ModelSpec, here: Machine, under: OllamaFacts | None = None, context: int = 8192) -> Estimate:
    return estimate(spec, here, under or ollama(), context=context)


@pytest.mark.parametrize(
    ("free", "placement", "share"),
    [(24, "gpu", 1.0), (7.2, "gpu", 1.0), (5, "partial", None), (1.5, "cpu", 0.0)],
    ids=["ample", "just enough", "not enough", "less than the margin"],
)
def test_a_dense_model_goes_as_far_onto_the_gpu_as_it_fits(free: float, placement: str, share: float | None) -> None:
    fit = fit_of(replace(model(), num_batch=512), machine(gpu(24 * GIB, int(free * GIB)))).now

    assert fit.placement == placement
    assert share is None or fit.gpu_share == share
    assert 0 <= fit.layers_on_gpu <= fit.layers == 33


def test_the_margin_of_llama_cpp_may_be_set() -> None:
    here = machine(gpu(24 * GIB, 6 * GIB))

    assert fit_of(model(), here).now.placement == "partial"
    assert fit_of(model(), here, ollama(LLAMA_ARG_FIT_TARGET="128")).now.placement == "gpu"


def test_num_gpu_of_zero_keeps_a_model_on_the_cpu() -> None:
    assert fit_of(replace(model(), num_gpu=0), machine(gpu())).now.placement == "cpu"


def test_experts_go_to_ram_before_layers_do() -> None:
    fit = fit_of(model("qwen3-30b-a3b"), machine(gpu(12 * GIB))).now

    assert fit.placement == "experts-in-ram"
    assert fit.layers_on_gpu == fit.layers
    assert 0 < fit.gpu_share < 1
    assert "experts" in fit.why


def test_dense_parts_that_do_not_fit_leave_layers_behind() -> None:
    fit = fit_of(model("qwen3-30b-a3b"), machine(gpu(24 * GIB, 2600 * MIB))).now

    assert fit.placement == "partial"
    assert fit.layers_on_gpu < fit.layers


def test_nothing_fits_where_ram_is_short_too() -> None:
    fit = fit_of(model(), machine(ram=4 * GIB)).now

    assert fit.placement == "none"
    assert fit.gpu_share == 0
    assert "RAM is free" in fit.why


def test_a_partial_load_that_ram_cannot_hold_does_not_fit() -> None:
    assert fit_of(model("qwen2.5-14b"), machine(gpu(4 * GIB), ram=6 * GIB)).now.placement == "none"


@pytest.mark.parametrize(
    ("limits", "placement"),
    [({}, "cpu"), ({"limit": 8 * GIB, "headroom": 7 * GIB}, "cpu"), ({"limit": 6 * GIB, "headroom": 5 * GIB}, "none")],
    ids=["no limit", "a limit with room", "a limit without"],
)
def test_a_cgroup_limits_what_the_cpu_may_hold(limits: dict[str, int], placement: str) -> None:
    assert fit_of(model(), machine(ram=64 * GIB, **limits)).now.placement == placement


def test_one_card_of_several_is_taken_when_ollama_expects_it_to_do() -> None:
    here = machine(gpu(8 * GIB, index=0, name="A"), gpu(24 * GIB, index=1, name="B"))

    fit = fit_of(model(), here).now

    assert [use.device for use in fit.devices] == ["B"]


def test_a_model_too_large_for_one_card_is_split_over_cards_of_one_kind() -> None:
    amd = Gpu(2, "amd", "RX 7600", "discrete", 8 * GIB, 8 * GIB)
    here = machine(gpu(8 * GIB, index=0, name="A"), gpu(8 * GIB, index=1, name="B"), amd)

    fit = fit_of(model("qwen2.5-14b"), here, context=4096).now

    assert fit.placement == "gpu"
    assert [use.device for use in fit.devices] == ["A", "B"]
    assert all(use.size + GIB <= (use.free or 0) for use in fit.devices)


def test_two_cards_that_are_large_enough_only_on_paper_do_not_hold_a_model_whole() -> None:
    # 12 GiB in sum, but the margin and the buffers are needed on each of them
    here = machine(gpu(6 * GIB, index=0, name="A"), gpu(6 * GIB, index=1, name="B"))

    assert fit_of(model("qwen2.5-14b"), here).now.placement == "partial"


def test_spreading_uses_all_cards() -> None:
    here = machine(gpu(24 * GIB, index=0, name="A"), gpu(24 * GIB, index=1, name="B"))

    assert len(fit_of(model(), here, ollama(SCHED_SPREAD="1")).now.devices) == 2
    assert len(fit_of(model("qwen3-8b"), here, ollama("0.24.0", SCHED_SPREAD="1")).now.devices) == 2
    assert len(fit_of(model("qwen3-8b"), here, ollama("0.24.0")).now.devices) == 1


def test_cards_of_uneven_size_both_serve_a_partial_load() -> None:
    here = machine(gpu(4 * GIB, index=0, name="A"), gpu(2 * GIB, index=1, name="B"))

    fit = fit_of(model("qwen2.5-14b"), here, context=4096).now

    assert fit.placement == "partial"
    assert [use.device for use in fit.devices] == ["A", "B"]


def test_a_card_too_small_for_the_output_is_skipped() -> None:
    here = machine(gpu(5 * GIB, index=0, name="A"), gpu(1536 * MIB, index=1, name="B"))

    fit = fit_of(model("qwen2.5-14b"), here, context=4096).now

    assert fit.placement == "partial"
    assert [use.device for use in fit.devices] == ["A"]


def test_a_discrete_card_is_preferred_to_a_larger_integrated_one() -> None:
    shared = Gpu(1, "amd", "Radeon 8060S", "integrated", 64 * GIB, 60 * GIB, shares_ram=True)
    here = machine(gpu(8 * GIB, name="A"), shared, ram=128 * GIB)

    assert [use.device for use in fit_of(model("qwen2.5-3b"), here).now.devices] == ["A"]


def test_an_integrated_part_is_taken_where_only_it_can_hold_the_model() -> None:
    shared = Gpu(1, "amd", "Radeon 8060S", "integrated", 64 * GIB, 60 * GIB, shares_ram=True)
    here = machine(gpu(8 * GIB, name="A"), shared, ram=128 * GIB)

    assert [use.device for use in fit_of(model("qwen2.5-14b"), here).now.devices] == ["Radeon 8060S"]


def test_old_families_fill_layers_from_the_back_and_may_leave_out_the_output() -> None:
    fit = fit_of(model("qwen3-8b"), machine(gpu(24 * GIB, 4 * GIB)), ollama("0.24.0")).now

    assert fit.placement == "partial"
    assert 0 < fit.layers_on_gpu < fit.layers
    assert any(part.name == "weights" and part.where == "host" for part in fit.parts)


def test_old_families_need_less_margin_than_llama_cpp_does() -> None:
    here = machine(gpu(24 * GIB, 6144 * MIB))
    spec = replace(model("qwen3-8b"), num_batch=512)

    assert fit_of(spec, here, ollama("0.24.0"), context=4096).now.placement == "gpu"
    assert fit_of(spec, here, context=4096).now.placement == "partial"


def test_the_overhead_setting_is_kept_free_by_old_families() -> None:
    here = machine(gpu(24 * GIB, 8 * GIB))

    assert fit_of(model("qwen3-8b"), here, ollama("0.24.0")).now.placement == "gpu"
    reserved = fit_of(model("qwen3-8b"), here, ollama("0.24.0", GPU_OVERHEAD=str(4 * GIB)))
    assert reserved.now.placement == "partial"


def test_a_tiny_card_leaves_old_families_on_the_cpu() -> None:
    assert fit_of(model("qwen3-8b"), machine(gpu(512 * MIB)), ollama("0.24.0")).now.placement == "cpu"
    assert fit_of(model(), machine(gpu(512 * MIB)), ollama("0.24.0")).now.placement == "cpu"


def test_the_runner_keeps_a_layer_in_reserve() -> None:
    spec = model()
    layer = spec.weights.blocks[0]
    whole = fit_of(spec, machine(gpu(24 * GIB)), ollama("0.24.0"), context=4096).now
    free = whole.devices[0].size - 300 * MIB + 457 * MIB

    just = fit_of(spec, machine(gpu(24 * GIB, free + layer + 16 * MIB)), ollama("0.24.0"), context=4096).now
    short = fit_of(spec, machine(gpu(24 * GIB, free + layer // 2)), ollama("0.24.0"), context=4096).now

    assert just.placement == "gpu"
    assert short.placement == "partial"


def test_a_projector_sits_on_the_first_gpu_and_is_not_in_ps() -> None:
    plain = fit_of(model(), machine(gpu())).now
    seeing = fit_of(replace(model(), projector=900 * MIB, vision=True), machine(gpu())).now

    assert seeing.devices[0].size >= plain.devices[0].size + 900 * MIB
    assert seeing.ps.expected - plain.ps.expected < 900 * MIB
    assert seeing.ps.low <= plain.ps.expected


def test_a_projector_that_does_not_fit_beside_its_margin_stays_on_the_host() -> None:
    spec = replace(model("qwen2.5-0.5b"), projector=900 * MIB, vision=True)

    fit = fit_of(spec, machine(gpu(24 * GIB, 1900 * MIB)), context=4096).now

    assert [part.where for part in fit.parts if part.name == "vision encoder"] == ["host"]


def test_a_projector_beside_a_partial_load_that_cannot_hold_it_is_counted_on_the_host() -> None:
    spec = replace(model(), projector=3000 * MIB, vision=True)

    fit = fit_of(spec, machine(gpu(24 * GIB, 3 * GIB)), context=4096).now

    assert fit.placement == "partial"
    assert [part.where for part in fit.parts if part.name == "vision encoder"] == ["host"]


def test_a_projector_on_a_machine_without_gpu_takes_ram() -> None:
    plain = fit_of(model(), machine()).now
    seeing = fit_of(replace(model(), projector=900 * MIB, vision=True), machine()).now

    assert seeing.host >= plain.host + 900 * MIB


@pytest.mark.parametrize(
    ("free", "wanted"), [(24, "RTX 3090"), (3, "host")], ids=["beside a whole load", "beside a partial load"]
)
def test_the_old_engine_puts_the_encoder_with_the_output(free: int, wanted: str) -> None:
    spec = replace(model("qwen3-8b"), projector=900 * MIB, vision=True)

    fit = fit_of(spec, machine(gpu(24 * GIB, free * GIB)), ollama("0.24.0"), context=4096).now

    assert [part.where for part in fit.parts if part.name == "vision encoder"] == [wanted]


def test_two_caches_are_misreported_and_the_true_figure_is_said() -> None:
    made = fit_of(model("gemma3-4b"), machine(gpu()), context=32768)

    assert made.true_size.expected > made.now.ps.expected + 500 * MIB
    assert any("ollama ps" in note for note in made.notes)


def test_old_families_report_two_caches_rightly() -> None:
    made = fit_of(model("gemma3-4b"), machine(gpu()), ollama("0.24.0"), context=32768)

    assert not any("ollama ps" in note for note in made.notes)


def drafting() -> ModelSpec:
    spec = model("qwen3.5-9b")
    return replace(spec, draft=4, draft_size=300 * MIB, shape=replace(spec.shape, draft_layers=1))


def test_a_draft_head_replaces_the_cache_that_ps_shows() -> None:
    plain = fit_of(model("qwen3.5-9b"), machine(gpu()), context=32768)
    draft = fit_of(drafting(), machine(gpu()), context=32768)

    assert draft.true_size.expected > plain.true_size.expected + 300 * MIB
    assert draft.now.ps.expected < plain.now.ps.expected + 300 * MIB
    assert draft.now.layers == plain.now.layers + 1
    assert any("ollama ps" in note for note in draft.notes)


@pytest.mark.parametrize("free", [24, 5, 0], ids=["whole", "partly", "on the CPU"])
def test_a_draft_head_goes_where_the_model_goes(free: int) -> None:
    here = machine(gpu(24 * GIB, free * GIB)) if free else machine()

    parts = [part for part in fit_of(drafting(), here).now.parts if part.name == "draft head"]

    assert [part.where for part in parts] == ["RTX 3090" if free else "host"]


def test_a_tied_embedding_is_on_the_gpu_and_on_the_host() -> None:
    tied = fit_of(model("qwen3-4b"), machine(gpu())).now
    embedding = model("qwen3-4b").weights.token_embedding

    assert sum(part.size for part in tied.parts if part.name == "input embedding" and part.where == "host") == embedding
    weights = next(part.size for part in tied.parts if part.name == "weights")
    assert weights == model("qwen3-4b").weights.total


def test_a_tied_embedding_is_there_once_on_the_cpu() -> None:
    fit = fit_of(model("qwen3-4b"), machine()).now

    assert sum(part.size for part in fit.parts if part.name in ("weights", "input embedding")) == (
        model("qwen3-4b").weights.total
    )


def test_evicting_the_old_model_makes_room() -> None:
    made = fit_of(model(), machine(gpu(8 * GIB, 2 * GIB)), ollama(loaded=(loaded(5 * GIB + 512 * MIB),)))

    assert made.now.placement == "partial"
    assert made.unloaded.placement == "gpu"


def test_evicting_gives_back_ram_too() -> None:
    made = fit_of(model(), machine(ram=16 * GIB, available=3 * GIB), ollama(loaded=(loaded(10 * GIB, vram=0),)))

    assert (made.now.placement, made.unloaded.placement) == ("none", "cpu")


def test_evicting_from_unified_memory_gives_it_back_as_both() -> None:
    apple = Gpu(0, "apple", "M4", "unified", 12 * GIB, 12 * GIB, shares_ram=True)

    made = fit_of(model(), machine(apple, ram=16 * GIB, available=4 * GIB), ollama(loaded=(loaded(9 * GIB),)))

    assert made.unloaded.placement == "gpu"


def test_a_load_that_is_there_already_is_reported_as_measured() -> None:
    spec = replace(model(), digest="a" * 64)
    size = 5_900_000_000
    under = ollama(loaded=(loaded(size, digest="a" * 64, context=4096),))

    made = fit_of(spec, machine(gpu(24 * GIB, 10 * GIB)), under, context=4096)

    assert made.basis == "measured"
    assert (made.now.ps.low, made.now.ps.expected, made.now.ps.high) == (size, size, size)
    assert made.true_size.expected == size


def test_a_measurement_at_another_context_is_no_measurement() -> None:
    spec = replace(model(), digest="a" * 64)
    under = ollama(loaded=(loaded(5 * GIB, digest="a" * 64, context=2048),))

    assert fit_of(spec, machine(gpu()), under, context=4096).basis == "tensors"


def test_a_measurement_of_what_ps_misreports_is_not_taken() -> None:
    spec = replace(model("gemma3-4b"), digest="a" * 64)
    under = ollama(loaded=(loaded(5 * GIB, digest="a" * 64, context=4096),))

    assert fit_of(spec, machine(gpu()), under, context=4096).basis == "tensors"


def test_a_measured_load_keeps_its_unreported_encoder_in_the_true_figure() -> None:
    spec = replace(model(), digest="a" * 64, projector=900 * MIB, vision=True)
    under = ollama(loaded=(loaded(5 * GIB, digest="a" * 64, context=4096),))

    made = fit_of(spec, machine(gpu()), under, context=4096)

    assert made.now.ps.expected == 5 * GIB
    assert made.true_size.expected == pytest.approx(5 * GIB + 900 * MIB, abs=MIB)


def test_its_own_load_does_not_stand_in_a_models_way() -> None:
    spec = replace(model(), digest="a" * 64)
    under = ollama(loaded=(loaded(6 * GIB, digest="a" * 64, context=2048),))

    assert fit_of(spec, machine(gpu(8 * GIB, 2 * GIB)), under).now.placement == "gpu"


def test_flash_attention_off_costs_scores() -> None:
    on = fit_of(model(), machine(gpu()), ollama(FLASH_ATTENTION="1"), context=16384)
    off = fit_of(model(), machine(gpu()), ollama(FLASH_ATTENTION="0"), context=16384)

    assert off.now.ps.expected > on.now.ps.expected + 500 * MIB


@pytest.mark.parametrize("shape", ["gpt-oss-20b", "deepseek-v2-16b-mla", "qwen3.5-9b", "qwen3-30b-a3b"])
@pytest.mark.parametrize("version", ["0.33.0", "0.24.0"])
@pytest.mark.parametrize("free", [0, 3, 7, 12, 40])
def test_every_kind_of_model_finds_a_place_in_every_family(shape: str, version: str, free: int) -> None:
    here = machine(gpu(48 * GIB, free * GIB)) if free else machine()

    fit = fit_of(model(shape), here, ollama(version)).now

    assert fit.placement != "none"
    assert fit.ps.low <= fit.ps.expected <= fit.ps.high


@pytest.mark.parametrize("version", ["0.33.0", "0.24.0"])
def test_scratch_memory_of_the_encoder_is_counted_by_every_family_but_the_runner(version: str) -> None:
    seeing = replace(model(), projector=900 * MIB, vision=True)

    parts = {part.name for part in fit_of(seeing, machine(gpu()), ollama(version)).now.parts}

    assert ("vision buffers" in parts) == (version == "0.33.0")


def test_experts_spread_over_two_cards_fill_each_from_its_front() -> None:
    here = machine(gpu(8 * GIB, index=0, name="A"), gpu(8 * GIB, index=1, name="B"))

    fit = fit_of(model("qwen3-30b-a3b"), here).now

    assert fit.placement == "experts-in-ram"
    assert [use.device for use in fit.devices] == ["A", "B"]
    assert all(use.size > 4 * GIB for use in fit.devices)
