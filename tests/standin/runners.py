"""Which models are in memory, and who waits for one (server/sched.go)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from standin.behaviour import Traits
from standin.installed import Installed
from standin.options import at_load
from standin.store import Resident, Store

DEFAULT_KEEP = 5 * 60 * 10**9
"""Nanoseconds: OLLAMA_KEEP_ALIVE when it is not set."""
_POLL = 0.01


class Busy(Exception):
    """Too many wait already."""


class LoadFailed(Exception):
    """The text is the runner's."""


class WeightsMissing(Exception):
    """There is nothing to load any more."""


class Left(Exception):
    """The client went away while it waited."""


@dataclass(frozen=True)
class Wish:
    """A model, and how a request wants it loaded. keep: nanoseconds it is to stay afterwards, None for as it was.

    automatic: the context is nobody's choice, so that any will do. gone: whether the client left.
    """

    model: Installed
    options: dict[str, Any]
    traits: Traits
    shift: bool
    keep: int | None
    automatic: bool
    gone: Callable[[], bool]

    @property
    def context(self) -> int:
        return self.model.context(self.options["num_ctx"])

    @property
    def size(self) -> int:
        return self.traits.size if self.traits.size is not None else self.model.memory(self.context)

    @property
    def loaded_with(self) -> tuple[tuple[str, Any], ...]:
        """All that a runner has to be started anew for."""
        return (
            *at_load({**self.options, "num_ctx": self.context}),
            ("shift", self.shift),
            ("adapters", self.model.adapters),
            ("projector", self.model.projector),
        )

    def fits(self, runner: Resident) -> bool:
        """Whether that runner will do."""
        ignored = "num_ctx" if self.automatic and runner.automatic else None
        return all(
            mine == its for mine, its in zip(self.loaded_with, runner.loaded_with, strict=True) if mine[0] != ignored
        )


class Runners:
    """One runner for each weights blob: names that share weights share it, and other load options replace it.

    parallel: requests a runner answers at a time. max_queue: requests that may wait. max_loaded: models at a time.
    memory: bytes they may take together. unload_seconds: how long one that is told to go is still to be seen.
    """

    def __init__(self, store: Store) -> None:
        self.parallel = 1
        self.max_queue = 512
        self.max_loaded: int | None = None
        self.memory: int | None = None
        self.unload_seconds = 0.0
        self._store = store
        self._changed = threading.Condition(store.lock)
        self._waiting = 0
        self._loading = False

    def acquire(self, wish: Wish) -> tuple[Resident, float]:
        """A runner, held until `release`, and the seconds it took to load (0 when it was there).

        Raises Busy, LoadFailed, WeightsMissing, Left.
        """
        with self._changed:
            if self._waiting >= self.max_queue:
                raise Busy
            self._waiting += 1
            try:
                while True:
                    self.expire()
                    runner = self._of(wish.model.weights)
                    usable = runner is not None and wish.fits(runner)
                    if runner is not None and usable and runner.busy < self.parallel:
                        runner.busy += 1
                        runner.keep = runner.keep if wish.keep is None else wish.keep
                        return runner, 0.0
                    if not usable and not self._loading and self._make_room(runner, wish.size):
                        self._loading = True
                        break
                    self._changed.wait(_POLL)
                    if wish.gone():
                        raise Left
            finally:
                self._waiting -= 1
        try:
            return self._load(wish)
        finally:
            with self._changed:
                self._loading = False
                self._changed.notify_all()

    def _load(self, wish: Wish) -> tuple[Resident, float]:
        """It is listed only once it is loaded."""
        begun = time.monotonic()
        while (left := wish.traits.load_seconds - (time.monotonic() - begun)) > 0:
            time.sleep(min(left, _POLL))
            if wish.gone():
                raise Left
        if wish.model.weights not in self._store.blobs:
            raise WeightsMissing
        if wish.traits.load_error is not None:
            raise LoadFailed(wish.traits.load_error)
        model = wish.model
        runner = Resident(
            name=model.name.short,
            size=wish.size,
            size_vram=round(wish.size * wish.traits.gpu_share),
            context_length=wish.context,
            digest=model.digest,
            config=model.config,
            weights=model.weights,
            loaded_with=wish.loaded_with,
            automatic=wish.automatic,
            busy=1,
            keep=DEFAULT_KEEP if wish.keep is None else wish.keep,
        )
        runner.expires = self._store.clock.now() + runner.keep
        with self._changed:
            self._store.resident.append(runner)
        return runner, time.monotonic() - begun

    def _make_room(self, replaced: Resident | None, size: int) -> bool:
        """Evict what is in the way of a model of this size, the first to expire first; False while that is busy."""
        staying = sorted(self._store.resident, key=lambda runner: (runner.busy > 0, runner.expires or 0))
        going = []
        if replaced is not None:
            staying.remove(replaced)
            going.append(replaced)
        while staying and self._too_much(staying, size):
            going.append(staying.pop(0))
        if any(runner.busy for runner in going):
            return False
        self._store.resident[:] = staying
        return True

    def _too_much(self, staying: list[Resident], size: int) -> bool:
        if self.max_loaded is not None and len(staying) >= self.max_loaded:
            return True
        return self.memory is not None and sum(runner.size for runner in staying) + size > self.memory

    def release(self, runner: Resident) -> None:
        """The request is over: from now on it counts how long the model is kept."""
        with self._changed:
            runner.busy -= 1
            runner.expires = self._store.clock.now() + runner.keep
            if runner.keep == 0:
                self._leave(runner)
            self._changed.notify_all()

    def unload(self, weights: str | None) -> None:
        """Let a model go as soon as nobody uses it. One that is still loading does not hear it."""
        with self._changed:
            runner = self._of(weights)
            if runner is not None:
                runner.keep = 0
                if not runner.busy:
                    self._leave(runner)
                self._changed.notify_all()

    def expire(self) -> None:
        """Drop those whose time is over."""
        now = self._store.clock.now()
        self._store.resident[:] = [
            runner for runner in self._store.resident if runner.busy or runner.expires is None or runner.expires > now
        ]

    def _leave(self, runner: Resident) -> None:
        runner.expires = self._store.clock.now() + int(self.unload_seconds * 10**9)
        self.expire()

    def _of(self, weights: str | None) -> Resident | None:
        return next(
            (runner for runner in self._store.resident if runner.weights is not None and runner.weights == weights),
            None,
        )
