"""A pull, event by event, as server/images.go and server/download.go do it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from standin.pull_faults import Effect, PullFault
from standin.registry import Registry, Unavailable, fetched
from standin.release import Release
from standin.store import Blob, Name, Partial, Store
from standin.upkeep import remove_unused

Event = dict[str, Any]
SEEN = 1024
"""Bytes from which on a layer that arrives at once is reported: smaller ones finish before the first tick."""


class Failed(Exception):
    """The pull ends with this text as its error."""


class Cut(Exception):
    """The connection ends here. `clean`: as if the answer were complete."""

    def __init__(self, *, clean: bool) -> None:
        super().__init__()
        self.clean = clean


class Gone(Exception):
    """The client left."""


@dataclass
class Pace:
    """How fast layers arrive. Without `bytes_per_second` at once, with one event for each that is worth one."""

    bytes_per_second: float | None = None
    tick: float = 0.06
    """Seconds from one event to the next."""


class Downloads:
    """Transfers under way, by digest: two pulls of one digest share it."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}
        self._moved: dict[str, float] = {}

    def join(self, store: Store, digest: str, total: int) -> Partial:
        with store.lock:
            self._waiting[digest] = self._waiting.get(digest, 0) + 1
            self._moved.setdefault(digest, time.monotonic())
            partial = store.partials.setdefault(digest, Partial(total, 0))
            store.touch(f"{digest}-partial")
            return partial

    def leave(self, store: Store, digest: str) -> None:
        """What has arrived stays."""
        with store.lock:
            self._waiting[digest] -= 1
            if not self._waiting[digest]:
                del self._waiting[digest], self._moved[digest]
                store.keep_partial(digest)

    def move(self, store: Store, digest: str, pace: Pace, limit: int) -> None:
        """Let as much arrive as the time since the last look allows, up to `limit` bytes in all."""
        with store.lock:
            partial = store.partials.get(digest)
            if partial is None:
                return
            now = time.monotonic()
            passed, self._moved[digest] = now - self._moved[digest], now
            wanted = limit - partial.completed
            if pace.bytes_per_second is not None:
                wanted = min(wanted, int(passed * pace.bytes_per_second))
            free = store.free
            if free is not None and wanted > free:
                partial.completed += free
                path = store.path_of(digest)
                raise Failed(f"write {path}-partial: no space left on device")
            partial.completed += max(0, wanted)
            store.touch(f"{digest}-partial")


@dataclass
class Pull:
    """One pull under way. `gone` says whether the client left; `written` is called once the model is installed."""

    store: Store
    registry: Registry | None
    name: Name
    release: Release
    downloads: Downloads
    pace: Pace
    insecure: bool = False
    fault: PullFault | None = None
    prune: bool = True
    gone: Callable[[], bool] = lambda: False
    written: Callable[[], None] = lambda: None

    def events(self) -> Iterator[Event]:
        """Raises Failed, Cut or Gone."""
        replaced = self._replaced()
        yield {"status": "pulling manifest"}
        manifest = self._manifest()
        described = json.loads(manifest)
        layers = [*described["layers"], described["config"]]
        fresh = set()
        for index, layer in enumerate(layers):
            if layer["digest"] not in self.store.blobs:
                fresh.add(layer["digest"])
            yield from self._layer(index, str(layer["digest"]))
        yield {"status": "verifying sha256 digest"}
        self._verify(layers, fresh)
        yield {"status": "writing manifest"}
        with self.store.lock:
            if self.fault and self.fault.effect is Effect.HOLLOW:
                config = described["config"]["digest"]
                self.store.keep(config, Blob(b"\0", int(described["config"]["size"])))
            self.store.put(self.name, manifest)
            unused = replaced - {layer["digest"] for layer in layers}
            if self.prune and unused:
                remove_unused(self.store, unused)
        self.written()
        if self.prune and unused:
            yield {"status": "removing unused layers"}
        if self.fault and self.fault.written:
            raise Cut(clean=self.fault.effect is Effect.END)
        yield {"status": "success"}

    def _replaced(self) -> set[str]:
        """The blobs of the model whose name is pulled over."""
        try:
            return self.store.digests(self.store.manifests[self.name])
        except (KeyError, ValueError):
            return set()

    def _manifest(self) -> bytes:
        if self.fault and self.fault.effect is Effect.FAIL and self.fault.layer is None:
            raise Failed(self.fault.text)
        try:
            return fetched(self.registry, self.name, insecure=self.insecure, release=self.release)
        except Unavailable as error:
            raise Failed(f"pull model manifest: {error}") from None

    def _layer(self, index: int, digest: str) -> Iterator[Event]:
        if digest in self.store.blobs:
            size = self.store.blobs[digest].size
            yield _progress(digest, size, size)
            return
        blob = self.registry.blob(digest) if self.registry else None
        if blob is None:
            raise Failed("file does not exist")
        fault = self.fault if self.fault and self.fault.layer == index else None
        partial = self.downloads.join(self.store, digest, blob.size)
        try:
            if fault and fault.effect is not Effect.MISMATCH:
                yield from self._transfer(digest, partial, int(blob.size * fault.share))
                yield from self._strike(fault, digest, partial)
            yield from self._transfer(digest, partial, blob.size)
            with self.store.lock:
                if self.store.partials.get(digest) is partial:
                    self.store.remove_partial(digest)
                    self.store.keep(digest, blob)
        finally:
            self.downloads.leave(self.store, digest)
        if self.pace.bytes_per_second is None and blob.size >= SEEN:
            yield _progress(digest, blob.size, blob.size)

    def _transfer(self, digest: str, partial: Partial, until: int) -> Iterator[Event]:
        """Let the layer arrive up to so many bytes."""
        if self.pace.bytes_per_second is None:
            self.downloads.move(self.store, digest, self.pace, until)
        while partial.completed < until:
            yield _progress(digest, partial.total, partial.completed)
            self._wait()
            self.downloads.move(self.store, digest, self.pace, until)

    def _strike(self, fault: PullFault, digest: str, partial: Partial) -> Iterator[Event]:
        yield _progress(digest, partial.total, partial.completed)
        if fault.effect is Effect.FAIL:
            raise Failed(fault.text)
        if fault.effect in (Effect.CUT, Effect.END):
            raise Cut(clean=fault.effect is Effect.END)
        begun = time.monotonic()
        while fault.seconds is None or time.monotonic() - begun < fault.seconds:
            if fault.effect is Effect.STALL:
                yield _progress(digest, partial.total, partial.completed)
            self._wait()

    def _wait(self) -> None:
        time.sleep(self.pace.tick)
        if self.gone():
            raise Gone

    def _verify(self, layers: list[dict[str, Any]], fresh: set[str]) -> None:
        fault = self.fault
        if fault is None or fault.effect is not Effect.MISMATCH or fault.layer is None:
            return
        digest = str(layers[fault.layer]["digest"])
        if digest in fresh:
            self.store.remove_blob(digest)
            got = hashlib.sha256(b"not " + digest.encode()).hexdigest()
            raise Failed(f"digest mismatch, file must be downloaded again: want {digest}, got sha256:{got}")


def _progress(digest: str, total: int, completed: int) -> Event:
    event = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total}
    return {**event, "completed": completed} if completed else event
