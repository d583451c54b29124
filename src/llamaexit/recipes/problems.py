"""What is wrong with a recipe, said so that its author finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from llamaexit.errors import RecipeError
from llamaexit.printable import in_one_line
from llamaexit.recipes.positions import Key, Place, find_places

MOST_KNOWN = 10_000
"""Words among which near ones are looked for; that takes a few tenths of a second."""
MOST_SUGGESTIONS = 20
"""Words for which near ones are looked for; after that it is only said that they are not known."""
_LONGEST = 1000
"""Characters of a message that are shown; a key may be a megabyte."""
MOST_LISTED = 100
"""Problems listed at most; a file of garbage would otherwise fill the screen."""


Kind = Literal[
    "unreadable", "needs-newer", "unknown-key", "invalid-value", "unknown-name", "unknown-target", "duplicate",
    "bad-extends",
]  # fmt: skip
"""What kind of thing is wrong with a recipe that cannot be used. `recipe lint` knows each by this name."""


class Finding(NamedTuple):
    """Something wrong at a key of a recipe, before it is known where in a file that stands."""

    key: Key
    text: str
    kind: Kind = "invalid-value"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: file, place in it (line and column from 1, where known), key path, and what it is.

    file, key and text may be what a stranger wrote: print `str` of it, or `said` where the place is shown elsewhere.
    """

    file: str
    text: str
    key: str = ""
    line: int | None = None
    column: int | None = None
    kind: Kind = "invalid-value"

    @property
    def order(self) -> tuple[str, int, int]:
        """Sorts problems the way people read: file by file, from the top."""
        return self.file, self.line or 0, self.column or 0

    def __str__(self) -> str:
        return f"{self.place}: {self.said}"

    @property
    def place(self) -> str:
        """File, line and column, as far as they are known."""
        return ":".join([in_one_line(self.file), *(str(n) for n in (self.line, self.column) if n is not None)])

    @property
    def said(self) -> str:
        """What is wrong, and with which key."""
        text = f"{self.key}: {self.text}" if self.key else self.text
        return in_one_line(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


class Document:
    """The text of one recipe file, which knows where each of its keys stands."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def places(self) -> dict[Key, Place]:
        """Line and column of every key and array element. Worked out only when something has to be shown."""
        return find_places(self.text)

    def line(self, key: Key) -> int | None:
        """The line of a key; where it does not exist, that of what should hold it."""
        return self._place(key)[0]

    def problem(self, key: Key, text: str, kind: Kind = "invalid-value") -> Problem:
        """A problem with the value at `key`; where that does not exist, the place of what should hold it is given."""
        line, column = self._place(key)
        return Problem(self.file, text, spell(key), line, column, kind)

    def _place(self, key: Key) -> tuple[int | None, int | None]:
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, (None, None))


def spell(key: Sequence[str | int]) -> str:
    """A key path as people write it: `rules[2].targets[0].model`."""
    spelled = ""
    for part in key:
        if isinstance(part, int):
            spelled += f"[{part}]"
        else:
            plain = part.replace("-", "").replace("_", "").isalnum() and part.isascii()
            spelled += ("." if spelled else "") + (part if plain else f'"{part}"')
    return spelled


def did_you_mean(word: str, known: Iterable[str], quote: str = "'") -> str:
    """`; did you mean 'model'?`, or nothing when no known word is near."""
    from difflib import get_close_matches
    from itertools import islice

    lowered = {item.lower(): item for item in islice(known, MOST_KNOWN)}
    near = get_close_matches(word.lower()[:200], lowered, n=1, cutoff=0.6)
    return f"; did you mean {quote}{in_one_line(lowered[near[0]])}{quote}?" if near else ""


class Suggestions:
    """`did_you_mean` for the first words it is asked about, and nothing for those that follow."""

    def __init__(self, most: int = MOST_SUGGESTIONS) -> None:
        self._left = most

    def __call__(self, word: str, known: Callable[[], Iterable[str]]) -> str:
        """What to add to a message about a word, with all known ones at hand."""
        self._left -= 1
        return did_you_mean(word, known()) if self._left >= 0 else ""


def refuse(problems: Sequence[Problem]) -> RecipeError:
    """The one error that lists every problem."""
    listed = tuple(str(problem) for problem in problems[:MOST_LISTED])
    if len(problems) > MOST_LISTED:
        listed += (f"and {len(problems) - MOST_LISTED} more",)
    if len(problems) == 1:
        return RecipeError(listed[0], problems=listed)
    files = sorted({problem.file for problem in problems})
    where = in_one_line(files[0]) if len(files) == 1 else f"{len(files)} recipes"
    return RecipeError(f"{len(problems)} problems in {where}; the first: {problems[0]}", problems=listed)
