"""What people see of a run in a terminal, held to golden files and to what each end of a run has to say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import run_samples as sample
from golden import compare, text_of

from llamaexit.migration.record import Run
from llamaexit.report.history import print_history
from llamaexit.report.run import print_run
from llamaexit.report.run_show import print_whole_run
from llamaexit.smoke.model import Measured


def ended(run: Run, width: int = 80) -> str:
    """How a run ended, on one line each."""
    return text_of(lambda page: print_run(run, page), width)


def in_full(run: Run, width: int = 80) -> str:
    """Everything about a run."""
    return text_of(lambda page: print_whole_run(run, page), width)


def flat(text: str) -> str:
    """A text as one line, since words wrap at other places in every width."""
    return " ".join(text.replace("\\\n", " ").split())


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("name", ["committed", "no-go"])
def test_end_of_a_run_looks_as_agreed(name: str, width: int) -> None:
    compare(f"run-{name}-{width}.txt", ended(sample.RUNS[name], width))


@pytest.mark.parametrize("width", [40, 80, 140])
def test_whole_run_looks_as_agreed(width: int) -> None:
    compare(f"show-{width}.txt", in_full(sample.REFUSED_VERDICT, width))


@pytest.mark.parametrize("width", [40, 80, 140])
def test_history_looks_as_agreed(width: int) -> None:
    compare(f"history-{width}.txt", text_of(lambda page: print_history(sample.HISTORY, page), width))


@pytest.mark.parametrize("width", [40, 60, 80, 140])
@pytest.mark.parametrize("name", sample.RUNS)
def test_every_end_fits_every_width(name: str, width: int) -> None:
    assert sample.RUN in ended(sample.RUNS[name], width)
    assert sample.RUN in in_full(sample.RUNS[name], width)


def test_figures_stand_old_beside_new() -> None:
    text = ended(sample.BESIDE)
    assert "Speed       41 → 58 tokens/s, 1.4 × the old, better" in text
    assert "First word  0.6 → 0.41 s, 0.68 × the old, better" in text
    assert "Memory      6.2 → 6.6 GiB, 100% on the GPU, as Ollama says" in text


def test_change_of_the_share_on_the_gpu_is_told() -> None:
    residency = replace(sample.NEW.residency, size_vram=sample.NEW.residency.size // 2)
    test = replace(sample.CHAT_TESTED, new=replace(sample.NEW, residency=residency))
    assert "100% → 50% on the GPU" in ended(replace(sample.BESIDE, tests=(test,)))


def test_figure_that_was_measured_for_the_new_model_only_stands_alone() -> None:
    figures = (Measured("tokens_per_second", "tokens/s", None, 58.0, None),)
    test = replace(sample.CHAT_TESTED, comparison=replace(sample.GO, figures=figures))
    assert "Speed       58 tokens/s\n" in ended(replace(sample.BESIDE, tests=(test,)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("beside", ["Name qwen3:8b where llama3.1:8b stands now."], id="a library name"),
        pytest.param("committed", ["team-bot:latest means the one built on qwen3:8b now"], id="a custom model"),
        pytest.param("committed", ["team-chat:latest means it, too."], id="an alias"),
        pytest.param("taken over", ["llama3.1:8b means qwen3:8b now"], id="a name that was taken over"),
        pytest.param(
            "beside",
            ['"think": false to /api/chat and /api/generate', '"reasoning_effort": "none" to /v1'],
            id="how to switch thinking off, for each door",
        ),
    ],
)
def test_end_says_what_to_edit_in_clients(name: str, said: list[str]) -> None:
    text = flat(ended(sample.RUNS[name], 140))
    assert [words for words in said if words not in text] == []


def test_edits_that_are_the_same_for_two_models_are_told_once() -> None:
    text = ended(sample.COMMITTED)
    assert text.count("reasoning_effort") == 1
    assert "otherwise as for llama3.1:8b" in text


def test_no_go_says_which_check_what_was_asked_and_what_was_answered() -> None:
    lines = [line.strip() for line in ended(sample.REFUSED_VERDICT, 140).splitlines()]
    assert lines[0] == "Stopped before anything was switched: no name means anything else than before."
    assert "Failed      keeps to a JSON schema: 2 of 3 answers are not the JSON that was asked for" in lines
    # the first of three prompts went well, the second is the one to show
    assert "asked     Bo is 7. Give name, age and tags." in lines
    assert 'answered  Sure! Here is the JSON: ```json {"name": "Bo"} ```' in lines


def test_question_and_answer_take_one_line_each_however_long_they_are() -> None:
    long = sample.exchange("why? " * 400, "because " * 400)
    failed = replace(sample.BROKEN_SCHEMA, exchanges=(long,), won=(False,))
    new = replace(sample.BAD, results=(failed,))
    text = ended(replace(sample.REFUSED_VERDICT, tests=(replace(sample.CHAT_REFUSED, new=new),)))
    shown = [line for line in text.splitlines() if line.startswith(("    asked", "    answered"))]
    assert len(shown) == 2 and all(line.endswith(" …") and len(line) <= 80 for line in shown)
    assert text.count("because because because because because because because") == 1


def test_answer_of_a_model_cannot_act_on_the_terminal() -> None:
    nasty = sample.exchange("x", "\x1b]0;owned\x07\x1b[2Jdone")
    new = replace(sample.BAD, results=(replace(sample.BROKEN_SCHEMA, exchanges=(nasty,), won=(False,)),))
    run = replace(sample.REFUSED_VERDICT, tests=(replace(sample.CHAT_REFUSED, new=new),))
    assert "\x1b" not in ended(run) + in_full(run)
    assert "\\u001b]0;owned" in ended(run)


def test_model_that_does_not_load_is_told_with_what_ollama_said() -> None:
    assert "Failed qwen3:8b does not load: model requires more system memory" in flat(ended(sample.BAD_LOAD))


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        pytest.param("committed", ["rollback", "retire", "show"], id="done"),
        pytest.param("staged", ["resume", "rollback"], id="staged"),
        pytest.param("no-go", ["resume", "rollback"], id="a no-go"),
        pytest.param("pull failed", ["resume"], id="a download that failed"),
        pytest.param("interrupted", ["resume"], id="interrupted"),
        pytest.param("half-way", ["resume", "rollback"], id="stopped half-way"),
        pytest.param("rolling back", ["rollback"], id="a rollback that did not end"),
        pytest.param("rolled back", ["rollback", "show"], id="undone"),
    ],
)
def test_end_names_the_commands_that_go_on_from_there(name: str, commands: list[str]) -> None:
    text = ended(sample.RUNS[name])
    assert [command for command in commands if f"llamaexit {command}" not in text] == []


def test_nobody_is_told_to_edit_clients_back_where_nothing_was_switched() -> None:
    assert "edited back" not in ended(sample.REFUSED_VERDICT)
    assert "edited back" in flat(ended(sample.ROLLED_BACK))


def test_names_show_what_they_were_and_what_they_are() -> None:
    text = ended(sample.COMMITTED, 140)
    assert "- team-bot:latest: aaaaaaaaaaaa → eeeeeeeeeeee, built again on qwen3:8b" in text
    assert "- team-chat:latest: 500a1f067a9f, alias of qwen3:8b" in text


def test_what_was_left_alone_is_told_after_a_rollback() -> None:
    assert "cccccccccccc now, which this run did not make" in flat(ended(sample.CONFLICT))


def test_whole_run_gives_the_way_back_without_llamaexit() -> None:
    assert f"ollama cp llamaexit-keep/{sample.BOT}:latest team-bot:latest" in flat(in_full(sample.COMMITTED, 140))


def test_history_without_runs_says_so() -> None:
    assert text_of(lambda page: print_history((), page)) == "No runs yet.\nNext        llamaexit migrate\n"


def test_history_tells_runs_on_several_ollamas_apart() -> None:
    away = replace(sample.COMMITTED.summary, host="http://10.0.0.7:11434")
    text = text_of(lambda page: print_history((sample.COMMITTED.summary, away), page), 140)
    assert "10.0.0.7:11434" in text and "127.0.0.1:11434" in text
    assert "11434" not in text_of(lambda page: print_history((sample.COMMITTED.summary,), page), 140)


def test_history_names_a_few_models_of_a_run_with_many() -> None:
    many = replace(sample.COMMITTED.summary, models=tuple((f"llama{n}:8b", "qwen3:8b") for n in range(9)))
    text = flat(text_of(lambda page: print_history((many,), page), 140))
    assert "llama2:8b → qwen3:8b, 6 more" in text and "llama3:8b" not in text
