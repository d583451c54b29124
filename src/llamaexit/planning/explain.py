"""What recipes alone say about a model: which rule wins, which lose and to whom, what the policy cuts. Pure.

The decision is that of the planner, made for a machine on which everything fits. So it never departs from what a plan
does, except for memory, disk and the version of Ollama, which no recipe decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from llamaexit.planning.options import PlanOptions
from llamaexit.planning.parameters import parameters_of
from llamaexit.planning.planner import Planner
from llamaexit.planning.question import ask
from llamaexit.planning.reckon import Reckoner
from llamaexit.planning.rules import RuleBook
from llamaexit.planning.sources import select
from llamaexit.recipes.library import head_of
from llamaexit.recipes.names import is_pattern, name_key, nearly_called
from llamaexit.snapshot import Cpu, Gpu, Machine, OllamaFacts, Ram, Setting, Snapshot, System

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llamaexit.planning.plan import Asked, Decision, RejectedBecause
    from llamaexit.planning.question import Question
    from llamaexit.recipes.library import BoundRule, Library, LoadedRecipe, Overruled
    from llamaexit.recipes.model import Rule, Use

_BOUNDLESS = 1 << 50
"""Bytes of memory in which every model fits."""
_CONTEXT = "4096"
"""Tokens, as Ollama gives them on a small machine: what recipes ask for on top is up to them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target a rule puts forward, and what came of it.

    because: why it is not taken; `chosen`, `earlier` (a stronger rule has put it forward), `open` (nothing was
    chosen). policy: the key of the policy that cuts it.
    """

    model: str
    role: str
    because: RejectedBecause | Literal["chosen", "earlier", "open"]
    text: str
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule that is about the model, how it comes to be, and its targets in order."""

    bound: BoundRule
    how: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """One key of the policy in force: its value in words, and where it is decided.

    cuts: the targets it is against, whatever else is against them. passes: those that only an exception lets pass.
    """

    key: str
    words: str
    recipe: str
    file: str
    line: int | None
    cuts: tuple[str, ...]
    passes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything recipes say about a model. rules and overruled: the strongest first.

    asked: what is answered about a model that cannot be run here; there is nothing else to say then. assumed: nobody
    knows whether the model is Llama, and this is what holds if it is. near: a known model that is probably meant then.
    recipes: those that are not built in, the strongest first.
    """

    model: str
    decision: Decision | None
    asked: Asked | None
    rules: tuple[Applied, ...]
    overruled: tuple[Overruled, ...]
    policy: tuple[PolicyKey, ...]
    recipes: tuple[LoadedRecipe, ...]
    assumed: bool = False
    near: str | None = None


def explain(library: Library, model: str, uses: tuple[Use, ...] = ()) -> Explanation:
    """What the recipes of a library say about a model, by its name. Raises UsageError for what is no name."""
    planner = Planner(library)
    snapshot = boundless()
    options = PlanOptions(models=(model,), uses={model: uses} if uses else {}, everything=True)
    recipes = tuple(recipe for recipe in reversed(library.loaded) if not recipe.builtin)
    plan = planner.plan(snapshot, options)
    if plan.asked:
        (asked,) = plan.asked
        return Explanation(model, None, asked, (), (), _policy(library, (), ()), recipes)
    (decision,) = plan.decisions
    assumed = decision.source.lineage.verdict == "unknown"
    if assumed:
        options = replace(options, lineage={model: "meta"})
        (decision,) = planner.plan(snapshot, options).decisions
    (source,) = select(snapshot, library, options).sources
    question = ask(source, library, planner.book, Reckoner(snapshot, {}, {}, {}, {}), options)
    return Explanation(
        decision.source.model,
        decision,
        None,
        tuple(_applied(question, decision)),
        _overruled(library, question),
        _policy(library, _cut(question, decision, library), _passing(question, library)),
        recipes,
        assumed,
        _near(decision.source.model, library) if assumed else None,
    )


def _near(model: str, library: Library) -> str | None:
    """A model the recipes know that is nearly called so."""
    key = name_key(model)
    tag = key.rpartition(":")[2]
    names = (name for origin in library.origins for name in (origin.name, *origin.also))
    return nearly_called(key, [name for name in names if name.rpartition(":")[2] == tag])


def boundless() -> Snapshot:
    """A machine on which every model fits, with an Ollama that is as new as anybody may want."""
    gpu = Gpu(0, "nvidia", "any", "discrete", _BOUNDLESS, _BOUNDLESS, compute_capability="9.0")
    machine = Machine(System("linux"), Cpu(None, None, None), Ram(_BOUNDLESS, _BOUNDLESS), (gpu,))
    return Snapshot(machine, OllamaFacts("none", settings={"OLLAMA_CONTEXT_LENGTH": Setting(_CONTEXT, "assumed")}))


def matched_by(rule: Rule, names: Sequence[str]) -> str:
    """Why a rule is about a source known by these names, in words."""
    for name in names:
        if any(not is_pattern(text) and name_key(text) == name_key(name) for text in rule.match):
            return f"names {name}"
    patterns = [text for text in rule.match if is_pattern(text)]
    if patterns:
        return f"{' or '.join(patterns)} means {names[0]}"
    return f"is for {kind_in_words(rule.generation, rule.min_parameters, rule.max_parameters)}"


def kind_in_words(generation: tuple[str, ...], low: float, high: float) -> str:
    """What kind of source a rule is for that names none."""
    kind = f"every {' or '.join(generation)}" if generation else "every Llama model"
    if low and high:
        return f"{kind} from {low:g} to {high:g} billion parameters"
    if low or high:
        return f"{kind} from {low:g} billion parameters" if low else f"{kind} below {high:g} billion parameters"
    return kind


def _applied(question: Question, decision: Decision) -> Iterable[Applied]:
    rejected = {name_key(one.model): one for one in decision.rejected}
    winner = name_key(decision.target.model) if decision.target is not None else None
    met: set[str] = set()
    for bound in question.rules:
        candidates = []
        for choice in bound.rule.targets:
            key = name_key(choice.model)
            against = rejected.get(key)
            if key in met:
                candidates.append(
                    Candidate(choice.model, choice.role, "earlier", "a stronger rule has named it already")
                )
            elif key == winner:
                candidates.append(Candidate(choice.model, choice.role, "chosen", choice.why))
            elif against is not None:
                text = against.text
                candidates.append(Candidate(choice.model, choice.role, against.because, text, against.policy))
            else:
                candidates.append(Candidate(choice.model, choice.role, "open", "not judged"))
            met.add(key)
        yield Applied(bound, matched_by(bound.rule, question.names), tuple(candidates))


def _overruled(library: Library, question: Question) -> tuple[Overruled, ...]:
    """The rules that would be about the source if no recipe kept them out."""
    lost = library.overruled()
    # two of them may have one key, and each is to be told
    book = RuleBook(head_of(one.bound, str(number)) for number, one in enumerate(lost))
    generation, parameters = question.lineage.generation, parameters_of(question.source, question.origin)
    uses = question.use.uses
    about = {id(bound) for use in uses for bound in book.matching(question.names, use, generation, parameters)}
    return tuple(one for one in lost if id(one.bound) in about)


def _cut(question: Question, decision: Decision, library: Library) -> tuple[tuple[str, str], ...]:
    """Targets with the key of the policy that is against them; also where something else is, which is told first."""
    cut = dict.fromkeys((one.model, one.policy) for one in decision.rejected if one.policy)
    for one in question.candidates:
        if one.target is not None:
            refusal = library.policy.refusal(one.target, (one.model, one.target.name), library.licence)
            cut.update({(one.model, refusal.key): None} if refusal is not None else {})
    return tuple(cut)


def _passing(question: Question, library: Library) -> tuple[str, ...]:
    """The targets that would be denied but for an exception."""
    return tuple(
        one.model
        for one in question.candidates
        if one.target is not None and library.policy.exemption(one.target, (one.model, one.target.name)) is not None
    )


def _policy(library: Library, cut: Iterable[tuple[str, str]], passing: tuple[str, ...]) -> tuple[PolicyKey, ...]:
    keys = []
    for key, (words, recipe) in library.policy.each_in_words().items():
        file, line = library.policy_place(key) or ("", None)
        cuts = tuple(model for model, by in cut if by == key)
        keys.append(PolicyKey(key, words, recipe, file, line, cuts, passing if key == "exceptions" else ()))
    return tuple(keys)
