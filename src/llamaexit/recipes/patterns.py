"""Regular expressions that strangers wrote: searched for in linear time, and refused when they are too large.

Python's own engine backtracks, so that a short pattern can keep it busy for years, and nothing can interrupt it. The
engine of pydantic is Rust's `regex`, which has no look-around and no back-references and for that needs time
proportional to the text, and which refuses what compiles to more than 10 MiB.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator

LONGEST_PATTERN = 500
"""Characters. What has to be longer is several checks."""
LONGEST_TEXT = 32 * 1024
"""Characters of an answer that are searched; 8,192 tokens are about as many, and the slowest pattern takes some
seconds for them."""
_REASON = re.compile(r"^\s*error: (.*)$", re.MULTILINE)


def check_pattern(pattern: str) -> None:
    """Raises ValueError with the reason when a pattern cannot be used."""
    _compiled(pattern)


def found(pattern: str, text: str) -> bool:
    """Whether a pattern occurs anywhere in a text. Raises ValueError as `check_pattern` does."""
    return _compiled(pattern).isinstance_python(text[:LONGEST_TEXT])


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> SchemaValidator:
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"is a pattern of {len(pattern):,} characters; at most {LONGEST_PATTERN} are allowed")
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError as error:
        reason = _REASON.search(str(error))
        if reason is not None:
            raise ValueError(f"is not a pattern: {reason[1]}") from None
        raise ValueError("is a pattern that needs too much memory: make its repetitions smaller") from None
