from __future__ import annotations

from dataclasses import replace

import page_samples
import pytest
import run_samples
from run_samples import ALIAS, BOT, COMMITTED, PULLED, REBUILT, RUN, RUNS

from llamaexit.migration.record import Run
from llamaexit.planning.plan import Caveat, Decision, Thinking
from llamaexit.report.advice import by_hand, client_edits, next_commands, way_back


def lines(run: Run, name: str) -> list[str]:
    return next(list(edit.lines) for edit in client_edits(run) if edit.name == name)


def with_target(run: Run, **changes: object) -> Run:
    """The run with another target for llama3.1:8b."""

    def changed(decision: Decision) -> Decision:
        if decision.source.model != "llama3.1:8b" or decision.target is None:
            return decision
        return replace(decision, target=replace(decision.target, **changes))  # type: ignore[arg-type]

    return replace(run, plan=replace(run.plan, decisions=tuple(map(changed, run.plan.decisions))))


def test_library_model_beside_the_new_one_has_to_be_named_anew() -> None:
    assert lines(run_samples.BESIDE, "llama3.1:8b")[0] == "Name qwen3:8b where llama3.1:8b stands now."


def test_rebuilt_and_taken_over_names_stay() -> None:
    assert lines(COMMITTED, "team-bot:latest")[0] == (
        "The name stays: team-bot:latest means the one built on qwen3:8b now."
    )
    assert lines(run_samples.TAKEN, "llama3.1:8b")[0] == "The name stays: llama3.1:8b means qwen3:8b now."


def test_staged_custom_model_is_told_of_as_what_will_be() -> None:
    assert lines(run_samples.STAGED, "team-bot:latest")[0] == (
        "The name stays: once switched, team-bot:latest means the one built on qwen3:8b."
    )


def test_alias_is_named_with_the_model_it_stands_for() -> None:
    assert "team-chat:latest means it, too." in lines(COMMITTED, "llama3.1:8b")


@pytest.mark.parametrize(
    ("thinking", "said"),
    [
        (Thinking(True, True, True), 'send "think": false'),
        (Thinking(True, True, None), 'send "think": false'),
        (Thinking(True, True, False), "It always thinks before it answers"),
        (Thinking(True, False, True), None),
        (Thinking(False, False, None), None),
    ],
    ids=["can be switched off", "perhaps", "cannot be switched off", "only when asked", "never"],
)
def test_clients_hear_of_thinking_exactly_when_it_happens_by_default(thinking: Thinking, said: str | None) -> None:
    told = " ".join(lines(with_target(run_samples.BESIDE, thinking=thinking, caveats=()), "llama3.1:8b"))

    assert ("think" in told) == (said is not None)
    assert (said or "") in told


def test_context_is_asked_for_where_the_default_does_not_fit_and_nobody_carries_it() -> None:
    run = with_target(run_samples.BESIDE, set_context=16384)

    assert any(line.startswith("Ask for num_ctx 16384") for line in lines(run, "llama3.1:8b"))
    assert not any("num_ctx" in line for line in lines(run_samples.BESIDE, "llama3.1:8b"))


def test_what_changes_is_said_once() -> None:
    caveats = (Caveat("THINK_DEFAULT", "thinks by default"), Caveat("TEMPLATE", "has another template"))
    told = lines(with_target(run_samples.BESIDE, caveats=caveats), "llama3.1:8b")

    assert "Has another template." in told
    assert "Thinks by default." not in told


@pytest.mark.parametrize(
    ("name", "edited"),
    [
        ("committed", ["llama3.1:8b", "team-bot:latest"]),
        ("accepted", ["llama3.1:8b", "team-bot:latest"]),
        ("partly", ["team-bot:latest"]),
        ("no-go", []),
        ("interrupted", []),
        ("rolled back", []),
    ],
)
def test_only_models_that_clients_can_move_to_are_advised_on(name: str, edited: list[str]) -> None:
    assert [edit.name for edit in client_edits(RUNS[name])] == edited


def test_tests_that_were_not_asked_for_keep_nobody_from_moving() -> None:
    assert [edit.name for edit in client_edits(page_samples.UNTESTED)] == ["llama3.1:8b", "team-bot:latest"]


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("committed", []),
        ("staged", [f"llamaexit resume {RUN}"]),
        ("no-go", [f"llamaexit resume {RUN}"]),
        ("interrupted", [f"llamaexit resume {RUN}"]),
        ("half-way", [f"llamaexit resume {RUN}"]),
        ("rolling back", [f"llamaexit rollback {RUN}"]),
        ("rolled back", []),
    ],
)
def test_run_that_is_not_at_its_end_says_how_it_goes_on(name: str, commands: list[str]) -> None:
    assert [command.text for command in next_commands(RUNS[name])] == commands


def test_way_back_is_there_while_there_is_something_to_undo() -> None:
    both = [f"llamaexit rollback {RUN}", f"llamaexit rollback {RUN} --purge"]

    assert [command.text for command in way_back(COMMITTED)] == both
    assert [command.text for command in way_back(run_samples.ROLLED_BACK)] == both[1:]
    assert way_back(replace(COMMITTED, changes=(), backups=())) == ()
    assert way_back(run_samples.ROLLING_BACK) == ()


def test_commands_name_the_host_unless_it_is_the_usual_one() -> None:
    (first, _) = way_back(replace(COMMITTED, host="http://gpu box:11434"))

    assert first.text == f"llamaexit rollback {RUN} --host 'http://gpu box:11434'"


def test_names_come_back_by_hand_only_from_a_backup_that_is_there() -> None:
    assert [command.text for command in by_hand(COMMITTED)] == [
        f"ollama cp llamaexit-keep/{BOT}:latest team-bot:latest"
    ]
    assert by_hand(replace(COMMITTED, backups=())) == ()
    assert by_hand(replace(COMMITTED, changes=(PULLED, ALIAS))) == ()


def test_name_is_quoted_for_the_shell() -> None:
    run = replace(COMMITTED, changes=(replace(REBUILT, name="a b; rm"),))

    assert by_hand(run)[0].text.endswith("'a b; rm'")
