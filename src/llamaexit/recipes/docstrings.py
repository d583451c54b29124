"""What the language says about each of its keys: the texts below the fields in `model`.

Python does not keep them, so the source is read. Only what documents the language asks for them.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache

from llamaexit.recipes import model


@cache
def field_texts() -> dict[str, dict[str, str]]:
    """For each class of the language, its keys as TOML spells them with the sentence about each."""
    found: dict[str, dict[str, str]] = {}
    for statement in ast.parse(inspect.getsource(model)).body:
        if isinstance(statement, ast.ClassDef):
            found[statement.name] = dict(_texts(statement))
    return {name: texts for name, texts in found.items() if texts}


def _texts(cls: ast.ClassDef) -> list[tuple[str, str]]:
    found = []
    for field, text in zip(cls.body, cls.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
            found.append((model.kebab(field.target.id), " ".join(text.value.value.split())))
    return found
