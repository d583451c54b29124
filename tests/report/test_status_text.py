"""What people see of where things stand, and of what deleting old models comes to."""

from __future__ import annotations

from dataclasses import replace

import run_samples as sample
from golden import compare, text_of

from llamaexit.migration.record import Failure
from llamaexit.migration.retire import Old, Retired, Retirement
from llamaexit.migration.status import Drift, Kept, Status
from llamaexit.report.retire import print_retired, print_retirement
from llamaexit.report.status import print_status

CLEAN = Status(sample.HOST, 1, (), (), (Kept(sample.BACKUP.name, sample.BOT, "team-bot:latest", sample.RUN),), (), ())
UNTIDY = replace(
    CLEAN,
    runs=3,
    open=(replace(sample.INTERRUPTED.summary, id="20261124-180000-77aa"), sample.ROLLING_BACK.summary),
    drifts=(
        Drift(
            "llama3.1:8b", sample.RUN, sample.QWEN, sample.LLAMA,
            "llama3.1:8b means the old model again: a pull or a copy brought it back", "plan again, and migrate again",
        ),
    ),
    left_over=("llamaexit-stage/20261101-101500-0001-1:latest",),
    damaged=(sample.DAMAGED,),
    backups=(*CLEAN.backups, Kept("llamaexit-keep/" + "b" * 64, "b" * 64, None, None)),
)  # fmt: skip

OLD = Old("llama3.1:8b", sample.LLAMA, "llama3.1:8b", sample.RUN, 4_920_753_328)
BACKUP = Old(sample.BACKUP.name, sample.BOT, "team-bot:latest", sample.RUN, 4_920_753_328)
KEPT = replace(BACKUP, why_not="team-bot:latest is a model of your own: it cannot be pulled again", can_force=True)
SOME = Retirement((OLD,), (KEPT,), 4_920_741_008, True)


def status_text(status: Status, width: int = 80) -> str:
    return text_of(lambda page: print_status(status, page), width)


def retirement_text(it: Retirement, width: int = 80, *, force: bool = False, command: str | None = None) -> str:
    return text_of(lambda page: print_retirement(it, page, force=force, command=command), width)


def test_status_looks_as_agreed() -> None:
    for width in (40, 80, 140):
        compare(f"status-{width}.txt", status_text(UNTIDY, width))


def test_retirement_looks_as_agreed() -> None:
    for width in (40, 80, 140):
        compare(f"retire-{width}.txt", retirement_text(SOME, width, command="llamaexit retire"))


def test_clean_status_says_so_and_lists_what_is_kept() -> None:
    text = status_text(CLEAN, 140)
    assert text.startswith("Everything is as the migrations left it.\n")
    assert f"Backups     team-bot:latest as it was before run {sample.RUN} (aaaaaaaaaaaa)\n" in text


def test_status_without_runs_is_not_called_clean_of_anything() -> None:
    assert status_text(replace(CLEAN, runs=0, backups=())).startswith("Nothing was migrated here yet.\n")


def test_everything_that_wants_looking_after_is_counted_with_the_next_step() -> None:
    text = " ".join(status_text(UNTIDY, 140).split())
    assert text.startswith("5 things to look after.")
    for said in (
        "a pull or a copy brought it back (run 20261125-074615-3f2a) plan again, and migrate again",
        "llamaexit resume 20261124-180000-77aa goes on, llamaexit rollback 20261124-180000-77aa goes back",
        f"run {sample.RUN}: rollback not finished llamaexit rollback {sample.RUN} goes on",
        "line 7 of its journal is damaged",
        "llamaexit-stage/20261101-101500-0001-1:latest",
        "bbbbbbbbbbbb, of which no run here tells",
    ):
        assert said in text


def test_server_that_does_not_answer_leaves_names_unjudged() -> None:
    silent = replace(CLEAN, unanswered=Failure("ollama-unreachable", "connection refused"), backups=())
    assert status_text(silent).startswith("Ollama does not answer: nothing can be said about what names mean now.\n")


def test_many_backups_are_counted() -> None:
    many = replace(CLEAN, backups=tuple(replace(CLEAN.backups[0], digest=f"{n:064x}") for n in range(14)))
    assert "- and 4 more\n" in status_text(many)


def test_retirement_tells_what_goes_what_stays_and_what_it_frees() -> None:
    text = retirement_text(SOME, 140)
    assert "1 old model to delete." in text
    assert f"Deletes     llama3.1:8b (replaced by run {sample.RUN})\n" in text
    assert "Frees       4.9 GB, which nothing else uses\n" in text
    assert "the backup aaaaaaaaaaaa of team-bot:latest" in text and "it cannot be pulled again" in text
    assert "--force" in text
    assert "--force" not in retirement_text(SOME, force=True)


def test_bytes_that_cannot_be_counted_exactly_are_a_limit() -> None:
    text = " ".join(retirement_text(replace(SOME, exact=False)).split())
    assert "Frees at most 4.9 GB: not every layer can be seen" in text


def test_nothing_to_delete_is_said_with_or_without_old_models() -> None:
    assert retirement_text(Retirement((), (KEPT,), 0, True)).startswith("Nothing to delete.\n")
    assert retirement_text(Retirement((), (), 0, True)).startswith("There are no old models to delete.\n")


def test_what_was_deleted_and_what_was_kept_at_the_last_moment_is_told() -> None:
    late = replace(OLD, why_not="it is gone already")
    text = text_of(lambda page: print_retired(SOME, Retired((), (late,)), page), 140)
    assert text.startswith("Deleted: nothing.\n") and "it is gone already" in text and "Freed" not in text
    text = text_of(lambda page: print_retired(SOME, Retired((OLD,), ()), page))
    assert text.startswith("Deleted: llama3.1:8b.\n") and "Freed       4.9 GB" in text
