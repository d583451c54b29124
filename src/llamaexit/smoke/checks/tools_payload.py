"""Arguments with line breaks and tags in them arrive whole: parsers of XML calls break on what looks like their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.tools import arguments_of, function, misuse, offered

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_WRITE_FILE = function("write_file", "Write a text file", path="Where to", content="The whole content of the file")


def run(bench: Bench) -> Finding:
    word = bench.word("tools.payload")
    lines = (f"<p>{word}</p>", "<parameter>x</parameter>", 'if (a < b) { print("}"); }')

    def ask() -> str:
        content = "\n".join(lines)
        question = f"Write a file called a.html with exactly this content:\n{content}"
        answer = offered(bench.chat, question, [_WRITE_FILE], 256)
        if problem := misuse(answer, "write_file", {"path": "a.html"}):
            return problem
        given = arguments_of(answer.calls[0])
        written = str(given.get("content")) if isinstance(given, dict) else ""
        # quotes are often escaped once too much; what looks like markup is the point here
        lost = next((text for text in (word, "<parameter>", "a < b") if text not in written), None)
        return f"the content it writes lacks {lost}" if lost else ""

    tally = Tally()
    tally.add(ask)
    return tally.finding()


CHECK = Check("tools.payload", "passes markup to a tool unharmed", run, uses=frozenset({"tools"}), reads=250, writes=90)
