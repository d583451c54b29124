"""Questions that several checks put, and what each of their answers has to be like."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from llamaexit.smoke.texts import cut_off, garbled, leaked

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer

SHORT = (
    "What colour is fresh grass? Answer in one sentence.",
    "Give a title of at most six words for a chat about repotting a tomato plant. Write the title only.",
    'Is this message a complaint? Answer with yes or no: "The parcel came two days late, and the lid is broken."',
)
"""The small questions that programs put all day, for which nobody has to think."""
OWN_SAMPLING = {"temperature": None}
"""Options that leave sampling to the model: what thinks goes round in circles when it always takes the likeliest."""

_SENTENCES = (
    "The bridge was closed in the morning because two bolts had to be replaced.",
    "In the small library behind it, the heating failed twice before noon.",
    "Nobody noticed at first that the map on the wall showed the old tram line.",
    "A teacher counted the chairs and found that three of them belonged to the school.",
    "The baker brought rolls, and somebody paid for them with foreign coins.",
    "Rain came from the west, and the market moved under the arches.",
    "One of the painters asked whether the door should stay green.",
    "The answer was put off until the next meeting, as it often is.",
    "By then the ferry had turned back, its deck full of bicycles.",
    "An engineer measured the distance between the posts and wrote it on her sleeve.",
    "The dog of the harbour master slept through all of it.",
    "Later the lamps along the quay went on one after another.",
    "Two students compared their notes and disagreed about the date.",
    "The old clock was set forward by a quarter of an hour.",
    "A box of screws arrived that nobody could remember having ordered.",
    "The cook asked for more onions and got a bag of turnips instead.",
    "On the second floor a window was left open all night.",
    "The minutes of the evening fill less than a page.",
)


def prose(dice: random.Random, words: int) -> str:
    """A text of about so many words in which nothing of importance is said. Four words are about five tokens."""
    text: list[str] = []
    while words > 0:
        for sentence in dice.sample(_SENTENCES, len(_SENTENCES)):
            if words > 0:
                text.append(sentence)
                words -= len(sentence.split())
    return " ".join(text)


def plainly(answer: Answer) -> str:
    """What is wrong with an answer that should be plain text and come to its end; nothing when it is."""
    if not answer.text.strip():
        return _empty(answer)
    return leaked(answer.text) or garbled(answer.text) or cut_off(answer.finish)


def without_thinking(answer: Answer) -> str:
    """What is wrong with an answer whose model was told not to think; nothing when all is well."""
    if answer.thinking.strip():
        return f"it thinks although it was told not to ({len(answer.thinking):,} characters)"
    return plainly(answer)


def _empty(answer: Answer) -> str:
    if answer.finish == "length":
        spent = f"{answer.tokens:,} tokens" if answer.tokens else "all tokens"
        return f"an empty answer: {spent} were spent on thinking" if answer.thinking else f"an empty answer of {spent}"
    return "an empty answer"
