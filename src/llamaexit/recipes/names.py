"""How recipes compare model names: without regard to case, tag always present, glob patterns as in a shell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_DEFAULTS = ("registry.ollama.ai/", "library/")


def name_key(name: str) -> str:
    """The form names are compared in: `Llama3` and `registry.ollama.ai/library/llama3:latest` give `llama3:latest`."""
    key = name.strip().lower().removeprefix("https://").removeprefix("http://")
    for prefix in _DEFAULTS:
        key = key.removeprefix(prefix)
    return key if ":" in key.rsplit("/", 1)[-1] else f"{key}:latest"


def is_pattern(text: str) -> bool:
    """Whether a name in a recipe is a glob pattern."""
    return any(character in text for character in "*?[")


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    # fnmatch.translate, but imported late: most starts never meet a pattern
    from fnmatch import translate

    return re.compile(translate(pattern.lower()))


def matches(pattern: str, name: str) -> bool:
    """Whether a name in a recipe, plain or a pattern, means this model."""
    if is_pattern(pattern):
        return _compiled(pattern).match(name_key(name)) is not None
    return name_key(pattern) == name_key(name)


def matches_any(patterns: Iterable[str], name: str) -> bool:
    """Whether any of the names or patterns means this model."""
    return any(matches(pattern, name) for pattern in patterns)


def digest_key(digest: str) -> str:
    """The first 12 hex digits, the form in which recipes and `ollama list` give digests."""
    return digest.strip().lower().removeprefix("sha256:").removeprefix("sha256-")[:12]


_PARAMETERS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([BMK])\b", re.IGNORECASE)


def billions(text: str) -> float | None:
    """Parameters in billions of texts such as `8.03B`, `135M` or `109B total, 17B active`; None when there are none."""
    match = _PARAMETERS.match(text)
    if match is None:
        return None
    return float(match[1]) * {"B": 1.0, "M": 1e-3, "K": 1e-6}[match[2].upper()]
