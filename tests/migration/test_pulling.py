"""Patience around a pull: when it tries again, when it gives up, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from llamaexit.migration.pulling import PullProgress, pull_patiently
from llamaexit.ollama.changes import Changes, Progress
from llamaexit.ollama.pull_failures import PullError
from standin import Model, Registry, Standin, gguf, pull_faults

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
        "clock": script.clock, "wait": script.clock.sleep, **options,
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


def test_finding_what_was_fetched_before_gains_nothing() -> None:
    script = Scripted(Clock(), *[[layer(GB // 2), CUT]] * 6)
    with pytest.raises(PullError, match=r"it broke off \(tried 6 times\)"):
        pull(script)
    assert script.asked == 6


def test_pauses_do_not_grow_beyond_a_minute() -> None:
    clock = Clock()
    with pytest.raises(PullError):
        pull(Scripted(clock, *[[CUT]] * 9), attempts=9)
    assert sum(clock.slept) == pytest.approx(1 + 2 + 4 + 8 + 16 + 32 + 60 + 60)


def test_file_that_is_damaged_twice_is_not_fetched_a_third_time() -> None:
    damaged = PullError("digest", "it was damaged")
    script = Scripted(Clock(), [layer(0), layer(GB), damaged], [layer(0), layer(GB), damaged])
    with pytest.raises(PullError, match="damaged"):
        pull(script)
    assert script.asked == 2


def test_why_nothing_is_asked_for_at_the_moment_is_told() -> None:
    told = pull(Scripted(Clock(), [layer(GB // 2), CUT], [layer(GB), SUCCESS]))
    (waiting,) = [progress for progress in told if "trying again" in progress.status]
    assert waiting.status == "it broke off; trying again in 1 s"
    assert (waiting.completed, waiting.layer, waiting.attempt) == (GB // 2, None, 2)


def test_nothing_is_asked_for_when_it_was_cancelled_before() -> None:
    script = Scripted(Clock())
    with pytest.raises(PullError) as failed:
        pull(script, cancelled=lambda: True)
    assert failed.value.kind == "cancelled" and script.asked == 0


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


@pytest.mark.parametrize(
    ("size", "free", "begun"),
    [
        pytest.param(GB, 3 * GB, True, id="that fits, margin included"),
        pytest.param(GB, 3 * GB - 1, False, id="that does not fit beside the margin"),
        pytest.param(None, GB, True, id="of unknown size"),
        pytest.param(GB, None, True, id="onto a disk that cannot be seen"),
    ],
)
def test_download_is_weighed_against_the_disk(size: int | None, free: int | None, begun: bool) -> None:
    script = Scripted(Clock(), [layer(GB), SUCCESS])
    with nullcontext() if begun else pytest.raises(PullError, match=r"of which 2\.0 GB have to stay free"):
        pull(script, size=size, free=lambda: free, margin=2 * GB)
    assert script.asked == begun


def test_full_disk_is_no_matter_to_layers_that_are_here() -> None:
    script = Scripted(Clock(), [layer(GB), 2.0, layer(GB, digest="sha256:b"), 2.0, SUCCESS])
    assert pull(script, size=None, free=lambda: 1, margin=GB)[-1].status == "success"


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


def test_speed_is_that_of_the_last_seconds() -> None:
    steps: list[Any] = [layer(0)]
    for second in range(1, 21):
        steps += [1.0, layer(min(second, 10) * 40_000_000 + max(second - 10, 0) * 10_000_000)]
    told = pull(Scripted(Clock(), [*steps, CUT], [layer(GB), SUCCESS]))
    speeds = [progress.bytes_per_second for progress in told if progress.layer and progress.bytes_per_second]
    assert speeds[5] == pytest.approx(40_000_000)
    assert speeds[-1] == pytest.approx(10_000_000)


def test_pull_that_stands_still_has_no_speed() -> None:
    steps = [layer(0), 1.0, layer(1000), 6.0, layer(1000), 1.0, layer(1000)]
    told = pull(Scripted(Clock(), [*steps, CUT], [layer(GB), SUCCESS]))
    still = [progress for progress in told if progress.layer_completed == 1000][-1]
    assert (still.bytes_per_second, still.seconds_left) == (None, None)


def test_neither_pauses_nor_what_an_earlier_try_fetched_are_speed() -> None:
    first = [layer(0), 1.0, layer(100_000_000), CUT]
    # what arrived after the last event of the first try is told of by the first one of the second
    second = [Progress("pulling manifest"), layer(160_000_000), 1.0, layer(190_000_000), SUCCESS]
    told = [progress for progress in pull(Scripted(Clock(), first, second)) if progress.layer]
    assert told[-1].bytes_per_second == pytest.approx(30_000_000)


def test_what_ollama_takes_back_is_taken_back() -> None:
    told = pull(Scripted(Clock(), [layer(500), 1.0, layer(300), SUCCESS]))
    assert [progress.completed for progress in told[:2]] == [500, 300]


def test_all_layers_are_here_when_they_are_verified() -> None:
    verifying = Progress("verifying sha256 digest")
    told = pull(Scripted(Clock(), [layer(0), layer(GB - 1), verifying, SUCCESS]))
    assert [(p.completed, p.status) for p in told[-2:]] == [(GB, "verifying sha256 digest"), (GB, "success")]


def test_layer_that_is_complete_is_told_of_at_once_and_once() -> None:
    steps = [layer(1), 0.01, layer(GB), 0.01, layer(GB), 0.01, layer(5, 5, "sha256:b")]
    told = pull(Scripted(Clock(), [*steps, SUCCESS]))
    assert [(p.layer, p.layer_completed) for p in told if p.layer] == [
        ("sha256:a", 1),
        ("sha256:a", GB),
        ("sha256:b", 5),
    ]


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


def test_real_pull_that_is_cut_twice_comes_to_its_end() -> None:
    registry = Registry(Model("qwen3:8b", weights=gguf.llama("qwen3"), template="{{ .Prompt }}"))
    told: list[PullProgress] = []
    clock = Clock()
    with Standin(registry=registry) as server, Changes(server.url) as changes:
        server.break_pull(pull_faults.cut(share=0.3))
        server.break_pull(pull_faults.cut(share=0.6))
        pull_patiently(
            "qwen3:8b", changes=changes, size=None, free=lambda: None, margin=0, report=told.append,
            cancelled=lambda: False, wait=clock.sleep, clock=clock,
        )  # fmt: skip
        assert len(server.asked("/api/pull")) == 3
    assert (told[-1].status, told[-1].attempt, told[-1].completed) == ("success", 3, told[-1].total)
