"""It writes plain text at all. Broken kernels, templates and caches show here; then nothing else is worth asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import CHAT_USES, TEXT_USES, Check, Finding, Tally
from llamaexit.smoke.texts import cut_off, garbled, leaked

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_ASK = (
    "Reply with exactly this word and nothing else: {word}",
    "Repeat the following word once, without adding anything: {word}",
)


def run(bench: Bench) -> Finding:
    answers_people = not CHAT_USES.isdisjoint(bench.subject.uses)
    heard: list[bool] = []

    def ask(number: int) -> str:
        word = bench.word(f"sane {number}")
        answer = bench.chat(_ASK[number].format(word=word), max_tokens=48)
        heard.append(word.casefold() in answer.text.casefold())
        if problem := garbled(answer.text) or leaked(answer.text):
            return problem
        if answers_people and not heard[-1]:
            return f"it was to say {word} and said something else"
        return cut_off(answer.finish) if answers_people else ""

    tally = Tally().each(range(len(_ASK)), ask)
    # one of two is an answer: a small model may take a wording amiss, garbage does not depend on it
    return tally.finding(may_lose=1)


CHECK = Check("sane.text", "answers in plain text", run, uses=TEXT_USES, reads=60, writes=20)
