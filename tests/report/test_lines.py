"""A run in plain lines, as logs get it, and as JSON, as programs do."""

from __future__ import annotations

import json
from dataclasses import replace

import event_samples as events
import pytest
import run_samples as sample

from llamaexit.jsonable import dump
from llamaexit.migration.events import Event, Noted, RunBegan
from llamaexit.report.event_json import NAMES, event_json
from llamaexit.report.lines import OFTEN, SELDOM, Lines, progress


def told(*heard: Event, every: float = 1.0) -> list[str]:
    """The lines about events that come `every` so many seconds."""
    lines: list[str] = []
    times = iter(range(10**6))
    listener = Lines(lines.append, lambda: next(times) * every)
    for event in heard:
        listener.hear(event)
    return lines


def about_pulls(heard: list[Event], every: float) -> list[str]:
    """The lines about the download."""
    return [line for line in told(*heard, every=every) if "qwen3:8b: " in line]


def test_first_line_names_the_run_and_says_that_nothing_was_changed() -> None:
    assert told(events.BEGAN) == [
        f"Run {sample.RUN}: 8 steps. Nothing has been changed that anyone uses.",
    ]


def test_every_step_is_told_when_it_begins_and_when_it_ends() -> None:
    assert told(events.step(2, "begun"), events.step(2, "done", 402.0)) == [
        "  2/8 pull qwen3:8b",
        "  2/8 pull qwen3:8b: done in 7 min, qwen3:8b is 500a1f067a9f",
    ]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        pytest.param("already", "true already, why", id="true already"),
        pytest.param("failed", "failed, why", id="failed"),
        pytest.param("left-out", "left out, why", id="left out"),
    ],
)
def test_step_that_does_not_simply_work_says_why(state: str, said: str) -> None:
    assert told(events.step(2, state, None, "why")) == [f"  2/8 pull qwen3:8b: {said}"]


def test_download_says_how_far_how_fast_and_how_long() -> None:
    assert progress(events.pull(2.1)) == "40% of 5.2 GB, 12.9 MB/s, 4 min left"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        pytest.param(events.pull(2.1, per_second=None), "40% of 5.2 GB", id="no speed yet"),
        pytest.param(
            events.pull(5.3, status="verifying sha256 digest"),
            "100% of 5.2 GB, verifying sha256 digest",
            id="verifying",
        ),
        pytest.param(
            events.pull(2.1, status="connection lost; trying again in 2 s"),
            "40% of 5.2 GB, connection lost; trying again in 2 s",
            id="trying again",
        ),
        pytest.param(
            replace(events.pull(0, status="pulling manifest"), total=None), "waiting for the registry", id="no size yet"
        ),
    ],
)
def test_download_says_what_it_waits_for(event: events.PullProgress, said: str) -> None:
    assert progress(event) == said


def test_fast_download_is_told_of_no_more_often_than_every_ten_seconds() -> None:
    lines = about_pulls([events.pull(n * 0.1) for n in range(52)], every=0.5)
    assert len(lines) == 1 + int(51 * 0.5 / OFTEN)


def test_slow_download_is_told_of_at_every_tenth_of_it() -> None:
    lines = about_pulls([events.pull(n * 0.02) for n in range(261)], every=1)
    assert [int(line.split()[1].rstrip("%")) // 10 for line in lines] == [*range(10)]


def test_download_that_hardly_moves_is_told_of_once_a_minute() -> None:
    lines = about_pulls([events.pull(1 + n * 0.0001) for n in range(601)], every=1)
    assert len(lines) == 1 + int(600 / SELDOM)


def test_every_answered_check_is_a_line_with_its_number_and_its_reason() -> None:
    lines = told(events.BEGAN, events.step(3, "begun"), *events.checks(sample.NEW, "new", "qwen3:8b"))
    assert "      new 1/8 passed: loads and stays in memory (2.4 s)" in lines
    assert (
        "      new 4/8 noted: answers clients that say nothing about thinking: "
        "thinks for 412 tokens before it answers (2.4 s)"
    ) in lines
    assert "      new 7/8 not asked: stays in the language it is asked in: not in the quick suite" in lines


def test_switch_is_announced_before_the_first_name_and_only_once() -> None:
    lines = told(*events.WHOLE)
    promises = [number for number, line in enumerate(lines) if line.startswith("Names are being switched")]
    assert len(promises) == 1
    assert lines[promises[0] - 1] == "  6/8 let team-bot:latest mean the one built on qwen3:8b"


def test_rollback_does_not_say_that_nothing_has_been_changed() -> None:
    assert told(RunBegan(sample.RUN, "rollback", ("let it be",))) == [
        f"Run {sample.RUN}: 1 step. Names are put back to what they meant."
    ]


def test_what_a_server_says_is_one_line_and_cannot_act_on_a_terminal() -> None:
    assert told(Noted("a\x1b[2J\nb", "warning")) == ["      warning: a\\u001b[2J b"]


def test_every_event_has_a_name_in_json_and_its_fields() -> None:
    heard = [*events.WHOLE]
    documents = [json.loads(dump(event_json(event))) for event in heard]
    assert {document["event"] for document in documents} == set(NAMES.values())
    pulls = [document for document in documents if document["event"] == "pull"]
    assert pulls[1]["completed"] == 2_100_000_000 and pulls[1]["seconds_left"] > 200


def test_questions_and_answers_are_left_out_of_the_events() -> None:
    (_, ended) = events.checks(replace(sample.BAD, results=(sample.BROKEN_SCHEMA,)), "new", "qwen3:8b")
    document = event_json(ended)
    assert document["result"]["exchanges"] == []
    assert document["result"]["reason"] == sample.BROKEN_SCHEMA.reason
