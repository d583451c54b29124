"""The policy in force: what all recipes together allow, key by key, and which recipe said so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from llamaexit.recipes.model import Policy, kebab
from llamaexit.recipes.names import means, name_key

if TYPE_CHECKING:
    from llamaexit.recipes.model import Because, Licence, Recipe, Target

T = TypeVar("T")

MOST_EXCEPTIONS = 100
"""Exceptions of one recipe: each is held against every target."""


@dataclass(frozen=True, slots=True)
class Decided(Generic[T]):
    """The value of one policy key and the name of the recipe that decided it."""

    value: T
    recipe: str


class Refusal(NamedTuple):
    """A reason of the policy against a target: what kind, in words, and the key that gives it."""

    because: Because
    text: str
    key: str


class Exemption(NamedTuple):
    """An exception to the denials of some recipes: the name or pattern it is for, why, and the recipe that makes it."""

    pattern: str
    why: str
    recipe: str
    over: tuple[str, ...]
    """The recipes whose denials it lifts: its own and those below. A weaker recipe lifts nothing of a stronger one."""


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """`Policy` with the recipe behind every value; None where no recipe sets the key.

    Pins and exceptions are merged target by target, so more than one recipe may be behind them; `pin` and `exemption`
    say which.
    """

    licences_allowed: Decided[tuple[str, ...]] | None = None
    deny_vendors: Decided[tuple[str, ...]] | None = None
    deny_families: Decided[tuple[str, ...]] | None = None
    deny_models: Decided[tuple[str, ...]] | None = None
    deny_origins: Decided[tuple[str, ...]] | None = None
    exceptions: Decided[dict[str, str]] | None = None
    max_download: Decided[str] | None = None
    min_context: Decided[int] | None = None
    min_gpu_share: Decided[float] | None = None
    thinking: Decided[Literal["avoid", "allow"]] | None = None
    pins: Decided[dict[str, str]] | None = None
    pinned_by: tuple[tuple[str, str], ...] = ()
    """Pairs of target and recipe, for every pin."""
    exempted: tuple[Exemption, ...] = ()
    """Every exception, that of the weakest recipe first."""

    def pin(self, name: str) -> Decided[str] | None:
        """The manifest digest a target is pinned to, however its name is spelled."""
        if self.pins is None:
            return None
        wanted, by = name_key(name), dict(self.pinned_by)
        return next(
            (Decided(d, by[target]) for target, d in self.pins.value.items() if name_key(target) == wanted), None
        )

    def refusal(self, target: Target, names: Sequence[str], licence: Callable[[str], Licence | None]) -> Refusal | None:
        """What speaks against a target, known by these names, whatever the machine is; None where nothing does."""
        allowed = self.licences_allowed
        if allowed is not None and not _licence_in(target.licence, allowed.value, licence(target.licence)):
            text = f"licence {target.licence or 'not known'} is not allowed by {allowed.recipe}"
            return Refusal("licence", text, "licences-allowed")
        denials = self._denials(target, names)
        return next((denial for recipe, denial in denials if self._lifting(recipe, names) is None), None)

    def exemption(self, target: Target, names: Sequence[str]) -> Exemption | None:
        """The exception but for which a target would be denied; None where it needs none."""
        lifted = (self._lifting(recipe, names) for recipe, _ in self._denials(target, names))
        return next((exemption for exemption in lifted if exemption is not None), None)

    def _denials(self, target: Target, names: Sequence[str]) -> Iterator[tuple[str, Refusal]]:
        """Every `deny-` key that speaks against a target, with the recipe it is from."""
        for denied, value, word, key in (
            (self.deny_vendors, target.vendor, "vendor", "deny-vendors"),
            (self.deny_vendors, target.base_vendor, "vendor of the base", "deny-vendors"),
            (self.deny_families, target.family, "family", "deny-families"),
            (self.deny_origins, target.country or "not known", "origin", "deny-origins"),
        ):
            if denied is not None and _text_in(value, denied.value):
                yield denied.recipe, Refusal("policy", f"{word} {value} is denied by {denied.recipe}", key)
        models = self.deny_models
        if models is not None and any(means(pattern, name) for pattern in models.value for name in names):
            yield models.recipe, Refusal("policy", f"denied by {models.recipe}", "deny-models")

    def _lifting(self, recipe: str, names: Sequence[str]) -> Exemption | None:
        """The strongest exception for a target of these names from what a recipe denies."""
        return next(
            (
                one
                for one in reversed(self.exempted)
                if recipe in one.over and any(means(one.pattern, name) for name in names)
            ),
            None,
        )

    def in_words(self) -> tuple[str, ...]:
        """One line for each key that is set, with the recipe it is from."""
        return tuple(f"{words} ({recipe})" for words, recipe in self.each_in_words().values())

    def each_in_words(self) -> dict[str, tuple[str, str]]:
        """For each key that is set, as TOML spells it: what it says, and the recipe it is from."""
        found = {}
        for name, phrase in _PHRASES.items():
            decided = getattr(self, name)
            if decided is not None:
                value = decided.value
                listed = ", ".join(value) if isinstance(value, (tuple, dict)) else value
                if name == "exceptions":
                    listed = "; ".join(f"{model} ({why.rstrip('.')})" for model, why in value.items())
                found[kebab(name)] = (phrase.format(listed or "none"), decided.recipe)
        return found


_PHRASES = {
    "licences_allowed": "licences allowed: {}",
    "deny_vendors": "vendors denied: {}",
    "deny_families": "families denied: {}",
    "deny_models": "models denied: {}",
    "deny_origins": "countries of origin denied: {}",
    "exceptions": "allowed all the same: {}",
    "max_download": "largest download: {}",
    "min_context": "smallest context: {} tokens",
    "min_gpu_share": "smallest share on the GPU: {:.0%}",
    "thinking": "thinking: {}",
    "pins": "pinned by digest: {}",
}


_BY_TARGET = ("pins", "exceptions")
"""Keys that are not decided as a whole, but for each target by the strongest recipe that names it."""


def effective_policy(recipes: Iterable[Recipe]) -> EffectivePolicy:
    """The policy of several recipes, lowest precedence first: the last one that sets a key decides it."""
    decided: dict[str, Any] = {}
    pins: dict[str, tuple[str, str, str]] = {}
    exempted: dict[str, Exemption] = {}
    met: tuple[str, ...] = ()
    for recipe in recipes:
        if recipe.policy is None:
            continue
        met += (recipe.name,)
        for field in fields(Policy):
            value = getattr(recipe.policy, field.name)
            if value is not None and field.name not in _BY_TARGET:
                decided[field.name] = Decided(value, recipe.name)
        for target, digest in (recipe.policy.pins or {}).items():
            pins[name_key(target)] = (target, digest, recipe.name)
        for target, why in (recipe.policy.exceptions or {}).items():
            exempted.pop(name_key(target), None)  # it counts as of the stronger recipe then, also in the order
            exempted[name_key(target)] = Exemption(target, why, recipe.name, met)
    if pins:
        behind = ", ".join(dict.fromkeys(recipe_name for _, _, recipe_name in pins.values()))
        decided["pins"] = Decided({target: digest for target, digest, _ in pins.values()}, behind)
        decided["pinned_by"] = tuple((target, recipe_name) for target, _, recipe_name in pins.values())
    if exempted:
        behind = ", ".join(dict.fromkeys(one.recipe for one in exempted.values()))
        decided["exceptions"] = Decided({one.pattern: one.why for one in exempted.values()}, behind)
        decided["exempted"] = tuple(exempted.values())
    return EffectivePolicy(**decided)


def _licence_in(licence_id: str, allowed: tuple[str, ...], licence: Licence | None) -> bool:
    """Whether a licence is allowed by its id or by a class it belongs to (`open-source`, `commercial`)."""
    if licence_id in allowed:
        return True
    return licence is not None and (
        (licence.open_source and "open-source" in allowed) or (licence.commercial and "commercial" in allowed)
    )


def _text_in(value: str, patterns: tuple[str, ...]) -> bool:
    """Whether a plain word (a vendor, a country) matches one of the glob patterns, whatever its case."""
    return any(fnmatchcase(value.casefold(), pattern.casefold()) for pattern in patterns)
