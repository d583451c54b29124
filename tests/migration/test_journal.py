"""The journal: on the disk before anything happens, readable after anything happened."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from llamaexit.migration.failures import JournalError
from llamaexit.migration.journal import SCHEMA, Journal, read_records


def begun(path: Path) -> Journal:
    journal = Journal.create(path)
    journal.append("begin", schema=SCHEMA, run="r")
    return journal


def test_records_come_back_in_order_with_their_time(tmp_path: Path) -> None:
    with begun(tmp_path / "run" / "journal.jsonl") as journal:
        journal.append("intent", step="pull x")
    records = read_records(tmp_path / "run" / "journal.jsonl")
    assert [record["event"] for record in records] == ["begin", "intent"]
    assert all(record["at"].endswith("+00:00") for record in records)


def test_record_is_synced_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = begun(tmp_path / "journal.jsonl")
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append((tmp_path / "journal.jsonl").read_bytes()))
    journal.append("intent", step="x")
    assert synced and synced[-1].endswith(b'"step":"x"}\n')


@pytest.mark.parametrize("cut", range(1, 40), ids=lambda cut: f"{cut} bytes missing")
def test_torn_last_line_is_dropped_and_writing_goes_on(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.jsonl"
    with begun(path) as journal:
        journal.append("intent", step="x")
    path.write_bytes(path.read_bytes()[:-cut])
    assert [record["event"] for record in read_records(path)] == ["begin"]
    with Journal.reopen(path) as journal:
        journal.append("done", step="y")
    assert [record["event"] for record in read_records(path)] == ["begin", "done"]


def test_damage_in_the_middle_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with begun(path) as journal:
        journal.append("intent", step="x")
        journal.append("done", step="x")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:10] + b"\n" + lines[2])
    with pytest.raises(JournalError, match="damaged in line 2"):
        read_records(path)


@pytest.mark.parametrize(
    ("first", "said"),
    [
        pytest.param({"event": "begin", "schema": "llamaexit.journal/2"}, "version 2", id="a newer journal"),
        pytest.param({"event": "begin", "schema": "other/1"}, "no journal of llamaexit", id="another document"),
        pytest.param({"event": "begin"}, "no journal of llamaexit", id="no schema at all"),
        pytest.param([1], "no record of a run", id="a list"),
    ],
)
def test_foreign_journal_is_refused(tmp_path: Path, first: object, said: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps(first) + "\n", "utf-8")
    with pytest.raises(JournalError, match=said):
        read_records(path)


def test_journal_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = begun(tmp_path / "journal.jsonl")

    def full(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match="no space left on device") as failed:
        journal.append("intent", step="x")
    assert "nothing is changed" in (failed.value.hint or "")


def test_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(JournalError, match="cannot write the journal"):
        Journal.create(tmp_path / "runs" / "r" / "journal.jsonl")


def test_existing_journal_is_never_begun_again(tmp_path: Path) -> None:
    begun(tmp_path / "journal.jsonl").close()
    with pytest.raises(JournalError, match="cannot write the journal"):
        Journal.create(tmp_path / "journal.jsonl")


def test_threads_do_not_mix_their_records(tmp_path: Path) -> None:
    with begun(tmp_path / "journal.jsonl") as journal:
        threads = [
            threading.Thread(target=lambda n=n: [journal.append("note", text="x" * 500, n=n) for _ in range(20)])
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(read_records(tmp_path / "journal.jsonl")) == 81


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_nobody_else_may_read_a_journal(tmp_path: Path) -> None:
    begun(tmp_path / "run" / "journal.jsonl").close()
    assert (tmp_path / "run" / "journal.jsonl").stat().st_mode & 0o077 == 0
