"""Whether one candidate can replace one source here. Each check is one reason; the first that speaks decides.

The order is that of the ranking: what it is, what it can do, what the team allows, what Ollama and the machine allow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from llamaexit.ollama.version import at_least
from llamaexit.planning.facts import Case, Facts, Way, World
from llamaexit.planning.plan import Rejected, RejectedBecause
from llamaexit.recipes.names import name_key, same_build
from llamaexit.units import gb, gib, parse_size

if TYPE_CHECKING:
    from llamaexit.memory import Estimate

SHARE_TOLERANCE = 0.01
"""A GPU share this much below the old one's still counts as the same."""


class Verdict(NamedTuple):
    """A reason against a candidate: what kind, in words, and the key of the policy that gives it, if one does."""

    because: RejectedBecause
    text: str
    policy: str = ""


Check = Callable[[Facts, Case, World], Verdict | None]


def judge(facts: Facts, case: Case, world: World) -> Rejected | None:
    """The first reason against a candidate, or None when there is none."""
    for check in CHECKS:
        verdict = check(facts, case, world)
        if verdict is not None:
            bound = facts.candidate.bound
            return Rejected(
                facts.candidate.model, verdict.because, verdict.text, bound.key, facts.candidate.rank, verdict.policy
            )
    return None


def not_llama(facts: Facts, case: Case, world: World) -> Verdict | None:
    """A target built on Llama is no way out; nor is an installed name that holds something else than it says."""
    if facts.target.origin == "meta":
        return Verdict("lineage", f"its weights are built on Llama ({facts.target.base or facts.target.name})")
    here = world.at(facts.candidate.model)
    if here is not None and here.lineage is not None and here.lineage.verdict == "meta":
        return Verdict("lineage", "the model installed here under this name is Llama, whatever the library holds now")
    return None


def runs_here(facts: Facts, case: Case, world: World) -> Verdict | None:
    """Cloud entries are somebody else's machines."""
    if not facts.target.local:
        return Verdict("cloud", "runs on somebody else's servers only; no local weights")
    return None


def can_do_it(facts: Facts, case: Case, world: World) -> Verdict | None:
    """Capabilities the old model had, or the uses need, as far as the recipe does not accept to lose them."""
    accepted = facts.candidate.accepted - case.firm
    missing = [one for one in facts.lacks(case) if one not in accepted]
    if missing:
        return Verdict("capability", f"has no {' and no '.join(missing)}, which {case.name} has or its use needs")
    return None


def good_at_it(facts: Facts, case: Case, world: World) -> Verdict | None:
    """Ollama's own list of models that work poorly for agents (cmd/launch since 0.32.0)."""
    weak = [use for use in case.uses if use in facts.target.weak_for]
    if weak:
        return Verdict("weak", f"listed by Ollama itself as working poorly for {' and '.join(weak)}")
    return None


def keeps_context(facts: Facts, case: Case, world: World) -> Verdict | None:
    """The window that is really used, not the largest one advertised."""
    accepted = "context" in facts.candidate.accepted and facts.context >= case.firm_context
    if facts.too_short(case) and not accepted:
        floor = world.policy.min_context
        asked = "min-context" if floor is not None and floor.value == case.context else ""
        return Verdict("context", f"holds {facts.context} tokens, {case.context} are used", asked)
    return None


def allowed(facts: Facts, case: Case, world: World) -> Verdict | None:
    """The team's policy; every refusal names the recipe that says so."""
    policy = world.policy
    refusal = policy.refusal(facts.target, (facts.candidate.model, facts.target.name), world.library.licence)
    if refusal is not None:
        return Verdict(*refusal)
    limit = policy.max_download
    if limit is not None and facts.download.missing > parse_size(limit.value):
        text = f"download of {gb(facts.download.missing)} is over the {limit.value} of {limit.recipe}"
        return Verdict("download", text, "max-download")
    return None


def pinned(facts: Facts, case: Case, world: World) -> Verdict | None:
    """A pin is a promise about bytes: another digest is another model."""
    pin = world.policy.pin(facts.candidate.model) or world.policy.pin(facts.target.name)
    if pin is None or facts.digest is None:
        return None
    wanted = pin.value.removeprefix("sha256:").lower()
    if same_build(wanted, facts.digest):
        return None
    return Verdict("pin", f"its digest is {facts.digest[:12]}, {pin.recipe} pins {wanted[:12]}", "pins")


def as_locked(facts: Facts, case: Case, world: World) -> Verdict | None:
    """What the lock of the recipes has: another build is one that nobody looked at."""
    locked = world.library.locked.get(name_key(facts.candidate.model))
    if locked is None or facts.digest is None or same_build(locked, facts.digest):
        return None
    return Verdict("pin", f"its digest is {facts.digest[:12]}, and it is locked to {locked[:12]}")


def quiet_enough(facts: Facts, case: Case, world: World) -> Verdict | None:
    """`thinking = "avoid"` rules out what thinks unless every client is told not to."""
    if world.thinking == "avoid" and facts.target.thinking.default:
        key = "thinking" if world.policy.thinking is not None else ""
        return Verdict("thinking", "thinks by default, which the policy avoids", key)
    return None


def new_enough(facts: Facts, case: Case, world: World) -> Verdict | None:
    """Ollama answers 412 to a pull, or fails to load, when it is older than the model needs."""
    if at_least(world.ollama_version, facts.min_ollama) is False:
        return Verdict("ollama-version", f"needs Ollama {facts.min_ollama}, this one is {world.ollama_version}")
    return None


def fits(facts: Facts, case: Case, world: World) -> Verdict | None:
    """Memory at the context that will be used, and no smaller part on the GPU than the old model had."""
    verdict = None
    for way in facts.ways():
        verdict = _too_much(way.estimate, case, world)
        if verdict is None:
            return None
    return verdict


def best_way(facts: Facts, case: Case, world: World) -> Way | None:
    """The first way to run a candidate that fits; None when nothing is known about its size."""
    return next((way for way in facts.ways() if _too_much(way.estimate, case, world) is None), None)


def _too_much(estimate: Estimate, case: Case, world: World) -> Verdict | None:
    fit = estimate.unloaded
    if fit.placement == "none":
        return Verdict("memory", fit.why)
    wanted = world.policy.min_gpu_share
    if wanted is not None and fit.gpu_share < wanted.value:
        text = f"{fit.gpu_share:.0%} on the GPU, {wanted.recipe} asks for {wanted.value:.0%}"
        return Verdict("gpu-share", text, "min-gpu-share")
    if case.gpu_share is not None and fit.gpu_share < case.gpu_share - SHARE_TOLERANCE:
        return Verdict(
            "gpu-share",
            f"{fit.gpu_share:.0%} on the GPU, the old model has {case.gpu_share:.0%} "
            f"({gib(fit.ps.expected)} at {estimate.context} tokens)",
        )
    return None


def fits_on_disk(facts: Facts, case: Case, world: World) -> Verdict | None:
    """Ollama does not check for room before a pull; we do."""
    if world.disk is not None and facts.download.missing > world.disk.free:
        return Verdict(
            "disk", f"download of {gb(facts.download.missing)}, the store's disk has {gb(world.disk.free)} free"
        )
    return None


CHECKS: tuple[Check, ...] = (
    not_llama,
    runs_here,
    can_do_it,
    good_at_it,
    keeps_context,
    allowed,
    pinned,
    as_locked,
    new_enough,
    fits,
    fits_on_disk,
    quiet_enough,
)
"""In the order of the ranking. Thinking comes last, so that where it is the reason it is the only one."""
