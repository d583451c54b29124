"""Options of a request: defaults, types, and how long a model stays loaded (api/types.go)."""

from __future__ import annotations

import re
from typing import Any

from standin.release import Release

FOREVER = 2**63 - 1
"""Nanoseconds; Go's longest duration."""
_INTEGERS = (
    "num_keep", "seed", "num_predict", "top_k", "repeat_last_n",
    "num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "draft_num_predict",
)  # fmt: skip
_FLOATS = (
    "top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty",
)  # fmt: skip
_AT_LOAD = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread", "draft_num_predict")
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


class BadOption(Exception):
    """A value of the wrong type; the text is Ollama's."""


def defaults(release: Release, num_ctx: int) -> dict[str, Any]:
    """What is in force when nobody says otherwise."""
    return {
        "num_ctx": num_ctx, "num_batch": 512, "num_gpu": -1, "num_keep": 4, "seed": -1, "num_predict": -1,
        "temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0.0, "typical_p": 1.0, "repeat_last_n": 64,
        "repeat_penalty": 1.0 if release.since(0, 32, 10) else 1.1, "presence_penalty": 0.0, "frequency_penalty": 0.0,
        "stop": [],
    }  # fmt: skip


def checked(options: dict[str, Any]) -> dict[str, Any]:
    """The options Ollama knows among these. Raises BadOption for a wrong type; null leaves the default."""
    known: dict[str, Any] = {}
    for key, value in options.items():
        if value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in _INTEGERS:
            if not number:
                raise BadOption(f'option "{key}" must be of type integer')
            known[key] = int(value)
        elif key in _FLOATS:
            if not number:
                raise BadOption(f'option "{key}" must be of type float32')
            known[key] = float(value)
        elif key == "use_mmap":
            if not isinstance(value, bool):
                raise BadOption(f'option "{key}" must be of type boolean')
            known[key] = value
        elif key == "stop":
            if not isinstance(value, list):
                raise BadOption(f'option "{key}" must be of type array')
            if not all(isinstance(item, str) for item in value):
                raise BadOption(f'option "{key}" must be of an array of strings')
            known[key] = value
    return known


def at_load(options: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Those a model is loaded with: others mean loading it again."""
    return tuple((key, options.get(key)) for key in _AT_LOAD)


def keep_alive(value: Any) -> int | None:
    """Nanoseconds a model stays loaded after a request; None when that is not said. Raises ValueError."""
    if value is None:
        return None
    if isinstance(value, str):
        length = go_duration(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        length = int(value * 10**9)
    else:
        raise ValueError(f"Unsupported type: '{type(value).__name__}'")
    return FOREVER if length < 0 else min(length, FOREVER)


def go_duration(text: str) -> int:
    """Nanoseconds in `1h30m`. Raises ValueError as Go's time.ParseDuration does."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    parts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)([a-zµ]+)", rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        bare = re.fullmatch(r"[\d.]+", rest)
        raise ValueError(f'time: {"missing unit in" if bare else "invalid"} duration "{text}"')
    for _, unit in parts:
        if unit not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
    return sign * int(sum(float(number) * _UNITS[unit] for number, unit in parts))
