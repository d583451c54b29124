"""What the texts after options mean, and what is said about those that mean nothing."""

from __future__ import annotations

import pytest

from llamaexit.cli import values
from llamaexit.errors import UsageError
from llamaexit.units import GIB


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("8192", 8192), ("8k", 8192), ("32K", 32768), ("131_072", 131072), ("131,072", 131072), (None, None)],
)
def test_context_is_read_in_tokens(text, tokens) -> None:
    assert values.context_of(text) == tokens


@pytest.mark.parametrize("text", ["0", "-1", "8kk", "lots", "1.5k", "", "99999999999"])
def test_context_that_is_no_number_of_tokens_is_refused(text) -> None:
    with pytest.raises(UsageError, match="--context"):
        values.context_of(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100Mbit", 12_500_000),
        ("100mbit/s", 12_500_000),
        ("100Mbps", 12_500_000),
        ("12MB/s", 12_000_000),
        ("12 MiB/s", 12 * 1024**2),
        ("1.5Gbit", 187_500_000),
        ("800kb", 100_000),
        (None, None),
    ],
)
def test_bandwidth_is_read_in_bytes_a_second(text, rate) -> None:
    assert values.rate_of(text) == rate


@pytest.mark.parametrize("text", ["fast", "100", "100M", "0Mbit", "-5Mbit", "100Mbit/h"])
def test_bandwidth_that_is_no_rate_is_refused(text) -> None:
    with pytest.raises(UsageError, match="--bandwidth"):
        values.rate_of(text)


def test_uses_are_read_per_model() -> None:
    given = ["llama3.1:8b=chat,tools", "codellama:7b=fim", "llama3.1:8b=rag"]
    assert values.uses_of(given, []) == {"llama3.1:8b": ("chat", "tools", "rag"), "codellama:7b": ("fim",)}


def test_bare_use_belongs_to_the_only_model_named() -> None:
    assert values.uses_of(["code"], ["llama3.1:8b"]) == {"llama3.1:8b": ("code",)}


@pytest.mark.parametrize(
    ("text", "models", "said"),
    [
        pytest.param("code", [], "which model", id="a bare use with no model named"),
        pytest.param("code", ["a", "b"], "which model", id="a bare use with two models named"),
        pytest.param("llama3.1:8b=poetry", [], "no use 'poetry'", id="a use that does not exist"),
        pytest.param("llama3.1:8b=", [], "names no use", id="a model without a use"),
        pytest.param("=chat", [], "names no use", id="a use without a model"),
    ],
)
def test_use_that_cannot_be_meant_is_refused(text, models, said) -> None:
    with pytest.raises(UsageError, match=said):
        values.uses_of([text], models)


def test_lineage_answers_are_read_per_model() -> None:
    assert values.lineages_of(["hf.co/a/b:Q4=meta", "team=not-meta"]) == {"hf.co/a/b:Q4": "meta", "team": "not-meta"}


@pytest.mark.parametrize("text", ["meta", "team=llama", "=meta", ""])
def test_lineage_that_answers_nothing_is_refused(text) -> None:
    with pytest.raises(UsageError, match="--lineage"):
        values.lineages_of([text])


def test_stated_hardware_takes_lists_and_repetition() -> None:
    stated = values.overrides_of(["24GiB", "16GiB,8GiB"], "64G", ["RTX 4090", "RTX 3090"])
    assert stated.vram == (24 * GIB, 16 * GIB, 8 * GIB)
    assert (stated.ram, stated.gpu) == (64 * GIB, ("RTX 4090", "RTX 3090"))


def test_no_vram_is_a_machine_without_a_gpu() -> None:
    assert values.overrides_of(["0"], None, None).vram == (0,)


@pytest.mark.parametrize(("vram", "ram"), [(["24GiX"], None), ([""], None), (["-1GiB"], None), (None, "much")])
def test_stated_hardware_that_is_no_size_is_refused(vram, ram) -> None:
    with pytest.raises(UsageError, match=r"--(vram|ram)"):
        values.overrides_of(vram, ram, None)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        pytest.param("64", "--ram 64: which unit?", "say 64GiB", id="gibibytes, most likely"),
        pytest.param("65536", "--ram 65536: which unit?", "say 65536MiB", id="mebibytes, most likely"),
        pytest.param("68719476736", "which unit?", "say 68719476736B", id="bytes, most likely"),
        pytest.param("2PiB", "'2PiB' is not a size", None, id="a unit nobody has"),
        pytest.param("2000TiB", "no machine has that much", "24GiB", id="more than a pebibyte"),
        pytest.param("9" * 400 + "GiB", "no machine has that much", "24GiB", id="more than a float can hold"),
    ],
)
def test_size_without_a_unit_or_beyond_reason_is_refused(text, said, hint) -> None:
    with pytest.raises(UsageError) as caught:
        values.overrides_of(None, text, None)
    assert said in caught.value.message
    assert caught.value.hint is None if hint is None else hint in str(caught.value.hint)


@pytest.mark.parametrize(("text", "seconds"), [("5", 5.0), ("0.5", 0.5), (" 30 ", 30.0), ("3600", 3600.0)])
def test_timeout_is_read_in_seconds(text, seconds) -> None:
    assert values.timeout_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("soon", "'soon' is not a number of seconds"),
        ("5min", "'5min' is not a number of seconds"),
        ("", "'' is not a number of seconds"),
        ("0", "between 0 and 3600"),
        ("-1", "between 0 and 3600"),
        ("nan", "between 0 and 3600"),
        ("inf", "between 0 and 3600"),
        ("1e9", "between 0 and 3600"),
    ],
)
def test_timeout_that_cannot_be_waited_for_is_refused(text, said) -> None:
    with pytest.raises(UsageError, match="--timeout") as caught:
        values.timeout_of(text)
    assert said in caught.value.message
