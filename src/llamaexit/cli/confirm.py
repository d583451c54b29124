"""Asking whether to go on before something is changed."""

from __future__ import annotations

import sys
from typing import ClassVar

from llamaexit.cli.output import fitted
from llamaexit.errors import REFUSED, LlamaexitError


class NotConfirmed(LlamaexitError):
    """Nobody said yes."""

    code: ClassVar[str] = "not-confirmed"
    exit_code: ClassVar[int] = REFUSED


def confirm(question: str, *, yes: bool, as_json: bool) -> None:
    """Ask on the terminal, unless it was answered on the command line. Raises NotConfirmed.

    as_json: a program reads the answer, so no person is asked.
    """
    if yes:
        return
    if as_json:
        raise NotConfirmed("not confirmed: with --json nobody is asked", hint="add --yes")
    if not terminal_there():
        raise NotConfirmed("not confirmed: there is no terminal to ask on", hint="add --yes")
    if typed(f"{question} [y/N] ") not in ("y", "yes"):
        raise NotConfirmed("not confirmed, nothing was changed")


def terminal_there() -> bool:
    """Whether there is somebody to ask: standard input and standard error are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def typed(question: str) -> str:
    """What somebody types when asked, in lower case, blanks around it aside; nothing where the input ends."""
    try:
        sys.stderr.write(fitted(question, sys.stderr))
        sys.stderr.flush()
        answer = sys.stdin.readline()
    except KeyboardInterrupt:  # also the one that comes between the question and the wait for its answer
        sys.stderr.write("\n")  # what is said about it gets a line of its own
        raise
    if not answer.endswith("\n"):
        sys.stderr.write("\n")  # the input ended, and with it the line
    return answer.strip().lower()
