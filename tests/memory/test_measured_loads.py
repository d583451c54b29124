"""The estimator against loads that were really measured (tests/data/memory/cases.toml)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llamaexit.memory import Fit, estimate, spec_of_table
from llamaexit.memory.graph import VERIFIED, graph_of
from llamaexit.memory.kv import cache_of, quantized
from llamaexit.snapshot import Cpu, Gpu, Machine, OllamaFacts, Ram, System
from llamaexit.units import MIB
from measured_loads import KNOWN_BASES, Case, cases, shape_named, spec_for, table, usable, verdict

TOTALS = ("api", "ps", "log", "local", "true", "projection")
"""Metrics that count the buffers of one load. A whole card holds other things too."""
CASES = [pytest.param(case, basis, id=f"row {case.row}, {case.model}, {basis}") for case, basis in usable()]
TOTALS_ONLY = [each for each in CASES if each.values[0].metric in TOTALS]
EXACT = [
    pytest.param(case, id=f"row {case.row}, {case.model}")
    for case in cases()
    if case.metric == "api" and case.family == "server" and case.unusable is None
]
LOCAL = [pytest.param(case, id=f"row {case.row}, {case.model}") for case in cases() if case.metric == "local"]
PARTS = [pytest.param(case, id=f"row {case.row}, {case.model}") for case in cases() if case.parts]


@pytest.mark.parametrize(("case", "basis"), CASES)
def test_measured_load_lies_in_the_stated_interval(case: Case, basis: str) -> None:
    found = verdict(case, basis)

    assert found.hit, f"{found.ours} does not meet {case.low} to {case.high}"


@pytest.mark.parametrize(("case", "basis"), TOTALS_ONLY)
def test_estimate_is_as_near_as_its_basis_promises(case: Case, basis: str) -> None:
    found = verdict(case, basis)
    verified = found.estimate.family == "server" and shape_named(case.facts["shape"])[0].architecture in VERIFIED

    allowed = {"tensors": 0.005 if verified else 0.03, "manifest": 0.03, "label": 0.05}[basis]

    assert abs(found.off_by) <= max(allowed * case.high, 16 * MIB)


@pytest.mark.parametrize("case", EXACT)
def test_api_ps_is_predicted_to_the_byte_where_the_tensor_table_is_known(case: Case) -> None:
    assert verdict(case, "tensors").ours.expected == case.low


@pytest.mark.parametrize("case", LOCAL)
def test_our_own_loads_are_reproduced(case: Case) -> None:
    assert abs(verdict(case, "tensors").off_by) <= 2 * MIB


@pytest.mark.parametrize("case", PARTS)
def test_every_buffer_of_a_log_is_reproduced(case: Case) -> None:
    facts = case.facts
    shape, _ = shape_named(facts["shape"])
    batch, kv_type, flash = facts["batch"], facts.get("kv", "f16"), facts.get("flash", True)
    on_cpu = facts["hardware"] == "CPU"

    cache = cache_of(shape, "server", case.context, facts.get("parallel", 1), batch, kv_type)
    graph = graph_of(shape, case.context, batch, flash=flash, quantized=quantized(kv_type))

    ours = {
        "cache": (cache.total - cache.state if case.metric == "log" else cache.total) / MIB,
        "graph": (graph.cpu if on_cpu else graph.device) / MIB,
        "host_graph": graph.host / MIB,
    }
    # latent attention and the smallest Qwen3 on the CPU are the two shapes the form is off for, by 2 MiB;
    # without flash attention a Mistral of 2025 took 4 MiB less than today's server
    slack = 4.5 if facts.get("flash") is False or on_cpu else 0.5
    for name, size in case.parts.items():
        if name in ours:
            assert ours[name] == pytest.approx(size, abs=slack), name


def test_the_log_of_an_older_server_shows_the_same_weights_and_cache() -> None:
    case = next(each for each in cases() if each.row == 26)
    spec = spec_for(case, "tensors")

    assert spec.weights.total / MIB == pytest.approx(case.parts["weights"], abs=0.01)
    assert cache_of(spec.shape, "server", case.context, 1, 512, "f16").total == case.parts["cache"] * MIB


def test_every_case_is_either_reckoned_or_says_why_not() -> None:
    silent = [
        case.row for case in cases() if case.unusable is None and not case.parts and (not case.bases or not case.high)
    ]

    assert silent == []
    assert all(len(case.unusable) > 20 for case in cases() if case.unusable is not None)
    assert {basis for case in cases() for basis in case.bases} == set(KNOWN_BASES)


def test_the_even_half_of_the_reference_is_complete() -> None:
    assert sorted(case.row for case in cases()) == list(range(0, 294, 2))


# --- placement, on the device llama.cpp's own fitting was watched on -----------------------------------------------

DRIVER = 300 * MIB


def card(usable_mib: int) -> Machine:
    """A card that leaves `usable_mib` to a model once the driver and llama.cpp's margin are served."""
    free = (usable_mib + 1024) * MIB + DRIVER
    gpu = Gpu(0, "nvidia", "card", "discrete", 24 << 30, free)
    return Machine(System("linux"), Cpu(None, 8, 16), Ram(64 << 30, 60 << 30), (gpu,))


def fitted(shape_name: str, context: int, batch: int, usable_mib: int) -> Fit:
    shape, weights = table(shape_name, "Q4_K_M")
    spec = replace(spec_of_table(shape_name, shape, weights), num_batch=batch)
    return estimate(spec, card(usable_mib), OllamaFacts("server", version="0.33.0"), context=context).now


@pytest.mark.parametrize(
    ("shape_name", "usable_mib", "layers", "used_mib"),
    [
        ("llama3.1-8b", 4105, "23/33", 4060),
        ("llama3.1-8b", 5605, "32/33", 5479),
        ("llama3.1-8b", 2605, "13/33", 2523),
        ("gemma3-4b", 1605, "14/35", 1552),
        ("qwen3.5-4b", 1605, "13/33", 1539),
    ],
)
def test_part_of_a_model_goes_where_llama_cpp_put_it(
    shape_name: str, usable_mib: int, layers: str, used_mib: int
) -> None:
    fit = fitted(shape_name, 8192, 1024, usable_mib)

    assert fit.placement == "partial"
    assert f"{fit.layers_on_gpu}/{fit.layers}" == layers
    assert (fit.devices[0].size - DRIVER) // MIB == used_mib


def test_a_projection_of_the_whole_load_is_met_to_the_mebibyte() -> None:
    fit = fitted("llama3.1-8b", 8192, 1024, 20000)

    assert fit.placement == "gpu"
    assert (fit.devices[0].size - DRIVER) // MIB == 5659


def test_experts_that_do_not_fit_stay_in_ram_while_all_layers_count_as_offloaded() -> None:
    fit = fitted("qwen3-30b-a3b", 8192, 1024, 7005)

    assert fit.placement == "experts-in-ram"
    assert f"{fit.layers_on_gpu}/{fit.layers}" == "49/49"
    assert (fit.devices[0].size - DRIVER) / MIB == pytest.approx(6884, abs=2)
