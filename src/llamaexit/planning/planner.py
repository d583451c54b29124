"""From facts to a plan. Pure: the same snapshot, recipes and options give the same plan and the same `plan_id`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llamaexit.ollama.failures import NO_SERVER
from llamaexit.ollama.version import FINAL, parse_version
from llamaexit.planning.decide import choose, settled
from llamaexit.planning.facts import World
from llamaexit.planning.plan import Asked, Basis, Decision, Plan, Totals
from llamaexit.planning.planfile import plan_id_of
from llamaexit.planning.question import ask
from llamaexit.planning.reckon import Reckoner
from llamaexit.planning.rules import RuleBook
from llamaexit.planning.sources import Selection, select
from llamaexit.recipes.library import titled
from llamaexit.recipes.names import name_key
from llamaexit.units import gb, gib

if TYPE_CHECKING:
    import datetime as dt

    from llamaexit.memory import ModelSpec
    from llamaexit.planning.options import PlanOptions
    from llamaexit.recipes.library import Library, LoadedRecipe
    from llamaexit.recipes.policy import EffectivePolicy
    from llamaexit.snapshot import InstalledModel, Machine, OllamaFacts, Snapshot


def make_plan(snapshot: Snapshot, library: Library, options: PlanOptions) -> Plan:
    """One plan. For many snapshots keep a Planner, which indexes the rules once."""
    return Planner(library).plan(snapshot, options)


class Planner:
    """Plans against one library of recipes; its rules are indexed once for all plans."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.book = RuleBook(library.rule_heads)
        self._catalogue: dict[str, ModelSpec | None] = {}

    def plan(self, snapshot: Snapshot, options: PlanOptions) -> Plan:
        """Decide about every source. Raises UsageError for a text that cannot name a model."""
        selection = select(snapshot, self.library, options)
        reckoner = Reckoner(snapshot, selection.installed, options.remote, self._catalogue, self.library.locked)
        world = self._world(snapshot, selection, options)
        family = _family(selection)
        decisions = tuple(
            self._decide(source, world, reckoner, options, family.get(name_key(source.name), ()))
            for source in selection.sources
        )
        totals = _totals(decisions, snapshot, options)
        plan = Plan(
            plan_id="",
            basis=self._basis(snapshot, options),
            decisions=decisions,
            totals=totals,
            names=_names(decisions, selection),
            asked=tuple(self._nearest_here(asked, reckoner) for asked in selection.asked),
            notes=selection.notes,
            warnings=tuple(self._warnings(snapshot, decisions, totals, options)),
        )
        return replace(plan, plan_id=plan_id_of(plan))

    def candidate_names(self, snapshot: Snapshot, options: PlanOptions) -> tuple[str, ...]:
        """Every target that comes into question, for asking a registry about them beforehand."""
        selection = select(snapshot, self.library, options)
        reckoner = Reckoner(snapshot, selection.installed, options.remote, self._catalogue, self.library.locked)
        names: dict[str, None] = {}
        for source in selection.sources:
            question = ask(source, self.library, self.book, reckoner, options)
            if settled(question) is None:
                names.update((c.model, None) for c in question.candidates if c.target is not None and c.target.local)
        return tuple(names)

    def _decide(
        self,
        source: InstalledModel,
        world: World,
        reckoner: Reckoner,
        options: PlanOptions,
        derived: tuple[str, ...],
    ) -> Decision:
        question = ask(source, self.library, self.book, reckoner, options)
        done = settled(question)
        if done is not None:
            return done if not derived else replace(done, derived=derived)
        return choose(question, world, reckoner, derived, everything=options.everything)

    def _nearest_here(self, asked: Asked, reckoner: Reckoner) -> Asked:
        """What comes nearest to a model that cannot run here, apart from what this machine is too small for."""
        known = {name: self.library.target(name) for name in asked.nearest}
        too_large = tuple(
            name for name, found in known.items() if found is not None and not reckoner.loads(name, *found)
        )
        return replace(asked, nearest=tuple(n for n in asked.nearest if n not in too_large), too_large=too_large)

    def _world(self, snapshot: Snapshot, selection: Selection, options: PlanOptions) -> World:
        policy = self.library.policy
        return World(
            library=self.library,
            policy=policy,
            ollama_version=snapshot.ollama.version,
            disk=snapshot.machine.disk,
            installed=selection.installed,
            thinking=options.thinking or (policy.thinking.value if policy.thinking is not None else None),
        )

    def _basis(self, snapshot: Snapshot, options: PlanOptions) -> Basis:
        loaded = self.library.loaded
        checked = min((recipe.checked for recipe in loaded if recipe.checked is not None), default=None)
        return Basis(
            machine=describe_machine(snapshot.machine),
            ollama=describe_ollama(snapshot.ollama),
            ollama_version=snapshot.ollama.version,
            store=snapshot.ollama.store,
            recipes=_recipes_in_words(loaded),
            policy=(
                *_thinking_in_words(options, self.library.policy),
                *self.library.policy.in_words(),
                *_locked_in_words(self.library),
            ),
            facts_checked=checked.isoformat() if checked is not None else None,
            overrides=snapshot.machine.overrides,
        )

    def _warnings(
        self, snapshot: Snapshot, decisions: tuple[Decision, ...], totals: Totals, options: PlanOptions
    ) -> list[str]:
        warnings = list(snapshot.ollama.problems)
        if options.models and snapshot.ollama.source == "none":
            # what was named is planned for all the same, and the basis says that there is no server, and why
            warnings = [problem for problem in warnings if not problem.startswith(NO_SERVER)]
        if options.today is not None:
            warnings += _old_recipes(self.library.stale(options.today))
        warnings += self.library.warnings
        warnings += _on_the_way_out(self.library, decisions, options.today)
        warnings += _too_old_for_recipes(self.library, snapshot.ollama.version)
        broken = [model.name for model in snapshot.models if model.problem is not None]
        if broken:
            warnings.append(f"not usable as they are: {', '.join(sorted(broken))}")
        if totals.disk_free is not None and totals.disk_peak > totals.disk_free:
            warnings.append(
                f"all downloads together need {gb(totals.disk_peak)}, the store's disk has "
                f"{gb(totals.disk_free)} free: plan them one after the other"
            )
        return warnings


def _recipes_in_words(loaded: tuple[LoadedRecipe, ...]) -> tuple[str, ...]:
    """The built-in recipes count as one; a team's are named each, with the file they came from."""
    builtin = [recipe for recipe in loaded if recipe.builtin]
    words = []
    if builtin:
        words.append(f"built-in {max(recipe.version for recipe in builtin)}")
    words += [f"{titled(recipe)} ({recipe.file})" for recipe in loaded if not recipe.builtin]
    return tuple(words)


def _old_recipes(stale: tuple[LoadedRecipe, ...]) -> list[str]:
    """One line for the built-in recipes together, one for each of a team's."""
    builtin = [recipe.checked for recipe in stale if recipe.builtin and recipe.checked is not None]
    lines = [
        f"recipe {recipe.name} ({recipe.file}) was last checked on {recipe.checked}, more than 180 days ago"
        for recipe in stale
        if not recipe.builtin
    ]
    if builtin:
        lines.append(
            f"the built-in recipes were last checked on {min(builtin)}, more than 180 days ago: "
            "tags move and better models appear, so update llamaexit"
        )
    return lines


def _on_the_way_out(library: Library, decisions: tuple[Decision, ...], today: dt.date | None) -> list[str]:
    """Recipes in force, and rules that a decision rests on, that their authors have given up."""
    found = [
        f"recipe {recipe.name} ({recipe.file}) {recipe.deprecated.in_words(today)}"
        for recipe in library.loaded
        if recipe.deprecated is not None
    ]
    keys = dict.fromkeys(decision.target.rule for decision in decisions if decision.target is not None)
    for bound in map(library.rule, keys):
        if bound is not None and bound.rule.deprecated is not None:
            found.append(f"rule {bound.key} ({bound.file}:{bound.line}) {bound.rule.deprecated.in_words(today)}")
    return found


def _thinking_in_words(options: PlanOptions, policy: EffectivePolicy) -> tuple[str, ...]:
    """The preference about thinking that is in force, unless a recipe says it."""
    if options.thinking is not None:
        return (f"thinking: {options.thinking} (--thinking, whatever recipes say)",)
    if policy.thinking is not None:
        return ()
    return ("thinking: of the targets named for a model, one that never thinks by default first (--thinking)",)


def _locked_in_words(library: Library) -> tuple[str, ...]:
    return (f"locked by digest: {', '.join(sorted(library.locked))}",) if library.locked else ()


def _too_old_for_recipes(library: Library, version: str | None) -> list[str]:
    """Recipes that ask for another Ollama than the one that is there."""
    wanted = library.requires_ollama
    release = parse_version(version)
    if not wanted or release is None:
        return []
    from packaging.specifiers import SpecifierSet

    major, minor, patch, candidate = release
    text = f"{major}.{minor}.{patch}" + (f"rc{candidate}" if candidate < FINAL else "")
    return [
        f"recipe {name} asks for Ollama {specifier}, this one is {version}"
        for name, specifier in wanted
        if not SpecifierSet(specifier).contains(text, prereleases=True)
    ]


def describe_machine(machine: Machine) -> str:
    """The hardware in one line: devices first, since they decide."""
    gpus = [
        f"{gpu.name} {gib(gpu.total, 0)}" if gpu.total and "GiB" not in gpu.name else gpu.name for gpu in machine.gpus
    ] or ["no GPU"]
    cores = f"{machine.cpu.physical_cores or machine.cpu.logical_cores or '?'} cores"
    limit = f" (limited to {gib(machine.ram.limit)})" if machine.ram.limit is not None else ""
    return f"{' + '.join(gpus)}, {gib(machine.ram.total, 0)} RAM{limit}, {cores}"


def describe_ollama(ollama: OllamaFacts) -> str:
    """Where the facts about models come from, in one line."""
    version = f"Ollama {ollama.version}" if ollama.version else "Ollama, version not known"
    match ollama.source:
        case "server":
            return f"{version} at {ollama.url}"
        case "store":
            return f"{version}, store {ollama.store} read from disk"
        case "none":
            missing = next((problem for problem in ollama.problems if problem.startswith(NO_SERVER)), "no Ollama found")
            return f"{missing.partition('; ')[0]}; nothing is known about what is installed"


def _family(selection: Selection) -> dict[str, tuple[str, ...]]:
    """Names built on each installed model, through several FROM steps, and other names of the same weights."""
    children: dict[str, list[str]] = {}
    for model in selection.installed.values():
        if model.parent is not None and name_key(model.parent) != name_key(model.name):
            children.setdefault(name_key(model.parent), []).append(model.name)
    family: dict[str, tuple[str, ...]] = {}
    for key in children:
        found: dict[str, str] = {}
        queue = list(children[key])
        while queue:
            name = queue.pop(0)
            if name_key(name) not in found and name_key(name) != key:
                found[name_key(name)] = name
                queue += children.get(name_key(name), ())
        family[key] = tuple(sorted(found.values()))
    return family


def _totals(decisions: tuple[Decision, ...], snapshot: Snapshot, options: PlanOptions) -> Totals:
    """Each target is fetched once, whoever needs it. Ollama writes partial files in place, so peak = download."""
    targets = {d.target.model: d.target.download for d in decisions if d.target is not None}
    download = sum(item.missing for item in targets.values())
    disk = snapshot.machine.disk
    reclaimable = sum(
        d.source.exclusive or 0 for d in decisions if d.action == "replace" and d.source.installed and not d.rebuild
    )
    seconds = round(download / options.bandwidth) if options.bandwidth else None
    return Totals(
        download=download,
        disk_peak=download,
        disk_free=disk.free if disk is not None else None,
        exact=all(item.exact for item in targets.values()),
        reclaimable=reclaimable,
        bandwidth=options.bandwidth,
        seconds=seconds,
    )


def _names(decisions: tuple[Decision, ...], selection: Selection) -> dict[str, str | None]:
    """Every name the migration touches, with the digest it has now; None for a name that is not there yet."""
    names: dict[str, str | None] = {}
    for decision in decisions:
        if decision.target is None:
            continue
        if decision.source.installed:
            names[decision.source.model] = decision.source.digest
        here = selection.installed.get(name_key(decision.target.model))
        names[decision.target.model] = here.digest if here is not None else None
    return dict(sorted(names.items()))
