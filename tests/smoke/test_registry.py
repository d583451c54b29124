"""The list of checks is whole, in order, and costs nothing until a model is tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import llamaexit.smoke.checks
from llamaexit.smoke.check import Check
from llamaexit.smoke.registry import ADVISORY, CHECKS

FILES = {path.stem for path in Path(llamaexit.smoke.checks.__file__).parent.glob("*.py")} - {"__init__"}


def test_every_file_is_a_check_and_named_after_it() -> None:
    assert {check.id.replace(".", "_") for check in CHECKS} == FILES


def test_every_check_is_there_once() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert len({check.title for check in CHECKS}) == len(CHECKS)


def test_titles_go_on_a_sentence_that_begins_with_the_model() -> None:
    for check in CHECKS:
        assert check.title[0].islower(), check.id
        assert not check.title.endswith("."), check.id
        assert len(check.title) <= 60, check.id


def test_every_check_says_what_it_will_take() -> None:
    assert all(check.reads > 0 and check.writes > 0 for check in CHECKS if check.id != "ctx.refuse")


def test_every_check_is_in_the_full_suite_and_put_to_some_use() -> None:
    assert all("full" in check.suites and check.uses for check in CHECKS)


def test_checks_of_v1_are_marked_as_such() -> None:
    assert all((check.route == "v1") == check.id.endswith(".v1") for check in CHECKS)


def test_what_only_tells_does_not_stop_a_switch() -> None:
    assert {"persona", "perf.turn2"} <= ADVISORY
    assert ADVISORY.isdisjoint({"load.residency", "sane.text", "think.naive", "stop.clean", "json.schema"})


def usual_seconds(checks: list[Check]) -> float:
    """What they take at 50 tokens a second, as a card of some years ago writes with 8 billion parameters."""
    return sum(check.writes / 50 + check.reads / 1000 for check in checks)


def test_a_quick_suite_takes_a_minute_and_a_half_at_most_on_a_graphics_card() -> None:
    for uses in (["chat"], ["chat", "tools"], ["code", "fim"], ["rag"]):
        quick = [check for check in CHECKS if "quick" in check.suites and not check.uses.isdisjoint(uses)]
        assert usual_seconds(quick) < 90, uses


def test_a_full_suite_takes_six_minutes_at_most_on_a_graphics_card() -> None:
    assert usual_seconds(list(CHECKS)) < 360


def test_no_check_is_imported_before_a_model_is_tested() -> None:
    imports = "import sys, llamaexit.cli.app, llamaexit.migration.events"
    code = f"{imports}; print([name for name in sys.modules if 'smoke.check' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
