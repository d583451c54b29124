"""It reads a word in a picture that was drawn a moment ago, so that nothing but looking helps."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.drawing import Picture
from llamaexit.smoke.patience import with_room
from llamaexit.smoke.texts import garbled, repeats

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_LOOKS = (
    Picture("", dot=10),
    Picture("", dot=12, ink=(255, 255, 255), paper=(20, 40, 140)),
    Picture("", dot=8, ink=(150, 10, 10), paper=(250, 240, 200)),
)
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def run(bench: Bench) -> Finding:
    def ask(case: tuple[int, Picture]) -> str:
        number, look = case
        word = bench.word(f"vision.read {number}")
        return misread(bench, Picture(word, look.width, look.height, look.dot, look.ink, look.paper))

    tally = Tally().each(enumerate(_LOOKS), ask)
    return tally.finding(may_lose=1)


def misread(bench: Bench, picture: Picture, *, max_tokens: int = 64) -> str:
    """What is wrong with how the word in a picture is read; nothing when it is read, give or take one letter."""
    image = base64.b64encode(picture.png()).decode("ascii")
    question = {
        "role": "user",
        "content": "One word is written in this picture. Which? Answer with that word only.",
        "images": [image],
    }
    answer = with_room(lambda tokens: bench.chat([question], max_tokens=tokens), max_tokens)
    if problem := garbled(answer.text) or repeats(answer.text):
        return problem
    read = "".join(letter for letter in answer.text.upper() if letter in _LETTERS)
    if nearly_in(picture.text, read):
        return ""
    return f"the picture says {picture.text}, it reads {answer.text.strip()[:40]!r}"


def nearly_in(word: str, text: str) -> bool:
    """Whether a word stands somewhere in a text with at most one letter changed, missing or added."""
    # distances between the beginnings of the word and whatever ends at a place of the text
    row = list(range(len(word) + 1))
    for letter in text:
        above, row = row, [0]
        for place, wanted in enumerate(word):
            row.append(min(above[place] + (wanted != letter), above[place + 1] + 1, row[place] + 1))
        if row[-1] <= 1:
            return True
    return False


CHECK = Check("vision.read", "reads a word in a picture", run, uses=frozenset({"vision"}), reads=4000, writes=40)
