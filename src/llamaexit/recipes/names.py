"""How recipes compare names and digests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from llamaexit.ollama.names import Name
from llamaexit.recipes.globs import is_pattern as is_pattern
from llamaexit.recipes.globs import matches


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """The form model names are looked up by: `Llama3` and `registry.ollama.ai/library/llama3:latest` both give
    `llama3:latest`. A text that Ollama would not take for a name is only stripped and put into lower case."""
    try:
        return Name.parse(name).short.lower()
    except ValueError:
        return name.strip().lower()


def nearly_called(name: str, others: Sequence[str]) -> str | None:
    """Which of these names with the same tag is probably meant by one that nobody knows; None where none is near.

    A tag of its own (`llama3.1:team`) is no slip of the keyboard, so that names with other tags are not to be asked.
    """
    from difflib import get_close_matches

    near = get_close_matches(name, others, n=1, cutoff=0.85)
    return near[0] if near else None


def digest_key(digest: str) -> str:
    """The first 12 hex digits, the form in which recipes and `ollama list` give digests."""
    return digest.strip().lower().removeprefix("sha256:").removeprefix("sha256-")[:12]


def means(pattern: str, name: str) -> bool:
    """Whether a pattern means a model name, whatever the case. A pattern without a tag means every tag."""
    lowered, own = pattern.strip().lower(), name_key(name)
    if is_pattern(lowered):
        return means_key(lowered, own)
    return name_key(lowered) == own or lowered == own.rpartition(":")[0]


def means_key(pattern: str, key: str) -> bool:
    """The same for a pattern in lower case and the form in which names are looked up."""
    return matches(pattern, key) or matches(pattern, key.rpartition(":")[0])


def same_build(one: str, other: str) -> bool:
    """Whether two digests in hex mean one build as far as both go: either may be only the beginning of the whole."""
    return one.startswith(other) or other.startswith(one)
