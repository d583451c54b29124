"""What a source is used for, and how we know. Given beats recipe, recipe beats catalogue, catalogue beats guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.planning.parameters import parameters_of
from llamaexit.planning.plan import UseDecision
from llamaexit.recipes.names import name_key
from llamaexit.recipes.needs import NEEDS as NEEDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llamaexit.planning.options import PlanOptions
    from llamaexit.planning.rules import RuleBook
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Origin, Use
    from llamaexit.snapshot import InstalledModel

_BY_CAPABILITY: tuple[tuple[str, Use], ...] = (
    ("embedding", "embedding"),
    ("vision", "vision"),
    ("insert", "fim"),
    ("thinking", "reasoning"),
)


def decide_use(
    model: InstalledModel,
    origin: Origin | None,
    names: Sequence[str],
    library: Library,
    book: RuleBook,
    options: PlanOptions,
) -> UseDecision:
    """The uses to plan a model for, the most important one first. `names`: what rules know it by, its own first."""
    key = name_key(model.name)
    given = next((uses for name, uses in options.uses.items() if name_key(name) == key), ())
    if given:
        return UseDecision(given, "given", "given by you")
    generation = model.lineage.generation if model.lineage is not None else None
    team = book.naming(model.name, generation, parameters_of(model, origin))
    if team:
        uses = tuple(dict.fromkeys(bound.rule.use for bound in team))
        return UseDecision(uses, "recipe", f"from recipe {team[0].recipe}")
    known = set(model.capabilities or ())
    for capability, use in _BY_CAPABILITY[:1]:
        if capability in known:
            return UseDecision((use,), "assumed", f"assumed: Ollama lists it with the capability {capability}")
    own = library.uses(model.name) if model.name in names else ()
    if own:
        return UseDecision(own, "catalogue", "what it is mostly used for")
    if origin is not None and origin.uses:
        return UseDecision(origin.uses, "catalogue", f"what {origin.name} is mostly used for")
    for capability, use in _BY_CAPABILITY:
        if capability in known:
            return UseDecision((use,), "assumed", f"assumed: Ollama lists it with the capability {capability}")
    return UseDecision(("chat",), "assumed", "assumed: nothing says what it is used for")


def stated_needs(decision: UseDecision) -> frozenset[str]:
    """Capabilities that no recipe may accept to lose: somebody stated the use, or nothing is left to use without."""
    needs = [NEEDS.get(use, frozenset()) for use in decision.uses]
    if decision.source in ("given", "recipe"):
        return frozenset().union(*needs)
    return needs[0].intersection(*needs[1:]) if needs else frozenset()


def capabilities_to_keep(decision: UseDecision, old: frozenset[str] | None) -> frozenset[str]:
    """Capabilities a target must have: those the uses imply and, unless the uses were given, those of the old model."""
    needed = frozenset().union(*(NEEDS.get(use, frozenset()) for use in decision.uses))
    if decision.source == "given" or old is None:
        return needed
    return needed | (old & {"tools", "vision", "embedding", "audio"})
