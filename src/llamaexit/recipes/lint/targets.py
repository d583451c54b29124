"""Targets that a plan would turn down anyway, or that take something away from the people who use the old model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llamaexit.recipes.lint.registry import Mark, lint
from llamaexit.recipes.names import is_pattern, means
from llamaexit.recipes.needs import NEEDS, NEVER_AUTOMATIC
from llamaexit.recipes.policy import MOST_EXCEPTIONS
from llamaexit.recipes.problems import did_you_mean
from llamaexit.units import gb, parse_size

if TYPE_CHECKING:
    from llamaexit.recipes.lint.seen import Seen
    from llamaexit.recipes.model import Choice, Loss, Origin, Rule, Target
    from llamaexit.recipes.positions import Key

_CAPABILITIES = ("tools", "vision")
_KNOWN_BY_CAVEAT: dict[str, str] = {"tools": "NO_TOOLS", "vision": "NO_VISION", "context": "CONTEXT"}
"""Caveats that say what `accept-loss` would accept: whoever wrote one knows of it."""


@lint("error")
def llama_target(seen: Seen) -> Iterator[Mark]:
    """A target that is built on Llama itself.

    A plan never takes it. Some names do not tell: `deepseek-r1:70b` is a Llama.
    """
    for key, _, choice, target in seen.choices():
        if target.origin == "meta":
            yield Mark(key, f"{choice.model} is built on Llama ({target.base or target.name})")


@lint("error")
def cloud_target(seen: Seen) -> Iterator[Mark]:
    """A target that only runs on somebody else's servers.

    A plan never takes it.
    """
    for key, _, choice, target in seen.choices():
        if not target.local:
            yield Mark(key, f"{choice.model} only runs on somebody else's servers")


@lint("error")
def weak_target(seen: Seen) -> Iterator[Mark]:
    """A target that Ollama itself lists as working poorly for the use.

    A plan never takes it for that use.
    """
    for key, rule, choice, target in seen.choices():
        if rule.use in target.weak_for:
            yield Mark(key, f"Ollama lists {choice.model} as working poorly for {rule.use}")


@lint("error")
def unfit_target(seen: Seen) -> Iterator[Mark]:
    """A target that lacks what the use needs.

    Tools need a model with tools, vision one that sees, embedding one that embeds. A plan never takes another one.
    """
    for key, rule, choice, target in seen.choices():
        missing = sorted(NEEDS.get(rule.use, frozenset()) - set(target.capabilities))
        if missing and target.capabilities:
            yield Mark(key, f"{choice.model} has no {' and no '.join(missing)}, which {rule.use} needs")


@lint("error")
def denied_licence(seen: Seen) -> Iterator[Mark]:
    """A target of another licence than the policy allows.

    A plan never takes it, whichever recipe the policy is from.
    """
    for key, _, choice, target in seen.choices():
        refusal = seen.library.policy.refusal(target, (choice.model, target.name), seen.library.licence)
        if refusal is not None and refusal.because == "licence":
            yield Mark(key, f"{choice.model}: {refusal.text}")


@lint("error")
def denied_target(seen: Seen) -> Iterator[Mark]:
    """A target that the policy denies for its vendor, family, origin, name, size or thinking.

    A plan never takes it, whichever recipe the policy is from.
    """
    policy = seen.library.policy
    for key, _, choice, target in seen.choices():
        refusal = policy.refusal(target, (choice.model, target.name), seen.library.licence)
        if refusal is not None:
            text = refusal.text if refusal.because != "licence" else ""
        elif (limit := policy.max_download) is not None and _size(seen, choice) > _bytes(limit.value):
            text = f"download of {gb(_size(seen, choice))} is over the {limit.value} of {limit.recipe}"
        elif (thinking := policy.thinking) is not None and thinking.value == "avoid" and target.thinking.default:
            text = f"thinks by default, which {thinking.recipe} avoids"
        else:
            continue
        if text:
            yield Mark(key, f"{choice.model}: {text}")


@lint("warning")
def idle_exception(seen: Seen) -> Iterator[Mark]:
    """An exception in the policy for a model that nothing denies, or that no recipe describes.

    Mostly a slip of the keyboard, or what is left of a denial that is gone. An exception lifts the `deny-` keys of its
    own recipe and of those below it; licences and sizes are not lifted.
    """
    made = seen.recipe.policy.exceptions if seen.recipe.policy is not None else None
    if not made or len(made) > MOST_EXCEPTIONS:
        return
    policy, known = seen.library.policy, seen.library.target_names()
    for pattern in made:
        described = [name for name in known if means(pattern, name)]
        if not described:
            text = f"no recipe describes {pattern!r}{did_you_mean(pattern, known)}"
            yield Mark(("policy", "exceptions", pattern), text)
            continue
        found = [(name, target[0]) for name in described if (target := seen.library.target(name)) is not None]
        if not any(policy.exemption(target, (name, target.name)) for name, target in found):
            yield Mark(("policy", "exceptions", pattern), f"nothing that it could lift denies {pattern!r}")


def _size(seen: Seen, choice: Choice) -> int:
    found = seen.library.target(choice.model)
    assert found is not None
    target, tag = found
    return tag.size if tag is not None else target.size


def _bytes(text: str) -> int:
    """A size in the policy; one that is none is an `invalid-value` and limits nothing here."""
    try:
        return parse_size(text)
    except ValueError:
        return 1 << 62


@lint("warning")
def loses_capability(seen: Seen) -> Iterator[Mark]:
    """A target without the tools or the vision that the old model has.

    A plan passes it over, unless the use is given with `--use`. If that is known, say so: with the caveat `NO_TOOLS` or
    `NO_VISION` (a plan still passes it over) or with `accept-loss = ["tools"]` (it takes it).
    """
    for key, rule, choice, target in seen.choices():
        sources = seen.sources(rule) if rule.use not in NEVER_AUTOMATIC else ()
        for capability in [one for one in _CAPABILITIES if one not in NEEDS.get(rule.use, frozenset())]:
            have = [one for one in sources if capability in one.capabilities]
            if not have or (_by_pattern(rule) and len(have) < len(sources)):
                continue  # a pattern may well mean models with and without
            if capability not in target.capabilities and not _accepted(capability, rule, choice):
                yield Mark(key, f"{choice.model} has no {capability}, which {have[0].name} has")


@lint("warning")
def loses_context(seen: Seen) -> Iterator[Mark]:
    """A target that holds fewer tokens than the old model.

    A plan passes it over where so many are really used. If the loss is known, say so: with the caveat `CONTEXT` (a plan
    still passes it over where the context is too short) or with `accept-loss = ["context"]` (it takes it even then).
    """
    for key, rule, choice, target in seen.choices():
        known = [one for one in seen.sources(rule) if one.context] if rule.use not in NEVER_AUTOMATIC else []
        # of what a pattern means, one may well be made for far more tokens than the others
        pick = min if _by_pattern(rule) else max
        source = pick(known, key=lambda one: one.context, default=None)
        if source is not None and 0 < target.context < source.context and not _accepted("context", rule, choice):
            yield Mark(key, f"{choice.model} holds {target.context} tokens, {source.name} {source.context}")


def _by_pattern(rule: Rule) -> bool:
    return any(is_pattern(text) for text in rule.match)


def _accepted(loss: str, rule: Rule, choice: Choice) -> bool:
    caveat = _KNOWN_BY_CAVEAT.get(loss)
    return loss in (*rule.accept_loss, *choice.accept_loss) or caveat in (*rule.caveats, *choice.caveats)


@lint("warning")
def idle_accept_loss(seen: Seen) -> Iterator[Mark]:
    """An `accept-loss` that accepts what cannot be lost, or what nothing loses.

    What the use itself needs is never given up; and where every source that is known lacks it, there is nothing to
    lose.
    """
    for number, rule in enumerate(seen.recipe.rules):
        at: Key = ("rules", number)
        sources = seen.sources(rule)
        places: list[tuple[Key, tuple[Loss, ...], list[Choice]]] = [
            ((*at, "accept-loss"), rule.accept_loss, list(rule.targets))
        ]
        places += [
            ((*at, "targets", position, "accept-loss"), choice.accept_loss, [choice])
            for position, choice in enumerate(rule.targets)
        ]
        for key, accepted, choices in places:
            targets = [found[0] for choice in choices if (found := seen.library.target(choice.model)) is not None]
            for position, loss in enumerate(accepted):
                if loss in NEEDS.get(rule.use, frozenset()):
                    yield Mark((*key, position), f"{loss} is what {rule.use} needs, and is never given up")
                elif targets and sources and not any(_loses(loss, one, other) for one in sources for other in targets):
                    yield Mark((*key, position), f"no {loss} is lost: {sources[0].name} has nothing more of it")


def _loses(loss: str, source: Origin, target: Target) -> bool:
    if loss == "context":
        return 0 < target.context < source.context
    return loss in source.capabilities and loss not in target.capabilities


@lint("error")
def never_automatic(seen: Seen) -> Iterator[Mark]:
    """A rule that would replace an embedding, guard or medical model without a person.

    Vectors of two models cannot be mixed, and a validation does not carry over. Say `automatic = false`, and in
    `decide` what a person has to do first.
    """
    for number, rule in enumerate(seen.recipe.rules):
        if rule.use in NEVER_AUTOMATIC and rule.automatic:
            yield Mark(("rules", number, "use"), f"{rule.use} models are never replaced without a person")
