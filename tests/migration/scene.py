"""A whole migration in small: a stand-in with Llama models, a registry with what replaces them, and a plan for both."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migration_cases import library
from planning_cases import MACHINES

from llamaexit.lineage import assess_all
from llamaexit.migration import engine, undo
from llamaexit.migration.options import MigrationOptions, Place
from llamaexit.migration.record import Run
from llamaexit.ollama.inventory import take_inventory
from llamaexit.planning.options import PlanOptions, RemoteFacts
from llamaexit.planning.plan import Plan
from llamaexit.planning.planner import Planner
from llamaexit.planning.sources import is_ours
from llamaexit.snapshot import Snapshot
from standin import Model, Registry, Standin, gguf

OLD = "llama3.1:8b"
BOT = "team-bot:latest"
QUICK = (0.02, 0.05, 0.1)
"""Seconds between tries while the server does not answer, instead of the patience people get."""
META = {"general.basename": "Meta-Llama-3.1", "general.license": "llama3.1", "general.size_label": "8B"}
LLAMA_TEMPLATE = "<|start_header_id|>{{ .Prompt }}<|eot_id|>{{ .Tools }}"
QWEN_TEMPLATE = "{{ .Prompt }}{{ .Tools }}"


def llama_models() -> tuple[Model, ...]:
    """What is installed before: a library Llama, a model of the user's own built on it, and one that is no Llama."""
    return (
        Model(OLD, weights=gguf.llama(extra=META, context=131_072), template=LLAMA_TEMPLATE,
              parameters={"stop": ["<|eot_id|>"]}, licences=("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT",)),
        Model(BOT, parent=OLD, system="You are the bot of the team.",
              parameters={"num_ctx": 8192, "temperature": 0.2, "stop": ["<|eot_id|>", "END"]},
              messages=(("user", "Hello"), ("assistant", "Hello, team."))),
        Model("mistral:7b", weights=gguf.llama(extra={"general.basename": "Mistral"}), template="{{ .Prompt }}"),
    )  # fmt: skip


def qwen(name: str) -> Model:
    """A model of Qwen's as the registry has it."""
    weights = gguf.llama("qwen3", context=40_960, extra={"general.basename": "Qwen3", "general.name": name})
    return Model(name, weights=weights, template=QWEN_TEMPLATE)


@dataclass
class Scene:
    """Everything a migration needs. `initial`, `blobs`: what every name meant, and which blobs there were."""

    standin: Standin
    place: Place
    plan: Plan
    initial: dict[str, str]
    pauses: tuple[float, ...] = QUICK
    events: list[Any] = field(default_factory=list)

    @property
    def targets(self) -> set[str]:
        return {d.target.model for d in self.plan.decisions if d.target is not None}

    def names(self, *, ours: bool = False) -> dict[str, str]:
        """What names mean now; backups and staged models only when asked for."""
        tags = {name.short: entry.digest for name, entry in self.standin.store.manifests.items() if entry.readable}
        return {name: digest for name, digest in tags.items() if ours or not is_ours(name)}

    def whole(self) -> bool:
        """Whether every model has all of its blobs."""
        store = self.standin.store
        return all(
            store.digests(entry) <= set(store.blobs) for entry in store.manifests.values() if entry.readable
        )  # fmt: skip

    def migrate(self, **options: Any) -> Run:
        options.setdefault("suite", "none")
        return engine.migrate(
            self.plan, MigrationOptions(**options), self.place, self.events.append, pauses=self.pauses
        )  # fmt: skip

    def resume(self, run: str) -> Run:
        return engine.resume(run, self.place, self.events.append, pauses=self.pauses)

    def roll_back(self, run: str, *, purge: bool = False) -> Run:
        return undo.roll_back(run, self.place, self.events.append, purge=purge, pauses=self.pauses)


def snapshot_of(standin: Standin) -> Snapshot:
    """The facts about a stand-in, on a machine with one good card."""
    ollama, models = take_inventory(host=standin.url, environ={})
    return Snapshot(MACHINES["an RTX 4090"], ollama, assess_all(models, library()))


def plan_for(standin: Standin, registry: Registry, **options: Any) -> Plan:
    """A plan for a stand-in; its targets are published in the registry first, so that their digests are known."""
    snapshot = snapshot_of(standin)
    planner = Planner(library())
    options = {"uses": {OLD: ("chat",), BOT: ("chat",)}, **options}
    first = planner.plan(snapshot, PlanOptions(**options))
    remote = {}
    for decision in first.decisions:
        if decision.target is not None:
            name = decision.target.model
            digest = registry.publish(qwen(name))
            size = sum(blob.size for blob in registry.content.blobs.values())
            remote[name] = RemoteFacts(digest, size)
    return planner.plan(snapshot, PlanOptions(**options, remote=remote))


def scene_at(folder: Path, standin: Standin, **options: Any) -> Scene:
    """The scene around a running stand-in, with a plan of its own; runs are kept below `folder`."""
    assert standin.registry is not None
    return scene_with(plan_for(standin, standin.registry, **options), folder, standin)


def scene_with(plan: Plan, folder: Path, standin: Standin) -> Scene:
    """The scene around a running stand-in, for a plan that was made before."""
    scene = Scene(standin, Place(standin.url, folder / "state", timeout=10), plan, {})
    scene.initial = scene.names()
    return scene
