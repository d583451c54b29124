"""Which models a plan is about: the Llama models found here, or the ones that were named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llamaexit.lineage import assess, assess_all, with_answer
from llamaexit.ollama.names import Name
from llamaexit.planning.plan import Asked
from llamaexit.planning.rules import means
from llamaexit.recipes.names import name_key
from llamaexit.snapshot import InstalledModel, Lineage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llamaexit.planning.options import PlanOptions
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.model import Closed
    from llamaexit.snapshot import Snapshot, Verdict

KEEP_NAMESPACE = "llamaexit-keep"
"""Namespace of the backup names a migration makes; they are never sources."""
STAGE_NAMESPACE = "llamaexit-stage"
"""Namespace of the names under which a migration prepares models."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The models to decide about, everything that is installed by its spelled name, and what was asked in vain."""

    sources: tuple[InstalledModel, ...]
    installed: dict[str, InstalledModel]
    asked: tuple[Asked, ...]
    notes: tuple[str, ...]


def select(snapshot: Snapshot, library: Library, options: PlanOptions) -> Selection:
    """Sources in the order they were named, or by name; every installed model with its lineage."""
    models = tuple(model for model in snapshot.models if not is_ours(model.name))
    answers = {name_key(name): verdict for name, verdict in options.lineage.items()}
    assessed = tuple(_answered(model, answers) for model in assess_all(models, library))
    installed = {name_key(model.name): model for model in assessed}
    notes: list[str] = []
    asked: list[Asked] = []
    if options.models:
        sources: dict[str, InstalledModel] = {}
        for name in options.models:
            key = name_key(name)
            if key in installed:
                sources.setdefault(key, installed[key])
                continue
            closed = library.closed(name)
            if closed is not None and library.origin(name) is None:
                asked.append(_asked(name, closed))
                continue
            sources.setdefault(key, _answered(_named(name, library), answers))
        chosen = list(sources.values())
    else:
        chosen = sorted(
            (m for m in assessed if _concerns(m)),
            key=lambda m: name_key(m.name),
        )
        missing = [name for name in options.lineage if name_key(name) not in installed]
        notes += [
            f"{name}: no such model is installed, so the answer about its lineage was not used" for name in missing
        ]
    if options.only:
        chosen = [m for m in chosen if any(means(p, m.name) for p in options.only)]
    if options.skip:
        chosen = [m for m in chosen if not any(means(p, m.name) for p in options.skip)]
    return Selection(tuple(chosen), installed, tuple(asked), tuple(notes))


def is_ours(name: str) -> bool:
    """Whether a name is one a migration made: to keep an old model alive, or to prepare a new one."""
    return name_key(name).startswith((f"{KEEP_NAMESPACE}/", f"{STAGE_NAMESPACE}/"))


def _concerns(model: InstalledModel) -> bool:
    """Llama, or perhaps Llama; cloud stubs only when they are surely Llama."""
    verdict = (model.lineage or Lineage("unknown")).verdict
    return verdict == "meta" or (verdict == "unknown" and model.remote is None and model.problem is None)


def _answered(model: InstalledModel, answers: Mapping[str, Verdict]) -> InstalledModel:
    verdict = answers.get(name_key(model.name))
    if verdict is None or model.lineage is None:
        return model
    return replace(model, lineage=with_answer(model.lineage, verdict))


def _named(name: str, library: Library) -> InstalledModel:
    """A model that is not installed, with what the recipes know about it. Raises BadName for what is no name."""
    shown = Name.parse(name).short
    model = InstalledModel(name=shown, source="named")
    known = library.origin_tag(shown)
    if known is not None:
        origin, tag = known
        model = replace(
            model,
            size=(tag.size if tag else 0) or origin.size,
            quantization=(tag.quant if tag else "") or origin.quant,
            parameter_size=origin.parameters,
            parameter_count=origin.parameter_count or None,
            context_length=(tag.context if tag else 0) or origin.context or None,
            capabilities=origin.capabilities or None,
        )
    elif (found := library.target(shown)) is not None:
        target, tag = found
        model = replace(
            model,
            size=(tag.size if tag else 0) or target.size,
            quantization=(tag.quant if tag else "") or target.quant,
            family=target.family,
            context_length=target.context or None,
            capabilities=target.capabilities or None,
        )
    return replace(model, lineage=assess(model, library, {}))


def _asked(name: str, closed: Closed) -> Asked:
    return Asked(name, f"{closed.name} by {closed.vendor}", closed.why, closed.nearest)
