"""Models for the stand-in that read what they are asked and answer as a real one would, and some that fail as real
ones do.

A `Brain` goes through its skills until one has an answer, and then through its habits, which may spoil it. Skills know
plain English, not the checks of llamaexit; tests of other things bring skills of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from standin.behaviour import Said, Traits, Turn

Skill = Callable[[Turn], Said | str | None]
"""Says something to a turn it understands, or nothing."""
Habit = Callable[[Turn, Said], Said]
"""Changes what is about to be said."""

THOUGHT = "The user wants a short answer. I look at what is asked, find it simple, and write it down. "


def repeats_words(turn: Turn) -> str | None:
    found = re.search(r"\bword\b[^:]*: (\w+)$", turn.last)
    return found[1] if found else None


def fills_forms(turn: Turn) -> str | None:
    """Structured output: who, how old, in which clubs; or any schema in its plainest form."""
    if not isinstance(turn.format, dict):
        return None
    text = turn.last.partition("\n\n")[0]
    age = re.search(r"\d+", text)
    people = [
        word for word in re.findall(r"\b[A-Z][a-z]+", text) if word not in ("The", "Our", "At", "Mondays", "Fridays")
    ]
    clubs = re.findall(r"(\w+) club\b(?! lost)", text)
    return json.dumps({"name": people[0] if people else "", "age": int(age[0]) if age else 0, "clubs": clubs})


def answers_in_json(turn: Turn) -> str | None:
    if turn.format != "json":
        return None
    found = re.search(r"took place in (\w+), in (\w+)", turn.last)
    return json.dumps({"city": found[1], "country": found[2]} if found else {})


_SUMS: tuple[tuple[str, Callable[..., int]], ...] = (
    (r"holds (\d+) rows of (\d+) eggs\. (\d+) eggs are broken", lambda a, b, c: a * b - c),
    (r"has (\d+) stamps, buys (\d+) packs of (\d+)", lambda a, b, c: a + b * c),
    (r"starts with (\d+) people\. (\d+) get off and (\d+) get on", lambda a, b, c: a - b + c),
    (r"(\d+) friends each pay (\d+) euros for a gift\. It costs (\d+) euros less", lambda a, b, c: a * b - c),
    (r"path is (\d+) km long, another (\d+) km\. Someone walks both (\d+) times", lambda a, b, c: (a + b) * c),
    (r"(\d+) tables has (\d+) chairs, and (\d+) more", lambda a, b, c: a * b + c),
    (r"has (\d+) litres\. (\d+) buckets of (\d+) litres", lambda a, b, c: a + b * c),
    (r"sells (\d+) cakes a day for (\d+) days and gives (\d+) away", lambda a, b, c: a * b + c),
    (r"Of (\d+) seats, (\d+) are broken and (\d+) are taken", lambda a, b, c: a - b - c),
    (r"reads (\d+) pages a day for (\d+) days, then (\d+) pages more", lambda a, b, c: a * b + c),
    (r"holds (\d+) rows of (\d+) jars\. Nine jars are taken away", lambda a, b: a * b - 9),
)


def does_sums(turn: Turn) -> str | None:
    for pattern, result in _SUMS:
        if found := re.search(pattern, turn.last):
            return str(result(*map(int, found.groups())))
    return None


_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SAYINGS: tuple[tuple[str, str], ...] = (
    (r"colour is fresh grass", "Fresh grass is green."),
    (r"title .*tomato plant", "Repotting a Tomato Plant"),
    (r"Is this message a complaint", "Yes."),
    (r"five fruits", "Apple\nPear\nPlum\nCherry\nFig"),
    (r"numbers from one to five", "\n".join([*_NUMBERS[:5], "END", *_NUMBERS[5:]])),
    (r"youngest of the three", "Lea is the youngest."),
    (r"how many legs does a spider", "A spider has eight legs."),
    (r"name for a small grey cat", "Pebble"),
    (r"place where trains stop", "It is called a station."),
    (r"大白兔", "Try White Rabbit sweets, soft and full of milk!"),
    (r"面包店", "A small bakery opens at six and feeds students in fine weather and neighbours in the rain."),
    (r"which animal", "A dog that sleeps through all of it."),
    (r"float on water", "Wood, cork and ducks float on water."),
)


def knows_things(turn: Turn) -> str | None:
    for pattern, saying in _SAYINGS:
        if re.search(pattern, turn.last, re.I | re.S):
            return saying
    return None


def tells_stories(turn: Turn) -> str | None:
    if "long story" not in turn.last:
        return None
    return " ".join(
        f"On day {number} somebody came by and changed the part with the number {number}." for number in range(99)
    )


def knows_its_name(turn: Turn) -> str | None:
    if not re.search(r"who are you|company made you", turn.last, re.I):
        return None
    given = re.search(r"You are (\w+), (the assistant of [^.]+)\.", turn.system)
    return f"I am {given[1]}, {given[2]}." if given else "I am Qwen, made by Alibaba Cloud."


def talks(turn: Turn) -> str:
    """What there is to say to everything else."""
    return "That depends on the place, but most people begin with something simple."


CHAT_SKILLS: tuple[Skill, ...] = (
    repeats_words, fills_forms, answers_in_json, does_sums, knows_its_name, knows_things, tells_stories, talks,
)  # fmt: skip


def thinks(turn: Turn, said: Said) -> Said:
    """Reasons first whenever it is not told otherwise."""
    return replace(said, thinking=said.thinking or THOUGHT * 2) if turn.think else said


def obeys(turn: Turn, said: Said) -> Said:
    """Ends its answers as the system prompt wants them to end."""
    found = re.search(r"End every answer with the mark (\S+)", turn.system)
    return replace(said, content=f"{said.content} {found[1]}") if found and isinstance(said.content, str) else said


@dataclass(frozen=True)
class Brain:
    """A model. The first skill that has something to say says it; then every habit has a go at it, in order."""

    skills: Sequence[Skill] = CHAT_SKILLS
    habits: Sequence[Habit] = (obeys,)
    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        for skill in self.skills:
            answer = skill(turn)
            if answer is not None:
                break
        else:
            answer = ""
        said = answer if isinstance(answer, Said) else Said(answer)
        for habit in self.habits:
            said = habit(turn, said)
        return said

    def can(self, *skills: Skill) -> Brain:
        """The same model with more skills, which come first."""
        return replace(self, skills=(*skills, *self.skills))

    def but(self, *habits: Habit, **traits: Any) -> Brain:
        """The same model with more habits, which come last, and other traits."""
        return replace(self, habits=(*self.habits, *habits), traits=replace(self.traits, **traits))


QWEN = Brain(habits=(obeys, thinks))
"""A good model that can think, and does so unless told not to."""
LLAMA = Brain()
"""A good model that cannot think."""


def _changed(change: Callable[[str], str]) -> Habit:
    """A habit that concerns the text alone."""

    def habit(turn: Turn, said: Said) -> Said:
        return replace(said, content=change(said.content)) if isinstance(said.content, str) else said

    return habit


def only_when(condition: Callable[[Turn], bool], habit: Habit) -> Habit:
    """A habit that shows in some turns only."""
    return lambda turn, said: habit(turn, said) if condition(turn) else said


def only_in_prose(habit: Habit) -> Habit:
    """A habit that a grammar keeps out of JSON."""
    return only_when(lambda turn: turn.format is None, habit)


leaks_thinking = _changed(lambda text: f"<think>\n{THOUGHT}\n</think>\n\n{text}")
leaks_the_end_of_thinking = _changed(lambda text: f"{THOUGHT}\n</think>\n\n{text}")
leaks_a_token = _changed(lambda text: f"{text}<|im_end|>")
says_nothing = _changed(lambda text: "")
writes_garbage = _changed(lambda text: "G" * 60)
fences_json = _changed(lambda text: f"Here is the JSON:\n```json\n{text}\n```" if text.startswith("{") else text)
mixes_in_chinese = only_in_prose(_changed(lambda text: f"{text} 这是一个很好的问题。"))


def spends_all_on_thinking(turn: Turn, said: Said) -> Said:
    """Goes on thinking until the budget is used up, whenever it thinks."""
    return replace(said, thinking=THOUGHT * 400) if turn.think else said


def thinks_anyway(turn: Turn, said: Said) -> Said:
    """Cannot be stopped from thinking. The stand-in decides where that ends up, as Ollama does."""
    return replace(said, thinking=THOUGHT)


def reasons_inside_json(turn: Turn, said: Said) -> Said:
    """Puts its reasoning into the JSON it was to write, as `format: "json"` lets it."""
    if turn.format is None:
        return said
    return replace(said, content=json.dumps({"thought": THOUGHT, **json.loads(str(said.content))}))


def breaks_json_about(word: str) -> Habit:
    """JSON that ends too early, for texts with that word in it: failures hang on the text."""
    cut = _changed(lambda text: text[: len(text) // 2] if text.startswith("{") else text)
    return only_when(lambda turn: word in turn.last, cut)


def never_stops(turn: Turn, said: Said) -> Said:
    """Says it again, and again."""
    return replace(said, content=f"{said.content}\nAnd once more, for all who did not listen. ", endless=True)


def ignores_the_system_prompt(turn: Turn, said: Said) -> Said:
    """What it says is what it would say without."""
    return replace(said, content=re.sub(r" \[\[\w+\]\]$", "", str(said.content)))


def breaks_down(text: str, status: int = 500) -> Habit:
    """Its runner fails."""
    return lambda turn, said: Said("", error=text, status=status)


def half_on_the_cpu(brain: Brain) -> Brain:
    return brain.but(gpu_share=0.5, tokens_per_second=brain.traits.tokens_per_second / 6)


def slow(brain: Brain) -> Brain:
    return brain.but(tokens_per_second=brain.traits.tokens_per_second / 4)


def too_large(brain: Brain) -> Brain:
    return brain.but(load_error="model requires more system memory (19.3 GiB) than is available (14.8 GiB)")
