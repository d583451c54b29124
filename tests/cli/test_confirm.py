"""Asking before something is changed."""

from __future__ import annotations

import io
import sys

import pytest

from llamaexit.cli.confirm import NotConfirmed, confirm


class Terminal(io.StringIO):
    """Text that is typed, or shown, on a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def at_terminal(monkeypatch):
    """Somebody types; returns what they are shown."""

    def type_(text):
        shown = Terminal()
        monkeypatch.setattr(sys, "stdin", Terminal(text))
        monkeypatch.setattr(sys, "stderr", shown)
        return shown

    return type_


@pytest.mark.parametrize("typed", ["y\n", "Y\n", " yes \n", "YES\n"])
def test_yes_goes_on(at_terminal, typed) -> None:
    shown = at_terminal(typed)
    confirm("Go on?", yes=False, as_json=False)
    assert shown.getvalue() == "Go on? [y/N] "


@pytest.mark.parametrize("typed", ["n\n", "\n", "no\n", "yup\n", "y e s\n"])
def test_everything_else_does_not(at_terminal, typed) -> None:
    at_terminal(typed)
    with pytest.raises(NotConfirmed, match="not confirmed, nothing was changed"):
        confirm("Go on?", yes=False, as_json=False)


def test_end_of_input_is_a_no_and_ends_the_line(at_terminal) -> None:
    shown = at_terminal("")
    with pytest.raises(NotConfirmed):
        confirm("Go on?", yes=False, as_json=False)
    assert shown.getvalue() == "Go on? [y/N] \n"


@pytest.mark.parametrize("moment", ["flush", "readline"], ids=["just after the question", "while it waits"])
def test_interrupt_ends_the_line_of_the_question(at_terminal, monkeypatch, moment) -> None:
    shown = at_terminal("y\n")

    def interrupted() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.stdin if moment == "readline" else shown, moment, interrupted)
    with pytest.raises(KeyboardInterrupt):
        confirm("Go on?", yes=False, as_json=False)
    assert shown.getvalue() == "Go on? [y/N] \n"


@pytest.mark.parametrize("stdin", [io.StringIO("y\n"), None], ids=["a pipe that says yes", "no input at all"])
def test_without_a_terminal_nobody_is_asked(monkeypatch, stdin) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(NotConfirmed) as caught:
        confirm("Go on?", yes=False, as_json=False)
    assert (caught.value.hint, caught.value.exit_code) == ("add --yes", 4)


def test_programs_are_not_asked_even_at_a_terminal(at_terminal) -> None:
    shown = at_terminal("y\n")
    with pytest.raises(NotConfirmed, match="with --json nobody is asked"):
        confirm("Go on?", yes=False, as_json=True)
    assert shown.getvalue() == ""


def test_yes_on_the_command_line_asks_nobody(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    confirm("Go on?", yes=True, as_json=True)
