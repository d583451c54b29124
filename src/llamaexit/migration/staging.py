"""The steps nobody notices: backups, downloads, and models that are prepared under names of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamaexit.migration.failures import StepFailed
from llamaexit.migration.names import backup_name, stage_name
from llamaexit.migration.rebuilding import creation_from, differences
from llamaexit.migration.work import Listed, True_, Work

if TYPE_CHECKING:
    from llamaexit.migration.steps import Job
    from llamaexit.migration.world import Names

MARGIN = 256 * 1024**2
"""Bytes of disk that a download must leave free."""


def back_up(work: Work, step: Listed, name: str) -> None:
    """Keep what a name means now under a name made from its digest. Costs no disk: the layers are shared."""
    digest = work.before.get(name)
    if digest is None:
        work.leave_out(step, f"there is no {name} yet")
        return
    backup = backup_name(digest)

    def true(names: Names) -> True_ | None:
        if names.digest(backup) != digest:
            return None
        return True_(f"kept as {digest[:12]}", {"name": name, "kept": digest})

    def ready(names: Names) -> dict[str, Any]:
        if names.digest(name) != digest:
            raise _changed(name, digest, names.digest(name))
        return {"name": name}

    work.perform(step, true=true, ready=ready, act=lambda: work.tools.changes.copy(name, backup))


def fetch(work: Work, step: Listed, job: Job, *, may_pull: bool) -> None:
    """Bring a target here. Its digest has to be the one the plan was made for."""
    model, wanted = job.target.model, job.target.digest
    before = work.before.get(model)

    def true(names: Names) -> True_ | None:
        digest = names.digest(model)
        if digest is None or (wanted is not None and not digest.startswith(wanted)):
            return None
        if wanted is None and digest == before and not job.target.installed:
            return None
        facts: dict[str, Any] = {"name": model, "after": digest, "target": model, "source": job.source}
        if digest != before:
            facts["what"] = "pulled" if before is None else "updated"
        return True_(f"{model} is {digest[:12]}", facts)

    def ready(names: Names) -> dict[str, Any]:
        digest = names.digest(model)
        if digest not in (None, before):
            raise _moved(model, wanted, digest)
        if not may_pull:
            raise StepFailed("not-installed", f"{model} is not installed, and --no-pull was said")
        return {"name": model}

    def act() -> None:
        from llamaexit.migration.pulling import pull_patiently

        pull_patiently(
            model,
            changes=work.tools.changes,
            size=max(job.target.download.missing - _partial(work.place.store), 0) or None,
            free=lambda: free_disk(work.place.store),
            margin=MARGIN,
            report=work.tell,
            cancelled=work.cancelled.is_set,
        )
        digest = work.look().digest(model)
        if digest is None:
            raise StepFailed(
                "not-listed",
                f"Ollama says {model} was pulled, but does not list it: a file of a broken download is in the way",
                hint=f"ollama rm {model}, restart Ollama, and pull it again",
            )
        if wanted is not None and not digest.startswith(wanted):
            raise _moved(model, wanted, digest)

    work.perform(step, true=true, ready=ready, act=act, shielded=False)


def _moved(model: str, wanted: str | None, digest: str | None) -> StepFailed:
    planned = f"the plan was made for {wanted[:12]}" if wanted else "it was not there when the plan was made"
    return StepFailed(
        "moved",
        f"{model} is {(digest or '')[:12]} now, {planned}: the tag has moved",
        hint="what was downloaded is kept; plan again, which looks at the model that is here now",
    )


def build(work: Work, step: Listed, job: Job) -> None:
    """Prepare a custom model on its new base, under a name of ours, so that it is tested before it is switched to."""
    staged = stage_name(work.run, job.number)
    source, target = job.source, job.target.model
    made: dict[str, Any] = {}

    def true(names: Names) -> True_ | None:
        recorded = work.recorded(step.id) or {}
        digest = made.get("digest") or recorded.get("after")
        # once it was switched to, it lives on under the name of the old model, and the prepared name may be gone
        if digest is None or digest not in (names.digest(staged), names.digest(source)):
            return None
        return True_(made.get("detail") or recorded.get("detail", ""), {"name": staged, "after": digest})

    def ready(names: Names) -> dict[str, Any]:
        if names.digest(source) != work.before.get(source):
            raise _changed(source, work.before.get(source), names.digest(source))
        if names.digest(target) is None:
            raise StepFailed("not-installed", f"{target}, which {source} is to be built on, is gone")
        return {"name": staged}

    def act() -> None:
        server = work.tools.server
        # Ollama looks `from` up by its exact spelling, and pulls what it does not find
        base = work.look().spelled(target)
        base_show = server.show(base)
        creation, detail = creation_from(server.show(source), model=staged, base=base, job=job, base_show=base_show)
        work.tools.changes.create(creation)
        wrong = differences(server.show(staged), creation, base_show)
        if wrong:
            raise StepFailed("not-carried", f"{source} cannot be built on {target}: {'; '.join(wrong)}")
        made["digest"] = work.look().digest(staged)
        made["detail"] = detail

    work.perform(step, true=true, ready=ready, act=act)


class Downloads:
    """Pulls in the order of the plan, one at a time, at most one ahead of what is being tested.

    start: begins one in a thread of its own; wait: until it is done. ^C in the waiting thread cancels it.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="pull")
        self._started: dict[str, Future[None]] = {}

    def start(self, key: str, pull: Callable[[], None]) -> None:
        """Begin one, unless it was begun before."""
        if key not in self._started:
            self._started[key] = self._executor.submit(pull)

    def wait(self, key: str) -> None:
        """Wait until it is done, and raise what stopped it."""
        future = self._started[key]
        while not future.done():
            # short waits, since Windows does not wake a waiting thread for ^C
            try:
                future.result(timeout=0.2)
            except TimeoutError:
                if future.done():
                    break
        future.result()

    def room_for(self, job: Job) -> bool:
        """Whether the next download fits beside what is here, as far as that can be seen."""
        free = free_disk(self._work.place.store)
        return free is None or job.target.download.missing + MARGIN <= free

    def __enter__(self) -> Downloads:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for what still runs, cancelled first when something went wrong."""
        if kind is not None:
            self._work.cancelled.set()
        self._executor.shutdown(wait=True, cancel_futures=True)


def free_disk(store: Path | None) -> int | None:
    """Bytes free on the disk of a model store; None when it cannot be seen."""
    try:
        return shutil.disk_usage(store).free if store is not None else None
    except OSError:
        return None


def _partial(store: Path | None) -> int:
    """Bytes of downloads that were begun. Partial files have holes, so their blocks are counted, not their length."""
    if store is None:
        return 0
    total = 0
    try:
        with os.scandir(store / "blobs") as entries:
            for entry in entries:
                if entry.name.endswith("-partial"):
                    total += getattr(entry.stat(), "st_blocks", 0) * 512
    except OSError:
        return total
    return total


def _changed(name: str, before: str | None, now: str | None) -> StepFailed:
    return StepFailed("changed", f"{name} was changed by somebody else: {_meaning(before, now)}", hint="plan again")


def _meaning(before: str | None, now: str | None) -> str:
    was = f"it was {before[:12]}" if before else "it was not there"
    return f"{was} when the run began, " + (f"it is {now[:12]} now" if now else "it is gone now")
