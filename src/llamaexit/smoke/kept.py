"""Requests and answers as they are kept: readable and whole where they are short, and never a picture."""

from __future__ import annotations

import hashlib
from typing import Any

_HEAD, _TAIL = 3000, 1000
"""Characters that are kept of a longer text, from its beginning and from its end."""
_DIGITS = 6


def kept(value: Any) -> Any:
    """A request or an answer with long texts shortened, pictures described, and token ids left out."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, (list, tuple)):
        return [kept(item) for item in value]
    if isinstance(value, dict):
        return {
            key: [_picture(image) for image in item] if key == "images" and isinstance(item, list) else kept(item)
            for key, item in value.items()
            if key != "context"  # of /api/generate: the whole conversation as token ids
        }
    return value


def _text(text: str) -> str:
    if text.startswith("data:image/"):
        return _picture(text)
    left_out = len(text) - _HEAD - _TAIL
    if left_out <= 0:
        return text
    return f"{text[:_HEAD]} [… {left_out:,} characters left out …] {text[-_TAIL:]}"


def _picture(data: object) -> str:
    text = str(data)
    return f"[a picture, {len(text):,} characters of base64, sha256 {hashlib.sha256(text.encode()).hexdigest()[:12]}]"
