"""From a question to a decision: what is settled beforehand, and which candidate wins otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llamaexit.lineage import is_matter_of_policy
from llamaexit.planning.describe import describe_target, what_happens
from llamaexit.planning.facts import Case, Facts, World, case_of, facts_of
from llamaexit.planning.judge import best_way, judge
from llamaexit.planning.plan import Decision, Rejected, RejectedBecause
from llamaexit.planning.rebuild import rebuild_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llamaexit.planning.candidates import Candidate
    from llamaexit.planning.question import Question
    from llamaexit.planning.reckon import Reckoner
    from llamaexit.recipes.library import BoundRule

HUMAN_ONLY: dict[str, str] = {
    "embedding": "vectors of different models are not interchangeable: every stored vector has to be made anew",
    "guard": "a safety classifier has its own categories and answer format: what reads its answers has to change, too",
    "medical": "a general model is no validated substitute for a medical one",
}
"""Uses the tool never replaces by itself, and what a person has to decide."""
_ENOUGH_PROPOSALS = 3
MERELY_LOWER = "would do, too; the rules prefer the chosen one"
"""Why a target is not taken that nothing speaks against but its rank."""


def settled(question: Question) -> Decision | None:
    """The decision where there is nothing to choose: not Llama, not local, not ours to replace. Else None."""
    source, lineage = question.source, question.lineage
    if source.remote is not None:
        return _keep(question, f"runs on {source.remote}, not on this machine")
    if lineage.verdict == "not-meta":
        return _keep(question, f"not Llama: {_why(question)}")
    if source.problem is not None and lineage.verdict != "meta":
        return _blocked(question, f"cannot be read: {source.problem}", "pull it again, or remove it")
    if is_matter_of_policy(lineage):
        return _blocked(question, f"a question of policy: {_why(question)}", _either_way(question))
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
        return _blocked(
            question,
            f"not replaced automatically; {_request(by_hand)}",
            f"once that is settled, say --use {question.source.name}={question.use.uses[0]}",
        )
    if not question.candidates:
        return _blocked(
            question,
            f"no rule names a target for {', '.join(question.use.uses)}",
            "add one in a recipe (--recipe), or name another use with --use",
        )
    case = case_of(question, world)
    passed: list[Facts] = []
    rejected: list[Rejected] = []
    refused: dict[str, Facts] = {}
    for candidate in question.candidates:
        if passed and not everything and not (case.prefer_quiet and passed[0].loud):
            rejected.append(_unreckoned(candidate))
            continue
        if candidate.target is None:
            rejected.append(_rejected(candidate, "unknown-model", "no recipe describes it"))
            continue
        facts = facts_of(candidate, case, reckoner, world)
        against = judge(facts, case, world)
        if against is not None:
            rejected.append(against)
            refused[candidate.model] = facts
        else:
            passed.append(facts)
    if not passed:
        return _none_left(question, rejected, refused, world)
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
    return _replace(question, case, winner, world, rejected, derived, automatic=not by_hand)


def _why_lower(facts: Facts, winner: Facts, case: Case) -> str:
    if case.prefer_quiet and winner.loud and not facts.loud:
        if facts.candidate.named >= winner.candidate.named:
            stronger = winner.candidate.bound.recipe
            return f"would do, too, and does not think by default; but {stronger} comes first (--thinking avoid)"
        return "would do, too, and does not think by default; but no rule names it for this model (--thinking avoid)"
    return MERELY_LOWER


def _quietest(passed: Sequence[Facts]) -> Facts:
    """The first that does not think by default, unless only a weaker recipe or a rule for any model of such a size
    puts it forward: whoever named a model that thinks has not been asked about another one."""
    first = passed[0].candidate
    quiet = (
        facts
        for facts in passed
        if not facts.loud
        and facts.candidate.named >= first.named
        and facts.candidate.bound.precedence >= first.bound.precedence
    )
    return next(quiet, passed[0])


def _replace(
    question: Question,
    case: Case,
    winner: Facts,
    world: World,
    rejected: list[Rejected],
    derived: Sequence[str],
    *,
    automatic: bool,
) -> Decision:
    choice = describe_target(question, case, winner, best_way(winner, case, world), world)
    mine = question.facts.custom and question.facts.installed
    return Decision(
        action="replace",
        source=question.facts,
        use=question.use,
        reason=choice.why or f"first choice of rule {choice.rule}",
        target=choice,
        rejected=_by_rank(rejected),
        rebuild=rebuild_of(question.source, question.origin) if mine else None,
        happens=what_happens(question, choice, mine),
        derived=tuple(derived),
        automatic=automatic,
    )


_HINTS: dict[RejectedBecause, str] = {
    "thinking": "take it with --thinking allow",
    "ollama-version": "upgrade Ollama, then plan again",
    "disk": "free some disk, then plan again",
    "gpu-share": "a smaller --context, or a recipe that accepts less",
    "memory": "a smaller --context, or a smaller target in a recipe",
    "context": "if {holds} tokens are enough, say --context {holds}",
    "policy": "the recipe that denies it would have to change, or to make an exception",
    "licence": "the recipe that denies it would have to change",
    "download": "the recipe that limits downloads would have to change",
}
"""What to do about each kind of reason, the least effort first."""


def _none_left(question: Question, rejected: list[Rejected], refused: dict[str, Facts], world: World) -> Decision:
    """Blocked, with the nearest miss: what takes the least effort, and of those what falls short the least."""
    effort = {because: number for number, because in enumerate(_HINTS)}
    nearest = min(
        rejected, key=lambda r: (effort.get(r.because, len(effort)), _falls_short(r, refused.get(r.model)), r.rank)
    )
    hint = _HINTS.get(nearest.because, f"see why with --explain {question.source.name}")
    if nearest.because == "context":
        holds, floor = refused[nearest.model].context, world.policy.min_context
        hint = hint.format(holds=holds)
        if floor is not None and floor.value > holds:
            hint = f"the recipe that asks for {floor.value} tokens ({floor.recipe}) would have to change"
    if nearest.because == "pin" and not nearest.policy:
        hint = "llamaexit recipe update shows what else has changed, and locks the build that is there now"
    decision = _blocked(question, f"no target passes; {_what_is_against(rejected, nearest)}", hint)
    return replace(decision, rejected=_by_rank(rejected), proposals=())


def _what_is_against(rejected: Sequence[Rejected], nearest: Rejected) -> str:
    """The nearest miss; where it is one and the same for all of several, that."""
    if len(rejected) > 1 and all(one.text == nearest.text for one in rejected):
        return f"all {len(rejected)} for one reason: {nearest.text}"
    return f"nearest: {nearest.model}: {nearest.text}"


def _falls_short(rejected: Rejected, facts: Facts | None) -> int:
    """What tells misses of one kind apart: the context where that is too short, else the size of the model."""
    if facts is None:
        return 0
    return -facts.context if rejected.because == "context" else facts.download.size


def _by_rank(rejected: Iterable[Rejected]) -> tuple[Rejected, ...]:
    return tuple(sorted(rejected, key=lambda one: one.rank))


def _rejected(candidate: Candidate, because: RejectedBecause, text: str) -> Rejected:
    return Rejected(candidate.model, because, text, candidate.bound.key, candidate.rank)


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


def _either_way(question: Question) -> str:
    """The answers to a question of policy. Who wants to leave has to name the use, too, where a rule wants a person."""
    name, use = question.source.name, question.use
    leave = f"--lineage {name}=meta"
    if use.source != "given" and any(not bound.rule.automatic for bound in question.rules):
        leave += f" --use {name}={use.uses[0]}"
    return f"to leave it, say {leave}; to keep it, --lineage {name}=not-meta"


def _person(question: Question) -> str:
    steps = []
    if by_hand := [bound for bound in question.rules if bound.rule.decide]:
        steps.append(_request(by_hand))
    if names := [candidate.model for candidate in question.candidates[:_ENOUGH_PROPOSALS]]:
        steps.append(f"nearest: {', '.join(names)}")
    steps.append(f"if it serves something else here, say --use {question.source.name}=USE")
    return "; ".join(steps)


def _request(by_hand: Sequence[BoundRule]) -> str:
    """What the first of the rules asks of a person, as half a sentence."""
    text = by_hand[0].rule.decide.rstrip(".")
    return text[:1].lower() + text[1:]


def _why(question: Question) -> str:
    evidence = question.lineage.evidence
    return evidence[0].text if evidence else "nothing is known about it"
