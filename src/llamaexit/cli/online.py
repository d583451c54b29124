"""Planning with what the registry says (`--online`): manifests of all candidates, headers of those that win."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from llamaexit.cli.answer import Problem
from llamaexit.errors import GgufError, LlamaexitError, RegistryError

if TYPE_CHECKING:
    from llamaexit.memory import ModelSpec
    from llamaexit.ollama.registry import Registry, RemoteManifest
    from llamaexit.planning.options import PlanOptions, RemoteFacts
    from llamaexit.planning.plan import Plan
    from llamaexit.planning.planner import Planner
    from llamaexit.recipes.library import Library
    from llamaexit.snapshot import Snapshot

T = TypeVar("T")

_AT_ONCE = 6
_ROUNDS = 5
"""Plans at most: a header may show that the winner does not fit, and the next one wins."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A plan made online, and which questions to the registry failed."""

    plan: Plan
    problems: tuple[Problem, ...]


def plan_online(planner: Planner, snapshot: Snapshot, options: PlanOptions, registry: Registry) -> Asked:
    """A plan in which sizes and memory of the targets are those of the registry.

    The header of a large model is several megabytes, so it is only fetched for the targets that win. Raises
    RegistryError when the registry cannot be reached.
    """
    names = planner.candidate_names(snapshot, options)
    asked, problems = _for_all(names, lambda name: _manifest(registry, name))
    manifests = {name: found for name, (found, _) in asked.items()}
    facts = {name: _facts(found, requires, planner.library) for name, (found, requires) in asked.items()}
    plan = planner.plan(snapshot, replace(options, remote=facts))
    headers: set[str] = set()
    for _ in range(_ROUNDS):
        winners = {d.target.model for d in plan.decisions if d.target is not None and not d.target.installed}
        missing = sorted((winners & manifests.keys()) - headers)
        if not missing:
            break
        headers.update(missing)
        specs, failed = _for_all(missing, lambda name: _spec(registry, name, manifests[name]))
        problems += failed
        facts |= {name: replace(facts[name], spec=spec) for name, spec in specs.items()}
        plan = planner.plan(snapshot, replace(options, remote=facts))
    return Asked(plan, tuple(problems))


def registry_here(timeout: float, *, afresh: bool = False) -> Registry:
    """The registry as this user asks it, its answers kept in the user's cache.

    afresh: ask again what was asked a moment ago; a tag may have moved, and a pull brings what it leads to now.
    """
    from llamaexit.ollama.cache import default_cache_dir
    from llamaexit.ollama.registry import MAX_AGE, Registry

    return Registry(default_cache_dir(), timeout, max_age=0.0 if afresh else MAX_AGE)


def _for_all(names: Iterable[str], ask: Callable[[str], T | None]) -> tuple[dict[str, T], list[Problem]]:
    """Ask about several models side by side. A model the registry does not have is left out without a word."""
    from concurrent.futures import ThreadPoolExecutor

    from llamaexit.ollama.registry import NoSuchModel, RegistryUnreachable

    found: dict[str, T] = {}
    problems: list[Problem] = []

    def one(name: str) -> T | LlamaexitError | None:
        try:
            return ask(name)
        except NoSuchModel:
            return None
        except RegistryUnreachable:
            raise
        except (RegistryError, GgufError) as error:
            return error

    listed = list(names)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="registry") as pool:
        for name, answer in zip(listed, pool.map(one, listed), strict=True):
            if isinstance(answer, LlamaexitError):
                problems.append(Problem(answer.code, answer.message, answer.hint))
            elif answer is not None:
                found[name] = answer
    return found, problems


def _manifest(registry: Registry, name: str) -> tuple[RemoteManifest, str | None]:
    """The manifest, and the lowest version of Ollama that its config names, if any."""
    from llamaexit.ollama.names import Name

    found = registry.manifest(Name.parse(name))
    requires = registry.config(found).get("requires")
    return found, requires if isinstance(requires, str) else None


def _facts(found: RemoteManifest, requires: str | None, library: Library) -> RemoteFacts:
    from llamaexit.planning.options import RemoteFacts

    return RemoteFacts(
        digest=found.digest,
        size=found.download,
        layers=tuple({layer.digest: (layer.digest, layer.size) for layer in found.layers}.values()),
        requires=requires,
        fetched_at=found.fetched_at[:10],
        spec=_spec_by_size(found, library),
    )


def _spec_by_size(found: RemoteManifest, library: Library) -> ModelSpec | None:
    """The catalogue's shape with the manifest's exact bytes."""
    from llamaexit.memory import spec_of_target
    from llamaexit.recipes.model import Tag

    known = library.target(found.name.short)
    model = found.of("model")
    if known is None or model is None:
        return None
    target, tag = known
    projector = found.of("projector")
    exact = replace(tag or Tag(found.name.tag, quant=target.quant), size=model.size, exact=True)
    spec = spec_of_target(target, exact)
    return spec if spec is None or projector is None else replace(spec, projector=projector.size)


def _spec(registry: Registry, name: str, found: RemoteManifest) -> ModelSpec | None:
    """What the GGUF header of the weights says; None where there is none, or none we know how to read."""
    from llamaexit.memory import spec_of_table
    from llamaexit.shape import shape_of, weights_of

    header = registry.header(found)
    if header is None:
        return None
    shapes: Mapping[str, tuple[int, ...]] = {tensor.name: tensor.shape for tensor in header.tensors}
    shape = shape_of(header.metadata, header.array_lengths, shapes, "gguf", shapes)
    weights = weights_of(((tensor.name, tensor.type, tensor.shape) for tensor in header.tensors), shape)
    model, projector = found.of("model"), found.of("projector")
    if shape is None or weights is None or model is None:
        return None
    return spec_of_table(
        name, shape, weights, file_size=model.size, projector=projector.size if projector is not None else 0
    )
