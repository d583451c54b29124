"""What a candidate is judged on: the case it is held against, and everything known about the candidate itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from llamaexit.planning.plan import Download
from llamaexit.planning.question import GIVEN
from llamaexit.planning.uses import capabilities_to_keep, stated_needs
from llamaexit.recipes.names import name_key

if TYPE_CHECKING:
    from llamaexit.memory import Estimate
    from llamaexit.planning.candidates import Candidate
    from llamaexit.planning.options import RemoteFacts
    from llamaexit.planning.question import Question
    from llamaexit.planning.reckon import Reckoner
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Target, Use
    from llamaexit.recipes.policy import EffectivePolicy
    from llamaexit.snapshot import Disk, InstalledModel

_WANTS_THINKING = frozenset({"reasoning", "math"})


@dataclass(frozen=True, slots=True)
class Case:
    """What a candidate is held against: the source, its uses, and what must be kept.

    firm: capabilities that no recipe may accept to lose, and firm_context: tokens likewise.
    context: tokens that are really used. asked_context: tokens a target will be asked for, None for Ollama's default.
    gpu_share: that of the old model with everything else unloaded, None when it cannot be reckoned. prefer_quiet:
    targets that think by default come last.
    """

    name: str
    uses: tuple[Use, ...]
    capabilities: frozenset[str]
    firm: frozenset[str]
    context: int
    firm_context: int
    context_source: str
    asked_context: int | None
    gpu_share: float | None
    prefer_quiet: bool


@dataclass(frozen=True, slots=True)
class World:
    """What candidates are judged by, the same for every source of a plan."""

    library: Library
    policy: EffectivePolicy
    ollama_version: str | None
    disk: Disk | None
    installed: dict[str, InstalledModel]
    thinking: str | None

    def at(self, name: str) -> InstalledModel | None:
        """The model that is installed under a name, if it works; it need not be the build that is wanted."""
        model = self.installed.get(name_key(name))
        return model if model is not None and model.problem is None else None


class Way(NamedTuple):
    """One way to run a candidate. set_context: tokens somebody has to ask for, None where nobody has to do anything."""

    estimate: Estimate
    set_context: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """A candidate with everything known about it.

    ways: how it can be run, best first. Worked out only when a check asks; empty when its size is not known.
    """

    candidate: Candidate
    target: Target
    capabilities: frozenset[str]
    context: int
    download: Download
    digest: str | None
    min_ollama: str
    here: InstalledModel | None
    remote: RemoteFacts | None
    ways: Callable[[], Iterable[Way]]

    def lacks(self, case: Case) -> tuple[str, ...]:
        """Capabilities of the old model, or of its uses, that this one does not have."""
        missing = sorted(case.capabilities - self.capabilities)
        if "tools" not in missing and "tools" in case.capabilities and "NO_TOOLS" in self.candidate.choice.caveats:
            missing.append("tools")
        return tuple(missing)

    def too_short(self, case: Case) -> bool:
        """Whether it holds fewer tokens than are used."""
        return 0 < self.context < case.context

    @property
    def loud(self) -> bool:
        """Whether it thinks before it answers unless a client says otherwise; what is not known counts."""
        return self.target.thinking.default is not False and bool(self.target.thinking.supported)


def case_of(question: Question, world: World) -> Case:
    """What the candidates of a source have to live up to."""
    old = question.old
    floor = world.policy.min_context
    return Case(
        name=question.source.name,
        uses=question.use.uses,
        capabilities=capabilities_to_keep(question.use, question.capabilities),
        firm=stated_needs(question.use),
        context=question.context,
        firm_context=question.context if question.context_source == GIVEN else floor.value if floor is not None else 0,
        context_source=question.context_source,
        asked_context=question.asked_context,
        gpu_share=old.unloaded.gpu_share if old is not None and old.unloaded.placement != "none" else None,
        prefer_quiet=world.thinking is None
        and question.use.uses[0] not in _WANTS_THINKING
        and not question.thought_before,
    )


def facts_of(candidate: Candidate, case: Case, reckoner: Reckoner, world: World) -> Facts:
    """Everything known about a candidate, the installed or published file before the recipe's word."""
    target, tag = candidate.target, candidate.tag
    assert target is not None
    here, remote = reckoner.here(candidate), reckoner.remote(candidate)
    if remote is not None:
        digest: str | None = remote.digest
    elif here is not None:
        digest = here.digest
    else:
        digest = _expected(candidate, (tag.digest if tag is not None else target.digest) or None, world)
    known = here.capabilities if here is not None and here.capabilities is not None else target.capabilities
    context = (here.context_length if here is not None else None) or (tag.context if tag else 0) or target.context
    return Facts(
        candidate=candidate,
        target=target,
        # what a template claims and the recipes deny is not a capability: both have to say so
        capabilities=frozenset(known).intersection(target.capabilities) if target.capabilities else frozenset(known),
        context=context,
        download=reckoner.download(candidate),
        digest=digest,
        min_ollama=(remote.requires if remote is not None and remote.requires else "") or target.min_ollama,
        here=here,
        remote=remote,
        ways=lambda: _ways(candidate, case, reckoner, context if "context" in candidate.accepted else 0),
    )


def _expected(candidate: Candidate, stated: str | None, world: World) -> str | None:
    """The digest that a pull has to bring: the locked one; else the catalogue's, in full where a pin gives that."""
    locked = world.library.locked.get(name_key(candidate.model))
    if locked is not None:
        return locked
    assert candidate.target is not None
    pin = world.policy.pin(candidate.model) or world.policy.pin(candidate.target.name)
    if pin is None:
        return stated
    pinned = pin.value.removeprefix("sha256:").lower()
    return pinned if stated is None or pinned.startswith(stated) else stated


def _ways(candidate: Candidate, case: Case, reckoner: Reckoner, most: int) -> Iterator[Way]:
    """As it will be asked for; where Ollama's default is another context, also with the one that is needed.

    most: tokens that the candidate holds and that are enough, 0 where all that are used have to find room.
    """
    needed = min(case.context, most or case.context)
    if case.asked_context is not None and needed < case.asked_context:
        asked = reckoner.target(candidate, needed, case.context_source)
        if asked is not None:
            yield Way(asked, asked.context)
        return
    asked = reckoner.target(candidate, case.asked_context, case.context_source)
    if asked is None:
        return
    if asked.context >= needed or case.asked_context is not None:
        yield Way(asked, None)
    if case.asked_context is None and asked.context != needed:
        pinned = reckoner.target(candidate, needed, case.context_source)
        if pinned is not None:
            yield Way(pinned, pinned.context)
