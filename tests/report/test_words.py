"""How figures and verdicts are worded."""

from __future__ import annotations

from dataclasses import replace

import examples
import pytest

from llamaexit.memory.estimate import DeviceUse, Interval
from llamaexit.planning.plan import Asked, Caveat, Download, Totals, UseDecision, Version
from llamaexit.recipes.model import Thinking
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
    assert "ollama ps" not in " ".join(words.reckoned(fits))
    misreported = replace(fits, true_size=Interval(70 * GIB, 70 * GIB, 70 * GIB))
    assert "`ollama ps` will show 60.0 GiB: Ollama's own figure leaves out part of the cache" in words.reckoned(
        misreported
    )


@pytest.mark.parametrize(
    ("new", "old", "said"),
    [
        pytest.param(6.6, None, "6.6 GiB (6.5 to 6.7)", id="nothing is known about the old one"),
        pytest.param(
            6.6, examples.estimate("x", 5.5), "1.1 GiB more than the old model (5.5 GiB)", id="the new one needs more"
        ),
        pytest.param(
            5.5, examples.estimate("x", 6.6), "1.1 GiB less than the old model (6.6 GiB)", id="the new one needs less"
        ),
        pytest.param(
            5.86,
            examples.estimate("x", 5.54),
            "0.4 GiB more than the old model (5.5 GiB)",
            id="the difference is that of the figures as printed: 5.9 and 5.5",
        ),
        pytest.param(5.5, examples.estimate("x", 5.5), "as much as the old model", id="both need the same"),
        pytest.param(
            5.5,
            examples.estimate("x", 6.6, context=2048),
            "less than the old model (6.6 GiB with 2048 tokens)",
            id="the old one runs with another context",
        ),
        pytest.param(
            5.5,
            replace(examples.estimate("x", 6.6), true_size=Interval(6 * GIB, 4 * GIB, 9 * GIB)),
            "5.5 GiB (5.4 to 5.6), perhaps less than the old model (6.0 GiB, may be 4.0 to 9.0)",
            id="the old one is hardly known",
        ),
        pytest.param(
            3.5,
            replace(examples.estimate("x", 6.6), true_size=Interval(6 * GIB, 4 * GIB, 9 * GIB)),
            "2.5 GiB less than the old model (6.0 GiB, may be 4.0 to 9.0)",
            id="the old one is hardly known, and larger in any case",
        ),
        pytest.param(
            5.5,
            replace(examples.estimate("x", 6.6), unloaded=examples.fit(6.6, "none", 0.0, why="mllama")),
            "5.5 GiB (5.4 to 5.6)",
            id="the old one does not load",
        ),
    ],
)
def test_memory_is_told_against_what_the_old_model_takes(new, old, said) -> None:
    assert words.memory(examples.estimate("y", new), old)[0].endswith(said)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("OLLAMA_CONTEXT_LENGTH", "set by OLLAMA_CONTEXT_LENGTH;"),
        ("num_ctx of the old model", "set by num_ctx of the old model;"),
        ("given with --context", "given with --context;"),
        ("Ollama's default without a GPU", "Ollama's default without a GPU;"),
    ],
)
def test_context_is_told_with_whose_choice_it_was(source, said) -> None:
    line = words.reckoned(replace(examples.estimate("x", 5), context_source=source))[0]
    assert line.startswith(f"context of 8192 tokens for prompt and answer, {said}")


def test_notes_of_an_estimate_are_told_but_for_what_is_said_already() -> None:
    notes = ("`ollama ps` will show 5 GiB", "its shape is not known", "no GPU takes part: it runs on the CPU")
    assert words.reckoned(replace(examples.estimate("x", 5), notes=notes))[1:] == ["its shape is not known"]


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
        ("0.6.6", "0.24.1", "0.6.6 or later; 0.24.1 is here"),
        ("0.6.6", None, "0.6.6 or later; the version here is not known"),
        (None, "0.24.1", "no lowest version known; 0.24.1 is here"),
        (None, None, "no lowest version known; the version here is not known"),
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


def test_thinking_in_brief_leaves_out_how_to_stop_it() -> None:
    facts = Thinking(True, True, True, "send think: false")
    assert words.thinking(facts, brief=True) == "by default; clients can switch it off"


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


def test_totals_name_old_models_on_the_disk_only_where_there_are_some() -> None:
    sums = Totals(GB, GB, 9 * GB, True, 0)
    assert words.totals(sums)[1] == "as much on disk, beside the old models; 9.0 GB free"
    assert words.totals(sums, beside=False)[1] == "as much on disk; 9.0 GB free"
    assert words.totals(replace(sums, disk_peak=2 * GB), beside=False)[1] == "2.0 GB on disk; 9.0 GB free"


def test_old_models_are_on_the_disk_when_one_that_goes_is_installed() -> None:
    assert words.old_are_here(examples.DESKTOP)
    assert not words.old_are_here(replace(examples.DESKTOP, decisions=(examples.FIM, examples.KEPT)))


def test_totals_say_when_free_disk_is_not_known() -> None:
    assert words.totals(Totals(GB, GB, None, True, 0))[1].endswith("what is free is not known")


def test_nothing_planned_for_what_cannot_run_is_not_called_no_llama() -> None:
    asked = replace(examples.NOTHING, asked=(Asked("gpt-5.5", "GPT-5.5 by OpenAI", "closed"),))
    assert words.headline(asked) == "Nothing to plan."
    assert words.headline(examples.NOTHING) == "No Llama models here: nothing to do."


def changed(decision=examples.CHAT, fit=None, old=None, version=None, caveats=(), **more):
    """A replacement with another fit, version or caveat."""
    target = replace(decision.target, caveats=caveats, version=version or decision.target.version)
    source = replace(decision.source, fit=old or decision.source.fit)
    return replace(decision, target=replace(target, fit=fit or target.fit), source=source, **more)


NOWHERE = examples.fit(6.6, "none", 0.0, why="needs 6.6 GiB; 2.0 GiB RAM is free")
GONE = Caveat("ALREADY_BROKEN", "No longer loads on current Ollama.")


@pytest.mark.parametrize(
    ("decision", "lines"),
    [
        pytest.param(changed(), [], id="nothing"),
        pytest.param(
            changed(old=replace(examples.estimate("x", 6.6), unloaded=NOWHERE), caveats=(GONE,)),
            ["The old model does not load here with 8192 tokens: needs 6.6 GiB; 2.0 GiB RAM is free."],
            id="the old model does not load, told once",
        ),
        pytest.param(changed(caveats=(GONE,)), [GONE.text], id="the old model will not load after an upgrade"),
        pytest.param(
            changed(fit=examples.estimate("qwen3:8b", 6.6, now=NOWHERE)),
            ["qwen3:8b does not start right now, beside what is loaded: needs 6.6 GiB; 2.0 GiB RAM is free."],
            id="the new model does not start beside what is loaded",
        ),
        pytest.param(
            changed(version=Version("0.99.0", "0.24.1", False)),
            ["qwen3:8b needs Ollama 0.99.0 or later; 0.24.1 is here."],
            id="Ollama is too old",
        ),
        pytest.param(
            changed(automatic=False), ["Not automatic: a person has to confirm this one."], id="a person has to confirm"
        ),
        pytest.param(
            replace(examples.KEPT, source=changed(old=replace(examples.estimate("x", 6.6), unloaded=NOWHERE)).source),
            [],
            id="what is kept presses nobody",
        ),
    ],
)
def test_what_cannot_wait_is_told_first(decision, lines) -> None:
    assert words.pressing(decision) == lines


def test_what_does_not_start_now_is_not_told_twice() -> None:
    lines = words.memory(examples.estimate("qwen3:8b", 6.6, now=NOWHERE), None)
    assert not any("right now" in line for line in lines)


PAIR = ("qwen3:8b", "qwen3.5:9b")


@pytest.mark.parametrize(
    ("hint", "left"),
    [
        pytest.param("nearest: qwen3:8b, qwen3.5:9b", (), id="the next step names all"),
        pytest.param("nearest: qwen3:8b", PAIR, id="it names one"),
        pytest.param(None, PAIR, id="there is none"),
    ],
)
def test_proposals_are_not_named_twice(hint, left) -> None:
    assert words.still_open(replace(examples.GUARD, hint=hint, proposals=PAIR)) == left


ASSUMED = replace(examples.CHAT, use=UseDecision(("chat",), "assumed", "assumed: nothing says what it is used for"))
STATED = replace(examples.CHAT, use=UseDecision(("code",), "given", "given by you"))


@pytest.mark.parametrize(
    ("decisions", "said"),
    [
        pytest.param(
            [STATED, examples.CHAT], "if llama3.1:8b serves something else here, say --use llama3.1:8b=USE", id="one"
        ),
        pytest.param(
            [examples.CHAT, ASSUMED], "if a model serves something else here, say --use MODEL=USE", id="several"
        ),
        pytest.param([STATED, examples.GUARD], "", id="none: stated, or not replaced"),
    ],
)
def test_how_to_state_a_use_is_told_once_where_any_was_taken_for_granted(decisions, said) -> None:
    assert "".join(words.other_use(decisions)) == said


def test_markdown_shows_what_was_written_and_not_what_it_would_mean() -> None:
    odd = replace(examples.GUARD, reason="a | b <script> *c* `d`\nnext [line](x)")
    odd = replace(odd, source=replace(odd.source, model="we|ird`name:latest"))
    text = plan_markdown(replace(examples.SINGLE, decisions=(odd,)))
    assert r"a \| b \<script\> \*c\* \`d\` next \[line\](x)" in text
    row = next(line for line in text.splitlines() if line.startswith("| we"))
    assert row.replace(r"\|", "").count("|") == 8
