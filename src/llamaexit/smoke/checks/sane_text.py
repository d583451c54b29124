"""It writes plain text at all. Broken kernels, templates and caches show here; then nothing else is worth asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import CHAT_USES, TEXT_USES, Check, Finding, Tally
from llamaexit.smoke.texts import cut_off, garbled, template_token

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_ASK = (
    "Reply with exactly this word and nothing else: {word}",
    "Repeat the following word once, without adding anything: {word}",
)


_ENOUGH, _ENOUGH_TO_THINK = 48, 768
"""Tokens. The second is for models that think whatever they are told: that is another matter (`think.off`)."""


def run(bench: Bench) -> Finding:
    answers_people = not CHAT_USES.isdisjoint(bench.subject.uses)

    def ask(number: int) -> str:
        word = bench.word(f"sane {number}")
        answer = bench.chat(_ASK[number].format(word=word), max_tokens=_ENOUGH)
        if answers_people and answer.finish == "length" and not garbled(answer.text or answer.thinking):
            answer = bench.chat(_ASK[number].format(word=word), max_tokens=_ENOUGH_TO_THINK)
        if problem := garbled(answer.text) or template_token(answer.text):
            return problem
        if not answers_people:
            return ""  # it was taught to go on with a text, not to do as it is told
        if word.casefold() not in answer.text.casefold():
            return f"it was to say {word} and said something else"
        return cut_off(answer.finish)

    # one of two is an answer: a small model may take a wording amiss, garbage does not depend on it
    return Tally().each(range(len(_ASK)), ask).finding(may_lose=1)


CHECK = Check("sane.text", "answers in plain text", run, uses=TEXT_USES, reads=60, writes=20)
