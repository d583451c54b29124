"""How figures and verdicts are worded."""

from __future__ import annotations

from dataclasses import replace

import examples
import pytest

from llamaexit.memory.estimate import DeviceUse, Interval
from llamaexit.planning.plan import Asked, Download, Totals, Version
from llamaexit.recipes.model import Figures, Thinking
from llamaexit.report import words
from llamaexit.report.markdown import plan_markdown
from llamaexit.units import GIB, MIB

GB = 10**9


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100%"), (0.9999, "99%"), (0.61, "61%"), (0.001, "1%"), (0.0, "0%")],
)
def test_share_reads_full_only_when_it_is(share, text) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_listed_as_in_a_sentence(items, text) -> None:
    assert words.listed(items) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (Interval(6 * GIB, 6 * GIB, 6 * GIB), "6.0 GiB"),
        (Interval(6 * GIB, 5 * GIB, 7 * GIB), "6.0 GiB (5.0 to 7.0)"),
        (Interval(90 * MIB, 60 * MIB, 120 * MIB), "90 MiB (60 MiB to 0.1 GiB)"),
    ],
)
def test_range_is_shown_where_it_shows(size, text) -> None:
    assert words.ranged(size) == text


@pytest.mark.parametrize(
    ("fit", "text"),
    [
        pytest.param(examples.fit(6), "all on the GPU", id="one card"),
        pytest.param(
            replace(examples.fit(6), devices=(DeviceUse("A", 1, 2, 2), DeviceUse("B", 1, 2, 2))),
            "spread over 2 GPUs",
            id="two cards",
        ),
        pytest.param(examples.fit(6, "partial", 0.4, (15, 37)), "15 of 37 layers on the GPU (40%)", id="layers"),
        pytest.param(examples.fit(6, "experts-in-ram", 0.3), "experts in RAM, 30% on the GPU", id="experts"),
        pytest.param(examples.fit(6, "cpu", 0.0), "on the CPU", id="CPU"),
        pytest.param(examples.fit(6, "none", 0.0, why="needs more"), "does not fit: needs more", id="nowhere"),
    ],
)
def test_placement_is_told_in_words(fit, text) -> None:
    assert words.placed(fit) == text


def test_two_verdicts_are_told_only_when_they_differ() -> None:
    same = examples.estimate("qwen3:8b", 6.6)
    differ = examples.estimate("qwen3:8b", 6.6, now=examples.fit(6.6, "cpu", 0.0))
    assert len(words.memory(same, None)) == 2
    assert words.memory(differ, None)[1:] == [
        "all on the GPU once the loaded models have left",
        "right now, beside what is loaded: on the CPU",
    ]


def test_family_that_ps_misreports_is_told() -> None:
    fits = examples.estimate("llama4:16x17b", 60.0)
    assert "ollama ps" not in words.reckoned(fits)
    misreported = replace(fits, true_size=Interval(70 * GIB, 70 * GIB, 70 * GIB))
    assert words.reckoned(misreported).endswith("`ollama ps` will show 60.0 GiB")


@pytest.mark.parametrize(
    ("item", "installed", "text"),
    [
        pytest.param(Download(5 * GB, 0, True, "registry"), False, "5.0 GB (registry)", id="exact"),
        pytest.param(Download(5 * GB, 0, False, "catalogue"), False, "about 5.0 GB (catalogue)", id="rounded"),
        pytest.param(
            Download(5 * GB, 2 * GB, True, ""), False, "3.0 GB, 2.0 GB of 5.0 GB are here already", id="layers shared"
        ),
        pytest.param(Download(5 * GB, 5 * GB, True, "x"), False, "nothing, it is installed here", id="all there"),
        pytest.param(Download(5 * GB, 0, True, "x"), True, "nothing, it is installed here", id="installed"),
        pytest.param(Download(0, 0, False, "x"), False, "size not known", id="nothing known"),
    ],
)
def test_download_says_how_much_and_how_we_know(item, installed, text) -> None:
    assert words.download(item, installed) == text


@pytest.mark.parametrize(
    ("needed", "present", "text"),
    [
        ("0.6.6", "0.24.1", "0.6.6 or later; 0.24.1 here"),
        ("0.6.6", None, "0.6.6 or later; the version here is not known"),
        (None, "0.24.1", "0.24.1 here; no lowest version known"),
        (None, None, "no lowest version known"),
    ],
)
def test_version_needed_is_told_against_the_one_here(needed, present, text) -> None:
    assert words.version(Version(needed, present, None)) == text


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (Thinking(), "not known"),
        (Thinking(False), "never"),
        (Thinking(True, False, True), "only when asked"),
        (Thinking(True, True, True), "by default; clients can switch it off"),
        (Thinking(True, True, True, "send think: false"), "by default; send think: false"),
        (Thinking(True, True, False), "by default, and it cannot be switched off"),
        (Thinking(True, None, None), "supported; its default is not known"),
    ],
)
def test_thinking_is_told_with_what_a_client_can_do(facts, text) -> None:
    assert words.thinking(facts) == text


def test_figure_where_the_old_model_wins_says_so() -> None:
    row = Figures("IFEval", "Llama", 75.9, "Qwen", 71.0, "old", kind="maker", source="blog")
    assert words.figure(row) == "IFEval: 75.9 → 71, the old one is ahead (Llama → Qwen; maker, blog)"


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 s"), (300, "5 min"), (5340, "89 min"), (7500, "2 h 5 min"), (86400, "24 h 0 min")]
)
def test_duration_is_told_in_the_unit_that_fits(seconds, text) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(12_500_000, "100 Mbit/s"), (125_000_000, "1 Gbit/s"), (8_000, "64 kbit/s"), (100, "800 bit/s")],
)
def test_bandwidth_is_told_as_networks_are_sold(rate, text) -> None:
    assert words.rate(rate) == text


def test_totals_of_targets_that_are_all_here_are_nothing_to_download() -> None:
    assert words.totals(Totals(0, 0, 9 * GB, True, 0, bandwidth=1000, seconds=0)) == ["nothing to download"]


def test_totals_say_when_free_disk_is_not_known() -> None:
    assert words.totals(Totals(GB, GB, None, True, 0))[1].endswith("what is free is not known")


def test_nothing_planned_for_what_cannot_run_is_not_called_no_llama() -> None:
    asked = replace(examples.NOTHING, asked=(Asked("gpt-5.5", "GPT-5.5 by OpenAI", "closed"),))
    assert words.headline(asked) == "Nothing to plan."
    assert words.headline(examples.NOTHING) == "No Llama models here: nothing to do."


def test_markdown_shows_what_was_written_and_not_what_it_would_mean() -> None:
    odd = replace(examples.GUARD, reason="a | b <script> *c* `d`\nnext [line](x)")
    odd = replace(odd, source=replace(odd.source, model="we|ird`name:latest"))
    text = plan_markdown(replace(examples.SINGLE, decisions=(odd,)))
    assert r"a \| b \<script\> \*c\* \`d\` next \[line\](x)" in text
    row = next(line for line in text.splitlines() if line.startswith("| we"))
    assert row.replace(r"\|", "").count("|") == 8
