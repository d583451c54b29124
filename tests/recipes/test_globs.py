"""Glob patterns: the same answers as the standard library has, one at a time and many at once."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from llamaexit.recipes.globs import Globs, is_pattern, matches

PATTERNS = st.text("ab*?[]!-\n", max_size=8) | st.text("ab*", max_size=10)
TEXTS = st.text("ab-\n", max_size=12)


@given(PATTERNS, TEXTS)
def test_a_pattern_means_what_the_standard_library_says(pattern: str, text: str) -> None:
    assert matches(pattern, text) == fnmatchcase(text, pattern)


@given(TEXTS)
def test_a_text_without_signs_means_itself(text: str) -> None:
    assert not is_pattern(text)
    assert matches(text, text)
    assert not matches(text + "a", text)


@given(st.lists(PATTERNS, max_size=12), TEXTS)
def test_many_patterns_together_answer_as_each_of_them(patterns: list[str], text: str) -> None:
    globs: Globs[int] = Globs()
    for number, pattern in enumerate(patterns):
        globs.add(pattern, number)
    alone = [number for number, pattern in enumerate(patterns) if fnmatchcase(text, pattern)]
    assert sorted(globs.matching(text)) == alone
    assert (text in globs) == bool(alone)
