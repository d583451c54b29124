"""One source and everything its decision depends on: what it is, what it serves, who could take over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.planning.candidates import Candidate, gather
from llamaexit.planning.parameters import parameters_of
from llamaexit.planning.plan import SourceFacts, UseDecision
from llamaexit.planning.rebuild import is_custom
from llamaexit.planning.uses import decide_use
from llamaexit.snapshot import Lineage

if TYPE_CHECKING:
    from llamaexit.memory import Estimate
    from llamaexit.planning.options import PlanOptions
    from llamaexit.planning.reckon import Reckoner
    from llamaexit.planning.rules import RuleBook
    from llamaexit.recipes.library import BoundRule, Library
    from llamaexit.recipes.model import Origin, Tag
    from llamaexit.snapshot import InstalledModel

_FALLBACK_CONTEXT = 4096
GIVEN = "given with --context"


@dataclass(frozen=True, slots=True)
class Question:
    """A source with its candidates.

    names: what rules know it by, the best name first.
    context: tokens that are really used, and that a target must hold; context_source says whose choice that is.
    asked_context: tokens a target will be asked for, None where Ollama's default decides.
    """

    source: InstalledModel
    lineage: Lineage
    origin: Origin | None
    names: tuple[str, ...]
    use: UseDecision
    candidates: list[Candidate]
    rules: list[BoundRule]
    old: Estimate | None
    context: int
    context_source: str
    asked_context: int | None
    facts: SourceFacts

    @property
    def capabilities(self) -> frozenset[str] | None:
        """What the old model can do, by Ollama or, before 0.6.4, by its record; None when nobody knows."""
        if self.source.capabilities is not None:
            return frozenset(self.source.capabilities)
        return frozenset(self.origin.capabilities) if self.origin is not None and self.origin.capabilities else None

    @property
    def thought_before(self) -> bool:
        """Whether the old model reasons before it answers, too, by what Ollama or its record says."""
        known = {*(self.source.capabilities or ()), *(self.origin.capabilities if self.origin is not None else ())}
        return "thinking" in known


def ask(source: InstalledModel, library: Library, book: RuleBook, reckoner: Reckoner, options: PlanOptions) -> Question:
    """Collect what is known about a source and the targets its rules put forward."""
    lineage = source.lineage or Lineage("unknown")
    origin, tag, names = _record(source, lineage, library)
    use = decide_use(source, origin, names, library, book, options)
    candidates, rules = gather(book, library, names, use.uses, lineage.generation, parameters_of(source, origin))
    old = reckoner.source(source, origin, tag, options.context)
    custom = is_custom(source, library)
    context, whose, asked = _context(source, custom, options, old, library)
    old_licence = source.metadata.get("general.license")
    licence = origin.licence if origin is not None and origin.licence else str(old_licence or "not known")
    trained = source.context_length or (origin.context if origin is not None else 0)
    facts = SourceFacts(
        model=source.name,
        digest=source.digest,
        installed=source.source != "named",
        size=source.size,
        exclusive=source.exclusive,
        quantization=source.quantization,
        parameter_size=source.parameter_size,
        context=trained or 0,
        capabilities=source.capabilities,
        lineage=lineage,
        licence=licence,
        parent=source.parent,
        custom=custom,
        fit=old,
    )
    return Question(source, lineage, origin, tuple(names), use, candidates, rules, old, context, whose, asked, facts)


def _record(source: InstalledModel, lineage: Lineage, library: Library) -> tuple[Origin | None, Tag | None, list[str]]:
    """The record that describes a source, which of its files the name means, and the names to look rules up by.

    The best name comes first; the file is None where it is the record's own, or where only the weights tell.

    Tags move: an old pull of deepseek-r1:8b is a Llama, what the library holds under that name is not. So where the
    weights say another record than the name does, the name is not used.
    """
    by_name, tag = library.origin_tag(source.name) or (None, None)
    by_weights = library.origin(lineage.origin) if lineage.origin else None
    if by_weights is None:
        return by_name, tag, [source.name]
    if by_name is not None and by_name.name != by_weights.name:
        return by_weights, None, [by_weights.name]
    return by_weights, tag, [source.name, by_weights.name]


def _context(
    source: InstalledModel, custom: bool, options: PlanOptions, old: Estimate | None, library: Library
) -> tuple[int, str, int | None]:
    """The tokens a target must hold, whose choice that is, and the tokens it will be asked for (None: the default).

    A custom model takes its num_ctx along; for a library model Ollama's default decides again.
    """
    asked: int | None
    carried = source.parameters.get("num_ctx") if custom else None
    if options.context:
        context, whose, asked = options.context, GIVEN, options.context
    elif isinstance(carried, int) and carried > 0:
        context, whose, asked = carried, "num_ctx of the old model", carried
    elif old is not None:
        context, whose, asked = old.context, f"as the old model: {old.context_source}", None
    else:
        context, whose, asked = (
            _FALLBACK_CONTEXT,
            "Ollama's smallest default; nothing is known about the old model",
            None,
        )
    floor = library.policy.min_context
    if floor is not None and floor.value > context:
        return floor.value, f"smallest context of {floor.recipe}", floor.value
    return context, whose, asked
