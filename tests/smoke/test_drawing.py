"""Pictures the tool draws itself: files that can be read, letters that look like letters."""

from __future__ import annotations

import string

import pytest

from llamaexit.smoke.drawing import FONT, HEIGHT, WIDTH, Picture
from standin.brains_tools import letters, pixel, pixels

# how the letters are meant to look, drawn by hand
SHAPES = {
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "K": "#...# #..#. #.#.. ##... #.#.. #..#. #...#",
    "Q": ".###. #...# #...# #...# #.#.# #..#. .##.#",
    "R": "####. #...# #...# ####. #.#.. #..#. #...#",
    "0": ".###. #...# #..## #.#.# ##..# #...# .###.",
    "7": "##### ....# ...#. ..#.. .#... .#... .#...",
}


@pytest.mark.parametrize("letter", SHAPES)
def test_a_letter_looks_as_it_is_meant_to(letter: str) -> None:
    drawn = ["".join(".#"[row >> (WIDTH - 1 - x) & 1] for x in range(WIDTH)) for row in FONT[letter]]
    assert " ".join(drawn) == SHAPES[letter]


def test_every_letter_and_figure_has_a_shape_of_its_own() -> None:
    assert set(FONT) == set(string.ascii_uppercase + string.digits)
    assert len(set(FONT.values())) == len(FONT)
    assert all(len(rows) == HEIGHT and all(0 < row < 1 << WIDTH for row in rows) for rows in FONT.values())


@pytest.mark.parametrize("dot", [1, 3, 10])
def test_a_picture_is_a_png_in_which_the_word_is_read_again(dot: int) -> None:
    picture = Picture("LIMBOT", 400, 200, dot, ink=(255, 230, 0), paper=(90, 0, 20))
    width, height, rows = pixels(picture.png())
    assert (width, height) == (400, 200)
    assert {pixel(rows, x, y) for x in range(width) for y in range(height)} == {picture.ink, picture.paper}
    assert letters(rows, FONT) == "LIMBOT"


def test_the_word_is_in_the_middle() -> None:
    _, _, rows = pixels(Picture("EHE", 100, 60, 2).png())
    inked = [(x, y) for y in range(60) for x in range(100) if pixel(rows, x, y) == (0, 0, 0)]
    left, right = min(x for x, _ in inked), max(x for x, _ in inked)
    top, bottom = min(y for _, y in inked), max(y for _, y in inked)
    assert left == 99 - right
    assert top == 59 - bottom


def test_a_large_picture_is_a_small_file() -> None:
    assert len(Picture("BADEFI", 2048, 2048, 30).png()) < 50_000


def test_the_same_picture_is_the_same_file() -> None:
    assert Picture("BADEFI").png() == Picture("badefi").png()


def test_a_word_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="'MUCHTOOLONG' does not fit into 64 x 64 pixels"):
        Picture("MUCHTOOLONG", 64, 64).png()
