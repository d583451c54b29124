"""What to put to the tests where no plan is at hand: one installed model, beside another one or alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.errors import UsageError
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.reckon import Reckoner
from llamaexit.planning.rules import RuleBook
from llamaexit.planning.uses import decide_use
from llamaexit.recipes.names import name_key
from llamaexit.smoke.model import Subject

if TYPE_CHECKING:
    from llamaexit.memory import Estimate
    from llamaexit.planning.plan import UseDecision
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import SmokeCheck, Use
    from llamaexit.snapshot import InstalledModel, Snapshot

_FALLBACK_CONTEXT = 4096
"""Tokens to test with where nothing tells how many there will be: Ollama's own smallest default."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Who is tested, against whom, for what. `own`: questions that recipes in force ask of the new model."""

    new: Subject
    old: Subject | None
    use: UseDecision
    own: tuple[SmokeCheck, ...]


def trial(
    snapshot: Snapshot, library: Library, target: str, against: str | None, uses: tuple[Use, ...], context: int | None
) -> Trial:
    """The test of an installed model.

    uses: what it is to serve; empty for what the model it is held against serves, or it does itself. context: tokens;
    None for what Ollama will give it. Raises UsageError for a model that is not here, or does not run here.
    """
    new = _installed(snapshot, target)
    old = _installed(snapshot, against) if against is not None else None
    use = _use(old or new, library, uses)
    reckoner = Reckoner(snapshot, {}, {}, {}, {})
    fit = _estimate(new, library, reckoner, context)
    tokens = context or (fit.context if fit is not None else _FALLBACK_CONTEXT)
    version = snapshot.ollama.version
    beside = None
    if old is not None:
        longest = min(tokens, old.context_length or tokens)
        beside = _subject(old, use, longest, _estimate(old, library, reckoner, longest), library, version)
    return Trial(_subject(new, use, tokens, fit, library, version), beside, use, _own(library, new.name, use.uses))


def _installed(snapshot: Snapshot, name: str) -> InstalledModel:
    found = next((model for model in snapshot.models if name_key(model.name) == name_key(name)), None)
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(name_key(name), [model.name for model in snapshot.models], n=1)
        hint = f"did you mean {near[0]}?" if near else f"ollama pull {name}"
        raise UsageError(f"{name} is not installed here", hint=hint)
    if found.remote is not None:
        raise UsageError(f"{found.name} runs at {found.remote}, not here: nothing is sent there")
    if found.problem is not None:
        raise UsageError(f"{found.name} cannot be tested: {found.problem}")
    return found


def _use(model: InstalledModel, library: Library, uses: tuple[Use, ...]) -> UseDecision:
    options = PlanOptions(uses={model.name: uses} if uses else {})
    known = library.origin_tag(model.name)
    return decide_use(
        model, known[0] if known else None, [model.name], library, RuleBook(library.rule_heads), options
    )  # fmt: skip


def _estimate(model: InstalledModel, library: Library, reckoner: Reckoner, context: int | None) -> Estimate | None:
    origin, tag = library.origin_tag(model.name) or (None, None)
    return reckoner.source(model, origin, tag, context)


def _subject(
    model: InstalledModel,
    use: UseDecision,
    context: int,
    fit: Estimate | None,
    library: Library,
    version: str | None,
) -> Subject:
    known = library.target(model.name)
    thinks = known[0].thinking.default if known is not None else None
    if thinks is None and model.capabilities is not None:
        thinks = "thinking" in model.capabilities
    return Subject(
        name=model.name,
        digest=model.digest,
        uses=use.uses,
        capabilities=model.capabilities,
        context=context,
        thinks=thinks,
        ollama_version=version,
        architecture=str(model.metadata.get("general.architecture", "")),
        gpu_share=fit.unloaded.gpu_share if fit is not None else None,
        system=model.system,
    )


def _own(library: Library, model: str, uses: tuple[Use, ...]) -> tuple[SmokeCheck, ...]:
    """What rules for these uses ask of a model they name, each question once."""
    found: dict[str, SmokeCheck] = {}
    for bound in library.rules:
        rule = bound.rule
        if (
            rule.smoke
            and rule.use in uses
            and any(name_key(choice.model) == name_key(model) for choice in rule.targets)
        ):
            found.update({check.id: check for check in rule.smoke if check.id not in found})
    return tuple(found.values())
