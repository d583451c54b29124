"""The journal of a run: one JSON line a record, on the disk before the call it announces.

A killed process may leave a torn last line; it is dropped, since what it announced had not begun. Damage anywhere
else is an error: such a journal must not be acted on.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from pathlib import Path
from typing import Any

from llamaexit.jsonable import dump
from llamaexit.migration.failures import JournalError

SCHEMA = "llamaexit.journal/1"
"""Format name and major version of the journal document; its first record says it."""

Record = dict[str, Any]


class Journal:
    """The journal file of one run, open for appending. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[Record] = []
        self._lock = threading.Lock()
        self._file = -1

    @classmethod
    def create(cls, path: Path) -> Journal:
        """A new journal. Raises JournalError when it cannot be written."""
        journal = cls(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            journal._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            _sync_directory(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from error
        return journal

    @classmethod
    def reopen(cls, path: Path) -> Journal:
        """The journal of an earlier run, its torn end cut off. Raises JournalError."""
        journal = cls(path)
        data = _read(path)
        whole = data[: data.rfind(b"\n") + 1]
        journal.records = _parsed(path, whole)
        try:
            journal._file = os.open(path, os.O_WRONLY | os.O_APPEND)
            if len(whole) < len(data):
                os.ftruncate(journal._file, len(whole))
                os.fsync(journal._file)
        except OSError as error:
            raise _unwritable(path, error) from error
        return journal

    def append(self, event: str, **facts: Any) -> None:
        """Write one record and wait until the disk has it. Raises JournalError: then nothing may be changed."""
        record = {"event": event, "at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"), **facts}
        line = dump(record) + b"\n"
        with self._lock:
            try:
                _write(self._file, line)
                os.fsync(self._file)
            except OSError as error:
                raise _unwritable(self.path, error) from error
            self.records.append(json.loads(line))

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_records(path: Path) -> list[Record]:
    """The records of a journal, a torn last line left out. Raises JournalError."""
    data = _read(path)
    return _parsed(path, data[: data.rfind(b"\n") + 1])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise JournalError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error


def _parsed(path: Path, data: bytes) -> list[Record]:
    records: list[Record] = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise JournalError(
                f"{path} is damaged in line {number}: {error}", hint="put it right from a backup, or move it away"
            ) from error
        if not isinstance(record, dict) or not isinstance(record.get("event"), str):
            raise JournalError(f"{path} is damaged in line {number}: no record of a run")
        records.append(record)
    schema = str(records[0].get("schema", "")) if records else ""
    kind, _, major = schema.partition("/")
    if records and (kind != SCHEMA.partition("/")[0] or not major.isdecimal()):
        raise JournalError(f"{path} is no journal of llamaexit")
    if records and int(major) > int(SCHEMA.partition("/")[2]):
        raise JournalError(
            f"{path} is a journal of version {major}, this llamaexit reads up to 1", hint="update llamaexit"
        )
    return records


def _write(file: int, line: bytes) -> None:
    while line:
        line = line[os.write(file, line) :]


def _sync_directory(directory: Path) -> None:
    """Make the name of a new file survive a power cut. Windows has no such thing for directories."""
    if os.name == "nt":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"cannot write the journal {path}: {(error.strerror or str(error)).lower()}",
        hint="nothing is changed without one: make room or rights there, or set LLAMAEXIT_STATE_DIR",
    )
