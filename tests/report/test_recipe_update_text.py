"""What `recipe lock` and `recipe update` show, held to golden files at fixed widths and without colour.

After an intended change: `UPDATE_GOLDEN=1 pytest tests/report/test_recipe_update_text.py`, then read the diff.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from golden import compare, text_of

from llamaexit.report.recipe_update import LockOutcome, lock_document, print_locked, print_update
from llamaexit.sharing.lock import Lock, LockedRecipe, LockedTarget
from llamaexit.sharing.taking import HeldBack
from llamaexit.sharing.updating import Change, Comparison, Difference, LockChange, compare_locks

TEAM = "git+https://git.example.com/acme/llama-exit.git@main#team.toml"
OPS = "git+ssh://git@git.example.com/acme/ops.git@v3#recipes/ops.toml"
OLD_COMMIT, NEW_COMMIT = "3f1c9a0b5d7e" + "0" * 28, "8d2e4f6a1b3c" + "0" * 28
OLD = Lock(
    ("gone.toml", "llamaexit.toml"),
    (
        LockedRecipe(TEAM, "a" * 64, OLD_COMMIT, "2026-11-02T09:00:00Z"),
        LockedRecipe("gone.toml", "b" * 64),
        LockedRecipe("llamaexit.toml", "c" * 64),
    ),
    (
        LockedTarget("qwen3:14b", "sha256:" + "1" * 64, "registry"),
        LockedTarget("qwen3:8b", "sha256:" + "2" * 12, "recipe"),
    ),
)
NEW = Lock(
    ("llamaexit.toml",),
    (
        LockedRecipe(TEAM, "d" * 64, NEW_COMMIT, "2026-11-20T14:12:31Z"),
        LockedRecipe(OPS, "e" * 64, OLD_COMMIT, "2026-10-01T08:00:00Z"),
        LockedRecipe("llamaexit.toml", "f" * 64),
    ),
    (
        LockedTarget("hf.co/acme/Own-Model-GGUF:Q4_K_M", "sha256:" + "3" * 64, "registry"),
        LockedTarget("qwen3:8b", "sha256:" + "2" * 64, "registry"),
    ),
)
CHANGES = (
    Change("recipe", "team", "changed", (Difference("version", "3", "4"),)),
    Change("policy", "deny-vendors", "added", (Difference("value", None, "Acme*"), Difference("recipe", None, "team"))),
    Change("policy", "pins", "changed", (Difference("value.qwen3:8b", "1" * 64, "2" * 64),)),
    Change(
        "rule",
        "team/chat",
        "changed",
        (
            Difference("targets", "qwen3:14b, qwen3:8b", "qwen3:8b"),
            Difference("targets[qwen3:8b].why", "smaller", "small enough for the laptops that most of us have by now"),
        ),
        f"{TEAM}:6",
    ),
    Change(
        "rule",
        "team/code",
        "added",
        (
            Difference("use", None, "code"),
            Difference("match", None, "codellama:7b, codellama:13b"),
            Difference("targets", None, "qwen3-coder:30b"),
            Difference("targets[qwen3-coder:30b].why", None, "better"),
        ),
        f"{TEAM}:21",
    ),
    Change("rule", "replace-sql/sql", "removed", (Difference("use", "sql", None),), "builtin:replace-sql.toml:12"),
    Change("order", "rules", "changed"),
    Change("origin", "acme/old:8b", "changed", (Difference("lineage", "meta", "not-meta"),)),
    Change("licence", "acme", "changed", (Difference("open-source", None, "true"),)),
)
HELD = HeldBack(OPS, NEW_COMMIT, "2026-11-24T10:00:00Z", dt.date(2026, 12, 2))
OUTCOME = LockOutcome(
    "llamaexit.lock",
    NEW,
    replace(compare_locks(OLD, NEW), changes=CHANGES, notes=("gone.toml cannot be had any more",)),
    (HELD,),
    ("registry.ollama.ai could not be asked: builds are those that the lock or the recipes know",),
    checked=True,
)
SHOWN = {
    "recipe-lock": lambda page: print_locked(replace(OUTCOME, written=True), page),
    "recipe-update": lambda page: print_update(OUTCOME, page),
}


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("name", SHOWN)
def test_lock_and_what_changed_look_as_agreed(name: str, width: int) -> None:
    compare(f"{name}-{width}.txt", text_of(SHOWN[name], width))


def test_lock_that_is_up_to_date_is_one_line() -> None:
    outcome = LockOutcome("llamaexit.lock", OLD, compare_locks(OLD, OLD), checked=True)
    assert text_of(lambda page: print_update(outcome, page)) == "llamaexit.lock  is up to date: 3 recipes, 2 targets\n"


def test_lock_that_something_newer_is_held_back_from_is_not_called_up_to_date() -> None:
    outcome = LockOutcome("llamaexit.lock", OLD, compare_locks(OLD, OLD), (HELD,), checked=True)
    text = text_of(lambda page: print_update(outcome, page))
    assert text.startswith("llamaexit.lock  stays as it is: 3 recipes, 2 targets\n\nHeld back\n")


def test_new_commit_without_new_content_says_so() -> None:
    moved = replace(OLD, recipes=(replace(OLD.recipes[0], commit=NEW_COMMIT), *OLD.recipes[1:]))
    outcome = LockOutcome("llamaexit.lock", moved, compare_locks(OLD, moved), written=True)
    text = text_of(lambda page: print_update(outcome, page))
    assert text.startswith("llamaexit.lock  changed: 1 recipe\n")
    assert text.endswith("\nNothing that recipes say is different.\n")


def test_what_changes_is_counted_and_not_what_is_locked() -> None:
    more = replace(OLD, targets=OLD.targets[:1])
    outcome = LockOutcome("llamaexit.lock", more, compare_locks(OLD, more), checked=True)
    assert text_of(lambda page: print_update(outcome, page)).startswith("llamaexit.lock  would change: 1 target\n")


def test_lock_that_only_was_made_for_something_else_changes_without_a_count() -> None:
    other = replace(OLD, roots=OLD.roots[1:])
    outcome = LockOutcome("llamaexit.lock", other, compare_locks(OLD, other), checked=True)
    assert text_of(lambda page: print_update(outcome, page)).startswith("llamaexit.lock  would change\n")


def test_json_has_all_that_is_told_and_more() -> None:
    document = lock_document(OUTCOME)
    assert set(document) == {
        "lock", "written", "different", "recipes", "targets", "changes", "held_back", "notes"
    }  # fmt: skip
    assert {name: len(entries) for name, entries in document["changes"].items()} == {
        "roots": 1,
        "recipes": 4,
        "targets": 3,
        "contents": len(CHANGES),
    }
    added = next(one for one in document["changes"]["contents"] if one["name"] == "team/code")
    assert {"key": "targets[qwen3-coder:30b].why", "old": None, "new": "better"} in added["differences"]
    assert document["held_back"] == [
        {"reference": OPS, "commit": NEW_COMMIT, "committed": "2026-11-24T10:00:00Z", "ready": "2026-12-02"}
    ]
    assert len(document["notes"]) == 2


def test_comparison_of_a_lock_with_itself_is_empty() -> None:
    assert compare_locks(NEW, NEW) == Comparison(False)


def test_another_root_is_a_change_though_no_recipe_is() -> None:
    comparison = compare_locks(NEW, replace(NEW, roots=(*NEW.roots, OPS)))
    assert comparison.different
    assert comparison.roots == (LockChange(OPS, "added", ()),)
