"""What people see before a migration or a rollback: every step, what changes, what stays, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import examples
import pytest
import run_samples as sample
from golden import compare, text_of

from llamaexit.migration.options import MigrationOptions
from llamaexit.migration.steps import preview
from llamaexit.migration.undo import Undoing
from llamaexit.planning.plan import Plan
from llamaexit.report.steps import print_steps
from llamaexit.report.undoing import print_undoing


def shown(plan: Plan = sample.PLAN, width: int = 80, command: str | None = "next", **options: Any) -> str:
    """The steps of a plan as text."""
    asked = MigrationOptions(**options)
    steps = preview(plan, asked)
    return text_of(
        lambda page: print_steps(plan, steps, asked, page, origin="made now", notes=("a note",), command=command), width
    )


@pytest.mark.parametrize("width", [40, 80, 140])
def test_steps_look_as_agreed(width: int) -> None:
    compare(f"steps-{width}.txt", shown(width=width, aliases={"team-chat": "llama3.1:8b"}, skip=("codellama*",)))


def test_steps_are_grouped_by_what_people_notice() -> None:
    text = shown(aliases={"team-chat": "llama3.1:8b"})
    places = [text.index(f"\n{label}") for label in ("Stage", "Test", "Switch", "Download", "Changes", "Stays")]
    assert places == sorted(places)
    assert text.index("- pull qwen3:8b, about 5.2 GB") < text.index("- test qwen3:8b against llama3.1:8b")


def test_names_that_change_are_told_apart_from_those_that_stay() -> None:
    text = shown(aliases={"team-chat": "llama3.1:8b"}, skip=("codellama*",))
    assert "\nChanges     team-bot:latest, team-chat:latest\n" in text
    assert "\nStays       llama3.1:8b: point clients at the new names\n            no old model is deleted\n" in text


def test_download_counts_each_target_once_and_says_what_is_free() -> None:
    assert "\nDownload    about 8.8 GB; 212.0 GB of disk are free\n" in shown()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"suite": "none"}, "Test        nothing: no tests, as you asked with --suite none", id="no tests"),
        pytest.param({"stage": True}, "Switch      left to llamaexit resume", id="staging only"),
        pytest.param(
            {"only": ("llama3.1:8b",)},
            "Switch      nothing: the new models are there beside the old ones",
            id="nothing to switch",
        ),
        pytest.param(
            {"pull": False, "only": ("llama3.1:8b",)},
            "Download    nothing, with --no-pull: qwen3:8b has to be there",
            id="no pull",
        ),
        pytest.param(
            {"only": ("llama3.1:8b",)},
            "Go back     llamaexit rollback --purge removes what was pulled",
            id="way back without a switch",
        ),
    ],
)
def test_what_options_leave_out_is_said(options: dict[str, Any], said: str) -> None:
    assert f"\n{said}" in shown(**options)


def test_targets_that_are_installed_are_not_downloaded() -> None:
    assert examples.CHAT.target is not None
    decision = replace(examples.CHAT, target=replace(examples.CHAT.target, installed=True))
    text = shown(replace(sample.PLAN, decisions=(decision,)))
    assert "Download    nothing, every target is installed" in text
    assert "- check that qwen3:8b is there\n" in text


def test_what_a_person_has_to_decide_stands_apart_from_what_options_leave_out() -> None:
    text = shown(skip=("codellama*",))
    decide, left = text.index("\nTo decide"), text.index("\nLeft out")
    assert decide < text.index("- llama-guard3:8b: never replaced automatically") < left
    assert left < text.index("codellama:7b-code: left out with --skip")


def test_steps_end_with_the_next_command() -> None:
    assert shown(command="llamaexit migrate --apply").endswith(
        "\nNothing has been changed.\nNext        llamaexit migrate --apply\n"
    )


def test_steps_about_to_be_asked_about_name_no_command() -> None:
    assert shown(command=None).endswith("\nNothing has been changed.\n")


def test_nothing_to_migrate_is_said_and_no_command_follows() -> None:
    text = shown(replace(sample.PLAN, decisions=(examples.GUARD,)))
    assert "\nNothing to migrate, 1 left out.\n" in text
    assert "Next" not in text.replace("Next step", "")


def test_rollback_shows_what_comes_back_and_what_stays() -> None:
    todo = (Undoing("restore team-bot:latest", "let team-bot:latest mean the old aaaaaaaaaaaa again", "x", "a" * 64),)
    text = text_of(lambda page: print_undoing(sample.COMMITTED, todo, page))
    assert "\nRestores    let team-bot:latest mean the old aaaaaaaaaaaa again\n" in text
    assert "\nStays       what was downloaded, and the backups; --purge deletes them\n" in text
    assert "Deletes" not in text


def test_rollback_with_purge_shows_what_is_deleted() -> None:
    todo = (Undoing("remove qwen3:8b", "remove qwen3:8b, which the run pulled", "qwen3:8b", None, purge=True),)
    text = text_of(lambda page: print_undoing(sample.BESIDE, todo, page))
    assert "\nDeletes     remove qwen3:8b, which the run pulled\n" in text
    assert "Stays" not in text
