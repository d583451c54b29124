"""A stand-in for an Ollama server: real HTTP on loopback, Ollama's store semantics, models that are made up.

It reads, pulls, copies, creates, deletes and answers; what models say is told to it (behaviour.py). It is held to the
recordings of a real server by tests/ollama/test_standin_replay.py. It shares no code with `llamaexit`, so that a
mistake there cannot hide behind the same mistake here.
"""

from __future__ import annotations

from standin.behaviour import Behaviour, Echo, Said, ToolCall, Traits, Turn
from standin.model import Model
from standin.pull import Pace
from standin.registry import Registry
from standin.requests import Request
from standin.server import Standin
from standin.store import Blob, Name, Store

__all__ = [
    "Behaviour",
    "Blob",
    "Echo",
    "Model",
    "Name",
    "Pace",
    "Registry",
    "Request",
    "Said",
    "Standin",
    "Store",
    "ToolCall",
    "Traits",
    "Turn",
]
