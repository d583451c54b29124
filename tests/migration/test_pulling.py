"""Patience around a pull: when it tries again, when it gives up, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from llamaexit.migration.pulling import PullProgress, pull_patiently
from llamaexit.ollama.changes import Progress
from llamaexit.ollama.pull_failures import PullError

GB = 10**9


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Scripted:
    """Pulls that go as written: a list of events and errors for each try."""

    def __init__(self, clock: Clock, *tries: list[Any]) -> None:
        self.clock = clock
        self.tries = list(tries)
        self.asked = 0

    def pull(self, name: str, on_progress: Callable[[Progress], None], *, cancelled: Callable[[], bool]) -> None:
        self.asked += 1
        for step in self.tries.pop(0):
            if isinstance(step, (int, float)):
                self.clock.now += step
            elif isinstance(step, Exception):
                raise step
            else:
                if cancelled():
                    raise PullError("cancelled", "cancelled")
                on_progress(step)


def layer(completed: int, total: int = GB, digest: str = "sha256:a") -> Progress:
    return Progress("pulling a", digest, total, completed)


def pull(script: Scripted, **options: Any) -> list[PullProgress]:
    told: list[PullProgress] = []
    options = {
        "size": GB, "free": lambda: 100 * GB, "margin": 0, "cancelled": lambda: False, "report": told.append,
        "clock": script.clock, "sleep": script.clock.sleep, **options,
    }  # fmt: skip
    pull_patiently("qwen3:8b", changes=script, **options)  # type: ignore[arg-type]
    return told


SUCCESS = Progress("success")
CUT = PullError("cut", "it broke off")


def test_second_try_goes_on_after_a_pause() -> None:
    clock = Clock()
    script = Scripted(clock, [layer(GB // 2), CUT], [layer(GB), SUCCESS])
    told = pull(script)
    assert script.asked == 2 and sum(clock.slept) == pytest.approx(1.0)
    assert told[-1].status == "success" and told[-1].attempt == 2 and told[-1].completed == GB


def test_pauses_double_while_nothing_is_gained() -> None:
    clock = Clock()
    script = Scripted(clock, *[[CUT]] * 6)
    with pytest.raises(PullError, match="broke off"):
        pull(script)
    assert script.asked == 6
    assert sum(clock.slept) == pytest.approx(1 + 2 + 4 + 8 + 16)


def test_gaining_bytes_counts_as_a_new_beginning() -> None:
    clock = Clock()
    tries = [[layer(GB // 100 * n), CUT] for n in range(1, 20)]
    script = Scripted(clock, *tries, [layer(GB), SUCCESS])
    pull(script)
    assert script.asked == 20


def test_failure_that_stays_is_not_tried_again() -> None:
    script = Scripted(Clock(), [PullError("too-old", "needs a newer Ollama")])
    with pytest.raises(PullError, match="newer"):
        pull(script)
    assert script.asked == 1


def test_download_that_cannot_fit_is_not_begun() -> None:
    script = Scripted(Clock())
    with pytest.raises(PullError, match=r"needs 1\.0 GB more, the disk of the model store has 0\.5 GB free"):
        pull(script, free=lambda: GB // 2)
    assert script.asked == 0


def test_disk_that_fills_up_meanwhile_stops_the_pull() -> None:
    clock = Clock()
    free = iter([10 * GB, 10 * GB, 1])
    script = Scripted(clock, [layer(1), 2.0, layer(2), 2.0, layer(3), SUCCESS])
    with pytest.raises(PullError, match="was stopped") as failed:
        pull(script, free=lambda: next(free), margin=GB)
    assert failed.value.kind == "disk-full"


def test_waiting_for_the_next_try_ends_when_it_is_cancelled() -> None:
    clock = Clock()
    script = Scripted(clock, *[[CUT]] * 5)
    with pytest.raises(PullError) as failed:
        pull(script, cancelled=lambda: clock.now > 2)
    assert failed.value.kind == "cancelled"
    assert clock.now < 2.3


def test_what_was_there_before_is_no_speed() -> None:
    clock = Clock()
    script = Scripted(clock, [layer(GB // 2), 1.0, layer(GB // 2 + 10_000_000), SUCCESS])
    told = [progress for progress in pull(script) if progress.bytes_per_second]
    assert told[0].bytes_per_second == pytest.approx(10_000_000)
    assert told[0].seconds_left == pytest.approx((GB // 2 - 10_000_000) / 10_000_000)


def test_total_is_that_of_the_plan_until_more_layers_are_known() -> None:
    clock = Clock()
    script = Scripted(clock, [layer(0, 100), 1.0, layer(5, 3 * GB, "sha256:b"), SUCCESS])
    told = pull(script)
    assert told[0].total == GB
    assert told[-1].total == 3 * GB + 100


def test_reports_come_ten_times_a_second_at_most() -> None:
    clock = Clock()
    steps: list[Any] = []
    for n in range(1000):
        steps += [layer(n), 0.001]
    told = pull(Scripted(clock, [*steps, SUCCESS]))
    assert 9 <= len(told) <= 12
