"""When a pull counts as standing still: events prove nothing, and verifying takes its time in silence."""

from __future__ import annotations

import pytest

from llamaexit.ollama.pull_failures import PullError
from llamaexit.ollama.pull_watch import VERIFY_RATE, Progress, PullWatch
from llamaexit.units import GB

PATIENCE = 120.0
VERIFYING = Progress("verifying sha256 digest")


class Watched:
    """A watch, and the time it goes by."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.cancelled = False
        self.watch = PullWatch("qwen3:8b", PATIENCE, lambda: self.cancelled, lambda: self.now)

    def see(self, *events: Progress) -> None:
        for event in events:
            self.watch.see(event)

    def stalls_after(self, seconds: float) -> bool:
        """Whether that long a silence from now on is too long."""
        self.now += seconds
        try:
            self.watch.look()
        except PullError as error:
            assert error.kind == "stalled" and error.retryable
            return True
        return False


@pytest.fixture
def watched() -> Watched:
    return Watched()


def layer(completed: int, total: int = 20 * GB, digest: str = "sha256:a") -> Progress:
    return Progress(f"pulling {digest[7:]}", digest, total, completed)


def test_silence_is_borne_for_so_long_and_no_longer(watched: Watched) -> None:
    watched.see(layer(1))
    assert not watched.stalls_after(PATIENCE)
    assert watched.stalls_after(0.1)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(layer(2), id="a layer that grows"),
        pytest.param(layer(0, digest="sha256:b"), id="another layer"),
        pytest.param(Progress("writing manifest"), id="another status"),
    ],
)
def test_pull_moves_with(event: Progress, watched: Watched) -> None:
    watched.see(layer(1))
    assert not watched.stalls_after(PATIENCE - 1)
    watched.see(event)
    assert not watched.stalls_after(PATIENCE - 1)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(layer(1), id="the same figure again"),
        pytest.param(layer(0), id="a smaller figure, of a part that broke"),
    ],
)
def test_pull_does_not_move_with(event: Progress, watched: Watched) -> None:
    watched.see(layer(1))
    assert not watched.stalls_after(PATIENCE - 1)
    watched.see(event)
    assert watched.stalls_after(2)


def test_part_that_is_fetched_again_moves_the_pull_below_where_it_was(watched: Watched) -> None:
    watched.see(layer(10 * GB), layer(9 * GB))
    assert not watched.stalls_after(PATIENCE - 1)
    watched.see(layer(9 * GB + 1))
    assert not watched.stalls_after(PATIENCE - 1)


def test_verifying_may_take_as_long_as_a_slow_disk_needs_for_what_was_downloaded(watched: Watched) -> None:
    watched.see(layer(0), layer(20 * GB), layer(1, 2, "sha256:b"), VERIFYING)
    assert not watched.stalls_after(20 * GB / VERIFY_RATE + PATIENCE)
    assert watched.stalls_after(1)


def test_layers_that_were_there_before_are_not_waited_for(watched: Watched) -> None:
    watched.see(layer(20 * GB), VERIFYING)
    assert watched.stalls_after(PATIENCE + 1)


def test_what_stands_still_and_where_is_told(watched: Watched) -> None:
    watched.see(layer(0), layer(5 * GB))
    watched.now += PATIENCE + 10
    with pytest.raises(PullError, match=r"^the pull of qwen3:8b has not moved for 130 s, at 5\.0 GB of 20\.0 GB"):
        watched.watch.look()
    watched.see(VERIFYING)
    watched.now += PATIENCE + 20 * GB / VERIFY_RATE + 10
    with pytest.raises(PullError, match=r"^Ollama has been verifying qwen3:8b for 2130 s"):
        watched.watch.look()


def test_pull_that_is_not_wanted_ends_at_the_next_look(watched: Watched) -> None:
    watched.watch.look()
    watched.cancelled = True
    with pytest.raises(PullError) as stopped:
        watched.watch.look()
    assert (stopped.value.kind, stopped.value.retryable) == ("cancelled", False)
