"""A recipe to start from, with what a plan for one machine proposes, and examples that hold it to that. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llamaexit.errors import UsageError
from llamaexit.ollama.names import Name
from llamaexit.ollama.version import parse_version
from llamaexit.planning.examples import run_example
from llamaexit.planning.options import PlanOptions
from llamaexit.planning.plan import Asked
from llamaexit.planning.planner import Planner
from llamaexit.recipes.examples import machine_of
from llamaexit.recipes.library import Layer, Library
from llamaexit.recipes.model import Choice, Example, ExampleModel, Expected, Host, Recipe, Rule
from llamaexit.recipes.names import name_key
from llamaexit.units import MIB

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from llamaexit.planning.plan import Decision
    from llamaexit.recipes.pack import Pack
    from llamaexit.snapshot import InstalledModel, Machine, Snapshot

SCHEMA_FILE = "./llamaexit-recipe.schema.json"
"""Where a new recipe tells editors to look for the schema."""
_INSTEAD = "llama3.1:8b"
"""The Llama that is shown where there is none here."""
_NO_LLAMA = "mistral:7b"
"""A model people take for a Llama, and that has to be left alone."""


@dataclass(frozen=True, slots=True)
class Starter:
    """The text of a new recipe, and how many models it has rules for."""

    text: str
    models: int


def starter(snapshot: Snapshot, pack: Pack, *, name: str, version: str, today: dt.date) -> Starter:
    """A recipe for the Llama models of a snapshot, by what the built-in recipes alone propose.

    version: of this llamaexit, which the recipe is written for.
    """
    library = Library(pack)
    plan = Planner(library).plan(snapshot, PlanOptions())
    # a server tells names of other case apart, recipes do not: the first stands for all
    replaced = {name_key(one.source.model): one for one in reversed(plan.decisions) if _can_be_told(one)}
    decisions = list(reversed(replaced.values()))
    rules = _rules_of(decisions, name, library)
    installed = {name_key(model.name): model for model in snapshot.models}
    here = [_example_model(installed[name_key(one.source.model)], one, library) for one in decisions]
    models = (*(here or [ExampleModel(_INSTEAD, Expected("keep"))]), ExampleModel(_NO_LLAMA, Expected("keep")))
    example = Example("the machine this recipe was written on", _host(snapshot), models)
    expected = _as_it_is(example, Recipe(schema=1, name=name, rules=tuple(rule for rule, _ in rules)), pack)
    lines = [*_head(name, version, today), *_policy(), *_rules(rules), *_examples(expected)]
    return Starter("\n".join(lines) + "\n", len(decisions))


def _can_be_told(decision: Decision) -> bool:
    """Whether a plan decides it by itself, and a recipe can name it: a store may hold names that Ollama refuses."""
    if decision.action != "replace" or not decision.automatic:
        return False
    try:
        Name.parse(decision.source.model)
    except ValueError:
        return False
    return True


def _rules_of(decisions: list[Decision], recipe: str, library: Library) -> list[tuple[Rule, list[Decision]]]:
    """One rule for each model that rules can name, with the decisions behind it: several names may be one model."""
    found: dict[str, tuple[Rule, list[Decision]]] = {}
    for decision in decisions:
        rule = _rule(decision, recipe, library)
        found.setdefault(name_key(rule.match[0]), (rule, []))[1].append(decision)
    return list(found.values())


def _rule(decision: Decision, recipe: str, library: Library) -> Rule:
    target, use = decision.target, decision.use.uses[0]
    assert target is not None
    caveats = tuple(caveat.code for caveat in target.caveats if caveat.code in library.caveats)
    choice = Choice(target.model, target.why, caveats=caveats)
    match = _known_as(decision, library)
    return Rule(match if use == recipe else f"{use}/{match}", use, (match,), targets=(choice,))


def _known_as(decision: Decision, library: Library) -> str:
    """The name rules know a source by: its own, unless other weights bear that name by now."""
    name, origin = decision.source.model, decision.source.lineage.origin
    known = library.origin(name)
    return name if known is None or origin is None or known.name == origin else origin


def _example_model(model: InstalledModel, decision: Decision, library: Library) -> ExampleModel:
    """A model as an example has to describe it, so that it is known for what it is."""
    nothing = Expected("keep")
    lineage = decision.source.lineage
    known = library.origin(model.name)
    if known is not None and known.name == lineage.origin:
        return ExampleModel(model.name, nothing)
    if known is not None and model.digest and library.origin_by_manifest(model.digest) is not None:
        return ExampleModel(model.name, nothing, digest=model.digest[:12])
    if model.parent and library.origin(model.parent) is not None:
        return ExampleModel(model.name, nothing, parent=model.parent)
    return ExampleModel(
        model.name, nothing, lineage="meta", parameters=model.parameter_size, capabilities=model.capabilities
    )


def _as_it_is(example: Example, recipe: Recipe, pack: Pack) -> Example:
    """The example with what a plan with the recipe decides: the machine it describes is all that counts there."""
    lines = tuple(range(1, len(recipe.rules) + 1))
    planner = Planner(Library(pack, [Layer(recipe, "new recipe", lines)]))
    models = []
    for tried in run_example(example, planner):
        decision = tried.decision
        if isinstance(decision, Asked):
            expected = Expected("closed")
        else:
            expected = Expected(decision.action, target=decision.target.model if decision.target is not None else "")
        models.append(replace(tried.model, expect=expected))
    return replace(example, models=tuple(models))


def _host(snapshot: Snapshot) -> Host:
    """The machine in the words of an example; without the names of its cards where these mean nothing."""
    machine = snapshot.machine
    ram = _size(machine.ram.usable_total)
    sizes = tuple(_size(gpu.total) for gpu in machine.gpus if gpu.total)
    names = tuple(gpu.name for gpu in machine.gpus if gpu.total)
    os = machine.system.os if machine.system.os in ("linux", "darwin", "windows") else "linux"
    # an Ollama that somebody built says 0.0.0, which is no version to go by
    version = snapshot.ollama.version if parse_version(snapshot.ollama.version) is not None else None
    plain = Host(ram, vram=sizes, ollama=version or "", os=os)  # type: ignore[arg-type]
    for host in (replace(plain, gpu=names), plain):
        if _can_be(host, machine):
            return host
    return replace(plain, vram=())


def _can_be(host: Host, machine: Machine) -> bool:
    try:
        return len(machine_of(host).gpus) == sum(1 for gpu in machine.gpus if gpu.total)
    except (UsageError, ValueError):
        return False


def _size(size: int) -> str:
    return f"{size // MIB}MiB" if size % (1024 * MIB) else f"{size // (1024 * MIB)}GiB"


# -- the text ---------------------------------------------------------------------------------------------------------


def _head(name: str, version: str, today: dt.date) -> Iterator[str]:
    yield f"#:schema {SCHEMA_FILE}"
    yield "# What we run instead of Llama. A start, made from the plan for one machine: change it to what you decide."
    yield "#"
    yield "# llamaexit recipe lint FILE     what is wrong with it, or probably not meant"
    yield "# llamaexit recipe test FILE     whether a plan decides as its examples expect"
    yield "# llamaexit plan --recipe FILE   what it comes to on this machine"
    yield ""
    yield "schema = 1"
    yield f"name = {_quoted(name)}"
    yield 'version = "0.1"'
    yield 'summary = "What we run instead of Llama"'
    yield "# the day its facts were last looked at; plans say so when that is long ago"
    yield f"checked = {today.isoformat()}"
    yield f'requires-llamaexit = ">={version}"'
    yield ""


def _policy() -> Iterator[str]:
    yield "# What is allowed. Take the sign away from what you want; what is left out is up to weaker recipes."
    yield "[policy]"
    yield '# licences-allowed = ["open-source"]   # ids of licences, or open-source and commercial'
    yield '# deny-vendors = ["DeepSeek"]          # also deny-families, deny-models, deny-origins'
    yield '# max-download = "25GB"                # for one model'
    yield "# min-context = 8192                   # tokens"
    yield "# min-gpu-share = 1.0                  # nothing in main memory"
    yield '# thinking = "avoid"                   # nothing that thinks before it answers'


def _rules(rules: Iterable[tuple[Rule, list[Decision]]]) -> Iterator[str]:
    for rule, decisions in rules:
        choice = rule.targets[0]
        yield ""
        for decision in decisions:
            others = ", ".join(decision.use.uses[1:])
            yield f"# {decision.source.model}: {_short(decision.use.text)}" + (f"; also {others}" if others else "")
        yield "[[rules]]"
        yield f"id = {_quoted(rule.id)}"
        yield f"use = {_quoted(rule.use)}"
        yield f"match = [{_quoted(rule.match[0])}]"
        yield ""
        yield "[[rules.targets]]"
        yield f"model = {_quoted(choice.model)}"
        if choice.why:
            yield f"why = {_quoted(choice.why)}"
        if choice.caveats:
            yield f"caveats = [{', '.join(map(_quoted, choice.caveats))}]"
    if not rules:
        yield ""
        yield "# Rules lead from a model and a use to targets, in the order to try them. There is no Llama here to"
        yield "# write one for, so this one is only shown:"
        yield "#"
        yield "# [[rules]]"
        yield '# id = "chat"'
        yield '# use = "chat"'
        yield f'# match = ["{_INSTEAD}", "support-bot*"]'
        yield "#"
        yield "# [[rules.targets]]"
        yield '# model = "qwen3:8b"'
        yield '# why = "what we have tested"'


def _examples(example: Example) -> Iterator[str]:
    yield ""
    yield "# What has to come of it: llamaexit recipe test FILE plans this machine, without asking it."
    yield "[[examples]]"
    yield f"title = {_quoted(example.title)}"
    yield f"host = {{ {', '.join(_host_keys(example.host))} }}"
    for model in example.models:
        yield ""
        if model.name == _NO_LLAMA:
            yield "# what is no Llama stays"
        yield "[[examples.models]]"
        yield f"name = {_quoted(model.name)}"
        if model.parent:
            yield f"parent = {_quoted(model.parent)}"
        if model.digest:
            yield f"digest = {_quoted(model.digest)}"
        if model.lineage:
            yield f"lineage = {_quoted(model.lineage)}"
        if model.parameters:
            yield f"parameters = {_quoted(model.parameters)}"
        if model.capabilities is not None:
            yield f"capabilities = [{', '.join(map(_quoted, model.capabilities))}]"
        target = f", target = {_quoted(model.expect.target)}" if model.expect.target else ""
        yield f"expect = {{ action = {_quoted(model.expect.action)}{target} }}"


def _host_keys(host: Host) -> Iterator[str]:
    yield f"ram = {_quoted(host.ram)}"
    if host.gpu:
        yield f"gpu = [{', '.join(map(_quoted, host.gpu))}]"
    if host.vram:
        yield f"vram = [{', '.join(map(_quoted, host.vram))}]"
    if host.ollama:
        yield f"ollama = {_quoted(host.ollama)}"
    if host.os != "linux":
        yield f"os = {_quoted(host.os)}"


def _short(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    """A TOML string. JSON's are the same, but for one sign that it leaves bare."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
