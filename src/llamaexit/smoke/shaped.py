"""What the checks of JSON share: people in short texts, to be written down in the shape of one schema."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llamaexit.smoke.check import Finding, Tally
from llamaexit.smoke.texts import cut_off, leaked

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer

CLUBS = ("music", "chess", "rowing")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "clubs": {"type": "array", "items": {"type": "string", "enum": list(CLUBS)}},
    },
    "required": ["name", "age", "clubs"],
    "additionalProperties": False,
}
_TEXTS = (
    "{name} turned {age} last week and is in the {one} club and in the {two} club.",
    "Our newest member is {name}, {age} years old, who has joined the {one} club.",
    "At {age}, {name} still goes to the {one} club on Mondays and to the {two} club on Fridays.",
    "{name} wrote that, being {age} now, there is only time left for the {one} club.",
    "The {one} club lost {name}, who is {age} and spends every evening in the {two} club instead.",
)
_NAMES = ("Mira", "Jonas", "Aylin", "Tomasz", "Greta", "Nils", "Paula", "Emre", "Sofia", "Henrik")
MAY_MISREAD = 1
"""Of five texts, in how many a figure may be read wrong. The shape has to be right in all."""


@dataclass(frozen=True, slots=True)
class Person:
    """A text about one person, and the age it tells."""

    text: str
    age: int

    @property
    def question(self) -> str:
        """The text with what to do with it. The schema is quoted, since a grammar alone tells a model nothing."""
        return (
            f"{self.text}\n\nWrite name, age and present clubs of this person as JSON that fits this schema:"
            f" {json.dumps(SCHEMA)}"
        )


def people(dice: random.Random, count: int) -> tuple[Person, ...]:
    """So many people, each in a text of another form. At most five."""
    found = []
    for text, name in zip(_TEXTS[:count], dice.sample(_NAMES, count), strict=True):
        one, two = dice.sample(CLUBS, 2)
        age = dice.randint(13, 87)
        found.append(Person(text.format(name=name, age=age, one=one, two=two), age))
    return tuple(found)


def misshapen(text: str) -> str:
    """Why a text is not JSON of that schema and nothing else; nothing when it is."""
    value = parsed(text)
    if value is None:
        return "the answer is not a JSON object and nothing else"
    if missing := [key for key in SCHEMA["required"] if key not in value]:
        return f"the JSON lacks {', '.join(missing)}"
    if extra := [key for key in value if key not in SCHEMA["properties"]]:
        return f"the JSON has {', '.join(extra)[:60]}, which the schema does not allow"
    if not isinstance(value["name"], str):
        return "name is no string"
    if not isinstance(value["age"], int) or isinstance(value["age"], bool):
        return "age is no whole number"
    if not isinstance(value["clubs"], list) or not all(club in CLUBS for club in value["clubs"]):
        return f"clubs is not a list of {', '.join(CLUBS)}"
    return ""


def parsed(text: str) -> dict[str, Any] | None:
    """The object that a text of JSON is; None when it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def written_down(cases: Sequence[Person], ask: Callable[[str], Answer]) -> Finding:
    """Have people written down, and hold each answer to the schema and to the age that the text tells."""
    tally = Tally()
    shapeless: list[str] = []

    def judged(person: Person) -> str:
        answer = ask(person.question)
        if problem := _unreadable(answer):
            shapeless.append(problem)
            return problem
        age = (parsed(answer.text) or {})["age"]
        return "" if age == person.age else f"age is {age}, the text says {person.age}"

    finding = tally.each(cases, judged).finding(may_lose=MAY_MISREAD)
    lost = len(tally.problems)
    if shapeless or tally.faults.count("wrong") < lost:
        reason = f"{lost} of {len(cases)} answers: {(shapeless or tally.problems)[0]}"
        return replace(finding, outcome="fail", reason=reason)
    return finding


def _unreadable(answer: Answer) -> str:
    if not answer.text.strip():
        return "an empty answer"
    # a body cut off in the middle is no JSON, either, but that is not what is wrong with it
    problem = misshapen(answer.text)
    return leaked(answer.text) or (problem and cut_off(answer.finish)) or problem
