"""Carrying out `llamaexit recipe fmt`: which files are written otherwise than they should be, and writing them so."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llamaexit.cli.answer import Result
from llamaexit.errors import PENDING, RecipeError, UsageError

if TYPE_CHECKING:
    from rich.console import Console


def run_fmt(files: Sequence[str], *, check: bool) -> Result:
    """Format recipes in place; with `check` only say which would change.

    All of them are read before the first is written. Raises UsageError for what is no file, RecipeError for no TOML.
    """
    from llamaexit.recipes.sources import is_elsewhere, shown_reference

    changed: dict[str, bytes] = {}
    for file in files:
        if file.startswith("builtin:") or is_elsewhere(file):
            hint = "format it where it lies" if is_elsewhere(file) else "llamaexit recipe show prints it"
            raise UsageError(f"{shown_reference(file)} is no file of yours", hint=hint)
        text, formatted = _formatted(Path(file))
        if text != formatted:
            changed[file] = formatted.encode()
    if not check:
        from llamaexit.cli.output import rewrite

        for file, content in changed.items():
            rewrite(Path(file), content)
    return Result(
        {"files": [{"file": file, "changed": file in changed} for file in files], "written": not check},
        partial(_show, tuple(files), tuple(changed), check),
        exit_code=PENDING if check and changed else 0,
    )


def _formatted(path: Path) -> tuple[str, str]:
    from llamaexit.recipes.formatting import format_recipe
    from llamaexit.recipes.read import Unreadable, decode_text, read_bytes

    try:
        data = read_bytes(path)  # once: it may be another file the next time
        decode_text(str(path), data)
        text = data.decode("utf-8")
    except Unreadable as error:
        raise RecipeError(str(error.problem), problems=(str(error.problem),)) from error
    return text, format_recipe(text, str(path))


def _show(files: tuple[str, ...], changed: tuple[str, ...], check: bool, console: Console) -> None:
    from llamaexit.report import words

    for file in changed:
        console.print(f"{'would be formatted' if check else 'formatted'}  {file}", soft_wrap=True)
    left = len(files) - len(changed)
    if left:
        console.print(
            f"{words.counted(left, 'recipe')} already as they should be"
            if left > 1
            else "1 recipe already as it should be"
        )
