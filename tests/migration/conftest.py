"""A scene for each test of a migration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scene import Scene, llama_models, scene_at

from standin import Registry, Standin, Store


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A server with a library Llama, a model of the user's own on it, and a Mistral; a registry; a plan."""
    with Standin(Store.of(*llama_models()), registry=Registry()) as standin:
        yield scene_at(tmp_path, standin)
