"""Run the examples of recipes: plan the machine each of them describes, and hold the plan to what it expects. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llamaexit.ollama.names import Name
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Asked
from llamaexit.planning.planner import Planner
from llamaexit.recipes.examples import machine_of
from llamaexit.recipes.names import digest_key, name_key
from llamaexit.recipes.problems import refuse
from llamaexit.snapshot import InstalledModel, OllamaFacts, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llamaexit.planning.plan import Decision
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.load import Stack
    from llamaexit.recipes.model import Example, ExampleModel, Expected, Origin, Tag, Target

_HEX = 64


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that an example expects and the plan does otherwise. `key` names it as the recipe does."""

    key: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One model of an example, the decision about it, and where that differs from what was expected.

    Of a model that cannot be run here there is no decision, but what was answered to whoever asked for it.
    """

    model: ExampleModel
    decision: Decision | Asked
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class TriedExample:
    """An example and what came of it. lines: that of each of its models in the file, in their order."""

    title: str
    file: str
    lines: tuple[int | None, ...]
    models: tuple[Tried, ...]

    @property
    def as_expected(self) -> bool:
        """Whether the plan does all that is expected."""
        return not any(tried.differences for tried in self.models)


def run_examples(stack: Stack) -> tuple[TriedExample, ...]:
    """The examples of a recipe, tried with the recipe and what it extends. Raises RecipeError where it is wrong."""
    if stack.problems:
        raise refuse(stack.problems)
    entry = stack.entry
    if entry is None or not entry.recipe.examples:
        return ()
    planner, document = Planner(stack.library), entry.document
    found = []
    for number, example in enumerate(entry.recipe.examples):
        lines = tuple(document.line(("examples", number, "models", place)) for place in range(len(example.models)))
        found.append(TriedExample(example.title, document.file, lines, run_example(example, planner)))
    return tuple(found)


def run_example(example: Example, planner: Planner) -> tuple[Tried, ...]:
    """What is decided about each model of an example, in its order. Raises UsageError for a host that cannot be."""
    snapshot = snapshot_of(example, planner.library)
    options = PlanOptions(
        models=tuple(model.name for model in example.models),
        uses={model.name: model.uses for model in example.models if model.uses},
        lineage={model.name: model.lineage for model in example.models if model.lineage is not None},
        context=example.context or None,
        thinking=example.thinking,
        everything=any(model.expect.rejected for model in example.models),
    )
    plan = planner.plan(snapshot, options)
    decided: dict[str, Decision | Asked] = {name_key(one.source.model): one for one in plan.decisions}
    decided.update((name_key(asked.name), asked) for asked in plan.asked)
    tried = []
    for model in example.models:
        decision = decided[name_key(model.name)]
        tried.append(Tried(model, decision, tuple(_differences(model.expect, decision, planner.library))))
    return tuple(tried)


def snapshot_of(example: Example, library: Library) -> Snapshot:
    """The machine of an example with its models installed, as its Ollama would list them."""
    ollama = OllamaFacts(source="server", version=example.host.ollama or None)
    models = tuple(_installed(model, library) for model in example.models if not _is_closed(model.name, library))
    return Snapshot(machine_of(example.host), ollama, models)


def _is_closed(name: str, library: Library) -> bool:
    return library.closed(name) is not None and library.origin(name) is None


def _installed(model: ExampleModel, library: Library) -> InstalledModel:
    """A model with the facts of its record, or else of its parent's, and what the example says of it itself."""
    name, own = model.parent or model.name, Name.parse(model.name).short
    known: tuple[Origin | Target, Tag | None] | None = _by_digest(model.digest, library)
    known = known or library.origin_tag(name) or library.target(name)
    made = InstalledModel(name=own, format="gguf", digest=_digest_of(model, own))
    if known is not None:
        made = replace(made, **_facts(*known))
    if known is not None and not model.parent and not model.digest and known[1] is None:
        manifests = known[0].manifests
        made = replace(made, digest=_whole(manifests[0]) if manifests else made.digest)
    if model.parent:
        made = replace(made, parent=model.parent, system=True)
    if model.parameters:
        made = replace(made, parameter_size=model.parameters, parameter_count=None)
    if model.capabilities is not None:
        made = replace(made, capabilities=model.capabilities)
    return replace(made, parameters={"num_ctx": model.num_ctx}) if model.num_ctx else made


def _by_digest(digest: str, library: Library) -> tuple[Origin, None] | None:
    origin = library.origin_by_manifest(digest) if digest else None
    return None if origin is None else (origin, None)


def _digest_of(model: ExampleModel, name: str) -> str:
    """The digest that is given, or one that no other model has."""
    return _whole(model.digest) if model.digest else hashlib.sha256(name.encode()).hexdigest()


def _facts(record: Origin | Target, tag: Tag | None) -> dict[str, Any]:
    """What a server would say of a model with this record; `tag` is the very file where it is not the record's own."""
    facts: dict[str, Any] = {
        "size": (tag.size if tag else 0) or record.size,
        "quantization": (tag.quant if tag else "") or record.quant,
        "context_length": (tag.context if tag else 0) or record.context or None,
        "capabilities": record.capabilities or None,
    }
    blobs = getattr(record, "blobs", ())
    if blobs and tag is None:
        facts["weights_digest"] = _whole(blobs[0])
    parameters = record.parameters
    if isinstance(parameters, str):
        facts["parameter_size"] = parameters
        facts["parameter_count"] = getattr(record, "parameter_count", 0) or None
    elif parameters:
        facts["parameter_size"] = f"{parameters:g}B"
    return facts


def _whole(digest: str) -> str:
    """A digest of full length out of the first digits that recipes give."""
    return digest_key(digest).ljust(_HEX, "0")


def _differences(expected: Expected, decision: Decision | Asked, library: Library) -> Iterator[Difference]:
    if isinstance(decision, Asked):
        if expected.action != "closed":
            yield Difference("action", _wanted(expected), f"closed: {decision.why}")
        elif expected.reason not in decision.why:
            yield Difference("reason", expected.reason, decision.why)
        return
    target = decision.target
    got = decision.action if target is None else f"{decision.action} with {target.model}"
    if decision.action != expected.action:
        yield Difference("action", _wanted(expected), f"{got}: {decision.reason}")
        return
    if expected.target and target is not None and name_key(target.model) != name_key(expected.target):
        yield Difference("target", expected.target, target.model)
    if expected.rule and target is not None and target.rule != expected.rule:
        bound = library.rule(target.rule)
        if bound is None or bound.rule.id != expected.rule:
            yield Difference("rule", expected.rule, target.rule)
    if expected.reason and expected.reason not in decision.reason:
        yield Difference("reason", expected.reason, decision.reason)
    rejected = {name_key(one.model): one.because for one in decision.rejected}
    for name, because in expected.rejected.items():
        found = rejected.get(name_key(name))
        if found != because:
            yield Difference(f"rejected.{name}", because, found or _not_rejected(name, decision))


def _wanted(expected: Expected) -> str:
    return expected.action + (f" with {expected.target}" if expected.target else "")


def _not_rejected(name: str, decision: Decision) -> str:
    if decision.target is not None and name_key(decision.target.model) == name_key(name):
        return "it was taken"
    return "it did not come into question"
