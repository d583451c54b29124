"""From a question to a decision: what is settled beforehand, and which candidate wins otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llamaexit.ollama.version import at_least
from llamaexit.planning.caveats import Switch, relevant_caveats
from llamaexit.planning.judge import Case, Facts, World, best_fit, judge
from llamaexit.planning.plan import (
    Decision,
    Figures,
    LicenceChange,
    Rejected,
    RejectedBecause,
    TargetChoice,
    Thinking,
    Version,
)
from llamaexit.planning.question import parameters_of
from llamaexit.planning.rebuild import rebuild_of
from llamaexit.planning.uses import capabilities_to_keep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llamaexit.memory import Estimate
    from llamaexit.planning.candidates import Candidate
    from llamaexit.planning.question import Question
    from llamaexit.planning.reckon import Reckoner
    from llamaexit.recipes import model as recipe
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Licence, Use

HUMAN_ONLY: dict[str, str] = {
    "embedding": "vectors of different models are not interchangeable: every stored vector has to be made anew",
    "guard": "a safety classifier has its own categories and answer format: what reads its answers has to change, too",
    "medical": "a general model is no validated substitute for a medical one",
}
"""Uses the tool never replaces by itself, and what a person has to decide."""
_WANTS_THINKING = frozenset({"reasoning", "math"})
_ENOUGH_PROPOSALS = 3


def settled(question: Question) -> Decision | None:
    """The decision where there is nothing to choose: not Llama, not local, not ours to replace. Else None."""
    source, lineage = question.source, question.lineage
    if source.remote is not None:
        return _keep(question, f"runs on {source.remote}, not on this machine")
    if lineage.verdict == "not-meta":
        return _keep(question, f"not Llama: {_why(question)}")
    if source.problem is not None and lineage.verdict != "meta":
        return _blocked(question, f"cannot be read: {source.problem}", "pull it again, or remove it")
    if lineage.verdict == "unknown":
        return _blocked(
            question,
            f"cannot tell whether it is Llama: {_why(question)}",
            f"answer with --lineage {source.name}=meta or --lineage {source.name}=not-meta",
        )
    if source.adapter:
        return _blocked(
            question,
            "carries an adapter trained on Llama weights, which cannot move to another base",
            "train the adapter again on the new base, or plan for the base without it",
        )
    for use in question.use.uses:
        if use in HUMAN_ONLY:
            return _blocked(question, f"never replaced automatically ({use}): {HUMAN_ONLY[use]}", _person(question))
    return None


def choose(
    question: Question, world: World, reckoner: Reckoner, derived: Sequence[str], *, everything: bool
) -> Decision:
    """The best candidate that passes every check, or why there is none."""
    by_hand = [bound for bound in question.rules if not bound.rule.automatic]
    if by_hand and question.use.source != "given":
        rule = by_hand[0].rule
        return _blocked(
            question,
            f"a person has to decide: {rule.decide or 'this switch is not automatic'}",
            f"if that is settled: --use {question.source.name}={question.use.uses[0]}",
        )
    if not question.candidates:
        return _blocked(
            question,
            f"no rule names a target for {', '.join(question.use.uses)}",
            "add one in a recipe (--recipe), or name another use with --use",
        )
    case = _case(question, world)
    passed: list[Facts] = []
    rejected: list[Rejected] = []
    sizes: dict[str, int] = {}
    for candidate in question.candidates:
        if passed and not everything and not (case.prefer_quiet and _loud(passed[0])):
            rejected.append(_unreckoned(candidate))
            continue
        if candidate.target is None:
            rejected.append(_rejected(candidate, "unknown-model", "no recipe describes it"))
            continue
        facts = _facts(candidate, case, reckoner, world)
        against = judge(facts, case, world)
        if against is not None:
            rejected.append(against)
            sizes[candidate.model] = facts.download.size
        else:
            passed.append(facts)
    if not passed:
        return _none_left(question, rejected, sizes)
    winner = _quietest(passed) if case.prefer_quiet else passed[0]
    for facts in passed:
        if facts is winner:
            continue
        if facts.candidate.rank < winner.candidate.rank:
            text = (
                "thinks by default: clients that do not send think=false get slow or empty answers "
                "(take it with --thinking allow)"
            )
            rejected.append(_rejected(facts.candidate, "thinking", text))
        else:
            rejected.append(_rejected(facts.candidate, "ranked-lower", _why_lower(facts, winner, case)))
    rejected.sort(key=lambda r: r.rank)
    return _replace(question, case, winner, world, tuple(rejected), derived, automatic=not by_hand)


def _why_lower(facts: Facts, winner: Facts, case: Case) -> str:
    if case.prefer_quiet and _loud(winner) and not _loud(facts):
        return "would do, too, and does not think by default; but no rule names it for this model (--thinking avoid)"
    return "would do, too; the rules prefer the chosen one"


def _case(question: Question, world: World) -> Case:
    old = question.source.capabilities
    keep = capabilities_to_keep(question.use, frozenset(old) if old is not None else None)
    wants_thinking = bool(_WANTS_THINKING.intersection(question.use.uses)) and question.use.uses[0] in _WANTS_THINKING
    thought_before = old is not None and "thinking" in old
    return Case(
        name=question.source.name,
        uses=question.use.uses,
        capabilities=keep,
        context=question.context,
        context_source=question.context_source,
        asked_context=question.asked_context,
        gpu_share=question.old.unloaded.gpu_share
        if question.old and question.old.unloaded.placement != "none"
        else None,
        prefer_quiet=world.thinking is None and not wants_thinking and not thought_before,
    )


def _facts(candidate: Candidate, case: Case, reckoner: Reckoner, world: World) -> Facts:
    target, tag = candidate.target, candidate.tag
    assert target is not None
    here, remote = reckoner.here(candidate), reckoner.remote(candidate)
    digest = (
        remote.digest
        if remote is not None
        else here.digest
        if here is not None
        else (tag.digest if tag is not None else target.digest) or None
    )
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
        fits=lambda: _ways_to_run(candidate, case, reckoner),
    )


def _quietest(passed: Sequence[Facts]) -> Facts:
    """The first that does not think by default, unless only a rule for any model of such a size puts it forward."""
    first = passed[0]
    quiet = (f for f in passed if not _loud(f) and f.candidate.named >= first.candidate.named)
    return next(quiet, first)


def _ways_to_run(candidate: Candidate, case: Case, reckoner: Reckoner) -> Iterator[Estimate]:
    """As it will be asked for; then, where Ollama's default is another context, with the one that is needed."""
    asked = reckoner.target(candidate, case.asked_context, case.context_source)
    if asked is None:
        return
    if asked.context >= case.context:
        yield asked
    if asked.context != case.context:
        pinned = reckoner.target(candidate, case.context, case.context_source)
        if pinned is not None:
            yield pinned


def _loud(facts: Facts) -> bool:
    return facts.target.thinking.default is not False and bool(facts.target.thinking.supported)


def _replace(
    question: Question,
    case: Case,
    winner: Facts,
    world: World,
    rejected: tuple[Rejected, ...],
    derived: Sequence[str],
    *,
    automatic: bool,
) -> Decision:
    source, candidate = question.source, winner.candidate
    target, rule = winner.target, candidate.bound.rule
    estimate = best_fit(winner, case, world)
    share = estimate.unloaded.gpu_share if estimate is not None else None
    pinned = estimate is not None and case.asked_context is None and estimate is not next(iter(winner.fits()))
    switch = Switch(
        source=source,
        old_context=question.facts.context,
        old_parameters=parameters_of(source, question.origin),
        uses=question.use.uses,
        facts=winner,
        ollama_version=world.ollama_version,
        gpu_share=share,
        set_context=estimate.context if estimate is not None and pinned else None,
    )
    notes = relevant_caveats(switch, [*candidate.choice.caveats, *rule.caveats], world.library)
    choice = TargetChoice(
        model=candidate.model,
        digest=winner.digest,
        rule=rule.id,
        recipe=candidate.bound.recipe,
        role=candidate.choice.role,
        why=candidate.choice.why,
        uses=question.use.uses,
        fit=estimate,
        download=winner.download,
        licence=licence_change(question.facts.licence, target.licence, world.library),
        version=Version(
            winner.min_ollama or None,
            world.ollama_version,
            at_least(world.ollama_version, winner.min_ollama),
        ),
        thinking=Thinking(
            supported=target.thinking.supported,
            default=target.thinking.default,
            can_disable=target.thinking.can_disable,
            how=target.thinking.how,
        ),
        capabilities=tuple(sorted(winner.capabilities)),
        context=winner.context,
        set_context=switch.set_context,
        installed=winner.here is not None,
        caveats=notes,
        evidence=traced(candidate.choice.evidence, world.library),
        counter_evidence=traced(rule.counter_evidence, world.library),
        confidence=candidate.choice.confidence,
        unverified=_unverified(target.unverified, question.use.uses, bool(candidate.choice.evidence)),
    )
    rebuild = rebuild_of(source, question.origin) if question.facts.custom and question.facts.installed else None
    return Decision(
        action="replace",
        source=question.facts,
        use=question.use,
        reason=candidate.choice.why or f"first choice of rule {rule.id}",
        target=choice,
        rejected=rejected,
        rebuild=rebuild,
        happens=_happens(question, choice, rebuild is not None),
        derived=tuple(derived),
        automatic=automatic,
    )


def _happens(question: Question, target: TargetChoice, rebuilt: bool) -> tuple[str, ...]:
    """What applying does to names: library names never change by default, the user's own names do."""
    name = question.source.name
    steps = [] if target.installed else [f"{target.model} is pulled"]
    steps.append(
        f"{target.model} is tested against {name}" if question.facts.installed else f"{target.model} is tested"
    )
    if rebuilt:
        steps.append(
            f"{name} is built again under its own name on {target.model}; the old one is kept under a backup name"
        )
    elif question.facts.installed:
        steps.append(f"{name} stays as it is, {target.model} is there beside it; point your clients at {target.model}")
    return tuple(steps)


def _unverified(groups: Sequence[str], uses: Sequence[Use], compared: bool) -> tuple[str, ...]:
    """Groups of facts about the target without a source, as far as they matter here."""
    beside_the_point = set() if "fim" in uses else {"fim"}
    if compared:
        beside_the_point.add("scores")
    return tuple(group for group in groups if group not in beside_the_point)


def licence_change(old: str, new: str, library: Library) -> LicenceChange:
    """Old and new licence in plain words."""
    before, after = library.licence(old), library.licence(new)
    words = [
        f"{before.name} ({_plainly(before)})" if before else old or "licence not known",
        f"{after.name} ({_plainly(after)})" if after else new or "licence not known: look before you rely on it",
    ]
    brief = [_briefly(before, old), _briefly(after, new)]
    if old == new:
        words, brief = words[:1], brief[:1]
    return LicenceChange(old, new, " → ".join(words), " → ".join(brief))


def _briefly(licence: Licence | None, licence_id: str) -> str:
    if licence is None:
        return licence_id or "licence not known"
    terms = "open source" if licence.open_source else "not open source"
    return f"{licence.name} ({terms}{'' if licence.commercial else ', no commercial use'})"


def _plainly(licence: Licence) -> str:
    """The summary of a licence in the middle of a sentence."""
    return licence.summary[:1].lower() + licence.summary[1:].rstrip(".")


def traced(figures: Sequence[recipe.Figures], library: Library) -> tuple[Figures, ...]:
    """Figures with their source in words, since a plan is read without the recipes beside it."""
    return tuple(
        Figures(
            benchmark=figure.benchmark,
            old_model=figure.old_model,
            old=figure.old,
            new_model=figure.new_model,
            new=figure.new,
            favours=figure.favours,
            setting=figure.setting,
            note=figure.note,
            kind=figure.kind,
            source=_in_words(figure.source, library),
        )
        for figure in figures
    )


def _in_words(source_id: str, library: Library) -> str:
    source = library.source(source_id)
    if source is None:
        return source_id
    return f"{source.what}, {source.date}" if source.date else source.what


_HINTS: dict[RejectedBecause, str] = {
    "thinking": "take it with --thinking allow",
    "ollama-version": "upgrade Ollama, then plan again",
    "disk": "free some disk, then plan again",
    "gpu-share": "a smaller --context, or a recipe that accepts less",
    "memory": "a smaller --context, or a smaller target in a recipe",
    "policy": "the recipe that denies it would have to change",
    "licence": "the recipe that denies it would have to change",
    "download": "the recipe that limits downloads would have to change",
}
"""What to do about each kind of reason, the least effort first."""


def _none_left(question: Question, rejected: list[Rejected], sizes: dict[str, int]) -> Decision:
    """Blocked, with the nearest miss: what takes the least effort, and of those the smallest."""
    effort = {because: number for number, because in enumerate(_HINTS)}
    nearest = min(rejected, key=lambda r: (effort.get(r.because, len(effort)), sizes.get(r.model, 0), r.rank))
    decision = _blocked(
        question,
        f"no target passes; nearest: {nearest.model}: {nearest.text}",
        _HINTS.get(nearest.because, f"see why with --explain {question.source.name}"),
    )
    return _with_rejected(decision, rejected)


def _with_rejected(decision: Decision, rejected: Sequence[Rejected]) -> Decision:
    return replace(decision, rejected=tuple(sorted(rejected, key=lambda r: r.rank)))


def _rejected(candidate: Candidate, because: str, text: str) -> Rejected:
    return Rejected(candidate.model, because, text, candidate.bound.rule.id, candidate.rank)  # type: ignore[arg-type]


def _unreckoned(candidate: Candidate) -> Rejected:
    return _rejected(candidate, "ranked-lower", "not looked at: a better-ranked target passes")


def _keep(question: Question, reason: str) -> Decision:
    return Decision("keep", question.facts, question.use, reason)


def _blocked(question: Question, reason: str, hint: str | None) -> Decision:
    proposals = tuple(c.model for c in question.candidates if c.target is not None and c.target.local)
    return Decision(
        "blocked",
        question.facts,
        question.use,
        reason,
        hint,
        proposals=proposals[:_ENOUGH_PROPOSALS],
        automatic=False,
    )


def _person(question: Question) -> str:
    names = [c.model for c in question.candidates[:_ENOUGH_PROPOSALS]]
    nearest = f"nearest: {', '.join(names)}; " if names else ""
    return f"{nearest}if it serves something else here, say --use {question.source.name}=USE"


def _why(question: Question) -> str:
    evidence = question.lineage.evidence
    return evidence[0].text if evidence else "nothing is known about it"
