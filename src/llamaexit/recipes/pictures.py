"""Pictures that smoke tests of a recipe ask about: read with the recipe, and carried in it from then on.

A plan has to say everything by itself, so a picture becomes part of it, in base64. For that it has to be small.
"""

from __future__ import annotations

import base64
import binascii
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.recipes.read import reason
from llamaexit.recipes.sources import Unresolved

if TYPE_CHECKING:
    from llamaexit.recipes.model import Recipe, Rule, SmokeCheck
    from llamaexit.recipes.positions import Key

LARGEST_PICTURE = 256 * 1024
"""Bytes of one picture."""
MOST_PICTURES = 4 * 1024 * 1024
"""Bytes of all pictures of a recipe together."""
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


class _Unfit(Exception):
    """Why a picture cannot be used."""


class Pictures:
    """Reads the pictures of one recipe, which lie in its folder or below it."""

    def __init__(self, folder: Path | None, beside: Callable[[str], bytes] | None = None) -> None:
        """folder: None where nothing can lie beside the recipe. beside: reads what does where that is no folder."""
        self._folder = folder
        self._beside = beside
        self._bytes = 0
        self.problems: list[tuple[Key, str]] = []

    def embed(self, recipe: Recipe) -> Recipe:
        """The recipe with its pictures in it; what is wrong with one is noted in `problems`."""
        if not any(check.image or check.image_data for rule in recipe.rules for check in rule.smoke):
            return recipe
        return replace(recipe, rules=tuple(self._rule(rule, number) for number, rule in enumerate(recipe.rules)))

    def _rule(self, rule: Rule, number: int) -> Rule:
        checks = (self._check(check, ("rules", number, "smoke", place)) for place, check in enumerate(rule.smoke))
        return replace(rule, smoke=tuple(checks))

    def _check(self, check: SmokeCheck, at: Key) -> SmokeCheck:
        if not (check.image or check.image_data):
            return check
        try:
            if check.image and check.image_data:
                raise _Unfit("stands beside image-data; one of the two is enough")
            data = self._read(check.image) if check.image else _decoded(check.image_data)
            if not data.startswith(_SIGNATURES):
                raise _Unfit("is neither a PNG nor a JPEG picture")
            self._bytes += len(data)
            if self._bytes > MOST_PICTURES:
                raise _Unfit(f"is one too many: all pictures of a recipe have at most {MOST_PICTURES:,} bytes together")
        except _Unfit as unfit:
            self.problems.append(((*at, "image" if check.image else "image-data"), str(unfit)))
            return check
        return replace(check, image_data=base64.b64encode(data).decode("ascii"))

    def _read(self, reference: str) -> bytes:
        if self._beside is None:
            return _read(self._folder, reference)
        try:
            return _small(self._beside(reference))
        except Unresolved as error:
            raise _Unfit(str(error)) from None


def _read(folder: Path | None, reference: str) -> bytes:
    if folder is None:
        raise _Unfit(f"{reference[:80]!r}: no file lies beside this recipe; put the picture in image-data")
    if Path(reference).is_absolute() or reference.startswith(("/", "\\", "~")) or "\0" in reference:
        raise _Unfit(f"{reference[:80]!r} is not a relative path")
    try:
        path = (folder / reference).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise _Unfit(f"{reference[:80]!r} leads out of the recipe's folder")
        if not stat.S_ISREG(path.stat().st_mode):
            raise _Unfit(f"{reference[:80]!r} is not a regular file")
        with path.open("rb") as file:
            data = file.read(LARGEST_PICTURE + 1)
    except FileNotFoundError:
        raise _Unfit(f"{reference[:80]!r}: there is no such file") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: what Python before 3.13 says of circles of links
        raise _Unfit(f"{reference[:80]!r} cannot be read: {reason(error)}") from None
    return _small(data)


def _decoded(text: str) -> bytes:
    try:
        return _small(base64.b64decode(text, validate=True))
    except binascii.Error:
        raise _Unfit("is not base64") from None


def _small(data: bytes) -> bytes:
    if len(data) > LARGEST_PICTURE:
        raise _Unfit(f"is larger than {LARGEST_PICTURE:,} bytes: a plan carries its pictures with it")
    return data
