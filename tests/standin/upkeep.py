"""What becomes of blobs that no model uses any more: manifest/, server/images.go."""

from __future__ import annotations

from collections.abc import Iterable

from standin.release import Release
from standin.store import Store

GRACE = 3600 * 10**9
"""Nanoseconds a file has to lie untouched before a server deletes it when it starts."""


def remove_unused(store: Store, digests: Iterable[str]) -> None:
    """Delete those of the blobs that no manifest uses. Manifests that cannot be read use nothing."""
    used = set()
    for entry in store.manifests.values():
        try:
            used |= store.digests(entry)
        except ValueError:
            continue
    for digest in set(digests) - used:
        store.remove_blob(digest)


def prune_at_start(store: Store, release: Release) -> None:
    """What a server deletes when it starts: blobs nobody uses and partial downloads, unless a manifest is corrupt."""
    try:
        for entry in store.manifests.values():
            entry.parsed()
    except ValueError:
        return
    grace = GRACE if release.since(0, 21) else 0
    old = {
        file
        for file in [*store.blobs, *(f"{digest}-partial" for digest in store.partials)]
        if store.clock.now() - store.written.get(file, 0) >= grace
    }
    for digest in list(store.partials):
        if f"{digest}-partial" in old:
            store.remove_partial(digest)
    remove_unused(store, old & set(store.blobs))
