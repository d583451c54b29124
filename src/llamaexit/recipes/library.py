"""What all loaded recipes say together: facts, rules and policy, each with the recipe it came from.

The built-in recipes lie at the bottom; every further recipe lies above the ones before it and wins over them. How they
combine is told in docs/explanation/how-recipes-combine.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from llamaexit.recipes.decode import decode
from llamaexit.recipes.globs import Globs, is_pattern, matches
from llamaexit.recipes.model import Closed, Deprecation, Licence, Origin, Recipe, Rule, Source, Tag, Target, Use
from llamaexit.recipes.names import digest_key, name_key
from llamaexit.recipes.pack import Pack
from llamaexit.recipes.policy import EffectivePolicy, effective_policy

if TYPE_CHECKING:
    from llamaexit.recipes.positions import Key

T = TypeVar("T")
Record = TypeVar("Record", bound=Origin | Target)

Named = Literal["", "user", "project", "command-line"]
"""How a recipe came to be in force: from the user's folder, the project's, or by its name. Empty: it is built in, or
others extend it."""
STALE_AFTER = dt.timedelta(days=180)
"""Facts older than this are worth a warning: tags move, libraries grow."""
MOST_WARNINGS = 100
"""Entries of `disable` that are warned of; the rest is counted."""


class LoadedRecipe(NamedTuple):
    """One recipe in force. `checked` is the day its facts were last looked at, None where it does not say.

    extends: names of the recipes it extends.
    """

    name: str
    version: str
    file: str
    checked: dt.date | None
    builtin: bool = False
    summary: str = ""
    origins: int = 0
    models: int = 0
    rules: int = 0
    deprecated: Deprecation | None = None
    extends: tuple[str, ...] = ()
    named: Named = ""


def stated_version(recipe: LoadedRecipe | Recipe) -> str:
    """The version of a recipe; empty where it states none."""
    return recipe.version if recipe.version != "0" else ""


def titled(recipe: LoadedRecipe | Recipe) -> str:
    """What a recipe is called, with its version where it states one."""
    return f"{recipe.name} {stated_version(recipe)}".rstrip()


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A rule and where it stands: recipe, file, line of its header. Of two, the one of higher precedence wins.

    key: what it is called among those of all recipes, `RECIPE/ID`. A rule that replaces one of a recipe below has the
    key of that one.
    """

    key: str
    rule: Rule
    recipe: str
    file: str
    line: int
    precedence: int


@dataclass(frozen=True, slots=True)
class RuleHead:
    """What decides whether a rule applies. `open` gives the whole rule, which is decoded only then."""

    key: str
    use: Use
    match: tuple[str, ...]
    generation: tuple[str, ...]
    min_parameters: float
    max_parameters: float
    precedence: int
    open: Callable[[], BoundRule]


@dataclass(frozen=True, slots=True)
class Overruled:
    """A rule that does not count, because a recipe above it replaces or disables it: which one, and where it does."""

    bound: BoundRule
    how: Literal["replaced", "disabled"]
    recipe: str
    file: str
    _line: Callable[[], int | None]

    @property
    def line(self) -> int | None:
        """The line of what keeps it out. Looked for only when somebody asks: there may be ten thousands of them."""
        return self._line()


def _no_line(key: Key) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Layer:
    """One recipe that is not built in, with the line of each of its rules.

    extends: names of the recipes it extends. line: the line of any key of its file.
    """

    recipe: Recipe
    file: str
    rule_lines: tuple[int, ...]
    extends: tuple[str, ...] = ()
    named: Named = ""
    line: Callable[[Key], int | None] = _no_line


class Library:
    """The merged recipes. Names are compared without regard to case, and a missing tag means `latest`.

    locked: the builds that targets have to be, whatever recipes say: hex digits of manifest digests, by `name_key`.
    """

    def __init__(self, pack: Pack, layers: Sequence[Layer] = (), locked: Mapping[str, str] | None = None) -> None:
        self.locked: Mapping[str, str] = locked or {}
        self._pack = pack
        self._layers = tuple(layers)
        self._above = _indexed(self._layers, pack.rule_keys)
        self._own_origins = _merged(layer.origins for layer in self._above)
        self._own_targets = _merged(layer.targets for layer in self._above)
        self._own_manifests = _merged(layer.manifests for layer in self._above)
        self._own_blobs = _merged(layer.blobs for layer in self._above)

    # -- facts about the models people have

    def origin(self, name: str) -> Origin | None:
        """The record of a model people have, by library name, alias or tag of another quantization."""
        return self._origin(name_key(name))

    def origin_tag(self, name: str) -> tuple[Origin, Tag | None] | None:
        """The same, with the very file the name means where it is not the record's own."""
        key = name_key(name)
        origin = self._origin(key)
        return None if origin is None else (origin, _tag_of(origin, key))

    def origin_by_manifest(self, digest: str) -> Origin | None:
        """The record of a build, by manifest digest (12 or more hex digits, as `ollama list` prints)."""
        key = digest_key(digest)
        if key in self._own_manifests:
            return self._own_manifests[key]
        number = self._pack.manifests.get(key)
        return None if number is None else self._pack.origin(number)

    def origin_by_blob(self, digest: str) -> Origin | None:
        """The record of a build, by digest of its weights layer."""
        key = digest_key(digest)
        if key in self._own_blobs:
            return self._own_blobs[key]
        number = self._pack.blobs.get(key)
        return None if number is None else self._pack.origin(number)

    def uses(self, name: str) -> tuple[Use, ...]:
        """What a model of this name is normally used for; empty when nobody knows it."""
        found = self.origin_tag(name)
        if found is None:
            return ()
        origin, tag = found
        return tag.uses if tag is not None and tag.uses else origin.uses

    @cached_property
    def origins(self) -> tuple[Origin, ...]:
        """All records of models people have; those of later recipes replace built-in ones of the same name."""
        builtin = [self._pack.origin(number) for number in range(self._pack.count("origins"))]
        return _by_name(builtin, (layer.recipe.origins for layer in self._layers))

    # -- facts about the models that may replace them

    def target(self, name: str) -> tuple[Target, Tag | None] | None:
        """A target by name, alias or tag of another quantization; the tag is given where it is not the record's own."""
        key = name_key(name)
        if key in self._own_targets:
            found = self._own_targets[key]
            return found, _tag_of(found, key)
        number = self._pack.target_names.get(key)
        if number is None:
            return None
        target = self._pack.target(number)
        return target, _tag_of(target, key)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """All targets, those that must be refused among them."""
        builtin = [self._pack.target(number) for number in range(self._pack.count("targets"))]
        return _by_name(builtin, (layer.recipe.models for layer in self._layers))

    def target_names(self) -> tuple[str, ...]:
        """Every name a target answers to, in the form names are compared in."""
        return tuple(dict.fromkeys((*self._own_targets, *self._pack.target_names)))

    def closed(self, name: str) -> Closed | None:
        """What is known about a model that cannot be run here: closed weights, or cloud only."""
        asked = _spoken(name).removesuffix(":latest")
        return next((e for e in self._closed if any(matches(_spoken(p), asked) for p in e.match)), None)

    # -- rules

    @property
    def rules(self) -> tuple[BoundRule, ...]:
        """All rules in force, highest precedence first, each recipe's in file order."""
        return tuple(head.open() for head in self.rule_heads)

    @cached_property
    def rule_heads(self) -> tuple[RuleHead, ...]:
        """The heads of all rules in force, in the same order, for finding the few that apply."""
        found: list[RuleHead] = []
        hidden = _Hidden()
        for layer, level in self._levels():
            found += [head_of(bound) for bound in layer.bound(level) if bound.key not in hidden]
            hidden.add(layer)
        for number, (key, use, match, generation, low, high) in enumerate(self._pack.rule_heads):
            if key not in hidden:
                opened = partial(self._builtin_rule, number)
                found.append(RuleHead(key, use, tuple(match), tuple(generation), low, high, 0, opened))
        return tuple(found)

    def overruled(self) -> tuple[Overruled, ...]:
        """Every rule that is not in force, the strongest first, with what keeps it out."""
        found: list[Overruled] = []
        hidden = _Hidden()
        for layer, level in self._levels():
            found += [hidden.overruled(bound) for bound in layer.bound(level) if bound.key in hidden]
            hidden.add(layer)
        found += [hidden.overruled(self._builtin_rule(n)) for key, n in self._pack.rule_keys.items() if key in hidden]
        return tuple(found)

    def rule(self, name: str) -> BoundRule | None:
        """The rule of this key that is in force, or else the strongest one whose id this is."""
        by_key, by_id = self._heads
        head = by_key.get(name) or by_id.get(name)
        return None if head is None else head.open()

    # -- policy and tables

    @cached_property
    def policy(self) -> EffectivePolicy:
        """The policy in force, each value with the recipe it came from."""
        return effective_policy(layer.recipe for layer in self._layers)

    def policy_of(self, recipe: str) -> EffectivePolicy:
        """What one recipe says by itself, whether or not it counts."""
        return effective_policy(layer.recipe for layer in self._layers if layer.recipe.name == recipe)

    def policy_place(self, name: str) -> tuple[str, int | None] | None:
        """File and line of what decides a key of the policy (`deny-vendors`); None where nothing does."""
        field = name.replace("-", "_")
        for layer in reversed(self._layers):
            if layer.recipe.policy is not None and getattr(layer.recipe.policy, field) is not None:
                return layer.file, layer.line(("policy", name))
        return None

    def caveat(self, code: str) -> str:
        """What a caveat code means, in one or two sentences. Raises KeyError for a code no recipe explains."""
        return self._caveats[code]

    def licence(self, licence_id: str) -> Licence | None:
        """A licence by its id."""
        return self._licences.get(licence_id)

    def source(self, source_id: str) -> Source | None:
        """Where a fact was read, by the id that scores and figures give."""
        return self._sources.get(source_id)

    @property
    def caveats(self) -> Mapping[str, str]:
        """All caveat texts by code."""
        return self._caveats

    @property
    def licences(self) -> Mapping[str, Licence]:
        """All licences by id."""
        return self._licences

    @property
    def sources(self) -> Mapping[str, Source]:
        """All sources by id."""
        return self._sources

    # -- the recipes themselves

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The recipes in force that are not built in, with all they say, lowest precedence first."""
        return self._layers

    @cached_property
    def loaded(self) -> tuple[LoadedRecipe, ...]:
        """The recipes in force, lowest precedence first."""
        builtin = [
            LoadedRecipe(
                name=entry["name"],
                version=entry["version"],
                file=_builtin_file(entry),
                checked=dt.date.fromisoformat(entry["checked"]),
                builtin=True,
                summary=entry["summary"],
                origins=entry["origins"],
                models=entry["models"],
                rules=entry["rules"],
                deprecated=decode(Deprecation, entry["deprecated"]) if entry["deprecated"] else None,
            )
            for entry in self._pack.recipes
        ]
        own = [
            LoadedRecipe(
                name=layer.recipe.name,
                version=layer.recipe.version,
                file=layer.file,
                checked=layer.recipe.checked,
                summary=layer.recipe.summary,
                origins=len(layer.recipe.origins),
                models=len(layer.recipe.models),
                rules=len(layer.recipe.rules),
                deprecated=layer.recipe.deprecated,
                extends=layer.extends,
                named=layer.named,
            )
            for layer in self._layers
        ]
        return (*builtin, *own)

    def stale(self, today: dt.date) -> tuple[LoadedRecipe, ...]:
        """The recipes whose facts were last looked at more than 180 days before `today`."""
        return tuple(entry for entry in self.loaded if entry.checked and today - entry.checked > STALE_AFTER)

    @property
    def requires_ollama(self) -> tuple[tuple[str, str], ...]:
        """The Ollama versions recipes ask for: pairs of recipe name and version specifier."""
        recipes = (layer.recipe for layer in self._layers)
        return tuple((recipe.name, recipe.requires_ollama) for recipe in recipes if recipe.requires_ollama)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is not wrong but probably not meant: entries of `disable` that disable nothing."""
        found = [
            f"{layer.file}: disable: {text}"
            for layer, idle in zip(self._layers, self._idle, strict=True)
            for _, text in idle
        ]
        more = len(found) - MOST_WARNINGS
        return (*found[:MOST_WARNINGS], *([f"{more} more entries of `disable` disable nothing"] if more > 0 else ()))

    def idle_disables(self, name: str) -> Iterator[tuple[int, str]]:
        """The entries of a recipe's `disable` that disable nothing, by their positions, and what was probably meant."""
        for layer, idle in zip(self._layers, self._idle, strict=True):
            if layer.recipe.name == name:
                yield from idle

    def keys_of(self, name: str) -> tuple[str, ...]:
        """The keys of the rules of a recipe, in the order of its file."""
        for layer in self._above:
            if layer.layer.recipe.name == name:
                return tuple(layer.keys)
        return tuple(key for key in self._pack.rule_keys if key.partition("/")[0] == name)

    def keys_below(self, position: int) -> tuple[str, ...]:
        """The keys of all rules below the recipe at this position, counted from the one right above the built-in."""
        own = (key for layer in self._above[len(self._above) - position :] for key in layer.keys)
        return tuple(dict.fromkeys((*self._pack.rule_keys, *own)))

    # -- inside

    @cached_property
    def _heads(self) -> tuple[dict[str, RuleHead], dict[str, RuleHead]]:
        """The rules in force by key, and by the id they have in their recipe."""
        by_key = {head.key: head for head in reversed(self.rule_heads)}
        return by_key, {head.key.partition("/")[2]: head for head in reversed(self.rule_heads)}

    @cached_property
    def _idle(self) -> tuple[tuple[tuple[int, str], ...], ...]:
        """For each recipe that is not built in, the lowest first, what `idle_disables` says of it."""
        if not any(layer.recipe.disable for layer in self._layers):
            return ((),) * len(self._layers)
        from llamaexit.recipes.problems import Suggestions

        first = dict.fromkeys(self._pack.rule_keys, -1)  # where the lowest rule of each key stands
        for position, indexed in enumerate(reversed(self._above)):
            for key in indexed.keys:
                first.setdefault(key, position)
        patterns: Globs[tuple[int, int]] = Globs()
        for position, layer in enumerate(self._layers):
            for number, entry in enumerate(layer.recipe.disable):
                if is_pattern(entry):
                    patterns.add(entry, (position, number))
        busy = {(above, number) for key, at in first.items() for above, number in patterns.matching(key) if at < above}
        by_id = {key.partition("/")[2]: key for key in reversed(first)}
        suggest = Suggestions()

        def said(position: int, entry: str) -> str:
            whole = by_id.get(entry, entry)
            if first.get(whole, position) < position:
                return f"no rule is called {entry!r}; with its recipe it is {whole!r}"
            return f"no rule is called {entry!r}{suggest(entry, lambda: self.keys_below(position))}"

        return tuple(
            tuple(
                (number, said(position, entry))
                for number, entry in enumerate(layer.recipe.disable)
                if (position, number) not in busy and first.get(entry, position) >= position
            )
            for position, layer in enumerate(self._layers)
        )

    def _origin(self, key: str) -> Origin | None:
        if key in self._own_origins:
            return self._own_origins[key]
        number = self._pack.origin_names.get(key)
        return None if number is None else self._pack.origin(number)

    def _levels(self) -> Iterable[tuple[_Indexed, int]]:
        """The recipes above the built-in ones with their precedence, highest first. Built-in rules have 0."""
        return zip(self._above, range(len(self._above), 0, -1), strict=True)

    def _builtin_rule(self, number: int) -> BoundRule:
        rule, recipe, line = self._pack.rule(number)
        return BoundRule(f"{recipe['name']}/{rule.id}", rule, recipe["name"], _builtin_file(recipe), line, precedence=0)

    @cached_property
    def _closed(self) -> tuple[Closed, ...]:
        own = (entry for layer in self._above for entry in layer.layer.recipe.closed)
        return (*own, *self._pack.closed())

    @cached_property
    def _caveats(self) -> dict[str, str]:
        texts = self._pack.caveats()
        for layer in self._layers:
            texts.update(layer.recipe.caveats)
        return texts

    @cached_property
    def _licences(self) -> dict[str, Licence]:
        table = self._pack.licences()
        for layer in self._layers:
            table.update(layer.recipe.licences)
        return table

    @cached_property
    def _sources(self) -> dict[str, Source]:
        table = self._pack.sources()
        for layer in self._layers:
            table.update(layer.recipe.sources)
        return table


def head_of(bound: BoundRule, key: str | None = None) -> RuleHead:
    """The head of a rule that is at hand; `key` stands in for its own."""
    rule = bound.rule
    return RuleHead(
        key=key if key is not None else bound.key,
        use=rule.use,
        match=rule.match,
        generation=rule.generation,
        min_parameters=rule.min_parameters,
        max_parameters=rule.max_parameters,
        precedence=bound.precedence,
        open=lambda: bound,
    )


class _Cause(NamedTuple):
    """What keeps a rule out of force. Of several, the greatest is told: that of the recipe nearest above.

    depth: how many recipes lie above that one. order: 1 where it replaces the rule, less the further down its entry of
    `disable` stands.
    """

    depth: int
    order: int
    layer: _Indexed


class _Hidden:
    """Keys of rules that recipes of higher precedence replace or disable."""

    def __init__(self) -> None:
        self._depth = 0
        self._keys: dict[str, _Cause] = {}
        self._patterns: Globs[_Cause] = Globs()

    def add(self, layer: _Indexed) -> None:
        """Hide below this layer, which lies below those before, what it has rules for and what it disables."""
        for number, entry in reversed(tuple(enumerate(layer.disable))):
            cause = _Cause(self._depth, -number, layer)
            self._keys[entry] = cause
            if is_pattern(entry):
                self._patterns.add(entry, cause)
        self._keys.update(dict.fromkeys(layer.rule_keys, _Cause(self._depth, 1, layer)))
        self._depth += 1

    def __contains__(self, key: str) -> bool:
        return key in self._keys or key in self._patterns

    def overruled(self, bound: BoundRule) -> Overruled:
        """A hidden rule with what keeps it out."""
        causes = list(self._patterns.matching(bound.key))
        if bound.key in self._keys:
            causes.append(self._keys[bound.key])
        _, order, indexed = max(causes)
        layer = indexed.layer
        if order > 0:
            line = partial(layer.rule_lines.__getitem__, indexed.rule_keys[bound.key])
            return Overruled(bound, "replaced", layer.recipe.name, layer.file, line)
        return Overruled(bound, "disabled", layer.recipe.name, layer.file, partial(layer.line, ("disable", -order)))


def _indexed(layers: Sequence[Layer], builtin: Iterable[str]) -> list[_Indexed]:
    """The layers indexed, the highest first."""
    below = set(builtin)
    found: list[_Indexed] = []
    for layer in layers:
        found.append(_Indexed(layer, below))
        below.update(found[-1].keys)
    return found[::-1]


class _Indexed:
    """A layer with its names and rules indexed. below: keys of all rules that lie below it."""

    def __init__(self, layer: Layer, below: Collection[str]) -> None:
        recipe = layer.recipe
        self.layer = layer
        self.disable = recipe.disable
        self.origins = _named(recipe.origins)
        self.targets = _named(recipe.models)
        self.manifests = {digest_key(digest): origin for origin in recipe.origins for digest in origin.manifests}
        self.blobs = {digest_key(digest): origin for origin in recipe.origins for digest in origin.blobs}
        self.keys = [rule.id if rule.id in below else f"{recipe.name}/{rule.id}" for rule in recipe.rules]
        self.rule_keys = {key: number for number, key in enumerate(self.keys)}

    def rule(self, number: int, precedence: int) -> BoundRule:
        recipe = self.layer.recipe
        line = self.layer.rule_lines[number]
        return BoundRule(
            self.keys[number], recipe.rules[number], recipe.name, self.layer.file, line, precedence=precedence
        )

    def bound(self, precedence: int) -> list[BoundRule]:
        return [self.rule(number, precedence) for number in range(len(self.layer.recipe.rules))]


def _merged(highest_first: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """One index from those of several layers, so that nobody has to look into each of them for every name."""
    found: dict[str, T] = {}
    for index in highest_first:
        for key, value in index.items():
            found.setdefault(key, value)
    return found


def _spoken(name: str) -> str:
    """A model's name as people say it, in one spelling: `GPT-5.5`, `Muse Spark`."""
    return name.strip().lower().replace(" ", "-")


def _builtin_file(recipe: dict[str, Any]) -> str:
    # never a path of this machine: plans made from the same recipes have to be equal everywhere
    return f"builtin:{recipe['file']}"


def _tag_of(record: Origin | Target, key: str) -> Tag | None:
    if key == name_key(record.name) or any(key == name_key(name) for name in record.also):
        return None
    wanted = key.rsplit(":", 1)[1]
    return next((tag for tag in record.tags if tag.tag.lower() == wanted), None)


def _named(records: Sequence[Record]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for record in records:
        for name in (record.name, *record.also):
            found.setdefault(name_key(name), record)
    for record in records:
        model = record.name.rsplit(":", 1)[0]
        for tag in record.tags:
            found.setdefault(name_key(f"{model}:{tag.tag}"), record)
    return found


def _by_name(builtin: Iterable[Record], own: Iterable[Iterable[Record]]) -> tuple[Record, ...]:
    found: dict[str, Record] = {}
    for records in (builtin, *own):
        for record in records:
            found[name_key(record.name)] = record
    return tuple(found.values())
