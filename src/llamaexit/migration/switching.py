"""The steps that change what names mean. Each is one copy, made only while the name still means what it meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llamaexit.migration.failures import StepFailed
from llamaexit.migration.fold import made_in
from llamaexit.migration.names import backup_name, stage_name
from llamaexit.migration.work import Listed, True_, Work

if TYPE_CHECKING:
    from llamaexit.migration.steps import Job, PlannedStep
    from llamaexit.migration.world import Names


def origin_of(work: Work, planned: PlannedStep, job: Job) -> str:
    """The name that is copied: the prepared model for a custom one, the target itself for everything else."""
    prepared = planned.what == "rebuilt" or planned.title.startswith(f"let {planned.name} mean the new ")
    return stage_name(work.run, job.number) if prepared else job.target.model


def check_unchanged(work: Work, names: Names, planned: Sequence[PlannedStep]) -> None:
    """Look at every name once more before the first is switched. Raises StepFailed for one that others changed."""
    changed = [step for step in planned if not _ours_to_write(work, names, step.name)]
    if changed:
        words = "; ".join(_difference(work, names, step.name) for step in changed)
        raise StepFailed("changed", f"nothing was switched: {words}", hint="plan again")


def switch(work: Work, step: Listed, planned: PlannedStep, job: Job) -> None:
    """Let a name mean the new model, if it still means what the run found, and if there is a backup of that."""
    name, origin = planned.name, origin_of(work, planned, job)
    before = work.before.get(name)

    def true(names: Names) -> True_ | None:
        digest = names.digest(name)
        if digest is None or digest not in (names.digest(origin), *_made(work, name)):
            return None
        was = f" (it was {before[:12]})" if before else ""
        facts = {"name": name, "after": digest, "what": planned.what, "target": job.target.model, "source": job.source}
        return True_(f"{name} is {digest[:12]}{was}", facts)

    def ready(names: Names) -> dict[str, Any]:
        after = names.digest(origin)
        if after is None:
            raise StepFailed(
                "gone", f"{origin}, which {name} is to mean, is gone", hint=f"llamaexit rollback {work.run}"
            )
        if not _ours_to_write(work, names, name):
            raise StepFailed("changed", _difference(work, names, name), hint="look at it, then plan again")
        if before is not None and names.digest(backup_name(before)) != before:
            raise StepFailed("no-backup", f"the backup of {name} is gone, so it is not overwritten", hint="plan again")
        return {"name": name, "after": after}

    def act() -> None:
        # compare and set: other people use this Ollama, too, and copying does not ask before it overwrites
        if not _ours_to_write(work, work.look(), name):
            raise StepFailed("changed", _difference(work, work.look(), name), hint="look at it, then plan again")
        work.tools.changes.copy(origin, name)

    work.perform(step, true=true, ready=ready, act=act)


def tidy(work: Work, step: Listed, numbers: Sequence[int]) -> None:
    """Remove the names that models were prepared under; what they hold lives on under the switched names."""
    staged = [stage_name(work.run, number) for number in numbers]

    def true(names: Names) -> True_ | None:
        left = [name for name in staged if names.digest(name) is not None]
        return None if left else True_(f"{len(staged)} removed")

    def act() -> None:
        names = work.look()
        for name in staged:
            if names.digest(name) is not None:
                work.tools.changes.delete(name)

    work.perform(step, true=true, ready=lambda names: {}, act=act)


def _made(work: Work, name: str) -> set[str]:
    return made_in(work.journal.records, name)


def _ours_to_write(work: Work, names: Names, name: str) -> bool:
    """Whether a name means what the run found or made; or is gone after the run announced a change of it.

    A server that is killed while it writes a manifest leaves an empty one, which it then does not list; copying over it
    heals that.
    """
    digest = names.digest(name)
    if digest == work.before.get(name) or digest in _made(work, name):
        return True
    return digest is None and work.intended(name)


def _difference(work: Work, names: Names, name: str) -> str:
    before, now = work.before.get(name), names.digest(name)
    was = f"it was {before[:12]}" if before else "it was not there"
    return f"{name} was changed by somebody else: {was} when the run began, " + (
        f"it is {now[:12]} now" if now else "it is gone now"
    )
