"""A stand-in for an Ollama server: real HTTP on loopback, Ollama's store semantics, no models that can run.

The reading half of the API is here: version, tags, show, ps, blobs, `/v1/models` and the errors. It is held to the
recordings of a real server by tests/ollama/test_standin_replay.py. It shares no code with `llamaexit`, so that a
mistake there cannot hide behind the same mistake here.
"""

from __future__ import annotations

from standin.model import Model
from standin.pull import Pace
from standin.registry import Registry
from standin.requests import Request
from standin.server import Standin
from standin.store import Blob, Name, Store

__all__ = ["Blob", "Model", "Name", "Pace", "Registry", "Request", "Standin", "Store"]
