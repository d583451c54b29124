"""^C: the first ends what may be ended and waits for what may not; the second leaves at once."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from llamaexit.errors import INTERRUPTED
from llamaexit.migration.interrupt import Interrupts

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows does not let a process send itself these signals")


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_first_one_interrupts_at_once() -> None:
    with Interrupts("bye") as interrupts, pytest.raises(KeyboardInterrupt):
        press()
    assert interrupts.pending


def test_first_one_waits_for_what_is_shielded() -> None:
    done: list[str] = []
    with Interrupts("bye") as interrupts, pytest.raises(KeyboardInterrupt):
        with interrupts.shielded():
            press()
            done.append("the step")
        done.append("the next step")
    assert done == ["the step"]


def test_shield_within_a_shield_waits_for_the_outer_one() -> None:
    done: list[str] = []
    with Interrupts("bye") as interrupts, pytest.raises(KeyboardInterrupt), interrupts.shielded():
        with interrupts.shielded():
            press()
        done.append("the outer step")
    assert done == ["the outer step"]


def test_error_inside_a_shield_is_not_replaced_by_the_interruption() -> None:
    with Interrupts("bye") as interrupts, pytest.raises(ValueError, match="mine"), interrupts.shielded():
        press()
        raise ValueError("mine")


def test_second_one_leaves_at_once_and_says_how_to_go_on(capfd: pytest.CaptureFixture[str]) -> None:
    left: list[int] = []
    interrupts = Interrupts("go on with: llamaexit resume r", leave=left.append)
    with interrupts, pytest.raises(KeyboardInterrupt), interrupts.shielded():
        press()
        press()
    assert left == [INTERRUPTED]
    assert "llamaexit resume r" in capfd.readouterr().err


def test_termination_by_a_service_manager_is_treated_alike() -> None:
    with Interrupts("bye"), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_handlers_of_before_are_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts("bye"):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with Interrupts("bye") as interrupts, interrupts.shielded():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
