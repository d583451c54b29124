"""Whether a published figure is about the very model that was chosen, or about a relative of it.

Makers and tables spell models as `Qwen3-30B-A3B-Instruct-2507` or `Qwen2.5-VL-7B (base)`, Ollama as
`qwen3:30b-instruct` or `qwen2.5vl:7b`. Compared is what both say: maker, release, line, size and kind of training.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[a-z]+(?:\d+(?:\.\d+)*)?|\d+(?:\.\d+)*b?")
_FIRST = re.compile(r"([a-z]+)(\d+(?:\.\d+)*)?")
_SIZE = re.compile(r"\d+(?:\.\d+)?b")
_LINE = re.compile(r"vl|coder|next|math|omni|ocr|[rv]\d+(?:\.\d+)*")
_TRAINED = {"instruct": "instruct", "it": "instruct", "chat": "instruct", "base": "base", "text": "base"}


def relation(model: str, target: str) -> str:
    """What the model of a figure is to a target: empty when it is the same, else a relative in words."""
    measured, chosen = _read(model), _read(target)
    if measured.maker != chosen.maker:
        return "another model"
    if measured.release < chosen.release:
        return "an older relative"
    if (measured.release, measured.line) != (chosen.release, chosen.line):
        return "a relative"
    if measured.size and chosen.size and measured.size != chosen.size:
        return "a relative"
    # a tag that says how it was trained stands beside one that was trained otherwise; the plain one is for chat
    if chosen.trained and measured.trained != chosen.trained:
        return "a relative"
    return ""


@dataclass(frozen=True, slots=True)
class _Read:
    maker: str
    release: tuple[int, ...]
    line: frozenset[str]
    size: str
    trained: str


def _read(name: str) -> _Read:
    words = _WORD.findall(name.lower())
    first = _FIRST.match(words[0]) if words else None
    release = first[2] or "" if first else ""
    return _Read(
        maker=first[1] if first else "",
        release=tuple(int(part) for part in release.split(".") if part),
        line=frozenset(word for word in words[1:] if _LINE.fullmatch(word)),
        size=next((word for word in words if _SIZE.fullmatch(word)), ""),
        trained=next((_TRAINED[word] for word in words if word in _TRAINED), ""),
    )
