"""The chosen target in full: everything a reader of the plan is told about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.ollama.version import at_least
from llamaexit.planning.caveats import Switch, relevant_caveats
from llamaexit.planning.parameters import parameters_of
from llamaexit.planning.plan import Figures, LicenceChange, TargetChoice, Thinking, Version
from llamaexit.recipes.needs import NEEDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llamaexit.planning.facts import Case, Facts, Way, World
    from llamaexit.planning.question import Question
    from llamaexit.recipes import model as recipe
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Licence, Use


def describe_target(question: Question, case: Case, winner: Facts, way: Way | None, world: World) -> TargetChoice:
    """The winner as the plan shows it; `way` is how it will run, None when its size is not known."""
    source, candidate, target = question.source, winner.candidate, winner.target
    rule, thinking = candidate.bound.rule, target.thinking
    lacks = winner.lacks(case)
    uses = tuple(use for use in question.use.uses if NEEDS.get(use, frozenset()).isdisjoint(lacks))
    switch = Switch(
        source=source,
        old_context=question.facts.context,
        old_parameters=parameters_of(source, question.origin),
        uses=uses,
        facts=winner,
        ollama_version=world.ollama_version,
        gpu_share=way.estimate.unloaded.gpu_share if way is not None else None,
        thought_before=question.thought_before,
        set_context=way.set_context if way is not None else None,
        lost=_lost(winner, case, lacks),
        shorter=winner.too_short(case),
        exemption=world.policy.exemption(target, (candidate.model, target.name)),
    )
    return TargetChoice(
        model=candidate.model,
        digest=winner.digest,
        rule=candidate.bound.key,
        recipe=candidate.bound.recipe,
        role=candidate.choice.role,
        why=candidate.choice.why,
        uses=uses,
        fit=way.estimate if way is not None else None,
        download=winner.download,
        licence=licence_change(question.facts.licence, target.licence, world.library),
        version=Version(
            needed=winner.min_ollama or None,
            present=world.ollama_version,
            enough=at_least(world.ollama_version, winner.min_ollama),
        ),
        thinking=Thinking(thinking.supported, thinking.default, thinking.can_disable, thinking.how),
        capabilities=tuple(sorted(winner.capabilities)),
        context=winner.context,
        set_context=switch.set_context,
        installed=winner.here is not None,
        caveats=relevant_caveats(switch, [*candidate.choice.caveats, *rule.caveats], world.library),
        evidence=traced(candidate.choice.evidence, world.library),
        counter_evidence=traced(rule.counter_evidence, world.library),
        confidence=candidate.choice.confidence,
        unverified=_unverified(target.unverified, question.use.uses, bool(candidate.choice.evidence)),
        smoke=rule.smoke,
    )


def _lost(winner: Facts, case: Case, lacks: Sequence[str]) -> tuple[str, ...]:
    words = [f"no {capability}" for capability in lacks]
    if winner.too_short(case):
        words.append(f"{winner.context} tokens of context, {case.context} are used")
    return tuple(words)


def what_happens(question: Question, target: TargetChoice, rebuilt: bool) -> tuple[str, ...]:
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
