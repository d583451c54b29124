"""What arrived, and how far its answer is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Phase = Literal["arrived", "done", "answered"]
"""Nothing was done yet · the state is changed and the last word of the answer not yet sent · all is sent."""


@dataclass(frozen=True)
class Request:
    """One request that arrived. `body` is its JSON, None when there was none. `number` counts from 1."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]
    number: int = 0


Watch = Callable[[int, Request, Phase], None]
