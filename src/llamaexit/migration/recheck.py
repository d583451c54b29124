"""Is a plan still true? Looked at right before it is carried out, and again before anything is switched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.migration.failures import Refused, Stale
from llamaexit.ollama.version import at_least
from llamaexit.recipes.names import name_key
from llamaexit.units import gb

if TYPE_CHECKING:
    from llamaexit.migration.steps import Preview
    from llamaexit.migration.world import Names
    from llamaexit.planning.plan import Plan


def recheck(
    plan: Plan, preview: Preview, names: Names, version: str | None, free: int | None, *, may_pull: bool
) -> None:
    """Compare a plan with what is there now. Raises Stale, naming every fact that changed, or Refused.

    free: bytes free on the disk of the store, None when it cannot be seen.
    """
    changed: list[str] = []
    missing: list[str] = []
    needed = 0
    for name, before in _names(plan, preview):
        now = names.digest(name)
        if now != before and not _wanted(preview, name, now):
            changed.append(_difference(name, before, now))
    for job in preview.jobs:
        target = job.target
        if names.digest(target.model) is None:
            missing.append(target.model)
    pulled: set[str] = set()
    for job in preview.jobs:
        target = job.target
        if at_least(version, target.version.needed or "") is False:
            raise Stale(
                f"{target.model} needs Ollama {target.version.needed}, {version} is there",
                hint="upgrade Ollama, or plan again for this version",
            )
        if target.model in missing and target.model not in pulled:
            pulled.add(target.model)
            needed += target.download.missing
    if changed:
        raise Stale(
            f"the plan is no longer true: {'; '.join(changed)}", hint="plan again: llamaexit plan --out plan.json"
        )
    if missing and not may_pull:
        raise Refused(
            f"not installed, and --no-pull was said: {', '.join(dict.fromkeys(missing))}",
            hint="bring them to the model store first, or leave --no-pull out",
        )
    if free is not None and needed > free:
        raise Refused(
            f"the downloads need {gb(needed)}, the disk of the model store has {gb(free)} free",
            hint="free some disk, or migrate one model at a time with --only",
        )


def _names(plan: Plan, preview: Preview) -> list[tuple[str, str | None]]:
    """The names of the chosen replacements with the digests the plan knew."""
    concerned = {name_key(job.source) for job in preview.jobs} | {name_key(job.target.model) for job in preview.jobs}
    return [(name, digest) for name, digest in plan.names.items() if name_key(name) in concerned]


def _wanted(preview: Preview, name: str, digest: str | None) -> bool:
    """Whether a name has come to mean just what the plan wants: somebody pulled the target meanwhile."""
    return digest is not None and any(
        job.target.digest is not None and digest.startswith(job.target.digest)
        for job in preview.jobs
        if name_key(job.target.model) == name_key(name)
    )


def _difference(name: str, before: str | None, now: str | None) -> str:
    if now is None:
        return f"{name} is gone"
    if before is None:
        return f"{name} is there now ({now[:12]})"
    return f"{name} is {now[:12]}, it was {before[:12]}"
