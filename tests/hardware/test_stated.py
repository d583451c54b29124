from __future__ import annotations

import dataclasses

import pytest

from llamaexit.errors import UsageError
from llamaexit.hardware import Overrides, override
from llamaexit.hardware.amd import LEFT_OUT
from llamaexit.hardware.known import find, normal, similar, vendor_of
from llamaexit.snapshot import Cpu, Gpu, Machine, Probe, Ram, System
from llamaexit.units import GIB, MIB

CARD = Gpu(
    index=0,
    vendor="nvidia",
    name="NVIDIA GeForce RTX 3060",
    kind="discrete",
    total=12 * GIB,
    free=3 * GIB,
    compute_capability="8.6",
    source="NVML",
    note="busy",
)
INTEGRATED = Gpu(1, "amd", "AMD Radeon 780M", "integrated", 16 * GIB, 8 * GIB, shares_ram=True, source="sysfs")
MAC = Gpu(0, "apple", "Apple M1", "unified", 16 * GIB * 2 // 3, 5 * GIB, shares_ram=True, source="sysctl")
SPARK = Gpu(0, "nvidia", "NVIDIA GB10", "unified", 119 * GIB, 100 * GIB, shares_ram=True, source="MemTotal")
RAM = Ram(32 * GIB, 20 * GIB, 8 * GIB, 7 * GIB, limit=16 * GIB, headroom=12 * GIB, limit_source="memory.max of /")


def machine(*gpus: Gpu) -> Machine:
    return Machine(System("linux"), Cpu("AMD EPYC", 8, 16), RAM, gpus, probes=(Probe("ram", "found"),))


def test_nothing_stated_changes_nothing() -> None:
    measured = machine(CARD)
    assert override(measured, Overrides()) is measured


def test_stated_memory_replaces_what_the_card_has_and_is_all_free() -> None:
    stated = override(machine(CARD), Overrides(vram=(24 * GIB,)))
    (gpu,) = stated.gpus
    assert (gpu.name, gpu.total, gpu.free, gpu.source, gpu.note) == (CARD.name, 24 * GIB, 24 * GIB, "stated", "")
    assert gpu.compute_capability == "8.6"
    assert stated.overrides == ("GPU 0: NVIDIA GeForce RTX 3060, 24.0 GiB",)
    assert (stated.ram, stated.probes) == (RAM, machine().probes)


def test_stated_memory_without_a_card_makes_a_discrete_one() -> None:
    (gpu,) = override(machine(), Overrides(vram=(24 * GIB,))).gpus
    assert (gpu.kind, gpu.name, gpu.total, gpu.shares_ram) == ("discrete", "GPU with 24.0 GiB", 24 * GIB, False)
    assert (gpu.vendor, gpu.note) == ("nvidia", "no maker stated: reckoned as an NVIDIA card")


def test_several_values_are_several_cards() -> None:
    gpus = override(machine(CARD), Overrides(vram=(24 * GIB, 16 * GIB))).gpus
    assert [(gpu.index, gpu.total) for gpu in gpus] == [(0, 24 * GIB), (1, 16 * GIB)]


def test_one_value_means_the_discrete_card_not_the_integrated_part_beside_it() -> None:
    gpus = override(machine(INTEGRATED, CARD), Overrides(vram=(48 * GIB,))).gpus
    assert [(gpu.index, gpu.name, gpu.total) for gpu in gpus] == [(0, CARD.name, 48 * GIB)]


def test_one_value_beside_two_cards_is_one_card() -> None:
    second = dataclasses.replace(CARD, index=1)
    assert [gpu.total for gpu in override(machine(CARD, second), Overrides(vram=(8 * GIB,))).gpus] == [8 * GIB]


def test_stated_share_of_a_mac_stays_unified() -> None:
    (gpu,) = override(machine(MAC), Overrides(vram=(14 * GIB,))).gpus
    assert (gpu.kind, gpu.shares_ram, gpu.total) == ("unified", True, 14 * GIB)


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param(Overrides(vram=(0,)), id="--vram 0"),
        pytest.param(Overrides(gpu=("none",)), id="--gpu none"),
        pytest.param(Overrides(gpu=("CPU",)), id="--gpu CPU"),
        pytest.param(Overrides(gpu=("none",), vram=(0,)), id="both"),
    ],
)
def test_a_machine_may_be_planned_without_its_gpu(overrides: Overrides) -> None:
    stated = override(machine(CARD), overrides)
    assert (stated.gpus, stated.overrides) == ((), ("no GPU",))


def test_stated_ram_is_all_available_and_has_no_limit() -> None:
    stated = override(machine(CARD, INTEGRATED), Overrides(ram=128 * GIB))
    assert stated.ram == Ram(128 * GIB, 128 * GIB)
    assert stated.gpus == (CARD, INTEGRATED)
    assert stated.overrides == ("RAM 128.0 GiB",)


@pytest.mark.parametrize(
    ("gpu", "total"), [pytest.param(MAC, 48 * GIB, id="Apple"), pytest.param(SPARK, 64 * GIB, id="NVIDIA GB10")]
)
def test_stated_ram_is_what_a_unified_gpu_works_in(gpu: Gpu, total: int) -> None:
    (stated,) = override(machine(gpu), Overrides(ram=64 * GIB)).gpus
    assert (stated.total, stated.free, stated.source) == (total, total, "stated RAM")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("RTX 4090", [("RTX 4090", "nvidia", 24 * GIB)], id="plain"),
        pytest.param("NVIDIA GeForce RTX 4090", [("RTX 4090", "nvidia", 24 * GIB)], id="in full"),
        pytest.param("rtx4090", [("RTX 4090", "nvidia", 24 * GIB)], id="without blanks"),
        pytest.param("RTX 4090 Laptop GPU", [("RTX 4090 Laptop", "nvidia", 16 * GIB)], id="laptop, not desktop"),
        pytest.param("RX 7900XTX", [("RX 7900 XTX", "amd", 24 * GIB)], id="AMD"),
        pytest.param("AMD Radeon RX 7900 XT", [("RX 7900 XT", "amd", 20 * GIB)], id="its smaller sister"),
        pytest.param("Intel(R) Arc(TM) B580", [("Arc B580", "intel", 12 * GIB)], id="Intel, as Windows writes it"),
        pytest.param("2x RTX 3090", [("RTX 3090", "nvidia", 24 * GIB)] * 2, id="two of them"),
        pytest.param("RTX 3060 12GB", [("RTX 3060", "nvidia", 12 * GIB)], id="size in the name"),
        pytest.param(
            "NVIDIA A100-SXM4-40GB", [("NVIDIA A100-SXM4-40GB", "nvidia", 40 * GIB)], id="unlisted, with size"
        ),
    ],
)
def test_well_known_card_brings_its_memory(text: str, expected: list[tuple[str, str, int]]) -> None:
    gpus = override(machine(CARD), Overrides(gpu=(text,))).gpus
    assert [(gpu.name, gpu.vendor, gpu.total) for gpu in gpus] == expected
    assert all(gpu.free == gpu.total and gpu.kind == "discrete" for gpu in gpus)


def test_stated_memory_goes_before_what_the_name_says() -> None:
    (gpu,) = override(machine(), Overrides(gpu=("RTX 4090",), vram=(48 * GIB,))).gpus
    assert (gpu.name, gpu.total, gpu.source) == ("RTX 4090", 48 * GIB, "stated")


@pytest.mark.parametrize(
    ("gpu", "vram", "cards"),
    [
        pytest.param(("RTX 3090", "RTX 3090"), (), [("RTX 3090", 24), ("RTX 3090", 24)], id="the same name twice"),
        pytest.param(
            ("RTX 4090", "2x RTX 4080"), (), [("RTX 4090", 24), ("RTX 4080", 16), ("RTX 4080", 16)], id="mixed"
        ),
        pytest.param(
            ("RTX 7090", "RTX 3090"), (32, 20), [("RTX 7090", 32), ("RTX 3090", 20)], id="memory in their order"
        ),
        pytest.param(("2x RTX 7090",), (32,), [("RTX 7090", 32), ("RTX 7090", 32)], id="one size for several alike"),
        pytest.param(("RTX 7090",), (32, 16), [("RTX 7090", 32), ("RTX 7090", 16)], id="one name for several sizes"),
    ],
)
def test_names_and_memory_are_paired(gpu: tuple[str, ...], vram: tuple[int, ...], cards: list[tuple[str, int]]) -> None:
    gpus = override(machine(CARD), Overrides(gpu=gpu, vram=tuple(size * GIB for size in vram))).gpus
    assert [(card.name, card.total) for card in gpus] == [(name, size * GIB) for name, size in cards]
    assert [card.index for card in gpus] == [*range(len(cards))]


def test_card_called_by_its_size_is_not_given_the_size_twice() -> None:
    assert override(machine(), Overrides(vram=(8 * GIB,))).overrides == ("GPU 0: GPU with 8.0 GiB",)


@pytest.mark.parametrize(
    ("text", "vendor"),
    [("RTX 7090", "nvidia"), ("Radeon Next", "amd"), ("Intel Thing", "intel"), ("Moore Threads S80", "other")],
)
def test_unknown_card_with_memory_is_taken_at_its_word(text: str, vendor: str) -> None:
    (gpu,) = override(machine(), Overrides(gpu=(text,), vram=(10 * GIB,))).gpus
    assert (gpu.name, gpu.vendor, gpu.kind, gpu.total) == (text, vendor, "discrete", 10 * GIB)


@pytest.mark.parametrize(
    ("overrides", "message", "hint"),
    [
        pytest.param(
            Overrides(gpu=("RTX 7090",)), "memory of 'RTX 7090' is not known", "add --vram", id="unknown card"
        ),
        pytest.param(Overrides(gpu=("RTX 490",)), "is not known", "did you mean RTX 4090", id="slip of the keyboard"),
        pytest.param(Overrides(gpu=("RTX 4060 Ti",)), "sold with 8 GiB or 16 GiB", "add --vram 16GiB", id="two sizes"),
        pytest.param(Overrides(gpu=("M4 Max",)), "Apple M4 Max works in main memory", "add --ram", id="a Mac"),
        pytest.param(Overrides(gpu=("Radeon 780M",)), "780M works in main memory", "add --ram", id="integrated part"),
        pytest.param(Overrides(gpu=(" ",)), "names no card", "RTX 4090", id="blank"),
        pytest.param(Overrides(gpu=("none",), vram=(GIB,)), "means no GPU at all", None, id="none with memory"),
        pytest.param(Overrides(gpu=("RTX 4090", "None")), "--gpu None means no GPU at all", None, id="none and a card"),
        pytest.param(
            Overrides(gpu=("3x RTX 3090",), vram=(GIB, GIB)),
            "--gpu 3x RTX 3090: 3 cards, but 2 values of --vram",
            "once for each card, in the same order",
            id="2 for 3",
        ),
        pytest.param(
            Overrides(gpu=("RTX 3090", "RTX 3060"), vram=(GIB,)),
            "2 cards, but 1 value of --vram",
            "order",
            id="1 for 2",
        ),
        pytest.param(Overrides(vram=(24 * GIB, 0)), "without memory is no card", "--vram 0 alone", id="0 among others"),
        pytest.param(Overrides(ram=0), "--ram: a machine has some memory", "--ram 32GiB", id="no memory at all"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_next_step(
    overrides: Overrides, message: str, hint: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        override(machine(CARD), overrides)
    assert message in caught.value.message
    assert caught.value.hint is None if hint is None else hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "kind", "total", "note"),
    [
        pytest.param("M4 Max", "unified", 48 * GIB, "", id="a Mac wires three quarters"),
        pytest.param("DGX Spark", "unified", 64 * GIB, "", id="GB10 takes it all"),
        pytest.param("Radeon 780M", "integrated", 32 * GIB, LEFT_OUT, id="AMD maps half"),
        pytest.param(
            "AMD Radeon 8060S", "integrated", 32 * GIB, "integrated: Ollama 0.30.1 and later uses it, 0.30.0 does not",
            id="Strix Halo is used",
        ),
    ],
)  # fmt: skip
def test_part_that_works_in_main_memory_takes_its_share_of_the_stated_ram(
    text: str, kind: str, total: int, note: str
) -> None:
    stated = override(machine(CARD), Overrides(gpu=(text,), ram=64 * GIB))
    (gpu,) = stated.gpus
    assert (gpu.kind, gpu.total, gpu.shares_ram, gpu.note) == (kind, total, True, note)
    assert stated.ram == Ram(64 * GIB, 64 * GIB)


def test_unified_gpu_larger_than_this_machine_brings_its_ram_along() -> None:
    stated = override(machine(), Overrides(gpu=("M3 Ultra",), vram=(192 * GIB,)))
    assert stated.ram == Ram(192 * GIB, 192 * GIB)
    assert stated.overrides == ("GPU 0: Apple M3 Ultra, 192.0 GiB", "RAM 192.0 GiB, which the GPU works in")


def test_stating_twice_keeps_both_sayings() -> None:
    once = override(machine(), Overrides(ram=64 * GIB))
    assert override(once, Overrides(gpu=("RTX 4090",))).overrides == ("RAM 64.0 GiB", "GPU 0: RTX 4090, 24.0 GiB")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("NVIDIA GeForce RTX™ 4070 Ti SUPER", "rtx 4070 ti super"),
        ("GeForce RTX 3080 Ti Laptop GPU", "rtx 3080 ti laptop"),
        ("RTX 2070 with Max-Q", "rtx 2070 with laptop"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx 6000 ada"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "rtx pro 6000 blackwell"),
        ("Tesla V100", "v100"),
        ("Apple M2 Ultra", "m2 ultra"),
    ],
)
def test_names_lose_brand_and_spelling(name: str, key: str) -> None:
    assert normal(name) == key


@pytest.mark.parametrize("name", ["RTX 4090 D", "RTX 6000", "GTX 4090", "M4 Mini", "4090", ""])
def test_name_that_is_only_nearly_a_card_is_not_one(name: str) -> None:
    assert find(name) is None


def test_memory_of_known_cards_is_plausible_and_names_are_found() -> None:
    from llamaexit.hardware.known import cards

    listed = cards()
    assert len(listed) > 100
    for card in listed:
        assert find(card.name) == card
        assert all(3 * GIB <= size <= 192 * GIB and size % MIB == 0 for size in card.sizes)
        assert list(card.sizes) == sorted(set(card.sizes))
        assert bool(card.sizes) is (card.kind == "discrete")
        assert vendor_of(card.name) in (card.vendor, "other")


def test_similar_names_are_offered_nearest_first() -> None:
    assert similar("RTX 4090 Super")[0] in ("RTX 4090", "RTX 4080 Super", "RTX 4070 Super")
    assert similar("Voodoo 2") == []


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("M9 Max", "apple"),
        ("Apple GPU", "apple"),
        ("MI450X", "amd"),
        ("Arc C990", "intel"),
        ("GTX 9999", "nvidia"),
        ("S80", "other"),
    ],
)
def test_name_tells_the_maker_of_a_card_that_is_not_listed(name: str, vendor: str) -> None:
    assert vendor_of(name) == vendor
