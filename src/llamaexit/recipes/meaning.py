"""Check what a recipe means: names that exist, sizes and ranges that make sense, versions that can be compared.

The shape has been checked before. Names may come from any recipe in force, so this runs when all of them are loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from llamaexit.recipes.decode import NESTED
from llamaexit.recipes.examples import example_findings
from llamaexit.recipes.model import Deprecation, Figures, Origin, Policy, Recipe, Rule, Score, Tag, Target, kebab
from llamaexit.recipes.names import name_key
from llamaexit.recipes.policy import MOST_EXCEPTIONS
from llamaexit.recipes.problems import Finding, Suggestions
from llamaexit.recipes.smoke_meaning import smoke_findings
from llamaexit.units import parse_size

if TYPE_CHECKING:
    from llamaexit.recipes.library import Library
    from llamaexit.recipes.positions import Key


LICENCE_CLASSES = ("open-source", "commercial")
"""Classes that `licences-allowed` takes beside licence ids."""

_DIGEST = re.compile(r"(?:sha256[:-])?[0-9a-fA-F]{12,64}")
_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
_RULE_ID = re.compile(r"[^\s*?\[\]]+")
_RECIPE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TABLES = {Recipe, *(inner for nested in NESTED.values() for _, inner in nested.values())}
_NUMBERS = {
    # a measured figure may be negative; of the policy's numbers it is said what they must be
    cls: tuple(one.name for one in fields(cls) if str(one.type).startswith(("int", "float")))
    if cls not in (Score, Figures, Policy)
    else ()
    for cls in _TABLES
}
"""For each kind of table, the fields that hold a number and must not be negative."""


def check_meaning(
    recipe: Recipe, library: Library, mentioned: frozenset[str] | None = frozenset()
) -> Iterator[Finding]:
    """Everything in a recipe that has the right shape and still cannot be meant.

    mentioned: names whose entries are faulty and not in `library`; they are not called unknown on top of that. None:
    some recipe could not be read, so that nothing can be called unknown.
    """
    known = _Known(library, mentioned)
    yield from _negative(recipe, ())
    if not _RECIPE_NAME.fullmatch(recipe.name):
        yield Finding(
            ("name",),
            "must be at most 100 letters, digits, dots, hyphens and underscores, and start with a letter or digit",
        )
    yield from _version(recipe.version, ("version",))
    yield from _specifier(recipe.requires_llamaexit, ("requires-llamaexit",), ">=0.1,<2")
    yield from _specifier(recipe.requires_ollama, ("requires-ollama",), ">=0.30,<1")
    yield from _deprecation(recipe.deprecated, ("deprecated",))
    if recipe.policy is not None:
        yield from _policy(recipe.policy, known)
    yield from _rules(recipe.rules, known)
    for number, target in enumerate(recipe.models):
        yield from _target(target, ("models", number), known)
    for number, origin in enumerate(recipe.origins):
        yield from _origin(origin, ("origins", number), known)
    yield from _twice([target.name for target in recipe.models], "models", "name", name_key)
    yield from _twice([origin.name for origin in recipe.origins], "origins", "name", name_key)
    yield from example_findings(recipe.examples, ("examples",))
    for number, example in enumerate(recipe.examples):
        for place, expected in enumerate(model.expect for model in example.models):
            at: Key = ("examples", number, "models", place, "expect")
            if expected.target:
                yield from known.target(expected.target, (*at, "target"))
            for name in expected.rejected:
                yield from known.target(name, (*at, "rejected", name))
    for number, entry in enumerate(recipe.closed):
        for position, name in enumerate(entry.nearest):
            yield from known.target(name, ("closed", number, "nearest", position))


class _Known:
    """What names mean, and what to suggest where they mean nothing."""

    def __init__(self, library: Library, mentioned: frozenset[str] | None) -> None:
        self.library = library
        self.mentioned = mentioned
        self._near = Suggestions()
        self._generations: frozenset[str] | None = None

    def target(self, name: str, key: Key) -> Iterator[Finding]:
        if self.library.target(name) is None and self._unknown(name_key(name)):
            yield Finding(
                key,
                f"no recipe describes the model {name!r}{self._near(name, self.library.target_names)}",
                "unknown-target",
            )

    def caveat(self, code: str, key: Key) -> Iterator[Finding]:
        if code not in self.library.caveats and self._unknown(code):
            yield Finding(
                key,
                f"no recipe explains the caveat {code!r}{self._near(code, lambda: self.library.caveats)}",
                "unknown-name",
            )

    def licence(self, name: str, key: Key, also: Iterable[str] = ()) -> Iterator[Finding]:
        if name not in also and self.library.licence(name) is None and self._unknown(name):
            near = self._near(name, lambda: (*self.library.licences, *also))
            yield Finding(key, f"no recipe describes the licence {name!r}{near}", "unknown-name")

    def source(self, name: str, key: Key) -> Iterator[Finding]:
        if name and self.library.source(name) is None and self._unknown(name):
            yield Finding(
                key,
                f"no recipe has the source {name!r}{self._near(name, lambda: self.library.sources)}",
                "unknown-name",
            )

    def generation(self, name: str, key: Key) -> Iterator[Finding]:
        if self._generations is None:
            self._generations = frozenset(origin.generation for origin in self.library.origins if origin.generation)
        known = self._generations
        if name not in known and self._unknown(name):
            yield Finding(
                key, f"no recipe knows the generation {name!r}{self._near(name, lambda: known)}", "unknown-name"
            )

    def _unknown(self, name: str) -> bool:
        """Whether a name that is not in the library may be called unknown."""
        return self.mentioned is not None and name not in self.mentioned


def _policy(policy: Policy, known: _Known) -> Iterator[Finding]:
    for number, licence in enumerate(policy.licences_allowed or ()):
        yield from known.licence(licence, ("policy", "licences-allowed", number), LICENCE_CLASSES)
    for name in ("deny_vendors", "deny_families", "deny_models", "deny_origins"):
        for number, pattern in enumerate(getattr(policy, name) or ()):
            if not pattern.strip():
                yield Finding(("policy", kebab(name), number), "is empty")
    yield from _exceptions(policy.exceptions or {})
    if policy.max_download is not None:
        yield from _size(policy.max_download, ("policy", "max-download"))
    if policy.min_context is not None and policy.min_context < 1:
        yield Finding(("policy", "min-context"), "must be at least 1 token")
    if policy.min_gpu_share is not None and not 0 <= policy.min_gpu_share <= 1:
        yield Finding(("policy", "min-gpu-share"), f"must be between 0 and 1, not {policy.min_gpu_share}")
    for target, digest in (policy.pins or {}).items():
        yield from known.target(target, ("policy", "pins", target))
        yield from _digest(digest, ("policy", "pins", target))


def _exceptions(exceptions: dict[str, str]) -> Iterator[Finding]:
    at = ("policy", "exceptions")
    if len(exceptions) > MOST_EXCEPTIONS:
        yield Finding(at, f"are {len(exceptions)}; at most {MOST_EXCEPTIONS} are allowed: deny less, or use patterns")
        return
    for pattern, why in exceptions.items():
        if not pattern.strip():
            yield Finding((*at, pattern), "is for no model: the name is empty")
        if not why.strip():
            yield Finding((*at, pattern), "is empty: say why, and who has allowed it")


def _rules(rules: tuple[Rule, ...], known: _Known) -> Iterator[Finding]:
    yield from _twice([rule.id for rule in rules], "rules", "id", str)
    for number, rule in enumerate(rules):
        at: Key = ("rules", number)
        if not _RULE_ID.fullmatch(rule.id):
            yield Finding((*at, "id"), "must be text without blanks and without the signs * ? [ ]")
        for position, pattern in enumerate(rule.match):
            if not pattern.strip():
                yield Finding((*at, "match", position), "is empty")
        for position, generation in enumerate(rule.generation):
            yield from known.generation(generation, (*at, "generation", position))
        if rule.max_parameters and rule.max_parameters <= rule.min_parameters:
            yield Finding((*at, "max-parameters"), f"must be larger than min-parameters ({rule.min_parameters})")
        if not rule.automatic and not rule.decide.strip():
            yield Finding((*at, "automatic"), "is false, so `decide` has to say what a person decides")
        if rule.automatic and not rule.targets:
            yield Finding(
                at, "has no targets; give some, or say with `automatic = false` and `decide` what a person decides"
            )
        yield from _deprecation(rule.deprecated, (*at, "deprecated"))
        yield from smoke_findings(rule.smoke, (*at, "smoke"))
        yield from _caveats(rule.caveats, at, known)
        yield from _sourced(rule.counter_evidence, (*at, "counter-evidence"), known)
        for position, choice in enumerate(rule.targets):
            here: Key = (*at, "targets", position)
            yield from known.target(choice.model, (*here, "model"))
            yield from _caveats(choice.caveats, here, known)
            yield from _sourced(choice.evidence, (*here, "evidence"), known)
        yield from _twice([choice.model for choice in rule.targets], "targets", "model", name_key, at)


def _deprecation(deprecated: Deprecation | None, at: Key) -> Iterator[Finding]:
    if deprecated is not None and deprecated.since and deprecated.until and deprecated.until < deprecated.since:
        yield Finding((*at, "until"), f"must not lie before `since` ({deprecated.since})")


def _target(target: Target, at: Key, known: _Known) -> Iterator[Finding]:
    yield from _name(target.name, (*at, "name"))
    if target.licence:
        yield from known.licence(target.licence, (*at, "licence"))
    for field in ("digest", "manifests"):
        yield from _digests(getattr(target, field), (*at, field))
    if target.min_ollama:
        yield from _version(target.min_ollama, (*at, "min-ollama"))
    for field in ("released", "size_as_of"):
        value = getattr(target, field)
        if value and not _DATE.fullmatch(value):
            yield Finding((*at, kebab(field)), f"must be a date such as 2026-11-23 or 2026-11, not {value!r}")
    yield from _record(target, at, known)


def _origin(origin: Origin, at: Key, known: _Known) -> Iterator[Finding]:
    yield from _name(origin.name, (*at, "name"))
    if origin.licence:
        yield from known.licence(origin.licence, (*at, "licence"))
    for field in ("manifests", "blobs"):
        yield from _digests(getattr(origin, field), (*at, field))
    yield from _record(origin, at, known)


def _record(record: Target | Origin, at: Key, known: _Known) -> Iterator[Finding]:
    for number, source in enumerate(record.sources):
        yield from known.source(source, (*at, "sources", number))
    yield from _sourced(record.scores, (*at, "scores"), known)
    for number, tag in enumerate(record.tags):
        yield from _tag(tag, (*at, "tags", number))


def _tag(tag: Tag, at: Key) -> Iterator[Finding]:
    yield from _name(f"model:{tag.tag}", (*at, "tag"))
    yield from _digests(tag.digest, (*at, "digest"))


def _sourced(figures: Iterable[Figures | Score], at: Key, known: _Known) -> Iterator[Finding]:
    for number, figure in enumerate(figures):
        yield from known.source(figure.source, (*at, number, "source"))


def _caveats(codes: tuple[str, ...], at: Key, known: _Known) -> Iterator[Finding]:
    for number, code in enumerate(codes):
        yield from known.caveat(code, (*at, "caveats", number))


def _twice(values: list[str], table: str, field: str, same: Callable[[str], str], at: Key = ()) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, value in enumerate(values):
        earlier = first.setdefault(same(value), number)
        if earlier != number:
            yield Finding(
                (*at, table, number, field), f"{value!r} is also the {field} of {table}[{earlier}]", "duplicate"
            )


def _digests(value: str | tuple[str, ...], at: Key) -> Iterator[Finding]:
    if isinstance(value, str):
        if value:
            yield from _digest(value, at)
        return
    for number, digest in enumerate(value):
        yield from _digest(digest, (*at, number))


def _digest(value: str, at: Key) -> Iterator[Finding]:
    if not _DIGEST.fullmatch(value):
        yield Finding(at, f"must be a digest of 12 to 64 hex digits, as `ollama list` prints them, not {value[:80]!r}")


def _size(value: str, at: Key) -> Iterator[Finding]:
    try:
        parse_size(value)
    except ValueError as error:
        yield Finding(at, str(error))


def _name(value: str, at: Key) -> Iterator[Finding]:
    from llamaexit.ollama.names import Name

    try:
        Name.parse(value)
    except ValueError as error:
        yield Finding(at, str(error))


def _version(value: str, at: Key) -> Iterator[Finding]:
    from packaging.version import InvalidVersion, Version

    try:
        Version(value)
    except InvalidVersion:
        yield Finding(at, f"must be a version such as 1.2, not {value[:80]!r}")


def _specifier(value: str | None, at: Key, example: str) -> Iterator[Finding]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(value or "")
    except InvalidSpecifier:
        yield Finding(at, f"must be a version range such as {example!r}, not {(value or '')[:80]!r}")


def _negative(table: Any, at: Key) -> Iterator[Finding]:
    """Sizes, counts and lengths below zero, anywhere; measured figures may be."""
    cls = type(table)
    for name in _NUMBERS[cls]:
        number = getattr(table, name)
        if number is not None and number < 0:
            yield Finding((*at, kebab(name)), f"must not be negative, and is {number}")
    for name, (kind, _) in NESTED.get(cls, {}).items():
        inner = getattr(table, name)
        if kind == "many":
            for position, item in enumerate(inner):
                yield from _negative(item, (*at, kebab(name), position))
        elif kind == "one" and inner is not None:
            yield from _negative(inner, (*at, kebab(name)))
