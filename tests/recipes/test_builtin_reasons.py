"""What the built-in rules say about a choice is true of it, and no machine is left without an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from llamaexit.recipes.library import BoundRule, Library
from llamaexit.recipes.model import Choice, Tag, Target

GB = 1_000_000_000
SMALL = 7 * GB  # what a machine with 8 GB runs
LARGE = 12 * GB
THINKING_USES = ("reasoning", "math")
THINKERS = ("deepseek-r1", "r1-1776")
SIZE = re.compile(r"(\d+(?:\.\d+)?) (GB|MB)\b")
ROOM = re.compile(r"(?:machines? with|that fit) \d+ GB")
INSTEAD = re.compile(r"instead of (\d+(?:\.\d+)?) GB")
AGAINST = re.compile(r"(\d+(?:\.\d+)?) against (\d+(?:\.\d+)?)(?! for Llama)")


class Offer(NamedTuple):
    """One choice of a rule, with the record of its target."""

    bound: BoundRule
    choice: Choice
    target: Target
    tag: Tag | None

    @property
    def size(self) -> int:
        return self.tag.size if self.tag is not None and self.tag.size else self.target.size

    @property
    def quiet(self) -> bool:
        return self.target.thinking.default is False

    def __str__(self) -> str:
        return f"{self.bound.rule.id}: {self.choice.model}: {self.choice.why}"


def offered(library: Library, bound: BoundRule) -> list[Offer]:
    return [Offer(bound, choice, *found(library, choice.model)) for choice in bound.rule.targets]


def offers(library: Library) -> list[Offer]:
    return [offer for bound in library.rules for offer in offered(library, bound)]


def found(library: Library, name: str) -> tuple[Target, Tag | None]:
    record = library.target(name)
    assert record is not None, name
    return record


def test_every_choice_says_how_large_it_is(library: Library) -> None:
    for offer in offers(library):
        named = SIZE.findall(INSTEAD.sub("", ROOM.sub("", offer.choice.why)))
        assert named, str(offer)
        for number, unit in named:
            stated = float(number) * (GB if unit == "GB" else GB / 1000)
            # two digits, of figures that a page may have rounded already
            assert stated == pytest.approx(offer.size, rel=0.06), str(offer)


def test_a_size_that_is_saved_is_that_of_the_old_model(library: Library) -> None:
    saved = [(offer, float(number)) for offer in offers(library) for number in INSTEAD.findall(offer.choice.why)]
    named = [(offer, number) for offer, number in saved if offer.bound.rule.match]
    assert len(named) > 5
    for offer, number in named:
        before = [origin.size for name in offer.bound.rule.match if (origin := library.origin(name)) is not None]
        assert any(number * GB == pytest.approx(size, rel=0.03) for size in before), str(offer)


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ("never thinks", lambda offer: offer.quiet),
        ("always thinks", lambda offer: offer.target.thinking.can_disable is False),
        ("thinking can be switched off", lambda offer: offer.target.thinking.can_disable is True),
        ("reads images", lambda offer: "vision" in offer.target.capabilities),
        ("holds 256K tokens", lambda offer: offer.target.context == 262144),
        ("calls tools", lambda offer: "tools" in offer.target.capabilities and not offer.target.weak_for),
        ("returns tool calls", lambda offer: "tools" in offer.target.capabilities and not offer.target.weak_for),
        ("without tools", lambda offer: "tools" not in offer.target.capabilities),
        ("takes a suffix", lambda offer: "insert" in offer.target.capabilities),
        ("send a suffix", lambda offer: "insert" in offer.target.capabilities),
        ("fill in the middle", lambda offer: offer.target.fim is True),
        ("at 8 bits", lambda offer: offer.tag is not None and offer.tag.quant == "q8_0"),
        ("distilled", lambda offer: offer.target.name.startswith("deepseek-r1")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_reason_claims_is_what_the_record_says(
    library: Library, words: str, holds: Callable[[Offer], bool]
) -> None:
    claimed = [offer for offer in offers(library) if words in offer.choice.why]
    assert claimed
    assert [str(offer) for offer in claimed if not holds(offer)] == []


def test_active_parameters_in_a_reason_are_those_of_the_record(library: Library) -> None:
    for offer in offers(library):
        for number in re.findall(r"(\d+(?:\.\d+)?)B active", offer.choice.why):
            assert float(number) == offer.target.active_parameters, str(offer)


def test_figures_in_a_reason_are_published_ones(library: Library) -> None:
    compared = 0
    for offer in offers(library):
        for new, old in AGAINST.findall(offer.choice.why):
            assert (float(new), float(old)) in {(f.new, f.old) for f in offer.choice.evidence}, str(offer)
            compared += 1
    assert compared >= 5


def test_no_reason_needs_another_one_to_be_understood(library: Library) -> None:
    for offer in offers(library):
        assert len(offer.choice.why.split()) >= 5, str(offer)
        assert not re.search(r"\b(same size|class of|pick of)\b", offer.choice.why), str(offer)


def test_every_rule_has_something_for_a_machine_with_8_gb(library: Library) -> None:
    rules = [bound for bound in library.rules if bound.rule.targets]
    assert [b.rule.id for b in rules if min(offer.size for offer in offered(library, b)) > SMALL] == []


def test_where_a_large_thinking_model_is_proposed_so_is_a_large_one_that_never_thinks(library: Library) -> None:
    """Unless the use or the old model wants thinking."""
    for bound in library.rules:
        if bound.rule.use in THINKING_USES or any(name.startswith(THINKERS) for name in bound.rule.match):
            continue
        large = [offer for offer in offered(library, bound) if offer.size > LARGE]
        assert not large or any(offer.quiet for offer in large), bound.rule.id


@pytest.mark.parametrize("name", ["llama4:scout", "llama4:maverick", "llama3.2-vision:90b"])
def test_models_with_eyes_are_followed_by_quiet_ones_with_eyes_of_several_sizes(library: Library, name: str) -> None:
    rules = [bound for bound in library.rules if name in bound.rule.match]
    assert rules
    for bound in rules:
        seeing = [o.size for o in offered(library, bound) if o.quiet and "vision" in o.target.capabilities]
        assert min(seeing) < 4 * GB, bound.rule.id
        assert max(seeing) > LARGE, bound.rule.id


def test_a_test_the_old_model_wins_is_shown_where_the_plan_says_there_are_some(library: Library) -> None:
    warned = [bound.rule for bound in library.rules if "QUALITY_RISK" in bound.rule.caveats]
    assert warned
    assert [rule.id for rule in warned if not any(f.favours == "old" for f in rule.counter_evidence)] == []


def test_no_chat_template_is_spoken_of_where_none_is_involved(library: Library) -> None:
    without = [bound.rule for bound in library.rules if bound.rule.use in ("fim", "text", "embedding")]
    assert [rule.id for rule in without if "TEMPLATE" in rule.caveats] == []


def test_what_only_base_tags_need_is_said_of_base_tags(library: Library) -> None:
    assert [bound.rule.id for bound in library.rules if "FIM_RAW" in bound.rule.caveats] == []
    for offer in offers(library):
        assert ("FIM_RAW" in offer.choice.caveats) == offer.choice.model.endswith("-base"), str(offer)


def test_a_tag_that_names_its_quantization_is_not_called_a_moving_one(library: Library) -> None:
    moving = [offer.choice.model for offer in offers(library) if "MOVING_TAG" in offer.choice.caveats]
    assert moving
    assert [name for name in moving if re.search(r"-(q\d|fp16|bf16)", name)] == []


@pytest.mark.parametrize(
    "asked",
    [
        "muse-spark", "gpt-5.5", "claude-opus-4", "gemini-3-pro", "grok-4", "deepseek-v4", "deepseek-chat", "qwen3-max",
        "qwen3-coder-plus", "qwen3.8:2.4t", "qwen3-coder:480b-cloud", "qwen3-vl:235b-cloud", "deepseek-v3.1:671b-cloud",
        "kimi-k2:cloud",
    ],
)  # fmt: skip
def test_nearest_models_go_from_the_largest_to_one_for_8_gb(library: Library, asked: str) -> None:
    closed = library.closed(asked)
    assert closed is not None
    sizes = [found(library, name)[0].size for name in closed.nearest]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] <= SMALL


@pytest.mark.parametrize(
    ("asked", "kind"),
    [("qwen3-coder:480b-cloud", "coder"), ("qwen3-vl:235b-cloud", "-vl"), ("deepseek-v4-pro:cloud", "deepseek")],
)
def test_nearest_models_are_of_the_kind_that_was_asked_for(library: Library, asked: str, kind: str) -> None:
    closed = library.closed(asked)
    assert closed is not None
    assert kind in closed.nearest[0]
    assert kind in closed.nearest[-1]


def test_nobody_is_named_twice_as_the_maker_of_a_closed_model(library: Library) -> None:
    for asked in ("gpt-oss:120b-cloud", "deepseek-chat", "qwen3-max", "muse-spark"):
        closed = library.closed(asked)
        assert closed is not None
        assert closed.vendor not in closed.name
