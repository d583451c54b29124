from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import pytest

from llamaexit.hardware.disk import read_disk
from llamaexit.hardware.probe import ProbeError


def test_store_that_exists_is_measured_where_it_is(tmp_path: Path) -> None:
    answer = read_disk(tmp_path)
    assert answer.value is not None
    assert answer.value.path == str(tmp_path)
    assert answer.value.total == shutil.disk_usage(tmp_path).total
    assert 0 <= answer.value.free <= answer.value.total
    assert "not made yet" not in answer.detail


def test_store_that_is_not_made_yet_is_measured_at_its_nearest_parent(tmp_path: Path) -> None:
    answer = read_disk(tmp_path / "share" / "ollama" / "models")
    assert answer.value is not None
    assert answer.value.path == str(tmp_path / "share" / "ollama" / "models")
    assert answer.value.total == shutil.disk_usage(tmp_path).total
    assert f"measured at {tmp_path}" in answer.detail


def test_store_below_a_file_is_measured_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "models").touch()
    answer = read_disk(tmp_path / "models" / "blobs")
    assert answer.value is not None
    assert answer.value.total == shutil.disk_usage(tmp_path).total


def test_relative_store_is_told_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    disk = read_disk(Path("models")).value
    assert disk is not None
    assert Path(disk.path) == tmp_path / "models"


def test_without_a_store_ollamas_default_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    disk = read_disk(None).value
    assert disk is not None
    assert disk.path == str(tmp_path / ".ollama" / "models")


def test_without_a_home_there_is_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(ProbeError, match="no home directory"):
        read_disk(None)


def test_file_system_that_does_not_answer_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(path: object) -> object:
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(psutil, "disk_usage", stale)
    with pytest.raises(ProbeError, match="tells no free space: Stale file handle"):
        read_disk(tmp_path)
