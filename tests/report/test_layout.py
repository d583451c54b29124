"""How rows, tables and commands are laid out."""

from __future__ import annotations

import io
import shlex

import pytest
from rich.console import Console

from llamaexit.report.layout import Page

COMMAND = (
    "llamaexit plan --snapshot 'my files/a.json' --gpu 'RTX 4090' --only 'llama*' llama3.1:8b --explain llama3.1:8b"
)


def lines_of(width, show):
    """What `show` prints on a page of `width` columns."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(Page(console))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_command_over_several_lines_is_the_same_to_a_shell(width) -> None:
    lines = lines_of(width, lambda page: page.command("Next", COMMAND))
    assert shlex.split("\n".join(lines).replace("\\\n", " "))[1:] == shlex.split(COMMAND)
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert max(map(len, lines)) <= max(width, 48)  # what a word takes it takes


def test_option_and_its_value_stay_on_one_line() -> None:
    lines = lines_of(60, lambda page: page.command("Next", COMMAND))
    assert any("--gpu 'RTX 4090'" in line for line in lines)
    assert any("--explain llama3.1:8b" in line for line in lines)


def test_label_that_is_too_long_has_a_line_of_its_own() -> None:
    lines = lines_of(60, lambda page: page.row("NVIDIA GeForce RTX 3060", "loses 3 GiB"))
    assert lines == ["  NVIDIA GeForce RTX 3060", " " * 14 + "loses 3 GiB"]


def test_only_as_many_columns_give_way_as_have_to() -> None:
    rows = [["localhost:5999/library/qwen3:8b", "5.5 GiB", "because " * 9]]
    lines = lines_of(70, lambda page: page.table(("NAME", "SIZE", "BECAUSE"), rows, wrap=(2, 0)))
    assert lines[1].startswith("localhost:5999/library/qwen3:8b  5.5 GiB  because")
    assert len(lines) > 2


NAME = "hf.co/bartowski/some-long-model-name-GGUF:Q4_K_M"


def test_names_give_way_before_figures_do_and_nothing_is_lost() -> None:
    rows = [[NAME, "5.5 → 3.6 GiB", "4.9 GB"]]
    lines = lines_of(50, lambda page: page.table(("MODEL", "MEMORY", "SIZE"), rows, right=(1, 2), wrap=(0,)))
    assert "5.5 → 3.6 GiB  4.9 GB" in lines[1]
    assert "".join(line[:27].strip() for line in lines[1:]) == NAME
    assert max(map(len, lines)) <= 50


def test_figures_give_way_too_where_there_is_no_room_for_them() -> None:
    rows = [["weights", "NVIDIA GeForce RTX 3060", "2.32 GiB", "bytes"]]
    lines = lines_of(40, lambda page: page.table(("PART", "WHERE", "SIZE", "FROM"), rows, wrap=(3,)))
    assert all(word in " ".join(lines) for word in ("weights", "NVIDIA", "GeForce", "3060", "2.32", "bytes"))
    assert max(map(len, lines)) <= 40
